//! The Heterogeneous Graph Transformer layer (Hu et al. 2020, section 3) over padded trees.
//!
//! Parametrised as `PyTorch` Geometric's `HGTConv`: keys, queries and values per node kind, a matrix for keys and
//! one for values per relation and head, a prior per relation and head, one softmax over all sources of all
//! relations into a target, gelu, an output projection and a learned skip per kind. Added to it is the paper's
//! relative temporal encoding of the age of each edge.
//!
//! Relation matrices act on the query and on the aggregated value instead of on every source, which is the same
//! sum in another order and cheaper by the fan-out. Everything is computed in the precision of the hidden states, but for
//! the softmax; weights are kept as 32-bit floats.

use std::collections::{BTreeMap, BTreeSet};

use graph::{NodeKind, Relation};
use tch::{Kind, Tensor, nn};

pub(crate) use self::plain::{PlainLayer, PlainSource, Scratch};

/// A number so low that its exponential is 0, yet whose gradient is a number.
const HIDDEN_SCORE: f64 = -1e9;

/// Hidden states of one block and of what lies below it.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) kind: NodeKind,
    /// `[rows, d]`.
    pub(crate) hidden: Tensor,
    pub(crate) sources: Vec<Sources>,
}

/// Sources of one relation for every row above.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) relation: Relation,
    pub(crate) fan_out: i64,
    /// `[rows above, fan_out, 1]`: 1 for a source, 0 for padding.
    pub(crate) present: Tensor,
    /// `[rows above * fan_out, d]`: sinusoids of the age; none with the encoding switched off.
    pub(crate) time: Option<Tensor>,
    pub(crate) state: State,
}

impl Sources {
    fn with_state(&self, state: State) -> Self {
        Self {
            relation: self.relation,
            fan_out: self.fan_out,
            present: self.present.shallow_clone(),
            time: self.time.as_ref().map(Tensor::shallow_clone),
            state,
        }
    }
}

/// Widths of a layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerConfig {
    pub(crate) hidden: i64,
    pub(crate) heads: i64,
    pub(crate) dropout: f64,
    pub(crate) relative_time: bool,
}

#[derive(Debug)]
struct KindWeights {
    /// Keys, queries and values, in this order, as `HGTConv` keeps them: `[3 d, d]`.
    key_query_value: nn::Linear,
    /// Only kinds into which a relation flows are updated.
    target: Option<TargetWeights>,
}

#[derive(Debug)]
struct TargetWeights {
    out: nn::Linear,
    skip: Tensor,
}

#[derive(Debug)]
struct RelationWeights {
    /// `[heads, d / heads, d / heads]`.
    key: Tensor,
    /// `[heads, d / heads, d / heads]`.
    value: Tensor,
    /// `[heads]`.
    prior: Tensor,
}

/// One layer.
#[derive(Debug)]
pub(crate) struct HgtLayer {
    config: LayerConfig,
    kinds: BTreeMap<NodeKind, KindWeights>,
    relations: BTreeMap<Relation, RelationWeights>,
    time: Option<nn::Linear>,
}

/// What one relation brings to each target: values `[rows, fan_out, heads, d / heads]`, scores `[rows, fan_out, heads]`.
struct Messages<'a> {
    sources: &'a Sources,
    weights: &'a RelationWeights,
    values: Tensor,
    scores: Tensor,
}

impl HgtLayer {
    /// Creates the parameters for `relations`; messages of any other relation are ignored.
    pub(crate) fn new(path: &nn::Path<'_>, config: LayerConfig, relations: &BTreeSet<Relation>) -> Self {
        let d = config.hidden;
        let targets: BTreeSet<NodeKind> = relations.iter().map(|r| r.target()).collect();
        let touched: BTreeSet<NodeKind> =
            relations.iter().map(|r| r.source()).chain(targets.clone()).collect();
        let kinds = touched.into_iter().map(|kind| {
            let path = path / "kind" / kind.as_str();
            let target = targets.contains(&kind).then(|| TargetWeights {
                out: nn::linear(&path / "out", d, d, nn::LinearConfig::default()),
                skip: path.ones("skip", &[1]),
            });
            let key_query_value = nn::linear(&path / "kqv", d, 3 * d, nn::LinearConfig::default());
            (kind, KindWeights { key_query_value, target })
        });
        let width = d / config.heads;
        let bound = (3.0 / width as f64).sqrt();
        let relations_of = relations.iter().map(|relation| {
            let path = path / "relation" / relation.as_str();
            let matrix = |name: &str| path.uniform(name, &[config.heads, width, width], -bound, bound);
            let (key, value) = (matrix("key"), matrix("value"));
            (*relation, RelationWeights { key, value, prior: path.ones("prior", &[config.heads]) })
        });
        Self {
            config,
            kinds: kinds.collect(),
            relations: relations_of.collect(),
            time: config.relative_time.then(|| nn::linear(path / "time", d, d, nn::LinearConfig::default())),
        }
    }

    /// Updates every block at most `remaining` hops below `state`; deeper ones are dropped.
    pub(crate) fn forward(&self, state: &State, remaining: usize, train: bool) -> State {
        let below = if remaining == 0 { &[][..] } else { &state.sources[..] };
        State {
            kind: state.kind,
            hidden: self.update(state, train),
            sources: below
                .iter()
                .map(|sources| sources.with_state(self.forward(&sources.state, remaining - 1, train)))
                .collect(),
        }
    }

    /// `[rows, d]` → `[rows, d]`; a kind that no relation flows into stays as it is.
    fn update(&self, state: &State, train: bool) -> Tensor {
        let Some(weights) = self.kinds.get(&state.kind) else { return state.hidden.shallow_clone() };
        let Some(target) = &weights.target else { return state.hidden.shallow_clone() };
        let message = self.aggregate(state, weights).gelu("none");
        let out = linear(&target.out, &message).dropout(self.config.dropout, train);
        let share = target.skip.sigmoid().to_kind(state.hidden.kind());
        &out * &share + &state.hidden * (1.0 - share)
    }

    /// `[rows, d]`: values of all sources, weighted by one softmax over all relations; zero without any source.
    fn aggregate(&self, state: &State, weights: &KindWeights) -> Tensor {
        let (rows, d) = (state.hidden.size()[0], self.config.hidden);
        let query = self.query(state, weights);
        let mut total: Option<Tensor> = None;
        for (m, attention) in self.weigh(state, &query) {
            let kind = m.values.kind();
            let weighed = &m.values * attention.to_kind(kind).unsqueeze(-1);
            let sum = weighed.sum_dim_intlist(1, false, kind); // [rows, heads, d / heads]
            let message = sum.transpose(0, 1).matmul(&m.weights.value.to_kind(kind)); // [heads, rows, d / heads]
            total = Some(match total {
                Some(total) => total + message,
                None => message,
            });
        }
        total.map_or_else(|| state.hidden.zeros_like(), |sum| sum.transpose(0, 1).reshape([rows, d]))
    }

    /// Returns the messages of each relation with their attention `[rows, fan_out, heads]`: one softmax over all of them.
    fn weigh<'a>(&'a self, state: &'a State, query: &Tensor) -> Vec<(Messages<'a>, Tensor)> {
        let messages: Vec<Messages<'_>> =
            state.sources.iter().filter_map(|sources| self.messages(sources, query)).collect();
        if messages.is_empty() {
            return Vec::new();
        }
        let scores: Vec<&Tensor> = messages.iter().map(|m| &m.scores).collect();
        let attention = Tensor::cat(&scores, 1).softmax(1, Kind::Float); // [rows, all sources, heads]
        let fan_outs: Vec<i64> = messages.iter().map(|m| m.sources.fan_out).collect();
        let parts = attention.split_with_sizes(fan_outs, 1);
        let present = |(m, attention): (Messages<'a>, Tensor)| {
            let attention = attention * &m.sources.present;
            (m, attention)
        };
        messages.into_iter().zip(parts).map(present).collect()
    }

    /// Returns how much attention each row pays to the sources of each relation, averaged over heads: `[rows, fan_out]`.
    pub(crate) fn attention(&self, state: &State) -> Vec<(Relation, Tensor)> {
        let Some(weights) = self.kinds.get(&state.kind) else { return Vec::new() };
        let query = self.query(state, weights);
        let weighed = self.weigh(state, &query).into_iter();
        let mean = |attention: Tensor| attention.mean_dim(-1, false, Kind::Float);
        weighed.map(|(m, attention)| (m.sources.relation, mean(attention))).collect()
    }

    /// `[heads, rows, d / heads]`.
    fn query(&self, state: &State, weights: &KindWeights) -> Tensor {
        let (rows, d) = (state.hidden.size()[0], self.config.hidden);
        let heads = [rows, self.config.heads, d / self.config.heads];
        project(&weights.key_query_value, 1, d, &state.hidden).view(heads).transpose(0, 1)
    }

    /// `query` is `[heads, rows, d / heads]`.
    fn messages<'a>(&'a self, sources: &'a Sources, query: &Tensor) -> Option<Messages<'a>> {
        let weights = self.relations.get(&sources.relation)?;
        let kind = self.kinds.get(&sources.state.kind)?;
        let (d, heads) = (self.config.hidden, self.config.heads);
        let width = d / heads;
        let hidden = match (&self.time, &sources.time) {
            (Some(encode), Some(time)) => &sources.state.hidden + linear(encode, time),
            _ => sources.state.hidden.shallow_clone(),
        };
        let shape = [-1, sources.fan_out, heads, width];
        let keys = project(&kind.key_query_value, 0, d, &hidden).view(shape);
        let values = project(&kind.key_query_value, 2, d, &hidden).view(shape);
        let scale = weights.prior.view([heads, 1, 1]) / (width as f64).sqrt();
        let key = (weights.key.transpose(1, 2) * scale).to_kind(query.kind());
        let asked = query.matmul(&key).transpose(0, 1).unsqueeze(1);
        let scores = (keys * asked).sum_dim_intlist(-1, false, Kind::Float); // [rows, fan_out, heads]
        let scores = scores.masked_fill(&sources.present.eq(0.0), HIDDEN_SCORE);
        Some(Messages { sources, weights, values, scores })
    }
}

/// Applies a layer in the precision of what it is applied to.
fn linear(layer: &nn::Linear, hidden: &Tensor) -> Tensor {
    let kind = hidden.kind();
    hidden.linear(&layer.ws.to_kind(kind), layer.bs.as_ref().map(|bias| bias.to_kind(kind)))
}

/// Applies the `part`-th third of a key-query-value projection: `[rows, d]` → `[rows, d]`.
fn project(linear: &nn::Linear, part: i64, d: i64, hidden: &Tensor) -> Tensor {
    let kind = hidden.kind();
    let bias = linear.bs.as_ref().map(|bias| bias.narrow(0, part * d, d).to_kind(kind));
    hidden.linear(&linear.ws.narrow(0, part * d, d).to_kind(kind), bias)
}

mod plain;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
