//! Independent Poisson scores: what ratings of attack and defence say of a game of few points.

use crate::tilt::outcome_of;

/// Leagues with fewer points per game count as low-scoring.
pub(crate) const LOW_SCORING: f64 = 12.0;
/// Scores beyond this are beyond a Poisson of any low-scoring league.
const POISSON_SCORES: usize = 40;

/// Returns the probabilities of 0, 1, 2, ... of a Poisson count.
pub(crate) fn poisson_masses(mean: f64) -> Vec<f64> {
    let mean = mean.max(0.05);
    let mut mass = Vec::with_capacity(POISSON_SCORES);
    let mut p = (-mean).exp();
    for score in 1..=POISSON_SCORES {
        mass.push(p);
        p *= mean / score as f64;
    }
    mass
}

/// Returns home, draw, away for independent Poisson scores whose means have this margin and total.
pub(crate) fn poisson_outcomes(margin: f64, total: f64) -> [f64; 3] {
    let mean = |margin: f64| poisson_masses(f64::midpoint(total, margin));
    let (home, away) = (mean(margin), mean(-margin));
    let mut outcome = [0.0; 3];
    for (h, p) in home.iter().enumerate() {
        for (a, q) in away.iter().enumerate() {
            outcome[outcome_of(h as i32 - a as i32)] += p * q;
        }
    }
    let sum: f64 = outcome.iter().sum();
    outcome.map(|p| p / sum)
}
