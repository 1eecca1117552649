//! Bad luck or a bad model? The result so far against what the bets claimed, and against what the close said of them.
//!
//! Each settled bet claimed an expected return and a chance to win when it was placed; the closing price made another claim
//! when it was known. Under either claim the profit of all bets is a sum of independent amounts (one per game) with a known
//! mean and variance, so that the observed profit has a probability: the normal approximation of
//! that sum, good from thirty games on.
//!
//! # Example
//! ```
//! use ledger::{Ledger, Mode};
//! assert!(Ledger::parse("").unwrap().luck(Mode::Live).is_none(), "no bets, no luck");
//! ```

use std::collections::BTreeMap;

use lenses::normal;
use market::{Date, GameId};
use serde::{Deserialize, Serialize};

use crate::{Entry, Ledger, Mode, Outcome};

/// Games with a claim below which nothing is said.
pub const FEWEST_GAMES: usize = 30;

/// Two readings of the profit so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Luck {
    /// Against the edges claimed when the bets were placed.
    pub claimed: Reading,
    /// Against the closing prices; none while too few bets have a comparable close.
    pub closing: Option<Reading>,
}

/// What a claim would have let one expect.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Games with bets that made the claim.
    pub games: usize,
    /// Profit expected of them, in the bankroll's currency.
    pub expected: f64,
    /// Its standard deviation.
    pub deviation: f64,
    /// Profit that they made.
    pub observed: f64,
    /// Chance of a profit no higher than that, were the claim true.
    pub chance_of_no_better: f64,
}

impl Luck {
    /// Says it in words for a reader who knows no statistics.
    pub fn verdict(&self) -> String {
        let chance = |reading: &Reading| format!("{:.0} %", 100.0 * reading.chance_of_no_better);
        let unlikely = |reading: &Reading| reading.chance_of_no_better < 0.05;
        let claimed = chance(&self.claimed);
        match (&self.closing, unlikely(&self.claimed)) {
            (Some(close), true) if close.expected < 0.0 => format!(
                "A result this poor had a chance of {claimed} under the claimed edges, and the closing prices expected a loss: the edges were not there."
            ),
            (Some(close), true) => format!(
                "A result this poor had a chance of {claimed} under the claimed edges and {} at the closing prices, which expected a gain: the claims were too high, luck was poor as well.",
                chance(close)
            ),
            (None, true) => format!(
                "A result this poor had a chance of {claimed} under the claimed edges: they are hard to believe."
            ),
            (Some(close), false) if close.expected < 0.0 => format!(
                "A result no better had a chance of {claimed} under the claimed edges; but the closing prices expected a loss: no skill shows in it."
            ),
            _ => format!(
                "A result no better had a chance of {claimed} under the claimed edges: nothing speaks against them."
            ),
        }
    }
}

/// Mean and variance of one game's profit.
#[derive(Debug, Clone, Copy, Default)]
struct Claim {
    expected: f64,
    deviation: f64,
    observed: f64,
}

impl Ledger {
    /// Compares the settled bets of `mode` with their claims; none below [`FEWEST_GAMES`] games.
    pub fn luck(&self, mode: Mode) -> Option<Luck> {
        let claimed = reading(&self.claims(mode, claimed))?;
        Some(Luck { claimed, closing: reading(&self.claims(mode, at_the_close)) })
    }

    fn claims(&self, mode: Mode, claim: fn(&Entry) -> Option<Claim>) -> BTreeMap<&GameId, Claim> {
        let mut games: BTreeMap<&GameId, Claim> = BTreeMap::new();
        let ended = self.bets().filter(|(placed, _)| placed.mode == mode).filter_map(|(_, ended)| ended);
        for entry in ended {
            let (Some(terms), Some(claim)) = (&entry.terms, claim(entry)) else { continue };
            let game = games.entry(&terms.game_id).or_default();
            // Bets on one game may win together: their deviations add up, which is the most that they can.
            game.expected += claim.expected;
            game.deviation += claim.deviation;
            game.observed += claim.observed;
        }
        games
    }

    /// Returns, by date of settlement, how far the claims lay above what was made, and the variance that they had.
    pub(crate) fn unlucky_by_date(&self, mode: Mode) -> BTreeMap<Date, (f64, f64)> {
        let ended = self.bets().filter(|(placed, _)| placed.mode == mode).filter_map(|(_, ended)| ended);
        let mut dates: BTreeMap<Date, (f64, f64)> = BTreeMap::new();
        for (entry, claim) in ended.filter_map(|entry| Some((entry, claimed(entry)?))) {
            let sums = dates.entry(entry.date).or_default();
            *sums = (sums.0 + claim.expected - claim.observed, sums.1 + claim.deviation.powi(2));
        }
        dates
    }
}

/// What was claimed of a bet that was not void: its edge, and the spread of a bet that wins with its probability.
fn claimed(ended: &Entry) -> Option<Claim> {
    let terms = ended.terms.as_ref()?;
    claim(ended, terms.edge?, terms.probability?)
}

/// What the closing price said of it.
fn at_the_close(ended: &Entry) -> Option<Claim> {
    let ending = ended.ending.as_ref()?;
    claim(ended, ending.clv?.expected_value, ending.close?.probability)
}

fn claim(ended: &Entry, edge: f64, probability: f64) -> Option<Claim> {
    let (terms, ending) = (ended.terms.as_ref()?, ended.ending.as_ref()?);
    if matches!(ending.outcome, Outcome::Void(_)) {
        return None;
    }
    let stake = ended.stake.as_f64();
    // A win returns o - 1, a loss -1: o apart. Pushes and halves vary less.
    let deviation = stake * terms.price.decimal() * (probability * (1.0 - probability)).max(0.0).sqrt();
    Some(Claim { expected: stake * edge, deviation, observed: ended.pnl.as_f64() })
}

fn reading(games: &BTreeMap<&GameId, Claim>) -> Option<Reading> {
    let sum = |of: fn(&Claim) -> f64| games.values().map(of).sum::<f64>();
    let (expected, observed) = (sum(|claim| claim.expected), sum(|claim| claim.observed));
    let deviation = sum(|claim| claim.deviation * claim.deviation).sqrt();
    (games.len() >= FEWEST_GAMES && deviation > 0.0).then(|| Reading {
        games: games.len(),
        expected,
        deviation,
        observed,
        chance_of_no_better: normal::distribution_function((observed - expected) / deviation),
    })
}
