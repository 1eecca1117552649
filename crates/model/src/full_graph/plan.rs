//! What a step has to compute, found once: which kinds and relations reach the logits, and in which order of edges.

use std::{collections::BTreeSet, sync::Arc};

use super::{FullGraph, FullGraphError, kernel};

/// A product with a relation's matrices costs less per number than reading the same number for an edge, because a
/// dense product keeps the processor's vector units busy; measured.
const EDGE_COST: usize = 8;

/// Edges of one relation as neighbour lists.
#[derive(Debug)]
pub(crate) struct Csr {
    /// `[rows + 1]`: row `i` owns entries `starts[i]..starts[i + 1]`.
    pub(crate) starts: Vec<u32>,
    /// Row at the other end of each entry.
    pub(crate) other: Vec<u32>,
    /// Number of each entry in the order by target, under which weights are stored.
    pub(crate) edge: Vec<u32>,
}

impl Csr {
    /// Groups `edges` (row, other row, number) by row and keeps their order within a row.
    fn new(rows: usize, edges: impl Iterator<Item = (u32, u32, u32)> + Clone) -> Self {
        let mut starts = vec![0u32; rows + 1];
        for (row, _, _) in edges.clone() {
            starts[row as usize + 1] += 1;
        }
        for row in 0..rows {
            starts[row + 1] += starts[row];
        }
        let mut next = starts.clone();
        let entries = starts[rows] as usize;
        let (mut other, mut edge) = (vec![0; entries], vec![0; entries]);
        for (row, far, number) in edges {
            let at = next[row as usize] as usize;
            (other[at], edge[at]) = (far, number);
            next[row as usize] += 1;
        }
        Self { starts, other, edge }
    }

    /// Rows that have a list.
    pub(crate) fn rows(&self) -> usize {
        self.starts.len() - 1
    }
}

/// Edges of one relation, from both ends.
#[derive(Debug)]
pub(crate) struct Edges {
    pub(crate) by_target: Csr,
    pub(crate) by_source: Csr,
    /// Boundaries of the blocks of sources that one thread takes at a time.
    pub(crate) source_blocks: Vec<usize>,
}

impl Edges {
    /// `pairs` are (source, target); `rows` the numbers of sources and of targets.
    pub(crate) fn new(pairs: &[(u32, u32)], rows: (usize, usize)) -> Self {
        let numbered = (0u32..).zip(pairs).map(|(number, (source, target))| (*target, *source, number));
        let mut by_target = Csr::new(rows.1, numbered);
        by_target.edge = (0..pairs.len() as u32).collect();
        let target_of = (0..rows.1 as u32).flat_map(|target| {
            let (from, to) = (by_target.starts[target as usize], by_target.starts[target as usize + 1]);
            (from..to).map(move |edge| (target, edge))
        });
        let reversed = target_of.map(|(target, edge)| (by_target.other[edge as usize], target, edge));
        let by_source = Csr::new(rows.0, reversed);
        let source_blocks = kernel::blocks(&[&by_source]);
        Self { by_target, by_source, source_blocks }
    }

    /// Number of edges.
    pub(crate) fn len(&self) -> usize {
        self.by_target.other.len()
    }
}

/// A relation whose messages reach the logits.
#[derive(Debug)]
pub(crate) struct LiveRelation {
    /// Position among the layer's live relations.
    pub(crate) number: usize,
    /// Number of the source kind.
    pub(crate) source: usize,
    /// Whether the relation's matrices act on each target's query and sum instead of on each source; the same sum
    /// in another order, cheaper where targets are few.
    pub(crate) lifted: bool,
    pub(crate) edges: Arc<Edges>,
}

/// A kind that a layer updates.
#[derive(Debug)]
pub(crate) struct TargetPlan {
    pub(crate) kind: usize,
    pub(crate) rows: usize,
    /// Relations with edges into it.
    pub(crate) relations: Vec<LiveRelation>,
    /// Boundaries of the blocks of targets that one thread takes at a time.
    pub(crate) blocks: Vec<usize>,
}

/// One layer.
#[derive(Debug)]
pub(crate) struct LayerPlan {
    pub(crate) targets: Vec<TargetPlan>,
    /// Kinds that the next layer needs and no relation updates.
    pub(crate) carried: Vec<usize>,
    /// Live relations as numbers in the graph, with the number of their source kind.
    pub(crate) live: Vec<(usize, usize)>,
}

/// All layers, the lowest first.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Rows of each kind.
    pub(crate) rows: Vec<usize>,
    /// Number of the kind whose rows are classified.
    pub(crate) seed: usize,
    /// Kinds whose features the lowest layer needs.
    pub(crate) inputs: Vec<usize>,
    pub(crate) layers: Vec<LayerPlan>,
}

/// A relation of the graph by numbers.
struct Numbered {
    /// None for a kind that the graph lacks.
    source: Option<usize>,
    target: Option<usize>,
    edges: Option<Arc<Edges>>,
}

impl Plan {
    /// Walks from the seeds back to the inputs.
    pub(crate) fn new(
        graph: &FullGraph,
        hidden: usize,
        heads: usize,
        depth: usize,
    ) -> Result<Self, FullGraphError> {
        let kinds: Vec<&str> = graph.kinds().collect();
        let number = |name: &str| kinds.iter().position(|kind| *kind == name);
        let rows: Vec<usize> = graph.features().map(|features| features.size()[0] as usize).collect();
        let seed = number(&graph.seed).ok_or_else(|| FullGraphError::Missing(format!("x_{}", graph.seed)))?;
        let mut relations = Vec::with_capacity(graph.relations().len());
        for relation in graph.relations() {
            let (source, target) = (number(&relation.source), number(&relation.target));
            let ends = (source.map_or(0, |kind| rows[kind]), target.map_or(0, |kind| rows[kind]));
            let pairs = relation.pairs(ends)?;
            let edges = (!pairs.is_empty()).then(|| Arc::new(Edges::new(&pairs, ends)));
            relations.push(Numbered { source, target, edges });
        }
        let mut needed = BTreeSet::from([seed]);
        let mut layers = Vec::with_capacity(depth);
        for _ in 0..depth {
            let cost = Cost { hidden, heads };
            let layer = LayerPlan::new(&relations, &needed, &rows, &cost);
            needed.extend(layer.live.iter().map(|(_, source)| *source));
            layers.push(layer);
        }
        layers.reverse();
        Ok(Self { rows, seed, inputs: needed.into_iter().collect(), layers })
    }
}

/// What decides where a relation's matrices act.
struct Cost {
    hidden: usize,
    heads: usize,
}

impl Cost {
    /// Compares both orders: a product of `2 hidden * hidden` per row, against `heads` times as much per edge.
    fn lifted(&self, edges: &Edges) -> bool {
        let (sources, targets) = (edges.by_source.rows(), edges.by_target.rows());
        let saved = sources.saturating_sub(targets) * self.hidden;
        saved > EDGE_COST * edges.len() * (self.heads - 1)
    }
}

impl LayerPlan {
    fn new(relations: &[Numbered], needed: &BTreeSet<usize>, rows: &[usize], cost: &Cost) -> Self {
        let mut layer = Self { targets: Vec::new(), carried: Vec::new(), live: Vec::new() };
        for &kind in needed {
            let into = || (0..).zip(relations).filter(|(_, relation)| relation.target == Some(kind));
            if into().next().is_none() {
                layer.carried.push(kind);
                continue;
            }
            let mut target = TargetPlan { kind, rows: rows[kind], relations: Vec::new(), blocks: Vec::new() };
            for (index, relation) in into() {
                let (Some(source), Some(edges)) = (relation.source, &relation.edges) else { continue };
                let number = layer.live.len();
                layer.live.push((index, source));
                let (lifted, edges) = (cost.lifted(edges), Arc::clone(edges));
                target.relations.push(LiveRelation { number, source, lifted, edges });
            }
            let lists: Vec<&Csr> = target.relations.iter().map(|r| &r.edges.by_target).collect();
            target.blocks = kernel::blocks(&lists);
            layer.targets.push(target);
        }
        layer
    }
}
