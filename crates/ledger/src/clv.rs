//! Was the price better than the close? Three answers, of which the expected value is the one to gate on
//! (domain notes, section 6.6).
//!
//! # Example
//! ```
//! use ledger::{ClosingLine, clv};
//! use market::Price;
//! // -110 taken, closed at -120/+100: price and logit disagree, and the bet was still a bad one.
//! let close = ClosingLine { price: Price::from_american(-120).unwrap(), probability: 0.521_739_130_4, points: None };
//! let clv = clv::clv(Price::from_american(-110).unwrap(), None, &close).unwrap();
//! assert!(clv.price > 0.04 && clv.expected_value < 0.0);
//! ```

use market::{Points, Price, consensus::logit};
use serde::{Deserialize, Serialize};

/// The last price before the start for one selection.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClosingLine {
    /// Closing price of the selection.
    pub price: Price,
    /// Its closing no-vig probability.
    pub probability: f64,
    /// The selection's points at the close.
    pub points: Option<Points>,
}

/// Closing line value of a bet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Clv {
    /// Price taken over closing price, minus 1; overstates by the margin.
    pub price: f64,
    /// Expected net return at the price taken under the close's no-vig probability.
    pub expected_value: f64,
    /// Closing log-odds minus those implied by the price taken.
    pub logit: f64,
}

/// Compares a bet with the close; none when the points moved, for then the two are different bets, or when
/// the closing probability is none.
pub fn clv(price: Price, points: Option<Points>, close: &ClosingLine) -> Option<Clv> {
    let comparable = points == close.points && close.probability > 0.0 && close.probability < 1.0;
    comparable.then(|| Clv {
        price: price.decimal() / close.price.decimal() - 1.0,
        expected_value: price.decimal() * close.probability - 1.0,
        logit: logit(close.probability) - logit(price.implied()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moved_points_are_not_comparable() {
        let price = Price::new(1.91).unwrap();
        let close = ClosingLine { price, probability: 0.5, points: Points::from_f64(-3.5) };
        assert!(clv(price, Points::from_f64(-3.5), &close).is_some());
        assert_eq!(clv(price, Points::from_f64(-3.0), &close), None);
        assert_eq!(clv(price, Points::from_f64(-3.5), &ClosingLine { probability: 0.0, ..close }), None);
    }
}
