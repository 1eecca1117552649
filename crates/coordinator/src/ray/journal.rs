//! What is known of each attempt, in a file of its own: the head forgets everything when it restarts.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::RayError;
use crate::{JobSpec, JobState, marker::write_whole};

/// Where one attempt keeps its files.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) output: PathBuf,
    pub(super) log: PathBuf,
    journal: PathBuf,
}

impl Files {
    pub(super) fn of(root: &Path, job: &str, attempt: u32) -> Self {
        let folder = root.join(job);
        Self {
            output: folder.join(format!("attempt-{attempt}")),
            log: folder.join(format!("attempt-{attempt}.log")),
            journal: folder.join(format!("attempt-{attempt}.json")),
        }
    }
}

/// One attempt, as it is written down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) spec: JobSpec,
    pub(super) attempt: u32,
    pub(super) submission_id: String,
    pub(super) created_at: Timestamp,
    /// The head's session when it was handed over; written before that, so that no submission is forgotten.
    pub(super) session: Option<String>,
    /// Whether the head said that it has it.
    pub(super) confirmed: bool,
    /// When it was first seen running.
    pub(super) running_since: Option<Timestamp>,
    /// Its end.
    pub(super) ended: Option<JobState>,
}

impl Record {
    pub(super) fn new(spec: JobSpec, attempt: u32, submission_id: String, created_at: Timestamp) -> Self {
        Self {
            spec,
            attempt,
            submission_id,
            created_at,
            session: None,
            confirmed: false,
            running_since: None,
            ended: None,
        }
    }

    /// Writes it, durable when this returns.
    pub(super) fn write(&self, files: &Files) -> io::Result<()> {
        write_whole(&files.journal, &serde_json::to_vec_pretty(self)?, true)
    }
}

/// Reads all attempts under `root`, oldest first within a job.
pub(super) fn read_all(root: &Path) -> Result<Vec<Record>, RayError> {
    let mut records = Vec::new();
    for job in entries(root)? {
        // What is no job's folder is none of ours.
        for path in if job.is_dir() { entries(&job)? } else { Vec::new() } {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            if name.starts_with("attempt-") && path.extension().is_some_and(|extension| extension == "json") {
                records.push(read(&path).map_err(failed(&path))?);
            }
        }
    }
    records.sort_by(|a: &Record, b| (&a.spec.id, a.attempt).cmp(&(&b.spec.id, b.attempt)));
    Ok(records)
}

fn read(path: &Path) -> io::Result<Record> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, RayError> {
    let listed = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    listed.map_err(failed(folder))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> RayError {
    let path = path.to_owned();
    move |source| RayError::Journal { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_read_back_in_order_beside_foreign_files() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("notes"), "").unwrap();
        let mut written = Vec::new();
        for attempt in [2, 10, 1] {
            let files = Files::of(root.path(), "job", attempt);
            fs::create_dir_all(&files.output).unwrap();
            let spec = JobSpec::new("job", "true");
            let record = Record::new(spec, attempt, format!("s1-job-a{attempt}"), Timestamp::UNIX_EPOCH);
            record.write(&files).unwrap();
            written.push(record);
        }
        written.sort_by_key(|record| record.attempt);
        assert_eq!(read_all(root.path()).unwrap(), written);
    }

    #[test]
    fn a_journal_that_cannot_be_read_is_named_instead_of_forgotten() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("job")).unwrap();
        fs::write(root.path().join("job/attempt-1.json"), "{").unwrap();
        let error = read_all(root.path()).unwrap_err();
        assert!(error.to_string().contains("job/attempt-1.json"), "{error}");
    }
}
