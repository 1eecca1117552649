//! What the books pay, how that moved, and what the lenses said of it.

use std::collections::{BTreeMap, BTreeSet};

use market::{Market, Points, Selection};
use serde::Serialize;

use crate::{
    chart::{
        ChartError, Picture,
        prices::{self, Staircase},
    },
    format,
    input::LensScore,
    locale::DASH,
    pages::{
        input::{GamePage, JudgedQuote, PriceHistory, Quote},
        pen::{Moment, Pen, sentence},
    },
    view::pick::{self, LensBar},
};

/// Tables of a market, books of a table, and judged quotes that are shown.
const TABLES: usize = 12;
const BOOKS: usize = 40;
pub(super) const JUDGED: usize = 60;

/// The prices of one market: a table per number of points, that of most books first.
#[derive(Debug, Serialize)]
pub(super) struct MarketView {
    market: &'static str,
    title: &'static str,
    tables: Vec<PriceTable>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct PriceTable {
    selections: Vec<String>,
    rows: Vec<BookRow>,
}

/// What a book pays, by selection in the order of the table.
#[derive(Debug, Serialize)]
struct BookRow {
    book: String,
    cells: Vec<Option<PriceCell>>,
    /// Since when the newest of them stands.
    seen: Moment,
}

#[derive(Debug, Clone, Serialize)]
struct PriceCell {
    price: String,
    is_best: bool,
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

/// Builds the tables of each market that has a price.
pub(super) fn markets(page: &GamePage, pen: &Pen<'_>) -> Vec<MarketView> {
    let markets = [
        (Market::Moneyline, "Who wins"),
        (Market::Spread, "With a handicap"),
        (Market::Total, "Both scores together"),
    ];
    let views = markets.into_iter().map(|(market, title)| {
        let mut by_points: BTreeMap<_, Vec<&Quote>> = BTreeMap::new();
        for quote in page.quotes.iter().filter(|quote| quote.market == market) {
            by_points.entry(points_of_home(quote)).or_default().push(quote);
        }
        let mut groups: Vec<Vec<&Quote>> = by_points.into_values().collect();
        groups.sort_by_key(|quotes| std::cmp::Reverse(quotes.len()));
        let tables = groups.iter().take(TABLES).map(|quotes| table(quotes, page, pen)).collect();
        MarketView { market: market.as_str(), title, tables, more: groups.len().saturating_sub(TABLES) }
    });
    views.filter(|view| !view.tables.is_empty()).collect()
}

/// Returns the quarter points by which either side of a handicap is found: those of the home side.
fn points_of_home(quote: &Quote) -> Option<i32> {
    let quarters = quote.points?.quarters();
    Some(if quote.selection == Selection::Away { -quarters } else { quarters })
}

fn table(quotes: &[&Quote], page: &GamePage, pen: &Pen<'_>) -> PriceTable {
    let selections: BTreeSet<_> = quotes.iter().map(|quote| (quote.selection, quote.points)).collect();
    let books: BTreeSet<_> = quotes.iter().map(|quote| &quote.book).collect();
    let of = |key: &(Selection, Option<Points>)| {
        let key = *key;
        quotes.iter().copied().filter(move |quote| (quote.selection, quote.points) == key)
    };
    let best: Vec<f64> =
        selections.iter().map(|key| of(key).map(|quote| quote.price.decimal()).fold(0.0, f64::max)).collect();
    let row = |book: &market::Name| {
        let mine = |key| of(key).find(|quote| quote.book == *book);
        let cells =
            selections.iter().zip(&best).map(|(key, best)| mine(key).map(|quote| cell(quote, *best, pen)));
        let seen = selections.iter().filter_map(mine).map(|quote| quote.captured_at).max()?;
        Some(BookRow { book: format::name(book.as_str()), cells: cells.collect(), seen: pen.ago(seen) })
    };
    let market = quotes.first().map_or(Market::Moneyline, |quote| quote.market);
    PriceTable {
        rows: books.into_iter().take(BOOKS).filter_map(row).collect(),
        selections: selections
            .iter()
            .map(|(side, points)| pen.selection(&page.game, market, *side, *points))
            .collect(),
    }
}

fn cell(quote: &Quote, best: f64, pen: &Pen<'_>) -> PriceCell {
    PriceCell {
        price: pen.locale.price(quote.price),
        is_best: quote.price.decimal() >= best,
        no_vig: quote.no_vig.map_or_else(|| DASH.to_owned(), |share| pen.locale.percent(share, 1)),
        edge: quote.edge.map_or_else(|| DASH.to_owned(), |edge| pen.locale.signed_percent(edge, 1)),
        tone: if quote.edge.is_some_and(|edge| edge > 0.0) { "good" } else { "even" },
    }
}

/// Draws one picture per side, and says the same in a table.
pub(super) fn moves(page: &GamePage, pen: &Pen<'_>) -> Result<MovesView, ChartError> {
    let sides: BTreeSet<Selection> = page.history.iter().map(|history| history.selection).collect();
    let mut views = Vec::new();
    for side in sides {
        let selection = pen.selection(&page.game, Market::Moneyline, side, None);
        let of_side = page.history.iter().filter(|history| history.selection == side);
        let books: Vec<Staircase> = of_side.map(|history| staircase(history, page)).collect();
        let picture = prices::chart(&selection, &books, hours(page, page.as_of), &pen.locale)?;
        views.extend(picture.map(|picture| SideView { selection, picture }));
    }
    let rows: BTreeMap<_, MoveRow> =
        page.history.iter().filter_map(|history| move_row(history, page, pen)).collect();
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
        selection: pen.selection(&page.game, Market::Moneyline, history.selection, None),
        book: book.clone(),
        first: pen.locale.price(first.1),
        first_seen: pen.near(first.0),
        lowest: pen.locale.number(all().fold(f64::INFINITY, f64::min), 2),
        highest: pen.locale.number(all().fold(f64::NEG_INFINITY, f64::max), 2),
        last: pen.locale.price(last.1),
        last_seen: pen.near(last.0),
    };
    Some(((history.selection, book), row))
}

pub(super) fn judged(quote: &JudgedQuote, page: &GamePage, pen: &Pen<'_>) -> JudgedRow {
    let said_no = quote.lenses.iter().any(|view| matches!(view.score, LensScore::Veto(_)));
    JudgedRow {
        selection: pen.selection(&page.game, quote.market, quote.selection, quote.points),
        book: format::name(quote.book.as_str()),
        price: pen.locale.price(quote.price),
        edge: pen.locale.signed_percent(quote.edge, 1),
        lenses: quote.lenses.iter().map(|view| pick::bar(view, &pen.locale)).collect(),
        silent_lenses: quote.lenses.iter().filter_map(|view| pick::silence(view, &pen.locale)).collect(),
        score: match quote.score {
            Some(score) => pen.locale.number(score, 2),
            None if said_no => "veto".to_owned(),
            None => DASH.to_owned(),
        },
        stake: quote.stake.map(|stake| pen.money(stake)),
        verdict: sentence(&quote.verdict),
    }
}
