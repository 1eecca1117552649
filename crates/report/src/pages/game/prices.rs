//! What the books pay, how that moved, and what the lenses said of it.

use std::collections::{BTreeMap, BTreeSet};

use market::{Market, Selection};
use serde::Serialize;

use crate::{
    chart::{
        ChartError, Picture,
        prices::{self, Staircase},
    },
    format::{self, number, percent, signed_percent},
    input::LensScore,
    pages::{
        input::{GamePage, JudgedQuote, PriceHistory, Quote},
        pen::{Moment, Pen, selection_of, sentence},
    },
    view::pick::{self, LensBar},
};

/// Quotes of a market and judged quotes that are shown.
const QUOTES: usize = 200;
pub(super) const JUDGED: usize = 100;

#[derive(Debug, Serialize)]
pub(super) struct MarketView {
    market: &'static str,
    title: &'static str,
    quotes: Vec<QuoteRow>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct QuoteRow {
    selection: String,
    /// Whether another selection than in the row above begins here.
    is_first: bool,
    book: String,
    price: String,
    is_best: bool,
    seen: Moment,
    no_vig: String,
    edge: String,
    tone: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct MovesView {
    sides: Vec<SideView>,
    rows: Vec<MoveRow>,
}

#[derive(Debug, Serialize)]
struct SideView {
    selection: String,
    picture: Picture,
}

#[derive(Debug, Serialize)]
struct MoveRow {
    selection: String,
    book: String,
    first: String,
    first_seen: Moment,
    lowest: String,
    highest: String,
    last: String,
    last_seen: Moment,
}

#[derive(Debug, Serialize)]
pub(super) struct JudgedRow {
    selection: String,
    book: String,
    price: String,
    edge: String,
    lenses: Vec<LensBar>,
    silent_lenses: Vec<String>,
    score: String,
    stake: Option<String>,
    verdict: String,
}

/// Builds a table per market: by selection and points, the best price first.
pub(super) fn markets(page: &GamePage, pen: &Pen<'_>) -> Vec<MarketView> {
    let markets = [
        (Market::Moneyline, "Who wins"),
        (Market::Spread, "With a handicap"),
        (Market::Total, "Both scores together"),
    ];
    let of = |market| page.quotes.iter().filter(move |quote| quote.market == market);
    let tables = markets.into_iter().map(|(market, title)| {
        let mut quotes: Vec<&Quote> = of(market).collect();
        quotes.sort_by(|a, b| {
            let points = |quote: &Quote| quote.points.map(|points| points.quarters().abs());
            (points(a), a.selection, a.points)
                .cmp(&(points(b), b.selection, b.points))
                .then(b.price.decimal().total_cmp(&a.price.decimal()))
                .then_with(|| a.book.cmp(&b.book))
        });
        MarketView {
            market: market.as_str(),
            title,
            more: quotes.len().saturating_sub(QUOTES),
            quotes: rows(&quotes, page, pen),
        }
    });
    tables.filter(|table| !table.quotes.is_empty()).collect()
}

fn rows(sorted: &[&Quote], page: &GamePage, pen: &Pen<'_>) -> Vec<QuoteRow> {
    let mut best: Option<&Quote> = None;
    let mut rows = Vec::new();
    for quote in sorted.iter().take(QUOTES) {
        let same = best.filter(|best| (best.selection, best.points) == (quote.selection, quote.points));
        let is_best = same.is_none_or(|best| best.price.decimal() <= quote.price.decimal());
        rows.push(quote_row(quote, same.is_none(), is_best, page, pen));
        best = same.or(Some(quote));
    }
    rows
}

fn quote_row(quote: &Quote, is_first: bool, is_best: bool, page: &GamePage, pen: &Pen<'_>) -> QuoteRow {
    let dash = || "–".to_owned();
    QuoteRow {
        selection: selection_of(&page.game, quote.market, quote.selection, quote.points),
        is_first,
        book: format::name(quote.book.as_str()),
        price: quote.price.to_string(),
        is_best,
        seen: pen.near(quote.captured_at),
        no_vig: quote.no_vig.map_or_else(dash, |share| percent(share, 1)),
        edge: quote.edge.map_or_else(dash, |edge| signed_percent(edge, 1)),
        tone: if quote.edge.is_some_and(|edge| edge > 0.0) { "good" } else { "even" },
    }
}

/// Draws one picture per side, and says the same in a table.
pub(super) fn moves(page: &GamePage, pen: &Pen<'_>) -> Result<MovesView, ChartError> {
    let sides: BTreeSet<Selection> = page.history.iter().map(|history| history.selection).collect();
    let mut views = Vec::new();
    for side in sides {
        let selection = selection_of(&page.game, Market::Moneyline, side, None);
        let of_side = page.history.iter().filter(|history| history.selection == side);
        let books: Vec<Staircase> = of_side.map(|history| staircase(history, page)).collect();
        let picture = prices::chart(&selection, &books, hours(page, page.as_of))?;
        views.extend(picture.map(|picture| SideView { selection, picture }));
    }
    let rows: BTreeMap<_, MoveRow> = page.history.iter().filter_map(|history| move_row(history, page, pen)).collect();
    Ok(MovesView { sides: views, rows: rows.into_values().collect() })
}

fn staircase(history: &PriceHistory, page: &GamePage) -> Staircase {
    let steps = history.prices.iter().map(|(seen, price)| (hours(page, *seen), price.decimal()));
    Staircase { book: format::name(history.book.as_str()), steps: steps.collect() }
}

fn hours(page: &GamePage, instant: market::Timestamp) -> f64 {
    page.game.start_time.duration_since(instant).as_secs_f64() / 3600.0
}

fn move_row(
    history: &PriceHistory,
    page: &GamePage,
    pen: &Pen<'_>,
) -> Option<((Selection, String), MoveRow)> {
    let (first, last) = (history.prices.first()?, history.prices.last()?);
    let all = || history.prices.iter().map(|(_, price)| price.decimal());
    let book = format::name(history.book.as_str());
    let row = MoveRow {
        selection: selection_of(&page.game, Market::Moneyline, history.selection, None),
        book: book.clone(),
        first: first.1.to_string(),
        first_seen: pen.near(first.0),
        lowest: number(all().fold(f64::INFINITY, f64::min), 2),
        highest: number(all().fold(f64::NEG_INFINITY, f64::max), 2),
        last: last.1.to_string(),
        last_seen: pen.near(last.0),
    };
    Some(((history.selection, book), row))
}

pub(super) fn judged(quote: &JudgedQuote, page: &GamePage, pen: &Pen<'_>) -> JudgedRow {
    let said_no = quote.lenses.iter().any(|view| matches!(view.score, LensScore::Veto(_)));
    JudgedRow {
        selection: selection_of(&page.game, quote.market, quote.selection, quote.points),
        book: format::name(quote.book.as_str()),
        price: quote.price.to_string(),
        edge: signed_percent(quote.edge, 1),
        lenses: quote.lenses.iter().map(pick::bar).collect(),
        silent_lenses: quote.lenses.iter().filter_map(pick::silence).collect(),
        score: match quote.score {
            Some(score) => number(score, 2),
            None if said_no => "veto".to_owned(),
            None => "–".to_owned(),
        },
        stake: quote.stake.map(|stake| pen.money(stake)),
        verdict: sentence(&quote.verdict),
    }
}
