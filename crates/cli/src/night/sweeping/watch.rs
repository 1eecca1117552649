//! What a person sees of a sweep: a line for each trial at work, as far as its last epoch.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar};
use sweep::{Outcome, State, Trial};

use crate::{progress, settings::SweepSettings};

/// A worker may be far away: its log is not asked for more often.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Lines on a terminal; nothing elsewhere.
pub(super) struct Watch {
    lines: MultiProgress,
    all: ProgressBar,
    trials: RefCell<BTreeMap<usize, (ProgressBar, Instant)>>,
    wanted: usize,
    epochs: usize,
}

impl Watch {
    /// Begins to watch a sweep of which so many trials have ended.
    pub(super) fn new(settings: &SweepSettings, ended: usize) -> Self {
        let lines = MultiProgress::new();
        let all = lines.add(progress::bar(settings.trials as u64, "trials"));
        all.set_position(ended as u64);
        let (wanted, epochs) = (settings.trials, settings.epochs);
        Self { lines, all, trials: RefCell::default(), wanted, epochs }
    }

    pub(super) fn begun(&self, trial: &Trial) {
        let bar = self
            .lines
            .insert_before(&self.all, progress::bar(self.epochs as u64, &format!("trial {}", trial.id)));
        bar.set_message("begins");
        self.trials.borrow_mut().insert(trial.id, (bar, Instant::now()));
    }

    /// Looks into a trial's log for its last epoch, unless that was done only just now or nobody watches.
    pub(super) fn look(&self, id: usize, log: impl FnOnce() -> String) {
        let mut trials = self.trials.borrow_mut();
        let Some((bar, looked)) =
            trials.get_mut(&id).filter(|(bar, at)| !bar.is_hidden() && at.elapsed() >= LOOK_EVERY)
        else {
            return;
        };
        *looked = Instant::now();
        if let Some((epoch, loss)) = log().lines().rev().find_map(epoch_of) {
            bar.set_position(epoch);
            bar.set_message(loss);
        }
    }

    /// Takes the trial's line away and tells `log` in words how it ended.
    pub(super) fn ended(&self, id: usize, outcome: &Outcome, log: &dyn Fn(&str)) {
        if let Some((bar, _)) = self.trials.borrow_mut().remove(&id) {
            bar.finish_and_clear();
        }
        self.all.inc(1);
        let loss = outcome.loss.map_or_else(|| "none".to_owned(), |loss| format!("{loss:.4}"));
        let ended = match &outcome.state {
            State::Pruned { epoch } => format!("given up after epoch {epoch}, loss {loss}"),
            State::Diverged => "diverged".to_owned(),
            State::Failed { why } => format!("failed: {why}"),
            _ => format!("loss {loss}"),
        };
        let (done, wanted) = (self.all.position(), self.wanted);
        let line = format!("trial {id}: {ended}, {:.0} s ({done} of {wanted})", outcome.seconds);
        self.lines.suspend(|| log(&line));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.all.finish_and_clear();
    }
}

/// Writes what [`epoch_of`] reads.
pub(crate) fn epoch_line(epoch: usize, loss: f64) -> String {
    format!("epoch {epoch} validation loss {loss:.5}")
}

/// Reads the epoch and what it came to from a line of a trial's log.
fn epoch_of(line: &str) -> Option<(u64, String)> {
    let (epoch, loss) = line.strip_prefix("epoch ")?.split_once(" validation ")?;
    Some((epoch.parse().ok()?, loss.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_trial_says_of_an_epoch_is_understood() {
        assert_eq!(epoch_of(&epoch_line(3, 0.987_654)), Some((3, "loss 0.98765".to_owned())));
        assert_eq!(epoch_of("warning: epoch 3"), None);
    }
}
