//! The folder of one run: who may write there, the state, the events and the tasks' logs.
//!
//! ```text
//! runs/<run_id>/.lock              held by the one process that drives the run
//! runs/<run_id>/state.json         the run as it stands, replaced whole after every event
//! runs/<run_id>/events.jsonl       what happened, appended
//! runs/<run_id>/handoff.md         what a person reads afterwards
//! runs/<run_id>/.cancel            somebody asks the run to stop
//! runs/HQ.md, HQ.json              how everything stands
//! runs/<run_id>/<task>/.done       success of a task
//! runs/<run_id>/<task>/log.txt     what the task said
//! ```
//!
//! # Example
//! ```
//! use coordinator::{RunError, RunFolder};
//! let runs = std::env::temp_dir().join(format!("coordinator-folder-{}", std::process::id()));
//! let now = "2024-05-01T00:00:00Z".parse().unwrap();
//! let mine = RunFolder::open(&runs, "night", now).unwrap();
//! assert!(matches!(RunFolder::open(&runs, "night", now), Err(RunError::Busy { .. })));
//! drop(mine); // also released by the system when the process dies
//! assert!(RunFolder::open(&runs, "night", now).is_ok());
//! # std::fs::remove_dir_all(&runs).unwrap();
//! ```

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use crate::{Event, Lock, LockError, PlanError, RunRecord, marker::write_whole, plan::check_id};

/// Why a run could not be driven; failures of its tasks are in its record instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The run's id cannot name a folder.
    #[error("cannot open a run under that name")]
    InvalidId(#[source] PlanError),
    /// Another process drives the run.
    #[error("run `{run_id}` is being driven by another process ({owner}): wait for it to end, or stop it")]
    Busy {
        /// The run.
        run_id: String,
        /// What the other process wrote about itself.
        owner: String,
    },
    /// The plan has more tasks than a run may have.
    #[error("the plan has {found} tasks, and a run may have {most}: divide it, or raise the limit")]
    TooMany {
        /// Tasks in the plan.
        found: usize,
        /// Most tasks of a run.
        most: usize,
    },
    /// There is no such run.
    #[error("there is no run `{0}`: `edge run list` names those that are there")]
    Unknown(String),
    /// The task waits for no approval.
    #[error("task `{task}` of run `{run}` waits for no approval: `edge run show {run}` tells how it stands")]
    NotAsked {
        /// The run.
        run: String,
        /// Its task.
        task: String,
    },
    /// A file of the run could not be read or written.
    #[error("cannot {action} {}: check that the disk is there, writable and not full", path.display())]
    File {
        /// `write`, `read`, ...
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// An open run folder; its lock is held as long as this value lives.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    events: File,
    _lock: Lock,
}

impl RunFolder {
    /// Creates or reopens `runs/<run_id>` and takes its lock.
    ///
    /// # Errors
    /// [`RunError::Busy`] when a living process holds the lock. A dead one holds nothing.
    pub fn open(runs: &Path, run_id: &str, now: Timestamp) -> Result<Self, RunError> {
        check_id(run_id).map_err(RunError::InvalidId)?;
        let path = runs.join(run_id);
        fs::create_dir_all(&path).map_err(failed("create", &path))?;
        let lock = Lock::try_take(&path.join(".lock"), now).map_err(|error| match error {
            LockError::Held { owner, .. } => RunError::Busy { run_id: run_id.to_owned(), owner },
            LockError::File { path, source } => RunError::File { action: "lock", path, source },
        })?;
        match fs::remove_file(crate::runs::cancel_file(&path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed("remove the request to stop in", &path)(error));
            }
            _ => {}
        }
        let events = open_events(&path.join("events.jsonl"))?;
        Ok(Self { path, events, _lock: lock })
    }

    /// Returns the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the folder of a task, created when absent.
    pub fn task(&self, id: &str) -> Result<PathBuf, RunError> {
        let path = self.path.join(id);
        fs::create_dir_all(&path).map_err(failed("create", &path))?;
        Ok(path)
    }

    /// Reads the state that an earlier session left; none when there is none or it is not whole.
    pub fn state(&self) -> Option<RunRecord> {
        read_state(&self.path)
    }

    /// Replaces the state whole.
    pub fn write_state(&self, record: &RunRecord) -> Result<(), RunError> {
        let path = self.path.join("state.json");
        let bytes = serde_json::to_vec_pretty(record).map_err(io::Error::from);
        bytes.and_then(|bytes| write_whole(&path, &bytes, false)).map_err(failed("write", &path))
    }

    /// Appends an event in one write.
    pub fn append(&mut self, event: &Event) -> Result<(), RunError> {
        let line = serde_json::to_string(event).map_err(io::Error::from);
        line.and_then(|line| self.events.write_all(format!("{line}\n").as_bytes()))
            .map_err(failed("append to", &self.path.join("events.jsonl")))
    }

    /// Tells whether somebody has asked the run to stop.
    pub fn is_cancel_requested(&self) -> bool {
        crate::runs::cancel_file(&self.path).exists()
    }

    /// Replaces a file beside the runs, such as `HQ.md`.
    pub fn write_beside(&self, name: &str, bytes: &[u8]) -> Result<(), RunError> {
        let path = self.path.with_file_name(name);
        write_whole(&path, bytes, false).map_err(failed("write", &path))
    }

    /// Replaces a document of the run, such as `handoff.md`.
    pub fn write_document(&self, name: &str, text: &str) -> Result<(), RunError> {
        let path = self.path.join(name);
        write_whole(&path, text.as_bytes(), true).map_err(failed("write", &path))
    }
}

/// Reads `state.json` in a run's folder, without a lock; none when it is absent.
pub fn read_state(run: &Path) -> Option<RunRecord> {
    serde_json::from_slice(&fs::read(run.join("state.json")).ok()?).ok()
}

/// Wraps an error of the system with what was attempted where.
pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RunError {
    let path = path.to_owned();
    move |source| RunError::File { action, path, source }
}

/// Opens the journal; a last line torn by a kill is ended, so that it spoils only itself.
fn open_events(path: &Path) -> Result<File, RunError> {
    let opened = OpenOptions::new().read(true).append(true).create(true).open(path);
    let mut file = opened.map_err(failed("open", path))?;
    let torn = fs::read(path).map_err(failed("read", path))?.last().is_some_and(|byte| *byte != b'\n');
    if torn {
        file.write_all(b"\n").map_err(failed("append to", path))?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Change;

    #[test]
    fn a_torn_event_spoils_only_its_own_line() {
        let runs = tempfile::tempdir().unwrap();
        fs::create_dir_all(runs.path().join("night")).unwrap();
        fs::write(runs.path().join("night/events.jsonl"), "{\"at\":\"20").unwrap();
        let mut folder = RunFolder::open(runs.path(), "night", Timestamp::UNIX_EPOCH).unwrap();
        folder.append(&Event { at: Timestamp::UNIX_EPOCH, task: None, change: Change::Reused }).unwrap();
        let text = fs::read_to_string(runs.path().join("night/events.jsonl")).unwrap();
        let last: Event = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(last.change, Change::Reused);
    }

    #[test]
    fn a_run_cannot_leave_its_parent() {
        let error = RunFolder::open(Path::new("/nowhere"), "../x", Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(matches!(error, RunError::InvalidId(_)));
    }
}
