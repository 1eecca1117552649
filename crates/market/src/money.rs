//! Fixed-point amounts; money is never a float.
//!
//! # Example
//! ```
//! use market::Money;
//! let bankroll: Money = "1000.00".parse().unwrap();
//! assert_eq!(bankroll.fraction_floor(0.0123456).to_string(), "12.34");
//! assert_eq!(bankroll.fraction_floor(0.02) + "0.50".parse().unwrap(), "20.50".parse().unwrap());
//! ```

use std::{fmt, iter::Sum, ops, str::FromStr};

use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};
use serde::{Deserialize, Serialize};

/// An amount in the bankroll's currency, kept to two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Money(Decimal);

/// A text that is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no amount of money: write for instance 1000.00")]
pub struct InvalidMoney(String);

const DECIMALS: u32 = 2;

/// A million thousand millions: sums of many such amounts still cannot overflow.
const LARGEST: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Returns `fraction` of the amount, rounded towards zero so that a cap is never passed.
    ///
    /// A fraction that is not finite counts as 0.
    pub fn fraction_floor(self, fraction: f64) -> Self {
        self.times(fraction, RoundingStrategy::ToZero)
    }

    /// Returns the amount times `factor`, half a cent away from zero (what a bookmaker pays).
    ///
    /// A factor that is not finite counts as 0.
    pub fn scale(self, factor: f64) -> Self {
        self.times(factor, RoundingStrategy::MidpointAwayFromZero)
    }

    /// Returns the amount rounded towards zero to a multiple of `step`; unchanged when the step is not above zero.
    pub fn floor_to(self, step: Self) -> Self {
        if step.0 <= Decimal::ZERO { self } else { Self((self.0 / step.0).trunc() * step.0) }
    }

    /// Returns the amount rounded to `decimals`, half away from zero: what a currency without cents pays.
    #[must_use]
    pub fn round_to(self, decimals: u32) -> Self {
        Self(self.0.round_dp_with_strategy(decimals.min(DECIMALS), RoundingStrategy::MidpointAwayFromZero))
    }

    /// Rounds a float to an amount, for plots only; nothing when it is not finite.
    pub fn from_f64(amount: f64) -> Self {
        Self(Decimal::ONE).scale(amount)
    }

    /// Returns the amount in hundredths.
    pub fn cents(self) -> i128 {
        (self.0 * Decimal::ONE_HUNDRED).to_i128().unwrap_or_default()
    }

    /// Returns the amount as a float, for ratios and plots only.
    pub fn as_f64(self) -> f64 {
        self.0.to_f64().unwrap_or(0.0)
    }

    fn times(self, factor: f64, rounding: RoundingStrategy) -> Self {
        // Ten decimals keep every price exact while hiding the float's last bits.
        let factor = Decimal::from_f64_retain(factor).unwrap_or_default().round_dp(10);
        Self((self.0 * factor).round_dp_with_strategy(DECIMALS, rounding))
    }
}

impl FromStr for Money {
    type Err = InvalidMoney;

    fn from_str(text: &str) -> Result<Self, InvalidMoney> {
        let amount = Decimal::from_str_exact(text.trim()).map_err(|_| InvalidMoney(text.to_owned()))?;
        if amount.normalize().scale() > DECIMALS || amount.abs() > LARGEST {
            return Err(InvalidMoney(text.to_owned()));
        }
        Ok(Self(amount))
    }
}

impl TryFrom<String> for Money {
    type Error = InvalidMoney;

    fn try_from(text: String) -> Result<Self, InvalidMoney> {
        text.parse()
    }
}

impl From<Money> for String {
    fn from(money: Money) -> Self {
        money.to_string()
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:.2}", self.0))
    }
}

impl ops::Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl ops::Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl ops::Neg for Money {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, |sum, amount| sum + amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_of_a_cent_is_refused() {
        assert!("1.005".parse::<Money>().is_err());
        assert!("abc".parse::<Money>().is_err());
        assert!("1000000000000000".parse::<Money>().is_ok());
        assert!("1000000000000001".parse::<Money>().is_err(), "sums of it could overflow");
        assert_eq!("1000".parse::<Money>().unwrap().to_string(), "1000.00");
    }

    #[test]
    fn profit_at_decimal_odds_is_exact_to_the_cent() {
        let stake: Money = "20.00".parse().unwrap();
        assert_eq!(stake.scale(1.91 - 1.0).to_string(), "18.20");
        assert_eq!(stake.scale(f64::NAN), Money::ZERO);
    }
}
