//! Where the consensus usually goes until the close: a drift that is learnt from past games and used only where it has
//! proved itself (domain notes, section 5.4).
//!
//! Weighted least squares with a small ridge of `ℓ(q_close) - ℓ(q_now)` on what stood there at the decision. It is fitted on the older
//! four fifths of the games and kept when it foretells the others better than no drift at all.
//!
//! # Example
//! ```
//! use lenses::drift::{Drift, Standing};
//! assert!(Drift::learn(&[]).is_none(), "300 examples at least");
//! ```

use serde::{Deserialize, Serialize};

/// Examples below which nothing is learnt.
pub const FEWEST: usize = 300;
/// Inputs, the constant not counted.
const INPUTS: usize = 6;
/// Penalty per standardised input.
const RIDGE: f64 = 5.0;
/// Markets hardly move in the days before the last: the variance grows no further back than so many hours.
const MOST_HOURS: f64 = 30.0;
/// Share of the examples, the last ones, that decide.
const UNSEEN: f64 = 0.2;

/// What stands on one selection at the moment of a decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Consensus log-odds minus those of the best price on offer: above 0 when that price is too long.
    pub quote_gap: f64,
    /// Consensus log-odds now minus those of the first quotes.
    pub move_since_open: f64,
    /// Hours to the start.
    pub hours_left: f64,
    /// Books behind the consensus.
    pub books: f64,
    /// Their robust standard deviation on the log-odds scale.
    pub dispersion: f64,
}

impl Example {
    fn is_usable(&self) -> bool {
        self.moved.is_finite() && self.weight > 0.0 && self.weight <= 1.0
    }
}

impl Standing {
    fn inputs(&self) -> [f64; INPUTS] {
        // Hours, books and dispersion say how strongly the other two count; by themselves they favour no side.
        let open = (1.0 + self.hours_left.max(0.0)).ln();
        [
            self.quote_gap,
            self.move_since_open,
            self.quote_gap * open,
            self.quote_gap * self.books.max(1.0).ln(),
            self.quote_gap * self.dispersion,
            // A price that is too long is what is bet on, and may be right more often than one that is too short.
            self.quote_gap.max(0.0),
        ]
    }
}

/// One past selection: what stood there, and how far the consensus went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Example {
    /// At the decision.
    pub standing: Standing,
    /// Closing log-odds minus those at the decision.
    pub moved: f64,
    /// How much it counts, 1 or less: books come and go, and markets learn.
    pub weight: f64,
}

/// What is to be expected of the consensus until its close, on the log-odds scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// Closing log-odds minus those now.
    pub drift: f64,
    /// Standard deviation around it: what is still to come, and the error of the consensus of today.
    pub sd: f64,
}

/// A learnt drift.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    coefficients: [f64; INPUTS],
    scales: [f64; INPUTS],
    /// No drift beyond this is believed: two standard deviations of past moves.
    limit: f64,
    /// Variance around the drift at the start, and what each hour before it adds.
    variance: [f64; 2],
    /// Examples it was learnt from.
    pub examples: usize,
    /// Share of the unseen moves' variance that it explained.
    pub explained: f64,
}

impl Drift {
    /// Learns from past examples in time, oldest first; none when they are fewer than 300, or it foretells nothing.
    pub fn learn(examples: &[Example]) -> Option<Self> {
        let usable: Vec<Example> = examples.iter().copied().filter(Example::is_usable).collect();
        if usable.len() < FEWEST {
            return None;
        }
        let cut = (usable.len() as f64 * (1.0 - UNSEEN)) as usize;
        let (seen, unseen) = usable.split_at(cut);
        let before = Self::fit(seen)?;
        let squares =
            |of: &dyn Fn(&Example) -> f64| unseen.iter().map(|e| e.weight * of(e).powi(2)).sum::<f64>();
        let (with, without) =
            (squares(&|e| e.moved - before.drift(&e.standing)), squares(&|example| example.moved));
        let explained = 1.0 - with / without;
        (explained > 0.0).then(|| Self::fit(&usable)).flatten().map(|drift| Self { explained, ..drift })
    }

    /// Returns what is to be expected of a selection.
    pub fn at(&self, standing: &Standing) -> Expected {
        let hours = if standing.hours_left.is_nan() { MOST_HOURS } else { standing.hours_left };
        let [at_start, per_hour] = self.variance;
        let variance = at_start + per_hour * hours.clamp(0.0, MOST_HOURS);
        Expected { drift: self.drift(standing), sd: variance.sqrt() }
    }

    fn drift(&self, standing: &Standing) -> f64 {
        let inputs = standing.inputs();
        let sum: f64 = (0..INPUTS).map(|i| self.coefficients[i] * inputs[i] / self.scales[i]).sum();
        if sum.is_finite() { sum.clamp(-self.limit, self.limit) } else { 0.0 }
    }

    fn fit(examples: &[Example]) -> Option<Self> {
        let count: f64 = examples.iter().map(|e| e.weight).sum();
        let inputs: Vec<[f64; INPUTS]> = examples.iter().map(|e| e.standing.inputs()).collect();
        let mut scales = [1.0; INPUTS];
        for (i, scale) in scales.iter_mut().enumerate() {
            let square =
                inputs.iter().zip(examples).map(|(x, e)| e.weight * x[i] * x[i]).sum::<f64>() / count;
            *scale = square.sqrt().max(1e-9);
        }
        let mut matrix = [[0.0; INPUTS]; INPUTS];
        let mut right = [0.0; INPUTS];
        for (x, example) in inputs.iter().zip(examples) {
            for i in 0..INPUTS {
                let weighed = example.weight * x[i] / scales[i];
                right[i] += weighed * example.moved;
                for j in 0..INPUTS {
                    matrix[i][j] += weighed * x[j] / scales[j];
                }
            }
        }
        for (i, row) in matrix.iter_mut().enumerate() {
            row[i] += RIDGE;
        }
        let deviation = (examples.iter().map(|e| e.weight * e.moved * e.moved).sum::<f64>() / count).sqrt();
        let coefficients = solve(matrix, right)?;
        let limit = 2.0 * deviation;
        let drift = Self {
            coefficients,
            scales,
            limit,
            variance: [0.0; 2],
            examples: examples.len(),
            explained: 0.0,
        };
        Some(Self { variance: variance(&drift, examples), ..drift })
    }
}

/// Fits the squared errors of a drift by a line over the hours left, neither part below 0.
fn variance(drift: &Drift, examples: &[Example]) -> [f64; 2] {
    let count: f64 = examples.iter().map(|e| e.weight).sum();
    let square = |e: &Example| (e.moved - drift.drift(&e.standing)).powi(2);
    let mean = examples.iter().map(|e| e.weight * square(e)).sum::<f64>() / count;
    let hours = examples.iter().map(|e| e.weight * e.standing.hours_left).sum::<f64>() / count;
    let (mut both, mut spread) = (0.0, 0.0);
    for example in examples {
        let away = example.standing.hours_left - hours;
        both += example.weight * away * (square(example) - mean);
        spread += example.weight * away * away;
    }
    let slope = if spread > 0.0 { (both / spread).max(0.0) } else { 0.0 };
    if slope * hours > mean { [0.0, mean / hours] } else { [mean - slope * hours, slope] }
}

/// Solves a positive definite system by Gaussian elimination.
fn solve(mut matrix: [[f64; INPUTS]; INPUTS], mut right: [f64; INPUTS]) -> Option<[f64; INPUTS]> {
    for pivot in 0..INPUTS {
        if !matrix[pivot][pivot].is_finite() || matrix[pivot][pivot] <= 0.0 {
            return None;
        }
        let above = matrix[pivot];
        for row in pivot + 1..INPUTS {
            let factor = matrix[row][pivot] / above[pivot];
            matrix[row].iter_mut().zip(above).for_each(|(cell, over)| *cell -= factor * over);
            right[row] -= factor * right[pivot];
        }
    }
    let mut found = [0.0; INPUTS];
    for row in (0..INPUTS).rev() {
        let known: f64 = (row + 1..INPUTS).map(|column| matrix[row][column] * found[column]).sum();
        found[row] = (right[row] - known) / matrix[row][row];
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn examples(count: usize, pull: f64) -> Vec<Example> {
        let mut random = ChaCha8Rng::seed_from_u64(17);
        let one = |_| {
            let standing = Standing {
                quote_gap: random.random_range(-0.1..0.1),
                move_since_open: random.random_range(-0.1..0.1),
                hours_left: 6.0,
                books: 5.0,
                dispersion: 0.03,
            };
            Example {
                standing,
                moved: pull * standing.quote_gap + random.random_range(-0.05..0.05),
                weight: 1.0,
            }
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn a_pull_that_is_there_is_learnt() {
        let drift = Drift::learn(&examples(2000, -0.5)).unwrap();
        let standing =
            Standing { quote_gap: 0.08, move_since_open: 0.0, hours_left: 6.0, books: 5.0, dispersion: 0.03 };
        let expected = drift.at(&standing);
        assert!((expected.drift + 0.04).abs() < 0.005, "{expected:?}");
        // What is uniform within 0.05 has the standard deviation 0.1 / sqrt(12).
        assert!((expected.sd - 0.1 / 12.0_f64.sqrt()).abs() < 0.002, "{expected:?}");
        assert!(drift.explained > 0.2);
        assert!(
            drift.at(&Standing { quote_gap: 50.0, ..standing }).drift.abs() <= drift.limit,
            "nothing beyond what was seen"
        );
        assert!(drift.at(&Standing { quote_gap: f64::NAN, ..standing }).drift.abs() < 1e-12);
    }

    #[test]
    fn what_is_far_off_is_less_certain() {
        let mut all = examples(3000, -0.5);
        for (i, example) in all.iter_mut().enumerate() {
            example.standing.hours_left = [20.0, 8.0, 3.0][i % 3];
            example.moved *= example.standing.hours_left.sqrt();
        }
        let drift = Drift::learn(&all).unwrap();
        let sd = |hours_left| drift.at(&Standing { hours_left, ..all[0].standing }).sd;
        assert!(sd(20.0) > 1.8 * sd(3.0), "{} and {}", sd(20.0), sd(3.0));
        assert!(sd(0.0) >= 0.0 && (sd(999.0) - sd(MOST_HOURS)).abs() < 1e-12 && sd(f64::NAN).is_finite());
    }

    #[test]
    fn few_examples_and_pure_noise_give_no_drift() {
        assert_eq!(Drift::learn(&examples(299, -0.5)), None);
        if let Some(noise) = Drift::learn(&examples(2000, 0.0)) {
            assert!(noise.explained < 0.02, "{noise:?}");
        }
    }
}
