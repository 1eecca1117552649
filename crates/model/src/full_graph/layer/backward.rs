//! A layer's gradients.

use tch::Tensor;

use super::{Layer, LayerTape, RelationTape, States, TargetTape, affine_slopes, copy, get, zeros};
use crate::full_graph::{
    kernel::{self, Layout, Outflow, Table},
    plan::{LiveRelation, TargetPlan},
    weights::LayerWeights,
};

impl Layer<'_> {
    /// Takes the gradients of the hidden states above, fills those of the weights and returns those below.
    pub(crate) fn backward(&self, mut above: States, tape: &mut LayerTape, slopes: &LayerWeights) -> States {
        let mut below: States = above.iter().map(|_| None).collect();
        for kind in &self.plan.carried {
            below[*kind] = above[*kind].take();
        }
        for kind in self.lifted_sources() {
            let length = tape.rows[kind].len();
            zeros(&mut tape.slopes[kind], length);
        }
        for (target, kept) in self.plan.targets.iter().zip(&mut tape.targets) {
            let Some(slope) = above[target.kind].take() else { continue };
            self.update_back(target, &slope, &tape.below, kept, slopes, &mut below[target.kind]);
            self.attend(target, &tape.rows, kept, true);
            self.query_back(target, &tape.below, kept, slopes, &mut below[target.kind]);
            for (relation, kept_relation) in target.relations.iter().zip(&mut kept.relations) {
                let rows = (kept.query_rows.as_slice(), kept.slopes.as_slice());
                if relation.lifted {
                    self.lifted_back(target, relation, kept_relation, &mut tape.slopes[relation.source]);
                } else {
                    self.table_back(relation, kept_relation, rows);
                    let table = Tensor::from_slice(&kept_relation.table_slopes);
                    let table = table.view([-1, 2 * self.shape.hidden as i64]);
                    affine_slopes(&get(&tape.below, relation.source), &table, &self.table(relation, slopes));
                    add_affine_back(&mut below[relation.source], &table, &self.table(relation, self.weights));
                }
            }
        }
        for kind in self.lifted_sources() {
            let slopes = Tensor::from_slice(&tape.slopes[kind]).view([-1, self.shape.hidden as i64]);
            add(&mut below[kind], slopes);
        }
        below
    }

    /// From the new hidden state back to the message, and for lifted relations to what was heard.
    fn update_back(
        &self,
        target: &TargetPlan,
        slope: &Tensor,
        below: &States,
        tape: &mut TargetTape,
        slopes: &LayerWeights,
        own_slope: &mut Option<Tensor>,
    ) {
        let (own, kind) = (get(below, target.kind), target.kind as i64);
        slopes.keep.select(0, kind).copy_(&slope.reshape([-1]).dot(&own.reshape([-1])));
        affine_slopes(&tape.activated, slope, &slopes.out.select(0, kind));
        let out = self.weights.out.select(0, kind);
        let activated = slope.mm(&out.narrow(1, 0, self.shape.hidden as i64));
        let message = tape.message.gelu_backward(&activated, "none");
        add(own_slope, slope * self.weights.keep.narrow(0, kind, 1));
        copy(&message, &mut tape.slopes);
        let by_head = self.shape.by_head(&message);
        for (relation, kept) in target.relations.iter().zip(&mut tape.relations).filter(|(r, _)| r.lifted) {
            copy(&by_head.bmm(&Self::matrix(relation, self.weights, 1)), &mut kept.table_slopes);
            let value = by_head.transpose(1, 2).bmm(&kept.heard);
            Self::matrix(relation, slopes, 1).copy_(&value);
        }
    }

    /// From the gradients of queries, and of what was asked, back to the target's hidden state.
    fn query_back(
        &self,
        target: &TargetPlan,
        below: &States,
        tape: &TargetTape,
        slopes: &LayerWeights,
        own_slope: &mut Option<Tensor>,
    ) {
        let kind = target.kind as i64;
        let query = Tensor::from_slice(&tape.out).view([-1, self.shape.hidden as i64]);
        for (relation, kept) in target.relations.iter().zip(&tape.relations).filter(|(r, _)| r.lifted) {
            let asked = self.shape.sums(&kept.sums);
            let key = self.shape.by_head(&tape.query).transpose(1, 2).bmm(&asked);
            Self::matrix(relation, slopes, 0).copy_(&key);
            let back = asked.bmm(&Self::matrix(relation, self.weights, 0).transpose(1, 2));
            let _ = self.shape.by_head(&query).g_add_(&back);
        }
        affine_slopes(&get(below, target.kind), &query, &slopes.query.select(0, kind));
        add_affine_back(own_slope, &query, &self.weights.query.select(0, kind));
    }

    /// Gradients of the hidden states that a lifted relation's edges read.
    fn lifted_back(
        &self,
        target: &TargetPlan,
        relation: &LiveRelation,
        tape: &RelationTape,
        slopes: &mut [f32],
    ) {
        let (layout, lists) = (self.shape.shared(), &relation.edges.by_source);
        let asked = self.shape.asked(target.rows);
        let asked = Layout { affine: false, ..asked };
        let outflows = [(&tape.score_slopes, &tape.table), (&tape.weights, &tape.table_slopes)]
            .map(|(weights, data)| Outflow { weights, summed: Table { data, layout: asked }, layout });
        let run = (lists, relation.edges.source_blocks.as_slice(), self.shape.heads, self.shape.threads);
        kernel::into_sources(run, &outflows, (slopes, self.shape.hidden));
    }

    /// Gradients of keys and values.
    fn table_back(
        &self,
        relation: &LiveRelation,
        tape: &mut RelationTape,
        (query, slopes): (&[f32], &[f32]),
    ) {
        let (hidden, lists) = (self.shape.hidden, &relation.edges.by_source);
        zeros(&mut tape.table_slopes, lists.rows() * 2 * hidden);
        let summed = |data| Table { data, layout: self.shape.plain(0, hidden) };
        let outflows = [
            Outflow {
                weights: &tape.score_slopes,
                summed: summed(query),
                layout: self.shape.plain(0, 2 * hidden),
            },
            Outflow {
                weights: &tape.weights,
                summed: summed(slopes),
                layout: self.shape.plain(hidden, 2 * hidden),
            },
        ];
        let run = (lists, relation.edges.source_blocks.as_slice(), self.shape.heads, self.shape.threads);
        kernel::into_sources(run, &outflows, (&mut tape.table_slopes, 2 * hidden));
    }
}

/// Adds `slopes` times `[out, in + 1]` to `[rows, in]`.
fn add_affine_back(states: &mut Option<Tensor>, slopes: &Tensor, weight: &Tensor) {
    let weight = weight.narrow(1, 0, weight.size()[1] - 1);
    match states {
        Some(sum) => drop(sum.addmm_(slopes, &weight)),
        None => *states = Some(slopes.mm(&weight)),
    }
}

fn add(states: &mut Option<Tensor>, slopes: Tensor) {
    match states {
        Some(sum) => drop(sum.g_add_(&slopes)),
        None => *states = Some(slopes),
    }
}
