//! Shows a run as it goes: one line per task on stderr, live on a terminal.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use coordinator::{Change, Event, Observer, RunRecord, TaskState};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::context::say;

/// Watches a run.
pub(crate) struct Display {
    bars: MultiProgress,
    live: RefCell<BTreeMap<String, ProgressBar>>,
    on_terminal: bool,
}

impl Display {
    pub(crate) fn new() -> Self {
        let on_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        Self { bars: MultiProgress::new(), live: RefCell::new(BTreeMap::new()), on_terminal }
    }

    fn started(&self, task: &str, done: usize, all: usize) {
        if !self.on_terminal {
            return;
        }
        let bar = self.bars.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {prefix:16} {wide_msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_prefix(task.to_owned());
        bar.set_message(format!("task {} of {all}", done + 1));
        bar.enable_steady_tick(Duration::from_millis(120));
        self.live.borrow_mut().insert(task.to_owned(), bar);
    }

    fn ended(&self, task: &str, line: &str) {
        let bar = self.live.borrow_mut().remove(task);
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        if self.on_terminal {
            // Lines go above the live bars; a terminal that went away is no reason to stop.
            let _ = self.bars.println(line);
        } else {
            say(line);
        }
    }
}

impl Observer for Display {
    fn event(&self, event: &Event, record: &RunRecord) {
        let Some(task) = &event.task else { return };
        match &event.change {
            Change::Started { .. } => {
                self.started(task, record.in_state(TaskState::Done).count(), record.tasks.len());
            }
            Change::Log { line } => {
                let live = self.live.borrow();
                if let Some(bar) = live.get(task) {
                    bar.set_message(line.clone());
                }
            }
            Change::Reused => self.ended(task, &format!("  ✓ {task:16} done before")),
            Change::Done { seconds, summary } => {
                self.ended(task, &format!("  ✓ {task:16} {summary}  ({seconds:.1} s)"));
            }
            Change::Failed { attempt, error, retry_in_seconds } => {
                let line = format!(
                    "  ! {task:16} attempt {attempt} failed, again in {retry_in_seconds:.0} s: {error}"
                );
                self.ended(task, &line);
            }
            Change::GaveUp { evidence } | Change::Blocked { evidence } => {
                let mark = if evidence.asks.is_some() { '?' } else { '✗' };
                self.ended(task, &format!("  {mark} {task:16} {}", evidence.in_words()));
            }
            Change::Cancelled => self.ended(task, &format!("  - {task:16} cancelled")),
            _ => {}
        }
    }
}
