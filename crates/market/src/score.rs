//! Scores of probability forecasts (domain notes, section 6.7); natural logarithm, lower is better.
//!
//! # Example
//! ```
//! use market::score::{log_loss, ranked_probability_score};
//! assert!((ranked_probability_score(&[0.8, 0.1, 0.1], 0) - 0.025).abs() < 1e-12);
//! assert!((log_loss(&[0.5, 0.5], 1) - 0.693_147_180_6).abs() < 1e-9);
//! ```

use serde::{Deserialize, Serialize};

/// One line of the table in which models stand beside baselines, all on the same games.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct ForecastScore {
    /// `home_rate`, `elo`, `poisson`, `dixon_coles`, `opening_line`, `closing_line`, `hgt`, `hgt_market`, ...
    pub name: String,
    /// Whether prices were among its inputs.
    pub uses_market: bool,
    /// Games scored.
    pub games: usize,
    /// Mean log-loss.
    pub log_loss: f64,
    /// Mean Brier score: `(p - y)²` for two outcomes, summed over outcomes for three.
    pub brier: f64,
    /// Mean ranked probability score.
    pub rps: f64,
    /// Expected calibration error of the home side's probability, ten equal-width bins.
    pub ece: f64,
    /// Mean over games of the difference to the closing line; none without closing prices.
    pub log_loss_minus_closing: Option<f64>,
    /// Standard error of that difference, one row per game.
    pub standard_error: Option<f64>,
}

/// Returns `-ln p` of what happened, with `p` clipped to [1e-15, 1].
///
/// `probabilities` are one per outcome, `observed` is the index of the one that happened; an index that
/// does not exist scores as probability 0.
pub fn log_loss(probabilities: &[f64], observed: usize) -> f64 {
    let p = probabilities.get(observed).copied().unwrap_or(0.0);
    -p.clamp(1e-15, 1.0).ln()
}

/// Returns the Brier score: `(p - y)²` for two outcomes, the sum over outcomes for more.
pub fn brier(probabilities: &[f64], observed: usize) -> f64 {
    let squared = |(outcome, p): (usize, &f64)| (p - f64::from(u8::from(outcome == observed))).powi(2);
    let sum: f64 = probabilities.iter().enumerate().map(squared).sum();
    if probabilities.len() == 2 { sum / 2.0 } else { sum }
}

/// Returns the ranked probability score of ordered outcomes: squared distance of the cumulated
/// probabilities, divided by the number of outcomes less one.
pub fn ranked_probability_score(probabilities: &[f64], observed: usize) -> f64 {
    let mut cumulated = 0.0;
    let steps = probabilities.len().saturating_sub(1);
    let mut sum = 0.0;
    for (outcome, p) in probabilities.iter().take(steps).enumerate() {
        cumulated += p;
        sum += (cumulated - f64::from(u8::from(observed <= outcome))).powi(2);
    }
    sum / steps.max(1) as f64
}

/// One bin of a reliability plot.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Mean forecast of the bin.
    pub forecast: f64,
    /// Share that happened.
    pub observed: f64,
    /// Forecasts in the bin.
    pub count: usize,
}

/// Returns the bins of equal width that are not empty, ascending.
///
/// Each forecast is a probability with whether the event happened; a probability of 1 falls in the last bin.
pub fn reliability(forecasts: &[(f64, bool)], bins: usize) -> Vec<ReliabilityBin> {
    let mut sums = vec![(0.0, 0.0, 0_usize); bins.max(1)];
    for (p, happened) in forecasts {
        let last = sums.len() - 1;
        let bin = &mut sums[((p * bins as f64) as usize).min(last)];
        bin.0 += p;
        bin.1 += f64::from(u8::from(*happened));
        bin.2 += 1;
    }
    let filled = sums.into_iter().filter(|(_, _, count)| *count > 0);
    filled
        .map(|(p, y, count)| ReliabilityBin { forecast: p / count as f64, observed: y / count as f64, count })
        .collect()
}

/// Returns the expected calibration error: the bins' distance between forecast and observed, weighted by count.
pub fn expected_calibration_error(forecasts: &[(f64, bool)], bins: usize) -> f64 {
    let gap = |bin: &ReliabilityBin| (bin.forecast - bin.observed).abs() * bin.count as f64;
    reliability(forecasts, bins).iter().map(gap).sum::<f64>() / forecasts.len().max(1) as f64
}
