//! From scores to stakes, from results to money, and the append-only book of both.
//!
//! Pure: text in, text out; who reads and writes the file, and what time it is, is the caller's business.
//!
//! | module | question it answers |
//! |---|---|
//! | [`kelly`] | how much of the bankroll does one bet, or one market, deserve? |
//! | [`simultaneous`] | how much does each of many independent bets deserve at once? |
//! | [`stakes`] | how much is really staked tonight, and why not more? |
//! | [`settle`] | how did a bet end, under which rule, and what did it pay? |
//! | [`clv`] | was the price better than the close? |
//! | [`entry`] | one event of the ledger |
//! | [`error`] | why can a ledger not be read or added to? |
//! | [`row`] | how is an event written as a line of text? |
//! | [`ledger`](mod@ledger) | what has happened so far, and what may be appended? |
//! | [`account`] | balance, drawdown, curve and records |
//! | [`verify`] | does every number follow from the others? |

pub mod account;
pub mod clv;
pub mod entry;
pub mod error;
pub mod kelly;
pub mod ledger;
pub mod row;
pub mod settle;
pub mod simultaneous;
pub mod stakes;
pub mod verify;

pub use account::{Bankroll, CurvePoint, Record, RecordKey};
pub use clv::{ClosingLine, Clv};
pub use entry::{Entry, Event, Mode, Outcome};
pub use error::LedgerError;
pub use ledger::{Ledger, Night};
pub use settle::SettlementRule;
pub use stakes::{Cut, Proposal, Stake, StakeSettings};
pub use verify::{Mismatch, Verified};
