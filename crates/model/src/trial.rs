//! One trial of a sweep: what is to be trained, and what came of it.
//!
//! Trials run in other processes, on other machines: a [`TrialSpec`] goes out as JSON, a [`TrialResult`] comes back.
//! Which settings are worth a trial is not decided here.
//!
//! # Example
//! ```
//! use model::{Rung, TrainSettings, TrialSpec};
//! let rungs = vec![Rung { epoch: 2, worse_than: 3.1 }];
//! let settings = TrainSettings::default();
//! let spec = TrialSpec { id: 4, seed: settings.seed, epochs: 8, settings, rungs };
//! let json = serde_json::to_string(&spec).unwrap();
//! assert_eq!(serde_json::from_str::<TrialSpec>(&json).unwrap(), spec);
//! ```

use graph::Graph;
use serde::{Deserialize, Serialize};

use crate::{
    ModelError, Progress, Stage, TrainSettings, Variant, examples::Split, ground::Ground, train::Watch,
};

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
    /// Where the trial gives up.
    #[serde(default)]
    pub rungs: Vec<Rung>,
}

/// A trial stops after `epoch` when its lowest validation loss since epoch 1 is above `worse_than`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// From 1.
    pub epoch: usize,
    /// Mean loss per game.
    pub worse_than: f64,
}

/// How a trial ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialResult {
    /// Number of the trial.
    pub id: usize,
    /// Loss on the validation games, lower is better; none when training diverged.
    pub validation_loss: Option<f64>,
    /// Epoch of the best validation loss; 0 when the weights before the first were best.
    pub epochs: usize,
    /// Epoch of the rung at which it gave up.
    #[serde(default)]
    pub gave_up_at: Option<usize>,
    /// Validation loss after each epoch, from epoch 1.
    #[serde(default)]
    pub curve: Vec<f64>,
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
    let mut curve = Vec::new();
    let fitted = ground.try_member(spec, &mut |step| {
        curve.extend(step.validation_loss);
        watch.report(step);
    });
    let (validation_loss, epochs) = match fitted {
        Ok(fitted) => (fitted.validation_loss, fitted.epoch),
        Err(ModelError::Diverged { epoch, .. }) => (None, epoch),
        Err(other) => return Err(other),
    };
    let (curve, validation_loss) = match curve.iter().position(|loss: &f64| !loss.is_finite()) {
        Some(end) => (curve[..end].to_vec(), None),
        None => (curve, validation_loss),
    };
    let gave_up_at = spec.rungs.iter().find(|rung| rung.stops(&curve)).map(|rung| rung.epoch);
    let seconds = begin.elapsed().as_secs_f64();
    Ok(TrialResult { id: spec.id, validation_loss, epochs, gave_up_at, curve, seconds })
}

impl Rung {
    /// Tells whether a trial with these losses ended here.
    fn stops(&self, curve: &[f64]) -> bool {
        curve.len() == self.epoch && self.is_missed_by(curve.iter().copied().fold(f64::INFINITY, f64::min))
    }

    /// Tells whether this lowest loss is not good enough to go on.
    pub(crate) fn is_missed_by(&self, lowest: f64) -> bool {
        lowest > self.worse_than
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_that_is_good_enough_or_not_there_yet_goes_on() {
        let rung = Rung { epoch: 2, worse_than: 3.0 };
        assert!(rung.stops(&[3.2, 3.1]));
        assert!(!rung.stops(&[3.2]) && !rung.stops(&[2.9, 3.1]) && !rung.stops(&[3.2, 3.1, 3.05]));
    }

    #[test]
    fn a_spec_refuses_what_it_does_not_know() {
        let settings = TrainSettings::default();
        let spec = TrialSpec { id: 1, seed: 7, epochs: 2, settings, rungs: Vec::new() };
        let strange = serde_json::to_string(&spec).unwrap().replacen("\"hidden\"", "\"hiden\"", 1);
        assert!(serde_json::from_str::<TrialSpec>(&strange).unwrap_err().to_string().contains("hiden"));
    }
}
