//! Kelly fractions of one bet and of mutually exclusive bets (domain notes, sections 6.3 to 6.5).
//!
//! # Example
//! ```
//! use ledger::kelly;
//! use market::{GradeProbabilities, Price};
//! let price = Price::new(2.1).unwrap();
//! assert!((kelly::single(0.55, price) - 0.140_909_09).abs() < 1e-8);
//! // A quarter line has five ends: -0.75 at 1.95.
//! let grades = GradeProbabilities([0.35, 0.22, 0.0, 0.0, 0.43]);
//! assert!((kelly::of_grades(&grades, Price::new(1.95).unwrap()) - 0.008_788_4).abs() < 1e-7);
//! ```

use market::{Grade, GradeProbabilities, Price};

/// Returns the fraction that maximises the growth of a bet that wins with probability `p`; never negative.
pub fn single(p: f64, price: Price) -> f64 {
    let odds = price.decimal();
    ((p * odds - 1.0) / (odds - 1.0)).max(0.0)
}

/// Returns the expected log growth of staking `fraction` on a bet with these grades.
///
/// Minus infinity when a possible outcome loses everything.
pub fn growth(grades: &GradeProbabilities, price: Price, fraction: f64) -> f64 {
    possible(grades, price).map(|(p, net)| p * (fraction * net).ln_1p()).sum()
}

/// Returns the fraction that maximises the growth of a bet with five grades; 0 without an edge, below 1 while
/// anything can be lost.
pub fn of_grades(grades: &GradeProbabilities, price: Price) -> f64 {
    let slope = |fraction: f64| -> f64 {
        possible(grades, price).map(|(p, net)| p * net / (1.0 + fraction * net)).sum()
    };
    if !grades.expected_net(price).is_finite() || slope(0.0) <= 0.0 {
        return 0.0;
    }
    // The slope falls from above 0 towards minus infinity (or stays above 0 when nothing can be lost).
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if slope(middle) > 0.0 { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// Grades that can happen, as probability and net return.
fn possible(grades: &GradeProbabilities, price: Price) -> impl Iterator<Item = (f64, f64)> {
    let probabilities = grades.0;
    Grade::ALL
        .into_iter()
        .zip(probabilities)
        .filter(|(_, p)| *p > 0.0)
        .map(move |(grade, p)| (p, grade.net(price)))
}

/// Probabilities may sum to so much more than 1.
const ROUNDING: f64 = 1e-9;

/// How much to stake on each of several bets of which exactly one wins.
#[derive(Debug, Clone, PartialEq)]
pub struct Exclusive {
    /// Fraction of each bet in the order given.
    pub fractions: Vec<f64>,
    /// What is kept back, as a share of the bankroll.
    pub reserve: f64,
    /// Expected log growth.
    pub growth: f64,
}

/// Maximises the growth over mutually exclusive bets, each with its probability (Smoczynski and Tomkins).
///
/// The probabilities may sum to less than 1: the rest is an outcome that nobody offers. A bet of negative expectation
/// can be in the solution, because it insures the others. None when they are no probabilities, or sum to more than 1.
pub fn exclusive(bets: &[(f64, Price)]) -> Option<Exclusive> {
    let whole: f64 = bets.iter().map(|(p, _)| p).sum();
    // NaN is in no range.
    if !bets.iter().all(|(p, _)| (0.0..=1.0).contains(p)) || whole > 1.0 + ROUNDING {
        return None;
    }
    let mut order: Vec<usize> = (0..bets.len()).collect();
    let value = |i: usize| bets[i].0 * bets[i].1.decimal();
    order.sort_by(|a, b| value(*b).total_cmp(&value(*a)).then(a.cmp(b)));
    let (mut mass, mut cost, mut reserve) = (0.0, 0.0, 1.0);
    let mut chosen = Vec::new();
    for i in order {
        if value(i) <= reserve {
            break;
        }
        mass += bets[i].0;
        cost += bets[i].1.implied();
        chosen.push(i);
        // Prices that together cost less than they pay leave nothing to keep back.
        reserve = if cost < 1.0 { (1.0 - mass).max(0.0) / (1.0 - cost) } else { 0.0 };
        if reserve < 1e-15 {
            reserve = 0.0;
        }
    }
    let mut fractions = vec![0.0; bets.len()];
    for i in &chosen {
        fractions[*i] = bets[*i].0 - reserve * bets[*i].1.implied();
    }
    let won: f64 = chosen.iter().map(|i| bets[*i].0 * value(*i).ln()).sum();
    let rest = if mass < 1.0 && reserve > 0.0 { (1.0 - mass) * reserve.ln() } else { 0.0 };
    Some(Exclusive { fractions, reserve, growth: won + rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(decimal: f64) -> Price {
        Price::new(decimal).unwrap()
    }

    #[test]
    fn five_grades_reduce_to_the_single_formula() {
        for (p, odds) in [(0.55, 2.1), (0.3, 3.5), (0.35, 5.0), (0.4, 1.8)] {
            let grades = GradeProbabilities([p, 0.0, 0.0, 0.0, 1.0 - p]);
            assert!((of_grades(&grades, price(odds)) - single(p, price(odds))).abs() < 1e-12);
        }
    }

    #[test]
    fn a_push_does_not_change_the_closed_form() {
        // f = (W·b - L) / (b·(W + L))
        let grades = GradeProbabilities([0.45, 0.0, 0.2, 0.0, 0.35]);
        let expected = (0.45 * 0.95 - 0.35) / (0.95 * 0.8);
        assert!((of_grades(&grades, price(1.95)) - expected).abs() < 1e-12);
    }

    #[test]
    fn a_sure_thing_takes_all_and_a_sure_loss_nothing() {
        assert!((of_grades(&GradeProbabilities([1.0, 0.0, 0.0, 0.0, 0.0]), price(1.5)) - 1.0).abs() < 1e-12);
        assert!(of_grades(&GradeProbabilities([0.0, 0.0, 0.0, 0.0, 1.0]), price(1.5)).abs() < 1e-12);
        assert!(growth(&GradeProbabilities([0.5, 0.0, 0.0, 0.0, 0.5]), price(3.0), 1.0).is_infinite());
        assert!(of_grades(&GradeProbabilities([f64::NAN; 5]), price(1.5)).abs() < 1e-12);
    }

    #[test]
    fn no_exclusive_bet_without_value() {
        let none = exclusive(&[(0.5, price(1.9)), (0.5, price(1.9))]).unwrap();
        assert!(none.fractions.iter().sum::<f64>() < 1e-12 && none.growth.abs() < 1e-12);
        assert!((none.reserve - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_is_no_distribution_has_no_stakes() {
        for (one, other) in [(0.7, 0.5), (f64::NAN, 0.5), (-0.1, 0.5), (1.1, 0.0)] {
            assert_eq!(exclusive(&[(one, price(2.5)), (other, price(2.5))]), None, "{one} and {other}");
        }
    }
}
