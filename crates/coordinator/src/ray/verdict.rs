//! What Ray's word on a job is worth.

use super::{
    client::gist,
    entry::{CANCELLED, REASON, REFUSED},
    wire::{JobDetails, JobStatus},
};
use crate::{JobFailure, JobState};

/// What follows from what Ray says and from the marker.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has not been started.
    Waits,
    /// It works.
    Works,
    /// It ended so.
    Ended(JobState),
    /// Ray has given it up for this reason, but it may work on and end well.
    Doubtful(String),
    /// Ray never found a node for it; otherwise as above.
    Homeless(String),
}

/// Judges an attempt; `marked` tells whether its own marker is there.
pub(super) fn judge(details: &JobDetails, marked: bool) -> Verdict {
    match details.status {
        JobStatus::Pending => Verdict::Waits,
        JobStatus::Running => Verdict::Works,
        JobStatus::Stopped => Verdict::Ended(JobState::Cancelled),
        JobStatus::Succeeded if marked => Verdict::Ended(JobState::Done),
        JobStatus::Succeeded => Verdict::Ended(JobState::Failed(JobFailure::NoMarker)),
        JobStatus::Failed => judge_failed(details, marked),
    }
}

fn judge_failed(details: &JobDetails, marked: bool) -> Verdict {
    let message = details.message.as_deref().unwrap_or_default();
    let kind = details.error_type.as_deref().unwrap_or("no reason given");
    let reason = || format!("{kind}: {}", gist(message));
    match kind {
        "JOB_ENTRYPOINT_COMMAND_ERROR" => Verdict::Ended(exit(details.driver_exit_code, message)),
        // The marker is written last, so nothing is left to wait for.
        _ if marked => Verdict::Ended(JobState::Done),
        // Ray stumbles over its own verdict when a job that it gave up ends.
        "JOB_ENTRYPOINT_COMMAND_START_ERROR" if message.contains("from a terminal state") => {
            Verdict::Doubtful(reason())
        }
        // Both come before anything of the job could start.
        "RUNTIME_ENV_SETUP_FAILURE" | "JOB_ENTRYPOINT_COMMAND_START_ERROR" => {
            Verdict::Ended(JobState::Failed(JobFailure::NotStarted(reason())))
        }
        "JOB_SUPERVISOR_ACTOR_START_TIMEOUT" | "JOB_SUPERVISOR_ACTOR_UNSCHEDULABLE" => {
            Verdict::Homeless(reason())
        }
        _ => Verdict::Doubtful(reason()),
    }
}

fn exit(code: Option<i32>, message: &str) -> JobState {
    let refusal = message.lines().find_map(|line| line.strip_prefix(REASON));
    match (code, refusal) {
        (Some(REFUSED), Some(CANCELLED)) => JobState::Cancelled,
        (Some(REFUSED), Some(reason)) => JobState::Failed(JobFailure::NotStarted(reason.to_owned())),
        // Python's way to say that a signal ended it.
        (Some(code), _) if code < 0 => JobState::Failed(JobFailure::Exit(None)),
        (code, _) => JobState::Failed(JobFailure::Exit(code)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(status: &str, error: &str, code: i32, message: &str) -> JobDetails {
        let text = serde_json::json!({"type": "SUBMISSION", "submission_id": "s1-a-a1", "status": status,
            "entrypoint": "", "message": message, "error_type": error, "driver_exit_code": code});
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn a_marker_counts_only_with_an_end_and_an_end_only_with_a_marker() {
        let succeeded = details("SUCCEEDED", "", 0, "");
        assert_eq!(judge(&succeeded, true), Verdict::Ended(JobState::Done));
        assert_eq!(judge(&succeeded, false), Verdict::Ended(JobState::Failed(JobFailure::NoMarker)));
        assert_eq!(judge(&details("RUNNING", "", 0, ""), true), Verdict::Works);
        let code = details("FAILED", "JOB_ENTRYPOINT_COMMAND_ERROR", 3, "");
        assert_eq!(judge(&code, true), Verdict::Ended(JobState::Failed(JobFailure::Exit(Some(3)))));
    }

    #[test]
    fn a_job_that_ray_gave_up_may_still_have_ended_well() {
        let died =
            details("FAILED", "JOB_SUPERVISOR_ACTOR_DIED", 0, "Traceback\nActorDiedError: node died\n");
        let reason = "JOB_SUPERVISOR_ACTOR_DIED: ActorDiedError: node died".to_owned();
        assert_eq!(judge(&died, false), Verdict::Doubtful(reason));
        assert_eq!(judge(&died, true), Verdict::Ended(JobState::Done));
    }

    #[test]
    fn ray_may_stumble_over_its_own_verdict() {
        let kind = "JOB_ENTRYPOINT_COMMAND_START_ERROR";
        let said = "RuntimeError: Attempted to change job status from a terminal state: FAILED -> SUCCEEDED";
        let stumbled = details("FAILED", kind, 0, said);
        assert_eq!(judge(&stumbled, true), Verdict::Ended(JobState::Done));
        assert!(matches!(judge(&stumbled, false), Verdict::Doubtful(_)));
        let no_shell = judge(&details("FAILED", kind, 0, "FileNotFoundError: bash"), false);
        assert!(
            matches!(no_shell, Verdict::Ended(JobState::Failed(JobFailure::NotStarted(_)))),
            "{no_shell:?}"
        );
    }

    #[test]
    fn only_our_own_word_in_rays_log_is_a_refusal() {
        let said = "last available logs:\nINFO Running entrypoint: echo \"not started: $1\"\n\nnot started: no folder\n";
        let refused = details("FAILED", "JOB_ENTRYPOINT_COMMAND_ERROR", 125, said);
        let not_started = JobState::Failed(JobFailure::NotStarted("no folder".to_owned()));
        assert_eq!(judge(&refused, false), Verdict::Ended(not_started));
        let own = details("FAILED", "JOB_ENTRYPOINT_COMMAND_ERROR", 125, "");
        assert_eq!(judge(&own, false), Verdict::Ended(JobState::Failed(JobFailure::Exit(Some(125)))));
        let killed = details("FAILED", "JOB_ENTRYPOINT_COMMAND_ERROR", -9, "");
        assert_eq!(judge(&killed, false), Verdict::Ended(JobState::Failed(JobFailure::Exit(None))));
    }
}
