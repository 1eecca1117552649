//! The search for hyper-parameters: every trial a process of its own.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use coordinator::{Executor, JobState, TaskContext, TaskOutput};
use jiff::Timestamp;
use model::{Search, TrainSettings, TrialResult, TrialSpec};
use serde::{Deserialize, Serialize};

use super::{Night, workers, write_step};
use crate::{command::trial::Order, context::Context, settings::SweepSettings, table::counted};

/// What a trial's process is told: which graph, which settings.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TrialOrder {
    pub(crate) as_of: Timestamp,
    pub(crate) spec: TrialSpec,
}

/// What the sweep found.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Swept {
    pub(crate) best: TrainSettings,
    pub(crate) best_trial: usize,
    pub(crate) trials: Vec<(TrialSpec, TrialResult)>,
    pub(crate) failed: Vec<(usize, String)>,
}

pub(super) fn sweep_step(
    context: &Arc<Context>,
    night: &Night,
    task: &TaskContext<'_>,
) -> anyhow::Result<TaskOutput> {
    let swept =
        sweep(context, &context.settings.sweep, night.as_of, false, task.folder(), &|line| task.log(line))?;
    let output = write_step(task, &swept)?;
    let failed =
        if swept.failed.is_empty() { String::new() } else { format!(", {} failed", swept.failed.len()) };
    let summary =
        format!("{}{failed}, best is trial {}", counted(swept.trials.len(), "trial"), swept.best_trial);
    Ok(TaskOutput::new(summary).output(output))
}

/// Runs the trials as jobs of their own, a few at a time, and returns the best settings.
pub(crate) fn sweep(
    context: &Context,
    settings: &SweepSettings,
    as_of: Timestamp,
    smoke_test: bool,
    folder: &Path,
    log: &dyn Fn(&str),
) -> anyhow::Result<Swept> {
    let wanted = settings.trials;
    let mut executor = workers::executor(context, settings, &folder.join("trials"))?;
    let mut search = search(context, settings);
    let (mut trials, mut failed) = (Vec::new(), Vec::new());
    while search.asked() < wanted {
        let wave = settings.at_once.max(1).min(wanted - search.asked());
        let mut specs = (0..wave).map(|_| search.ask()).collect::<Result<Vec<_>, _>>()?;
        if smoke_test {
            for spec in &mut specs {
                spec.settings = tiny(&spec.settings);
            }
        }
        for (spec, ended) in run_wave(context, settings, as_of, executor.as_mut(), specs)? {
            match ended {
                Ok(result) => {
                    let loss =
                        result.validation_loss.map_or_else(|| "diverged".to_owned(), |l| format!("{l:.4}"));
                    log(&format!("trial {} of {wanted}: loss {loss}, {:.0} s", spec.id + 1, result.seconds));
                    search.tell(&result);
                    trials.push((spec, result));
                }
                Err(error) => {
                    log(&format!("trial {} failed: {error:#}", spec.id));
                    failed.push((spec.id, format!("{error:#}")));
                }
            }
        }
    }
    let (best, result) =
        search.best().context("no trial of the sweep ended with a loss; see the trials' logs")?;
    let best_trial = result.id;
    let best = TrainSettings { epochs: context.settings.model.epochs, ..best.settings.clone() };
    Ok(Swept { best, best_trial, trials, failed })
}

/// Returns settings under which a training is over in a moment, for a look at whether all is in place.
pub(crate) fn tiny(settings: &TrainSettings) -> TrainSettings {
    TrainSettings {
        hidden: 8,
        heads: 2,
        layers: 1,
        fan_out: 4,
        ensemble: 1,
        epochs: settings.epochs.min(2),
        refit: false,
        ..settings.clone()
    }
}

/// Begins the search that the settings ask for.
pub(crate) fn search(context: &Context, settings: &SweepSettings) -> Search {
    let base = TrainSettings { epochs: settings.epochs, ..context.settings.model.clone() };
    Search::new(base, context.settings.model.seed)
}

type Ended = (TrialSpec, anyhow::Result<TrialResult>);

fn run_wave(
    context: &Context,
    settings: &SweepSettings,
    as_of: Timestamp,
    executor: &mut dyn Executor,
    specs: Vec<TrialSpec>,
) -> anyhow::Result<Vec<Ended>> {
    for spec in &specs {
        let order = Order::Trial(TrialOrder { as_of, spec: spec.clone() });
        executor.submit(workers::job(context, settings, format!("trial-{}", spec.id), &order)?)?;
    }
    let mut ended = Vec::new();
    for spec in specs {
        let id = format!("trial-{}", spec.id);
        let state = loop {
            let state = executor.poll(&id)?;
            if state.is_final() {
                break state;
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let result = match state {
            JobState::Done => read_trial(&executor.output(&id)?),
            JobState::Failed(failure) => {
                let tail = executor.logs(&id).unwrap_or_default();
                Err(anyhow::anyhow!("{failure}: {}", tail.lines().last().unwrap_or("it said nothing")))
            }
            _ => Err(anyhow::anyhow!("it was cancelled")),
        };
        ended.push((spec, result));
    }
    Ok(ended)
}

fn read_trial(folder: &Path) -> anyhow::Result<TrialResult> {
    Ok(serde_json::from_slice(&std::fs::read(folder.join("result.json"))?)?)
}
