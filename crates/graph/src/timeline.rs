//! What was the latest thing known before an instant: sorted arrays with one slice per node.

use crate::growth::Moved;

/// Edges of one relation, or statements about a target: per target sorted by (time, source).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edges {
    offsets: Vec<u32>,
    time: Vec<i64>,
    source: Vec<u32>,
}

impl Default for Edges {
    fn default() -> Self {
        Self { offsets: vec![0], time: vec![], source: vec![] }
    }
}

impl Edges {
    /// Sorts `(target, time, source)` triples of `targets` nodes; a repeated triple counts once.
    pub(crate) fn new(targets: usize, mut edges: Vec<(u32, i64, u32)>) -> Self {
        // Stable, because it merges what is sorted already: an old graph's edges with a night's.
        edges.sort_by(Ord::cmp);
        edges.dedup();
        Self {
            offsets: offsets(targets, edges.iter().map(|edge| edge.0)),
            time: edges.iter().map(|edge| edge.1).collect(),
            source: edges.iter().map(|edge| edge.2).collect(),
        }
    }

    /// Returns every edge under the targets' and sources' new indices.
    pub(crate) fn moved(
        &self,
        targets: &Moved,
        source: impl Fn(u32) -> u32,
    ) -> impl Iterator<Item = (u32, i64, u32)> {
        let entries = self.time.iter().zip(&self.source);
        owners(&self.offsets)
            .zip(entries)
            .map(move |(target, (time, of))| (targets.of(target), *time, source(*of)))
    }

    /// Returns times and sources of the target's edges strictly before `as_of`, oldest first.
    pub(crate) fn before(&self, target: u32, as_of: i64) -> (&[i64], &[u32]) {
        let visible = visible(&self.offsets, &self.time, target, as_of);
        (&self.time[visible.clone()], &self.source[visible])
    }

    /// Returns the latest edge strictly before `as_of`.
    pub(crate) fn latest(&self, target: u32, as_of: i64) -> Option<(i64, u32)> {
        let (time, source) = self.before(target, as_of);
        Some((*time.last()?, *source.last()?))
    }
}

/// A node's state after each event, looked up as of an instant by binary search.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct History<T> {
    offsets: Vec<u32>,
    time: Vec<i64>,
    state: Vec<T>,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self { offsets: vec![0], time: vec![], state: vec![] }
    }
}

impl<T> History<T> {
    /// Files `(node, time, state after)` events; events of equal node and time keep their order.
    pub(crate) fn new(nodes: usize, mut events: Vec<(u32, i64, T)>) -> Self {
        events.sort_by_key(|event| (event.0, event.1));
        let offsets = offsets(nodes, events.iter().map(|event| event.0));
        let (time, state) = events.into_iter().map(|(_, time, state)| (time, state)).unzip();
        Self { offsets, time, state }
    }

    /// Returns every event under the nodes' new indices.
    pub(crate) fn moved(&self, nodes: &Moved) -> impl Iterator<Item = (u32, i64, T)>
    where
        T: Copy,
    {
        let entries = self.time.iter().zip(&self.state);
        owners(&self.offsets).zip(entries).map(|(node, (time, state))| (nodes.of(node), *time, *state))
    }

    /// Returns every state with the instant of its event and that of the node's next one, at the latest
    /// [`i64::MAX`]: it is what is known as of any instant after the first up to the second.
    pub(crate) fn spans(&self) -> impl Iterator<Item = (i64, i64, &T)> {
        let next = |node: &[u32]| {
            let times = &self.time[node[0] as usize..node[1] as usize];
            times.iter().copied().skip(1).chain((!times.is_empty()).then_some(i64::MAX))
        };
        let until = self.offsets.windows(2).flat_map(next);
        self.time.iter().zip(until).zip(&self.state).map(|((since, until), state)| (*since, until, state))
    }

    /// Returns the states after the events strictly before `as_of`, oldest first.
    pub(crate) fn until(&self, node: u32, as_of: i64) -> &[T] {
        &self.state[visible(&self.offsets, &self.time, node, as_of)]
    }

    /// Returns the state that the last event strictly before `as_of` left behind.
    pub(crate) fn before(&self, node: u32, as_of: i64) -> Option<&T> {
        self.until(node, as_of).last()
    }
}

/// Returns the state that each node was left in by its last event, of events that are in order.
pub(crate) fn last_states<T: Copy + Default>(events: &[(u32, i64, T)], nodes: usize) -> Vec<T> {
    let mut states = vec![T::default(); nodes];
    for (node, _, state) in events {
        states[*node as usize] = *state;
    }
    states
}

/// Returns where each of `nodes` slices begins, given the sorted node of each entry.
pub(crate) fn offsets(nodes: usize, sorted: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut offsets = vec![0u32; nodes + 1];
    for node in sorted {
        offsets[node as usize + 1] += 1;
    }
    for i in 1..offsets.len() {
        offsets[i] += offsets[i - 1];
    }
    offsets
}

/// Returns the node of each entry.
fn owners(offsets: &[u32]) -> impl Iterator<Item = u32> {
    let slices = offsets.windows(2).enumerate();
    slices.flat_map(|(node, ends)| std::iter::repeat_n(node as u32, (ends[1] - ends[0]) as usize))
}

fn visible(offsets: &[u32], time: &[i64], node: u32, as_of: i64) -> std::ops::Range<usize> {
    let (start, end) = (offsets[node as usize] as usize, offsets[node as usize + 1] as usize);
    start..start + time[start..end].partition_point(|t| *t < as_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_is_hidden_at_its_own_instant() {
        let edges = Edges::new(2, vec![(1, 5, 7), (1, 3, 9), (0, 4, 1), (1, 5, 7)]);
        assert_eq!(edges.before(1, 5), (&[3][..], &[9][..]));
        assert_eq!(edges.latest(1, 6), Some((5, 7)));
        assert_eq!(edges.before(1, 100).0.len(), 2, "the repeated edge counts once");
        assert_eq!(edges.latest(0, 4), None);
    }

    #[test]
    fn the_last_event_before_the_instant_is_the_state() {
        let history = History::new(2, vec![(0, 1, 'a'), (0, 2, 'b'), (0, 2, 'c'), (1, 0, 'x')]);
        assert_eq!(history.before(0, 2), Some(&'a'));
        assert_eq!(history.before(0, 3), Some(&'c'));
        assert_eq!(history.before(1, 0), None);
    }
}
