//! One attempt on a node: what is known of it, and what follows from what the node says.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::{JobFailure, JobState};

use super::{
    SshOptions,
    journal::Entry,
    script::{Seen, Wish},
};

/// A job's id and the number of the attempt.
pub(super) type Key = (String, u32);

#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) entry: Entry,
    /// Index of its node.
    pub(super) link: usize,
    /// The latest attempt of a job that was submitted here and has not ended.
    pub(super) owned: bool,
    /// The node is known to have heard of it.
    pub(super) confirmed: bool,
    /// Something new is wanted of it, which does not wait for the next look.
    pub(super) urgent: bool,
    pub(super) started: Instant,
    pub(super) stop: Option<Stop>,
    /// Since when it is about to start.
    pub(super) claimed: Option<Instant>,
    /// How it ended; its log and perhaps its output are still to be copied.
    pub(super) outcome: Option<JobState>,
    /// How often copying was cut short.
    pub(super) cuts: u32,
}

/// Somebody wants the attempt to end.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stop {
    /// When it was asked to.
    pub(super) asked: Option<Instant>,
}

/// What follows from a look at an attempt.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// It goes on.
    Wait,
    /// It is over; nothing is to be copied.
    Over(JobState),
    /// It is over; its log is to be copied, and its output if it is done.
    Fetch(JobState),
    /// Nobody will hear of it again, but it is not known to have ended.
    Lost(String),
}

impl Attempt {
    pub(super) fn new(entry: Entry, link: usize) -> Self {
        Self {
            entry,
            link,
            owned: true,
            confirmed: false,
            urgent: true,
            started: Instant::now(),
            stop: None,
            claimed: None,
            outcome: None,
            cuts: 0,
        }
    }

    /// An attempt of an earlier executor: to be watched, or to be stopped where it was given up.
    pub(super) fn left_over(entry: Entry, link: usize) -> Self {
        let stop = entry.ended.is_some().then(Stop::default);
        Self { owned: false, stop, ..Self::new(entry, link) }
    }

    pub(super) fn key(&self) -> Key {
        (self.entry.spec.id.clone(), self.entry.number)
    }

    /// Writes the journal. What is lost with a failure is only that an end is known, and that can be seen again.
    pub(super) fn write(&self, root: &Path) {
        if let Err(error) = self.entry.write(root) {
            tracing::warn!(job = self.entry.spec.id, %error, "cannot write the journal");
        }
    }

    /// Says what the next round does with it.
    pub(super) fn wish(&mut self, options: &SshOptions) -> Wish {
        let Some(stop) = &mut self.stop else {
            let start = self.owned && !self.confirmed && !self.entry.free;
            return if start { Wish::Start } else { Wish::Look };
        };
        let asked = *stop.asked.get_or_insert_with(Instant::now);
        if asked.elapsed() >= options.kill_after { Wish::Kill } else { Wish::Terminate }
    }

    /// Tells whether it has been at work for longer than it may.
    pub(super) fn is_over_time(&self) -> bool {
        self.owned
            && self.stop.is_none()
            && self.outcome.is_none()
            && self.started.elapsed() >= self.entry.spec.timeout
    }

    /// Draws the conclusion from what the node says.
    pub(super) fn judge(&mut self, seen: Seen, lost_after: Duration) -> Next {
        // An attempt that is owned although it is to stop is over its time.
        let stopped = self.stop.map(|_| JobState::Failed(JobFailure::TimedOut));
        let node = &self.entry.node;
        match seen {
            Seen::Absent if self.confirmed || (self.owned && self.entry.free) => {
                Next::Over(lost(format!("node {node} has no trace of it any more")))
            }
            Seen::Absent if !self.owned && self.stop.is_none() => {
                Next::Lost(format!("it was never started on node {node}"))
            }
            Seen::Absent => Next::Wait,
            Seen::Alive => {
                self.confirmed = true;
                Next::Wait
            }
            Seen::Claimed => {
                self.confirmed = true;
                if self.claimed.get_or_insert_with(Instant::now).elapsed() < lost_after {
                    return Next::Wait;
                }
                Next::Lost(format!("node {node} was about to start it, and went no further"))
            }
            Seen::Exit { code, done } => match (code, done) {
                (0, true) => Next::Fetch(JobState::Done),
                _ if stopped.is_some() => Next::Fetch(stopped.unwrap_or(JobState::Cancelled)),
                (0, false) => Next::Fetch(JobState::Failed(JobFailure::NoMarker)),
                _ => Next::Fetch(JobState::Failed(JobFailure::Exit(Some(code)))),
            },
            Seen::Refused(why) => Next::Over(JobState::Failed(JobFailure::NotStarted(why))),
            Seen::Never => Next::Over(stopped.unwrap_or(JobState::Cancelled)),
            Seen::Gone => Next::Fetch(stopped.unwrap_or_else(|| {
                lost(format!(
                    "its process on node {node} is gone without an exit code: killed, or the node restarted"
                ))
            })),
        }
    }
}

fn lost(why: String) -> JobState {
    JobState::Failed(JobFailure::Lost(why))
}

#[cfg(test)]
mod tests {
    use super::{super::journal::example, *};

    const PATIENT: Duration = Duration::from_hours(1);

    fn attempt() -> Attempt {
        Attempt { confirmed: true, ..Attempt::new(example(), 0) }
    }

    #[test]
    fn a_job_that_left_no_exit_code_is_lost_and_not_failed() {
        for seen in [Seen::Gone, Seen::Absent] {
            let next = attempt().judge(seen, PATIENT);
            let (Next::Fetch(state) | Next::Over(state)) = next else { panic!("{next:?}") };
            assert!(matches!(state, JobState::Failed(JobFailure::Lost(_))));
        }
        assert_eq!(attempt().judge(Seen::Claimed, PATIENT), Next::Wait);
        assert!(matches!(attempt().judge(Seen::Claimed, Duration::ZERO), Next::Lost(_)));
    }

    #[test]
    fn a_job_that_was_stopped_in_vain_because_it_was_done_is_done() {
        let stopped = || Attempt { stop: Some(Stop::default()), ..attempt() };
        let timed_out = Next::Fetch(JobState::Failed(JobFailure::TimedOut));
        assert_eq!(stopped().judge(Seen::Gone, PATIENT), timed_out);
        assert_eq!(stopped().judge(Seen::Exit { code: 143, done: false }, PATIENT), timed_out);
        assert_eq!(stopped().judge(Seen::Exit { code: 0, done: true }, PATIENT), Next::Fetch(JobState::Done));
    }

    #[test]
    fn what_is_asked_to_end_is_killed_only_later() {
        let mut attempt = Attempt { confirmed: false, ..attempt() };
        let options = SshOptions { kill_after: PATIENT, ..SshOptions::default() };
        assert_eq!(attempt.wish(&options), Wish::Start);
        attempt.stop = Some(Stop::default());
        assert_eq!(attempt.wish(&options), Wish::Terminate);
        let options = SshOptions { kill_after: Duration::ZERO, ..options };
        assert_eq!(attempt.wish(&options), Wish::Kill);
        attempt.stop = None;
        attempt.owned = false;
        assert_eq!(attempt.wish(&options), Wish::Look);
    }
}
