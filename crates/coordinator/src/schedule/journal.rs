//! What a schedule remembers of its jobs across restarts.

use std::{collections::BTreeMap, fs, io, path::Path};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::marker::write_whole;

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It did what it should.
    Done,
    /// Some of it is missing.
    Partial,
    /// It did not do what it should; its next instant is its next chance.
    Failed,
    /// It was stopped before its end, so that it is still owed.
    Stopped,
}

/// How a job ended, and a few words about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// In one word.
    pub ending: Ending,
    /// In a few more, such as `exit code 1`; may be empty.
    pub detail: String,
}

impl Outcome {
    /// It did what it should.
    pub fn done() -> Self {
        Self { ending: Ending::Done, detail: String::new() }
    }

    /// It ended otherwise.
    pub fn other(ending: Ending, detail: impl Into<String>) -> Self {
        Self { ending, detail: detail.into() }
    }
}

/// A job's last run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// The instant that it was for.
    pub due: Timestamp,
    /// 1, or 2 when the first try for this instant was cut short.
    pub attempt: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; none while it works, and for ever when it was killed with the schedule.
    pub ended_at: Option<Timestamp>,
    /// How it ended, where that is known.
    pub outcome: Option<Outcome>,
}

impl LastRun {
    /// Tells whether it came to its own end, well or not.
    pub fn came_to_an_end(&self) -> bool {
        self.outcome.as_ref().is_some_and(|outcome| outcome.ending != Ending::Stopped)
    }
}

/// What is remembered of one job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct JobRecord {
    /// Expression and zone under which this was noted; others owe nothing of the past.
    pub(super) when: String,
    /// Nothing that was due before is owed.
    pub(super) since: Timestamp,
    /// The last instant that was let go: the job was at work, or it was too long ago.
    pub(super) let_go: Option<Timestamp>,
    pub(super) last: Option<LastRun>,
}

pub(super) type Records = BTreeMap<String, JobRecord>;

/// Reads the journal; one that is not there yet is empty.
pub(super) fn read(path: &Path) -> io::Result<Records> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Records::new()),
        Err(error) => Err(error),
    }
}

/// Replaces the journal, durably.
pub(super) fn write(path: &Path, records: &Records) -> io::Result<()> {
    write_whole(path, &serde_json::to_vec_pretty(records)?, true)
}
