//! One night as a task graph: what waits for what, and where each task leaves its result.

mod best;
mod bets;
mod book;
mod champion;
mod closing;
mod display;
mod game_facts;
mod games;
mod graphs;
mod information;
mod live;
mod mailing;
mod notifying;
mod parking;
mod played;
mod rendering;
mod reporting;
mod segments;
mod slate;
mod sweeping;
mod tidy;
mod training;
mod weights;
mod workers;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use coordinator::{
    CancelFlag, Limits, Output, Plan, RunRecord, Runner, Task, TaskContext, TaskError, TaskOutput,
};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub(crate) use self::{
    best::{best_predictor, published},
    bets::{
        append, curve, entry_json, game_of, ledger_row, overdue, place, record, settle, settled_bet, terms,
        verify_ledger, writer,
    },
    book::{Book, reseal},
    champion::{Decision, decisions_and_champion, live_champion, promote, promote_by_hand, roll_back},
    closing::{Closings, closing},
    game_facts::site,
    graphs::{graph_as_of, latest_graph, publish_graph},
    information::measure,
    live::StoreSource,
    mailing::{addresses, configured, mail, report_dates, server, signing, stored},
    notifying::promotion,
    parking::park_on_signals,
    played::Played,
    rendering::render_strictly,
    reporting::write_page,
    slate::{Desk, Predicted, Slate, Verdict, decide, outcome_probabilities},
    sweeping::{Sweep, TrialOrder, epoch_line, tiny},
    training::{line_of, train, update},
    workers::ray_requests,
};
use self::{
    bets::{history, ledger_as_of, ledger_step, settle_step},
    champion::{calibration, champion_since, promote_step},
    display::Display,
    game_facts::games_step,
    graphs::graph_step,
    mailing::mail_step,
    notifying::notify_step,
    reporting::{History, report_step},
    slate::{predict_step, read_slate, stake_step},
    sweeping::sweep_step,
    tidy::tidy_task,
    training::train_step,
    weights::weights_step,
};
use crate::{context::Context, exit::Usage, leagues, settings::LeagueSettings};

/// What a night is about; kept in the run's folder, so that a resumed run has the same as-of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Night {
    /// The report's date.
    pub(crate) date: Date,
    /// Nothing known at or after this instant is used.
    pub(crate) as_of: Timestamp,
    /// Paper bets, no mail.
    pub(crate) dry_run: bool,
}

/// One step's result as the next steps read it: a JSON file in the step's folder.
fn write_step<T: Serialize>(task: &TaskContext<'_>, value: &T) -> anyhow::Result<Output> {
    let path = task.folder().join("result.json");
    let part = task.folder().join("result.json.part");
    std::fs::write(&part, serde_json::to_vec(value)?)?;
    std::fs::rename(&part, &path)?;
    Ok(Output::of_file("result", &path)?)
}

fn read_step<T: DeserializeOwned>(task: &TaskContext<'_>, step: &str) -> anyhow::Result<T> {
    let path = task.run_folder().join(step).join("result.json");
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read what {step} left"))?;
    serde_json::from_slice(&bytes).with_context(|| format!("what {step} left is no whole result"))
}

/// Runs the night, or goes on with it; the record says what became of each task.
pub(crate) fn run(context: &Arc<Context>, night: &Night, run_id: &str) -> anyhow::Result<RunRecord> {
    let runs = context.runs_folder()?;
    let folder = runs.join(run_id);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    std::fs::write(folder.join("night.json"), serde_json::to_vec_pretty(night)?)?;
    let plan = plan(context, night)?;
    let store = context.store()?.clone();
    let verify = move |output: &Output| match output.location.strip_prefix("store:") {
        Some(key) => store.try_get(key).is_ok_and(|bytes| {
            bytes.is_some_and(|bytes| Output::of_bytes("", "", &bytes).sha256 == output.sha256)
        }),
        None => output.file_is_unchanged(),
    };
    let limits = Limits { queued: plan.tasks().len(), ..Limits::default() };
    let flag = CancelFlag::default();
    let _listening = park_on_signals(flag.clone(), "after the tasks at work");
    let runner = Runner::new(runs, run_id, crate::context::wall_clock).limits(limits).verify(verify);
    let runner = runner.cancel_flag(flag);
    Ok(runner.run(&plan, &Display::new())?)
}

/// Returns the id of a new run, or of the one to go on with.
pub(crate) fn run_id(runs: &Path, night: &Night, resume: bool) -> String {
    let base = format!("{}-{}", night.date, night.as_of.strftime("%H%M%SZ"));
    let taken = |id: &String| runs.join(id).exists();
    let mut ids = (1..).map(|n| if n == 1 { base.clone() } else { format!("{base}-{n}") });
    if resume {
        let mut last = base.clone();
        for id in ids.take_while(taken) {
            last = id;
        }
        return last;
    }
    ids.find(|id| !taken(id)).unwrap_or(base)
}

/// Returns the night of the newest run that did not come to its end.
///
/// A run that was followed by a whole one for the same date is left alone: its report would replace a newer one.
pub(crate) fn unfinished(runs: &Path) -> anyhow::Result<Night> {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(runs).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    folders
        .sort_by_key(|folder| std::fs::metadata(folder.join("night.json")).and_then(|m| m.modified()).ok());
    let mut reported = Vec::new();
    for folder in folders.iter().rev() {
        let Ok(bytes) = std::fs::read(folder.join("night.json")) else { continue };
        let Ok(night) = serde_json::from_slice::<Night>(&bytes) else { continue };
        if coordinator::folder::read_state(folder).is_some_and(|record| record.is_settled()) {
            reported.push(night.date);
        } else if !reported.contains(&night.date) {
            return Ok(night);
        }
    }
    Err(Usage(format!("no night under {} was cut short: leave --resume out", runs.display())).into())
}

/// Returns the night that a run is about.
pub(crate) fn of_run(runs: &Path, run_id: &str) -> anyhow::Result<Night> {
    let path = runs.join(run_id).join("night.json");
    let bytes = std::fs::read(&path).map_err(|_| Usage(format!("run {run_id} is no night")))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is no whole night", path.display()))
}

/// Names a night's steps in their order, without the one that tidies up.
fn steps(context: &Context) -> Vec<String> {
    let leagues = context.settings.leagues();
    let is_first = |index: usize| leagues[..index].iter().all(|other| other.id != leagues[index].id);
    let fetches = leagues.iter().enumerate().map(|(index, league)| league.task(is_first(index)));
    fetches.chain(STEPS.map(str::to_owned)).collect()
}

/// The steps after the fetches.
const STEPS: [&str; 12] = [
    "settle", "graph", "sweep", "train", "promote", "predict", "weights", "stake", "ledger", "games",
    "report", "mail",
];

fn plan(context: &Arc<Context>, night: &Night) -> anyhow::Result<Plan> {
    let settings = toml::to_string(&context.settings)?;
    let mut tasks = Vec::new();
    let step =
        |id: &str,
         kind: &str,
         work: fn(&Arc<Context>, &Night, &TaskContext<'_>) -> anyhow::Result<TaskOutput>| {
            let budget = context.settings.night.budget_of(id);
            let (context, of_night, as_of) = (Arc::clone(context), night.clone(), night.as_of.to_string());
            let work = move |task: &TaskContext<'_>| {
                work(&context, &of_night, task).map_err(|error| TaskError::new(error.into_boxed_dyn_error()))
            };
            Task::new(id, kind, work).input(settings.clone()).input(as_of).time_budget(budget)
        };
    let mut fetches = Vec::new();
    let leagues = context.settings.leagues();
    for (index, league) in leagues.iter().enumerate() {
        let first = leagues[..index].iter().find(|other| other.id == league.id);
        let id = league.task(first.is_none());
        let task = fetch_task(context, night, league, &id).input(settings.clone()).retries(2);
        // The first source names the teams.
        tasks.push(task.after(first.map(|first| first.task(true))));
        fetches.push(id);
    }
    let all = |more: &[&str]| {
        fetches.iter().cloned().chain(more.iter().map(|s| (*s).to_owned())).collect::<Vec<_>>()
    };
    tasks.push(step("settle", "ledger", settle_step).after(fetches.clone()));
    tasks.push(step("graph", "graph", graph_step).after(fetches.clone()).output("result"));
    tasks.push(step("sweep", "model", sweep_step).needs(["graph"]).output("result"));
    tasks.push(step("train", "model", train_step).needs(["graph"]).after(["sweep"]).output("result"));
    tasks.push(step("promote", "model", promote_step).needs(["train"]));
    tasks.push(step("predict", "model", predict_step).needs(["graph"]).after(["promote"]).output("result"));
    tasks.push(step("weights", "lenses", weights_step).after(["settle"]));
    let before_stakes = ["settle", "weights"];
    tasks.push(step("stake", "lenses", stake_step).needs(["predict"]).after(before_stakes).output("result"));
    tasks.push(step("ledger", "ledger", ledger_step).needs(["stake"]));
    tasks.push(step("games", "report", games_step).needs(["stake"]));
    let report = STEPS.len() - 2;
    tasks.push(step("report", "report", report_step).after(all(&STEPS[..report])));
    tasks.push(step("mail", "report", mail_step).needs(["report"]).retries(2));
    tasks.push(step("notify", "report", notify_step).after(steps(context)).retries(1));
    tasks.extend(tidy_task(context, night.as_of)?);
    Ok(Plan::new(tasks)?)
}

fn fetch_task(context: &Arc<Context>, night: &Night, league: &LeagueSettings, id: &str) -> Task {
    let (context, night, league) = (Arc::clone(context), night.clone(), league.clone());
    let (as_of, budget) = (night.as_of.to_string(), context.settings.night.budget_of("fetch"));
    Task::new(id, "fetch", move |_task| {
        let fetched = leagues::ingest(&context, &league, night.as_of, None);
        let report = fetched.map_err(|error| TaskError::new(error.into_boxed_dyn_error()))?;
        let (added, refused) = (report.rows_added.total(), report.refused.values().sum::<usize>());
        let counts = format!("{added} rows added, {} known, {refused} refused", report.already_known);
        let told = std::iter::once(counts).chain(report.findings.iter().map(ToString::to_string));
        let summary = told.collect::<Vec<_>>().join("; ");
        Ok(TaskOutput::new(summary).fact("rows_added", added).fact("findings", report.findings.len()))
    })
    .input(as_of)
    .time_budget(budget)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(runs: &Path, id: &str, hour: u32, whole: bool) {
        let folder = runs.join(id);
        std::fs::create_dir_all(&folder).unwrap();
        let as_of = format!("2026-03-02T{hour:02}:00:00Z").parse().unwrap();
        let night = Night { date: "2026-03-02".parse().unwrap(), as_of, dry_run: false };
        let mut task = coordinator::TaskRecord::pending("fetch", "fetch");
        if whole {
            task.state = coordinator::TaskState::Done;
        }
        let record =
            RunRecord { run_id: id.to_owned(), started_at: as_of, ended_at: None, tasks: vec![task] };
        std::fs::write(folder.join("state.json"), serde_json::to_vec(&record).unwrap()).unwrap();
        std::fs::write(folder.join("night.json"), serde_json::to_vec(&night).unwrap()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
    }

    #[test]
    fn a_night_that_was_followed_by_a_whole_one_is_not_resumed() {
        let runs = tempfile::tempdir().unwrap();
        left(runs.path(), "a", 8, false);
        assert_eq!(unfinished(runs.path()).unwrap().as_of.to_string(), "2026-03-02T08:00:00Z");
        left(runs.path(), "b", 9, true);
        assert!(unfinished(runs.path()).unwrap_err().to_string().contains("no night"));
        left(runs.path(), "c", 10, false);
        assert_eq!(unfinished(runs.path()).unwrap().as_of.to_string(), "2026-03-02T10:00:00Z");
    }
}
