//! One layer forward and backward: dense products in libtorch, attention in [`kernel`].
//!
//! A relation comes in one of two orders. Usually its matrices act on each source, which gives a table of keys and
//! values. A lifted relation has few targets: there the matrices act on each target's query ("asked") and on the
//! weighted sum of hidden states ("heard"), and the edges read the hidden states themselves.

mod backward;
mod shape;

use tch::Tensor;

use super::{
    kernel::{self, Inflow, Table},
    plan::{LayerPlan, LiveRelation, TargetPlan},
    weights::LayerWeights,
};
pub(crate) use shape::{Shape, affine, affine_slopes};

/// Hidden states or their gradients, `[rows, hidden]` for each kind that has some.
pub(crate) type States = Vec<Option<Tensor>>;

/// What a layer keeps from forward to backward; the vectors are used again in the next step.
#[derive(Debug, Default)]
pub(crate) struct LayerTape {
    below: States,
    /// Hidden states that lifted relations read, per kind.
    rows: Vec<Vec<f32>>,
    /// Their gradients.
    slopes: Vec<Vec<f32>>,
    targets: Vec<TargetTape>,
}

/// What a kind that is updated keeps; all tensors are `[rows, hidden]`.
#[derive(Debug, Default)]
struct TargetTape {
    query: Tensor,
    message: Tensor,
    /// Message after the gelu.
    activated: Tensor,
    /// `[rows, hidden]`; empty while all relations are lifted.
    query_rows: Vec<f32>,
    /// `[rows, hidden]`: gradient of the message.
    slopes: Vec<f32>,
    /// `[rows, hidden]`: messages forward, gradients of queries backward.
    out: Vec<f32>,
    relations: Vec<RelationTape>,
}

/// What a relation keeps.
#[derive(Debug, Default)]
struct RelationTape {
    /// Keys and values `[sources, 2 hidden]`; lifted, what is asked `[heads, targets, hidden + 1]`.
    table: Vec<f32>,
    /// Gradients of keys and values; lifted, the message's gradient under the value matrix, shaped as `table`.
    table_slopes: Vec<f32>,
    /// `[edges, heads]`.
    weights: Vec<f32>,
    /// `[edges, heads]`.
    score_slopes: Vec<f32>,
    /// Lifted: `[targets, heads, hidden + 1]`: what is heard forward, gradients of what is asked backward.
    sums: Vec<f32>,
    /// Lifted: `[heads, targets, hidden + 1]`.
    heard: Tensor,
}

/// Copies a tensor into a vector that is used again.
fn copy(from: &Tensor, to: &mut Vec<f32>) {
    let length = from.numel();
    to.resize(length, 0.0);
    from.copy_data(to, length);
}

/// As many zeros.
fn zeros(data: &mut Vec<f32>, length: usize) {
    data.clear();
    data.resize(length, 0.0);
}

/// Hidden states that the plan says are there.
fn get(states: &States, kind: usize) -> Tensor {
    states.get(kind).and_then(Option::as_ref).map(Tensor::shallow_clone).unwrap_or_default()
}

/// One layer of one step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layer<'a> {
    pub(crate) plan: &'a LayerPlan,
    pub(crate) weights: &'a LayerWeights,
    pub(crate) shape: Shape,
}

impl Layer<'_> {
    /// Returns the hidden states above.
    pub(crate) fn forward(&self, below: States, tape: &mut LayerTape) -> States {
        tape.below = below;
        tape.rows.resize_with(tape.below.len(), Vec::new);
        tape.slopes.resize_with(tape.below.len(), Vec::new);
        tape.targets.resize_with(self.plan.targets.len(), TargetTape::default);
        for kind in self.lifted_sources() {
            copy(&get(&tape.below, kind), &mut tape.rows[kind]);
        }
        let mut above: States = tape.below.iter().map(|_| None).collect();
        for kind in &self.plan.carried {
            above[*kind] = Some(get(&tape.below, *kind));
        }
        for (target, kept) in self.plan.targets.iter().zip(&mut tape.targets) {
            above[target.kind] = Some(self.update(target, &tape.below, &tape.rows, kept));
        }
        above
    }

    /// Sources whose hidden states the edges read.
    fn lifted_sources(&self) -> Vec<usize> {
        let relations = self.plan.targets.iter().flat_map(|target| &target.relations);
        let mut kinds: Vec<usize> = relations.filter(|r| r.lifted).map(|r| r.source).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// `[2, heads, D, hidden + 1]`, as a table's matrix `[2 hidden, hidden + 1]`.
    fn table(&self, relation: &LiveRelation, of: &LayerWeights) -> Tensor {
        of.relations.select(0, relation.number as i64).view([-1, self.shape.hidden as i64 + 1])
    }

    /// Keys' (0) or values' (1) part, `[heads, D, hidden + 1]`.
    fn matrix(relation: &LiveRelation, of: &LayerWeights, part: i64) -> Tensor {
        of.relations.select(0, relation.number as i64).select(0, part)
    }

    /// Returns the new hidden states of a kind.
    fn update(
        &self,
        target: &TargetPlan,
        below: &States,
        rows: &[Vec<f32>],
        tape: &mut TargetTape,
    ) -> Tensor {
        let (own, kind) = (get(below, target.kind), target.kind as i64);
        tape.query = affine(&own, &self.weights.query.select(0, kind));
        tape.relations.resize_with(target.relations.len(), RelationTape::default);
        for (relation, kept) in target.relations.iter().zip(&mut tape.relations) {
            if relation.lifted {
                let asked = self.shape.by_head(&tape.query).bmm(&Self::matrix(relation, self.weights, 0));
                copy(&asked, &mut kept.table);
            } else {
                copy(
                    &affine(&get(below, relation.source), &self.table(relation, self.weights)),
                    &mut kept.table,
                );
            }
        }
        if target.relations.iter().any(|relation| !relation.lifted) {
            copy(&tape.query, &mut tape.query_rows);
        }
        self.attend(target, rows, tape, false);
        tape.message = Tensor::from_slice(&tape.out).view([-1, self.shape.hidden as i64]);
        for (relation, kept) in target.relations.iter().zip(&mut tape.relations).filter(|(r, _)| r.lifted) {
            kept.heard = self.shape.sums(&kept.sums);
            let heard = kept.heard.bmm(&Self::matrix(relation, self.weights, 1).transpose(1, 2));
            let _ = self.shape.by_head(&tape.message).g_add_(&heard);
        }
        tape.activated = tape.message.gelu("none");
        let keep = self.weights.keep.narrow(0, kind, 1);
        affine(&tape.activated, &self.weights.out.select(0, kind)).addcmul_(&own, &keep)
    }

    /// Weights and messages of a kind, or backward the slopes of scores and queries.
    fn attend(&self, target: &TargetPlan, rows: &[Vec<f32>], tape: &mut TargetTape, backward: bool) {
        let shape = self.shape;
        let hidden = shape.hidden;
        tape.out.resize(target.rows * hidden, 0.0);
        let (mut inflows, mut edges) = (Vec::new(), Vec::new());
        let mut outputs = vec![(tape.out.as_mut_slice(), hidden)];
        let left = if backward { &tape.slopes } else { &tape.query_rows };
        for (relation, kept) in target.relations.iter().zip(&mut tape.relations) {
            let lists = &relation.edges.by_target;
            let numbers = relation.edges.len() * shape.heads;
            let RelationTape { table, table_slopes, weights, score_slopes, sums, .. } = kept;
            let (fresh, weights) =
                if backward { (score_slopes, Some(weights.as_slice())) } else { (weights, None) };
            fresh.resize(numbers, 0.0);
            edges.push(fresh.as_mut_slice());
            if relation.lifted {
                let asked = if backward { table_slopes } else { &*table };
                let left = Table { data: asked, layout: shape.asked(target.rows) };
                let states = Table { data: &rows[relation.source], layout: shape.shared() };
                let (layout, output) = (shape.heard(), outputs.len());
                sums.resize(target.rows * layout.row, 0.0);
                outputs.push((sums.as_mut_slice(), layout.row));
                inflows.push(Inflow { lists, left, right: states, summed: states, output, layout, weights });
            } else {
                let part = |start| Table { data: table, layout: shape.plain(start, 2 * hidden) };
                let (right, summed) =
                    if backward { (part(hidden), part(0)) } else { (part(0), part(hidden)) };
                let layout = shape.plain(0, hidden);
                let left = Table { data: left, layout };
                inflows.push(Inflow { lists, left, right, summed, output: 0, layout, weights });
            }
        }
        kernel::into_targets((&target.blocks, shape.heads, shape.threads), &inflows, edges, outputs);
    }
}
