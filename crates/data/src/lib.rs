//! Lines and results from their sources into Parquet, and back as of an instant.

mod blocking;
pub mod demo;
pub mod error;
pub mod lake;
pub mod location;
pub mod snapshot;
pub mod source;
pub mod store;

pub use error::DataError;
pub use lake::{IngestReport, Lake, QuarantinedRow, RowCounts};
pub use location::Location;
pub use snapshot::{Freshness, League, Snapshot};
pub use source::{FootballData, Leads, Nflverse, Parsed, Payload, Refused, Source};
pub use store::Store;
