//! Facts of the pages about runs.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::Site;

/// The runs that there are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunsPage {
    /// The site.
    pub site: Site,
    /// Runs, the latest first.
    pub runs: Vec<RunSummary>,
}

/// One run with its tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunPage {
    /// The site.
    pub site: Site,
    /// The run in one line.
    pub run: RunSummary,
    /// Its tasks in the order of the plan.
    pub tasks: Vec<TaskRow>,
    /// Whether the day's report is stored, so that it can be linked to.
    pub has_report: bool,
}

/// A run in one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSummary {
    /// Its id, the name of its folder.
    pub run_id: String,
    /// The night's date; none for a run that belongs to no night, such as a sweep.
    pub date: Option<Date>,
    /// When it began, UTC.
    pub began: Timestamp,
    /// When it ended, UTC; none while it works or when it was killed.
    pub ended: Option<Timestamp>,
    /// How many tasks are in each state, in the order of [`TaskState::ALL`]; states without tasks may be left out.
    pub states: Vec<(TaskState, usize)>,
    /// What came of it.
    pub verdict: RunVerdict,
}

/// What came of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunVerdict {
    /// Everything was done.
    Done,
    /// Something failed; the rest was done.
    InPart,
    /// Nothing of worth was done.
    Failed,
    /// It works now.
    Running,
    /// It was stopped and can be taken up again.
    Parked,
}

impl RunVerdict {
    /// Returns the words that the page shows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::InPart => "done in part",
            Self::Failed => "failed",
            Self::Running => "at work",
            Self::Parked => "parked",
        }
    }
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Succeeded.
    Done,
    /// Works now.
    Running,
    /// Waits for others, for a free slot, or for its next attempt.
    Pending,
    /// Out of attempts.
    Failed,
    /// Needs a task that did not succeed, or somebody's approval.
    Blocked,
    /// Stopped because somebody asked the run to stop.
    Cancelled,
}

impl TaskState {
    /// All states in the order in which they are counted.
    pub const ALL: [Self; 6] =
        [Self::Done, Self::Running, Self::Pending, Self::Failed, Self::Blocked, Self::Cancelled];

    /// Returns the word used in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Running => "running",
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One task of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskRow {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Where it stands.
    pub state: TaskState,
    /// Attempts begun.
    pub tries: u32,
    /// Seconds of the attempt that decided; 0 before.
    pub seconds: f64,
    /// Whether an earlier session had done it.
    pub reused: bool,
    /// One line about it.
    pub summary: String,
    /// Why it failed or is blocked.
    pub evidence: Option<TaskEvidence>,
}

/// Why a task failed or is blocked, for a person to act on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TaskEvidence {
    /// The error and its causes, outermost first.
    pub error: Vec<String>,
    /// The last lines of the task's log.
    pub log_tail: Vec<String>,
    /// Tasks that it needs and that did not succeed.
    pub blocked_by: Vec<String>,
    /// What a person must approve before it may begin.
    pub asks: Option<String>,
}
