//! How much each of many independent bets deserves at once (domain notes, section 6.4).
//!
//! Expected log wealth needs no enumeration of outcomes: by Frullani's integral
//! `ln(1 + x) = ∫ (e^-t - e^-t(1+x)) dt/t`, so `E ln(1 + Σ fᵢrᵢ) = ∫ e^-t (1 - Π E e^-t·fᵢ·rᵢ) dt/t`, a product of
//! one factor per bet. In `u = ln t` the integrand is analytic and dies off on both sides, where the trapezoid
//! rule is exact to rounding with few nodes. It costs bets × nodes instead of 2^bets and stays exact for any slate.
//!
//! # Example
//! ```
//! use ledger::simultaneous::{Bet, allocate};
//! use market::{GradeProbabilities, Price};
//! let bet = Bet { grades: GradeProbabilities([0.6, 0.0, 0.0, 0.0, 0.4]), price: Price::new(2.0).unwrap() };
//! let both = allocate(&[bet, bet], None);
//! assert!((both.fractions[0] - 0.192_307_7).abs() < 1e-6, "a little less than the 0.2 of one alone");
//! ```

use market::{Grade, GradeProbabilities, Price};

/// Largest share of the bankroll that a solution stakes in all: one loss in everything must leave something.
const LARGEST_TOTAL: f64 = 0.99;

/// Step in `ln t`; the error falls as `exp(-π²/step)`, here 1e-17.
const STEP: f64 = 0.25;

/// Rounds of improvement; slates of ordinary edges need about ten.
const ROUNDS: usize = 200;

/// One bet of the slate; outcomes of different bets are independent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bet {
    /// Probabilities of its five ends.
    pub grades: GradeProbabilities,
    /// The price.
    pub price: Price,
}

/// What to stake on each bet.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    /// Share of the bankroll per bet, in the order given.
    pub fractions: Vec<f64>,
    /// Expected log growth.
    pub growth: f64,
}

/// Maximises expected log growth over fractions that are not negative and sum to at most `cap` (and 0.99).
///
/// Projected Newton steps with the exact gradient and the Hessian's diagonal, halved until the growth improves.
pub fn allocate(bets: &[Bet], cap: Option<f64>) -> Allocation {
    let limit = cap.unwrap_or(LARGEST_TOTAL).clamp(0.0, LARGEST_TOTAL);
    let slate = Slate::of(bets);
    let mut fractions = vec![0.0; bets.len()];
    let mut here = slate.evaluate(&fractions);
    for _ in 0..ROUNDS {
        let Some((better, there)) = improve(&slate, &fractions, &here, limit) else { break };
        let moved = better.iter().zip(&fractions).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        (fractions, here) = (better, there);
        if moved < 1e-12 {
            break;
        }
    }
    Allocation { fractions, growth: here.growth }
}

/// Returns the expected log growth of staking `fractions` on `bets`; minus infinity when all may be lost.
pub fn growth(bets: &[Bet], fractions: &[f64]) -> f64 {
    if fractions.iter().sum::<f64>() >= 1.0 {
        f64::NEG_INFINITY
    } else {
        Slate::of(bets).evaluate(fractions).growth
    }
}

fn improve(slate: &Slate, from: &[f64], here: &Evaluation, limit: f64) -> Option<(Vec<f64>, Evaluation)> {
    let mut step = 1.0;
    while step > 1e-6 {
        let target: Vec<f64> = from
            .iter()
            .zip(here.gradient.iter().zip(&here.curvature))
            .map(|(f, (slope, bend))| f + step * slope / bend)
            .collect();
        let to = project(&target, &here.curvature, limit);
        let there = slate.evaluate(&to);
        // At the top growth is flat: a step within its rounding still brings the fractions nearer.
        if there.growth > here.growth - 1e-15 {
            return Some((to, there));
        }
        step /= 2.0;
    }
    None
}

/// Returns the point of `{f >= 0, Σf <= limit}` nearest to `target` in the metric of `curvature`.
fn project(target: &[f64], curvature: &[f64], limit: f64) -> Vec<f64> {
    let at = |price: f64| -> Vec<f64> {
        target.iter().zip(curvature).map(|(f, bend)| (f - price / bend).max(0.0)).collect()
    };
    let unbound = at(0.0);
    if unbound.iter().sum::<f64>() <= limit {
        return unbound;
    }
    let mut low = 0.0;
    let mut high = target.iter().zip(curvature).map(|(f, bend)| f * bend).fold(0.0, f64::max);
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if at(middle).iter().sum::<f64>() > limit { low = middle } else { high = middle }
    }
    at(high)
}

/// Growth with its slopes and (negated) second derivatives at one point.
struct Evaluation {
    growth: f64,
    gradient: Vec<f64>,
    curvature: Vec<f64>,
}

/// Possible ends of each bet as probability and gross return (net + 1, so that nothing is negative).
struct Slate {
    bets: Vec<Vec<(f64, f64)>>,
}

impl Slate {
    fn of(bets: &[Bet]) -> Self {
        let ends = |bet: &Bet| {
            let all = Grade::ALL.iter().zip(bet.grades.0);
            all.filter(|(_, p)| *p > 0.0).map(|(grade, p)| (p, 1.0 + grade.net(bet.price))).collect()
        };
        Self { bets: bets.iter().map(ends).collect() }
    }

    /// Integrates over `t`. With `g = net + 1`, wealth is `1 - Σf + Σ f·g`, so every exponent is at most 0.
    fn evaluate(&self, fractions: &[f64]) -> Evaluation {
        let count = self.bets.len();
        let mut sum = Evaluation { growth: 0.0, gradient: vec![0.0; count], curvature: vec![0.0; count] };
        let kept = 1.0 - fractions.iter().sum::<f64>();
        // Beyond this the slowest term, e^(-t·kept), is below 1e-16; before -40 every term is.
        let last = (40.0 / kept.max(1e-9)).ln();
        let nodes = ((last + 40.0) / STEP).ceil() as i32;
        for node in 0..=nodes {
            let t = (-40.0 + f64::from(node) * STEP).exp();
            self.add_node(t, kept, fractions, &mut sum);
        }
        // A bet that cannot end in any way has no curvature; it keeps its fraction of 0.
        sum.curvature.iter_mut().for_each(|bend| *bend = bend.max(1e-12));
        sum
    }

    fn add_node(&self, t: f64, kept: f64, fractions: &[f64], sum: &mut Evaluation) {
        let moments: Vec<[f64; 3]> =
            self.bets.iter().zip(fractions).map(|(ends, f)| moments(ends, t * f)).collect();
        let log_product: f64 = moments.iter().map(|m| m[0].ln()).sum();
        let exponent = log_product - t * kept;
        let product = exponent.exp();
        // e^-t - product, without cancelling while t is small and without overflow while it is large.
        let difference = if t < 0.5 { -(-t).exp() * (exponent + t).exp_m1() } else { (-t).exp() - product };
        sum.growth += STEP * difference;
        if product <= 0.0 {
            return;
        }
        for (i, [whole, first, second]) in moments.into_iter().enumerate() {
            sum.gradient[i] += STEP * t * product * first / whole;
            sum.curvature[i] += STEP * t * t * product * second / whole;
        }
    }
}

/// Returns `E e^(-s·g)`, `E r·e^(-s·g)` and `E r²·e^(-s·g)` with `r = g - 1`.
fn moments(ends: &[(f64, f64)], s: f64) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for (p, gross) in ends {
        let (weight, net) = (p * (-s * gross).exp(), gross - 1.0);
        sums[0] += weight;
        sums[1] += weight * net;
        sums[2] += weight * net * net;
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kelly;

    fn bet(p: f64, odds: f64) -> Bet {
        Bet { grades: GradeProbabilities([p, 0.0, 0.0, 0.0, 1.0 - p]), price: Price::new(odds).unwrap() }
    }

    /// The definition: every combination of ends.
    fn enumerated(bets: &[Bet], fractions: &[f64]) -> f64 {
        let slate = Slate::of(bets);
        let mut worlds = vec![(1.0, 1.0)];
        for (ends, f) in slate.bets.iter().zip(fractions) {
            worlds = worlds
                .iter()
                .flat_map(|(p, wealth)| {
                    ends.iter().map(move |(q, gross)| (p * q, wealth + f * (gross - 1.0)))
                })
                .collect();
        }
        worlds.iter().map(|(p, wealth): &(f64, f64)| p * wealth.ln()).sum()
    }

    #[test]
    fn the_integral_equals_the_enumeration() {
        let quarter = GradeProbabilities([0.35, 0.22, 0.03, 0.1, 0.3]);
        let bets =
            [bet(0.55, 2.1), bet(0.1, 12.0), Bet { grades: quarter, price: Price::new(1.95).unwrap() }];
        for fractions in [[0.0; 3], [0.1, 0.02, 0.05], [0.4, 0.1, 0.45], [0.0, 0.9, 0.0]] {
            let (ours, exact) = (growth(&bets, &fractions), enumerated(&bets, &fractions));
            // Rounding over 200 nodes.
            assert!((ours - exact).abs() < 1e-12, "{fractions:?}: {ours} is not {exact}");
        }
        assert!(growth(&bets, &[0.5, 0.3, 0.2]).is_infinite());
    }

    #[test]
    fn one_bet_alone_is_plain_kelly() {
        for (p, odds) in [(0.55, 2.1), (0.1, 15.0), (0.4, 1.8), (0.9, 1.3)] {
            let alone = allocate(&[bet(p, odds)], None).fractions[0];
            assert!((alone - kelly::single(p, bet(p, odds).price)).abs() < 1e-9, "{p} at {odds}: {alone}");
        }
    }

    #[test]
    fn no_bets_grow_nothing() {
        assert_eq!(allocate(&[], None), Allocation { fractions: vec![], growth: 0.0 });
        assert!(allocate(&[bet(0.6, 2.0)], Some(0.0)).growth.abs() < 1e-12);
    }

    #[test]
    fn a_slate_of_forty_is_solved_too() {
        let bets = vec![bet(0.55, 1.0 + 1.0 / 1.1); 40];
        let all = allocate(&bets, None);
        let total: f64 = all.fractions.iter().sum();
        assert!(
            total <= LARGEST_TOTAL + 1e-9
                && all.fractions.iter().all(|f| (f - all.fractions[0]).abs() < 1e-6)
        );
        assert!(all.growth > 10.0 * 0.001_377, "forty games carry far more than ten alone");
    }
}
