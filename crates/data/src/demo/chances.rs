//! Chances of margins and totals as the books reckon them: exact tables on a grid of opinions, built once each.

use std::{collections::BTreeMap, rc::Rc};

use super::play::Means;

/// Steps per point in the quantity asked for; the other one matters little and is taken in steps of four points.
const STEPS: f64 = 4.0;
const COARSE: f64 = 4.0;

/// Chances that a whole number lies above, at, or below some points.
#[derive(Debug, Clone)]
pub(super) struct Tail {
    /// Index of the number 0.
    offset: usize,
    /// Probability of at least each number, from `-offset` on.
    at_least: Vec<f64>,
}

impl Tail {
    fn new(offset: usize, mut mass: Vec<f64>) -> Self {
        for index in (0..mass.len().saturating_sub(1)).rev() {
            mass[index] += mass[index + 1];
        }
        Self { offset, at_least: mass }
    }

    fn at_least(&self, number: i32) -> f64 {
        match self.offset.checked_add_signed(number as isize) {
            Some(index) => self.at_least.get(index).copied().unwrap_or(0.0),
            None => 1.0,
        }
    }

    /// Returns the probability of ending above `halves / 2`, given that it does not end right there.
    pub(super) fn above(&self, halves: i32) -> f64 {
        let above = self.at_least(halves.div_euclid(2) + 1);
        let below = 1.0 - self.at_least((halves + 1).div_euclid(2));
        above / (above + below)
    }
}

/// Tables already built.
#[derive(Debug, Default)]
pub(super) struct Chances {
    margins: BTreeMap<(i32, i32), Rc<Tail>>,
    totals: BTreeMap<(i32, i32), Rc<Tail>>,
}

impl Chances {
    /// Returns the chances of the home margin under an opinion about margin and total.
    pub(super) fn margin(&mut self, margin: f64, total: f64) -> Rc<Tail> {
        let key = ((margin * STEPS).round() as i32, (total / COARSE).round() as i32);
        let build = || {
            let masses = means(f64::from(key.0) / STEPS, f64::from(key.1) * COARSE).masses();
            Rc::new(Tail::new(masses.offset, masses.margin))
        };
        self.margins.entry(key).or_insert_with(build).clone()
    }

    /// Returns the chances of the total under an opinion about margin and total.
    pub(super) fn total(&mut self, margin: f64, total: f64) -> Rc<Tail> {
        let key = ((total * STEPS).round() as i32, (margin.abs() / COARSE).round() as i32);
        let build = || {
            let masses = means(f64::from(key.1) * COARSE, f64::from(key.0) / STEPS).masses();
            Rc::new(Tail::new(0, masses.total))
        };
        self.totals.entry(key).or_insert_with(build).clone()
    }
}

fn means(margin: f64, total: f64) -> Means {
    Means::of_margin_and_total(margin, total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tail_counts_pushes_for_neither_side() {
        // -1: 0.2, 0: 0.3, 1: 0.5
        let tail = Tail::new(1, vec![0.2, 0.3, 0.5]);
        assert!((tail.above(0) - 0.5 / 0.7).abs() < 1e-12);
        assert!((tail.above(1) - 0.5).abs() < 1e-12);
        assert!((tail.above(-1) - 0.8).abs() < 1e-12);
    }

    #[test]
    fn tables_agree_with_the_exact_distribution() {
        let tail = Chances::default().margin(3.0, 44.0);
        let exact = means(3.0, 44.0).forecast().unwrap().moneyline_two_way();
        assert!((tail.above(0) - exact).abs() < 1e-9);
    }
}
