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

/// Returns the points under which both sides of a market meet: the home side's, or the total's.
pub fn market_points(selection: Selection, points: Option<Points>) -> Option<Points> {
    if selection == Selection::Away { points.map(|p| -p) } else { points }
}

/// Returns one consensus per market and points of one game's quotes, by market, then points.
///
/// A book counts when it quotes every selection: home, away (and draw, if any book offers it), or over
/// and under. Prices are taken out of their margin by the power method, an underround by the odds-ratio method.
pub fn consensus(quotes: &[&LineRow]) -> Vec<Consensus> {
    type Book<'a> = BTreeMap<Selection, &'a LineRow>;
    let mut markets: BTreeMap<(Market, Option<Points>), BTreeMap<&Name, Book<'_>>> = BTreeMap::new();
    for row in quotes {
        let key = (row.market, market_points(row.selection, row.points));
        markets.entry(key).or_default().entry(&row.book).or_default().insert(row.selection, row);
    }
    markets.into_iter().filter_map(|((market, points), books)| agree(market, points, &books)).collect()
}

fn agree(
    market: Market,
    points: Option<Points>,
    books: &BTreeMap<&Name, BTreeMap<Selection, &LineRow>>,
) -> Option<Consensus> {
    let draw_offered = books.values().any(|book| book.contains_key(&Selection::Draw));
    let selections: &[Selection] = match market {
        Market::Moneyline if draw_offered => &[Selection::Home, Selection::Draw, Selection::Away],
        Market::Moneyline | Market::Spread => &[Selection::Home, Selection::Away],
        Market::Total => &[Selection::Over, Selection::Under],
    };
    let mut logits: Vec<Vec<f64>> = vec![Vec::new(); selections.len()];
    let mut overrounds = Vec::new();
    let mut captured_at = None;
    for book in books.values() {
        let rows: Vec<&&LineRow> = selections.iter().filter_map(|selection| book.get(selection)).collect();
        let odds: Vec<f64> = rows.iter().map(|row| row.price.decimal()).collect();
        if rows.len() != selections.len() {
            continue;
        }
        let fair = no_vig(&odds, Method::Power).or_else(|_| no_vig(&odds, Method::OddsRatio));
        let Ok(fair) = fair else { continue };
        for (all, p) in logits.iter_mut().zip(&fair.probabilities) {
            all.push(logit(*p));
        }
        overrounds.push(fair.overround);
        captured_at = captured_at.max(rows.iter().map(|row| row.captured_at).max());
    }
    let captured_at = captured_at?;
    let medians: Vec<f64> = logits.iter().map(|all| logistic(median(all))).collect();
    let sum: f64 = medians.iter().sum();
    Some(Consensus {
        market,
        points,
        probabilities: selections.iter().copied().zip(medians.iter().map(|p| p / sum)).collect(),
        logit_sd: dispersion(&logits[0]),
        books: overrounds.len(),
        overround: overrounds.iter().sum::<f64>() / overrounds.len() as f64,
        captured_at,
    })
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

fn median(values: &[f64]) -> f64 {
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
