//! How a command ends: exit codes of the contract.

use std::process::ExitCode;

/// How a command that did not fail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// Everything asked for is there.
    Done,
    /// The answer is no: a check did not hold.
    Failed,
    /// Some of it is missing; what, was listed.
    Partial,
}

/// Wrong usage or configuration: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// Returns 0 done, 1 failed, 2 wrong usage or configuration, 3 done in part.
pub(crate) fn code(ended: &anyhow::Result<Status>) -> ExitCode {
    ExitCode::from(match ended {
        Ok(Status::Done) => 0,
        Ok(Status::Partial) => 3,
        Err(error) if error.is::<Usage>() => 2,
        Ok(Status::Failed) | Err(_) => 1,
    })
}
