//! A trained network in plain numbers: forecasts game by game, to the same bits whatever else is asked along with it.
//!
//! libtorch's many small tensors cost more than the arithmetic of one game does. Differences to it are those of the order of
//! sums.

use graph::{Block, NodeKind, Relation};

use super::{FEATURE_LIMIT, Net, Projection};
use crate::{
    ModelError,
    hgt::{PlainLayer, PlainSource, Scratch},
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
    projections: [Option<Standard>; NodeKind::ALL.len()],
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
        let mut projections: [Option<Standard>; NodeKind::ALL.len()] = Default::default();
        for projection in self.projections.iter().map(standard).collect::<Result<Vec<_>, ModelError>>()? {
            projections[projection.0 as usize] = Some(projection.1);
        }
        let confidence = numbers(&self.head.confidence)?;
        let frequencies = self.architecture.relative_time.then(|| numbers(&self.frequencies)).transpose()?;
        let mut now = Vec::new();
        encode_age(frequencies.as_deref().unwrap_or_default(), 0.0, &mut now);
        Ok(PlainNet {
            hidden: self.architecture.hidden as usize,
            projections,
            layers: self.layers.iter().map(|layer| layer.plain(&now)).collect::<Result<_, _>>()?,
            head: [Linear::new(&self.head.hidden)?, Linear::new(&self.head.out)?],
            direct: numbers(&self.head.direct)?,
            columns: self.direct_columns().collect(),
            league: numbers(&self.head.league)?,
            trust: numbers(&self.head.trust)?.first().copied().unwrap_or(0.0),
            confidence: std::array::from_fn(|tilt| confidence[tilt]),
            frequencies,
        })
    }
}

/// The sources of one node, as they were gathered out of a block.
#[derive(Debug, Default)]
struct Gathered {
    /// Relation, and where its encoded age begins.
    edges: Vec<(Relation, Option<usize>)>,
    /// `[edges with an age, d]`.
    ages: Vec<f32>,
    /// `[edges, layers that read them, 2 d]`.
    sent: Vec<f32>,
}

impl Gathered {
    fn sources(&self, d: usize, layers: usize) -> Vec<PlainSource<'_>> {
        let sent = self.sent.chunks_exact((layers * 2 * d).max(1));
        let source = |((relation, age), sent): (&(Relation, Option<usize>), _)| PlainSource {
            relation: *relation,
            age: age.map(|from| &self.ages[from..from + d]),
            sent,
        };
        self.edges.iter().zip(sent).map(source).collect()
    }
}

impl PlainNet {
    /// Returns how many numbers a node next to a game sends: a key and a value in each layer.
    pub(crate) fn sent_by_a_node(&self) -> usize {
        self.layers.len() * 2 * self.hidden
    }

    /// Whether messages have earned any trust; without it they change nothing.
    pub(crate) fn listens(&self) -> bool {
        self.trust > 0.0
    }

    /// Encodes the age of an edge; none for an edge of this very instant, or with the encoding switched off.
    pub(crate) fn age(&self, days: f32) -> Option<Vec<f32>> {
        let mut encoded = Vec::new();
        let frequencies = self.frequencies.as_deref().filter(|_| days != 0.0)?;
        encode_age(frequencies, days, &mut encoded);
        Some(encoded)
    }

    /// Writes what a row of a block next to the seeds sends in each layer: [`sent_by_a_node`](Self::sent_by_a_node) numbers.
    pub(crate) fn send(&self, block: &Block, row: usize, sent: &mut [f32]) {
        self.send_below(block, row, self.layers.len(), &mut Scratch::default(), sent);
    }

    /// Returns the raw tilts of each seed, before confidence: what [`Net::forward`] returns.
    pub(crate) fn raw(&self, seeds: &Block, league: &[i64]) -> Vec<RawTilts> {
        let mut scratch = Scratch::default();
        let tilts = |row: usize| {
            let features = &seeds.features[row * seeds.width..(row + 1) * seeds.width];
            let layers = if self.listens() { self.layers.len() } else { 0 };
            let gathered = self.gather(seeds, row, layers, &mut scratch);
            self.tilts(features, league[row] as usize, &gathered.sources(self.hidden, layers))
        };
        (0..seeds.rows).map(tilts).collect()
    }

    /// Returns the raw tilts of one game by its features and by what the nodes next to it send.
    pub(crate) fn tilts(&self, features: &[f32], league: usize, sources: &[PlainSource<'_>]) -> RawTilts {
        let mut tilts = self.direct(features, league);
        if self.listens() {
            let mut scratch = Scratch::default();
            let mut state = self.project(NodeKind::Game, features);
            for (place, layer) in self.layers.iter().enumerate() {
                layer.update(NodeKind::Game, place, sources, &mut scratch, &mut state);
            }
            let mut hidden = vec![0.0; self.head[0].outputs()];
            let mut out = [0.0; WIDTH];
            self.head[0].apply(&state, &mut hidden);
            gelu(&mut hidden);
            self.head[1].apply(&hidden, &mut out);
            tilts.iter_mut().zip(out).for_each(|(tilt, message)| *tilt += message * self.trust);
        }
        tilts
    }

    /// The linear part of one game.
    fn direct(&self, features: &[f32], league: usize) -> RawTilts {
        let standard = self.projections[NodeKind::Game as usize].as_ref();
        let value = |column: usize| standard.map_or(features[column], |s| s.value(features[column], column));
        let seen: Vec<f32> = self.columns.iter().map(|column| value(*column)).collect();
        let bias = league * WIDTH;
        std::array::from_fn(|tilt| {
            let weights = &self.direct[tilt * seen.len()..(tilt + 1) * seen.len()];
            weights.iter().zip(&seen).map(|(w, x)| w * x).sum::<f32>() + self.league[bias + tilt]
        })
    }

    /// Hidden state of a node before any message: `[d]`.
    fn project(&self, kind: NodeKind, features: &[f32]) -> Vec<f32> {
        let mut hidden = vec![0.0; self.hidden];
        if let Some(standard) = &self.projections[kind as usize] {
            let values = features.iter().enumerate().map(|(column, x)| standard.value(*x, column));
            let values: Vec<f32> = values.collect();
            standard.linear.apply(&values, &mut hidden);
            for value in &mut hidden {
                *value = value.max(0.0);
            }
        }
        hidden
    }

    /// Writes what a row sends in the first `layers` layers: `[layers, 2 d]`.
    fn send_below(&self, block: &Block, row: usize, layers: usize, scratch: &mut Scratch, sent: &mut [f32]) {
        let mut hidden =
            self.project(block.kind, &block.features[row * block.width..(row + 1) * block.width]);
        let gathered = self.gather(block, row, layers.saturating_sub(1), scratch);
        let sources = gathered.sources(self.hidden, layers.saturating_sub(1));
        for (place, sent) in sent.chunks_exact_mut(2 * self.hidden).enumerate().take(layers) {
            self.layers[place].send(block.kind, &hidden, sent);
            if place + 1 < layers {
                self.layers[place].update(block.kind, place, &sources, scratch, &mut hidden);
            }
        }
    }

    /// Gathers what the sources of a row send in the first `layers` layers; nothing where no layer reads them.
    fn gather(&self, block: &Block, row: usize, layers: usize, scratch: &mut Scratch) -> Gathered {
        let mut gathered = Gathered::default();
        if layers == 0 {
            return gathered;
        }
        for children in &block.children {
            for place in (row * children.fan_out..(row + 1) * children.fan_out)
                .filter(|place| children.present[*place] > 0.0)
            {
                let age =
                    self.frequencies.as_ref().filter(|_| children.age_days[place] != 0.0).map(|cycles| {
                        encode_age(cycles, children.age_days[place], &mut gathered.ages);
                        gathered.ages.len() - self.hidden
                    });
                gathered.edges.push((children.relation, age));
                let from = gathered.sent.len();
                gathered.sent.resize(from + layers * 2 * self.hidden, 0.0);
                self.send_below(&children.block, place, layers, scratch, &mut gathered.sent[from..]);
            }
        }
        gathered
    }
}

impl Standard {
    fn value(&self, feature: f32, column: usize) -> f32 {
        let limit = FEATURE_LIMIT as f32;
        ((feature - self.mean[column]) * self.scale[column]).clamp(-limit, limit)
    }
}

/// Appends `[d]`: sinusoids of falling frequency.
fn encode_age(cycles: &[f32], age: f32, encoded: &mut Vec<f32>) {
    let scale = ((2 * cycles.len()) as f32).sqrt().recip();
    encoded.extend(cycles.iter().map(|cycle| (age * cycle).sin() * scale));
    encoded.extend(cycles.iter().map(|cycle| (age * cycle).cos() * scale));
}
