//! `edge run`: looks at runs, goes on with one, stops one, does a task again.

use std::{path::Path, sync::Arc};

use coordinator::{Evidence, RunError, RunRecord, RunSummary, TaskState, folder::read_state, runs};

use super::nightly;
use crate::{
    args::{
        RunApproveArgs, RunCancelArgs, RunCommand, RunListArgs, RunResumeArgs, RunRetryArgs, RunShowArgs,
    },
    context::{Context, say},
    exit::{Status, Usage},
    guard, night,
    table::table,
};

pub(crate) fn run(command: RunCommand, context: &Arc<Context>) -> anyhow::Result<Status> {
    match command {
        RunCommand::List(args) => list(&args, context),
        RunCommand::Show(args) => show(&args, context),
        RunCommand::Resume(args) => resume(&args, context),
        RunCommand::Cancel(args) => cancel(&args, context),
        RunCommand::Retry(args) => retry(&args, context),
        RunCommand::Approve(args) => approve(&args, context),
    }
}

fn list(args: &RunListArgs, context: &Context) -> anyhow::Result<Status> {
    let mut found = runs::list(&context.runs_folder()?)?;
    found.truncate(args.last);
    if args.json {
        context.print_json(&found)?;
        return Ok(Status::Done);
    }
    if found.is_empty() {
        say("edge: no run yet: `edge nightly` makes one");
        return Ok(Status::Done);
    }
    let mut shown = table(&["run", "began", "state", ">done", ">of", ">minutes"]);
    for run in &found {
        let minutes = run.ended_at.map(|end| end.duration_since(run.started_at).as_secs_f64() / 60.0);
        shown.add_row([
            run.run_id.clone(),
            run.started_at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
            run.verdict().to_owned(),
            run.states.get(&TaskState::Done).copied().unwrap_or_default().to_string(),
            run.states.values().sum::<usize>().to_string(),
            minutes.map_or_else(|| "–".to_owned(), |minutes| format!("{minutes:.1}")),
        ]);
    }
    context.print(&shown.to_string())?;
    Ok(Status::Done)
}

fn show(args: &RunShowArgs, context: &Context) -> anyhow::Result<Status> {
    let runs = context.runs_folder()?;
    let run_id = chosen(&runs, args.run.as_deref(), |_| true)?;
    let record = record(&runs, &run_id)?;
    if args.json {
        context.print_json(&record)?;
        return Ok(Status::Done);
    }
    let mut shown = table(&["task", "state", ">tries", ">s", "what"]);
    for task in &record.tasks {
        let what = task.evidence.as_ref().map_or_else(|| task.summary.clone(), Evidence::in_words);
        let seconds = format!("{:.1}", task.seconds);
        shown.add_row([
            task.id.clone(),
            task.state.as_str().to_owned(),
            task.attempts.to_string(),
            seconds,
            what,
        ]);
    }
    context.print(&shown.to_string())?;
    let folder = runs.join(&run_id);
    say(&format!("edge: logs and the hand-off lie in {}", folder.display()));
    if record.lost().next().is_some() {
        say(&format!("edge: `edge run resume {run_id}` tries what failed again"));
    }
    Ok(Status::Done)
}

fn resume(args: &RunResumeArgs, context: &Arc<Context>) -> anyhow::Result<Status> {
    let run_id = chosen(&context.runs_folder()?, args.run.as_deref(), |_| true)?;
    go_on(context, &run_id, args.json)
}

fn go_on(context: &Arc<Context>, run_id: &str, json: bool) -> anyhow::Result<Status> {
    let alone = guard::begin_night(context)?;
    let night = night::of_run(&context.runs_folder()?, run_id)?;
    nightly::drive(context, &night, run_id, json, &alone)
}

fn cancel(args: &RunCancelArgs, context: &Context) -> anyhow::Result<Status> {
    let runs = context.runs_folder()?;
    let run_id = chosen(&runs, args.run.as_deref(), |run| run.is_driven)?;
    if !runs::list(&runs)?.iter().any(|run| run.run_id == run_id && run.is_driven) {
        return Err(Usage(format!("run {run_id} is not running: there is nothing to stop")).into());
    }
    runs::request_cancel(&runs, &run_id)?;
    say(&format!(
        "edge: run {run_id} stops when the tasks at work have ended; `edge run resume` goes on with it"
    ));
    Ok(Status::Done)
}

fn retry(args: &RunRetryArgs, context: &Arc<Context>) -> anyhow::Result<Status> {
    let runs = context.runs_folder()?;
    let run_id = chosen(&runs, args.run.as_deref(), |_| true)?;
    let record = record(&runs, &run_id)?;
    if record.task(&args.task).is_none() {
        let known: Vec<&str> = record.tasks.iter().map(|task| task.id.as_str()).collect();
        let told = format!("run {run_id} has no task `{}`, but {}", args.task, known.join(", "));
        return Err(Usage(told).into());
    }
    // A night at work would not notice.
    drop(guard::begin_night(context)?);
    runs::forget(&runs, &run_id, &args.task)?;
    go_on(context, &run_id, args.json)
}

fn approve(args: &RunApproveArgs, context: &Arc<Context>) -> anyhow::Result<Status> {
    let runs = context.runs_folder()?;
    let run_id = chosen(&runs, args.run.as_deref(), |_| true)?;
    // A night at work would not notice.
    drop(guard::begin_night(context)?);
    if let Some(later) = later_night(&runs, &run_id)? {
        let told = format!("night {later} has been since {run_id}: what the older one asked has lapsed");
        return Err(Usage(told).into());
    }
    runs::approve(&runs, &run_id, &args.task).map_err(|error| match error {
        RunError::NotAsked { .. } => anyhow::Error::from(Usage(error.to_string())),
        other => other.into(),
    })?;
    go_on(context, &run_id, args.json)
}

/// Returns a night after this one; going on with the older would put its report and its champion before the later's.
fn later_night(runs: &Path, run_id: &str) -> anyhow::Result<Option<String>> {
    let night = night::of_run(runs, run_id)?;
    let others = runs::list(runs)?.into_iter().map(|run| run.run_id);
    Ok(others
        .into_iter()
        .find(|other| night::of_run(runs, other).is_ok_and(|other| other.as_of > night.as_of)))
}

/// Returns the run that was named, or the last one that will do.
fn chosen(runs: &Path, named: Option<&str>, will_do: impl Fn(&RunSummary) -> bool) -> anyhow::Result<String> {
    let found = runs::list(runs)?;
    let run = found.iter().find(|run| named.map_or_else(|| will_do(run), |named| run.run_id == named));
    let missing = || match named {
        Some(named) => {
            Usage(format!("there is no run `{named}`: `edge run list` names those that are there"))
        }
        None => Usage("there is no such run: `edge run list` names those that are there".to_owned()),
    };
    Ok(run.ok_or_else(missing)?.run_id.clone())
}

fn record(runs: &Path, run_id: &str) -> anyhow::Result<RunRecord> {
    let missing = || Usage(format!("run {run_id} has no state.json that can be read"));
    Ok(read_state(&runs.join(run_id)).ok_or_else(missing)?)
}
