//! Fat pitch: how much growth does the bet add tonight, and is there capacity left? (domain notes, section 5.6)
//!
//! # Example
//! ```
//! use lenses::fat_pitch::{Inputs, REFERENCE_GROWTH, score};
//! let inputs = Inputs { growth_added: Some(1.2e-4), reference_growth: REFERENCE_GROWTH,
//!     exposure: 0.0, exposure_cap: 0.1, drawdown: 0.0 };
//! assert!((score(&inputs).value().unwrap() - 0.578_313_253).abs() < 1e-9);
//! ```

use crate::Lens;

/// Growth of a quarter of Kelly on an edge of 2 % at evens: the least that a usual bet is taken to add.
pub const REFERENCE_GROWTH: f64 = 8.75e-5;

/// Drawdown at which stakes begin to shrink.
const THROTTLE_FROM: f64 = -0.10;
/// Drawdown at which betting stops.
const THROTTLE_TO: f64 = -0.25;

/// What the lens looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// Expected log growth of tonight's bets with this one, minus without it; none without a portfolio.
    pub growth_added: Option<f64>,
    /// Growth that accepted bets usually add; see [`reference_growth`].
    pub reference_growth: f64,
    /// Share of the bankroll already at stake.
    pub exposure: f64,
    /// Largest share of the bankroll that may be at stake in a day.
    pub exposure_cap: f64,
    /// Fall from the highest balance as a negative share; 0 at the peak.
    pub drawdown: f64,
}

/// Scores `ΔG/(ΔG + g_ref) · max(0, 1 - exposure/cap) · throttle(drawdown)`.
pub fn score(inputs: &Inputs) -> Lens {
    let Some(added) = inputs.growth_added else {
        return Lens::missing("the growth that it adds to tonight's bets is unknown");
    };
    let reference = inputs.reference_growth.max(REFERENCE_GROWTH);
    let pitch = if added <= 0.0 { 0.0 } else { added / (added + reference) };
    let used = if inputs.exposure_cap > 0.0 { inputs.exposure / inputs.exposure_cap } else { 1.0 };
    let room = (1.0 - used).clamp(0.0, 1.0);
    let throttle = throttle(inputs.drawdown);
    Lens::of(pitch * room * throttle, || {
        if added <= 0.0 {
            "it adds no growth to tonight's bets".to_owned()
        } else if room <= 0.0 {
            format!("the day's limit of {:.1} % of the bankroll is used up", 100.0 * inputs.exposure_cap)
        } else {
            format!("the bankroll is {:.0} % below its peak: no new bets", -100.0 * inputs.drawdown)
        }
    })
}

/// Returns the share of normal stakes at a drawdown: 1 above -10 %, falling evenly to 0 at -25 %.
pub fn throttle(drawdown: f64) -> f64 {
    ((drawdown - THROTTLE_TO) / (THROTTLE_FROM - THROTTLE_TO)).clamp(0.0, 1.0)
}

/// Returns the median growth of past accepted bets, never below [`REFERENCE_GROWTH`]: a poor slate is no reason
/// to swing.
pub fn reference_growth(past: &[f64]) -> f64 {
    let mut sorted: Vec<f64> = past.iter().copied().filter(|g| g.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let median = match sorted.len() {
        0 => return REFERENCE_GROWTH,
        even if even % 2 == 0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    };
    median.max(REFERENCE_GROWTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(added: f64, exposure: f64, drawdown: f64) -> Inputs {
        Inputs {
            growth_added: Some(added),
            reference_growth: REFERENCE_GROWTH,
            exposure,
            exposure_cap: 0.1,
            drawdown,
        }
    }

    #[test]
    fn no_growth_no_room_and_a_deep_drawdown_are_vetoes() {
        for refused in
            [inputs(0.0, 0.0, 0.0), inputs(-1e-5, 0.0, 0.0), inputs(1e-4, 0.1, 0.0), inputs(1e-4, 0.0, -0.3)]
        {
            assert_eq!(score(&refused).value(), Some(0.0), "{refused:?}");
        }
    }

    #[test]
    fn an_unknown_growth_is_missing() {
        assert_eq!(score(&Inputs { growth_added: None, ..inputs(0.0, 0.0, 0.0) }).value(), None);
        assert_eq!(score(&inputs(f64::NAN, 0.0, 0.0)).value(), None);
        assert_eq!(score(&inputs(1e-4, 0.0, f64::NAN)).value(), None);
    }

    #[test]
    fn stakes_shrink_evenly_between_ten_and_twenty_five_per_cent_down() {
        assert!((throttle(0.0) - 1.0).abs() < 1e-12);
        assert!((throttle(-0.175) - 0.5).abs() < 1e-12);
        assert!(throttle(-0.25).abs() < 1e-12);
    }

    #[test]
    fn a_poor_slate_does_not_lower_the_bar() {
        assert!((reference_growth(&[]) - REFERENCE_GROWTH).abs() < 1e-15);
        assert!((reference_growth(&[1e-9, 2e-9]) - REFERENCE_GROWTH).abs() < 1e-15);
        assert!((reference_growth(&[1e-4, 3e-4]) - 2e-4).abs() < 1e-15);
    }
}
