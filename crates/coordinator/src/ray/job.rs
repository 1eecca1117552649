//! One attempt of a job: what is known of it, and the files that say so.

use std::{fs, io, path::Path, time::Instant};

use jiff::Timestamp;

use super::{
    RaySettings,
    entry::{self, CANCEL},
    journal::{Files, Record},
    wire::JobDetails,
};
use crate::{ExecutorError, JobFailure, JobSpec, JobState, marker::MARKER};

/// The latest attempt of a job.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) record: Record,
    pub(super) files: Files,
    pub(super) state: JobState,
    /// Found in the journal, and not yet submitted to this executor.
    pub(super) adoptable: bool,
    /// Since when Ray has lost sight of it, and how.
    pub(super) doubt: Option<(Instant, String)>,
}

impl Job {
    /// Tells whether Ray may have it.
    pub(super) fn is_in_flight(&self) -> bool {
        self.record.session.is_some() && !self.state.is_final()
    }

    pub(super) fn is_marked(&self) -> bool {
        self.files.output.join(MARKER).is_file()
    }

    /// Takes the attempt for the job that is being submitted, if it may still count or already does.
    pub(super) fn adopt(&mut self, spec: &JobSpec) -> Result<bool, ExecutorError> {
        let first = std::mem::replace(&mut self.adoptable, false);
        if self.record.spec != *spec {
            return Ok(false);
        }
        // It ended well after it was given up.
        if matches!(self.state, JobState::Failed(JobFailure::Lost(_))) && self.is_marked() {
            self.end(JobState::Done)?;
            return Ok(true);
        }
        Ok(first && (!self.state.is_final() || self.state == JobState::Done && self.is_marked()))
    }

    /// Notes that Ray has it, or that what Ray has under its id is another's.
    pub(super) fn confirm(&mut self, run: &str, details: &JobDetails) -> Result<(), ExecutorError> {
        if self.record.confirmed {
            return Ok(());
        }
        let created_at = details.metadata.as_ref().and_then(|metadata| metadata.get("created_at"));
        if created_at.is_none_or(|at| *at != self.record.created_at.to_string()) {
            let id = &self.record.submission_id;
            let reason =
                format!("Ray has another job under the id {id}: give the run another name than `{run}`");
            return self.end(JobState::Failed(JobFailure::NotStarted(reason)));
        }
        self.record.confirmed = true;
        self.write()
    }

    /// Keeps an entry point from starting its program from now on.
    pub(super) fn forbid(&self) -> Result<(), ExecutorError> {
        let path = self.files.output.join(CANCEL);
        fs::write(&path, "").map_err(failed(&self.record.spec.id, &path))
    }

    pub(super) fn end(&mut self, state: JobState) -> Result<(), ExecutorError> {
        self.state = state.clone();
        self.record.ended = Some(state);
        self.write()
    }

    pub(super) fn write(&self) -> Result<(), ExecutorError> {
        self.record.write(&self.files).map_err(failed(&self.record.spec.id, &self.files.output))
    }
}

/// Tells whether Ray may still run an attempt that has ended so for us.
pub(super) fn is_stray(state: &JobState) -> bool {
    matches!(state, JobState::Cancelled | JobState::Failed(JobFailure::TimedOut | JobFailure::Lost(_)))
}

/// Returns the first number after all that earlier attempts used, however they ended.
pub(super) fn next_attempt(root: &Path, job: &str) -> u32 {
    (1..u32::MAX).find(|number| !Files::of(root, job, *number).output.exists()).unwrap_or(u32::MAX)
}

pub(super) fn draft(
    settings: &RaySettings,
    root: &Path,
    spec: JobSpec,
    attempt: u32,
    now: Timestamp,
) -> (Record, Files) {
    let files = Files::of(root, &spec.id, attempt);
    let submission_id = entry::submission_id(&settings.run, &spec.id, attempt);
    (Record::new(spec, attempt, submission_id, now), files)
}

pub(super) fn failed(job: &str, path: &Path) -> impl FnOnce(io::Error) -> ExecutorError {
    let (job, path) = (job.to_owned(), path.to_owned());
    move |source| ExecutorError::File { job, path, source }
}
