//! What happened in a run: the states of its tasks, the evidence of what failed, and the events on the way.
//!
//! # Example
//! ```
//! use coordinator::TaskState;
//! assert!(TaskState::Blocked.is_final());
//! assert_eq!(serde_json::to_string(&TaskState::Done).unwrap(), "\"done\"");
//! ```

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Output;

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Waits for others, for a free slot, or for its next attempt.
    Pending,
    /// Works now.
    Running,
    /// Succeeded, in this session or in an earlier one whose outputs still hold.
    Done,
    /// Out of attempts.
    Failed,
    /// Parked, because it needs a task that did not succeed.
    Blocked,
    /// Stopped because somebody asked the run to stop.
    Cancelled,
}

impl TaskState {
    /// Tells whether nothing more happens to the task in this session.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Blocked | Self::Cancelled)
    }

    /// Returns the word used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Why a task failed or is blocked, for a person to act on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The error and its causes, outermost first; empty when only another task stands in the way.
    pub error: Vec<String>,
    /// The last lines of the task's log.
    pub log_tail: Vec<String>,
    /// Tasks that this one needs and that did not succeed.
    pub blocked_by: Vec<String>,
    /// What a person must approve before the task may begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<String>,
}

impl Evidence {
    /// Says it in one line.
    pub fn in_words(&self) -> String {
        match &self.asks {
            Some(asks) => format!("wants approval. {asks}"),
            None if self.error.is_empty() => format!("needs {}", self.blocked_by.join(", ")),
            None => self.error.join(": "),
        }
    }
}

/// One task of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskRecord {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Where it stands.
    pub state: TaskState,
    /// Attempts begun over all sessions of the run.
    pub attempts: u32,
    /// Seconds of the attempt that decided; 0 before.
    pub seconds: f64,
    /// Whether this session found it done by an earlier one.
    pub reused: bool,
    /// What it made.
    pub outputs: Vec<Output>,
    /// One line about it.
    pub summary: String,
    /// Key facts.
    pub facts: BTreeMap<String, serde_json::Value>,
    /// Why it failed or is blocked.
    pub evidence: Option<Evidence>,
}

impl TaskRecord {
    /// Builds the record of a task that has not begun.
    pub fn pending(id: &str, kind: &str) -> Self {
        Self {
            id: id.to_owned(),
            kind: kind.to_owned(),
            state: TaskState::Pending,
            attempts: 0,
            seconds: 0.0,
            reused: false,
            outputs: Vec::new(),
            summary: String::new(),
            facts: BTreeMap::new(),
            evidence: None,
        }
    }

    /// Tells whether the task came to nothing; one that waits for approval did not.
    pub fn is_lost(&self) -> bool {
        matches!(self.state, TaskState::Failed | TaskState::Blocked) && self.asks().is_none()
    }

    /// Returns what a person must approve before the task may begin.
    pub fn asks(&self) -> Option<&str> {
        self.evidence.as_ref()?.asks.as_deref()
    }
}

/// A whole run: the content of `state.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The run's id, the name of its folder.
    pub run_id: String,
    /// Start of this session, UTC.
    pub started_at: Timestamp,
    /// End of this session; none while it runs or when it was killed.
    pub ended_at: Option<Timestamp>,
    /// The tasks in the plan's order.
    pub tasks: Vec<TaskRecord>,
}

impl RunRecord {
    /// Returns the task called `id`.
    pub fn task(&self, id: &str) -> Option<&TaskRecord> {
        self.tasks.iter().find(|task| task.id == id)
    }

    /// Returns the tasks in `state`, in the plan's order.
    pub fn in_state(&self, state: TaskState) -> impl Iterator<Item = &TaskRecord> {
        self.tasks.iter().filter(move |task| task.state == state)
    }

    /// Returns the tasks that did not succeed and are not to be tried any more in this session, approvals apart.
    pub fn lost(&self) -> impl Iterator<Item = &TaskRecord> {
        self.tasks.iter().filter(|task| task.is_lost())
    }

    /// Returns the tasks that wait for a person's approval.
    pub fn asking(&self) -> impl Iterator<Item = &TaskRecord> {
        self.tasks.iter().filter(|task| task.asks().is_some())
    }

    /// Tells whether every task succeeded.
    pub fn is_complete(&self) -> bool {
        self.tasks.iter().all(|task| task.state == TaskState::Done)
    }

    /// Tells whether nothing is left to do but what waits for a person's approval.
    pub fn is_settled(&self) -> bool {
        self.tasks.iter().all(|task| task.state == TaskState::Done || task.asks().is_some())
    }
}

/// Something that happened in a run: one line of `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, UTC.
    pub at: Timestamp,
    /// To which task; none when it concerns the run.
    pub task: Option<String>,
    /// What.
    #[serde(flatten)]
    pub change: Change,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Change {
    /// A session of the run began.
    RunStarted {
        /// The run.
        run_id: String,
        /// Tasks in the plan.
        tasks: usize,
    },
    /// The task was done by an earlier session, and nothing it depends on has changed.
    Reused,
    /// An attempt began.
    Started {
        /// Which, from 1.
        attempt: u32,
    },
    /// The task said something; in the task's log, not in `events.jsonl`.
    Log {
        /// One line.
        line: String,
    },
    /// An attempt failed and will be followed by another.
    Failed {
        /// Which, from 1.
        attempt: u32,
        /// The error with its causes.
        error: String,
        /// Wait before the next attempt.
        retry_in_seconds: f64,
    },
    /// The task succeeded.
    Done {
        /// Seconds of the attempt.
        seconds: f64,
        /// One line.
        summary: String,
    },
    /// The task is out of attempts.
    GaveUp {
        /// Why.
        evidence: Evidence,
    },
    /// The task needs one that did not succeed.
    Blocked {
        /// Why.
        evidence: Evidence,
    },
    /// The task was stopped, or not begun, because the run was asked to stop.
    Cancelled,
    /// The session ended with every task in a final state.
    RunEnded {
        /// Tasks per state.
        states: BTreeMap<TaskState, usize>,
    },
}

/// Whoever watches a run; called on the thread that called the runner, one event at a time.
pub trait Observer {
    /// Takes notice of `event`; `record` is the run after it.
    fn event(&self, event: &Event, record: &RunRecord);
}

/// Watches nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _event: &Event, _record: &RunRecord) {}
}
