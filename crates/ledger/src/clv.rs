//! Was the price better than the close? Three answers, of which the expected value is the one to gate on
//! (domain notes, section 6.6).
//!
//! # Example
//! ```
//! use ledger::{ClosingLine, clv};
//! use market::Price;
//! // -110 taken, closed at -120/+100: price and logit disagree, and the bet was still a bad one.
//! let close = ClosingLine { price: Price::from_american(-120).unwrap(), points: None, probability: 0.521_739_130_4 };
//! let clv = clv::clv(Price::from_american(-110).unwrap(), None, &close).unwrap();
//! assert!(clv.price.unwrap() > 0.04 && clv.expected_value < 0.0);
//! ```

use market::{Distribution, Points, Price, Selection, consensus::logit, settlement};
use serde::{Deserialize, Serialize};

/// The last price before the start for one selection.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClosingLine {
    /// Closing price of the selection, at the closing points.
    pub price: Price,
    /// The selection's points at the close.
    pub points: Option<Points>,
    /// Closing no-vig probability of the selection *at the bet's points*; see [`at_points`] where they moved.
    pub probability: f64,
}

/// Closing line value of a bet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Clv {
    /// Price taken over closing price, minus 1; overstates by the margin. None when the points moved.
    pub price: Option<f64>,
    /// Expected net return of a decided stake at the price taken under the close's no-vig probability.
    pub expected_value: f64,
    /// Closing log-odds minus those implied by the price taken.
    pub logit: f64,
}

/// Compares a bet with the close; none when the closing probability is none.
pub fn clv(price: Price, points: Option<Points>, close: &ClosingLine) -> Option<Clv> {
    let possible = close.probability > 0.0 && close.probability < 1.0;
    possible.then(|| Clv {
        price: (points == close.points).then(|| price.decimal() / close.price.decimal() - 1.0),
        expected_value: price.decimal() * close.probability - 1.0,
        logit: logit(close.probability) - logit(price.implied()),
    })
}

/// Returns the probability at the points `to` of a selection that has `probability` at the points `from`.
///
/// `distribution` is the league's own of the margin (for a total, of the total), key numbers and all. It is tilted
/// exponentially until its winning share at `from` is the given one, then read at `to`. None when no tilt gets there, as
/// for points beyond everything that was ever scored.
pub fn at_points(
    distribution: &Distribution,
    selection: Selection,
    from: Points,
    probability: f64,
    to: Points,
) -> Option<f64> {
    let spread = distribution.standard_deviation();
    if spread.is_nan() || spread <= 0.0 {
        return None;
    }
    let mean = distribution.mean();
    let share = |tilt: f64, points: Points| -> Option<f64> {
        let (mut won, mut lost) = (0.0, 0.0);
        for (value, mass) in distribution.iter() {
            let mass = mass * (tilt * (f64::from(value) - mean) / spread).exp();
            match settlement::grade_of(selection, Some(points), value, value)? {
                market::Grade::Win => won += mass,
                market::Grade::HalfWin => won += mass / 2.0,
                market::Grade::Push => {}
                market::Grade::HalfLoss => lost += mass / 2.0,
                market::Grade::Loss => lost += mass,
            }
        }
        (won > 0.0 && lost > 0.0).then(|| won / (won + lost))
    };
    // The share rises with the tilt for home and over, and falls for away and under.
    let rising = share(LARGEST_TILT, from)? > share(-LARGEST_TILT, from)?;
    let (mut low, mut high) = (-LARGEST_TILT, LARGEST_TILT);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if (share(middle, from)? < probability) == rising { low = middle } else { high = middle }
    }
    let tilt = f64::midpoint(low, high);
    let reached = (share(tilt, from)? - probability).abs() < 1e-6;
    share(tilt, to).filter(|moved| reached && *moved > 0.0 && *moved < 1.0)
}

/// Tilts per standard deviation are looked for up to this: five times what the most one-sided games need.
const LARGEST_TILT: f64 = 10.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// Margins from -20 to 20, with a pile on 3 and on -3.
    fn margins() -> Distribution {
        let mass = |margin: i32| {
            (-f64::from(margin * margin) / 200.0).exp() * if margin.abs() == 3 { 3.0 } else { 1.0 }
        };
        let sum: f64 = (-20..=20).map(mass).sum();
        Distribution::new(-20, (-20..=20).map(|margin| mass(margin) / sum).collect()).unwrap()
    }

    fn points(value: f64) -> Points {
        Points::from_f64(value).unwrap()
    }

    #[test]
    fn at_moved_points_the_prices_are_not_compared() {
        let price = Price::new(1.91).unwrap();
        let close = ClosingLine { price, points: Some(points(-3.5)), probability: 0.5 };
        assert_eq!(clv(price, Some(points(-3.5)), &close).unwrap().price, Some(0.0));
        assert_eq!(clv(price, Some(points(-3.0)), &close).unwrap().price, None);
        assert_eq!(clv(price, Some(points(-3.5)), &ClosingLine { probability: 0.0, ..close }), None);
    }

    #[test]
    fn half_a_point_over_a_key_number_is_worth_more_than_another() {
        let at = |to: f64| at_points(&margins(), Selection::Home, points(-2.5), 0.5, points(to)).unwrap();
        assert!((at(-2.5) - 0.5).abs() < 1e-6, "unmoved");
        assert!(at(-2.5) - at(-3.5) > 2.0 * (at(-3.5) - at(-4.5)), "the 3 lies in between");
        let away = at_points(&margins(), Selection::Away, points(2.5), 0.5, points(3.5)).unwrap();
        assert!((away - (1.0 - at(-3.5))).abs() < 1e-6, "both sides agree");
        let over = at_points(&margins(), Selection::Over, points(2.5), 0.5, points(3.5)).unwrap();
        assert!((over - at(-3.5)).abs() < 1e-6, "a total counts the other way round");
    }

    #[test]
    fn points_that_were_never_reached_say_nothing() {
        assert_eq!(at_points(&margins(), Selection::Home, points(-40.5), 0.5, points(-3.5)), None);
        assert_eq!(at_points(&margins(), Selection::Home, points(-3.5), 0.5, points(-40.5)), None);
        let one = Distribution::new(0, vec![1.0]).unwrap();
        assert_eq!(at_points(&one, Selection::Home, points(-0.5), 0.5, points(0.5)), None);
    }
}
