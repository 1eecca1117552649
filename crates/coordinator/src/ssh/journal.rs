//! What was started where, written down before it is started: the memory of an executor that was killed.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{JobSpec, JobState, marker::write_whole};

/// One attempt of a job on a node; kept as `<root>/<job>/attempt-N.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// What was asked for.
    pub(super) spec: JobSpec,
    /// Number of the attempt.
    pub(super) number: u32,
    /// Label of the node.
    pub(super) node: String,
    /// The slot's GPU.
    pub(super) gpu: Option<u32>,
    /// Work folder on the node.
    pub(super) folder: String,
    /// In the name of the attempt's state folder on the node, so that nobody else's attempt is taken for ours.
    pub(super) token: String,
    /// How it ended; none while it may still be running, or its output is not here yet.
    pub(super) ended: Option<JobState>,
    /// Known not to run any more, so that its slot is free.
    pub(super) free: bool,
}

impl Entry {
    /// Tells whether `spec` asks for the same work.
    pub(super) fn is_of(&self, spec: &JobSpec) -> bool {
        let work = |spec: &JobSpec| {
            (spec.program.clone(), spec.args.clone(), spec.env.clone(), spec.working_folder.clone())
        };
        work(&self.spec) == work(spec)
    }

    /// Folder of the job on the node.
    pub(super) fn job_folder(&self) -> String {
        format!("{}/{}", self.folder.trim_end_matches('/'), self.spec.id)
    }

    /// Output folder of the attempt on the node.
    pub(super) fn output(&self) -> String {
        format!("{}/attempt-{}", self.job_folder(), self.number)
    }

    /// State folder of the attempt on the node; whoever makes it may start the attempt.
    pub(super) fn state_folder(&self) -> String {
        format!("{}.{}", self.output(), self.token)
    }

    pub(super) fn write(&self, root: &Path) -> io::Result<()> {
        let path = path(root, &self.spec.id, self.number);
        write_whole(&path, &serde_json::to_vec_pretty(self)?, true)
    }
}

/// Where the entry of an attempt is kept.
pub(super) fn path(root: &Path, job: &str, number: u32) -> PathBuf {
    root.join(job).join(format!("attempt-{number}.json"))
}

/// How long ago the attempt was written down, which is just before it was started.
pub(super) fn age(root: &Path, entry: &Entry) -> Duration {
    let written = fs::metadata(path(root, &entry.spec.id, entry.number)).and_then(|about| about.modified());
    written.ok().and_then(|at| at.elapsed().ok()).unwrap_or_default()
}

/// Reads the entry of the job's last attempt, if the last attempt came so far as to have one.
pub(super) fn last(root: &Path, job: &str) -> io::Result<Option<Entry>> {
    Ok(of_job(&root.join(job))?.into_iter().max_by_key(|entry| entry.number))
}

/// Reads all entries under `root`.
pub(super) fn all(root: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for job in fs::read_dir(root)? {
        let job = job?.path();
        if job.is_dir() {
            entries.extend(of_job(&job)?);
        }
    }
    Ok(entries)
}

fn of_job(folder: &Path) -> io::Result<Vec<Entry>> {
    let files = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        files => files?,
    };
    let mut entries = Vec::new();
    for file in files {
        let file = file?;
        let name = file.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("attempt-") && name.ends_with(".json") {
            entries.push(serde_json::from_slice(&fs::read(file.path())?).map_err(|error| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", file.path().display()))
            })?);
        }
    }
    Ok(entries)
}

#[cfg(test)]
pub(super) fn example() -> Entry {
    Entry {
        spec: JobSpec::new("trial", "sh"),
        number: 3,
        node: "n".into(),
        gpu: Some(1),
        folder: "/srv/work/".into(),
        token: "0a".into(),
        ended: None,
        free: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_attempt_is_found_again() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("trial")).unwrap();
        let entry = example();
        Entry { number: 12, ..entry.clone() }.write(root.path()).unwrap();
        entry.write(root.path()).unwrap();
        assert_eq!(last(root.path(), "trial").unwrap().unwrap().number, 12);
        assert_eq!(last(root.path(), "other").unwrap(), None);
        assert_eq!(all(root.path()).unwrap().len(), 2);
        assert_eq!(entry.state_folder(), "/srv/work/trial/attempt-3.0a");
    }
}
