//! Where trials are at work: handed to an executor, looked after, begun once more when a machine let them down.

use std::collections::BTreeMap;

use anyhow::Context as _;
use coordinator::{Executor, JobFailure, JobState};
use model::TrialResult;
use sweep::{Outcome, State, Trial};

use super::{Sweep, watch::Watch};
use crate::{command::trial::Order, context::Context, night::workers};

/// How often a trial is begun before it counts as failed.
const ATTEMPTS: u32 = 3;

pub(super) struct Bench {
    executor: Box<dyn Executor>,
    at_work: BTreeMap<usize, AtWork>,
}

struct AtWork {
    trial: Trial,
    seed: u64,
    attempts: u32,
}

impl Bench {
    pub(super) fn open(context: &Context, sweep: &Sweep<'_>) -> anyhow::Result<Self> {
        let executor = workers::executor(context, sweep.settings, &sweep.folder.join("trials"))?;
        Ok(Self { executor, at_work: BTreeMap::new() })
    }

    /// Hands a trial over.
    pub(super) fn put(&mut self, context: &Context, sweep: &Sweep<'_>, trial: &Trial) -> anyhow::Result<()> {
        let order = sweep.order(&sweep.base(context)?, trial)?;
        let seed = order.spec.seed;
        self.executor.submit(workers::job(context, sweep.settings, name(trial.id), &Order::Trial(order))?)?;
        let before = self.at_work.remove(&trial.id).map_or(0, |before| before.attempts);
        self.at_work.insert(trial.id, AtWork { trial: trial.clone(), seed, attempts: before + 1 });
        Ok(())
    }

    /// Returns the trials that have come to their end since it was asked last.
    pub(super) fn ended(
        &mut self,
        context: &Context,
        sweep: &Sweep<'_>,
        watch: &Watch,
    ) -> anyhow::Result<Vec<(usize, Outcome)>> {
        let mut ended = Vec::new();
        for id in self.at_work.keys().copied().collect::<Vec<_>>() {
            let state = self.executor.poll(&name(id))?;
            if !state.is_final() {
                watch.look(id, || self.executor.logs(&name(id)).unwrap_or_default());
                continue;
            }
            let told = self.told(id, &state);
            let Some(work) = self.at_work.get(&id) else { continue };
            let problem = match told {
                Ok(result) => {
                    ended.push((id, outcome(result, work)));
                    self.at_work.remove(&id);
                    continue;
                }
                Err(problem) => format!("{problem:#}"),
            };
            let in_vain = matches!(state, JobState::Failed(JobFailure::TimedOut) | JobState::Cancelled);
            if work.attempts < ATTEMPTS && !in_vain {
                (sweep.log)(&format!("trial {id} is begun once more: {problem}"));
                let trial = work.trial.clone();
                self.put(context, sweep, &trial)?;
                continue;
            }
            ended.push((id, Outcome { state: State::Failed { why: problem }, ..nothing(work) }));
            self.at_work.remove(&id);
        }
        Ok(ended)
    }

    /// Stops what is at work.
    pub(super) fn clear(&mut self) {
        for id in self.at_work.keys() {
            if let Err(error) = self.executor.cancel(&name(*id)) {
                tracing::warn!(trial = id, %error, "cannot stop a trial");
            }
        }
    }

    fn told(&self, id: usize, state: &JobState) -> anyhow::Result<TrialResult> {
        match state {
            JobState::Done => {
                let path = self.executor.output(&name(id))?.join("result.json");
                let bytes =
                    std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
                serde_json::from_slice(&bytes).with_context(|| format!("{} is no result", path.display()))
            }
            JobState::Failed(failure) => {
                let log = self.executor.logs(&name(id)).unwrap_or_default();
                Err(anyhow::anyhow!("{failure}: {}", log.lines().last().unwrap_or("it said nothing")))
            }
            _ => Err(anyhow::anyhow!("it was cancelled")),
        }
    }
}

fn name(id: usize) -> String {
    format!("trial-{id}")
}

fn nothing(work: &AtWork) -> Outcome {
    let (seed, attempts) = (work.seed, work.attempts);
    Outcome {
        state: State::Diverged,
        loss: None,
        curve: Vec::new(),
        seconds: 0.0,
        seed,
        attempts,
        worker: None,
    }
}

fn outcome(result: TrialResult, work: &AtWork) -> Outcome {
    let TrialResult { validation_loss, gave_up_at, curve, seconds, .. } = result;
    let (state, loss) = match (validation_loss, gave_up_at) {
        (None, _) => (State::Diverged, None),
        (Some(_), Some(epoch)) => (State::Pruned { epoch }, curve.iter().copied().reduce(f64::min)),
        (loss, None) => (State::Complete, loss),
    };
    Outcome { state, loss, curve, seconds, ..nothing(work) }
}
