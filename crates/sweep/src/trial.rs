//! One trial: what is tried, when it gives up, and how it ended.
//!
//! # Example
//! ```
//! use sweep::{Rung, stops_at};
//! let rungs = [Rung { epoch: 3, worse_than: 0.66 }];
//! assert_eq!(stops_at(&rungs, &[0.70, 0.65, 0.69, 0.64]), None); // its best so far is what counts
//! assert_eq!(stops_at(&rungs, &[0.70, 0.68, 0.67]), Some(3));
//! ```

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Point;

/// One trial, under way or ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// Number, from 0.
    pub id: usize,
    /// Where its point comes from.
    pub origin: Origin,
    /// What differs from the base settings.
    pub point: Point,
    /// Where it gives up, by rising epoch.
    pub rungs: Vec<Rung>,
    /// Suggestions before this one that had been tried already.
    pub redrawn: usize,
    /// When it was asked for.
    pub started: Timestamp,
    /// When its outcome was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// How it ended; none while it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

impl Trial {
    /// Returns the loss of a trial that completed.
    pub fn completed_loss(&self) -> Option<f64> {
        let outcome = self.outcome.as_ref().filter(|outcome| outcome.state == State::Complete)?;
        outcome.loss
    }
}

/// Where a trial's point comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
    /// The base settings, always trial 0.
    Base,
    /// A point of an earlier study.
    WarmStart,
    /// A suggestion.
    Sampled,
}

/// A look at a trial under way: it gives up after `epoch` when its best loss so far is above `worse_than`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Best loss so far above which the trial gives up.
    pub worse_than: f64,
}

/// Returns the epoch after which a trial with these losses per epoch gives up; none while it goes on.
///
/// A worker asks after each epoch. A loss that is not a number is no progress.
pub fn stops_at(rungs: &[Rung], curve: &[f64]) -> Option<usize> {
    let gives_up = |rung: &&Rung| best_by(curve, rung.epoch).is_none_or(|best| best > rung.worse_than);
    rungs.iter().filter(|rung| (1..=curve.len()).contains(&rung.epoch)).find(gives_up).map(|rung| rung.epoch)
}

/// Returns the least of the first `epochs` losses.
pub(crate) fn best_by(curve: &[f64], epochs: usize) -> Option<f64> {
    let reached = curve.iter().take(epochs).copied().filter(|loss| !loss.is_nan());
    reached.min_by(f64::total_cmp)
}

/// How a trial ended, and what it cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// How it ended.
    pub state: State,
    /// Loss of the trial, lower is better; must be there for a complete one. That of a pruned one is its best so far.
    #[serde(default)]
    pub loss: Option<f64>,
    /// Validation loss after each epoch, from epoch 1. It is kept up to the first that is not finite.
    pub curve: Vec<f64>,
    /// Wall-clock time of the trial, in seconds.
    pub seconds: f64,
    /// Seed with which it was trained.
    pub seed: u64,
    /// How often it was begun.
    pub attempts: u32,
    /// Who ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
}

/// How a trial ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum State {
    /// It was trained to its end.
    Complete,
    /// It gave up at a rung.
    Pruned {
        /// Epoch after which it gave up, from 1.
        epoch: usize,
    },
    /// Its loss left all bounds: the fault of the point.
    Diverged,
    /// It did not come to an end: the fault of a machine, which says nothing about the point.
    Failed {
        /// What went wrong, in words.
        why: String,
    },
}

impl State {
    /// Returns the state in one word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Pruned { .. } => "pruned",
            Self::Diverged => "diverged",
            Self::Failed { .. } => "failed",
        }
    }
}

impl Outcome {
    /// Cuts the curve at its first loss that is not finite, which JSON could not hold.
    pub(crate) fn tidy(mut self) -> Self {
        let finite = self.curve.iter().take_while(|loss| loss.is_finite()).count();
        self.curve.truncate(finite);
        self.loss = self.loss.filter(|loss| loss.is_finite());
        self
    }

    /// Says what is wrong with an outcome of a trial with these rungs.
    pub(crate) fn problem(&self, rungs: &[Rung]) -> Option<String> {
        if !(self.seconds.is_finite() && self.seconds >= 0.0) {
            return Some(format!("it took {} seconds", self.seconds));
        }
        match self.state {
            State::Complete if self.loss.is_none() => {
                Some("it is complete without a finite loss; tell it as diverged".to_owned())
            }
            State::Pruned { epoch } if stops_at(rungs, &self.curve) != Some(epoch) => Some(format!(
                "it says that it gave up at epoch {epoch}, where its rungs and its curve do not"
            )),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_gives_up_at_the_first_rung_that_it_misses() {
        let rungs = [Rung { epoch: 2, worse_than: 0.7 }, Rung { epoch: 4, worse_than: 0.6 }];
        assert_eq!(stops_at(&rungs, &[0.9]), None);
        assert_eq!(stops_at(&rungs, &[0.9, 0.7, 0.9]), None);
        assert_eq!(stops_at(&rungs, &[0.9, 0.7, 0.9, 0.61]), Some(4));
        assert_eq!(stops_at(&rungs, &[0.9, 0.8, 0.1, 0.1]), Some(2));
        assert_eq!(stops_at(&rungs, &[f64::NAN, f64::NAN]), Some(2));
        assert_eq!(stops_at(&[], &[9.0; 20]), None);
    }

    #[test]
    fn what_json_cannot_hold_is_cut_off() {
        let outcome = Outcome {
            state: State::Diverged,
            loss: Some(f64::NAN),
            curve: vec![0.7, f64::INFINITY, 0.6],
            seconds: 1.0,
            seed: u64::MAX,
            attempts: 1,
            worker: None,
        };
        let tidy = outcome.tidy();
        assert_eq!((tidy.loss, tidy.curve.as_slice()), (None, [0.7].as_slice()));
        let json = serde_json::to_string(&tidy).unwrap();
        assert_eq!(serde_json::from_str::<Outcome>(&json).unwrap(), tidy);
    }
}
