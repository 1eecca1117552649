//! Asks Ray how things stand and does what follows from it.

use std::{
    collections::BTreeMap,
    error::Error,
    time::{Duration, Instant},
};

use jiff::SignedDuration;

use super::{
    RayError, RayExecutor,
    client::Submitted,
    entry,
    verdict::{Verdict, judge},
    wire::{JobDetails, JobStatus},
};
use crate::{ExecutorError, JobFailure, JobState};

impl RayExecutor {
    /// Asks Ray how things stand, unless that was a moment ago; then fills free slots.
    pub(super) fn advance(&mut self) -> Result<(), ExecutorError> {
        let idle = self.queue.is_empty() && self.strays.is_empty() && self.in_flight() == 0;
        if idle || self.asked.is_some_and(|asked| asked.elapsed() < self.settings.poll_every) {
            return Ok(());
        }
        self.asked = Some(Instant::now());
        // In this order: a head that restarts in between cannot pass its empty list off as the old one's.
        match self.client.jobs().and_then(|jobs| Ok((jobs, self.client.head()?.session_name))) {
            Ok((listed, session)) => {
                if self.silent.take().is_some() {
                    tracing::info!("Ray answers again");
                }
                self.session = session;
                let listed =
                    listed.into_iter().filter_map(|job| Some((job.submission_id.clone()?, job))).collect();
                self.reconcile(&listed)?;
                self.stop_strays(&listed);
                self.fill()
            }
            Err(error) => self.endure(&error),
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.jobs.values().filter(|job| job.is_in_flight()).count()
    }

    fn reconcile(&mut self, listed: &BTreeMap<String, JobDetails>) -> Result<(), ExecutorError> {
        let in_flight = self.jobs.iter().filter(|(_, job)| job.is_in_flight());
        let ids: Vec<_> = in_flight.map(|(id, _)| id.clone()).collect();
        for id in ids {
            let Some(job) = self.jobs.get_mut(&id) else { continue };
            let verdict = match listed.get(&job.record.submission_id) {
                Some(details) => {
                    job.confirm(&self.settings.run, details)?;
                    if job.state.is_final() {
                        continue;
                    }
                    judge(details, job.is_marked())
                }
                None if job.is_marked() => Verdict::Ended(JobState::Done),
                None if !job.record.confirmed && job.record.session.as_ref() == Some(&self.session) => {
                    // It never arrived; if it did after all, Ray refuses the same id.
                    self.post(&id)?;
                    continue;
                }
                None if job.record.session.as_ref() == Some(&self.session) => {
                    Verdict::Doubtful("Ray does not list it any more".to_owned())
                }
                None => Verdict::Doubtful("the head was restarted and knows nothing of it".to_owned()),
            };
            self.apply(&id, verdict)?;
        }
        Ok(())
    }

    fn apply(&mut self, id: &str, verdict: Verdict) -> Result<(), ExecutorError> {
        let now = (self.clock)();
        let Some(job) = self.jobs.get_mut(id) else { return Ok(()) };
        match verdict {
            Verdict::Waits => (job.state, job.doubt) = (JobState::Queued, None),
            Verdict::Works => {
                job.doubt = None;
                job.state = JobState::Running;
                if job.record.running_since.is_none() {
                    job.record.running_since = Some(now);
                    job.write()?;
                }
                let ran =
                    job.record.running_since.map_or(SignedDuration::ZERO, |since| now.duration_since(since));
                if Duration::try_from(ran).is_ok_and(|ran| ran >= job.record.spec.timeout) {
                    return self.stop(id, JobState::Failed(JobFailure::TimedOut));
                }
            }
            Verdict::Ended(state) => job.end(state)?,
            Verdict::Homeless(reason) if job.doubt.is_none() => {
                let wanted = entry::wanted(&self.settings, &job.record.spec);
                let lack = self.client.nodes().ok().and_then(|nodes| nodes.lack(&wanted));
                let lack = lack.unwrap_or_else(|| {
                    format!(
                        "no node with {wanted:?} and labels {:?} was free in time",
                        self.settings.label_selector
                    )
                });
                return self.doubt(id, format!("{lack}; Ray says {reason}"));
            }
            Verdict::Homeless(reason) => return self.doubt(id, reason),
            Verdict::Doubtful(reason) => {
                job.state = JobState::Running;
                return self.doubt(id, reason);
            }
        }
        Ok(())
    }

    /// Counts the time since Ray gave the attempt up; after the grace the marker alone decides.
    fn doubt(&mut self, id: &str, reason: String) -> Result<(), ExecutorError> {
        let Some(job) = self.jobs.get_mut(id) else { return Ok(()) };
        let (since, reason) = job.doubt.get_or_insert_with(|| {
            tracing::warn!(job = id, reason, "Ray has given up an attempt: waiting whether it ends well");
            (Instant::now(), reason)
        });
        if since.elapsed() < self.settings.grace {
            return Ok(());
        }
        let reason = reason.clone();
        self.lose(id, reason)
    }

    /// Ends an attempt of which nothing is heard; should it still wait somewhere, it shall not start.
    fn lose(&mut self, id: &str, reason: String) -> Result<(), ExecutorError> {
        let Some(job) = self.jobs.get_mut(id) else { return Ok(()) };
        if job.is_marked() {
            return job.end(JobState::Done);
        }
        job.forbid()?;
        job.end(JobState::Failed(JobFailure::Lost(reason)))?;
        self.strays.insert(job.record.submission_id.clone());
        Ok(())
    }

    /// Ends an attempt that Ray may have started or not.
    pub(super) fn stop(&mut self, id: &str, state: JobState) -> Result<(), ExecutorError> {
        let Some(job) = self.jobs.get_mut(id) else { return Ok(()) };
        job.forbid()?;
        // Its slot is free when Ray says so.
        self.working_strays += usize::from(job.state == JobState::Running);
        job.end(state)?;
        let submission_id = job.record.submission_id.clone();
        if let Err(error) = self.client.stop(&submission_id) {
            tracing::warn!(job = id, error = &error as &dyn Error, "cannot stop a job yet");
        }
        self.strays.insert(submission_id);
        Ok(())
    }

    /// Asks again for the end of what has ended for us, until Ray says so.
    fn stop_strays(&mut self, listed: &BTreeMap<String, JobDetails>) {
        let status = |id: &String| listed.get(id).map(|details| details.status);
        self.strays.retain(|id| status(id).is_some_and(JobStatus::is_live));
        self.working_strays = self.strays.iter().filter(|id| status(id) == Some(JobStatus::Running)).count();
        for id in &self.strays {
            if let Err(error) = self.client.stop(id) {
                tracing::warn!(id, error = &error as &dyn Error, "cannot stop a job yet");
            }
        }
    }

    pub(super) fn fill(&mut self) -> Result<(), ExecutorError> {
        while self.silent.is_none() && self.in_flight() + self.working_strays < self.settings.slots {
            let Some(id) = self.queue.pop_front() else { break };
            self.post(&id)?;
        }
        Ok(())
    }

    /// Hands an attempt over, written down first; what is unsure afterwards the next list tells.
    fn post(&mut self, id: &str) -> Result<(), ExecutorError> {
        let Some(job) = self.jobs.get_mut(id) else { return Ok(()) };
        let unsuitable = |reason| ExecutorError::Unsuitable { job: id.to_owned(), reason };
        let submission = entry::submission(&self.settings, &job.record, &job.files).map_err(unsuitable)?;
        let again = job.record.session.replace(self.session.clone()).is_some();
        job.write()?;
        let said = match self.client.submit(&submission) {
            Ok(Submitted::Taken) => {
                job.record.confirmed = true;
                return job.write();
            }
            Ok(Submitted::Duplicate) => match self.client.job(&submission.submission_id) {
                Ok(Some(details)) => return job.confirm(&self.settings.run, &details),
                Ok(None) => "it refuses an id that it does not know".to_owned(),
                Err(error) => error.to_string(),
            },
            Err(error @ RayError::Refused { status: 400..500, .. }) => {
                return job.end(JobState::Failed(JobFailure::NotStarted(error.to_string())));
            }
            Err(error) if error.is_unsent() && !again => {
                job.record.session = None;
                job.write()?;
                self.queue.push_front(id.to_owned());
                return self.endure(&error);
            }
            Err(error) => {
                if matches!(error, RayError::Unreachable { .. }) {
                    self.endure(&error)?;
                }
                error.to_string()
            }
        };
        self.doubt(id, format!("whether Ray has it is unsure: {said}"))
    }

    /// Waits for a head that does not answer, but not for ever.
    fn endure(&mut self, error: &RayError) -> Result<(), ExecutorError> {
        let (since, said) = self.silent.get_or_insert_with(|| {
            tracing::warn!(error = error as &dyn Error, "Ray does not answer: waiting");
            (Instant::now(), error.to_string())
        });
        if since.elapsed() < self.settings.lost_after {
            return Ok(());
        }
        let said = said.clone();
        let ids: Vec<_> =
            self.jobs.iter().filter(|(_, job)| job.is_in_flight()).map(|(id, _)| id.clone()).collect();
        for id in ids {
            self.lose(&id, said.clone())?;
        }
        for id in std::mem::take(&mut self.queue) {
            if let Some(job) = self.jobs.get_mut(&id) {
                job.end(JobState::Failed(JobFailure::NotStarted(said.clone())))?;
            }
        }
        Ok(())
    }
}
