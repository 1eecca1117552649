//! The sweep: which settings to try next, and what one trial is.
//!
//! Suggestions come from the tree-structured Parzen estimator of the `optimizer` crate, asked and told, so that trials can
//! run in other processes: a [`TrialSpec`] goes out as JSON, a [`TrialResult`] comes back. The first trial is
//! always the settings that the sweep started from. Same seed, same results in the same order: same suggestions.
//!
//! # Example
//! ```
//! use model::{Search, TrainSettings, TrialResult};
//! let mut search = Search::new(TrainSettings::default(), 1);
//! for _ in 0..3 {
//!     let spec = search.ask().unwrap();
//!     let loss = (spec.settings.learning_rate.ln() + 6.0).abs();
//!     search.tell(&TrialResult { id: spec.id, validation_loss: Some(loss), epochs: 1, seconds: 0.1 });
//! }
//! assert!(search.best().is_some());
//! ```

use std::collections::BTreeMap;

use graph::Graph;
use optimizer::{
    Direction, Study, Trial,
    parameter::{CategoricalParam, FloatParam, IntParam, Parameter},
    sampler::tpe::TpeSampler,
};
use serde::{Deserialize, Serialize};

use crate::{
    ModelError, Progress, Stage, TrainSettings, Variant, examples::Split, ground::Ground, train::Watch,
};

/// Trials drawn at random before the estimator has anything to go by.
const RANDOM_TRIALS: usize = 8;

/// One configuration to be tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialSpec {
    /// Number of the trial, from 0.
    pub id: usize,
    /// Settings to train with.
    pub settings: TrainSettings,
    /// Seed of the one member that is trained.
    pub seed: u64,
    /// Most epochs.
    pub epochs: usize,
}

/// How a trial ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialResult {
    /// Number of the trial.
    pub id: usize,
    /// Loss on the validation games, lower is better; none when training diverged.
    pub validation_loss: Option<f64>,
    /// Epoch of the best validation loss.
    pub epochs: usize,
    /// Wall-clock time of the whole trial.
    pub seconds: f64,
}

/// Trains one member of `hgt_market` as `spec` says; the held-out test games are not looked at.
///
/// The validation loss compares settings among one another: weights of the total and the outcome stay as they are.
pub fn run_trial(
    graph: &Graph,
    spec: &TrialSpec,
    progress: &mut dyn Progress,
) -> Result<TrialResult, ModelError> {
    spec.settings.check()?;
    let begin = std::time::Instant::now();
    let split = Split::of(graph, &spec.settings)?;
    let settings = TrainSettings { ensemble: 1, epochs: spec.epochs, ..spec.settings.clone() };
    let variant = Variant::HgtMarket;
    let ground = Ground::new(graph, &settings, variant, &split)?;
    let mut watch = Watch { progress, variant, number: 0, settings: &settings, stage: Stage::Fit };
    let fitted = ground.fit_member(spec.seed, spec.epochs, None, &mut |step| watch.report(step));
    let (validation_loss, epochs) = match fitted {
        Ok((_, fitted)) => (fitted.validation_loss, fitted.epoch),
        Err(ModelError::Diverged { epoch, .. }) => (None, epoch),
        Err(other) => return Err(other),
    };
    Ok(TrialResult { id: spec.id, validation_loss, epochs, seconds: begin.elapsed().as_secs_f64() })
}

#[derive(Debug)]
struct Space {
    hidden: CategoricalParam<i64>,
    layers: IntParam,
    fan_out: IntParam,
    learning_rate: FloatParam,
    dropout: FloatParam,
    weight_decay: FloatParam,
}

impl Space {
    fn new() -> Self {
        Self {
            hidden: CategoricalParam::new(vec![16, 32, 64]).name("hidden"),
            layers: IntParam::new(1, 2).name("layers"),
            fan_out: IntParam::new(4, 12).name("fan_out"),
            learning_rate: FloatParam::new(5e-4, 2e-2).log_scale().name("learning_rate"),
            dropout: FloatParam::new(0.0, 0.5).name("dropout"),
            weight_decay: FloatParam::new(1e-4, 0.3).log_scale().name("weight_decay"),
        }
    }

    fn suggest(&self, trial: &mut Trial, base: &TrainSettings) -> optimizer::Result<TrainSettings> {
        let hidden = self.hidden.suggest(trial)?;
        Ok(TrainSettings {
            // The width must stay a multiple of the heads.
            hidden: hidden.max(base.heads) / base.heads * base.heads,
            layers: self.layers.suggest(trial)? as usize,
            fan_out: self.fan_out.suggest(trial)? as usize,
            learning_rate: self.learning_rate.suggest(trial)?,
            dropout: self.dropout.suggest(trial)?,
            weight_decay: self.weight_decay.suggest(trial)?,
            ..base.clone()
        })
    }
}

/// A sweep in progress: ask for trials, tell their results, in any order.
pub struct Search {
    study: Study<f64>,
    space: Space,
    base: TrainSettings,
    asked: usize,
    pending: BTreeMap<usize, Trial>,
    specs: BTreeMap<usize, TrialSpec>,
    best: Option<TrialResult>,
}

impl std::fmt::Debug for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { asked, best, space, .. } = self;
        f.debug_struct("Search")
            .field("asked", asked)
            .field("best", best)
            .field("space", space)
            .finish_non_exhaustive()
    }
}

impl Search {
    /// Begins a sweep around `base`.
    pub fn new(base: TrainSettings, seed: u64) -> Self {
        let sampler = TpeSampler::builder().seed(seed).n_startup_trials(RANDOM_TRIALS).build();
        // The builder refuses only settings that are not set here.
        let sampler = sampler.unwrap_or_default();
        Self {
            study: Study::with_sampler(Direction::Minimize, sampler),
            space: Space::new(),
            base,
            asked: 0,
            pending: BTreeMap::new(),
            specs: BTreeMap::new(),
            best: None,
        }
    }

    /// Suggests the next trial.
    pub fn ask(&mut self) -> Result<TrialSpec, ModelError> {
        let id = self.asked;
        let mut settings = self.base.clone();
        if id > 0 {
            let mut trial = self.study.ask();
            settings = self
                .space
                .suggest(&mut trial, &self.base)
                .map_err(|error| ModelError::Search(Box::new(error)))?;
            self.pending.insert(id, trial);
        }
        self.asked += 1;
        let spec = TrialSpec { id, seed: settings.seed, epochs: settings.epochs, settings };
        self.specs.insert(id, spec.clone());
        Ok(spec)
    }

    /// Takes a result; one of an unknown trial, or told twice, changes nothing.
    pub fn tell(&mut self, result: &TrialResult) {
        if !self.specs.contains_key(&result.id) {
            return;
        }
        let loss = result.validation_loss.filter(|loss| loss.is_finite());
        if let Some(trial) = self.pending.remove(&result.id) {
            self.study.tell(trial, loss.ok_or("training diverged"));
        }
        let best_loss = self.best.as_ref().and_then(|best| best.validation_loss);
        if loss.is_some_and(|loss| best_loss.is_none_or(|best| loss < best)) {
            self.best = Some(result.clone());
        }
    }

    /// Returns how many trials were asked for.
    pub fn asked(&self) -> usize {
        self.asked
    }

    /// Returns the best trial so far; the earlier told of equals.
    pub fn best(&self) -> Option<(&TrialSpec, &TrialResult)> {
        let best = self.best.as_ref()?;
        Some((self.specs.get(&best.id)?, best))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A valley at a learning rate of 4e-3 and a dropout of 0.1.
    fn valley(settings: &TrainSettings) -> f64 {
        (settings.learning_rate / 4e-3).ln().abs() + 4.0 * (settings.dropout - 0.1).abs()
    }

    fn sweep(seed: u64, trials: usize) -> Vec<(TrialSpec, f64)> {
        let mut search = Search::new(TrainSettings { learning_rate: 2e-2, ..TrainSettings::default() }, seed);
        let mut done = Vec::new();
        for _ in 0..trials {
            let spec = search.ask().unwrap();
            let loss = valley(&spec.settings);
            search.tell(&TrialResult { id: spec.id, validation_loss: Some(loss), epochs: 1, seconds: 1.0 });
            done.push((spec, loss));
        }
        done
    }

    #[test]
    fn the_first_trial_is_where_the_sweep_started() {
        let first = &sweep(1, 2)[0].0;
        assert!((first.settings.learning_rate - 2e-2).abs() < 1e-12);
        assert_eq!(first.id, 0);
    }

    #[test]
    fn the_same_seed_and_results_suggest_the_same_trials() {
        assert_eq!(sweep(3, 15), sweep(3, 15));
        assert_ne!(sweep(3, 5), sweep(4, 5));
    }

    #[test]
    fn every_suggestion_can_be_trained() {
        for (spec, _) in sweep(5, 25) {
            assert!(spec.settings.check().is_ok(), "{spec:?}");
        }
    }

    #[test]
    fn suggestions_gather_in_the_valley() {
        let mean =
            |part: &[(TrialSpec, f64)]| part.iter().map(|(_, loss)| loss).sum::<f64>() / part.len() as f64;
        let done = sweep(9, 60);
        let (random, late) = (mean(&done[1..9]), mean(&done[40..]));
        assert!(late < random, "the estimator should beat chance: {late} after {random}");
    }

    #[test]
    fn a_diverged_trial_is_never_the_best() {
        let mut search = Search::new(TrainSettings::default(), 1);
        let (first, second) = (search.ask().unwrap(), search.ask().unwrap());
        let result = |id, validation_loss| TrialResult { id, validation_loss, epochs: 1, seconds: 1.0 };
        search.tell(&result(second.id, None));
        assert!(search.best().is_none());
        search.tell(&result(first.id, Some(3.0)));
        search.tell(&result(99, Some(1.0)));
        assert_eq!(search.best().map(|(spec, _)| spec.id), Some(first.id));
    }

    #[test]
    fn a_spec_travels_as_json_and_refuses_what_it_does_not_know() {
        let spec = sweep(1, 2).remove(1).0;
        let json = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<TrialSpec>(&json).unwrap(), spec);
        let strange = json.replacen("\"hidden\"", "\"hiden\"", 1);
        assert!(serde_json::from_str::<TrialSpec>(&strange).unwrap_err().to_string().contains("hiden"));
    }
}
