//! As-of temporal heterogeneous graph over games, and the sampler that cuts training batches out of it.
//!
//! The one rule: an answer as of `t` depends only on rows with `known_at < t`. Nothing is filtered late;
//! every look-up is a binary search for the last entry strictly before the instant.
//!
//! | module | question it answers |
//! |---|---|
//! | [`kind`] | which kinds of nodes are there, and how do they reach one another? |
//! | [`graph`](mod@graph) | what is known of a game as of an instant? |
//! | [`features`] | which numbers describe a node as of an instant? |
//! | [`sampler`], [`batch`] | what surrounds a game, as padded rectangles? |
//! | [`neighbourhood`] | the same for people: table, DOT, SVG |
//! | [`trace`] | who stands at each place of a batch? |
//! | [`meta`] | do the relations fit together? |
//! | [`storage`] | the graph as plain columns |

mod build;
mod consensus;
mod drift;
mod error;
mod growth;
mod hypothetical;
mod instant;
mod nodes;
mod picture;
mod quotes;
mod ratings;
mod rows;
mod strength;
mod timeline;
mod walk;

pub mod batch;
pub mod features;
pub mod graph;
pub mod kind;
pub mod meta;
pub mod neighbourhood;
pub mod sampler;
pub mod storage;
pub mod trace;

pub use batch::{Batch, Block, Children};
pub use error::GraphError;
pub use graph::{Graph, GraphSettings};
pub use kind::{NodeKind, Relation};
pub use neighbourhood::Neighbourhood;
pub use sampler::{FanOut, Past, SampleSettings, Sampler, Seed};
pub use storage::Column;
pub use trace::Trace;
