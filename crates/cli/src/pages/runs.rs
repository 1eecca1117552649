//! Runs of nights, as the coordinator recorded them on this machine.

use coordinator::{RunSummary as Summary, TaskRecord, folder::read_state, runs};
use jiff::civil::Date;
use report::pages::input::{RunPage, RunSummary, RunVerdict, RunsPage, TaskEvidence, TaskRow, TaskState};

use super::{Desk, Found, Missing};
use crate::{context::wall_clock, night, paths::Key};

/// Runs that the list shows.
const LISTED: usize = 100;

impl Desk {
    pub(super) fn runs(&self) -> Found {
        let folder = self.context.runs_folder()?;
        let mut found = runs::list(&folder)?;
        found.truncate(LISTED);
        let runs = found
            .iter()
            .map(|run| summary(run, night::of_run(&folder, &run.run_id).ok().map(|night| night.date)));
        let page = RunsPage { site: night::site(&self.context, wall_clock()), runs: runs.collect() };
        Ok(Ok(self.pages.runs(&page)?))
    }

    pub(super) fn run(&self, run_id: &str) -> Found {
        let folder = self.context.runs_folder()?;
        let found = runs::list(&folder)?.into_iter().find(|run| run.run_id == run_id);
        let record = found.as_ref().and_then(|run| read_state(&folder.join(&run.run_id)));
        let (Some(found), Some(record)) = (found, record) else {
            return Ok(Err(Missing {
                title: "No such run",
                detail: format!("There is no run {run_id} on this machine."),
                command: Some("edge run list".to_owned()),
            }));
        };
        let date = night::of_run(&folder, run_id).ok().map(|night| night.date);
        let stored = |date| {
            self.context
                .store()
                .is_ok_and(|store| store.exists(&Key::Report(date).to_string()).unwrap_or(false))
        };
        let page = RunPage {
            site: night::site(&self.context, wall_clock()),
            run: summary(&found, date),
            tasks: record.tasks.iter().map(task).collect(),
            has_report: date.is_some_and(stored),
        };
        Ok(Ok(self.pages.run(&page)?))
    }
}

fn summary(run: &Summary, date: Option<Date>) -> RunSummary {
    let count = |state: TaskState| {
        let known = run.states.iter().find(|(known, _)| known.as_str() == state.as_str());
        (state, known.map_or(0, |(_, count)| *count))
    };
    let done = run.states.iter().any(|(state, _)| state.as_str() == TaskState::Done.as_str());
    let verdict = match run.verdict() {
        "running" => RunVerdict::Running,
        "cut short" | "cancelled" => RunVerdict::Parked,
        "not done" if done => RunVerdict::InPart,
        "not done" => RunVerdict::Failed,
        _ => RunVerdict::Done,
    };
    RunSummary {
        run_id: run.run_id.clone(),
        date,
        began: run.started_at,
        ended: run.ended_at,
        states: TaskState::ALL.into_iter().map(count).collect(),
        verdict,
    }
}

fn task(record: &TaskRecord) -> TaskRow {
    let state = TaskState::ALL.into_iter().find(|state| state.as_str() == record.state.as_str());
    TaskRow {
        id: record.id.clone(),
        kind: record.kind.clone(),
        state: state.unwrap_or(TaskState::Pending),
        tries: record.attempts,
        seconds: record.seconds,
        reused: record.reused,
        summary: record.summary.clone(),
        evidence: record.evidence.as_ref().map(|evidence| TaskEvidence {
            error: evidence.error.clone(),
            log_tail: evidence.log_tail.clone(),
            blocked_by: evidence.blocked_by.clone(),
            asks: evidence.asks.clone(),
        }),
    }
}
