//! Tonight's bets, and those that nearly were.

use std::sync::Arc;

use jiff::Timestamp;
use market::{Game, Market, Money, Name, Points, Price, RawRef, Selection};
use serde::{Deserialize, Serialize};

/// One recommended bet with everything that led to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pick {
    /// The game.
    pub game: Arc<Game>,
    /// The market.
    pub market: Market,
    /// The side.
    pub selection: Selection,
    /// The selection's own points; none for the moneyline.
    pub points: Option<Points>,
    /// The book with the best price.
    pub book: Name,
    /// That price.
    pub price: Price,
    /// When the price stood there, UTC.
    pub captured_at: Timestamp,
    /// Price at which the bet would be worth nothing.
    pub fair_price: Price,
    /// Shrunk probability of winning among decided stakes.
    pub probability: f64,
    /// Its 90 % interval.
    pub probability_interval_90: (f64, f64),
    /// Expected net return of a stake of 1.
    pub edge: f64,
    /// Recommended stake.
    pub stake: Money,
    /// What the lenses say, in their order.
    pub lenses: Vec<LensView>,
    /// Weighted geometric mean of the lenses, 0 to 1.
    pub score: f64,
    /// One line in words: why.
    pub why: String,
    /// Below this price the bet is off.
    pub cancel_below: Option<Price>,
    /// What else would cancel it, in words.
    pub cancel_when: Option<String>,
    /// The bytes behind the price.
    pub raw_ref: RawRef,
    /// As-of of the prediction, UTC.
    pub predicted_as_of: Timestamp,
    /// sha256 of the model that priced it, hexadecimal.
    pub model_sha256: String,
}

/// A candidate with a positive look that was not taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NearMiss {
    /// The game.
    pub game: Arc<Game>,
    /// The market.
    pub market: Market,
    /// The side.
    pub selection: Selection,
    /// The selection's own points; none for the moneyline.
    pub points: Option<Points>,
    /// The book with the best price.
    pub book: Name,
    /// That price.
    pub price: Price,
    /// Expected net return of a stake of 1.
    pub edge: f64,
    /// The lens that said no; none when a cap or threshold did.
    pub stopped_by: Option<Lens>,
    /// Why it was not taken, in words.
    pub reason: String,
}

/// The five lenses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lens {
    /// Have our forecasts carried information here before?
    CircleOfCompetence,
    /// Is it still a good bet after our own error?
    MarginOfSafety,
    /// Will the price beat the close?
    MrMarket,
    /// Does the edge survive other methods and shocks?
    Moat,
    /// Does it add growth to this bankroll tonight?
    FatPitch,
}

impl Lens {
    /// All lenses in the order of the report.
    pub const ALL: [Self; 5] =
        [Self::CircleOfCompetence, Self::MarginOfSafety, Self::MrMarket, Self::Moat, Self::FatPitch];

    /// Returns the lens's short name.
    pub fn label(self) -> &'static str {
        match self {
            Self::CircleOfCompetence => "Circle",
            Self::MarginOfSafety => "Margin",
            Self::MrMarket => "Mr. Market",
            Self::Moat => "Moat",
            Self::FatPitch => "Fat pitch",
        }
    }
}

/// What a lens says of a candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LensScore {
    /// Between 0 and 1, higher is better.
    Score(f64),
    /// The lens lacks its data, for this reason; it never counts as a zero.
    Missing(String),
    /// The lens says no, for this reason.
    Veto(String),
}

/// One lens with its verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LensView {
    /// Which lens.
    pub lens: Lens,
    /// Its verdict.
    pub score: LensScore,
}
