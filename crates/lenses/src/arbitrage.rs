//! Prices of different books that contradict one another: sure profits, and middles in which both bets can win.
//!
//! They rest on prices alone and have nothing to do with what the model knows, so that they are shown apart and never staked
//! by the lenses. Most are gone, or limited to a few coins, when they are tried.
//!
//! # Example
//! ```
//! use lenses::arbitrage;
//! use market::settlement::Tie;
//! assert!(arbitrage::sure_profits(&[], Tie::Push).is_empty() && arbitrage::middles(&[], None).is_empty());
//! ```

use std::collections::BTreeMap;

use market::{LineRow, Market, Points, ScoreForecast, Selection, consensus::market_points, settlement::Tie};
use serde::{Deserialize, Serialize};

/// One bet of several that are placed together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    /// The quote.
    pub line: LineRow,
    /// Share of the whole stake.
    pub share: f64,
}

/// Bets on every side of a market whose prices together pay more than they cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SureProfit {
    /// One per selection.
    pub legs: Vec<Leg>,
    /// Net return of a whole stake of 1, whichever side wins; where all sides push, the stakes come back.
    pub net: f64,
}

/// Two bets on opposite sides at points between which both win.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Middle {
    /// The two bets.
    pub legs: [Leg; 2],
    /// Net return of a whole stake of 1 when one wins and one loses.
    pub outside: f64,
    /// Net return when both win.
    pub inside: f64,
    /// Chance that both win, as the model sees it.
    pub chance: f64,
    /// Expected net return, pushes and halves included.
    pub expected: f64,
}

/// Finds the sure profits among one game's takeable quotes, the best first; at most one per market and points.
///
/// The shares are `(1/oᵢ) / Σ 1/o`, so that every side returns the same: `1 / Σ 1/o` (domain notes, section 6.1). A side
/// that no book quotes makes none; a moneyline counts as three-way where anybody offers the draw, and makes none where a
/// `tie` loses the bets on both sides.
pub fn sure_profits(quotes: &[&LineRow], tie: Tie) -> Vec<SureProfit> {
    let mut best: BTreeMap<(Market, Option<Points>), BTreeMap<Selection, &LineRow>> = BTreeMap::new();
    for quote in quotes {
        let key = (quote.market, market_points(quote.selection, quote.points));
        let held = best.entry(key).or_default().entry(quote.selection).or_insert(quote);
        if quote.price > held.price {
            *held = quote;
        }
    }
    let draw_offered = quotes.iter().any(|quote| quote.selection == Selection::Draw);
    let sides = |market: Market| match (market, tie) {
        (Market::Moneyline, _) if draw_offered => 3,
        (Market::Moneyline, Tie::Loses | Tie::Offered) => usize::MAX,
        _ => 2,
    };
    let mut found: Vec<SureProfit> = best
        .into_iter()
        .filter(|((market, _), legs)| legs.len() == sides(*market))
        .map(|(_, legs)| {
            let legs: Vec<&LineRow> = legs.into_values().collect();
            let (legs, returned) = spread(&legs);
            SureProfit { legs, net: returned - 1.0 }
        })
        .filter(|sure| sure.net > 0.0)
        .collect();
    found.sort_by(|a, b| b.net.total_cmp(&a.net));
    found
}

/// Finds the middles among one game's takeable quotes that are expected to gain under `forecast`, the best first.
///
/// Without a forecast nobody knows the chance between the points, so that none is shown.
pub fn middles(quotes: &[&LineRow], forecast: Option<&ScoreForecast>) -> Vec<Middle> {
    let Some(forecast) = forecast else { return Vec::new() };
    let mut best: BTreeMap<(Selection, Option<Points>, &str), &LineRow> = BTreeMap::new();
    for quote in quotes {
        let held = best.entry((quote.selection, quote.points, quote.book.as_str())).or_insert(quote);
        if quote.price > held.price {
            *held = quote;
        }
    }
    let on = |selection| best.values().copied().filter(move |quote| quote.selection == selection);
    let mut found = Vec::new();
    for (one, other) in [(Selection::Home, Selection::Away), (Selection::Over, Selection::Under)] {
        for first in on(one) {
            found.extend(on(other).filter_map(|second| middle(first, second, forecast)));
        }
    }
    found.sort_by(|a: &Middle, b| b.expected.total_cmp(&a.expected));
    found
}

fn middle(first: &LineRow, second: &LineRow, forecast: &ScoreForecast) -> Option<Middle> {
    let (one, other) = (first.points?, second.points?);
    // Home -2.5 with away +3.5, or over 44.5 with under 46.5: one whole point lies between.
    let width = match first.market {
        Market::Spread => one.quarters() + other.quarters(),
        _ => other.quarters() - one.quarters(),
    };
    if width <= 0 || first.book == second.book {
        return None;
    }
    let (legs, returned) = spread(&[first, second]);
    let legs: [Leg; 2] = legs.try_into().ok()?;
    let (mut chance, mut expected) = (0.0, 0.0);
    let of_total = first.market == Market::Total;
    for (value, p) in if of_total { forecast.total.iter() } else { forecast.margin.iter() } {
        let net = |leg: &Leg| -> Option<f64> {
            let grade = market::settlement::grade_of(leg.line.selection, leg.line.points, value, value)?;
            Some(leg.share * grade.net(leg.line.price))
        };
        let nets = [net(&legs[0])?, net(&legs[1])?];
        expected += p * (nets[0] + nets[1]);
        if nets.iter().all(|net| *net > 0.0) {
            chance += p;
        }
    }
    (expected > 0.0 && chance > 0.0).then_some(Middle {
        legs,
        outside: returned - 1.0,
        inside: 2.0 * returned - 1.0,
        chance,
        expected,
    })
}

/// Divides a stake of 1 so that every leg returns the same if it wins; returns that too.
fn spread(lines: &[&LineRow]) -> (Vec<Leg>, f64) {
    let returned = 1.0 / lines.iter().map(|line| line.price.implied()).sum::<f64>();
    let leg = |line: &&LineRow| Leg { line: (*line).clone(), share: returned * line.price.implied() };
    (lines.iter().map(leg).collect(), returned)
}
