//! Lines and results from their sources into Parquet, and back as of an instant.
//!
//! ```text
//! Pull ──bytes──▶ Source ──rows, refusals──▶ identity ──▶ contract ──▶ Lake ──known_at < as_of──▶ Snapshot ──▶ graph
//!                                                                      └ Store: a folder or a bucket, whole writes only
//! ```
//!
//! - A [`Pull`] brings payloads: files, or answers of servers, asked for politely and only when they are new.
//! - A [`Source`] reads payloads into rows. It states when each row became known; where the outside
//!   world does not say so, its [`Leads`] assume it and [`Source::assumptions`] says it in words for the report.
//! - [`identity`] gives the rows the league's games, whichever source they come from; what is not certain is refused.
//! - [`contract`] refuses what no feed may say: a handicap against the moneyline, a price after the start, one value for all.
//! - The [`Lake`] keeps the raw bytes first, then the rows in Parquet by league and season, then a marker. Objects are named
//!   by their content and never change, so that a second pull adds nothing and a killed one is completed by the next.
//! - What cannot be right is not dropped but quarantined with its reason. A payload that is no table at all (empty, HTML,
//!   truncated, columns missing) is a [`Finding`]; the others are taken.
//! - A result or context that its source changes is a correction, known from when it came; the old row stays readable.
//! - A [`Snapshot`] is the only way out: rows with `known_at < as_of`, in one fixed order.
//!
//! | module | question it answers |
//! |---|---|
//! | [`source`] | what do nflverse, football-data.co.uk, The Odds API, ESPN and files of any columns say? |
//! | [`demo`] | what if there is no data yet? |
//! | [`location`] | where do the bytes lie? |
//! | [`pull`] | how are they had, politely and only when they are new? |
//! | [`identity`] | which game of the league is meant? |
//! | [`contract`] | can a feed be believed? |
//! | [`store`] | where is everything kept? |
//! | [`lake`] | what is known, and what was refused? |
//! | [`snapshot`] | what was known before an instant? |
//! | [`error`] | what went wrong, and what to do about it? |
//!
//! polars, arrow, `object_store` and reqwest stay inside; no signature of this crate names them.

pub mod contract;
pub mod demo;
pub mod error;
pub mod identity;
pub mod lake;
pub mod location;
pub mod pull;
pub mod snapshot;
pub mod source;
pub mod store;

mod blocking;
mod http;

pub use contract::{Finding, Level};
pub use demo::DemoSource;
pub use error::DataError;
pub use identity::Aliases;
pub use lake::{
    Compacted, Coverage, ImportReport, ImportSettings, IngestReport, Lake, QuarantinedRow, RowCounts,
    RowKind, SeasonCoverage,
};
pub use location::Location;
pub use pull::{Pull, Request};
pub use snapshot::{Freshness, League, Snapshot};
pub use source::{
    Columns, CsvFile, CsvSettings, Espn, Event, FootballData, Leads, Nflverse, OddsFormat, Parsed, Payload,
    Refused, Source, TheOddsApi,
};
pub use store::Store;
