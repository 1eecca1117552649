//! Behaviour of the coordinator from outside.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail loudly")]

mod executors;
mod kill;
mod limits;
mod random;
mod ray;
mod runs;
mod schedules;
mod ssh;
mod sshd;
mod week;

use std::{fs, path::Path, sync::Arc, time::Duration};

use coordinator::{Limits, Output, Runner, TaskContext, TaskError};
use jiff::Timestamp;

/// A runner that does not wait between attempts.
fn runner(runs: &Path) -> Runner {
    let limits = Limits { backoff: Duration::ZERO, ..Limits::default() };
    Runner::new(runs, "night", || Timestamp::UNIX_EPOCH).limits(limits)
}

/// Writes a file into the task's folder and returns it as an output.
fn write_output(context: &TaskContext<'_>, name: &str, text: &str) -> Result<Output, TaskError> {
    let path = context.folder().join(name);
    fs::write(&path, text)?;
    Ok(Output::of_file(name, &path)?)
}

/// Counts calls from several threads.
type Count = Arc<std::sync::atomic::AtomicU32>;
