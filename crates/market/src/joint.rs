//! Margin and total of one game together, so that bets on both are weighed as what they are: bets on the same game.
//!
//! A forecast names the distribution of each by itself. The joint one is the flattest that has both of them and obeys the
//! arithmetic of scores: margin and total are both odd or both even, and the margin is no larger than the total. It is
//! found by iterative proportional fitting (Deming and Stephan 1940). Where the two contradict that arithmetic, say in how
//! often they are odd, a trace of impossible scores takes up some of the difference: the total's distribution is kept
//! exactly, the margin's to within what the two contradict each other by.
//!
//! # Example
//! ```
//! use market::{Distribution, ScoreForecast, joint::Joint};
//! let margin = Distribution::new(-1, vec![0.25, 0.5, 0.25]).unwrap();
//! let total = Distribution::new(0, vec![0.3, 0.5, 0.2]).unwrap();
//! let joint = Joint::of(&ScoreForecast { margin, total });
//! let level = joint.cells().iter().filter(|cell| cell.margin == 0).map(|cell| cell.probability).sum::<f64>();
//! assert!((level - 0.5).abs() < 1e-9);
//! let odd = joint.cells().iter().find(|cell| (cell.margin, cell.total) == (0, 1)).unwrap();
//! assert!(odd.probability < 1e-4, "nobody wins or loses by nothing with one goal");
//! ```

use crate::{Distribution, ScoreForecast};

/// Weight of scores that cannot be, before fitting.
const IMPOSSIBLE: f64 = 1e-9;
/// Rounds of fitting; ten are enough for margins that agree.
const ROUNDS: usize = 60;
/// Values less likely than this are left out.
const NEGLIGIBLE: f64 = 1e-9;

/// One final score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Home minus away.
    pub margin: i32,
    /// Home plus away.
    pub total: i32,
    /// Its probability.
    pub probability: f64,
}

/// Probabilities of margin and total together; they sum to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Joint {
    cells: Vec<Cell>,
}

impl Joint {
    /// Fits the joint distribution of a forecast.
    pub fn of(forecast: &ScoreForecast) -> Self {
        let likely = |distribution: &Distribution| -> Vec<(i32, f64)> {
            distribution.iter().filter(|(_, p)| *p > NEGLIGIBLE).collect()
        };
        let (margins, totals) = (likely(&forecast.margin), likely(&forecast.total));
        let mut weights: Vec<f64> = Vec::with_capacity(margins.len() * totals.len());
        for (margin, _) in &margins {
            weights.extend(totals.iter().map(|(total, _)| {
                let possible = margin.abs() <= *total && (total - margin) % 2 == 0;
                if possible { 1.0 } else { IMPOSSIBLE }
            }));
        }
        for _ in 0..ROUNDS {
            for (row, (_, wanted)) in weights.chunks_exact_mut(totals.len().max(1)).zip(&margins) {
                let sum: f64 = row.iter().sum();
                for weight in row {
                    *weight *= wanted / sum;
                }
            }
            let mut sums = vec![0.0; totals.len()];
            for row in weights.chunks_exact(totals.len().max(1)) {
                sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += weight);
            }
            let factors: Vec<f64> = totals.iter().zip(&sums).map(|((_, wanted), sum)| wanted / sum).collect();
            let error = factors.iter().map(|factor| (factor - 1.0).abs()).fold(0.0, f64::max);
            for row in weights.chunks_exact_mut(totals.len().max(1)) {
                row.iter_mut().zip(&factors).for_each(|(weight, factor)| *weight *= factor);
            }
            if error < 1e-10 {
                break;
            }
        }
        let pairs =
            margins.iter().flat_map(|(margin, _)| totals.iter().map(move |(total, _)| (*margin, *total)));
        let cells =
            pairs.zip(weights).map(|((margin, total), probability)| Cell { margin, total, probability });
        Self { cells: cells.filter(|cell| cell.probability > 0.0).collect() }
    }

    /// Returns every score with its probability, by margin, then total.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(joint: &Joint, of: impl Fn(&Cell) -> i32, value: i32) -> f64 {
        joint.cells().iter().filter(|cell| of(cell) == value).map(|cell| cell.probability).sum()
    }

    #[test]
    fn both_distributions_are_kept_even_where_they_contradict_each_other() {
        // All margins odd, all totals even: no score has both.
        let margin = Distribution::new(-1, vec![0.4, 0.0, 0.6]).unwrap();
        let total = Distribution::new(2, vec![0.7, 0.0, 0.3]).unwrap();
        let joint = Joint::of(&ScoreForecast { margin, total });
        assert!((sums(&joint, |cell| cell.margin, 1) - 0.6).abs() < 1e-9);
        assert!((sums(&joint, |cell| cell.total, 4) - 0.3).abs() < 1e-9);
    }

    #[test]
    fn independent_goals_come_back() {
        // Scores of two Poisson sides; their margin and total are far from independent.
        let poisson = |rate: f64| -> Vec<f64> {
            let mut p = vec![(-rate).exp()];
            for goals in 1..12 {
                p.push(p[goals - 1] * rate / goals as f64);
            }
            p
        };
        let (home, away) = (poisson(1.6), poisson(1.1));
        let (mut margin, mut total) = (vec![0.0; 23], vec![0.0; 23]);
        for (h, p) in home.iter().enumerate() {
            for (a, q) in away.iter().enumerate() {
                margin[h + 11 - a] += p * q;
                total[h + a] += p * q;
            }
        }
        let whole: f64 = margin.iter().sum();
        let scaled = |masses: Vec<f64>| masses.into_iter().map(|p| p / whole).collect::<Vec<f64>>();
        let forecast = ScoreForecast {
            margin: Distribution::new(-11, scaled(margin)).unwrap(),
            total: Distribution::new(0, scaled(total)).unwrap(),
        };
        let joint = Joint::of(&forecast);
        let under = |cell: &&Cell| cell.margin > 0 && cell.total < 3;
        let ours: f64 = joint.cells().iter().filter(under).map(|cell| cell.probability).sum();
        let exact = (home[1] * away[0] + home[2] * away[0]) / whole;
        assert!((ours - exact).abs() < 0.01, "{ours} is not {exact}");
        let independent: f64 = forecast.margin.iter().filter(|(m, _)| *m > 0).map(|(_, p)| p).sum::<f64>()
            * forecast.total.iter().filter(|(t, _)| *t < 3).map(|(_, p)| p).sum::<f64>();
        assert!((independent - exact).abs() > 0.02, "so the joint one was worth fitting: {independent}");
    }
}
