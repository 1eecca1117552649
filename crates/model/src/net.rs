//! The whole network: standardise and project each kind, pass messages hop by hop, tilt the league's histograms.

mod plain;

use std::collections::BTreeMap;

use graph::{NodeKind, Relation, features};
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor, nn, nn::Module};

pub(crate) use self::plain::{PlainNet, RawTilts};
use crate::{
    ModelError,
    hgt::{HgtLayer, LayerConfig, Sources, State},
    schema::Schema,
    settings::{Precision, TrainSettings},
    tilt::TILTS,
    tree::Tree,
};

/// Parameters that are fitted before the messages, and stay as they are then.
pub(crate) const FITTED_APART: [&str; 2] = ["head.direct", "head.league"];

/// Beyond so many standard deviations a feature says no more.
const FEATURE_LIMIT: f64 = 6.0;

/// Features of a game that the linear part of the head sees: those that compare both sides or quote the market.
///
/// Those that only drift with the years (games seen, the league's means) would stand for the time itself.
const DIRECT_FEATURES: [&str; 15] = [
    "elo_difference",
    "strength_margin",
    "rate_log_ratio",
    "rate_log_ratio_squared",
    "rate_log_mean",
    "expected_total",
    "rest_difference",
    "neutral",
    "home_form",
    "away_form",
    "market_home_logit",
    "market_draw_logit",
    "market_margin",
    "market_total",
    "market_drift",
];

/// Sizes that the weights depend on; saved beside them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Architecture {
    pub(crate) hidden: i64,
    pub(crate) heads: i64,
    pub(crate) dropout: f64,
    pub(crate) relative_time: bool,
    pub(crate) precision: Precision,
    pub(crate) leagues: i64,
    /// Columns of a game's features that the linear part of the head sees.
    pub(crate) direct: Vec<i64>,
    pub(crate) schema: Schema,
}

impl Architecture {
    pub(crate) fn new(settings: &TrainSettings, leagues: usize, schema: Schema) -> Self {
        Self {
            hidden: settings.hidden,
            heads: settings.heads,
            dropout: settings.dropout,
            relative_time: settings.relative_time,
            precision: settings.precision,
            leagues: leagues as i64,
            direct: direct_columns(schema.width(NodeKind::Game)),
            schema,
        }
    }
}

#[derive(Debug)]
struct Projection {
    mean: Tensor,
    scale: Tensor,
    linear: nn::Linear,
}

impl Projection {
    /// `[.., width]` → `[.., width]`, in standard deviations.
    fn standardise(&self, features: &Tensor) -> Tensor {
        ((features - &self.mean) * &self.scale).clamp(-FEATURE_LIMIT, FEATURE_LIMIT)
    }
}

/// Tilts are the sum of a linear part, which sees the seed's own features (ratings, consensus), and of what the
/// messages add to it: few games are enough for the first, and the second need not learn it again.
#[derive(Debug)]
struct Head {
    hidden: nn::Linear,
    out: nn::Linear,
    /// `[TILTS, features it sees]`.
    direct: Tensor,
    /// `[leagues, TILTS]`.
    league: Tensor,
    /// `[1]`: how much of what the messages add is believed, from 0 to 1.
    trust: Tensor,
    /// `[TILTS]`: factors of the whole tilts, anchor included; only the margin's shift may differ from 1.
    confidence: Tensor,
}

/// Attention `[rows, fan_out]` by relation, and that of the blocks below.
#[derive(Debug, Default)]
pub(crate) struct Attention(pub(crate) Vec<(Relation, Tensor, Attention)>);

/// One member's network.
#[derive(Debug)]
pub(crate) struct Net {
    architecture: Architecture,
    projections: BTreeMap<NodeKind, Projection>,
    layers: Vec<HgtLayer>,
    head: Head,
    /// `[1, d / 2]`: cycles per day of the temporal encoding.
    frequencies: Tensor,
    /// Columns that the linear part sees.
    direct: Tensor,
    /// What messages are computed in.
    kind: Kind,
}

impl Net {
    /// Creates the parameters under `path`; the untrained network returns each league's histograms unchanged.
    pub(crate) fn new(path: &nn::Path<'_>, architecture: Architecture) -> Self {
        let d = architecture.hidden;
        let projections = architecture.schema.kinds().map(|(kind, width)| {
            let path = path / "input" / kind.as_str();
            let projection = Projection {
                mean: path.zeros_no_train("mean", &[width]),
                scale: path.ones_no_train("scale", &[width]),
                linear: nn::linear(&path, width, d, nn::LinearConfig::default()),
            };
            (kind, projection)
        });
        let projections = projections.collect();
        let config = LayerConfig {
            hidden: d,
            heads: architecture.heads,
            dropout: architecture.dropout,
            relative_time: architecture.relative_time,
        };
        let hops = architecture.schema.hops();
        let layers = (0..hops).map(|layer| {
            let relations = architecture.schema.relations_within(hops - 1 - layer);
            HgtLayer::new(&(path / "layer" / layer), config, &relations)
        });
        let layers = layers.collect();
        let zero = nn::Init::Const(0.0);
        let flat = nn::LinearConfig { ws_init: zero, bs_init: Some(zero), bias: true };
        let fixed = path / "head";
        let head = Head {
            hidden: nn::linear(path / "head" / "hidden", d, d, nn::LinearConfig::default()),
            out: nn::linear(path / "head" / "out", d, TILTS, flat),
            direct: fixed.zeros("direct", &[TILTS, architecture.direct.len() as i64]),
            league: fixed.zeros("league", &[architecture.leagues, TILTS]),
            trust: fixed.ones_no_train("trust", &[1]),
            confidence: fixed.ones_no_train("confidence", &[TILTS]),
        };
        let frequencies = frequencies(d, path.device());
        let direct = Tensor::from_slice(&architecture.direct).to_device(path.device());
        let kind = architecture.precision.resolve(path.device());
        Self { architecture, projections, layers, head, frequencies, direct, kind }
    }

    #[cfg(test)]
    pub(crate) fn layers(&self) -> &[HgtLayer] {
        &self.layers
    }

    /// Returns each kind's mean and scale.
    #[cfg(test)]
    pub(crate) fn projections(&self) -> BTreeMap<NodeKind, (Tensor, Tensor)> {
        let both = |p: &Projection| (p.mean.shallow_clone(), p.scale.shallow_clone());
        self.projections.iter().map(|(kind, p)| (*kind, both(p))).collect()
    }

    /// Returns the sizes.
    pub(crate) fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// Returns the shape of neighbourhoods that it takes.
    pub(crate) fn schema(&self) -> &Schema {
        &self.architecture.schema
    }

    /// `league` is `[games]` of i64; returns the raw tilts `[games, TILTS]`.
    pub(crate) fn forward(&self, tree: &Tree, league: &Tensor, train: bool) -> Tensor {
        let mut state = self.project(tree);
        for (layer, hgt) in self.layers.iter().enumerate() {
            state = hgt.forward(&state, self.layers.len() - 1 - layer, train);
        }
        let hidden = self.head.hidden.forward(&state.hidden.to_kind(Kind::Float)).gelu("none");
        let hidden = hidden.dropout(self.architecture.dropout, train);
        self.head.out.forward(&hidden) * &self.head.trust + self.forward_direct(tree, league)
    }

    /// Returns the attention of each block at each of its relations, hop by hop.
    pub(crate) fn attention(&self, tree: &Tree) -> Attention {
        let mut states = vec![self.project(tree)];
        for (layer, hgt) in self.layers.iter().enumerate() {
            let next = hgt.forward(&states[layer], self.layers.len() - 1 - layer, false);
            states.push(next);
        }
        let blocks: Vec<&State> = states.iter().take(self.layers.len()).collect();
        self.attention_of(&blocks)
    }

    /// `blocks` is one block after 0, 1, .. layers: the last is what the layer that updates it last starts from.
    fn attention_of(&self, blocks: &[&State]) -> Attention {
        let Some((last, before)) = blocks.split_last() else { return Attention::default() };
        let paid = self.layers[before.len()].attention(last);
        let below = |relation: Relation| {
            let find = |state: &&State| state.sources.iter().position(|s| s.relation == relation);
            let found: Option<Vec<&State>> =
                before.iter().map(|state| Some(&state.sources[find(state)?].state)).collect();
            self.attention_of(&found.unwrap_or_default())
        };
        Attention(paid.into_iter().map(|(relation, paid)| (relation, paid, below(relation))).collect())
    }

    /// Sets how much of what the messages add is believed.
    pub(crate) fn set_trust(&self, trust: f64) {
        tch::no_grad(|| {
            let _trust = self.head.trust.shallow_clone().fill_(trust);
        });
    }

    /// Sets how confident forecasts are: above 1 favourites are given more.
    pub(crate) fn set_confidence(&self, confidence: f64) {
        tch::no_grad(|| {
            let _shift = self.head.confidence.get(0).fill_(confidence);
        });
    }

    /// Brings raw tilts or anchors, `[games, TILTS]`, to the confidence that has proved right.
    pub(crate) fn calibrated(&self, tilts: &Tensor) -> Tensor {
        tilts * &self.head.confidence
    }

    /// Returns the linear part of [`forward`](Self::forward) alone.
    pub(crate) fn forward_direct(&self, tree: &Tree, league: &Tensor) -> Tensor {
        let bias = self.head.league.index_select(0, league);
        self.direct_features(tree).linear::<Tensor>(&self.head.direct, None) + bias
    }

    /// Returns what the linear part sees of the seeds: `[games, features]`, standardised.
    pub(crate) fn direct_features(&self, tree: &Tree) -> Tensor {
        match self.projections.get(&tree.kind) {
            Some(projection) => {
                projection.standardise(&tree.features).squeeze_dim(1).index_select(1, &self.direct)
            }
            None => tree.features.squeeze_dim(1).index_select(1, &self.direct),
        }
    }

    /// Returns what each feature adds to the raw tilts of one game: `[features, TILTS]`.
    pub(crate) fn direct_parts(&self, tree: &Tree) -> Tensor {
        (self.direct_features(tree) * &self.head.direct).transpose(0, 1)
    }

    /// Returns the columns of a game's features that the linear part sees, in its order.
    pub(crate) fn direct_columns(&self) -> impl Iterator<Item = usize> {
        self.architecture.direct.iter().map(|column| *column as usize)
    }

    /// Sets the linear part: `direct` is `[TILTS, features]`, `league` `[leagues, TILTS]`.
    pub(crate) fn set_direct(&self, direct: &Tensor, league: &Tensor) -> Result<(), ModelError> {
        tch::no_grad(|| {
            self.head.direct.shallow_clone().f_copy_(direct)?;
            self.head.league.shallow_clone().f_copy_(league)
        })
        .map_err(ModelError::torch("setting the linear part"))
    }

    pub(crate) fn project(&self, tree: &Tree) -> State {
        let d = self.architecture.hidden;
        let hidden = match self.projections.get(&tree.kind) {
            Some(p) => p.linear.forward(&p.standardise(&tree.features)).relu().reshape([-1, d]),
            None => Tensor::zeros(
                [tree.features.size()[..2].iter().product(), d],
                (Kind::Float, tree.features.device()),
            ),
        };
        let sources = tree.branches.iter().map(|branch| Sources {
            relation: branch.relation,
            fan_out: branch.fan_out,
            present: branch.present.reshape([-1, branch.fan_out, 1]),
            time: self.architecture.relative_time.then(|| self.encode_age(&branch.age_days)),
            state: self.project(&branch.tree),
        });
        State { kind: tree.kind, hidden: hidden.to_kind(self.kind), sources: sources.collect() }
    }

    /// Ages in days of any shape → `[ages, d]`: sinusoids of falling frequency, as in the paper.
    fn encode_age(&self, age_days: &Tensor) -> Tensor {
        let angles = age_days.reshape([-1, 1]) * &self.frequencies;
        let waves = Tensor::cat(&[angles.sin(), angles.cos()], 1) / (self.architecture.hidden as f64).sqrt();
        waves.to_kind(self.kind)
    }

    /// Sets each kind's mean and scale from the sources that are present in `tree`.
    pub(crate) fn standardise(&mut self, tree: &Tree) -> Result<(), ModelError> {
        let mut moments = BTreeMap::new();
        let everything = tree.features.ones_like().narrow(2, 0, 1).squeeze_dim(2);
        collect_moments(tree, &everything, &mut moments);
        for (kind, projection) in &mut self.projections {
            let Some((count, sum, squares)) = moments.get(kind) else { continue };
            let count = count.clamp_min(1.0);
            let mean = sum / &count;
            let variance = (squares / &count - mean.square()).clamp_min(0.0);
            let constant = variance.le(1e-8);
            let scale = variance.sqrt().clamp_min(1e-4).reciprocal().masked_fill(&constant, 1.0);
            tch::no_grad(|| {
                projection.mean.f_copy_(&mean.to_kind(Kind::Float))?;
                projection.scale.f_copy_(&scale.to_kind(Kind::Float))
            })
            .map_err(ModelError::torch("standardising features"))?;
        }
        Ok(())
    }
}

/// Count, sum and sum of squares of each feature over rows that exist.
type Moments = (Tensor, Tensor, Tensor);

fn collect_moments(tree: &Tree, exists: &Tensor, moments: &mut BTreeMap<NodeKind, Moments>) {
    let weight = exists.to_kind(Kind::Double).unsqueeze(-1); // [games, rows, 1]
    let features = tree.features.to_kind(Kind::Double);
    let both = [0i64, 1].as_slice();
    let count = weight.sum(Kind::Double);
    let sum = (&features * &weight).sum_dim_intlist(both, false, Kind::Double);
    let squares = (features.square() * &weight).sum_dim_intlist(both, false, Kind::Double);
    let entry = match moments.remove(&tree.kind) {
        Some((c, s, q)) => (c + count, s + sum, q + squares),
        None => (count, sum, squares),
    };
    moments.insert(tree.kind, entry);
    for branch in &tree.branches {
        let below = &branch.present * exists.unsqueeze(-1);
        let games = below.size()[0];
        collect_moments(&branch.tree, &below.reshape([games, -1]), moments);
    }
}

fn direct_columns(width: i64) -> Vec<i64> {
    let columns = (0i64..).zip(features::columns(NodeKind::Game));
    columns.filter(|(i, name)| *i < width && DIRECT_FEATURES.contains(name)).map(|(i, _)| i).collect()
}

fn frequencies(d: i64, device: Device) -> Tensor {
    let values: Vec<f32> = (0..d / 2).map(|i| 10_000f64.powf(-2.0 * i as f64 / d as f64) as f32).collect();
    Tensor::from_slice(&values).view([1, -1]).to_device(device)
}
