//! `edge nightly`: the whole night as a task graph.

use std::sync::Arc;

use coordinator::{RunRecord, TaskState};

use crate::{
    args::NightlyArgs,
    context::{Context, say},
    exit::Status,
    guard,
    night::{self, Night},
    paths::Key,
};

pub(crate) fn run(args: &NightlyArgs, context: &Arc<Context>) -> anyhow::Result<Status> {
    let _alone = guard::begin_night(context)?;
    let runs = context.runs_folder()?;
    let night = if args.resume && args.date.is_none() {
        night::unfinished(&runs)?
    } else {
        let (date, as_of) = context.night(args.date)?;
        Night { date, as_of, dry_run: args.dry_run }
    };
    let run_id = night::run_id(&runs, &night, args.resume);
    say(&format!("edge: night of {} as of {} (run {run_id})", night.date, night.as_of));
    let record = night::run(context, &night, &run_id)?;
    if args.json {
        context.print_json(&record)?;
    }
    let report = Key::Report(night.date).to_string();
    let store = context.store()?;
    if store.exists(&report)? {
        say(&format!("edge: report at {}/{report}", store.root()));
    }
    Ok(status(&record))
}

fn status(record: &RunRecord) -> Status {
    let blocked: Vec<&str> = record.lost().map(|task| task.id.as_str()).collect();
    if record.is_complete() {
        return Status::Done;
    }
    say(&format!("edge: not done: {}; `edge nightly --resume` tries again", blocked.join(", ")));
    let reported = record.task("report").is_some_and(|task| task.state == TaskState::Done);
    if reported { Status::Partial } else { Status::Failed }
}
