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
//! | [`around`] | what is next to a game, node by node? |
//! | [`neighbourhood`] | the same for people: table, DOT, SVG |
//! | [`hypothetical`], [`asked`] | what if two teams met, at that venue, without those players? |
//! | [`trace`] | who stands at each place of a batch? |
//! | [`meta`] | do the relations fit together? |
//! | [`storage`] | the graph as plain columns |

mod build;
mod calendar;
mod consensus;
mod drift;
mod error;
mod growth;
mod instant;
mod key_player;
mod nodes;
mod picture;
mod quotes;
mod ratings;
mod rows;
mod strength;
mod timeline;
mod walk;

pub mod around;
pub mod asked;
pub mod batch;
pub mod features;
pub mod graph;
pub mod hypothetical;
pub mod kind;
pub mod meta;
pub mod neighbourhood;
pub mod sampler;
pub mod storage;
pub mod trace;

pub use around::{Around, Source};
pub use asked::Asked;
pub use batch::{Batch, Block, Children};
pub use error::GraphError;
pub use graph::{Graph, GraphSettings};
pub use hypothetical::Meeting;
pub use kind::{NodeKind, Relation};
pub use neighbourhood::Neighbourhood;
pub use sampler::{FanOut, Past, SampleSettings, Sampler, Seed};
pub use storage::Column;
pub use trace::Trace;
