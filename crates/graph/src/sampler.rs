//! The as-of sampler: per relation the most recent neighbours strictly older than the seed's instant, padded to rectangles.
//!
//! # Example
//! ```
//! use data::Snapshot;
//! use graph::{Graph, SampleSettings, Sampler};
//! let snapshot = Snapshot::new("2021-11-11T09:00:00Z".parse().unwrap(), vec![], vec![], vec![], vec![]);
//! let graph = Graph::build(&snapshot);
//! let batch = Sampler::new(&graph, SampleSettings::default()).sample(&[]);
//! assert_eq!(batch.seeds.rows, 0);
//! ```

use jiff::Timestamp;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::{
    Asked, Batch, Block, Children, Graph, NodeKind, Relation, asked::Starter, consensus::Pick, features,
    instant::days, rows::NONE,
};

/// A game to be looked at as of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seed {
    /// Index in [`Graph::games`]; from the same graph, anything else is a bug that panics.
    pub game: usize,
    /// Nothing known at or after this instant is used.
    pub as_of: Timestamp,
}

/// Largest number of sources per relation and target.
///
/// # Example
/// ```
/// use graph::{FanOut, Relation};
/// let fan_out = FanOut::default().with(Relation::TeamHomeOutcome, 4);
/// assert_eq!((fan_out.of(Relation::TeamHomeOutcome), fan_out.of(Relation::CoachOutcome)), (4, 8));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FanOut([usize; Relation::ALL.len()]);

impl Default for FanOut {
    /// Ten home and ten away outcomes per team, 18 lines (six books on three markets), 8 outcomes elsewhere.
    fn default() -> Self {
        Self(Relation::ALL.map(|relation| match relation {
            Relation::TeamHomeOutcome | Relation::TeamAwayOutcome => 10,
            Relation::Quotes => 18,
            single if single.is_single() => 1,
            _ => 8,
        }))
    }
}

impl FanOut {
    /// Returns the fan-out of a relation.
    pub fn of(&self, relation: Relation) -> usize {
        self.0[relation as usize]
    }

    /// Sets one relation's fan-out; 0 leaves the relation out. A target has at most one source in those
    /// relations that are [single](Relation::is_single), whatever is set.
    #[must_use]
    pub fn with(mut self, relation: Relation, fan_out: usize) -> Self {
        self.0[relation as usize] = if relation.is_single() { fan_out.min(1) } else { fan_out };
        self
    }

    /// Sets the number of past outcomes per team, coach, player, venue and referee.
    #[must_use]
    pub fn with_outcomes(self, fan_out: usize) -> Self {
        let outcomes = Relation::ALL.into_iter().filter(|relation| relation.source() == NodeKind::Outcome);
        outcomes.fold(self, |all, relation| all.with(relation, fan_out))
    }
}

/// What is sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SampleSettings {
    /// Sources per relation.
    pub fan_out: FanOut,
    /// Steps from the seed: 2 reaches past outcomes, 3 both teams of each.
    pub hops: usize,
    /// Whether lines, books and the market's columns are there; without it those columns are 0.
    pub with_market: bool,
    /// Which past outcomes fill a fan-out.
    pub past: Past,
}

/// Which of the visible past outcomes fill a fan-out that is too small for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Past {
    /// The most recent.
    #[default]
    Recent,
    /// The most recent for one half, and a reservoir of all earlier ones for the other; the same seed draws the same.
    Reservoir(u64),
}

impl Default for SampleSettings {
    fn default() -> Self {
        Self { fan_out: FanOut::default(), hops: 2, with_market: false, past: Past::Recent }
    }
}

/// Cuts batches out of a graph; the same seeds give the same bits.
#[derive(Debug, Clone, Copy)]
pub struct Sampler<'a> {
    graph: &'a Graph,
    settings: SampleSettings,
}

/// A row of a block: a node below some seed, or padding ([`NONE`]).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) seed: u32,
    pub(crate) node: u32,
}

impl<'a> Sampler<'a> {
    /// Samples from `graph` under `settings`.
    pub fn new(graph: &'a Graph, settings: SampleSettings) -> Self {
        Self { graph, settings }
    }

    /// Returns the settings.
    pub fn settings(&self) -> SampleSettings {
        self.settings
    }

    /// Samples the neighbourhoods of known games.
    ///
    /// Only what was known strictly before a seed's as-of is used, and never the seed's own outcome or what
    /// followed it: a later as-of counts as the instant at which that outcome became known.
    pub fn sample(&self, seeds: &[Seed]) -> Batch {
        let asked: Vec<Asked> = seeds.iter().map(|seed| self.graph.asked(seed.game, seed.as_of)).collect();
        self.batch(&asked)
    }

    /// Samples consecutive pieces of at most `size` games, on all cores.
    ///
    /// Each piece is sampled by itself, so the answer is the same on any number of cores.
    pub fn pieces(&self, seeds: &[Seed], size: usize) -> Vec<Batch> {
        seeds.par_chunks(size.max(1)).map(|piece| self.sample(piece)).collect()
    }

    /// Samples the neighbourhoods of games that were asked for: known ones, or such as need not exist.
    pub fn sample_asked(&self, asked: &[Asked]) -> Batch {
        self.batch(asked)
    }

    /// Returns the graph.
    pub fn graph(&self) -> &'a Graph {
        self.graph
    }

    /// Returns the relations into `kind` that are sampled, in order.
    pub(crate) fn relations_into(&self, kind: NodeKind) -> impl Iterator<Item = Relation> + use<> {
        let SampleSettings { fan_out, with_market, .. } = self.settings;
        let sampled = move |relation: &Relation| {
            relation.target() == kind && fan_out.of(*relation) > 0 && (with_market || !relation.is_market())
        };
        Relation::ALL.into_iter().filter(sampled)
    }

    fn batch(&self, asked: &[Asked]) -> Batch {
        let rows = (0..asked.len() as u32).map(|seed| Row { seed, node: asked[seed as usize].game });
        let consensus = |asked: &Asked| {
            self.settings
                .with_market
                .then(|| self.graph.opinion(asked, asked.as_of, Pick::Latest).moneyline)
                .flatten()
        };
        let expected = |asked: &Asked| {
            let expected = self.graph.expected(asked);
            [expected.margin(), expected.total()]
        };
        Batch {
            expected: asked.iter().map(expected).collect(),
            seeds: self.block(asked, NodeKind::Game, &rows.collect::<Vec<_>>(), self.settings.hops),
            league: asked.iter().map(|asked| i64::from(asked.fixture.league)).collect(),
            consensus: asked.iter().map(consensus).collect(),
        }
    }

    pub(crate) fn block(&self, asked: &[Asked], kind: NodeKind, rows: &[Row], hops: usize) -> Block {
        let width = features::width(kind);
        let mut values = vec![0.0; rows.len() * width];
        for (row, values) in rows.iter().zip(values.chunks_exact_mut(width)) {
            let asked = &asked[row.seed as usize];
            if kind == NodeKind::Game {
                self.graph.write_game(asked, self.settings.with_market, values);
            } else if row.node != NONE {
                self.graph.write(kind, row.node, asked.as_of, values);
            }
        }
        let children = match hops {
            0 => vec![],
            _ => {
                self.relations_into(kind).map(|relation| self.children(asked, relation, rows, hops)).collect()
            }
        };
        Block { kind, rows: rows.len(), width, features: values, children }
    }

    fn children(&self, asked: &[Asked], relation: Relation, targets: &[Row], hops: usize) -> Children {
        let fan_out = self.settings.fan_out.of(relation);
        let size = targets.len() * fan_out;
        let mut present = vec![0.0; size];
        let mut age_days = vec![0.0; size];
        let mut rows = Vec::with_capacity(size);
        for target in targets {
            let asked = &asked[target.seed as usize];
            let first = rows.len();
            if target.node != NONE || relation.target() == NodeKind::Game {
                let limit = Limit { count: fan_out, past: self.settings.past };
                self.graph.sources(relation, asked, target.node, limit, &mut |time, node| {
                    present[rows.len()] = 1.0;
                    age_days[rows.len()] = days(time, asked.as_of) as f32;
                    rows.push(Row { seed: target.seed, node });
                });
            }
            rows.resize(first + fan_out, Row { seed: target.seed, node: NONE });
        }
        let block = self.block(asked, relation.source(), &rows, hops - 1);
        Children { relation, fan_out, present, age_days, block }
    }
}

/// How many sources, and which.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    pub(crate) count: usize,
    pub(crate) past: Past,
}

/// Draws `count` of `0..from`, without repetition, the largest first.
fn drawn(seed: u64, from: usize, count: usize) -> Vec<usize> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut drawn = rand::seq::index::sample(&mut random, from, count.min(from)).into_vec();
    drawn.sort_unstable_by(|a, b| b.cmp(a));
    drawn
}

impl Graph {
    /// Hands over sources of a relation into `target`, up to a limit, most recent first: `take(time, source)`.
    ///
    /// For relations into the game the target is the asked game itself.
    pub(crate) fn sources(
        &self,
        relation: Relation,
        asked: &Asked,
        target: u32,
        limit: Limit,
        take: &mut dyn FnMut(i64, u32),
    ) {
        match relation {
            Relation::HomeTeam => take(asked.as_of, asked.fixture.home),
            Relation::AwayTeam => take(asked.as_of, asked.fixture.away),
            Relation::HomePlayer if asked.supposed.starters[0] != Starter::AsStated => {
                asked.supposed.starters[0].named().into_iter().for_each(|player| take(asked.as_of, player));
            }
            Relation::AwayPlayer if asked.supposed.starters[1] != Starter::AsStated => {
                asked.supposed.starters[1].named().into_iter().for_each(|player| take(asked.as_of, player));
            }
            Relation::PlayedAt if asked.supposed.venue.is_some() => {
                asked.supposed.venue.into_iter().for_each(|venue| take(asked.as_of, venue));
            }
            Relation::OutcomeHomeTeam | Relation::OutcomeAwayTeam => {
                let outcome = &self.outcomes[target as usize];
                let home = relation == Relation::OutcomeHomeTeam;
                take(outcome.time, if home { outcome.home } else { outcome.away });
            }
            Relation::Quotes => self.standing_lines(asked, limit.count, take),
            Relation::Posts => {
                if let Some(quote) = self.quotes.before(target, asked.as_of).last() {
                    take(quote.time, self.quotes.lines[target as usize].book);
                }
            }
            _ if relation.target() == NodeKind::Game && asked.game == NONE => {}
            _ => {
                let target = if relation.target() == NodeKind::Game { asked.game } else { target };
                let (times, sources) = self.relation(relation).before(target, asked.as_of);
                let recent = match limit.past {
                    Past::Reservoir(_)
                        if relation.source() == NodeKind::Outcome && times.len() > limit.count =>
                    {
                        limit.count.div_ceil(2)
                    }
                    _ => limit.count,
                };
                let visible = times.iter().zip(sources).rev();
                visible.take(recent).for_each(|(time, source)| take(*time, *source));
                if let Past::Reservoir(seed) = limit.past
                    && recent < limit.count
                {
                    let of = seed ^ self.lasting_hash(relation, target);
                    for earlier in drawn(of, times.len() - recent, limit.count - recent) {
                        take(times[earlier], sources[earlier]);
                    }
                }
            }
        }
    }

    /// Returns a number for a relation into a named node that no later row changes, as its index would.
    fn lasting_hash(&self, relation: Relation, target: u32) -> u64 {
        let kind = relation.target();
        let league = &self.leagues()[self.nodes.league(kind, target as usize) as usize].id;
        let name = self.node_name(kind, target as usize);
        let bytes = [relation.as_str(), league.as_str(), &name].join("/").into_bytes();
        // FNV-1a
        bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }

    /// Hands over each book's latest quotes, most recent first, a third of `limit` per market.
    fn standing_lines(&self, asked: &Asked, limit: usize, take: &mut dyn FnMut(i64, u32)) {
        if asked.game == NONE {
            return;
        }
        let standing = self.quotes.of_game(asked.game).filter_map(|line| {
            let quote = self.quotes.before(line, asked.as_of).last()?;
            Some((quote.time, line))
        });
        let mut standing: Vec<(i64, u32)> = standing.collect();
        standing.sort_by_key(|&(time, line)| (std::cmp::Reverse(time), line));
        let mut room = [limit.div_ceil(3); 3];
        standing.retain(|&(_, line)| {
            let room = &mut room[self.quotes.lines[line as usize].market as usize];
            let fits = *room > 0;
            *room = room.saturating_sub(1);
            fits
        });
        standing.into_iter().take(limit).for_each(|(time, line)| take(time, line));
    }
}
