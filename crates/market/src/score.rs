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
