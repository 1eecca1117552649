//! The layer over plain slices: the same sums as [`HgtLayer`], row by row, without padding and without libtorch.

use std::collections::BTreeMap;

use graph::{NodeKind, Relation};

use super::HgtLayer;
use crate::{
    ModelError,
    linear::{Linear, gelu, numbers, sigmoid},
};

/// Hidden states of one block and of what lies below it.
#[derive(Debug)]
pub(crate) struct PlainState<'a> {
    pub(crate) kind: NodeKind,
    /// `[rows, d]`.
    pub(crate) hidden: Vec<f32>,
    pub(crate) sources: Vec<PlainSources<'a>>,
}

/// Sources of one relation for every row above.
#[derive(Debug)]
pub(crate) struct PlainSources<'a> {
    pub(crate) relation: Relation,
    pub(crate) fan_out: usize,
    /// `[rows above, fan_out]`.
    pub(crate) present: &'a [f32],
    /// `[rows above * fan_out, d]`; none with the encoding switched off.
    pub(crate) time: Option<Vec<f32>>,
    pub(crate) state: PlainState<'a>,
}

#[derive(Debug)]
struct Target {
    query: Linear,
    out: Linear,
    /// Share of the update, from 0 to 1.
    share: f32,
}

#[derive(Debug)]
struct Matrices {
    /// `[heads, query, key]`, with prior and scale in it.
    key: Vec<f32>,
    /// `[heads, value, message]`.
    value: Vec<f32>,
}

/// One layer.
#[derive(Debug)]
pub(crate) struct PlainLayer {
    hidden: usize,
    heads: usize,
    keys: BTreeMap<NodeKind, [Linear; 2]>,
    targets: BTreeMap<NodeKind, Target>,
    relations: BTreeMap<Relation, Matrices>,
    time: Option<Linear>,
}

impl HgtLayer {
    /// Copies the weights.
    pub(crate) fn plain(&self) -> Result<PlainLayer, ModelError> {
        let (d, heads) = (self.config.hidden, self.config.heads);
        let width = d / heads;
        let (mut keys, mut targets, mut relations) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (kind, weights) in &self.kinds {
            let part = |i: i64| Linear::part(&weights.key_query_value, i * d..(i + 1) * d);
            keys.insert(*kind, [part(0)?, part(2)?]);
            if let Some(target) = &weights.target {
                let share = sigmoid(numbers(&target.skip)?.first().copied().unwrap_or(0.0));
                targets.insert(*kind, Target { query: part(1)?, out: Linear::new(&target.out)?, share });
            }
        }
        for (relation, weights) in &self.relations {
            let scale = weights.prior.view([heads, 1, 1]) / (width as f64).sqrt();
            let key = numbers(&(weights.key.transpose(1, 2) * scale))?;
            relations.insert(*relation, Matrices { key, value: numbers(&weights.value)? });
        }
        let time = self.time.as_ref().map(Linear::new).transpose()?;
        Ok(PlainLayer { hidden: d as usize, heads: heads as usize, keys, targets, relations, time })
    }
}

/// One source of one row: its score and value by head.
struct Message {
    relation: usize,
    /// `[heads]`.
    scores: Vec<f32>,
    /// `[d]`.
    value: Vec<f32>,
}

impl PlainLayer {
    /// Updates every block at most `remaining` hops below `state`.
    pub(crate) fn forward(&self, state: &mut PlainState<'_>, remaining: usize) {
        let updated = self.update(state);
        if remaining > 0 {
            for sources in &mut state.sources {
                self.forward(&mut sources.state, remaining - 1);
            }
        }
        if let Some(updated) = updated {
            state.hidden = updated;
        }
    }

    /// `[rows, d]`; none for a kind that stays as it is.
    fn update(&self, state: &PlainState<'_>) -> Option<Vec<f32>> {
        let target = self.targets.get(&state.kind)?;
        let d = self.hidden;
        let mut updated = Vec::with_capacity(state.hidden.len());
        let (mut query, mut out) = (vec![0.0; d], vec![0.0; d]);
        for (row, hidden) in state.hidden.chunks_exact(d).enumerate() {
            target.query.apply(hidden, &mut query);
            let mut message = self.message(state, row, &query);
            gelu(&mut message);
            target.out.apply(&message, &mut out);
            let mixed = out.iter().zip(hidden);
            updated.extend(mixed.map(|(out, hidden)| out * target.share + hidden * (1.0 - target.share)));
        }
        Some(updated)
    }

    /// `[d]`: the row's sources, weighted by one softmax over all relations; zero without any.
    fn message(&self, state: &PlainState<'_>, row: usize, query: &[f32]) -> Vec<f32> {
        let (d, width) = (self.hidden, self.hidden / self.heads);
        let mut messages: Vec<Message> = Vec::new();
        for (index, sources) in state.sources.iter().enumerate() {
            self.collect(index, sources, row, query, &mut messages);
        }
        let mut total = vec![0.0; d];
        for head in 0..self.heads {
            let most = messages.iter().map(|m| m.scores[head]).fold(f32::NEG_INFINITY, f32::max);
            let weights: Vec<f32> = messages.iter().map(|m| (m.scores[head] - most).exp()).collect();
            let sum: f32 = weights.iter().sum();
            let columns = head * width..(head + 1) * width;
            let mut weights = weights.into_iter();
            for group in messages.chunk_by(|a, b| a.relation == b.relation) {
                let mut value = vec![0.0; width];
                for (message, weight) in group.iter().zip(weights.by_ref()) {
                    let share = weight / sum;
                    let own = &message.value[columns.clone()];
                    value.iter_mut().zip(own).for_each(|(sum, v)| *sum += share * v);
                }
                let relation = state.sources[group[0].relation].relation;
                if let Some(matrices) = self.relations.get(&relation) {
                    let matrix = &matrices.value[head * width * width..(head + 1) * width * width];
                    multiply(&value, matrix, &mut total[columns.clone()]);
                }
            }
        }
        total
    }

    /// Adds the messages of the sources that are present.
    fn collect(
        &self,
        index: usize,
        sources: &PlainSources<'_>,
        row: usize,
        query: &[f32],
        messages: &mut Vec<Message>,
    ) {
        let (Some(matrices), Some([key, value])) =
            (self.relations.get(&sources.relation), self.keys.get(&sources.state.kind))
        else {
            return;
        };
        let (d, heads, width) = (self.hidden, self.heads, self.hidden / self.heads);
        let mut asked = vec![0.0; d];
        for head in 0..heads {
            let columns = head * width..(head + 1) * width;
            let matrix = &matrices.key[head * width * width..(head + 1) * width * width];
            multiply(&query[columns.clone()], matrix, &mut asked[columns]);
        }
        let mut hidden = vec![0.0; d];
        let mut keys = vec![0.0; d];
        for place in (0..sources.fan_out).filter(|place| sources.present[row * sources.fan_out + place] > 0.0)
        {
            let source = row * sources.fan_out + place;
            hidden.copy_from_slice(&sources.state.hidden[source * d..(source + 1) * d]);
            if let (Some(encode), Some(time)) = (&self.time, &sources.time) {
                hidden.iter_mut().zip(encode.bias()).for_each(|(hidden, bias)| *hidden += bias);
                encode.add(&time[source * d..(source + 1) * d], &mut hidden);
            }
            key.apply(&hidden, &mut keys);
            let mut values = vec![0.0; d];
            value.apply(&hidden, &mut values);
            let score = |head: usize| {
                let columns = head * width..(head + 1) * width;
                keys[columns.clone()].iter().zip(&asked[columns]).map(|(k, q)| k * q).sum::<f32>()
            };
            messages.push(Message {
                relation: index,
                scores: (0..heads).map(score).collect(),
                value: values,
            });
        }
    }
}

/// Adds `x M` to `output`; `matrix` is `[inputs, outputs]`.
fn multiply(input: &[f32], matrix: &[f32], output: &mut [f32]) {
    for (x, row) in input.iter().zip(matrix.chunks_exact(output.len())) {
        output.iter_mut().zip(row).for_each(|(y, m)| *y += x * m);
    }
}
