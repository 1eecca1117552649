//! `edge schedule`: fetches, training and nights by the clock.

use std::{process::Stdio, sync::Arc};

use coordinator::{Schedule, When, schedule::until_asked_to_stop};
use jiff::Timestamp;

use crate::{
    args::ScheduleArgs,
    context::{Context, say, wall_clock},
    exit::{Status, Usage},
    table::table,
};

pub(crate) fn run(args: &ScheduleArgs, context: &Arc<Context>) -> anyhow::Result<Status> {
    let schedule = schedule(context)?;
    let zone = jiff::tz::TimeZone::get(&context.settings.schedule.time_zone)?;
    let mut shown = table(&["job", "next", "time zone"]);
    for (job, next) in schedule.upcoming() {
        let next = next.map_or_else(
            || "never".to_owned(),
            |at| at.to_zoned(zone.clone()).strftime("%a %Y-%m-%d %H:%M:%S").to_string(),
        );
        shown.add_row([job, &next, &context.settings.schedule.time_zone]);
    }
    context.print(&shown.to_string())?;
    if args.dry_run {
        return Ok(Status::Done);
    }
    say("edge: running until ctrl-c or SIGTERM");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let stop = async {
            if let Err(error) = until_asked_to_stop().await {
                tracing::error!(%error, "cannot listen for signals");
            }
        };
        anyhow::Ok(schedule.run(stop).await?)
    })?;
    Ok(Status::Done)
}

fn schedule(context: &Arc<Context>) -> anyhow::Result<Schedule> {
    let settings = &context.settings.schedule;
    let mut schedule =
        Schedule::new(Arc::new(wall_clock)).journal(context.runs_folder()?.join("schedule.json"));
    let jobs = [("fetch", &settings.fetch), ("train", &settings.train), ("nightly", &settings.report)];
    for (name, expression) in jobs {
        if expression.is_empty() {
            continue;
        }
        let when = When::parse(expression, &settings.time_zone).map_err(|error| Usage(error.to_string()))?;
        let context = Arc::clone(context);
        schedule = schedule.job(name, when, move |_due: Timestamp| run_self(Arc::clone(&context), name))?;
    }
    Ok(schedule)
}

/// Runs this program again as a process of its own, so that a job that dies takes nothing along.
async fn run_self(context: Arc<Context>, command: &'static str) {
    let started = async {
        let mut process = tokio::process::Command::new(std::env::current_exe()?);
        process.args(context.flags_of_self()).arg(command).stdin(Stdio::null()).kill_on_drop(true);
        process.status().await
    };
    match started.await {
        Ok(status) if status.success() => tracing::info!(command, "done"),
        Ok(status) => tracing::error!(command, code = status.code(), "ended with a failure"),
        Err(error) => tracing::error!(command, %error, "could not be started"),
    }
}
