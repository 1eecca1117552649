//! Lines and results from their sources into Parquet, and back as of an instant.
//!
//! ```text
//! Location ──bytes──▶ Source ──rows, refusals──▶ Lake ──known_at < as_of──▶ Snapshot ──▶ graph
//!                                                 └ Store: a folder or a bucket, whole writes only
//! ```
//!
//! - A [`Source`] fetches payloads and reads them into rows. It states when each row became known; where the outside
//!   world does not say so, its [`Leads`] assume it and [`Source::assumptions`] says it in words for the report.
//! - The [`Lake`] keeps the raw bytes, then the rows in Parquet by league and season, then a marker. Objects are named by
//!   their content and never change, so that a second pull adds nothing and a killed one is completed by the next.
//! - What cannot be right is not dropped but quarantined with its reason: an unreadable date, a price of 1 or below, a
//!   book's market with an impossible overround, a row that contradicts one that is stored (the first stays).
//! - A payload that is no table at all (empty, HTML, truncated, columns missing) is a [`DataError`] before anything is written.
//! - Files of many million line rows come in by [`Lake::import`], in memory that does not grow with their rows.
//! - A [`Snapshot`] is the only way out: rows with `known_at < as_of`, in one fixed order.
//!
//! | module | question it answers |
//! |---|---|
//! | [`source`] | what do nflverse, football-data.co.uk and others of their kind say? |
//! | [`demo`] | what if there is no data yet? |
//! | [`location`] | where do the bytes lie? |
//! | [`pull`] | how are they had, politely and only when they are new? |
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
