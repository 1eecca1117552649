//! Mr. Market: is this quote a mood, so that it will beat the close? (domain notes, section 5.4)
//!
//! The bar is `1/o`, the price as paid with its margin in it, not the book's no-vig quote.
//!
//! # Example
//! ```
//! use lenses::mr_market::{Inputs, score};
//! use market::Price;
//! let inputs = Inputs { consensus: Some(0.515), drift: 0.0, price: Price::new(1.97).unwrap(),
//!     remaining_movement: Some(0.4), move_sd: Some(0.12) };
//! assert!((score(&inputs).value().unwrap() - 0.651_536_274).abs() < 1e-8);
//! ```

use market::{Price, consensus::logit};

use crate::{Lens, normal};

/// What the lens looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// No-vig probability of the selection among the other books now.
    pub consensus: Option<f64>,
    /// Learned drift of the consensus to its close on the log-odds scale; 0 until it was learned.
    pub drift: f64,
    /// The price on offer.
    pub price: Price,
    /// Movement that is still to come, as a share of the variance that `move_sd` was measured over: 1 as long before the
    /// start as it was measured, 0 at the start; see [`remaining_movement`].
    pub remaining_movement: Option<f64>,
    /// Standard deviation of the consensus's moves to the close in this segment, on the log-odds scale.
    pub move_sd: Option<f64>,
}

/// Scores the chance of beating the close: `Φ((ℓ(q) + δ - ℓ(1/o)) / (s·√τ))`.
pub fn score(inputs: &Inputs) -> Lens {
    let Some(consensus) = inputs.consensus else {
        return Lens::missing("no consensus: no book quotes every side of this market at these points");
    };
    let Some(remaining) = inputs.remaining_movement else {
        return Lens::missing("the time that the market still has to move is unknown");
    };
    let Some(move_sd) = inputs.move_sd else {
        return Lens::missing("how far prices move until the close is not measured in this league");
    };
    let lead = logit(consensus) + inputs.drift - logit(inputs.price.implied());
    let spread = move_sd * remaining.max(0.0).sqrt();
    let chance =
        if spread > 0.0 { normal::distribution_function(lead / spread) } else { f64::from(lead > 0.0) };
    Lens::of(if spread.is_nan() { spread } else { chance }, || {
        format!(
            "the market will hardly move any more, and {} does not beat its consensus of {:.1} %",
            inputs.price,
            100.0 * consensus
        )
    })
}

/// Returns the movement still to come: hours to the start over the hours before it at which moves were measured.
///
/// Variance is taken to grow evenly with time, up to five times what was measured. None when no span is known.
pub fn remaining_movement(hours_to_start: f64, measured_hours: f64) -> Option<f64> {
    (measured_hours > 0.0 && hours_to_start.is_finite())
        .then(|| (hours_to_start / measured_hours).clamp(0.0, MOST_MOVEMENT))
}

/// Markets hardly move in the days before the last: beyond this the variance stops growing.
const MOST_MOVEMENT: f64 = 5.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(consensus: f64, remaining: f64) -> Inputs {
        Inputs {
            consensus: Some(consensus),
            drift: 0.0,
            price: Price::new(2.0).unwrap(),
            remaining_movement: Some(remaining),
            move_sd: Some(0.1),
        }
    }

    #[test]
    fn at_the_start_the_price_has_beaten_the_market_or_not() {
        assert_eq!(score(&inputs(0.51, 0.0)).value(), Some(1.0));
        assert_eq!(score(&inputs(0.49, 0.0)).value(), Some(0.0));
    }

    #[test]
    fn one_book_alone_scores_below_one_half() {
        // Its own no-vig probability lies below its implied one by the margin.
        let own_no_vig = 0.5 / 1.04;
        assert!(score(&inputs(own_no_vig, 1.0)).value().unwrap() < 0.5);
    }

    #[test]
    fn what_is_not_measured_is_missing() {
        for lacking in [
            Inputs { consensus: None, ..inputs(0.5, 1.0) },
            Inputs { remaining_movement: None, ..inputs(0.5, 1.0) },
            Inputs { move_sd: None, ..inputs(0.5, 1.0) },
            Inputs { move_sd: Some(f64::NAN), ..inputs(0.5, 1.0) },
        ] {
            assert_eq!(score(&lacking).value(), None, "{lacking:?}");
        }
    }

    #[test]
    fn movement_fades_evenly_towards_the_start() {
        assert_eq!(remaining_movement(12.0, 48.0), Some(0.25));
        assert_eq!(remaining_movement(-1.0, 48.0), Some(0.0));
        assert_eq!(remaining_movement(96.0, 48.0), Some(2.0));
        assert_eq!(remaining_movement(999.0, 48.0), Some(MOST_MOVEMENT));
        assert_eq!(remaining_movement(1.0, 0.0), None);
    }
}
