//! What the books say together: latest quotes as of an instant, and the no-vig consensus over them.
//!
//! The consensus is the median over books of the logit of each book's own no-vig probability; its
//! dispersion is the robust standard deviation `1.4826 · MAD`, never below 0.03 (domain notes, section 5.1).
//!
//! # Example
//! ```
//! use market::consensus::consensus;
//! assert!(consensus(&[]).is_empty(), "no quotes, no opinion");
//! ```

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    GameId, LineRow, Market, Name, Points, Selection,
    no_vig::{Method, no_vig},
};

/// Floor of the dispersion: books copy one another, so agreement proves less than it seems to.
const DISPERSION_FLOOR: f64 = 0.03;

/// The books' joint opinion on one market of one game.
#[derive(Debug, Clone, PartialEq)]
pub struct Consensus {
    /// The market.
    pub market: Market,
    /// Points of the home side (spread) or of the total; none for the moneyline.
    pub points: Option<Points>,
    /// Fair probabilities by selection, in the order of [`Selection`]; they sum to 1.
    pub probabilities: Vec<(Selection, f64)>,
    /// Dispersion of the first selection's logit among the books.
    pub logit_sd: f64,
    /// Books that quoted the complete market.
    pub books: usize,
    /// Mean overround of those books.
    pub overround: f64,
    /// Latest capture among the quotes used.
    pub captured_at: Timestamp,
}

impl Consensus {
    /// Returns the fair probability of `selection`.
    pub fn probability(&self, selection: Selection) -> Option<f64> {
        self.probabilities.iter().find(|(s, _)| *s == selection).map(|(_, p)| *p)
    }
}

/// Returns, for each game, book, market, selection and points, the last row captured before `as_of`.
pub fn latest_quotes<'a>(lines: impl IntoIterator<Item = &'a LineRow>, as_of: Timestamp) -> Vec<&'a LineRow> {
    type Key<'a> = (&'a GameId, &'a Name, Market, Selection, Option<Points>);
    let mut latest: BTreeMap<Key<'a>, &'a LineRow> = BTreeMap::new();
    for row in lines.into_iter().filter(|row| row.known_at() < as_of) {
        let key = (&row.game.game_id, &row.book, row.market, row.selection, row.points);
        let entry = latest.entry(key).or_insert(row);
        if row.captured_at > entry.captured_at {
            *entry = row;
        }
    }
    latest.into_values().collect()
}

/// Returns the [`latest_quotes`] without points that their book has left since: what stands at `as_of`.
///
/// A book that quotes several points of one selection at one instant offers them all.
pub fn standing_quotes<'a>(
    lines: impl IntoIterator<Item = &'a LineRow>,
    as_of: Timestamp,
) -> Vec<&'a LineRow> {
    let latest = latest_quotes(lines, as_of);
    let side = |line: &LineRow| (line.game.game_id.clone(), line.book.clone(), line.market, line.selection);
    let mut newest = BTreeMap::new();
    for line in &latest {
        let seen = newest.entry(side(line)).or_insert(line.captured_at);
        *seen = line.captured_at.max(*seen);
    }
    latest.into_iter().filter(|line| newest.get(&side(line)) == Some(&line.captured_at)).collect()
}

/// Returns the points under which both sides of a market meet: the home side's, or the total's.
pub fn market_points(selection: Selection, points: Option<Points>) -> Option<Points> {
    if selection == Selection::Away { points.map(|p| -p) } else { points }
}

/// Returns one consensus per market and points of one game's quotes, by market, then points.
///
/// A book counts when it quotes every selection: home, away (and draw, if any book offers it), or over
/// and under. Prices are taken out of their margin by the power method, an underround by the odds-ratio method.
pub fn consensus(quotes: &[&LineRow]) -> Vec<Consensus> {
    markets(quotes).iter().filter_map(|market| market.consensus(None)).collect()
}

/// The complete quotes of one market of one game at one number of points.
#[derive(Debug, Clone, PartialEq)]
pub struct MarketQuotes {
    /// The market.
    pub market: Market,
    /// Points of the home side (spread) or of the total; none for the moneyline.
    pub points: Option<Points>,
    /// What can be bet on.
    pub selections: &'static [Selection],
    /// The books that quote every selection, by name.
    pub books: Vec<BookQuote>,
}

/// One book's prices of every selection of a market.
#[derive(Debug, Clone, PartialEq)]
pub struct BookQuote {
    /// The book.
    pub book: Name,
    /// Decimal odds, in the order of the selections.
    pub odds: Vec<f64>,
    /// Log-odds of its own no-vig probabilities, in the same order.
    pub logits: Vec<f64>,
    /// What its prices imply beyond 1.
    pub overround: f64,
    /// Latest capture among them.
    pub captured_at: Timestamp,
}

/// Groups one game's quotes by market and points; see [`consensus`].
pub fn markets(quotes: &[&LineRow]) -> Vec<MarketQuotes> {
    type Book<'a> = BTreeMap<Selection, &'a LineRow>;
    let mut markets: BTreeMap<(Market, Option<Points>), BTreeMap<&Name, Book<'_>>> = BTreeMap::new();
    for row in quotes {
        let key = (row.market, market_points(row.selection, row.points));
        markets.entry(key).or_default().entry(&row.book).or_default().insert(row.selection, row);
    }
    let complete = |((market, points), books): ((Market, Option<Points>), BTreeMap<&Name, Book<'_>>)| {
        let draw_offered = books.values().any(|book| book.contains_key(&Selection::Draw));
        let selections: &'static [Selection] = match market {
            Market::Moneyline if draw_offered => &[Selection::Home, Selection::Draw, Selection::Away],
            Market::Moneyline | Market::Spread => &[Selection::Home, Selection::Away],
            Market::Total => &[Selection::Over, Selection::Under],
        };
        let books = books.into_iter().filter_map(|(name, book)| BookQuote::of(name, selections, &book));
        MarketQuotes { market, points, selections, books: books.collect() }
    };
    markets.into_iter().map(complete).collect()
}

impl BookQuote {
    fn of(name: &Name, selections: &[Selection], rows: &BTreeMap<Selection, &LineRow>) -> Option<Self> {
        let rows: Vec<&&LineRow> = selections.iter().filter_map(|selection| rows.get(selection)).collect();
        if rows.len() != selections.len() {
            return None;
        }
        let odds: Vec<f64> = rows.iter().map(|row| row.price.decimal()).collect();
        let fair = no_vig(&odds, Method::Power).or_else(|_| no_vig(&odds, Method::OddsRatio)).ok()?;
        Some(Self {
            book: name.clone(),
            logits: fair.probabilities.iter().map(|p| logit(*p)).collect(),
            odds,
            overround: fair.overround,
            captured_at: rows.iter().map(|row| row.captured_at).max()?,
        })
    }
}

impl MarketQuotes {
    /// Returns what the books say together, one of them left out; none when no other is there.
    pub fn consensus(&self, without: Option<&Name>) -> Option<Consensus> {
        let books: Vec<&BookQuote> = self.books.iter().filter(|quote| Some(&quote.book) != without).collect();
        let captured_at = books.iter().map(|quote| quote.captured_at).max()?;
        let column = |side: usize| -> Vec<f64> { books.iter().map(|quote| quote.logits[side]).collect() };
        let medians: Vec<f64> =
            (0..self.selections.len()).map(|side| logistic(median(&column(side)))).collect();
        let sum: f64 = medians.iter().sum();
        Some(Consensus {
            market: self.market,
            points: self.points,
            probabilities: self.selections.iter().copied().zip(medians.iter().map(|p| p / sum)).collect(),
            logit_sd: dispersion(&column(0)),
            books: books.len(),
            overround: books.iter().map(|quote| quote.overround).sum::<f64>() / books.len() as f64,
            captured_at,
        })
    }
}

/// Returns the market at the points that most books quote; of several the ones whose `side` is nearest to even money.
pub fn main_market(quoted: &[MarketQuotes], side: Selection) -> Option<&MarketQuotes> {
    let from_even = |quotes: &MarketQuotes| {
        let share = quotes.consensus(None).and_then(|consensus| consensus.probability(side));
        share.map_or(1.0, |share| (share - 0.5).abs())
    };
    let complete = quoted.iter().filter(|quotes| !quotes.books.is_empty());
    complete.min_by(|a, b| b.books.len().cmp(&a.books.len()).then(from_even(a).total_cmp(&from_even(b))))
}

/// Returns `ln(p / (1 - p))`, with `p` clipped to [1e-6, 1 - 1e-6].
pub fn logit(p: f64) -> f64 {
    let p = p.clamp(1e-6, 1.0 - 1e-6);
    (p / (1.0 - p)).ln()
}

/// Returns `1 / (1 + e^-x)`.
pub fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Returns the median; 0 of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

fn dispersion(logits: &[f64]) -> f64 {
    let centre = median(logits);
    let deviations: Vec<f64> = logits.iter().map(|l| (l - centre).abs()).collect();
    (1.4826 * median(&deviations)).max(DISPERSION_FLOOR)
}
