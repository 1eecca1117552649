//! Prices: decimal inside, American and fractional at the borders (domain notes, section 6.1).
//!
//! # Example
//! ```
//! use market::Price;
//! let price = Price::from_american(-110).unwrap();
//! assert!((price.decimal() - 1.909_090_909_1).abs() < 1e-9);
//! assert!((price.implied() - 0.523_809_523_8).abs() < 1e-9);
//! assert_eq!(Price::from_fractional("7/4").unwrap().decimal(), 2.75);
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

/// Decimal odds above 1: what a stake of 1 pays back in all.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Price(f64);

/// A number or text that is no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no price: decimal odds are above 1, American at or beyond ±100, fractional like 7/4")]
pub struct InvalidPrice(String);

impl Price {
    /// Takes decimal odds; finite and above 1.
    pub fn new(decimal: f64) -> Result<Self, InvalidPrice> {
        if decimal.is_finite() && decimal > 1.0 {
            Ok(Self(decimal))
        } else {
            Err(InvalidPrice(decimal.to_string()))
        }
    }

    /// Takes American odds: `1 + A/100` above zero, `1 + 100/|A|` below.
    pub fn from_american(american: i32) -> Result<Self, InvalidPrice> {
        match american {
            100.. => Self::new(1.0 + f64::from(american) / 100.0),
            ..=-100 => Self::new(1.0 - 100.0 / f64::from(american)),
            _ => Err(InvalidPrice(american.to_string())),
        }
    }

    /// Takes fractional odds such as `10/11`.
    pub fn from_fractional(text: &str) -> Result<Self, InvalidPrice> {
        let invalid = || InvalidPrice(text.to_owned());
        let (numerator, denominator) = text.split_once('/').ok_or_else(invalid)?;
        let number = |part: &str| part.trim().parse::<u32>().map(f64::from).map_err(|_| invalid());
        Self::new(1.0 + number(numerator)? / number(denominator)?).map_err(|_| invalid())
    }

    /// Returns the decimal odds.
    pub fn decimal(self) -> f64 {
        self.0
    }

    /// Returns the American odds, not rounded; evens are +100.
    pub fn american(self) -> f64 {
        if self.0 >= 2.0 { 100.0 * (self.0 - 1.0) } else { -100.0 / (self.0 - 1.0) }
    }

    /// Returns the implied probability with the margin still in it.
    pub fn implied(self) -> f64 {
        1.0 / self.0
    }
}

impl TryFrom<f64> for Price {
    type Error = InvalidPrice;

    fn try_from(decimal: f64) -> Result<Self, InvalidPrice> {
        Self::new(decimal)
    }
}

impl From<Price> for f64 {
    fn from(price: Price) -> Self {
        price.0
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:.2}", self.0))
    }
}
