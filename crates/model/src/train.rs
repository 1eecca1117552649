//! From a graph to an ensemble of both variants, scored on games that it was not trained on.
//!
//! Games are cut in time into train, validation (when to stop) and held-out test. What is scored are members that saw
//! only the first two; what is deployed, unless `refit` is off, are members fitted from scratch on all games for the
//! number of epochs found, and the model file says so.

use std::collections::BTreeMap;

use graph::Graph;
use market::{ModelCard, Prediction, ScoreForecast, predictor::LeagueScores};

use crate::{
    Checkpoints, Ensemble, MemberRecord, ModelError, Progress, Stage, Step, TrainSettings, Variant,
    baselines::{Forecasts, League, fit_to_league},
    direct::Ridge,
    ensemble::Parts,
    evaluate::{Evaluation, evaluate},
    examples::{Example, Split},
    fit::{FitStep, Member, Place},
    ground::{Ground, is_priced, league_bases},
    stopwatch::{Phase, time},
};

/// Where a model comes from: what its files record beside the data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Provenance {
    /// Commit of the code; `unknown` outside of a repository.
    pub git_commit: String,
    /// sha256 of each input by its name.
    pub inputs: BTreeMap<String, String>,
    /// Configurations tried before this one was chosen.
    pub configurations_tried: usize,
}

/// A trained ensemble with its held-out forecasts.
#[derive(Debug)]
pub struct Trained {
    /// What is deployed.
    pub ensemble: Ensemble,
    /// One member of each variant that has no messages, only the linear part over the same features: what the graph
    /// must beat.
    pub linear: Ensemble,
    /// Every held-out game, by start, forecast as of its decision by members that were not refitted.
    pub held_out: Vec<Prediction>,
}

/// Trains both variants of the network on one graph.
///
/// # Example
/// ```
/// use data::Snapshot;
/// use graph::Graph;
/// use model::{ModelError, TrainSettings, Trainer};
/// let snapshot = Snapshot::new("2021-11-11T09:00:00Z".parse().unwrap(), vec![], vec![], vec![], vec![]);
/// let graph = Graph::build(&snapshot);
/// let trainer = Trainer::new(&graph, TrainSettings::default(), Default::default());
/// assert!(matches!(trainer.train(&mut ()), Err(ModelError::TooFewGames { found: 0, .. })));
/// ```
pub struct Trainer<'a> {
    graph: &'a Graph,
    settings: TrainSettings,
    provenance: Provenance,
    variants: Vec<Variant>,
    checkpoints: Option<&'a dyn Checkpoints>,
}

impl std::fmt::Debug for Trainer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trainer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// One variant's members and what the unrefitted ones say of the held-out games: `[member][game]`.
struct VariantResult {
    members: Vec<Member>,
    records: Vec<MemberRecord>,
    ridge: Ridge,
    held_out: Vec<Vec<ScoreForecast>>,
    /// The member without messages, and what it says of the held-out games.
    linear: (Member, Vec<ScoreForecast>),
}

impl<'a> Trainer<'a> {
    /// Trains on `graph` under `settings`.
    pub fn new(graph: &'a Graph, settings: TrainSettings, provenance: Provenance) -> Self {
        Self { graph, settings, provenance, variants: Variant::ALL.to_vec(), checkpoints: None }
    }

    pub(crate) fn graph(&self) -> &'a Graph {
        self.graph
    }

    pub(crate) fn settings(&self) -> &TrainSettings {
        &self.settings
    }

    pub(crate) fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// Keeps checkpoints, and goes on from those that are there.
    ///
    /// They must be of a training on the same graph under the same settings.
    #[must_use]
    pub fn checkpoints(mut self, checkpoints: &'a dyn Checkpoints) -> Self {
        self.checkpoints = Some(checkpoints);
        self
    }

    /// Trains no variant that sees prices.
    #[must_use]
    pub fn without_market(mut self) -> Self {
        self.variants.retain(|variant| !variant.uses_market());
        self
    }

    /// Trains, scores and, unless switched off, fits again on all games.
    ///
    /// On the CPU the same graph and settings give the same bits. libtorch's generator is one per process: nothing
    /// else may draw from it meanwhile.
    pub fn train(&self, progress: &mut dyn Progress) -> Result<Trained, ModelError> {
        self.settings.check()?;
        let split = Split::of(self.graph, &self.settings)?;
        let mut results = BTreeMap::new();
        for &variant in &self.variants {
            results.insert(variant, self.train_variant(variant, &split, progress)?);
        }
        let evaluated: Vec<_> = (0..self.graph.leagues().len())
            .filter_map(|league| self.evaluate_league(league, &split, &results))
            .collect();
        let scores: Vec<LeagueScores> = evaluated.iter().map(|e| e.scores.clone()).collect();
        let ties_left_out =
            evaluated.iter().map(|e| (e.scores.league.to_string(), e.ties_left_out)).filter(|(_, n)| *n > 0);
        let deployed_on = if self.settings.refit { &split.all } else { &split.train };
        let leagues = league_bases(self.graph, deployed_on);
        let card = ModelCard {
            version: String::new(),
            sha256: String::new(),
            data_as_of: self.graph.as_of(),
            git_commit: self.provenance.git_commit.clone(),
            leagues: leagues.iter().map(|league| league.league.clone()).collect(),
            scores,
            configurations_tried: self.provenance.configurations_tried,
        };
        let ties_left_out: BTreeMap<String, usize> = ties_left_out.collect();
        let records = results.values().flat_map(|result| result.records.clone()).collect();
        let held_out = self.held_out(&split.test, &results);
        let ridges: BTreeMap<Variant, Ridge> = results.iter().map(|(v, result)| (*v, result.ridge)).collect();
        let (mut members, mut linear) = (BTreeMap::new(), BTreeMap::new());
        for (variant, result) in results {
            members.insert(variant, result.members);
            linear.insert(variant, vec![result.linear.0]);
        }
        let parts = |members, records| Parts {
            card: card.clone(),
            trained_as_of: self.graph.as_of(),
            updates: 0,
            ridges: ridges.clone(),
            settings: self.settings.clone(),
            leagues: leagues.clone(),
            ties_left_out: ties_left_out.clone(),
            records,
            inputs: self.provenance.inputs.clone(),
            members,
        };
        let ensemble = Ensemble::assemble(parts(members, records))?;
        let linear = Ensemble::assemble(parts(linear, Vec::new()))?;
        let version = ensemble.card().version.clone();
        let held_out =
            held_out.into_iter().map(|p| Prediction { model_version: version.clone(), ..p }).collect();
        Ok(Trained { ensemble, linear, held_out })
    }

    fn train_variant(
        &self,
        variant: Variant,
        split: &Split,
        progress: &mut dyn Progress,
    ) -> Result<VariantResult, ModelError> {
        let settings = &self.settings;
        let ground = Ground::new(self.graph, settings, variant, split)?;
        let place = |stage: &str, number: usize| {
            let name = format!("{}-{number}-{stage}", variant.as_str());
            Some(Place { keeper: self.checkpoints?, name })
        };
        let mut result = VariantResult {
            members: vec![],
            records: vec![],
            ridge: ground.ridge,
            held_out: vec![],
            linear: ground.fit_linear(settings.refit)?,
        };
        let mut found = Vec::new();
        for number in 0..settings.ensemble {
            let seed = member_seed(settings.seed, number);
            let mut watch = Watch { progress: &mut *progress, variant, number, settings, stage: Stage::Fit };
            let (member, fitted) =
                ground.fit_member(seed, settings.epochs, place("fit", number), &mut |step| {
                    watch.report(step);
                })?;
            result.held_out.push(ground.forecast_test(&member)?);
            result.records.push(MemberRecord {
                variant,
                seed,
                epochs: fitted.epoch,
                trust: fitted.earned.trust,
                confidence: fitted.earned.confidence,
                validation_loss: fitted.validation_loss.unwrap_or(f64::INFINITY),
                seconds_per_epoch: fitted.seconds_per_epoch,
            });
            found.push((fitted.epoch, fitted.earned));
            if !settings.refit {
                result.members.push(member);
            }
        }
        if settings.refit {
            for (number, (epochs, earned)) in found.into_iter().enumerate() {
                let seed = member_seed(settings.seed, number);
                let mut watch =
                    Watch { progress: &mut *progress, variant, number, settings, stage: Stage::Refit };
                result.members.push(ground.refit_member(
                    seed,
                    (epochs, earned),
                    place("refit", number),
                    &mut |step| watch.report_of(step, epochs),
                )?);
            }
        }
        Ok(result)
    }

    fn evaluate_league(
        &self,
        league: usize,
        split: &Split,
        results: &BTreeMap<Variant, VariantResult>,
    ) -> Option<Evaluation> {
        let _scoring = time(Phase::Score);
        let of_league = |part: &[Example]| -> Vec<Example> {
            part.iter().filter(|example| example.league == league).copied().collect()
        };
        let (all, test) = (of_league(&split.all), of_league(&split.test));
        let mut train = of_league(&split.train);
        train.extend(of_league(&split.validation));
        let three_way = self.graph.leagues()[league].three_way;
        let of = |variant: Variant, name: &str, members: &[&[ScoreForecast]]| {
            let games = split.test.iter().enumerate().filter(|(_, example)| example.league == league);
            let pool = |(game, example): (usize, &Example)| {
                let says = !variant.uses_market() || is_priced(self.graph, example);
                says.then(|| mean_outcome(members.iter().map(|member| &member[game])))
                    .and_then(|p| fit_to_league(p, three_way))
            };
            let (name, uses_market) = (name.to_owned(), variant.uses_market());
            Forecasts { name, uses_market, games: games.map(pool).collect() }
        };
        let models = results.iter().flat_map(|(variant, result)| {
            let members: Vec<&[ScoreForecast]> = result.held_out.iter().map(Vec::as_slice).collect();
            [
                of(*variant, variant.linear_name(), &[&result.linear.1]),
                of(*variant, variant.as_str(), &members),
            ]
        });
        let models = models.collect();
        let here = League { graph: self.graph, three_way, all: &all, train: &train, test: &test };
        evaluate(&self.graph.leagues()[league].id, &here, models)
    }

    fn held_out(&self, test: &[Example], results: &BTreeMap<Variant, VariantResult>) -> Vec<Prediction> {
        let of = |variant: Variant, game: usize| -> Vec<ScoreForecast> {
            let members = results.get(&variant).map_or(&[][..], |result| &result.held_out[..]);
            members.iter().map(|forecasts| forecasts[game].clone()).collect()
        };
        let prediction = |(i, example): (usize, &Example)| {
            let priced = is_priced(self.graph, example);
            Prediction {
                game: self.graph.games()[example.game].clone(),
                as_of: example.as_of,
                model_version: String::new(),
                members: of(if priced { Variant::HgtMarket } else { Variant::Hgt }, i),
                members_without_market: of(Variant::Hgt, i),
            }
        };
        test.iter().enumerate().map(prediction).collect()
    }
}

/// Returns home, draw, away, averaged over members.
pub(crate) fn mean_outcome<'a>(members: impl ExactSizeIterator<Item = &'a ScoreForecast>) -> [f64; 3] {
    let count = members.len().max(1) as f64;
    let mut mean = [0.0; 3];
    for forecast in members {
        let outcome = forecast.moneyline_three_way();
        mean.iter_mut().zip(outcome).for_each(|(sum, p)| *sum += p / count);
    }
    mean
}

pub(crate) fn member_seed(seed: u64, member: usize) -> u64 {
    seed.wrapping_mul(1_000_003).wrapping_add(member as u64)
}

/// Turns a fit's steps into [`Step`]s.
pub(crate) struct Watch<'a> {
    pub(crate) progress: &'a mut dyn Progress,
    pub(crate) variant: Variant,
    pub(crate) number: usize,
    pub(crate) settings: &'a TrainSettings,
    pub(crate) stage: Stage,
}

impl Watch<'_> {
    pub(crate) fn report(&mut self, step: &FitStep) {
        self.report_of(step, self.settings.epochs);
    }

    pub(crate) fn report_of(&mut self, step: &FitStep, epochs: usize) {
        self.progress.step(&Step {
            variant: self.variant,
            member: self.number,
            members: self.settings.ensemble,
            stage: self.stage,
            epoch: step.epoch,
            epochs,
            batch: step.batch,
            batches: step.batches,
            loss: step.loss,
            validation_loss: step.validation_loss,
            elapsed: step.elapsed,
        });
    }
}
