//! As-of temporal heterogeneous graph over games, and the sampler that cuts training batches out of it.

pub mod batch;
pub mod kind;

pub use batch::{Batch, Block, Children};
pub use kind::{NodeKind, Relation};

/// Placeholder.
#[derive(Debug)]
pub struct Graph;
