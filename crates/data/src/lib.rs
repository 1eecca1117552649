//! Lines and results from their sources into Parquet, and back as of an instant.

pub mod snapshot;

pub use snapshot::{League, Snapshot};
