//! The layer over plain slices: the same sums as [`HgtLayer`], node by node, without padding and without libtorch.
//!
//! A source sends the same key and value to whoever it reaches, but for the age of the edge, which adds to both. So what
//! a node sends in each layer is computed once, however many games it stands next to.

use graph::{NodeKind, Relation};
use tch::Tensor;

use super::HgtLayer;
use crate::{
    ModelError,
    linear::{Linear, gelu, multiply, numbers, sigmoid},
};

/// One source of a node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlainSource<'a> {
    pub(crate) relation: Relation,
    /// `[d]`: the encoded age of its edge; none for an edge of this very instant.
    pub(crate) age: Option<&'a [f32]>,
    /// `[layers that read it, 2 d]`: the key and value that it sends in each.
    pub(crate) sent: &'a [f32],
}

#[derive(Debug)]
struct Target {
    query: Linear,
    out: Linear,
    /// Share of the update, from 0 to 1.
    share: f32,
}

/// What a kind sends.
#[derive(Debug)]
struct Sender {
    /// Key, then value of a hidden state.
    own: Linear,
    /// What the encoded age adds to them; none with the encoding switched off.
    aged: Option<Linear>,
    /// `[2 d]`: what the age 0 adds to them.
    now: Vec<f32>,
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
    senders: [Option<Sender>; NodeKind::ALL.len()],
    targets: [Option<Target>; NodeKind::ALL.len()],
    relations: [Option<Matrices>; Relation::ALL.len()],
}

/// Room for one update, so that none is made for each.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    query: Vec<f32>,
    message: Vec<f32>,
    out: Vec<f32>,
    asked: Vec<f32>,
    /// `[sources, 2 d]`.
    sent: Vec<f32>,
    /// `[sources, heads]`: scores, then shares.
    shares: Vec<f32>,
    /// Which of the sources those are.
    read: Vec<Relation>,
}

impl HgtLayer {
    /// Copies the weights; `now` is the encoded age 0.
    pub(crate) fn plain(&self, now: &[f32]) -> Result<PlainLayer, ModelError> {
        let (d, heads) = (self.config.hidden, self.config.heads);
        let width = d / heads;
        let mut layer = PlainLayer {
            hidden: d as usize,
            heads: heads as usize,
            senders: Default::default(),
            targets: Default::default(),
            relations: [const { None }; Relation::ALL.len()],
        };
        for (kind, weights) in &self.kinds {
            let all = &weights.key_query_value;
            let part = |tensor: &Tensor, i: i64| tensor.narrow(0, i * d, d);
            let sent = |tensor: &Tensor| Tensor::cat(&[part(tensor, 0), part(tensor, 2)], 0);
            let matrix = sent(&all.ws);
            let aged = match &self.time {
                None => None,
                Some(time) => {
                    let bias = time.bs.as_ref().map(|bias| matrix.mv(bias));
                    Some(Linear::of(&matrix.mm(&time.ws), bias.as_ref())?)
                }
            };
            let mut sent_now = vec![0.0; 2 * d as usize];
            if let Some(aged) = &aged {
                aged.apply(now, &mut sent_now);
            }
            let own = Linear::of(&matrix, all.bs.as_ref().map(sent).as_ref())?;
            layer.senders[*kind as usize] = Some(Sender { own, aged, now: sent_now });
            if let Some(target) = &weights.target {
                let share = sigmoid(numbers(&target.skip)?.first().copied().unwrap_or(0.0));
                let bias = all.bs.as_ref().map(|bias| part(bias, 1));
                let query = Linear::of(&part(&all.ws, 1), bias.as_ref())?;
                layer.targets[*kind as usize] = Some(Target { query, out: Linear::new(&target.out)?, share });
            }
        }
        for (relation, weights) in &self.relations {
            let scale = weights.prior.view([heads, 1, 1]) / (width as f64).sqrt();
            let key = numbers(&(weights.key.transpose(1, 2) * scale))?;
            layer.relations[*relation as usize] = Some(Matrices { key, value: numbers(&weights.value)? });
        }
        Ok(layer)
    }
}

impl PlainLayer {
    /// Writes the key and value that a node of `kind` sends in this layer: `[2 d]`; 0 where it sends nothing.
    pub(crate) fn send(&self, kind: NodeKind, hidden: &[f32], sent: &mut [f32]) {
        match &self.senders[kind as usize] {
            Some(sender) => sender.own.apply(hidden, sent),
            None => sent.fill(0.0),
        }
    }

    /// Updates the hidden state `[d]` of a node of `kind` by its sources, which are in the order of relations.
    ///
    /// `place` is the layer's place among those that the sources have sent something for. A kind into which no relation
    /// leads stays as it is.
    pub(crate) fn update(
        &self,
        kind: NodeKind,
        place: usize,
        sources: &[PlainSource<'_>],
        scratch: &mut Scratch,
        hidden: &mut [f32],
    ) {
        let Some(target) = &self.targets[kind as usize] else { return };
        for room in [&mut scratch.query, &mut scratch.message, &mut scratch.out, &mut scratch.asked] {
            room.resize(self.hidden, 0.0);
        }
        target.query.apply(hidden, &mut scratch.query);
        self.read(place, sources, scratch);
        self.share(scratch);
        self.gather(scratch);
        gelu(&mut scratch.message);
        target.out.apply(&scratch.message, &mut scratch.out);
        for (hidden, out) in hidden.iter_mut().zip(&scratch.out) {
            *hidden = out * target.share + *hidden * (1.0 - target.share);
        }
    }

    /// Reads the sources' keys and values and scores them against the query.
    fn read(&self, place: usize, sources: &[PlainSource<'_>], scratch: &mut Scratch) {
        let (d, width) = (self.hidden, self.hidden / self.heads);
        let Scratch { query, asked, sent, shares, read, .. } = scratch;
        sent.clear();
        shares.clear();
        read.clear();
        for source in sources {
            let (Some(matrices), Some(sender)) =
                (&self.relations[source.relation as usize], &self.senders[source.relation.source() as usize])
            else {
                continue;
            };
            if read.last() != Some(&source.relation) {
                asked.fill(0.0);
                for ((query, matrix), asked) in heads(query, width)
                    .zip(matrices.key.chunks_exact(width * width))
                    .zip(asked.chunks_exact_mut(width))
                {
                    multiply(query, matrix, asked);
                }
            }
            read.push(source.relation);
            let from = sent.len();
            match (source.age, &sender.aged) {
                (Some(age), Some(aged)) => {
                    sent.resize(from + 2 * d, 0.0);
                    aged.apply(age, &mut sent[from..]);
                }
                _ => sent.extend_from_slice(&sender.now),
            }
            let of_state = &source.sent[place * 2 * d..(place + 1) * 2 * d];
            sent[from..].iter_mut().zip(of_state).for_each(|(sum, own)| *sum += own);
            let score =
                |(key, asked): (&[f32], &[f32])| key.iter().zip(asked).map(|(k, q)| k * q).sum::<f32>();
            shares.extend(heads(&sent[from..from + d], width).zip(heads(asked, width)).map(score));
        }
    }

    /// Turns scores into shares: by head one softmax over the sources of all relations.
    fn share(&self, scratch: &mut Scratch) {
        let shares = &mut scratch.shares;
        for head in 0..self.heads {
            let of_head = || (head..shares.len()).step_by(self.heads);
            let most = of_head().map(|place| shares[place]).fold(f32::NEG_INFINITY, f32::max);
            let mut sum = 0.0;
            for place in (head..shares.len()).step_by(self.heads) {
                shares[place] = (shares[place] - most).exp();
                sum += shares[place];
            }
            for place in (head..shares.len()).step_by(self.heads) {
                shares[place] /= sum;
            }
        }
    }

    /// Sums the sources' values by their shares, and each relation's sum through its matrices: `[d]`; 0 without sources.
    fn gather(&self, scratch: &mut Scratch) {
        let (d, width) = (self.hidden, self.hidden / self.heads);
        let Scratch { message, asked: value, sent, shares, read, .. } = scratch;
        message.fill(0.0);
        let mut values = sent.chunks_exact(2 * d).map(|sent| &sent[d..]).zip(shares.chunks_exact(self.heads));
        for group in read.chunk_by(|a, b| a == b) {
            value.fill(0.0);
            for (own, shares) in values.by_ref().take(group.len()) {
                for ((value, own), share) in value.chunks_exact_mut(width).zip(heads(own, width)).zip(shares)
                {
                    value.iter_mut().zip(own).for_each(|(sum, v)| *sum += share * v);
                }
            }
            let Some(matrices) = &self.relations[group[0] as usize] else { continue };
            let matrices = matrices.value.chunks_exact(width * width);
            for ((value, matrix), message) in
                heads(value, width).zip(matrices).zip(message.chunks_exact_mut(width))
            {
                multiply(value, matrix, message);
            }
        }
    }
}

/// Splits `[d]` by head.
fn heads(row: &[f32], width: usize) -> std::slice::ChunksExact<'_, f32> {
    row.chunks_exact(width)
}
