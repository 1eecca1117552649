//! Who stands at each place of a sampled batch: names and words beside the numbers, for explanations.
//!
//! # Example
//! ```
//! use graph::{NodeKind, trace::Trace};
//! let game = Trace { kind: NodeKind::Game, name: "Jets at Bills".into(), says: String::new(), age_days: 0.0, branches: vec![] };
//! assert_eq!(game.kind.as_str(), "game");
//! ```

use crate::{Asked, NodeKind, Relation, Sampler, Seed, instant::days, sampler::Limit};

/// A node and what was sampled below it.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Its kind.
    pub kind: NodeKind,
    /// Its name; empty for a hypothetical game.
    pub name: String,
    /// What it says, in a few words.
    pub says: String,
    /// Days from its edge's instant to the as-of.
    pub age_days: f64,
    /// By relation, in the order of [`Block::children`](crate::Block::children): the sources that are present, in the
    /// places that they have there.
    pub branches: Vec<(Relation, Vec<Self>)>,
}

impl Sampler<'_> {
    /// Names what [`sample`](Self::sample) finds for one seed.
    pub fn trace(&self, seed: Seed) -> Trace {
        self.trace_asked(&self.graph().asked(seed.game, seed.as_of))
    }

    /// Names what [`sample_asked`](Self::sample_asked) finds for one game: of a hypothetical one the venue and the key
    /// players that are supposed too.
    pub fn trace_asked(&self, asked: &Asked) -> Trace {
        self.walk(asked, NodeKind::Game, asked.game, asked.as_of, self.settings().hops)
    }

    fn walk(&self, asked: &Asked, kind: NodeKind, node: u32, time: i64, hops: usize) -> Trace {
        let graph = self.graph();
        let below = |relation: Relation| {
            let mut found = Vec::new();
            let limit = Limit { count: self.settings().fan_out.of(relation), past: self.settings().past };
            graph.sources(relation, asked, node, limit, &mut |time, source| found.push((time, source)));
            let sources = found.into_iter();
            let named = sources
                .map(|(time, source)| self.walk(asked, relation.source(), source, time, hops - 1))
                .collect();
            (relation, named)
        };
        let branches = if hops == 0 { vec![] } else { self.relations_into(kind).map(below).collect() };
        let (name, says) = if kind == NodeKind::Game {
            (String::new(), String::new())
        } else {
            (graph.node_name(kind, node as usize), graph.says(kind, node, asked.as_of))
        };
        Trace { kind, name, says, age_days: days(time, asked.as_of), branches }
    }
}
