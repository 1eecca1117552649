//! The search for hyper-parameters: every trial a process of its own.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use coordinator::{Executor, JobSpec, JobState, LocalExecutor, TaskContext, TaskOutput};
use jiff::Timestamp;
use model::{Search, TrainSettings, TrialResult, TrialSpec};
use serde::{Deserialize, Serialize};

use super::{Night, write_step};
use crate::{command::trial::Order, context::Context, table::counted};

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
        sweep(context, night.as_of, context.settings.sweep.trials, task.folder(), &|line| task.log(line))?;
    let output = write_step(task, &swept)?;
    let failed =
        if swept.failed.is_empty() { String::new() } else { format!(", {} failed", swept.failed.len()) };
    let summary =
        format!("{}{failed}, best is trial {}", counted(swept.trials.len(), "trial"), swept.best_trial);
    Ok(TaskOutput::new(summary).output(output))
}

/// Runs the trials as processes of their own, a few at a time, and returns the best settings.
pub(crate) fn sweep(
    context: &Context,
    as_of: Timestamp,
    wanted: usize,
    folder: &Path,
    log: &dyn Fn(&str),
) -> anyhow::Result<Swept> {
    let settings = &context.settings.sweep;
    let base = TrainSettings { epochs: settings.epochs, ..context.settings.model.clone() };
    let mut search = Search::new(base, context.settings.model.seed);
    let (mut trials, mut failed) = (Vec::new(), Vec::new());
    while search.asked() < wanted {
        let wave = settings.at_once.max(1).min(wanted - search.asked());
        let specs = (0..wave).map(|_| search.ask()).collect::<Result<Vec<_>, _>>()?;
        for (spec, ended) in run_wave(context, as_of, folder, specs)? {
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

type Ended = (TrialSpec, anyhow::Result<TrialResult>);

fn run_wave(
    context: &Context,
    as_of: Timestamp,
    folder: &Path,
    specs: Vec<TrialSpec>,
) -> anyhow::Result<Vec<Ended>> {
    let mut executor = LocalExecutor::new(folder.join("trials"), specs.len());
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    for spec in &specs {
        let order = folder.join(format!("trial-{}.json", spec.id));
        std::fs::write(&order, serde_json::to_vec(&Order::Trial(TrialOrder { as_of, spec: spec.clone() }))?)?;
        let flags = context.flags_of_self().into_iter().map(|flag| flag.to_string_lossy().into_owned());
        let job = JobSpec::new(format!("trial-{}", spec.id), &program).args(flags).args([
            "trial".to_owned(),
            "--spec".to_owned(),
            order.display().to_string(),
            "--out".to_owned(),
            "{output}".to_owned(),
        ]);
        executor.submit(job)?;
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
