//! The score of five lenses: weighted geometric mean with honest zeros (domain notes, section 5.7).
//!
//! `S = exp(Σ (wᵢ/W)·ln Lᵢ)·W` over the lenses that have a score, W their weight. A zero is a veto; a missing
//! lens is left out and its absence paid for by the factor W. The contributions add up to `ln S` exactly.
//!
//! # Example
//! ```
//! use lenses::{Aggregate, Lens, Weights, aggregate};
//! let lenses = [Lens::Score(0.4), Lens::Score(0.9), Lens::missing("no consensus"), Lens::Score(0.5), Lens::Score(0.6)];
//! let whole = aggregate(&lenses, &Weights::default());
//! assert!((whole.score().unwrap() - 0.8 * (0.4_f64 * 0.9 * 0.5 * 0.6).powf(0.25)).abs() < 1e-12);
//! let vetoed = [Lens::veto("no growth"), lenses[1].clone(), lenses[2].clone(), lenses[3].clone(), lenses[4].clone()];
//! assert_eq!(aggregate(&vetoed, &Weights::default()).score(), Some(0.0));
//! ```

use serde::{Deserialize, Serialize};

use crate::{Lens, LensKind};

/// Weights of the lenses in the order of [`LensKind::ALL`]; they sum to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawWeights")]
pub struct Weights {
    version: String,
    values: [f64; 5],
}

#[derive(Deserialize)]
struct RawWeights {
    version: String,
    values: [f64; 5],
}

impl TryFrom<RawWeights> for Weights {
    type Error = InvalidWeights;

    fn try_from(raw: RawWeights) -> Result<Self, InvalidWeights> {
        Self::new(raw.version, raw.values)
    }
}

/// Numbers that cannot weigh lenses.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("lens weights {0:?} must be finite, not negative, and not all zero")]
pub struct InvalidWeights([f64; 5]);

impl Weights {
    /// Takes weights that are finite and not negative, and scales them to sum to 1.
    pub fn new(version: impl Into<String>, values: [f64; 5]) -> Result<Self, InvalidWeights> {
        let sum: f64 = values.iter().sum();
        if values.iter().any(|w| !w.is_finite() || *w < 0.0) || !(sum.is_finite() && sum > 0.0) {
            return Err(InvalidWeights(values));
        }
        Ok(Self { version: version.into(), values: values.map(|w| w / sum) })
    }

    /// Returns the name that ledger rows carry.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the weights in the order of [`LensKind::ALL`].
    pub fn values(&self) -> [f64; 5] {
        self.values
    }
}

impl Default for Weights {
    /// Equal weights, until there is data to learn them from.
    fn default() -> Self {
        Self { version: "equal-1".to_owned(), values: [0.2; 5] }
    }
}

/// What the lenses say together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// Every lens with a score counts.
    Scored {
        /// In (0, 1].
        score: f64,
        /// Each lens's part of `ln score`, in the order of [`LensKind::ALL`]; none where missing or without weight.
        contributions: [Option<f64>; 5],
        /// Logarithm of the weight that had a score: 0 when nothing is missing.
        coverage: f64,
    },
    /// At least one lens with weight refuses; the score is 0.
    Vetoed {
        /// Who, and why.
        vetoes: Vec<(LensKind, String)>,
    },
    /// No lens with weight has its data.
    Unscored,
}

impl Aggregate {
    /// Returns the score, 0 when vetoed, nothing when unscored.
    pub fn score(&self) -> Option<f64> {
        match self {
            Self::Scored { score, .. } => Some(*score),
            Self::Vetoed { .. } => Some(0.0),
            Self::Unscored => None,
        }
    }
}

/// Combines five lenses; a lens without weight neither counts nor vetoes.
pub fn aggregate(lenses: &[Lens; 5], weights: &Weights) -> Aggregate {
    let heard =
        || LensKind::ALL.into_iter().zip(lenses).zip(weights.values).filter(|(_, weight)| *weight > 0.0);
    let vetoes: Vec<(LensKind, String)> = heard()
        .filter(|((_, lens), _)| lens.value() == Some(0.0))
        .map(|((kind, lens), _)| (kind, lens.reason().unwrap_or_default().to_owned()))
        .collect();
    if !vetoes.is_empty() {
        return Aggregate::Vetoed { vetoes };
    }
    let present: f64 =
        heard().filter(|((_, lens), _)| lens.value().is_some()).map(|(_, weight)| weight).sum();
    if present <= 0.0 {
        return Aggregate::Unscored;
    }
    let mut contributions = [None; 5];
    for ((kind, lens), weight) in heard() {
        contributions[kind as usize] = lens.value().map(|score| weight / present * score.ln());
    }
    // Five weights that sum to 1 may add up to a hair more; coverage is never a bonus.
    let coverage = present.min(1.0).ln();
    let sum: f64 = contributions.iter().flatten().sum();
    Aggregate::Scored { score: (sum + coverage).exp(), contributions, coverage }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lens_without_weight_cannot_veto() {
        let weights = Weights::new("no-circle", [0.0, 1.0, 1.0, 1.0, 1.0]).unwrap();
        let mut lenses = [const { Lens::Score(0.5) }; 5];
        lenses[0] = Lens::veto("outside");
        assert!((aggregate(&lenses, &weights).score().unwrap() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn nothing_observed_is_unscored_rather_than_zero() {
        let lenses = [(); 5].map(|()| Lens::missing("no data"));
        assert_eq!(aggregate(&lenses, &Weights::default()), Aggregate::Unscored);
    }

    #[test]
    fn each_veto_is_named() {
        let mut lenses = [const { Lens::Score(0.5) }; 5];
        lenses[1] = Lens::veto("too thin");
        lenses[4] = Lens::veto("no room");
        let vetoes = vec![
            (LensKind::MarginOfSafety, "too thin".to_owned()),
            (LensKind::FatPitch, "no room".to_owned()),
        ];
        assert_eq!(aggregate(&lenses, &Weights::default()), Aggregate::Vetoed { vetoes });
    }

    #[test]
    fn senseless_weights_are_refused() {
        for values in [[0.0; 5], [f64::NAN; 5], [-1.0, 1.0, 1.0, 1.0, 1.0]] {
            assert!(Weights::new("bad", values).is_err(), "{values:?}");
        }
        assert!(serde_json::from_str::<Weights>(r#"{"version":"x","values":[0,0,0,0,0]}"#).is_err());
    }
}
