//! Brings logs and outputs back.

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use openssh::Session;

use crate::{ExecutorError, JobFailure, JobState};

use super::{
    SshExecutor,
    attempt::{Attempt, Key},
    drive::Event,
    node::NodeError,
    script,
    session::{self, FetchError},
};

/// How often copying one output may be cut short.
const MOST_CUTS: u32 = 20;

impl SshExecutor {
    /// Sends for the first output of the node that is ready, one at a time.
    pub(super) fn fetch(&mut self, index: usize, session: &Arc<Session>) {
        let Some(runtime) = &self.runtime else { return };
        let Some(attempt) = self.attempts.values().find(|a| a.link == index && a.outcome.is_some()) else {
            return;
        };
        let (key, entry, root) = (attempt.key(), attempt.entry.clone(), self.root.clone());
        let output = attempt.outcome == Some(JobState::Done);
        let link = &mut self.links[index];
        link.fetching = true;
        let (session, sender, generation) = (Arc::clone(session), self.sender.clone(), link.generation);
        runtime.spawn(async move {
            let result = session::fetch(session, entry, output, root).await;
            let _ = sender.send(Event::Fetched { link: index, generation, key, result });
        });
    }

    pub(super) fn fetched(&mut self, key: &Key, result: Result<(), FetchError>) {
        let Some(attempt) = self.attempts.get_mut(key) else { return };
        let Some(state) = attempt.outcome.clone() else { return };
        let why = match result {
            Ok(()) => return self.close(key, state),
            Err(FetchError::Connection(_)) if attempt.cuts < MOST_CUTS => {
                attempt.cuts += 1;
                return;
            }
            Err(FetchError::Connection(why) | FetchError::Final(why)) => why,
        };
        if state != JobState::Done {
            // Only the log is missing.
            tracing::warn!(job = key.0, why, "cannot copy the log of a job");
            return self.close(key, state);
        }
        // The journal leaves it open, so that submitting the job again copies it and does not run it again.
        attempt.write(&self.root);
        self.attempts.remove(key);
        if let Some(job) = self.jobs.get_mut(&key.0).filter(|job| job.number == key.1) {
            job.state = JobState::Failed(JobFailure::NotFetched(why));
        }
    }

    /// Reads the log of a running attempt from its node.
    pub(super) fn live_log(&self, attempt: &Attempt) -> Result<String, ExecutorError> {
        let link = &self.links[attempt.link];
        let job = &attempt.entry.spec.id;
        let failed = |source| ExecutorError::Node { job: job.clone(), source };
        let silent = |said: String| {
            let error = NodeError::Unreachable { node: link.node.label(), said };
            failed(link.error.clone().unwrap_or(error))
        };
        let (Some(runtime), Some(session)) = (&self.runtime, link.session.clone()) else {
            return Err(silent("not connected".to_owned()));
        };
        let (sender, receiver) = mpsc::channel();
        let (speak, within) = (script::log(&attempt.entry), self.options.answer_within);
        runtime.spawn(async move {
            let _ = sender.send(session::ask(&session, "", &speak, within).await);
        });
        let answer = receiver.recv_timeout(within + Duration::from_secs(1));
        let (log, _) = answer.map_err(|error| silent(error.to_string()))?.map_err(silent)?;
        Ok(String::from_utf8_lossy(&log).into_owned())
    }
}
