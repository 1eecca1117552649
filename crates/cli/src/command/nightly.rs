//! `edge nightly`: the whole night as a task graph.

use std::sync::Arc;

use coordinator::{Lock, RunRecord, TaskState, folder::read_state};
use jiff::{ToSpan, civil::Date};

use crate::{
    args::NightlyArgs,
    context::{Context, say},
    exit::{Status, Usage},
    guard,
    night::{self, Night},
    paths::Key,
};

pub(crate) fn run(args: &NightlyArgs, context: &Arc<Context>) -> anyhow::Result<Status> {
    if let (Some(from), Some(to)) = (args.from, args.to) {
        return make_up(context, from, to, args);
    }
    let alone = guard::begin_night(context)?;
    let runs = context.runs_folder()?;
    let night = if args.resume && args.date.is_none() {
        night::unfinished(&runs)?
    } else {
        let (date, as_of) = context.night(args.date)?;
        Night { date, as_of, dry_run: args.dry_run }
    };
    let run_id = night::run_id(&runs, &night, args.resume);
    drive(context, &night, &run_id, args.json, &alone)
}

/// Drives one night to its end.
pub(super) fn drive(
    context: &Arc<Context>,
    night: &Night,
    run_id: &str,
    json: bool,
    _alone: &Lock,
) -> anyhow::Result<Status> {
    say(&format!("edge: night of {} as of {} (run {run_id})", night.date, night.as_of));
    let record = night::run(context, night, run_id)?;
    if json {
        context.print_json(&record)?;
    }
    let report = Key::Report(night.date).to_string();
    let store = context.store()?;
    if store.exists(&report)? {
        say(&format!("edge: report at {}/{report}", store.root()));
    }
    Ok(status(&record))
}

/// Goes through past nights in order, since each meets the ledger and the champion that the one before left.
///
/// What nobody bet then is no bet now: a night that begins here has paper bets and no mail. One that was cut short goes on
/// as what it was.
fn make_up(context: &Arc<Context>, from: Date, to: Date, args: &NightlyArgs) -> anyhow::Result<Status> {
    if from > to {
        return Err(Usage(format!("--from {from} is after --to {to}")).into());
    }
    let runs = context.runs_folder()?;
    let alone = guard::begin_night(context)?;
    let mut made_up = Status::Done;
    for date in from.series(1.day()).take_while(|date| *date <= to) {
        let (date, as_of) = context.night(Some(date))?;
        let fresh = Night { date, as_of, dry_run: true };
        let run_id = night::run_id(&runs, &fresh, true);
        let night = if runs.join(&run_id).exists() { night::of_run(&runs, &run_id)? } else { fresh };
        if read_state(&runs.join(&run_id)).is_some_and(|record| record.is_settled()) {
            say(&format!("edge: night of {date} is done (run {run_id})"));
            continue;
        }
        if drive(context, &night, &run_id, args.json, &alone)? != Status::Done {
            made_up = Status::Partial;
        }
        // Whoever stops one night does not want the next one.
        let cancelled = |record: RunRecord| record.in_state(TaskState::Cancelled).next().is_some();
        if read_state(&runs.join(&run_id)).is_some_and(cancelled) {
            break;
        }
    }
    Ok(made_up)
}

fn status(record: &RunRecord) -> Status {
    let cancelled = record.in_state(TaskState::Cancelled).count();
    if cancelled > 0 {
        let told = crate::table::counted(cancelled, "task");
        say(&format!("edge: stopped, {told} not begun; `edge run resume {}` goes on", record.run_id));
    }
    let blocked: Vec<&str> = record.lost().map(|task| task.id.as_str()).collect();
    for task in record.asking() {
        let asks = task.asks().unwrap_or_default();
        say(&format!("edge: {} wants approval. {asks}", task.id));
        say(&format!("edge: `edge run approve {} --run {}` allows it", task.id, record.run_id));
    }
    if record.is_settled() {
        return Status::Done;
    }
    if !blocked.is_empty() {
        let told = blocked.join(", ");
        say(&format!("edge: not done: {told}; `edge run resume {}` tries again", record.run_id));
    }
    let reported = record.task("report").is_some_and(|task| task.state == TaskState::Done);
    if reported { Status::Partial } else { Status::Failed }
}
