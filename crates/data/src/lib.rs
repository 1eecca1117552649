//! Lines and results from their sources into Parquet, and back as of an instant.

pub mod error;
pub mod snapshot;
pub mod source;

pub use error::DataError;
pub use snapshot::{League, Snapshot};
pub use source::{Parsed, Payload, Refused, Source};
