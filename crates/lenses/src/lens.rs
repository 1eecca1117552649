//! What a lens can say: a score, a veto, or that it lacks its data.
//!
//! # Example
//! ```
//! use lenses::Lens;
//! assert_eq!(Lens::Score(0.4).value(), Some(0.4));
//! assert_eq!(Lens::veto("the edge is gone").value(), Some(0.0));
//! assert_eq!(Lens::missing("no price of another book").value(), None);
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

/// One lens's answer on one candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lens {
    /// Above 0, at most 1.
    Score(f64),
    /// A zero: the bet is refused whatever the other lenses say.
    Veto {
        /// Why, in words for a reader who knows no code.
        reason: String,
    },
    /// The lens lacks its data; it is left out and the lack is paid for in the aggregate.
    Missing {
        /// What is lacking.
        reason: String,
    },
}

impl Lens {
    /// Builds a veto.
    pub fn veto(reason: impl Into<String>) -> Self {
        Self::Veto { reason: reason.into() }
    }

    /// Builds a lack of data.
    pub fn missing(reason: impl Into<String>) -> Self {
        Self::Missing { reason: reason.into() }
    }

    /// Keeps a number in (0, 1]; zero or less is a veto, more than 1 is 1, and no number at all is missing.
    pub fn of(score: f64, reason_of_zero: impl FnOnce() -> String) -> Self {
        if score.is_nan() {
            Self::missing("its inputs are no numbers")
        } else if score > 0.0 {
            Self::Score(score.min(1.0))
        } else {
            Self::veto(reason_of_zero())
        }
    }

    /// Returns the score, 0 for a veto, nothing when missing.
    pub fn value(&self) -> Option<f64> {
        match self {
            Self::Score(score) => Some(*score),
            Self::Veto { .. } => Some(0.0),
            Self::Missing { .. } => None,
        }
    }

    /// Returns the reason of a veto or of missing data.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Score(_) => None,
            Self::Veto { reason } | Self::Missing { reason } => Some(reason),
        }
    }
}

/// Which lens; the order is that of every array of five.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LensKind {
    /// Past forecasts of this kind carried information beyond the price.
    CircleOfCompetence,
    /// The bet stays good after our own error and a hurdle.
    MarginOfSafety,
    /// The quote is a mood rather than the crowd's information: it will beat the close.
    MrMarket,
    /// The edge survives another method, less evidence and a worse price.
    Moat,
    /// It adds growth to tonight's bets, and there is capacity left.
    FatPitch,
}

impl LensKind {
    /// All lenses in order.
    pub const ALL: [Self; 5] =
        [Self::CircleOfCompetence, Self::MarginOfSafety, Self::MrMarket, Self::Moat, Self::FatPitch];

    /// Returns the name used in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CircleOfCompetence => "circle_of_competence",
            Self::MarginOfSafety => "margin_of_safety",
            Self::MrMarket => "mr_market",
            Self::Moat => "moat",
            Self::FatPitch => "fat_pitch",
        }
    }

    /// Returns the name that people read.
    pub fn title(self) -> &'static str {
        match self {
            Self::CircleOfCompetence => "Circle of competence",
            Self::MarginOfSafety => "Margin of safety",
            Self::MrMarket => "Mr. Market",
            Self::Moat => "Moat",
            Self::FatPitch => "Fat pitch",
        }
    }
}

impl fmt::Display for LensKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_becomes_a_score_a_veto_or_missing() {
        let of = |number| Lens::of(number, || "zero".into());
        assert_eq!(of(0.3), Lens::Score(0.3));
        assert_eq!(of(1.5), Lens::Score(1.0));
        assert_eq!(of(0.0), Lens::veto("zero"));
        assert_eq!(of(-1.0), Lens::veto("zero"));
        assert_eq!(of(f64::NAN).value(), None);
    }

    #[test]
    fn a_lens_survives_json() {
        for lens in [Lens::Score(0.25), Lens::veto("no"), Lens::missing("none")] {
            let text = serde_json::to_string(&lens).unwrap();
            assert_eq!(serde_json::from_str::<Lens>(&text).unwrap(), lens);
        }
    }
}
