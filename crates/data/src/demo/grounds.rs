//! What stays the same for years: grounds, referees, the price of a short rest.

use rand::Rng;
use rand_distr::StandardNormal;

use super::names::{HOMES, REFEREES, TEAMS};

/// Home advantage that everybody reckons with, in points of margin.
pub(super) const USUAL_ADVANTAGE: f64 = 2.2;

/// What a venue does to a game, in points.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ground {
    /// Added to the home side's expected margin.
    pub(super) advantage: f64,
    /// Added to the expected total.
    pub(super) total: f64,
}

/// A venue where nobody is at home.
pub(super) const NEUTRAL: Ground = Ground { advantage: 0.0, total: 0.5 };

/// Returns each team's own ground; two of them are fortresses.
pub(super) fn grounds(rng: &mut impl Rng) -> [Ground; TEAMS] {
    std::array::from_fn(|team| {
        let (luck, pace): (f64, f64) = (rng.sample(StandardNormal), rng.sample(StandardNormal));
        let advantage = match HOMES[team].venue {
            "The Cauldron" => 6.5,
            "Summit Bowl" => 6.0,
            _ => (2.0 + 0.6 * luck).clamp(0.5, 3.5),
        };
        let roof = if HOMES[team].roof == "open" { -0.5 } else { 1.0 };
        Ground { advantage, total: roof + pace }
    })
}

/// Returns what each referee adds to the expected total.
pub(super) fn referees(rng: &mut impl Rng) -> [f64; REFEREES.len()] {
    std::array::from_fn(|_| 1.5 * rng.sample::<f64, _>(StandardNormal))
}

/// Returns what `days` since the last game add to a side's expected margin.
pub(super) fn rest_effect(days: i64) -> f64 {
    match days {
        ..=4 => -1.8,
        5 => -0.8,
        6..=9 => 0.0,
        10.. => 0.6,
    }
}
