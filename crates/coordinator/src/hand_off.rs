//! What a person reads after a run: what was done, what is blocked and why, and what to do next.
//!
//! # Example
//! ```
//! use coordinator::{RunRecord, TaskRecord, hand_off};
//! let record = RunRecord { run_id: "2024-05-01".into(), started_at: "2024-05-01T09:00:00Z".parse().unwrap(),
//!     ended_at: None, tasks: vec![TaskRecord::pending("fetch", "pull")] };
//! assert!(hand_off(&record).starts_with("# Run 2024-05-01"));
//! ```

use std::fmt::Write;

use jiff::Timestamp;

use crate::{Evidence, RunRecord, TaskRecord, TaskState};

/// Renders a record as Markdown, tasks in the plan's order.
pub fn hand_off(record: &RunRecord) -> String {
    let mut page = Page::default();
    page.line(&format!("# Run {}", record.run_id));
    page.line("");
    page.line(&verdict(record));
    page.line("");
    tasks(&mut page, record);
    blocked(&mut page, record);
    artefacts(&mut page, record);
    next(&mut page, record);
    page.into_text()
}

/// Text that grows line by line.
#[derive(Default)]
pub(crate) struct Page(String);

impl Page {
    pub(crate) fn into_text(self) -> String {
        self.0
    }

    pub(crate) fn line(&mut self, line: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}

/// Returns an instant without the parts of its second.
pub(crate) fn short(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub(crate) fn verdict(record: &RunRecord) -> String {
    let count = |state| record.in_state(state).count();
    let done = count(TaskState::Done);
    let mut text = format!("{done} of {} tasks done", record.tasks.len());
    for state in
        [TaskState::Failed, TaskState::Blocked, TaskState::Cancelled, TaskState::Running, TaskState::Pending]
    {
        if count(state) > 0 {
            // Writing to a string cannot fail.
            let _ = write!(text, ", {} {}", count(state), state.as_str());
        }
    }
    let span = match record.ended_at {
        Some(end) => {
            format!(
                "{} to {}, {:.1} s",
                short(record.started_at),
                short(end),
                end.duration_since(record.started_at).as_secs_f64()
            )
        }
        None => format!("{}, not ended", short(record.started_at)),
    };
    format!("{text} ({span}).")
}

pub(crate) fn tasks(page: &mut Page, record: &RunRecord) {
    page.line("| task | kind | state | attempts | seconds | summary |");
    page.line("|---|---|---|---:|---:|---|");
    for task in &record.tasks {
        let summary = task.evidence.as_ref().map_or_else(|| task.summary.clone(), Evidence::in_words);
        let state = if task.reused { "done before" } else { task.state.as_str() };
        page.line(&format!(
            "| {} | {} | {state} | {} | {:.1} | {} |",
            task.id,
            cell(&task.kind),
            task.attempts,
            task.seconds,
            cell(&summary)
        ));
    }
}

pub(crate) fn blocked(page: &mut Page, record: &RunRecord) {
    for task in record.asking() {
        page.line(&format!("\n## Waits for approval: {}\n\n{}.", task.id, task.asks().unwrap_or_default()));
        page.line(&format!(
            "\nWhat to do: `edge run approve {} --run {}`, or leave it; nothing is removed until then.",
            task.id, record.run_id
        ));
    }
    let mut stuck = record.lost().filter_map(|t| Some((t, t.evidence.as_ref()?))).peekable();
    if stuck.peek().is_none() {
        return;
    }
    page.line("\n## Failed and blocked");
    for (task, evidence) in stuck {
        page.line(&format!("\n### {}\n", task.id));
        one_blocked(page, record, task, evidence);
    }
}

fn one_blocked(page: &mut Page, record: &RunRecord, task: &TaskRecord, evidence: &Evidence) {
    if !evidence.blocked_by.is_empty() {
        page.line(&format!(
            "Waits for {}. What to do: nothing here; it runs by itself once that is done.",
            evidence.blocked_by.join(", ")
        ));
        return;
    }
    page.line(&format!("Failed; attempts: {}.\n", task.attempts));
    page.line(&fenced(&evidence.error));
    if !evidence.log_tail.is_empty() {
        page.line(&format!("\nEnd of `{}/{}/log.txt`:\n", record.run_id, task.id));
        page.line(&fenced(&evidence.log_tail));
    }
    page.line(&format!(
        "\nWhat to do: cure the cause above, then `edge run resume {}`; what is done is kept.",
        record.run_id
    ));
}

fn artefacts(page: &mut Page, record: &RunRecord) {
    let mut outputs = record.tasks.iter().flat_map(|t| t.outputs.iter().map(move |o| (t, o))).peekable();
    if outputs.peek().is_none() {
        return;
    }
    page.line("\n## Outputs\n");
    page.line("| task | output | where | sha256 |");
    page.line("|---|---|---|---|");
    for (task, output) in outputs {
        page.line(&format!(
            "| {} | {} | {} | {} |",
            task.id,
            cell(&output.name),
            cell(&output.location),
            output.sha256
        ));
    }
}

/// Says what the next session of the run begins with.
fn next(page: &mut Page, record: &RunRecord) {
    page.line("\n## Next\n");
    let open: Vec<&str> = record
        .tasks
        .iter()
        .filter(|task| !matches!(task.state, TaskState::Done | TaskState::Blocked))
        .map(|task| task.id.as_str())
        .collect();
    if open.is_empty() {
        page.line("Nothing is left over.");
    } else {
        page.line(&format!("`edge run resume {}` begins with {}.", record.run_id, open.join(", ")));
    }
}

/// Keeps a text inside its table cell.
pub(crate) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

/// Indents, so that no line of the text can end the block.
fn fenced(lines: &[String]) -> String {
    lines
        .iter()
        .flat_map(|text| text.lines())
        .map(|line| format!("    {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
