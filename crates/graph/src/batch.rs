//! A sampled neighbourhood as a tree of padded rectangles, ready to be turned into tensors.
//!
//! Because each relation has a fixed fan-out, the children of `rows` nodes are exactly `rows * fan_out`
//! rows, and attention over them is a batched dense product.
//!
//! # Example
//! ```
//! use graph::{Block, NodeKind};
//! let seeds = Block { kind: NodeKind::Game, rows: 2, width: 1, features: vec![0.5, 1.0], children: vec![] };
//! assert_eq!(seeds.features.len(), seeds.rows * seeds.width);
//! ```

use crate::kind::{NodeKind, Relation};

/// `rows` nodes of one kind with what was sampled below them.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Kind of every row.
    pub kind: NodeKind,
    /// Number of rows, padding included.
    pub rows: usize,
    /// Features per row; the same for every block of a kind.
    pub width: usize,
    /// Row-major `[rows, width]`; zeros in padding.
    pub features: Vec<f32>,
    /// One entry per relation into the kind that was sampled; empty at the last hop.
    pub children: Vec<Children>,
}

/// The sampled sources of one relation for every row of the block above.
#[derive(Debug, Clone, PartialEq)]
pub struct Children {
    /// The relation.
    pub relation: Relation,
    /// Sources per target row.
    pub fan_out: usize,
    /// `[target rows, fan_out]`: 1 where there is a source, 0 for padding; sources come first, most recent first.
    pub present: Vec<f32>,
    /// `[target rows, fan_out]`: days from the edge's instant to the seed's as-of, never negative; 0 in padding.
    pub age_days: Vec<f32>,
    /// The sources: `target rows * fan_out` rows.
    pub block: Block,
}

/// A batch of seed games with their neighbourhoods.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The seeds, a block of kind [`NodeKind::Game`], in the order asked.
    pub seeds: Block,
    /// League index of each seed in [`Graph::leagues`](crate::Graph::leagues).
    pub league: Vec<i64>,
    /// No-vig consensus of home, draw and away of each seed as of its instant, as [`Graph::consensus`] tells it;
    /// none without one, and none at all without market inputs.
    ///
    /// [`Graph::consensus`]: crate::Graph::consensus
    pub consensus: Vec<Option<[f64; 3]>>,
    /// Margin and total in points that the ratings expect of each seed, as [`Graph::expected_score`] tells them.
    ///
    /// [`Graph::expected_score`]: crate::Graph::expected_score
    pub expected: Vec<[f64; 2]>,
}
