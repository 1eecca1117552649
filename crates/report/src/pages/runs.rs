//! Runs and their tasks in words.

use serde::Serialize;

use super::{
    Route,
    input::{RunPage, RunSummary, RunVerdict, RunsPage, TaskEvidence, TaskRow, TaskState},
    pen::{LONGEST_SENTENCE, Moment, Pen, sentence},
};
use crate::{
    Locale,
    format::{self, shorten},
};

/// Runs and tasks shown.
const RUNS: usize = 200;
const TASKS: usize = 400;
/// Last lines of a task's log that are shown.
const LOG_LINES: usize = 20;

#[derive(Debug, Serialize)]
pub(super) struct RunsView {
    runs: Vec<RunView>,
    more: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct RunView {
    href: String,
    id: String,
    date: Option<Moment>,
    slate: Option<String>,
    report: Option<String>,
    began: Moment,
    took: String,
    states: Vec<StateCount>,
    verdict: &'static str,
    tone: &'static str,
    is_working: bool,
    tasks: Vec<TaskView>,
    more: usize,
    /// Tasks that need somebody to look at them.
    troubles: Vec<Trouble>,
}

#[derive(Debug, Serialize)]
struct StateCount {
    state: &'static str,
    words: String,
}

#[derive(Debug, Serialize)]
struct TaskView {
    /// Place in the plan, for links within the page.
    number: usize,
    id: String,
    kind: String,
    state: &'static str,
    tone: &'static str,
    tries: u32,
    took: String,
    summary: String,
    is_reused: bool,
    has_evidence: bool,
}

#[derive(Debug, Serialize)]
struct Trouble {
    number: usize,
    id: String,
    state: &'static str,
    asks: Option<String>,
    error: Vec<String>,
    blocked_by: Vec<String>,
    log_tail: Vec<String>,
}

pub(super) fn list(page: &RunsPage, pen: &Pen<'_>) -> RunsView {
    RunsView {
        runs: page.runs.iter().take(RUNS).map(|run| summary(run, pen)).collect(),
        more: page.runs.len().saturating_sub(RUNS),
    }
}

pub(super) fn view(page: &RunPage, pen: &Pen<'_>) -> RunView {
    let shown = || page.tasks.iter().take(TASKS).zip(1..);
    RunView {
        report: page.run.date.filter(|_| page.has_report).map(|date| Route::Report(date).to_string()),
        slate: page.run.date.filter(|_| page.has_report).map(|date| Route::Slate(date).to_string()),
        tasks: shown().map(|(task, number)| task_view(task, number, pen)).collect(),
        more: page.tasks.len().saturating_sub(TASKS),
        troubles: shown().filter_map(|(task, number)| trouble(task, number)).collect(),
        ..summary(&page.run, pen)
    }
}

fn summary(run: &RunSummary, pen: &Pen<'_>) -> RunView {
    let ended = run.ended.unwrap_or(pen.site.now);
    let is_working = run.verdict == RunVerdict::Running;
    let is_known = run.ended.is_some() || is_working;
    let seconds = ended.duration_since(run.began).as_secs_f64();
    RunView {
        href: Route::Run(run.run_id.clone()).to_string(),
        id: format::name(&run.run_id),
        date: run.date.map(|date| pen.day(date)),
        slate: None,
        report: None,
        began: pen.dated(run.began),
        took: if is_known { took(seconds.max(0.0), &pen.locale) } else { "–".to_owned() },
        states: states(run, pen),
        verdict: run.verdict.as_str(),
        tone: match run.verdict {
            RunVerdict::Done => "good",
            RunVerdict::Running | RunVerdict::Parked => "even",
            RunVerdict::InPart | RunVerdict::Failed => "bad",
        },
        is_working,
        tasks: Vec::new(),
        more: 0,
        troubles: Vec::new(),
    }
}

fn states(run: &RunSummary, pen: &Pen<'_>) -> Vec<StateCount> {
    let count =
        |state: TaskState| run.states.iter().filter(|(of, _)| *of == state).map(|(_, count)| count).sum();
    let told = TaskState::ALL.map(|state| (state, count(state)));
    let told = told.into_iter().filter(|(_, count): &(_, usize)| *count > 0);
    told.map(|(state, count)| StateCount {
        state: state.as_str(),
        words: format!("{}\u{a0}{}", pen.locale.count(count), state.as_str()),
    })
    .collect()
}

/// Writes a duration as people say it: `0.4 s`, `41 s`, `12 min`, `3.5 h`.
fn took(seconds: f64, way: &Locale) -> String {
    match seconds {
        s if s < 10.0 => format!("{}\u{a0}s", way.number(s, 1)),
        s if s < 90.0 => format!("{}\u{a0}s", way.number(s, 0)),
        s if s < 5400.0 => format!("{}\u{a0}min", way.number(s / 60.0, 0)),
        s => format!("{}\u{a0}h", way.number(s / 3600.0, 1)),
    }
}

fn task_view(task: &TaskRow, number: usize, pen: &Pen<'_>) -> TaskView {
    TaskView {
        number,
        id: format::name(&task.id),
        kind: format::name(&task.kind),
        state: task.state.as_str(),
        tone: match task.state {
            TaskState::Done => "good",
            TaskState::Pending | TaskState::Running | TaskState::Cancelled => "even",
            TaskState::Failed | TaskState::Blocked => "bad",
        },
        tries: task.tries,
        took: if task.seconds > 0.0 { took(task.seconds, &pen.locale) } else { "–".to_owned() },
        summary: sentence(&task.summary),
        is_reused: task.reused,
        has_evidence: task.evidence.is_some(),
    }
}

fn trouble(task: &TaskRow, number: usize) -> Option<Trouble> {
    let TaskEvidence { error, log_tail, blocked_by, asks } = task.evidence.as_ref()?;
    let lines = |texts: &[String]| texts.iter().map(|text| shorten(text, LONGEST_SENTENCE)).collect();
    Some(Trouble {
        number,
        id: format::name(&task.id),
        state: task.state.as_str(),
        asks: asks.as_deref().map(sentence),
        error: lines(error),
        blocked_by: blocked_by.iter().map(|id| format::name(id)).collect(),
        log_tail: lines(&log_tail[log_tail.len().saturating_sub(LOG_LINES)..]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_read_at_a_glance() {
        for (seconds, words) in
            [(0.44, "0.4\u{a0}s"), (41.2, "41\u{a0}s"), (720.0, "12\u{a0}min"), (12_600.0, "3.5\u{a0}h")]
        {
            assert_eq!(took(seconds, &Locale::default()), words);
        }
    }
}
