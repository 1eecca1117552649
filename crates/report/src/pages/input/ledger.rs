//! Facts of the ledger's page.

use std::sync::Arc;

use jiff::Timestamp;
use market::{Game, Market, Money, Name, Points, Price, Selection};
use serde::{Deserialize, Serialize};

use super::Site;
use crate::input::{BankrollPoint, Mode, RecordRow, SettledBet};

/// The ledger in one of its modes: money, record, what is open, what is settled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerPage {
    /// The site.
    pub site: Site,
    /// Which bets: live or on paper.
    pub mode: Mode,
    /// Money now, open stakes included.
    pub bankroll: Money,
    /// Fall from the peak, a negative share; 0 at the peak.
    pub drawdown: f64,
    /// The deepest such fall so far.
    pub max_drawdown: f64,
    /// Bankroll by day, oldest first.
    pub curve: Vec<BankrollPoint>,
    /// Record by league and market; the row without either is the whole.
    pub record: Vec<RecordRow>,
    /// Bets that wait for their result, by start.
    pub open: Vec<OpenBet>,
    /// Settled bets of this page, the last one first; at most [`Self::SETTLED_PER_PAGE`].
    pub settled: Vec<SettledBet>,
    /// Settled bets over all pages.
    pub settled_in_all: usize,
    /// Number of this page of settled bets, from 1.
    pub page: usize,
    /// How many pages there are; 0 counts as 1.
    pub pages: usize,
}

impl LedgerPage {
    /// Most settled bets that one page shows; more than these are only counted.
    pub const SETTLED_PER_PAGE: usize = 400;
}

/// A bet that waits for its result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenBet {
    /// The game.
    pub game: Arc<Game>,
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
    /// When it was placed, UTC.
    pub placed_at: Timestamp,
    /// Expected net return of a stake of 1 when it was placed; none where it was not noted.
    pub edge: Option<f64>,
}
