//! Markets, selections, points, and one price of one book at one instant.
//!
//! # Example
//! ```
//! use market::{Market, Points, Selection};
//! assert_eq!(Selection::Over.market(), Market::Total);
//! assert_eq!(Points::from_f64(-0.75).unwrap().to_string(), "-0.75");
//! assert!(Points::from_f64(0.3).is_none(), "points come in quarters");
//! ```

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Game, Name, Price, RawRef};

/// What is bet on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Market {
    /// Who wins (1X2 where a draw is an outcome).
    Moneyline,
    /// Who wins after a handicap.
    Spread,
    /// How many points both sides score together.
    Total,
}

impl Market {
    /// Returns the contract's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Moneyline => "moneyline",
            Self::Spread => "spread",
            Self::Total => "total",
        }
    }

    /// Reads the contract's word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Moneyline, Self::Spread, Self::Total].into_iter().find(|market| market.as_str() == text)
    }
}

impl fmt::Display for Market {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One side of a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// The home side (moneyline or spread).
    Home,
    /// Neither side wins (moneyline of a 3-way league).
    Draw,
    /// The away side (moneyline or spread).
    Away,
    /// More than the points.
    Over,
    /// Fewer than the points.
    Under,
}

impl Selection {
    /// Returns the contract's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Draw => "draw",
            Self::Away => "away",
            Self::Over => "over",
            Self::Under => "under",
        }
    }

    /// Reads the contract's word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Home, Self::Draw, Self::Away, Self::Over, Self::Under].into_iter().find(|s| s.as_str() == text)
    }

    /// Returns the market that this selection belongs to when it carries points (`Home` and `Away`
    /// without points belong to the moneyline).
    pub fn market(self) -> Market {
        match self {
            Self::Draw => Market::Moneyline,
            Self::Home | Self::Away => Market::Spread,
            Self::Over | Self::Under => Market::Total,
        }
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Handicap or total in quarter points, so that equal lines compare equal.
///
/// A handicap is the *selection's own*: home -3.5 stands against away +3.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "utoipa", schema(value_type = f64, multiple_of = 0.25, minimum = -1000.0, maximum = 1000.0, example = -0.5))]
#[serde(try_from = "f64", into = "f64")]
pub struct Points(i32);

impl Points {
    /// Reads a multiple of a quarter within ±1000.
    pub fn from_f64(value: f64) -> Option<Self> {
        let quarters = value * 4.0;
        (quarters.abs() <= 4000.0 && quarters.fract() == 0.0).then_some(Self(quarters as i32))
    }

    /// Builds from a count of quarters.
    pub fn from_quarters(quarters: i32) -> Self {
        Self(quarters)
    }

    /// Returns the count of quarters.
    pub fn quarters(self) -> i32 {
        self.0
    }

    /// Returns the points.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 4.0
    }
}

impl std::ops::Neg for Points {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl TryFrom<f64> for Points {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, String> {
        Self::from_f64(value).ok_or_else(|| format!("{value} is no multiple of a quarter point"))
    }
}

impl From<Points> for f64 {
    fn from(points: Points) -> Self {
        points.as_f64()
    }
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.as_f64().to_string())
    }
}

/// One price of one book for one selection of one market at one instant.
///
/// It could be known from [`captured_at`](Self::captured_at) on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LineRow {
    /// The game's header.
    #[serde(flatten)]
    pub game: Arc<Game>,
    /// The bookmaker.
    pub book: Name,
    /// The market.
    pub market: Market,
    /// The side.
    pub selection: Selection,
    /// The selection's own points; none for the moneyline.
    pub points: Option<Points>,
    /// Decimal odds.
    pub price: Price,
    /// When the price stood there, UTC.
    pub captured_at: Timestamp,
    /// Whether the source calls it the last price before the start.
    pub is_closing: bool,
    /// The source's id.
    pub source: Name,
    /// The bytes behind it.
    pub raw_ref: RawRef,
}

impl LineRow {
    /// Returns the instant from which the row could have been known.
    pub fn known_at(&self) -> Timestamp {
        self.captured_at
    }
}
