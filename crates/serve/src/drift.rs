//! Whether the forecasts of today look like those that the model began with.
//!
//! The measure is the population stability index: the sum over bins of `(a - e) ln(a / e)`, where `e` is the share of
//! the reference in a bin and `a` that of the recent forecasts; it is symmetric and 0 when both are alike. Bins hold a
//! tenth of the reference each. The usual reading (N. Siddiqi, *Credit Risk Scorecards*, Wiley 2006): below 0.1 nothing
//! has moved, above 0.25 much has. Few forecasts move it by chance alone, so the value that chance exceeds once in
//! twenty times stands beside it (B. Yurdakul and J. Naranjo, *Statistical properties of the population stability
//! index*, Journal of Risk Model Validation 14(4), 2020).
//!
//! # Example
//! ```
//! use serve::drift::stability;
//! let begun: Vec<f64> = (0..200).map(|i| 0.2 + 0.003 * f64::from(i)).collect();
//! let same = stability(&begun, &begun).unwrap();
//! let moved: Vec<f64> = begun.iter().map(|p| p + 0.2).collect();
//! let moved = stability(&begun, &moved).unwrap();
//! assert!(same.index < 0.001 && moved.index > 0.25 && moved.index > moved.by_chance);
//! assert!(stability(&begun, &begun[..50]).is_none(), "too few to say anything");
//! ```

mod watch;

pub(crate) use watch::Drift;

/// Fewer forecasts on either side say nothing.
pub const FEWEST: usize = 100;

/// Bins, fewer where many forecasts of the reference are equal.
const BINS: usize = 10;

/// Upper 5 % of the chi-squared distribution with 1, 2, ... degrees of freedom.
const CHI_SQUARED: [f64; BINS - 1] = [3.841, 5.991, 7.815, 9.488, 11.070, 12.592, 14.067, 15.507, 16.919];

/// How far two sets of forecasts lie apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stability {
    /// The population stability index.
    pub index: f64,
    /// What it exceeds once in twenty times when nothing has moved.
    pub by_chance: f64,
}

/// Compares recent probabilities with those of the reference; none with fewer than [`FEWEST`] on either side.
///
/// Every bin counts half a forecast more than it has, so that an empty one does not make the index infinite.
pub fn stability(reference: &[f64], recent: &[f64]) -> Option<Stability> {
    if reference.len().min(recent.len()) < FEWEST {
        return None;
    }
    let edges = edges(reference);
    let (expected, actual) = (shares(reference, &edges), shares(recent, &edges));
    let index = expected.iter().zip(&actual).map(|(e, a)| (a - e) * (a / e).ln()).sum();
    let chance = CHI_SQUARED.get(edges.len() - 1).copied().unwrap_or_default();
    let by_chance = chance * (1.0 / reference.len() as f64 + 1.0 / recent.len() as f64);
    Some(Stability { index, by_chance })
}

/// Returns the upper edges of all bins but the last, ascending and different; at least one.
fn edges(reference: &[f64]) -> Vec<f64> {
    let mut sorted = reference.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut edges: Vec<f64> = (1..BINS).map(|bin| sorted[bin * sorted.len() / BINS - 1]).collect();
    edges.dedup();
    edges
}

fn shares(probabilities: &[f64], edges: &[f64]) -> Vec<f64> {
    let mut counts = vec![0.5; edges.len() + 1];
    for p in probabilities {
        counts[edges.partition_point(|edge| edge < p)] += 1.0;
    }
    let sum: f64 = counts.iter().sum();
    counts.iter().map(|count| count / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_that_worked_out_by_hand() {
        // Half and half against three quarters and a quarter, 200 forecasts each.
        let reference: Vec<f64> = (0..200).map(|i| if i < 100 { 0.4 } else { 0.6 }).collect();
        let recent: Vec<f64> = (0..200).map(|i| if i < 150 { 0.4 } else { 0.6 }).collect();
        let found = stability(&reference, &recent).unwrap();
        // Above 0.6 lies a third bin that is empty in both; with half a forecast more in each there are 201.5.
        let (a, b, half) = (150.5 / 201.5, 50.5 / 201.5, 100.5 / 201.5);
        let by_hand: f64 = (a - half) * f64::ln(a / half) + (b - half) * f64::ln(b / half);
        assert!((found.index - by_hand).abs() < 1e-12, "{} {by_hand}", found.index);
        assert!((found.by_chance - 5.991 * 0.01).abs() < 1e-12);
    }

    #[test]
    fn it_is_never_negative_and_never_infinite() {
        let reference: Vec<f64> = (0..500).map(|i| f64::from(i) / 500.0).collect();
        for shift in [0.0, 0.05, 0.3, 5.0] {
            let recent: Vec<f64> = reference.iter().map(|p| p + shift).collect();
            let index = stability(&reference, &recent).unwrap().index;
            assert!(index >= 0.0 && index.is_finite(), "{shift}: {index}");
        }
    }

    #[test]
    fn chance_alone_exceeds_the_stated_value_about_once_in_twenty_times() {
        // A linear congruential generator, so that the figure is the same everywhere.
        let mut state = 7_u64;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let runs = 2000;
        let above = (0..runs).filter(|_| {
            let [reference, recent] = [400, 300].map(|n| (0..n).map(|_| draw()).collect::<Vec<f64>>());
            let found = stability(&reference, &recent).unwrap();
            found.index > found.by_chance
        });
        let share = above.count() as f64 / f64::from(runs);
        // The standard error of the share is 0.5 %.
        assert!((0.03..0.07).contains(&share), "{share}");
    }
}
