//! What came of earlier bets, and how good the model has been.

use std::sync::Arc;

use jiff::{Timestamp, civil::Date};
use market::{Game, Grade, LeagueId, Market, Money, Name, Points, Price, Selection};
use serde::{Deserialize, Serialize};

/// A bet that has been settled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettledBet {
    /// The game.
    pub game: Arc<Game>,
    /// Home and away score; none for a game that was not played to its end.
    pub score: Option<(u16, u16)>,
    /// The market.
    pub market: Market,
    /// The side.
    pub selection: Selection,
    /// The selection's own points; none for the moneyline.
    pub points: Option<Points>,
    /// The book.
    pub book: Name,
    /// The price taken.
    pub price: Price,
    /// The stake.
    pub stake: Money,
    /// How it ended.
    pub grade: Grade,
    /// Profit; negative for a loss.
    pub profit: Money,
    /// Expected net return against the no-vig close; none without a close.
    pub closing_line_value: Option<f64>,
}

/// The bankroll at the end of a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankrollPoint {
    /// The day in the report's time zone.
    pub date: Date,
    /// Money at its end.
    pub bankroll: Money,
    /// Band in which it was expected to lie, low and high.
    #[serde(default)]
    pub expected: Option<(Money, Money)>,
}

/// The record of one slice of the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordRow {
    /// League; none for all.
    pub league: Option<LeagueId>,
    /// Market; none for all.
    pub market: Option<Market>,
    /// Bets settled.
    pub bets: usize,
    /// Won, half-won included.
    pub won: usize,
    /// Lost, half-lost included.
    pub lost: usize,
    /// Stakes that came back.
    pub pushed: usize,
    /// Sum of stakes.
    pub staked: Money,
    /// Sum of profits.
    pub profit: Money,
    /// 95 % interval of profit per stake; none for a handful of bets.
    pub roi_interval_95: Option<(f64, f64)>,
    /// Mean closing line value; none without closes.
    pub mean_closing_line_value: Option<f64>,
}

/// The model in use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Champion {
    /// Its version.
    pub version: String,
    /// sha256 of its weights, hexadecimal.
    pub sha256: String,
    /// When it was promoted, UTC.
    pub since: Timestamp,
    /// Nothing known at or after this instant was trained on, UTC.
    pub data_as_of: Timestamp,
    /// Commit of the code that trained it.
    pub git_commit: String,
    /// Configurations tried before it was chosen.
    pub configurations_tried: usize,
}

/// The record so far against what its bets claimed: is it luck, or is it skill?
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Luck {
    /// Games with settled bets that claimed an edge.
    pub games: usize,
    /// Profit that the claims let one expect.
    pub expected: Money,
    /// Its standard deviation.
    pub deviation: Money,
    /// Profit that was made.
    pub observed: Money,
    /// Chance of a profit no higher than that, were the claims true.
    pub chance_of_no_better: f64,
    /// Profit that the closing prices let one expect; none while too few bets have a close.
    pub expected_at_the_close: Option<Money>,
    /// What follows from it, in one sentence for a reader who knows no statistics.
    pub verdict: String,
}
