//! One page on everything: the run under way, what stands in its way, and the runs before it.
//!
//! `runs/HQ.md` is for people, `runs/HQ.json` for programs; both are replaced whole as the run goes.
//!
//! # Example
//! ```
//! use coordinator::{RunRecord, TaskRecord, headquarters};
//! let record = RunRecord { run_id: "2024-05-01".into(), started_at: "2024-05-01T09:00:00Z".parse().unwrap(),
//!     ended_at: None, tasks: vec![TaskRecord::pending("fetch", "pull")] };
//! let page = headquarters::page(&record, &[], "2024-05-01T09:00:07Z".parse().unwrap());
//! assert!(page.contains("Nothing works at the moment") && page.contains("| fetch | pull | pending |"));
//! ```

use jiff::Timestamp;
use serde_json::json;

use crate::{
    RunRecord, TaskState,
    hand_off::{Page, blocked, cell, short, tasks, verdict},
    runs::RunSummary,
};

/// How many earlier runs are listed.
pub(crate) const RECENT: usize = 10;

/// Renders the page as Markdown; `recent` are the runs before this one, the last first.
pub fn page(record: &RunRecord, recent: &[RunSummary], now: Timestamp) -> String {
    let mut page = Page::default();
    page.line("# HQ");
    page.line("");
    page.line(&format!("As of {}. Run {}: {}", short(now), record.run_id, verdict(record)));
    page.line("");
    let focus: Vec<&str> = record.in_state(TaskState::Running).map(|task| task.id.as_str()).collect();
    if focus.is_empty() {
        page.line("Nothing works at the moment.");
    } else {
        page.line(&format!("At work: {}.", focus.join(", ")));
    }
    page.line("");
    tasks(&mut page, record);
    blocked(&mut page, record);
    if !recent.is_empty() {
        page.line("\n## Runs before\n");
        page.line("| run | began | state | tasks |");
        page.line("|---|---|---|---|");
    }
    for run in recent {
        let count = |(state, tasks): (&TaskState, &usize)| format!("{tasks} {}", state.as_str());
        let counts: Vec<String> = run.states.iter().map(count).collect();
        let row = [cell(&run.run_id), short(run.started_at), run.verdict().to_owned(), counts.join(", ")];
        page.line(&format!("| {} |", row.join(" | ")));
    }
    page.into_text()
}

/// Returns the same for programs.
pub fn data(record: &RunRecord, recent: &[RunSummary], now: Timestamp) -> serde_json::Value {
    let focus: Vec<&str> = record.in_state(TaskState::Running).map(|task| task.id.as_str()).collect();
    let blockers: Vec<_> = record.in_state(TaskState::Failed).collect();
    json!({"as_of": now, "run": record, "focus": focus, "blockers": blockers, "recent": recent})
}
