//! What a variant is trained, stopped and scored on: sampled once, labelled with scores.
//!
//! The variant with market inputs answers only for games that have prices, so it is trained only on such games, unless
//! there are too few of them.

use std::collections::{BTreeMap, BTreeSet};

use graph::{Graph, Relation, SampleSettings};
use market::ScoreForecast;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::Device;

use crate::{
    LeagueBase, ModelError, Rung, TrainSettings, TrialSpec, Variant,
    direct::{Ridge, choose_ridge, fit_direct},
    examples::{Example, Split, mature},
    fit::{Earned, FitPlan, FitStep, Fitted, Member, Place, fit},
    net::Architecture,
    samples::{Labelled, Samples, sample_settings, used_relations},
    schema::Schema,
    smoothed_histogram,
    stopwatch::{Phase, time},
    tilt::BaseTable,
};

/// With fewer priced games to train on, the variant with market inputs learns from all games.
const FEWEST_PRICED: usize = 200;

/// Whether books agree on an outcome of the game at its decision.
pub(crate) fn is_priced(graph: &Graph, example: &Example) -> bool {
    graph.consensus(example.game, example.as_of).is_some()
}

/// Games of one variant as tensors.
#[derive(Debug)]
pub(crate) struct Ground<'a> {
    settings: &'a TrainSettings,
    pub(crate) architecture: Architecture,
    /// Histograms of the training games.
    pub(crate) table: BaseTable,
    /// Penalties of the linear part, chosen on the validation games.
    pub(crate) ridge: Ridge,
    train: Labelled,
    validation: Labelled,
    test: Samples,
    /// Histograms of all games, and all games that the variant learns from.
    all: (BaseTable, Labelled),
}

impl<'a> Ground<'a> {
    /// Samples every game of `split`.
    pub(crate) fn new(
        graph: &Graph,
        settings: &'a TrainSettings,
        variant: Variant,
        split: &Split,
    ) -> Result<Self, ModelError> {
        let device = settings.device.resolve()?;
        settings.use_threads();
        let seen = seen_by(variant, graph, split);
        let relations: BTreeSet<Relation> = used_relations(graph, settings, variant, &seen.train);
        let what = sample_settings(settings, variant, &relations);
        let samples = Samples::new(graph, what, &split.all, device)?;
        let architecture = Architecture::new(settings, graph.leagues().len(), Schema::of(&samples.tree));
        let place: BTreeMap<usize, i64> =
            split.all.iter().enumerate().map(|(i, example)| (example.game, i as i64)).collect();
        let pick = |part: &[Example]| {
            let index: Vec<i64> =
                part.iter().filter_map(|example| place.get(&example.game).copied()).collect();
            samples.select(&index)
        };
        let table = BaseTable::new(&league_bases(graph, &split.train), device);
        let table_of_all = BaseTable::new(&league_bases(graph, &split.all), device);
        let label = |part: &[Example], table: &BaseTable| {
            let closing = closing_lines(graph, variant, part);
            Labelled::of(pick(part), part, table, closing, settings.closing_share)
        };
        let all = label(&seen.all, &table_of_all);
        let train = label(&seen.train, &table);
        let validation = label(&seen.validation, &table);
        Ok(Self {
            settings,
            ridge: choose(&architecture, settings, &table, &train, &validation)?,
            architecture,
            train,
            validation,
            test: pick(&split.test).anchored(&table),
            table,
            all: (table_of_all, all),
        })
    }

    /// Trains one member on the training games.
    pub(crate) fn fit_member(
        &self,
        seed: u64,
        epochs: usize,
        checkpoint: Option<Place<'_>>,
        watch: &mut dyn FnMut(&FitStep),
    ) -> Result<(Member, Fitted), ModelError> {
        self.fit_until((seed, epochs), &[], checkpoint, watch)
    }

    /// Trains one member on the training games, until it misses a rung of the trial.
    pub(crate) fn try_member(
        &self,
        spec: &TrialSpec,
        watch: &mut dyn FnMut(&FitStep),
    ) -> Result<Fitted, ModelError> {
        Ok(self.fit_until((spec.seed, spec.epochs), &spec.rungs, None, watch)?.1)
    }

    fn fit_until(
        &self,
        (seed, epochs): (u64, usize),
        rungs: &[Rung],
        checkpoint: Option<Place<'_>>,
        watch: &mut dyn FnMut(&FitStep),
    ) -> Result<(Member, Fitted), ModelError> {
        let mut member = Member::new(self.architecture.clone(), seed, self.table.device());
        let plan = FitPlan {
            settings: self.settings,
            table: &self.table,
            seed,
            epochs,
            goes_on: None,
            ridge: self.ridge,
            earned: None,
            checkpoint,
            rungs,
        };
        let fitted = match resampled(self.settings, &self.train, seed) {
            Some(train) => fit(&mut member, &plan, &train, Some(&self.validation), watch)?,
            None => fit(&mut member, &plan, &self.train, Some(&self.validation), watch)?,
        };
        Ok((member, fitted))
    }

    /// Trains one member on all games, for exactly `epochs` and with what the member of the validation has earned.
    pub(crate) fn refit_member(
        &self,
        seed: u64,
        (epochs, earned): (usize, Earned),
        checkpoint: Option<Place<'_>>,
        watch: &mut dyn FnMut(&FitStep),
    ) -> Result<Member, ModelError> {
        let (table, all) = &self.all;
        let mut member = Member::new(self.architecture.clone(), seed, table.device());
        let (ridge, earned) = (self.ridge, Some(earned));
        let plan = FitPlan {
            settings: self.settings,
            table,
            seed,
            epochs,
            goes_on: None,
            ridge,
            earned,
            checkpoint,
            rungs: &[],
        };
        match resampled(self.settings, all, seed) {
            Some(all) => fit(&mut member, &plan, &all, None, watch)?,
            None => fit(&mut member, &plan, all, None, watch)?,
        };
        Ok(member)
    }

    /// Fits the linear part alone, forecasts the held-out games, and with `refit` fits it again on all games.
    pub(crate) fn fit_linear(&self, refit: bool) -> Result<(Member, Vec<ScoreForecast>), ModelError> {
        let seed = self.settings.seed;
        let fit_on = |table: &BaseTable, games: &Labelled| {
            let mut member = Member::new(self.architecture.clone(), seed, table.device());
            member.net.standardise(&games.samples.tree)?;
            let (ridge, earned) = (self.ridge, None);
            let plan = FitPlan {
                settings: self.settings,
                table,
                seed,
                epochs: 0,
                goes_on: None,
                ridge,
                earned,
                checkpoint: None,
                rungs: &[],
            };
            fit_direct(&member, &plan, games, self.ridge)?;
            member.net.set_trust(0.0);
            Ok::<_, ModelError>(member)
        };
        let member = fit_on(&self.table, &self.train)?;
        let forecasts = self.forecast_test(&member)?;
        let (table, all) = &self.all;
        Ok((if refit { fit_on(table, all)? } else { member }, forecasts))
    }

    /// Forecasts every held-out game, those included that the variant does not answer for.
    pub(crate) fn forecast_test(&self, member: &Member) -> Result<Vec<ScoreForecast>, ModelError> {
        let _forecasting = time(Phase::Forecast);
        let mut forecasts = Vec::with_capacity(self.test.len());
        for index in self.test.pieces(1024) {
            let piece = self.test.select(&index);
            forecasts.extend(self.table.forecasts(&member.forecast(&self.table, &piece), &piece.leagues)?);
        }
        Ok(forecasts)
    }
}

/// Samples every game that a variant learns from, and lays out the histograms of all games.
pub(crate) fn all_games(
    graph: &Graph,
    settings: &TrainSettings,
    variant: Variant,
    all: &[Example],
    sample: SampleSettings,
    device: Device,
) -> Result<(BaseTable, Labelled), ModelError> {
    let mature = mature(all);
    let priced = priced(graph, &mature);
    let seen = if variant.uses_market() && priced.len() >= FEWEST_PRICED { &priced } else { &mature };
    let table = BaseTable::new(&league_bases(graph, all), device);
    let samples = Samples::new(graph, sample, seen, device)?;
    let closing = closing_lines(graph, variant, seen);
    let games = Labelled::of(samples, seen, &table, closing, settings.closing_share);
    Ok((table, games))
}

/// Draws as many games with replacement, so that members differ by what the games leave open and not only by
/// their initial weights; none for a member that stands alone.
pub(crate) fn resampled(settings: &TrainSettings, games: &Labelled, seed: u64) -> Option<Labelled> {
    let n = games.samples.len() as i64;
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0xb007);
    let mut draw = || (0..n).map(|_| random.random_range(0..n)).collect::<Vec<i64>>();
    (settings.ensemble > 1).then(|| games.select(&draw()))
}

fn closing_lines(graph: &Graph, variant: Variant, part: &[Example]) -> Vec<Option<[f64; 3]>> {
    let line = |e: &Example| variant.uses_market().then(|| graph.closing(e.game)).flatten();
    part.iter().map(line).collect()
}

fn priced(graph: &Graph, part: &[Example]) -> Vec<Example> {
    part.iter().filter(|example| is_priced(graph, example)).copied().collect()
}

/// Chooses the penalties of the linear part.
fn choose(
    architecture: &Architecture,
    settings: &TrainSettings,
    table: &BaseTable,
    train: &Labelled,
    validation: &Labelled,
) -> Result<Ridge, ModelError> {
    let mut member = Member::new(architecture.clone(), settings.seed, table.device());
    member.net.standardise(&train.samples.tree)?;
    let (ridge, seed) = (Ridge::default(), settings.seed);
    let plan = FitPlan {
        settings,
        table,
        seed,
        epochs: 0,
        goes_on: None,
        ridge,
        earned: None,
        checkpoint: None,
        rungs: &[],
    };
    choose_ridge(&member, &plan, train, validation)
}

/// Returns the games that a variant learns from and stops by; the test stays whole.
fn seen_by(variant: Variant, graph: &Graph, split: &Split) -> Split {
    let (train, validation) = (mature(&split.train), mature(&split.validation));
    let (test, all) = (split.test.clone(), mature(&split.all));
    if variant.uses_market() {
        let (priced_train, priced_validation) = (priced(graph, &train), priced(graph, &validation));
        if priced_train.len() >= FEWEST_PRICED && !priced_validation.is_empty() {
            let all = priced(graph, &all);
            return Split { train: priced_train, validation: priced_validation, test, all };
        }
    }
    Split { train, validation, test, all }
}

/// Smooths each league's histograms; a league without examples borrows those of all leagues together.
pub(crate) fn league_bases(graph: &Graph, examples: &[Example]) -> Vec<LeagueBase> {
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
