//! Tonight's games, bet on or not.

use std::sync::Arc;

use market::{Game, Name, Price, Selection};
use serde::{Deserialize, Serialize};

/// One game: what the model says, what the books say, what is paid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlateGame {
    /// The game.
    pub game: Arc<Game>,
    /// Its outcomes: home, draw where one is bet on, away.
    pub outcomes: Vec<SlateOutcome>,
}

/// One outcome of a game.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlateOutcome {
    /// Home, draw or away.
    pub selection: Selection,
    /// Probability by the model that sees prices; of two outcomes, among decided games.
    pub model: f64,
    /// The books' no-vig consensus; none without fresh prices.
    pub market: Option<f64>,
    /// The best fresh price.
    pub best: Option<BestPrice>,
}

/// A price and who pays it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BestPrice {
    /// The book.
    pub book: Name,
    /// Its price.
    pub price: Price,
}
