//! The named nodes of each kind, by league and name: a later name shifts an index, never the order of two old ones.

use crate::{
    NodeKind, Relation,
    growth::{Growth, Moved},
    rows::{NONE, Rows},
};

/// Relations that a context row states, in the order of its names.
pub(crate) const STATED: [Relation; 6] = [
    Relation::PlayedAt,
    Relation::HomeCoach,
    Relation::AwayCoach,
    Relation::HomePlayer,
    Relation::AwayPlayer,
    Relation::Officiates,
];

/// The named nodes of each kind: distinct (league, name code), sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Nodes(Vec<Vec<(u32, u32)>>);

impl Default for Nodes {
    fn default() -> Self {
        Self(vec![Vec::new(); NodeKind::ALL.len()])
    }
}

impl Nodes {
    pub(crate) fn grown(&self, rows: &Rows, growth: &Growth) -> Self {
        let moved = |&(league, name): &(u32, u32)| (league, growth.names.of(name));
        let mut kinds: Vec<Vec<_>> = self.0.iter().map(|kind| kind.iter().map(moved).collect()).collect();
        for header in &rows.headers {
            kinds[NodeKind::Team as usize]
                .extend([(header.league, header.home), (header.league, header.away)]);
        }
        for row in &rows.context[growth.context..] {
            let league = rows.headers[row.header as usize].league;
            for (relation, name) in STATED.into_iter().zip(row.names).filter(|(_, name)| *name != NONE) {
                kinds[relation.source() as usize].push((league, name));
            }
        }
        let books = rows.lines[growth.lines..].iter();
        kinds[NodeKind::Book as usize]
            .extend(books.map(|row| (rows.headers[row.header as usize].league, row.book)));
        for kind in &mut kinds {
            kind.sort_unstable();
            kind.dedup();
        }
        Self(kinds)
    }

    /// Returns where the nodes of `self` are found in `grown`, by kind.
    pub(crate) fn moved(&self, grown: &Self, growth: &Growth) -> MovedNodes {
        MovedNodes(NodeKind::ALL.map(|kind| {
            let old = self.0.get(kind as usize).into_iter().flatten();
            Moved::between(old, |&(league, name)| {
                grown.find(kind, league, growth.names.of(name)).map(|node| node as usize)
            })
        }))
    }

    pub(crate) fn find(&self, kind: NodeKind, league: u32, name: u32) -> Option<u32> {
        self.0[kind as usize].binary_search(&(league, name)).ok().map(|node| node as u32)
    }

    pub(crate) fn count(&self, kind: NodeKind) -> usize {
        self.0[kind as usize].len()
    }

    /// Returns the code of a node's name.
    pub(crate) fn name(&self, kind: NodeKind, node: usize) -> u32 {
        self.0[kind as usize][node].1
    }

    /// Returns the index of a node's league.
    pub(crate) fn league(&self, kind: NodeKind, node: usize) -> u32 {
        self.0[kind as usize][node].0
    }

    pub(crate) fn code(&self, kind: NodeKind, league: u32, name: u32) -> u32 {
        self.find(kind, league, name).unwrap_or(NONE)
    }
}

/// Where the nodes of each kind went, by kind; nothing for kinds without names.
#[derive(Debug, Default)]
pub(crate) struct MovedNodes(pub(crate) [Moved; NodeKind::ALL.len()]);
