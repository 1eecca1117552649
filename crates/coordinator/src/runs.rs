//! The runs of a folder: which there are, how they stand, and how one is asked to stop or to do a task again.
//!
//! # Example
//! ```
//! use coordinator::{Plan, Runner, Silent, Task, TaskOutput, runs};
//! let folder = std::env::temp_dir().join(format!("coordinator-runs-{}", std::process::id()));
//! let plan = Plan::new(vec![Task::new("fetch", "pull", |_| Ok(TaskOutput::new("12 rows")))]).unwrap();
//! let clock = || "2024-05-01T00:00:00Z".parse().unwrap();
//! Runner::new(&folder, "night", clock).run(&plan, &Silent).unwrap();
//! let found = runs::list(&folder).unwrap();
//! assert_eq!((found[0].run_id.as_str(), found[0].is_driven), ("night", false));
//! # std::fs::remove_dir_all(&folder).unwrap();
//! ```

use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    Done, Lock, RunError, RunRecord, TaskState, approval,
    folder::{failed, read_state},
    marker::write_whole,
    plan::check_id,
};

/// A run in a few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunSummary {
    /// Its id, the name of its folder.
    pub run_id: String,
    /// Start of its last session, UTC.
    pub started_at: Timestamp,
    /// End of that session; none while it goes on, or when it was killed.
    pub ended_at: Option<Timestamp>,
    /// Tasks per state.
    pub states: BTreeMap<TaskState, usize>,
    /// Tasks that wait for a person's approval.
    pub asking: usize,
    /// Whether a living process drives it.
    pub is_driven: bool,
}

impl RunSummary {
    fn of(record: &RunRecord, is_driven: bool) -> Self {
        let mut states = BTreeMap::new();
        for task in &record.tasks {
            *states.entry(task.state).or_insert(0) += 1;
        }
        Self {
            run_id: record.run_id.clone(),
            started_at: record.started_at,
            ended_at: record.ended_at,
            states,
            asking: record.asking().count(),
            is_driven,
        }
    }

    /// Returns how it stands, in one or two words.
    pub fn verdict(&self) -> &'static str {
        let has = |state| self.states.contains_key(&state);
        let blocked = self.states.get(&TaskState::Blocked).copied().unwrap_or_default();
        match (self.is_driven, self.ended_at) {
            (true, _) => "running",
            (false, None) => "cut short",
            _ if has(TaskState::Failed) || blocked > self.asking => "not done",
            _ if has(TaskState::Cancelled) => "cancelled",
            _ if self.asking > 0 => "wants approval",
            _ => "done",
        }
    }
}

/// Returns the runs of a folder, the last begun first; a folder that is not there has none.
///
/// # Errors
/// [`RunError::File`] when it cannot be read.
pub fn list(runs: &Path) -> Result<Vec<RunSummary>, RunError> {
    let entries = match fs::read_dir(runs) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed("read", runs))?,
    };
    let folders = entries.filter_map(Result::ok).map(|entry| entry.path());
    let summary = |run: PathBuf| {
        // A copy under another name speaks of a run that it is not.
        let record =
            read_state(&run).filter(|record| run.file_name().is_some_and(|name| *name == *record.run_id))?;
        Some(RunSummary::of(&record, Lock::holder(&run.join(".lock")).is_some()))
    };
    let mut found: Vec<RunSummary> = folders.filter_map(summary).collect();
    found.sort_by(|a, b| (b.started_at, &b.run_id).cmp(&(a.started_at, &a.run_id)));
    Ok(found)
}

/// Asks the process that drives a run to stop after the tasks at work; the next session forgets the request.
pub fn request_cancel(runs: &Path, run_id: &str) -> Result<(), RunError> {
    let path = cancel_file(&existing(runs, run_id)?);
    write_whole(&path, b"", false).map_err(failed("write", &path))
}

/// Takes a task's success back, so that the next session does it again, and with it whatever it then makes anew.
pub fn forget(runs: &Path, run_id: &str, task: &str) -> Result<(), RunError> {
    check_id(task).map_err(RunError::InvalidId)?;
    let folder = existing(runs, run_id)?.join(task);
    Done::remove(&folder).map_err(failed("remove the marker in", &folder))
}

/// Approves what a task asked for; the next session does it, unless by then it would do something else.
///
/// # Errors
/// [`RunError::NotAsked`] when the task waits for no approval.
pub fn approve(runs: &Path, run_id: &str, task: &str) -> Result<(), RunError> {
    check_id(task).map_err(RunError::InvalidId)?;
    let folder = existing(runs, run_id)?.join(task);
    if approval::give(&folder).map_err(failed("approve in", &folder))? {
        return Ok(());
    }
    Err(RunError::NotAsked { run: run_id.to_owned(), task: task.to_owned() })
}

pub(crate) fn cancel_file(run: &Path) -> PathBuf {
    run.join(".cancel")
}

fn existing(runs: &Path, run_id: &str) -> Result<PathBuf, RunError> {
    check_id(run_id).map_err(RunError::InvalidId)?;
    let run = runs.join(run_id);
    if run.is_dir() { Ok(run) } else { Err(RunError::Unknown(run_id.to_owned())) }
}
