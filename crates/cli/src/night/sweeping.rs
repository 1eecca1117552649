//! The search for hyper-parameters: every trial a process of its own, here or elsewhere.
//!
//! What is tried next, and when a trial gives up, is the study's to say; it is written down after every step, so that a
//! sweep that was killed goes on where it stood.

mod bench;
mod keeping;
mod pictures;
mod watch;

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use coordinator::{Lock, TaskContext, TaskOutput};
use jiff::Timestamp;
use model::{Rung, TrainSettings, TrialSpec};
use serde::{Deserialize, Serialize};
use sweep::{Ask, Ending, Record, State, Study, Trial};

pub(crate) use self::watch::epoch_line;
use self::{bench::Bench, keeping::settings_of, watch::Watch};
use super::{Night, graphs::Published, read_step, write_step};
use crate::{
    context::{Context, wall_clock},
    settings::SweepSettings,
    table::counted,
};

/// Name of a study's file in the folder of its sweep.
const STUDY: &str = "study.json";

/// What a trial's process is told: which graph, which settings.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TrialOrder {
    pub(crate) as_of: Timestamp,
    /// The graph's sha256, which tells orders on different graphs apart.
    pub(crate) graph: Option<String>,
    pub(crate) spec: TrialSpec,
}

/// What the sweep found.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Swept {
    pub(crate) best: TrainSettings,
    pub(crate) best_trial: usize,
    pub(crate) study: Record,
}

impl Swept {
    /// Reads what a study has found so far; none when no trial came to its end.
    fn of(context: &Context, study: Record) -> anyhow::Result<Option<Self>> {
        let Some(best) = study.best() else { return Ok(None) };
        let settings = settings_of(study.base(), &best.point)?;
        let best_trial = best.id;
        // The epochs of a trial are not those of the training that follows.
        let best = TrainSettings { epochs: context.settings.model.epochs, ..settings };
        Ok(Some(Self { best, best_trial, study }))
    }

    /// Returns what a sweep found that did not come to its end.
    pub(super) fn so_far(context: &Context, folder: &Path) -> Option<Self> {
        Self::of(context, Record::open(&folder.join(STUDY)).ok()?).ok()?
    }

    /// Returns the trials that a machine, not their settings, brought to nothing.
    pub(crate) fn failed(&self) -> impl Iterator<Item = (&Trial, &str)> {
        self.study.trials().iter().filter_map(|trial| match &trial.outcome.as_ref()?.state {
            State::Failed { why } => Some((trial, why.as_str())),
            _ => None,
        })
    }
}

/// How a sweep is to go about it.
#[derive(Clone, Copy)]
pub(crate) struct Sweep<'a> {
    pub(crate) settings: &'a SweepSettings,
    pub(crate) as_of: Timestamp,
    /// The graph's sha256: what was found on another counts for nothing.
    pub(crate) graph: Option<&'a str>,
    /// Whether tiny networks will do.
    pub(crate) smoke_test: bool,
    /// Where the study, its trials and its pictures lie.
    pub(crate) folder: &'a Path,
    pub(crate) log: &'a dyn Fn(&str),
    pub(crate) cancelled: &'a dyn Fn() -> bool,
}

pub(super) fn sweep_step(
    context: &Arc<Context>,
    night: &Night,
    task: &TaskContext<'_>,
) -> anyhow::Result<TaskOutput> {
    // What an earlier session found counts no more once this one begins.
    match std::fs::remove_file(task.folder().join("result.json")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let graph: Published = read_step(task, "graph")?;
    let sweep = Sweep {
        settings: &context.settings.sweep,
        as_of: night.as_of,
        graph: Some(&graph.sha256),
        smoke_test: false,
        folder: task.folder(),
        log: &|line| task.log(line),
        cancelled: &|| task.cancelled(),
    };
    let swept = sweep.run(context)?;
    let output = write_step(task, &swept)?;
    let states = swept.study.trials().iter().filter_map(|trial| trial.outcome.as_ref());
    let given_up = states.filter(|outcome| matches!(outcome.state, State::Pruned { .. })).count();
    let failed = swept.failed().count();
    let counts = [(given_up, "given up early"), (failed, "failed")];
    let told = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let mut summary = vec![counted(swept.study.trials().len(), "trial")];
    summary.extend(told);
    summary.push(format!("best is trial {}", swept.best_trial));
    Ok(TaskOutput::new(summary.join(", ")).output(output))
}

impl Sweep<'_> {
    /// Runs the trials, a few at a time, and returns the best settings.
    pub(crate) fn run(&self, context: &Context) -> anyhow::Result<Swept> {
        let path = self.folder.join(STUDY);
        let _alone = Lock::try_take(&self.folder.join(".lock"), wall_clock())?;
        let mut study = self.study(context)?;
        study.record().save(&path)?;
        let mut bench = Bench::open(context, self)?;
        let watch = Watch::new(self.settings, ended(study.record()));
        for trial in study.record().pending() {
            watch.begun(trial);
            bench.put(context, self, trial)?;
        }
        let ending = loop {
            match study.ask(wall_clock()) {
                Ask::Trial(trial) => {
                    study.record().save(&path)?;
                    watch.begun(&trial);
                    bench.put(context, self, &trial)?;
                }
                Ask::Finished(ending) => break ending,
                _ => {
                    if (self.cancelled)() {
                        bench.clear();
                        anyhow::bail!("stopped after {}", self.ended(&study));
                    }
                    let ended = bench.ended(context, self, &watch)?;
                    if ended.is_empty() {
                        std::thread::sleep(Duration::from_millis(50));
                    }
                    for (id, outcome) in ended {
                        watch.ended(id, &outcome, self.log);
                        study.tell(id, outcome, wall_clock())?;
                        study.record().save(&path)?;
                    }
                }
            }
        };
        drop(watch);
        if ending == Ending::Exhausted {
            (self.log)("the space holds nothing else to try");
        }
        pictures::write(study.record(), self.folder)?;
        Swept::of(context, study.record().clone())?.with_context(|| nothing(study.record()))
    }

    fn ended(&self, study: &Study) -> String {
        format!("{} of {}", ended(study.record()), counted(self.settings.trials, "trial"))
    }

    /// Returns what the process of a trial is told.
    pub(crate) fn order(&self, base: &serde_json::Value, trial: &Trial) -> anyhow::Result<TrialOrder> {
        let settings = settings_of(base, &trial.point)?;
        let settings = if self.smoke_test { tiny(&settings) } else { settings };
        settings.check().with_context(|| format!("trial {} cannot be trained", trial.id))?;
        let graph = self.graph.map(str::to_owned);
        let rung = |rung: &sweep::Rung| Rung { epoch: rung.epoch, worse_than: rung.worse_than };
        let rungs = trial.rungs.iter().map(rung).collect();
        let (id, seed, epochs) = (trial.id, settings.seed, settings.epochs);
        Ok(TrialOrder { as_of: self.as_of, graph, spec: TrialSpec { id, settings, seed, epochs, rungs } })
    }
}

/// Counts the trials that have ended.
fn ended(study: &Record) -> usize {
    study.trials().iter().filter(|trial| trial.outcome.is_some()).count()
}

/// Says why a sweep found nothing.
fn nothing(study: &Record) -> String {
    let ends = study.trials().iter().filter_map(|trial| Some((trial.id, &trial.outcome.as_ref()?.state)));
    let told = ends.map(|(id, state)| match state {
        State::Failed { why } => format!("trial {id} failed: {why}"),
        state => format!("trial {id} {}", state.as_str()),
    });
    format!("no trial of the sweep ended with a loss: {}", told.collect::<Vec<_>>().join("; "))
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
