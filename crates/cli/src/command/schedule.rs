//! `edge schedule`: fetches, training and nights by the clock.

mod process;

use std::{sync::Arc, time::Duration};

use coordinator::{
    Ending, LockError, Schedule, ScheduleError, Stop, Turn, When,
    schedule::{JobReport, LastRun, Report, Watch},
};
use jiff::{Timestamp, tz::TimeZone};
use report::notice::{Occasion, TaskFailure};
use serve::health::{Checkup, serve_health};

use super::listening;
use crate::{
    args::ScheduleArgs,
    context::{Context, say, wall_clock},
    exit::{Status, Usage},
    notices,
    table::table,
};

pub(crate) fn run(args: &ScheduleArgs, context: &Arc<Context>) -> anyhow::Result<Status> {
    let schedule = schedule(context)?;
    let report = schedule.report();
    if args.json {
        context.print_json(&report)?;
    } else {
        context.print(&shown(&report, &zone(context)?))?;
    }
    if args.dry_run {
        return Ok(Status::Done);
    }
    if let Some(owner) = schedule.holder() {
        return Err(taken(&owner));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let stop = Stop::new();
        stop.ask_on_signals()?;
        answer_health(args, context, schedule.watch()).await?;
        say("edge: running until ctrl-c or SIGTERM");
        tokio::spawn(say_when_stopping(stop.clone()));
        schedule.run(&stop).await.map_err(|error| match error {
            ScheduleError::Lock(LockError::Held { owner, .. }) => taken(&owner),
            other => other.into(),
        })
    })?;
    say("edge: the schedule has stopped");
    Ok(Status::Done)
}

async fn say_when_stopping(stop: Stop) {
    stop.asked().await;
    say("edge: stopping; once more kills the jobs at work");
}

fn taken(owner: &str) -> anyhow::Error {
    anyhow::anyhow!("another schedule runs on this store ({owner}): stop it first")
}

fn schedule(context: &Arc<Context>) -> anyhow::Result<Schedule> {
    let settings = &context.settings.schedule;
    let mut schedule = Schedule::new(Arc::new(wall_clock))
        .journal(context.runs_folder()?.join("schedule.json"))
        .grace(settings.grace)
        .stop_within(Duration::try_from(settings.stop_within)?);
    let zone = zone(context)?;
    let jobs = [("fetch", &settings.fetch), ("train", &settings.train), ("nightly", &settings.report)];
    for (name, expression) in jobs {
        if expression.is_empty() {
            continue;
        }
        let when = When::parse(expression, &settings.time_zone).map_err(|error| Usage(error.to_string()))?;
        let (context, zone) = (Arc::clone(context), zone.clone());
        schedule = schedule.job(name, when, move |turn: Turn| {
            let (context, zone) = (Arc::clone(&context), zone.clone());
            let flags = context.flags_of_self();
            async move {
                say(&begins(name, &turn, &zone));
                tell_if_late(&context, name, turn.due);
                let begun = std::time::Instant::now();
                let outcome = process::run_self(flags, name, &turn).await;
                let told = told(outcome.ending, &outcome.detail);
                tell_if_failed(&context, name, &turn, outcome.ending, &outcome.detail);
                say(&format!("edge: {name} ended after {:.0} s: {told}", begun.elapsed().as_secs_f64()));
                outcome
            }
        })?;
    }
    Ok(schedule)
}

/// Tells of a job that begins too late, beside the job itself.
fn tell_if_late(context: &Arc<Context>, job: &str, due: Timestamp) {
    let late = wall_clock().duration_since(due);
    if late <= context.settings.notices.late_after {
        return;
    }
    let late_minutes = u32::try_from(late.as_mins()).unwrap_or(u32::MAX);
    let occasion = Occasion::RunLate { job: job.to_owned(), due, late_minutes };
    tell(context, occasion);
}

/// Tells of a night that failed as a whole, be it that it could not even begin.
fn tell_if_failed(context: &Arc<Context>, job: &str, turn: &Turn, ending: Ending, detail: &str) {
    if job != "nightly" || ending != Ending::Failed {
        return;
    }
    let Ok(zone) = context.time_zone() else { return };
    let tasks = vec![TaskFailure { task: job.to_owned(), error: detail.to_owned() }];
    let (run_id, date) = (format!("due {}", turn.due), turn.due.to_zoned(zone).date());
    tell(context, Occasion::RunFailed { run_id, date, tasks, reported: false });
}

fn tell(context: &Arc<Context>, occasion: Occasion) {
    let context = Arc::clone(context);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = notices::tell(&context, &[occasion], wall_clock()) {
            say(&format!("edge: not everybody could be told: {error:#}"));
        }
    });
}

fn zone(context: &Context) -> anyhow::Result<TimeZone> {
    Ok(TimeZone::get(&context.settings.schedule.time_zone)?)
}

fn begins(job: &str, turn: &Turn, zone: &TimeZone) -> String {
    let due = minute(turn.due, zone);
    match (turn.is_late, turn.attempt) {
        (_, 2..) => format!("edge: {job} begins again, for {due}: it was cut short"),
        (true, _) => format!("edge: {job} begins, late, for {due}"),
        (false, _) => format!("edge: {job} begins, due {due}"),
    }
}

fn told(ending: Ending, detail: &str) -> String {
    let word = match ending {
        Ending::Done => "done",
        Ending::Partial => "done in part",
        Ending::Failed => "failed",
        Ending::Stopped => "stopped",
    };
    if detail.is_empty() { word.to_owned() } else { format!("{word}, {detail}") }
}

fn minute(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%a %Y-%m-%d %H:%M").to_string()
}

fn shown(report: &Report, zone: &TimeZone) -> String {
    let mut shown = table(&["job", "next", "last", "ended", "time zone"]);
    for job in &report.jobs {
        let last = job.last.as_ref().map_or_else(|| "never".to_owned(), |last| minute(last.started_at, zone));
        let ended = job.last.as_ref().map_or_else(String::new, how_it_ended);
        shown.add_row([&job.name, &next(job, zone), &last, &ended, &job.zone]);
    }
    shown.to_string()
}

fn next(job: &JobReport, zone: &TimeZone) -> String {
    match (job.owed, job.next) {
        (Some(due), _) => format!("now, for {}", minute(due, zone)),
        (None, Some(next)) => minute(next, zone),
        (None, None) => "never".to_owned(),
    }
}

/// The table shows a schedule that does not run: what did not end was killed, unless another schedule is at it.
fn how_it_ended(last: &LastRun) -> String {
    last.outcome
        .as_ref()
        .map_or_else(|| "not yet".to_owned(), |outcome| told(outcome.ending, &outcome.detail))
}

/// Opens the health endpoint, where one is wanted; it answers for as long as the runtime lives.
async fn answer_health(args: &ScheduleArgs, context: &Context, watch: Watch) -> anyhow::Result<()> {
    let listen = args.listen.as_ref().unwrap_or(&context.settings.schedule.listen);
    if listen.is_empty() {
        return Ok(());
    }
    let settings = listening::settings(context, listen, "127.0.0.1:8001")?;
    let listener = listening::listen(&settings).await?;
    say(&format!("edge: health at {}://{}/healthz", listener.scheme(), listener.local_addr()?));
    tokio::spawn(async move {
        let served =
            serve_health(listener, settings.keyring(), move || checkup(&watch), std::future::pending());
        if let Err(error) = served.await {
            tracing::error!(%error, "the health endpoint stopped");
        }
    });
    Ok(())
}

fn checkup(watch: &Watch) -> Checkup {
    let report = watch.report();
    let details = serde_json::to_value(&report).unwrap_or_default();
    let status = details["status"].as_str().unwrap_or_default().to_owned();
    Checkup { is_well: report.is_well(), status, details }
}
