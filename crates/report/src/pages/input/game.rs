//! Facts of a game's page.

use std::sync::Arc;

use jiff::Timestamp;
use market::{Explanation, Game, Market, Money, Name, Points, Price, Selection};
use serde::{Deserialize, Serialize};

use super::Site;
use crate::input::LensView;

/// One game: what the model says, what the books pay, what the lenses made of it, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GamePage {
    /// The site.
    pub site: Site,
    /// The game.
    pub game: Arc<Game>,
    /// Nothing known at or after this instant was used, UTC.
    pub as_of: Timestamp,
    /// Home and away score, once it is known.
    pub score: Option<(u16, u16)>,
    /// Version of the model; none when there is no model.
    pub model_version: Option<String>,
    /// What each variant of the model says; the one that is bet on first.
    pub variants: Vec<Variant>,
    /// The books' no-vig consensus by outcome; may be empty.
    pub consensus: Vec<(Selection, f64)>,
    /// Probability of each home margin (home less away), ascending, by the variant that is bet on.
    pub margin: Vec<(i32, f64)>,
    /// Probability of each total, ascending, by the same variant.
    pub total: Vec<(i32, f64)>,
    /// The latest price of every book, market, selection and points.
    pub quotes: Vec<Quote>,
    /// Moneyline prices in time, by selection and book.
    pub history: Vec<PriceHistory>,
    /// Quotes that the lenses looked at.
    pub judged: Vec<JudgedQuote>,
    /// What the model could see around the game.
    pub neighbourhood: Option<Neighbourhood>,
    /// What carried the forecast, per variant.
    pub explanations: Vec<Explanation>,
}

/// What one variant of the model says of who wins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Whether prices were among its inputs.
    pub uses_market: bool,
    /// Home, draw where there is one, away.
    pub outcomes: Vec<OutcomeProbability>,
}

/// The probability of one outcome.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeProbability {
    /// The outcome.
    pub selection: Selection,
    /// Its probability; of two outcomes, among decided games.
    pub probability: f64,
    /// Its 90 % interval over the ensemble; none with one member.
    pub interval_90: Option<(f64, f64)>,
}

/// A price as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// The market.
    pub market: Market,
    /// The side.
    pub selection: Selection,
    /// The selection's own points; none for the moneyline.
    pub points: Option<Points>,
    /// The book.
    pub book: Name,
    /// Its price.
    pub price: Price,
    /// When the price stood there, UTC.
    pub captured_at: Timestamp,
    /// Probability by this book with its margin taken out; none when it does not price every side.
    pub no_vig: Option<f64>,
    /// Expected net return of a stake of 1 by the model; none without a model.
    pub edge: Option<f64>,
}

/// The moneyline prices of one book for one side, in time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceHistory {
    /// The side.
    pub selection: Selection,
    /// The book.
    pub book: Name,
    /// Prices from the instant on at which they were seen, ascending.
    pub prices: Vec<(Timestamp, Price)>,
}

/// A quote that the lenses looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgedQuote {
    /// The market.
    pub market: Market,
    /// The side.
    pub selection: Selection,
    /// The selection's own points; none for the moneyline.
    pub points: Option<Points>,
    /// The book.
    pub book: Name,
    /// Its price.
    pub price: Price,
    /// Expected net return of a stake of 1.
    pub edge: f64,
    /// What the lenses say, in their order.
    pub lenses: Vec<LensView>,
    /// Weighted geometric mean of the lenses, 0 to 1; none when one of them said no.
    pub score: Option<f64>,
    /// Stake, when it was bet on.
    pub stake: Option<Money>,
    /// What came of it, in words; may be empty.
    pub verdict: String,
}

/// What the model could see around a game: nodes, and the ways on which messages reach it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neighbourhood {
    /// Distinct nodes; the first one is the game.
    pub nodes: Vec<ShownNode>,
    /// Edges, the nearest hop first, then by relation, most recent first.
    pub edges: Vec<ShownEdge>,
}

/// A node of the graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownNode {
    /// Its kind: `game`, `outcome`, `team`, `venue`, `coach`, `player`, `referee`, `line`, `book`.
    pub kind: String,
    /// Its name.
    pub label: String,
    /// Steps from the game: 0, 1, 2.
    pub hop: usize,
}

/// A message's way from `source` into `target`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownEdge {
    /// The relation.
    pub relation: String,
    /// Index of the source among the nodes.
    pub source: usize,
    /// Index of the target among the nodes.
    pub target: usize,
    /// Days from the edge's instant to the as-of; none for what is part of the fixture itself.
    pub age_days: Option<f64>,
    /// What the source says, in a few words; may be empty.
    pub says: String,
    /// Share of attention that the target pays to the source; none where it is not known.
    pub attention: Option<f64>,
    /// What the forecast of a home win gains by this source; none where it is not known.
    pub effect: Option<f64>,
}
