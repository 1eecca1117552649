//! A trained network in plain numbers: forecasts game by game, to the same bits whatever else is asked along with it.
//!
//! libtorch's many small tensors cost more than the arithmetic of one game does. Differences to it are those of the order of
//! sums.

use std::collections::BTreeMap;

use graph::{Block, NodeKind};

use super::{FEATURE_LIMIT, Net, Projection};
use crate::{
    ModelError,
    hgt::{PlainLayer, PlainSources, PlainState},
    linear::{Linear, gelu, numbers},
    tilt::TILTS,
};

const WIDTH: usize = TILTS as usize;

/// Raw tilts of a game.
pub(crate) type RawTilts = [f32; WIDTH];

#[derive(Debug)]
struct Standard {
    mean: Vec<f32>,
    scale: Vec<f32>,
    linear: Linear,
}

/// One member's network.
#[derive(Debug)]
pub(crate) struct PlainNet {
    hidden: usize,
    projections: BTreeMap<NodeKind, Standard>,
    layers: Vec<PlainLayer>,
    head: [Linear; 2],
    /// `[TILTS, features it sees]`.
    direct: Vec<f32>,
    columns: Vec<usize>,
    /// `[leagues, TILTS]`.
    league: Vec<f32>,
    trust: f32,
    /// Factors of the whole tilts.
    pub(crate) confidence: RawTilts,
    /// Cycles per day; none with the encoding of ages switched off.
    frequencies: Option<Vec<f32>>,
}

impl Net {
    /// Copies the weights.
    pub(crate) fn plain(&self) -> Result<PlainNet, ModelError> {
        let standard = |(kind, p): (&NodeKind, &Projection)| {
            let (mean, scale) = (numbers(&p.mean)?, numbers(&p.scale)?);
            Ok((*kind, Standard { mean, scale, linear: Linear::new(&p.linear)? }))
        };
        let confidence = numbers(&self.head.confidence)?;
        Ok(PlainNet {
            hidden: self.architecture.hidden as usize,
            projections: self.projections.iter().map(standard).collect::<Result<_, ModelError>>()?,
            layers: self.layers.iter().map(crate::hgt::HgtLayer::plain).collect::<Result<_, _>>()?,
            head: [Linear::new(&self.head.hidden)?, Linear::new(&self.head.out)?],
            direct: numbers(&self.head.direct)?,
            columns: self.direct_columns().collect(),
            league: numbers(&self.head.league)?,
            trust: numbers(&self.head.trust)?.first().copied().unwrap_or(0.0),
            confidence: std::array::from_fn(|tilt| confidence[tilt]),
            frequencies: self.architecture.relative_time.then(|| numbers(&self.frequencies)).transpose()?,
        })
    }
}

impl PlainNet {
    /// Returns the raw tilts of each seed, before confidence: what [`Net::forward`] returns.
    pub(crate) fn raw(&self, seeds: &Block, league: &[i64]) -> Vec<RawTilts> {
        let mut tilts: Vec<RawTilts> = (0..seeds.rows).map(|row| self.direct(seeds, row, league)).collect();
        // Messages that have earned no trust change nothing.
        if self.trust > 0.0 {
            let mut state = self.project(seeds);
            for (layer, hgt) in self.layers.iter().enumerate() {
                hgt.forward(&mut state, self.layers.len() - 1 - layer);
            }
            let mut hidden = vec![0.0; self.hidden];
            let mut out = [0.0; WIDTH];
            for (tilts, state) in tilts.iter_mut().zip(state.hidden.chunks_exact(self.hidden)) {
                self.head[0].apply(state, &mut hidden);
                gelu(&mut hidden);
                self.head[1].apply(&hidden, &mut out);
                tilts.iter_mut().zip(out).for_each(|(tilt, message)| *tilt += message * self.trust);
            }
        }
        tilts
    }

    /// The linear part of one seed.
    fn direct(&self, seeds: &Block, row: usize, league: &[i64]) -> RawTilts {
        let features = &seeds.features[row * seeds.width..(row + 1) * seeds.width];
        let standard = self.projections.get(&seeds.kind);
        let seen: Vec<f32> = self
            .columns
            .iter()
            .map(|column| standard.map_or(features[*column], |s| s.value(features[*column], *column)))
            .collect();
        let bias = league[row] as usize * WIDTH;
        std::array::from_fn(|tilt| {
            let weights = &self.direct[tilt * seen.len()..(tilt + 1) * seen.len()];
            weights.iter().zip(&seen).map(|(w, x)| w * x).sum::<f32>() + self.league[bias + tilt]
        })
    }

    fn project<'a>(&self, block: &'a Block) -> PlainState<'a> {
        let d = self.hidden;
        let mut hidden = vec![0.0; block.rows * d];
        if let Some(standard) = self.projections.get(&block.kind) {
            let mut row = vec![0.0; block.width];
            let rows = block.features.chunks_exact(block.width.max(1));
            for (features, hidden) in rows.zip(hidden.chunks_exact_mut(d)) {
                let values = features.iter().enumerate().map(|(column, x)| standard.value(*x, column));
                row.iter_mut().zip(values).for_each(|(place, value)| *place = value);
                standard.linear.apply(&row, &mut *hidden);
                for value in hidden {
                    *value = value.max(0.0);
                }
            }
        }
        let sources = block.children.iter().map(|children| PlainSources {
            relation: children.relation,
            fan_out: children.fan_out,
            present: &children.present,
            time: self.frequencies.as_ref().map(|cycles| encode_age(cycles, &children.age_days)),
            state: self.project(&children.block),
        });
        PlainState { kind: block.kind, hidden, sources: sources.collect() }
    }
}

impl Standard {
    fn value(&self, feature: f32, column: usize) -> f32 {
        let limit = FEATURE_LIMIT as f32;
        ((feature - self.mean[column]) * self.scale[column]).clamp(-limit, limit)
    }
}

/// `[ages, d]`: sinusoids of falling frequency.
fn encode_age(cycles: &[f32], ages: &[f32]) -> Vec<f32> {
    let scale = ((2 * cycles.len()) as f32).sqrt().recip();
    let wave = |age: &f32| {
        let angles = cycles.iter().map(|cycle| age * cycle);
        let both =
            angles.clone().map(|angle| angle.sin() * scale).chain(angles.map(|angle| angle.cos() * scale));
        both.collect::<Vec<f32>>()
    };
    ages.iter().flat_map(wave).collect()
}
