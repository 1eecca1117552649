//! From scores to stakes, from results to money, and the append-only book of both.
//!
//! Text in, text out, and one module that keeps the file; what time it is, is the caller's business.
//!
//! | module | question it answers |
//! |---|---|
//! | [`kelly`] | how much of the bankroll does one bet, or one market, deserve? |
//! | [`simultaneous`] | how much does each of many bets deserve at once? |
//! | [`stakes`] | how much is really staked tonight, and why not more? |
//! | [`rule`] | by which rule is a bet settled? |
//! | [`settle`] | how did a bet end, and what did it pay? |
//! | [`clv`] | was the price better than the close? |
//! | [`entry`] | one event of the ledger |
//! | [`error`] | why can a ledger not be read or added to? |
//! | [`row`] | how is an event written as a line of text? |
//! | [`seal`] | how is it seen that a row was changed, or is gone? |
//! | [`ledger`](mod@ledger) | what has happened so far, and what may be appended? |
//! | [`file`](mod@file) | how is the ledger kept, so that a crash loses and doubles nothing? |
//! | [`account`] | balance, drawdown, curve and records |
//! | [`luck`] | is it bad luck, or a bad model? |
//! | [`import`] | how do bets that were placed by hand come in? |
//! | [`export`](mod@export) | how does it all go out again? |
//! | [`verify`] | does every number follow from the others? |

pub mod account;
pub mod clv;
pub mod entry;
pub mod error;
pub mod export;
pub mod file;
pub mod import;
pub mod kelly;
pub mod ledger;
pub mod luck;
mod read;
pub mod row;
pub mod rule;
mod same_game;
pub mod seal;
pub mod settle;
pub mod simultaneous;
pub mod stakes;
pub mod verify;

pub use account::{Bankroll, CurvePoint, Record, RecordKey};
pub use clv::{ClosingLine, Clv};
pub use entry::{Entry, Event, Mode, Outcome};
pub use error::LedgerError;
pub use file::{LedgerFile, LedgerFileError};
pub use ledger::{Ledger, Night};
pub use luck::Luck;
pub use rule::SettlementRule;
pub use seal::Head;
pub use stakes::{Cut, Joints, Proposal, Stake, StakeSettings};
pub use verify::{Mismatch, Verified};
