//! One game with the nodes next to it, each of which is looked at by itself.
//!
//! What lies below a named node depends on nothing but the node and the instant, so it need not be looked at again for the
//! next game.
//!
//! # Example
//! ```
//! use data::Snapshot;
//! use graph::{Graph, Meeting, SampleSettings, Sampler};
//! use market::LeagueId;
//! let as_of = "2021-11-11T09:00:00Z".parse().unwrap();
//! let graph = Graph::build(&Snapshot::new(as_of, vec![], vec![], vec![], vec![]));
//! let sampler = Sampler::new(&graph, SampleSettings::default());
//! let league = LeagueId::new("nfl").unwrap();
//! let around = graph.hypothetical(&Meeting::new(&league, "MIA", "BAL", as_of), as_of).map(|asked| sampler.around(&asked));
//! assert!(around.is_err(), "nobody has played yet");
//! ```

use crate::{
    Asked, Block, NodeKind, Relation, Sampler,
    consensus::Pick,
    features,
    instant::days,
    sampler::{Limit, Row},
};

/// A game and the nodes next to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Around {
    /// The game's features: the row that [`Batch::seeds`](crate::Batch::seeds) has.
    pub features: Vec<f32>,
    /// By relation in the order of [`Relation::ALL`], in each the most recent first.
    pub sources: Vec<Source>,
    /// Index of its league in [`Graph::leagues`](crate::Graph::leagues).
    pub league: usize,
    /// As in [`Batch::consensus`](crate::Batch::consensus).
    pub consensus: Option<[f64; 3]>,
    /// As in [`Batch::expected`](crate::Batch::expected).
    pub expected: [f64; 2],
}

/// A node next to a game.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Source {
    /// How it reaches the game.
    pub relation: Relation,
    /// Its index among the nodes of its kind.
    pub node: usize,
    /// Days from the edge's instant to the as-of; 0 in the relations of a team, and in what a question supposes.
    pub age_days: f32,
}

impl Source {
    /// Returns the node's kind.
    pub fn kind(&self) -> NodeKind {
        self.relation.source()
    }
}

impl Sampler<'_> {
    /// Looks at a game and the nodes next to it: what [`sample_asked`](Self::sample_asked) finds within one hop.
    pub fn around(&self, asked: &Asked) -> Around {
        let graph = self.graph();
        let with_market = self.settings().with_market;
        let mut features = vec![0.0; features::width(NodeKind::Game)];
        let expected = graph.write_game(asked, with_market, &mut features);
        let consensus = with_market.then(|| graph.opinion(asked, asked.as_of, Pick::Latest).moneyline);
        let mut sources = Vec::with_capacity(8);
        let relations =
            if self.settings().hops == 0 { None } else { Some(self.relations_into(NodeKind::Game)) };
        for relation in relations.into_iter().flatten() {
            let limit = Limit { count: self.settings().fan_out.of(relation), past: self.settings().past };
            graph.sources(relation, asked, asked.game, limit, &mut |time, node| {
                let age_days = days(time, asked.as_of) as f32;
                sources.push(Source { relation, node: node as usize, age_days });
            });
        }
        Around {
            features,
            sources,
            league: asked.fixture.league as usize,
            consensus: consensus.flatten(),
            expected: [expected.margin(), expected.total()],
        }
    }

    /// Samples one node next to a game and what lies below it: a block of one row, as it stands in the batch.
    ///
    /// It depends on the node and the question's as-of alone.
    pub fn below(&self, asked: &Asked, source: &Source) -> Block {
        let row = Row { seed: 0, node: source.node as u32 };
        self.block(&[*asked], source.kind(), &[row], self.settings().hops - 1)
    }
}
