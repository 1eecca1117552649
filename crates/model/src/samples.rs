//! Examples sampled once and kept as tensors: training goes over them many times.

use std::collections::BTreeSet;

use graph::{Block, FanOut, Graph, Past, Relation, SampleSettings, Sampler, Seed};
use tch::{Device, Kind, Tensor};

use crate::{
    ModelError, TrainSettings, Variant,
    examples::Example,
    stopwatch::{Phase, time},
    tilt::{BaseTable, TILTS, Targets},
    tree::Tree,
};

/// Games sampled per call; bounds the memory beside the tensors.
const CHUNK: usize = 256;
/// Calls that run side by side before their tensors are made.
const CHUNKS_AT_ONCE: usize = 16;
/// Games, spread over all, that tell which relations a league has.
const PROBE: usize = 512;

/// Returns what is sampled for a variant, through `relations` only.
pub(crate) fn sample_settings(
    settings: &TrainSettings,
    variant: Variant,
    relations: &BTreeSet<Relation>,
) -> SampleSettings {
    let unused = Relation::ALL.into_iter().filter(|relation| !relations.contains(relation));
    SampleSettings {
        fan_out: unused.fold(FanOut::default().with_outcomes(settings.fan_out), |all, r| all.with(r, 0)),
        hops: settings.layers,
        with_market: variant.uses_market(),
        past: if settings.reservoir { Past::Reservoir(settings.seed) } else { Past::Recent },
    }
}

/// Returns the relations through which anything at all is found in a probe of `examples`.
///
/// A league without coaches or referees then costs nothing for them.
pub(crate) fn used_relations(
    graph: &Graph,
    settings: &TrainSettings,
    variant: Variant,
    examples: &[Example],
) -> BTreeSet<Relation> {
    let everything = sample_settings(settings, variant, &Relation::ALL.into_iter().collect());
    let step = examples.len().div_ceil(PROBE).max(1);
    let seeds: Vec<Seed> =
        examples.iter().rev().step_by(step).map(|e| Seed { game: e.game, as_of: e.as_of }).collect();
    let mut used = BTreeSet::new();
    collect_used(&Sampler::new(graph, everything).sample(&seeds).seeds, &mut used);
    used
}

fn collect_used(block: &Block, used: &mut BTreeSet<Relation>) {
    for children in &block.children {
        if children.present.iter().any(|present| *present > 0.0) {
            used.insert(children.relation);
            collect_used(&children.block, used);
        }
    }
}

/// Sampled examples on one device.
#[derive(Debug)]
pub(crate) struct Samples {
    pub(crate) tree: Tree,
    pub(crate) league: Tensor,
    pub(crate) leagues: Vec<usize>,
    /// What the books agree on, for a variant that sees it.
    pub(crate) consensus: Vec<Option<[f64; 3]>>,
    /// Margin and total that the ratings expect.
    pub(crate) expected: Vec<[f64; 2]>,
    /// `[games, TILTS]`: where each forecast starts; 0 until [`anchored`](Self::anchored).
    pub(crate) anchor: Tensor,
}

impl Samples {
    /// Samples `examples`, each as of its own decision time.
    pub(crate) fn new(
        graph: &Graph,
        settings: SampleSettings,
        examples: &[Example],
        device: Device,
    ) -> Result<Self, ModelError> {
        let sampler = Sampler::new(graph, settings);
        let seeds: Vec<Seed> =
            examples.iter().map(|example| Seed { game: example.game, as_of: example.as_of }).collect();
        let (mut trees, mut consensus, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        for seeds in seeds.chunks(CHUNK * CHUNKS_AT_ONCE) {
            let sampling = time(Phase::Sample);
            let batches = sampler.pieces(seeds, CHUNK);
            drop(sampling);
            let _copying = time(Phase::Copy);
            for batch in batches {
                trees.push(Tree::new(&batch)?);
                consensus.extend(batch.consensus);
                expected.extend(batch.expected);
            }
        }
        let _copying = time(Phase::Copy);
        let tree = Tree::concatenate(&trees.iter().collect::<Vec<_>>())?.to_device(device);
        let leagues: Vec<usize> = examples.iter().map(|example| example.league).collect();
        Ok(Self::of(tree, leagues, consensus, expected))
    }

    /// Joins a tree with its seeds' leagues, prices and expected scores.
    pub(crate) fn of(
        tree: Tree,
        leagues: Vec<usize>,
        consensus: Vec<Option<[f64; 3]>>,
        expected: Vec<[f64; 2]>,
    ) -> Self {
        let device = tree.features.device();
        let anchor = Tensor::zeros([leagues.len() as i64, TILTS], (Kind::Float, device));
        Self { tree, league: league_tensor(&leagues, device), leagues, consensus, expected, anchor }
    }

    /// Starts each forecast from its price, as the histograms of `table` express it.
    pub(crate) fn anchored(mut self, table: &BaseTable) -> Self {
        self.anchor = table.anchors(&self.leagues, &self.consensus, &self.expected);
        self
    }

    /// Returns the number of games.
    pub(crate) fn len(&self) -> usize {
        self.leagues.len()
    }

    /// Returns the games at `index`.
    pub(crate) fn select(&self, index: &[i64]) -> Self {
        let on_device = Tensor::from_slice(index).to_device(self.league.device());
        Self {
            tree: self.tree.select(&on_device),
            league: self.league.index_select(0, &on_device),
            leagues: index.iter().map(|i| self.leagues[*i as usize]).collect(),
            consensus: index.iter().map(|i| self.consensus[*i as usize]).collect(),
            expected: index.iter().map(|i| self.expected[*i as usize]).collect(),
            anchor: self.anchor.index_select(0, &on_device),
        }
    }

    /// Returns consecutive pieces of at most `size` games, by index.
    pub(crate) fn pieces(&self, size: usize) -> impl Iterator<Item = Vec<i64>> {
        let n = self.len();
        (0..n).step_by(size.max(1)).map(move |from| (from as i64..(from + size).min(n) as i64).collect())
    }
}

/// Samples with what the network should have said.
#[derive(Debug)]
pub(crate) struct Labelled {
    pub(crate) samples: Samples,
    pub(crate) targets: Targets,
    /// Margin and total of each game.
    pub(crate) scores: Vec<(i32, i32)>,
    /// Closing lines to learn from, and their share beside the result.
    pub(crate) closing: Vec<Option<[f64; 3]>>,
    pub(crate) closing_share: f64,
}

impl Labelled {
    /// Labels `samples` with the scores of `examples`, which they were sampled from, and anchors them in `table`.
    pub(crate) fn of(
        samples: Samples,
        examples: &[Example],
        table: &BaseTable,
        closing: Vec<Option<[f64; 3]>>,
        closing_share: f64,
    ) -> Self {
        let scores: Vec<_> = examples.iter().map(Example::score).collect();
        let targets = table.targets(&scores, &closing, closing_share);
        let scores = scores.into_iter().map(|(_, margin, total)| (margin, total)).collect();
        Self { samples: samples.anchored(table), targets, scores, closing, closing_share }
    }

    pub(crate) fn select(&self, index: &[i64]) -> Self {
        let samples = self.samples.select(index);
        let on_device = Tensor::from_slice(index).to_device(samples.league.device());
        let scores = index.iter().map(|i| self.scores[*i as usize]).collect();
        let closing = index.iter().map(|i| self.closing[*i as usize]).collect();
        let targets = self.targets.select(&on_device);
        Self { targets, samples, scores, closing, closing_share: self.closing_share }
    }
}

fn league_tensor(leagues: &[usize], device: Device) -> Tensor {
    let leagues: Vec<i64> = leagues.iter().map(|league| *league as i64).collect();
    Tensor::from_slice(&leagues).to_device(device)
}
