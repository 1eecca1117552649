//! What the model says: discrete distributions of margin and total, per ensemble member.
//!
//! Every probability follows from them, so moneyline, spread and total agree with one another.
//!
//! # Example
//! ```
//! use market::{Distribution, Points, ScoreForecast, Selection};
//! let margin = Distribution::new(-1, vec![0.2, 0.3, 0.5]).unwrap(); // P(-1), P(0), P(1)
//! let total = Distribution::new(0, vec![0.5, 0.5]).unwrap();
//! let forecast = ScoreForecast { margin, total };
//! assert_eq!(forecast.moneyline_three_way(), [0.5, 0.3, 0.2]);
//! let level = forecast.grades(Selection::Home, Points::from_f64(0.0)).unwrap();
//! assert_eq!(level.0, [0.5, 0.0, 0.3, 0.0, 0.2]);
//! ```

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Game, Grade, GradeProbabilities, Points, Selection, settlement};

/// Probabilities of consecutive whole numbers, from `first` on; they sum to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(try_from = "RawDistribution")]
pub struct Distribution {
    first: i32,
    mass: Vec<f64>,
}

#[derive(Deserialize)]
struct RawDistribution {
    first: i32,
    mass: Vec<f64>,
}

impl TryFrom<RawDistribution> for Distribution {
    type Error = InvalidDistribution;

    fn try_from(raw: RawDistribution) -> Result<Self, InvalidDistribution> {
        Self::new(raw.first, raw.mass)
    }
}

/// Masses that are no distribution.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{count} masses summing to {sum} are no distribution")]
pub struct InvalidDistribution {
    count: usize,
    sum: f64,
}

impl Distribution {
    /// Takes masses that are not negative and sum to 1 within 1e-4, and normalises away the rest.
    pub fn new(first: i32, mut mass: Vec<f64>) -> Result<Self, InvalidDistribution> {
        let sum: f64 = mass.iter().sum();
        if mass.iter().any(|p| !p.is_finite() || *p < 0.0) || (sum - 1.0).abs() > 1e-4 {
            return Err(InvalidDistribution { count: mass.len(), sum });
        }
        // A sum that is already 1 to the last bit or two is left alone, so that reading back changes nothing.
        if (sum - 1.0).abs() > 1e-12 {
            for p in &mut mass {
                *p /= sum;
            }
        }
        Ok(Self { first, mass })
    }

    /// Returns each value with its probability, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (i32, f64)> + '_ {
        (self.first..).zip(self.mass.iter().copied())
    }

    /// Returns the mean.
    pub fn mean(&self) -> f64 {
        self.iter().map(|(value, p)| f64::from(value) * p).sum()
    }

    /// Returns the standard deviation.
    pub fn standard_deviation(&self) -> f64 {
        let mean = self.mean();
        self.iter().map(|(value, p)| (f64::from(value) - mean).powi(2) * p).sum::<f64>().sqrt()
    }

    /// Returns the probability of `value`; 0 outside of the range.
    pub fn probability(&self, value: i32) -> f64 {
        usize::try_from(value - self.first).ok().and_then(|i| self.mass.get(i)).copied().unwrap_or(0.0)
    }
}

/// One ensemble member's opinion on a game.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct ScoreForecast {
    /// Home minus away.
    pub margin: Distribution,
    /// Home plus away.
    pub total: Distribution,
}

impl ScoreForecast {
    /// Returns the probabilities of home, draw, away.
    pub fn moneyline_three_way(&self) -> [f64; 3] {
        let mut outcome = [0.0; 3];
        for (margin, p) in self.margin.iter() {
            let index = match margin {
                1.. => 0,
                0 => 1,
                ..0 => 2,
            };
            outcome[index] += p;
        }
        outcome
    }

    /// Returns the probability that home wins given that somebody does (a two-way moneyline; draws push).
    pub fn moneyline_two_way(&self) -> f64 {
        let [home, _, away] = self.moneyline_three_way();
        home / (home + away)
    }

    /// Returns the grades of `selection` at `points`; without points a 3-way moneyline.
    ///
    /// None for a total without points. A two-way moneyline is the spread at 0 points.
    pub fn grades(&self, selection: Selection, points: Option<Points>) -> Option<GradeProbabilities> {
        let of_total = matches!(selection, Selection::Over | Selection::Under);
        let distribution = if of_total { &self.total } else { &self.margin };
        let mut grades = [0.0; 5];
        for (value, p) in distribution.iter() {
            let grade = settlement::grade_of(selection, points, value, value)?;
            if let Some(index) = Grade::ALL.iter().position(|g| *g == grade) {
                grades[index] += p;
            }
        }
        Some(GradeProbabilities(grades))
    }
}

/// The ensemble's opinion on one game, as of one instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Prediction {
    /// The game.
    pub game: Arc<Game>,
    /// Nothing known at or after this instant was used.
    pub as_of: Timestamp,
    /// Which model said it.
    pub model_version: String,
    /// One forecast per ensemble member, market inputs included where the game has prices.
    pub members: Vec<ScoreForecast>,
    /// One forecast per member of the variant that sees no prices.
    pub members_without_market: Vec<ScoreForecast>,
}
