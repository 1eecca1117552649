//! The `.done` marker: the only thing that says that a task succeeded.
//!
//! It is written last, whole or not at all, so a kill at any instant leaves either no marker or a true one.
//! It counts only while the fingerprint of what went in is the same and the outputs still verify.
//!
//! # Example
//! ```
//! use coordinator::{Done, TaskOutput};
//! let folder = std::env::temp_dir().join(format!("coordinator-marker-{}", std::process::id()));
//! std::fs::create_dir_all(&folder).unwrap();
//! let done = Done { task: "fetch".into(), fingerprint: "ab".into(), attempt: 1, seconds: 0.5,
//!     ended_at: "2024-05-01T00:00:00Z".parse().unwrap(), result: TaskOutput::new("12 rows") };
//! done.write(&folder).unwrap();
//! assert_eq!(Done::read(&folder), Some(done));
//! # std::fs::remove_dir_all(&folder).unwrap();
//! ```

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Plan, TaskOutput, TaskRecord, TaskState, task::hex_sha256};

/// Name of the marker in a task's folder.
pub const MARKER: &str = ".done";

/// The content of a marker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// The task's id.
    pub task: String,
    /// sha256 over the task's declaration and everything it waited for.
    pub fingerprint: String,
    /// The attempt that succeeded.
    pub attempt: u32,
    /// Its duration.
    pub seconds: f64,
    /// Its end, UTC.
    pub ended_at: Timestamp,
    /// What the task handed back.
    #[serde(flatten)]
    pub result: TaskOutput,
}

impl Done {
    /// Reads the marker in `folder`; one that is absent or not whole is none.
    pub fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(MARKER)).ok()?).ok()
    }

    /// Writes the marker into `folder`, durable before it becomes visible.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        write_whole(&folder.join(MARKER), &serde_json::to_vec_pretty(self)?, true)
    }

    /// Removes the marker in `folder`, if any.
    pub fn remove(folder: &Path) -> io::Result<()> {
        match fs::remove_file(folder.join(MARKER)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// Writes a file so that a reader sees the old bytes or the new ones, never a part.
///
/// With `durable` the new bytes also survive a power cut from the moment they are visible.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let temporary = path.with_file_name(name);
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    if durable {
        file.sync_all()?;
    }
    fs::rename(&temporary, path)?;
    if let (true, Some(folder)) = (durable, path.parent()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Hashes a task's declaration and what the tasks before it handed on.
///
/// Durations, summaries and attempts are left out, so that doing an earlier task again with the same
/// result disturbs nothing.
pub(crate) fn fingerprint(plan: &Plan, task: usize, records: &[TaskRecord]) -> String {
    let declared = &plan.tasks()[task];
    let handed_on = |earlier: &usize| {
        let record = &records[*earlier];
        let outputs: Vec<_> = record.outputs.iter().map(|o| (&o.name, &o.location, &o.sha256)).collect();
        serde_json::json!([record.id, record.state == TaskState::Done, outputs, record.facts])
    };
    let earlier: Vec<_> = plan.needs(task).iter().chain(plan.after(task)).map(handed_on).collect();
    let whole = serde_json::json!([declared.id, declared.kind, declared.inputs, declared.outputs, earlier]);
    hex_sha256(whole.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_marker_is_no_marker() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(MARKER), "{\"task\": \"fetch\", \"finger").unwrap();
        assert_eq!(Done::read(folder.path()), None);
    }

    #[test]
    fn a_whole_write_replaces_the_old_bytes_and_leaves_nothing_beside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        write_whole(&path, b"old", false).unwrap();
        write_whole(&path, b"new", true).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
