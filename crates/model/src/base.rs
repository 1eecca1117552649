//! Each league's smoothed histogram of margins and totals: what the network tilts, and what it says untrained.
//!
//! The histogram keeps a league's key numbers (3 and 7 in American football, the draw in football) where there
//! are games enough to see them, and is a kernel estimate where there are not:
//! `(1 - 0.01) · [w · empirical + (1 - w) · kernel] + 0.01 · broad normal`, `w = games / (games + 10 · bins)`.
//!
//! # Example
//! ```
//! use model::smoothed_histogram;
//! let histogram = smoothed_histogram(&[-3, 3, 3, 7, -7, 3, 10, 0], i32::MIN).unwrap();
//! assert!(histogram.iter().all(|(_, p)| p > 0.0), "nothing is impossible");
//! assert!(histogram.probability(3) > histogram.probability(40));
//! ```

use std::collections::BTreeMap;

use market::{Distribution, LeagueId};
use serde::{Deserialize, Serialize};

/// Weight of the broad normal, so that no score is impossible.
const BROAD_WEIGHT: f64 = 0.01;
/// The broad normal's deviation in standard deviations of the scores.
const BROAD_DEVIATIONS: f64 = 2.0;
/// Games per bin at which the empirical share counts as much as the kernel estimate.
const GAMES_PER_BIN: f64 = 10.0;
/// The range reaches at least so many standard deviations from the mean.
const RANGE_DEVIATIONS: f64 = 5.0;

/// A league's histograms, from the games that a model was trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeagueBase {
    /// The league.
    pub league: LeagueId,
    /// Whether a draw is an outcome that is bet on.
    pub three_way: bool,
    /// Games counted.
    pub games: usize,
    /// Home minus away.
    pub margin: Distribution,
    /// Home plus away.
    pub total: Distribution,
}

/// Smooths whole numbers into a distribution in which nothing within reach is impossible.
///
/// The range covers the values and five standard deviations around their mean, but nothing below `lowest`.
/// None without values.
pub fn smoothed_histogram(values: &[i32], lowest: i32) -> Option<Distribution> {
    let n = values.len() as f64;
    let (least, most) = (*values.iter().min()?, *values.iter().max()?);
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let variance = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
    let deviation = variance.sqrt().max(0.5);
    let reach = RANGE_DEVIATIONS * deviation;
    let first = least.min((mean - reach).floor() as i32).max(lowest);
    let last = most.max((mean + reach).ceil() as i32);
    let bins: Vec<f64> = (first..=last).map(f64::from).collect();

    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(*value).or_insert(0.0) += 1.0 / n;
    }
    let bandwidth = 1.06 * deviation * n.powf(-0.2);
    let kernel = normalised(bins.iter().map(|bin| {
        counts.iter().map(|(value, share)| share * normal_density(bin - f64::from(*value), bandwidth)).sum()
    }));
    let broad = normalised(bins.iter().map(|bin| normal_density(bin - mean, BROAD_DEVIATIONS * deviation)));
    let trust = n / (n + GAMES_PER_BIN * bins.len() as f64);
    let mass = (first..=last).zip(kernel.iter().zip(&broad)).map(|(value, (kernel, broad))| {
        let empirical = counts.get(&value).copied().unwrap_or(0.0);
        (1.0 - BROAD_WEIGHT) * (trust * empirical + (1.0 - trust) * kernel) + BROAD_WEIGHT * broad
    });
    Distribution::new(first, normalised(mass)).ok()
}

fn normal_density(distance: f64, deviation: f64) -> f64 {
    (-0.5 * (distance / deviation).powi(2)).exp() / deviation
}

fn normalised(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    let weights: Vec<f64> = weights.collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_numbers_survive_many_games_and_are_smoothed_with_few() {
        let season: Vec<i32> = (0..4000).map(|i| if i % 5 == 0 { 3 } else { (i % 41) - 20 }).collect();
        let many = smoothed_histogram(&season, i32::MIN).unwrap();
        assert!(many.probability(3) > 3.0 * many.probability(2), "a fifth of all games ends by 3");
        let few = smoothed_histogram(&season[..20], i32::MIN).unwrap();
        assert!(few.probability(3) < 2.0 * few.probability(2), "20 games do not show a key number");
    }

    #[test]
    fn the_range_covers_what_was_seen_and_stops_at_the_lowest() {
        let histogram = smoothed_histogram(&[0, 1, 1, 2, 3, 14], 0).unwrap();
        let values: Vec<i32> = histogram.iter().map(|(value, _)| value).collect();
        assert_eq!(values[0], 0);
        assert!(values.last().is_some_and(|last| *last >= 14));
        assert!(smoothed_histogram(&[], 0).is_none());
    }

    #[test]
    fn equal_scores_still_make_a_proper_distribution() {
        let histogram = smoothed_histogram(&[2; 9], 0).unwrap();
        let sum: f64 = histogram.iter().map(|(_, p)| p).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{sum}");
        assert!(histogram.iter().all(|(_, p)| p > 0.0));
    }
}
