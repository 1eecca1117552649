//! From a graph to an ensemble of both variants, scored on games that it was not trained on.

use std::collections::{BTreeMap, BTreeSet};

use graph::{Graph, Relation};
use market::{ModelCard, Prediction, ScoreForecast, predictor::LeagueScores};

use crate::{
    Ensemble, LeagueBase, MemberRecord, ModelError, Progress, Stage, Step, TrainSettings, Variant,
    baselines::{Forecasts, League, fit_to_league},
    ensemble::Parts,
    evaluate::evaluate,
    examples::{Example, Split},
    fit::{FitPlan, FitStep, Fitted, Member, fit},
    net::Architecture,
    samples::{Labelled, Samples, sample_settings, used_relations},
    schema::Schema,
    smoothed_histogram,
    tilt::BaseTable,
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
#[derive(Debug)]
pub struct Trainer<'a> {
    graph: &'a Graph,
    settings: TrainSettings,
    provenance: Provenance,
}

/// One variant's members and what the unrefitted ones say of the held-out games: `[member][game]`.
struct VariantResult {
    members: Vec<Member>,
    records: Vec<MemberRecord>,
    held_out: Vec<Vec<ScoreForecast>>,
}

impl<'a> Trainer<'a> {
    /// Trains on `graph` under `settings`.
    pub fn new(graph: &'a Graph, settings: TrainSettings, provenance: Provenance) -> Self {
        Self { graph, settings, provenance }
    }

    /// Trains, scores and, unless switched off, fits again on all games.
    ///
    /// On the CPU the same graph and settings give the same bits. libtorch's generator is one per process: nothing
    /// else may draw from it meanwhile.
    pub fn train(&self, progress: &mut dyn Progress) -> Result<Trained, ModelError> {
        self.settings.check()?;
        let split = Split::of(self.graph, &self.settings)?;
        let mut results = BTreeMap::new();
        for variant in Variant::ALL {
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
        let ties_left_out = ties_left_out.collect();
        let records = results.values().flat_map(|result| result.records.clone()).collect();
        let held_out = self.held_out(&split.test, &results);
        let ensemble = Ensemble::assemble(Parts {
            card,
            settings: self.settings.clone(),
            leagues,
            ties_left_out,
            records,
            inputs: self.provenance.inputs.clone(),
            members: results.into_iter().map(|(variant, result)| (variant, result.members)).collect(),
        })?;
        let version = ensemble.card().version.clone();
        let held_out =
            held_out.into_iter().map(|p| Prediction { model_version: version.clone(), ..p }).collect();
        Ok(Trained { ensemble, held_out })
    }

    fn train_variant(
        &self,
        variant: Variant,
        split: &Split,
        progress: &mut dyn Progress,
    ) -> Result<VariantResult, ModelError> {
        let settings = &self.settings;
        let ground = Ground::new(self.graph, settings, variant, split)?;
        let mut result = VariantResult { members: vec![], records: vec![], held_out: vec![] };
        let mut epochs_found = Vec::new();
        for number in 0..settings.ensemble {
            let seed = member_seed(settings.seed, number);
            let mut watch = Watch { progress: &mut *progress, variant, number, settings, stage: Stage::Fit };
            let (member, fitted) =
                ground.fit_member(seed, settings.epochs, &mut |step| watch.report(step))?;
            result.held_out.push(ground.forecast_test(&member)?);
            result.records.push(MemberRecord {
                variant,
                seed,
                epochs: fitted.epoch,
                validation_loss: fitted.validation_loss.unwrap_or(f64::INFINITY),
                seconds_per_epoch: fitted.seconds_per_epoch,
            });
            epochs_found.push(fitted.epoch);
            if !settings.refit {
                result.members.push(member);
            }
        }
        if settings.refit {
            let (table, all) = ground.everything(self.graph, split);
            for (number, epochs) in epochs_found.into_iter().enumerate() {
                let seed = member_seed(settings.seed, number);
                let mut member = Member::new(ground.architecture.clone(), seed, ground.table.device());
                let plan = FitPlan { settings, table: &table, seed, epochs };
                let mut watch =
                    Watch { progress: &mut *progress, variant, number, settings, stage: Stage::Refit };
                fit(&mut member, &plan, &all, None, &mut |step| watch.report_of(step, epochs))?;
                result.members.push(member);
            }
        }
        Ok(result)
    }

    fn evaluate_league(
        &self,
        league: usize,
        split: &Split,
        results: &BTreeMap<Variant, VariantResult>,
    ) -> Option<crate::evaluate::Evaluation> {
        let of_league = |part: &[Example]| -> Vec<Example> {
            part.iter().filter(|example| example.league == league).copied().collect()
        };
        let (all, test) = (of_league(&split.all), of_league(&split.test));
        let mut train = of_league(&split.train);
        train.extend(of_league(&split.validation));
        let three_way = self.graph.leagues()[league].three_way;
        let models = results.iter().map(|(variant, result)| {
            let games = split.test.iter().enumerate().filter(|(_, example)| example.league == league);
            let pool = |game: usize| fit_to_league(mean_outcome(&result.held_out, game), three_way);
            Forecasts {
                name: variant.as_str(),
                uses_market: variant.uses_market(),
                games: games.map(|(game, _)| pool(game)).collect(),
            }
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
        let prediction = |(i, example): (usize, &Example)| Prediction {
            game: self.graph.games()[example.game].clone(),
            as_of: example.as_of,
            model_version: String::new(),
            members: of(Variant::HgtMarket, i),
            members_without_market: of(Variant::Hgt, i),
        };
        test.iter().enumerate().map(prediction).collect()
    }
}

/// What a variant is trained on, sampled once.
pub(crate) struct Ground<'a> {
    settings: &'a TrainSettings,
    pub(crate) architecture: Architecture,
    pub(crate) table: BaseTable,
    samples: Samples,
    train: Labelled,
    validation: Labelled,
    test: Samples,
}

impl<'a> Ground<'a> {
    pub(crate) fn new(
        graph: &Graph,
        settings: &'a TrainSettings,
        variant: Variant,
        split: &Split,
    ) -> Result<Self, ModelError> {
        let device = settings.device.resolve()?;
        settings.use_threads();
        let relations: BTreeSet<Relation> = used_relations(graph, settings, variant, &split.train);
        let what = sample_settings(settings, variant, &relations);
        let samples = Samples::new(graph, what, &split.all, device)?;
        let architecture = Architecture::new(settings, graph.leagues().len(), Schema::of(&samples.tree));
        let table = BaseTable::new(&league_bases(graph, &split.train), device);
        let place: BTreeMap<usize, i64> =
            split.all.iter().enumerate().map(|(i, example)| (example.game, i as i64)).collect();
        let pick = |part: &[Example]| {
            let index: Vec<i64> =
                part.iter().filter_map(|example| place.get(&example.game).copied()).collect();
            samples.select(&index)
        };
        let label = |part: &[Example]| Labelled::of(pick(part), part, &table);
        let (train, validation, test) = (label(&split.train), label(&split.validation), pick(&split.test));
        Ok(Self { settings, architecture, table, samples, train, validation, test })
    }

    /// Trains one member on the training games.
    pub(crate) fn fit_member(
        &self,
        seed: u64,
        epochs: usize,
        watch: &mut dyn FnMut(&FitStep),
    ) -> Result<(Member, Fitted), ModelError> {
        let mut member = Member::new(self.architecture.clone(), seed, self.table.device());
        let plan = FitPlan { settings: self.settings, table: &self.table, seed, epochs };
        let fitted = fit(&mut member, &plan, &self.train, Some(&self.validation), watch)?;
        Ok((member, fitted))
    }

    fn forecast_test(&self, member: &Member) -> Result<Vec<ScoreForecast>, ModelError> {
        let mut forecasts = Vec::with_capacity(self.test.len());
        for index in self.test.pieces(1024) {
            let piece = self.test.select(&index);
            forecasts.extend(self.table.forecasts(&member.forecast(&self.table, &piece), &piece.leagues)?);
        }
        Ok(forecasts)
    }

    /// Returns all games, labelled for histograms of all games.
    fn everything(&self, graph: &Graph, split: &Split) -> (BaseTable, Labelled) {
        let table = BaseTable::new(&league_bases(graph, &split.all), self.table.device());
        let labelled = Labelled::of(self.samples.shallow_clone(), &split.all, &table);
        (table, labelled)
    }
}

/// Smooths each league's histograms; a league without examples borrows those of all leagues together.
fn league_bases(graph: &Graph, examples: &[Example]) -> Vec<LeagueBase> {
    let histograms = |of: &dyn Fn(&Example) -> bool| {
        let margins: Vec<i32> = examples.iter().filter(|e| of(e)).map(|e| e.margin).collect();
        let totals: Vec<i32> = examples.iter().filter(|e| of(e)).map(|e| e.total).collect();
        let lowest = totals.iter().copied().min().unwrap_or(0).min(0);
        Some((margins.len(), smoothed_histogram(&margins, i32::MIN)?, smoothed_histogram(&totals, lowest)?))
    };
    let leagues = graph.leagues().iter().enumerate();
    leagues
        .filter_map(|(index, league)| {
            let own = histograms(&|e| e.league == index);
            let (games, margin, total) = own.or_else(|| histograms(&|_| true))?;
            Some(LeagueBase { league: league.id.clone(), three_way: league.three_way, games, margin, total })
        })
        .collect()
}

/// Returns home, draw, away, averaged over members.
fn mean_outcome(members: &[Vec<ScoreForecast>], game: usize) -> [f64; 3] {
    let mut mean = [0.0; 3];
    for forecasts in members {
        let outcome = forecasts[game].moneyline_three_way();
        mean.iter_mut().zip(outcome).for_each(|(sum, p)| *sum += p / members.len() as f64);
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

    fn report_of(&mut self, step: &FitStep, epochs: usize) {
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
