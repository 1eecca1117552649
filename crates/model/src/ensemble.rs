//! Trained members of both variants: what they say, and the two files they are kept in.
//!
//! `model.pt` holds every tensor under `<variant>.<member>.<name>` in libtorch's own format; `model.json` holds all else,
//! the sha256 of `model.pt` among it.
//!
//! # Example
//! ```
//! use model::{Ensemble, ModelError};
//! let refusal = Ensemble::from_bytes(b"weights", "<html>not found</html>").unwrap_err();
//! assert!(matches!(refusal, ModelError::ModelFile(_)));
//! ```

use std::{collections::BTreeMap, io::Cursor, sync::Arc};

use graph::{Batch, Graph, SampleSettings, Sampler, Seed};
use jiff::Timestamp;
use market::{ModelCard, Prediction, ScoreForecast, predictor::LeagueScores};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tch::{Device, Tensor};

use crate::{
    LeagueBase, ModelError, TrainSettings, Variant, direct::Ridge, fit::Member, forecast::Forecaster,
    net::Architecture, samples::sample_settings, tilt::BaseTable,
};

const SCHEMA_VERSION: u32 = 3;
/// Games forecast together.
const AT_ONCE: usize = 32;

/// How one member was trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberRecord {
    /// Its inputs.
    pub variant: Variant,
    /// Its seed.
    pub seed: u64,
    /// Epochs of the deployed weights.
    pub epochs: usize,
    /// How much of what the messages add is believed, from 0 to 1: what they gained on the validation games against the
    /// error of that gain.
    pub trust: f64,
    /// Factor of the margin's shift that was found on the validation games: above 1 favourites are given more.
    pub confidence: f64,
    /// Loss on the validation games at that epoch, before any refit.
    pub validation_loss: f64,
    /// Wall-clock time of an epoch; not kept in the file, which is the same for the same inputs.
    #[serde(skip)]
    pub seconds_per_epoch: f64,
}

/// Everything about a model but its weights: the content of `model.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFile {
    /// Version of this format.
    pub schema_version: u32,
    /// Version, hash, scores.
    pub card: ModelCard,
    /// Whether the deployed members were fitted again on all games; the card's scores are of members that were not.
    pub refitted: bool,
    /// Settings that it was trained with.
    pub settings: TrainSettings,
    /// Histograms that it tilts, in the order of the network's league index.
    pub leagues: Vec<LeagueBase>,
    /// Ties among the held-out games of each 2-way league, which no score counts.
    pub ties_left_out: BTreeMap<String, usize>,
    /// How each member was trained.
    pub members: Vec<MemberRecord>,
    /// sha256 of each input by its name.
    pub inputs: BTreeMap<String, String>,
    /// As-of of the last whole training, whose scores the card tells; earlier than the card's own after an update.
    pub trained_as_of: Timestamp,
    /// Updates since then.
    pub updates: usize,
    /// Sizes of each variant's networks.
    architectures: BTreeMap<Variant, Architecture>,
    /// Penalties of each variant's linear part.
    ridges: BTreeMap<Variant, Ridge>,
}

impl ModelFile {
    pub(crate) fn ridge(&self, variant: Variant) -> Ridge {
        self.ridges.get(&variant).copied().unwrap_or_default()
    }

    pub(crate) fn ridges(&self) -> BTreeMap<Variant, Ridge> {
        self.ridges.clone()
    }
}

/// The members of both variants, ready to forecast; on the CPU unless it was just trained elsewhere.
#[derive(Debug)]
pub struct Ensemble {
    file: ModelFile,
    members: BTreeMap<Variant, Vec<Member>>,
    table: BaseTable,
    /// The same in plain numbers: what forecasts.
    forecaster: Arc<Forecaster>,
}

/// What [`Ensemble::assemble`] is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    /// With version and hash still empty.
    pub(crate) card: ModelCard,
    pub(crate) trained_as_of: Timestamp,
    pub(crate) updates: usize,
    pub(crate) settings: TrainSettings,
    pub(crate) leagues: Vec<LeagueBase>,
    pub(crate) ties_left_out: BTreeMap<String, usize>,
    pub(crate) records: Vec<MemberRecord>,
    pub(crate) ridges: BTreeMap<Variant, Ridge>,
    pub(crate) inputs: BTreeMap<String, String>,
    pub(crate) members: BTreeMap<Variant, Vec<Member>>,
}

impl Ensemble {
    /// Puts trained members together and names the whole by its hash.
    pub(crate) fn assemble(parts: Parts) -> Result<Self, ModelError> {
        let Parts {
            mut card,
            trained_as_of,
            updates,
            settings,
            leagues,
            ties_left_out,
            records,
            ridges,
            inputs,
            members,
        } = parts;
        let weights = weights(&members)?;
        card.sha256 = sha256(&weights);
        card.version = format!("{}-{}", card.data_as_of.strftime("%Y%m%dT%H%M%SZ"), &card.sha256[..8]);
        let architectures = members
            .iter()
            .filter_map(|(variant, members)| Some((*variant, members.first()?.net.architecture().clone())))
            .collect();
        let device = members.values().flatten().next().map_or(Device::Cpu, |member| member.store.device());
        let table = BaseTable::new(&leagues, device);
        let file = ModelFile {
            schema_version: SCHEMA_VERSION,
            card,
            refitted: settings.refit || updates > 0,
            settings,
            leagues,
            ties_left_out,
            members: records,
            inputs,
            trained_as_of,
            updates,
            architectures,
            ridges,
        };
        let forecaster = Arc::new(Forecaster::new(&file.leagues, &members)?);
        Ok(Self { file, members, table, forecaster })
    }

    /// Returns what forecasts, for whoever asks from several threads.
    pub(crate) fn forecaster(&self) -> Arc<Forecaster> {
        self.forecaster.clone()
    }

    /// Returns everything but the weights.
    pub fn file(&self) -> &ModelFile {
        &self.file
    }

    /// Returns the card: the content of `best.json`.
    pub fn card(&self) -> &ModelCard {
        &self.file.card
    }

    /// Says how many configurations were tried before this one was chosen.
    pub fn set_configurations_tried(&mut self, configurations: usize) {
        self.file.card.configurations_tried = configurations;
    }

    /// Returns the scores, so that whoever knows every price can add what was measured on other markets.
    pub fn scores_mut(&mut self) -> &mut [LeagueScores] {
        &mut self.file.card.scores
    }

    /// Returns `model.pt` and `model.json`; the same ensemble gives the same bytes.
    pub fn to_bytes(&self) -> Result<(Vec<u8>, String), ModelError> {
        let json = serde_json::to_string_pretty(&self.file).map_err(ModelError::ModelFile)?;
        Ok((weights(&self.members)?, json))
    }

    /// Reads `model.pt` and `model.json` onto the CPU.
    ///
    /// # Errors
    /// When the JSON is not of this version, or the weights are not those that it speaks of.
    pub fn from_bytes(weights: &[u8], json: &str) -> Result<Self, ModelError> {
        let file: ModelFile = serde_json::from_str(json).map_err(ModelError::ModelFile)?;
        let found = sha256(weights);
        if found != file.card.sha256 {
            return Err(ModelError::Corrupt { expected: file.card.sha256.clone(), found });
        }
        file.settings.use_threads();
        let tensors = Tensor::load_multi_from_stream_with_device(Cursor::new(weights), Device::Cpu)
            .map_err(ModelError::torch("reading model.pt"))?;
        let tensors: BTreeMap<String, Tensor> = tensors.into_iter().collect();
        let mut members: BTreeMap<Variant, Vec<Member>> = BTreeMap::new();
        for record in &file.members {
            let architecture = file
                .architectures
                .get(&record.variant)
                .ok_or_else(|| ModelError::Weights(record.variant.as_str().to_owned()))?;
            let member = Member::new(architecture.clone(), record.seed, Device::Cpu);
            let of_variant = members.entry(record.variant).or_default();
            for (name, mut variable) in member.store.variables() {
                let name = key(record.variant, of_variant.len(), &name);
                match tensors.get(&name) {
                    Some(tensor) if tensor.size() == variable.size() => {
                        tch::no_grad(|| variable.f_copy_(tensor))
                            .map_err(ModelError::torch("reading model.pt"))?;
                    }
                    _ => return Err(ModelError::Weights(name)),
                }
            }
            of_variant.push(member);
        }
        let table = BaseTable::new(&file.leagues, Device::Cpu);
        let forecaster = Arc::new(Forecaster::new(&file.leagues, &members)?);
        Ok(Self { file, members, table, forecaster })
    }

    pub(crate) fn members(&self, variant: Variant) -> &[Member] {
        self.members.get(&variant).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn table(&self) -> &BaseTable {
        &self.table
    }

    /// Forecasts each game of `batch` with each member: `[member][game]`.
    ///
    /// A game's bits depend on nothing else in the batch.
    pub fn forecast(&self, variant: Variant, batch: &Batch) -> Result<Vec<Vec<ScoreForecast>>, ModelError> {
        self.forecaster.forecast(variant, batch)
    }

    /// Forecasts known games, each as of its own instant: by the variant with prices where the game has one by then.
    ///
    /// The graph may know more than the ensemble was trained with: a seed sees only what was known before its as-of.
    pub fn predict(&self, graph: &Graph, seeds: &[Seed]) -> Result<Vec<Prediction>, ModelError> {
        let of = |variant: Variant| -> Result<Vec<Vec<ScoreForecast>>, ModelError> {
            let mut games = vec![Vec::new(); seeds.len()];
            let Some(settings) = self.sample_settings(variant) else { return Ok(games) };
            let sampler = Sampler::new(graph, settings);
            let forecaster = &self.forecaster;
            let pieces = games.par_chunks_mut(AT_ONCE).zip(seeds.par_chunks(AT_ONCE));
            pieces.try_for_each(|(games, seeds)| {
                for member in forecaster.forecast(variant, &sampler.sample(seeds))? {
                    games.iter_mut().zip(member).for_each(|(game, forecast)| game.push(forecast));
                }
                Ok::<(), ModelError>(())
            })?;
            Ok(games)
        };
        let (without, with) = (of(Variant::Hgt)?, of(Variant::HgtMarket)?);
        let version = &self.file.card.version;
        let said = seeds.iter().zip(without.into_iter().zip(with));
        Ok(said
            .map(|(seed, (without, with))| {
                let priced = !with.is_empty() && graph.consensus(seed.game, seed.as_of).is_some();
                Prediction {
                    game: graph.games()[seed.game].clone(),
                    as_of: seed.as_of,
                    model_version: version.clone(),
                    members: if priced { with } else { without.clone() },
                    members_without_market: without,
                }
            })
            .collect())
    }

    /// Returns what a variant's batches must be sampled with; none when it has no members.
    pub fn sample_settings(&self, variant: Variant) -> Option<SampleSettings> {
        let architecture = self.file.architectures.get(&variant)?;
        Some(sample_settings(&self.file.settings, variant, &architecture.schema.all_relations()))
    }
}

/// Returns the sha256 of `bytes` in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

fn key(variant: Variant, member: usize, name: &str) -> String {
    format!("{}.{member}.{name}", variant.as_str())
}

fn weights(members: &BTreeMap<Variant, Vec<Member>>) -> Result<Vec<u8>, ModelError> {
    let mut named: BTreeMap<String, Tensor> = BTreeMap::new();
    for (variant, members) in members {
        for (i, member) in members.iter().enumerate() {
            for (name, tensor) in member.store.variables() {
                named.insert(key(*variant, i, &name), tensor.detach().to_device(Device::Cpu));
            }
        }
    }
    let named: Vec<(String, Tensor)> = named.into_iter().collect();
    let mut bytes = Vec::new();
    Tensor::save_multi_to_stream(&named, &mut bytes).map_err(ModelError::torch("writing model.pt"))?;
    Ok(bytes)
}
