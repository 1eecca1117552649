//! A job of the schedule as a process group of its own, so that one that dies takes nothing along.

use std::{
    ffi::OsString,
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
};

use coordinator::{Ending, Outcome, Turn};
use rustix::process::{Pid, Signal, kill_process_group};

/// Runs this program again with `command`. Asked to stop, it passes the wish on and waits; dropped, it kills the group.
pub(super) async fn run_self(flags: Vec<OsString>, command: &str, turn: &Turn) -> Outcome {
    match watch_over(flags, command, turn).await {
        Ok((status, asked)) => judge(status, asked),
        Err(error) => Outcome::other(Ending::Failed, format!("it could not be started: {error}")),
    }
}

async fn watch_over(flags: Vec<OsString>, command: &str, turn: &Turn) -> std::io::Result<(ExitStatus, bool)> {
    let mut process = tokio::process::Command::new(std::env::current_exe()?);
    process.args(flags).arg(command).stdin(Stdio::null()).process_group(0).kill_on_drop(true);
    let mut child = process.spawn()?;
    let mut group = Group(child.id().and_then(|id| Pid::from_raw(id.cast_signed())));
    let ended = tokio::select! {
        status = child.wait() => Some(status?),
        () = turn.asked_to_stop() => None,
    };
    let status = if let Some(status) = ended {
        status
    } else {
        group.send(Signal::TERM);
        child.wait().await?
    };
    // Reaped: its number may soon be another's.
    group.0 = None;
    Ok((status, ended.is_none()))
}

/// A process group whose head is not reaped yet; killed when dropped.
struct Group(Option<Pid>);

impl Group {
    fn send(&self, signal: Signal) {
        let Some(group) = self.0 else { return };
        if let Err(error) = kill_process_group(group, signal) {
            tracing::warn!(%error, "cannot signal a job");
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.send(Signal::KILL);
    }
}

/// A job that was asked to stop and did not end well is owed; what it did by itself is its own affair.
fn judge(status: ExitStatus, was_asked: bool) -> Outcome {
    let detail = match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("ended by signal {signal}"),
        (None, None) => "ended without a word".to_owned(),
    };
    match status.code() {
        Some(0) => Outcome::done(),
        _ if was_asked => Outcome::other(Ending::Stopped, detail),
        Some(3) => Outcome::other(Ending::Partial, detail),
        _ => Outcome::other(Ending::Failed, detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_job_that_was_asked_is_stopped() {
        for (status, was_asked, ending, detail) in [
            (0, false, Ending::Done, ""),
            (0, true, Ending::Done, ""),
            (3 << 8, false, Ending::Partial, "exit code 3"),
            (3 << 8, true, Ending::Stopped, "exit code 3"),
            (1 << 8, false, Ending::Failed, "exit code 1"),
            (9, false, Ending::Failed, "ended by signal 9"),
            (15, true, Ending::Stopped, "ended by signal 15"),
        ] {
            let outcome = judge(ExitStatus::from_raw(status), was_asked);
            assert_eq!(outcome, Outcome::other(ending, detail));
        }
    }
}
