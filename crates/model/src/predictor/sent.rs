//! What nodes next to a game send to it, kept for the next game: it depends on the node and the as-of alone.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use graph::{Asked, Graph, NodeKind, Sampler, Source};

use crate::{Variant, forecast::Forecaster};

/// Nodes that are kept; about 30 MB with three members in the default sizes.
const MOST: usize = 20_000;

/// Kinds that stand next to many games.
const KEPT: [NodeKind; 5] =
    [NodeKind::Team, NodeKind::Venue, NodeKind::Coach, NodeKind::Player, NodeKind::Referee];

/// What nodes send to games that are looked at as of the graph's own instant, by one variant.
#[derive(Debug)]
pub(super) struct Sent {
    /// By kind and node.
    kept: [Vec<OnceLock<Arc<[f32]>>>; NodeKind::ALL.len()],
    count: AtomicUsize,
}

impl Sent {
    pub(super) fn new(graph: &Graph) -> Self {
        let room = |kind: NodeKind| if KEPT.contains(&kind) { graph.node_count(kind) } else { 0 };
        Self {
            kept: NodeKind::ALL.map(|kind| (0..room(kind)).map(|_| OnceLock::new()).collect()),
            count: AtomicUsize::new(0),
        }
    }

    /// Returns what the sources of a game send to it, one after the other; the same bits whether kept or not.
    pub(super) fn to(
        &self,
        asked: &Asked,
        sources: &[Source],
        sampler: &Sampler<'_>,
        forecaster: &Forecaster,
        variant: Variant,
    ) -> Vec<Arc<[f32]>> {
        // Of a finished game only what was known before its result is seen.
        let is_now = asked.as_of() == sampler.graph().as_of();
        let sent = |source: &Source| {
            let make = || forecaster.sent(variant, &sampler.below(asked, source));
            let kept = self.kept[source.kind() as usize].get(source.node).filter(|_| is_now);
            match kept.map(|place| (place, place.get())) {
                Some((_, Some(sent))) => sent.clone(),
                Some((place, None)) if self.count.load(Ordering::Relaxed) < MOST => {
                    let sent = make();
                    if place.set(sent.clone()).is_ok() {
                        self.count.fetch_add(1, Ordering::Relaxed);
                    }
                    sent
                }
                _ => make(),
            }
        };
        sources.iter().map(sent).collect()
    }
}
