//! What a task gets, what it hands back, and how it fails.
//!
//! # Example
//! ```
//! use coordinator::{TaskError, TaskOutput};
//! fn work() -> Result<TaskOutput, TaskError> {
//!     let rows: u32 = "12".parse()?; // any error turns into a `TaskError`
//!     Ok(TaskOutput::new(format!("{rows} rows")).fact("rows", rows))
//! }
//! assert_eq!(work().unwrap().summary, "12 rows");
//! ```

use std::{
    collections::BTreeMap,
    error::Error,
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::TaskRecord;

/// Something a task made, with the hash by which it is found unchanged later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Name by which the task declared it.
    pub name: String,
    /// A path or a key of a store; only the verifier needs to understand it.
    pub location: String,
    /// sha256 of its bytes, hexadecimal.
    pub sha256: String,
}

impl Output {
    /// Builds an output whose hash the caller knows.
    pub fn new(name: impl Into<String>, location: impl Into<String>, sha256: impl Into<String>) -> Self {
        Self { name: name.into(), location: location.into(), sha256: sha256.into() }
    }

    /// Builds an output from `bytes` that stand at `location`.
    pub fn of_bytes(name: impl Into<String>, location: impl Into<String>, bytes: &[u8]) -> Self {
        Self::new(name, location, hex_sha256(bytes))
    }

    /// Reads and hashes a file.
    pub fn of_file(name: impl Into<String>, path: &Path) -> std::io::Result<Self> {
        Ok(Self::of_bytes(name, path.to_string_lossy(), &std::fs::read(path)?))
    }

    /// Tells whether `location` is a file of this machine with the same bytes.
    pub fn file_is_unchanged(&self) -> bool {
        std::fs::read(&self.location).is_ok_and(|bytes| hex_sha256(&bytes) == self.sha256)
    }
}

/// Returns the sha256 of `bytes` in lower-case hexadecimal.
pub(crate) fn hex_sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

/// What a task hands back when it succeeded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskOutput {
    /// What it made; every declared output must be among them.
    pub outputs: Vec<Output>,
    /// One line for the hand-off.
    pub summary: String,
    /// Key facts for tasks that follow; part of what decides whether those run again, so no durations here.
    pub facts: BTreeMap<String, serde_json::Value>,
}

impl TaskOutput {
    /// Builds an answer that has a summary only.
    pub fn new(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), ..Self::default() }
    }

    /// Adds an output.
    #[must_use]
    pub fn output(mut self, output: Output) -> Self {
        self.outputs.push(output);
        self
    }

    /// Adds a key fact.
    #[must_use]
    pub fn fact(mut self, name: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
        self.facts.insert(name.into(), value.into());
        self
    }
}

/// Why a task failed.
///
/// Like `anyhow::Error` it is no [`Error`] itself, so that `?` takes every error.
#[derive(Debug)]
pub struct TaskError {
    source: Box<dyn Error + Send + Sync>,
    permanent: bool,
}

impl TaskError {
    /// Builds a failure that may pass when the task is tried again.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: source.into(), permanent: false }
    }

    /// Builds a failure that trying again cannot cure.
    pub fn permanent(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: source.into(), permanent: true }
    }

    /// Tells whether trying again is pointless.
    pub fn is_permanent(&self) -> bool {
        self.permanent
    }

    /// Returns the messages of the error and its causes, outermost first.
    pub fn chain(&self) -> Vec<String> {
        let mut chain = Vec::new();
        let mut next: Option<&(dyn Error + 'static)> = Some(self.source.as_ref());
        while let Some(error) = next {
            chain.push(error.to_string());
            next = error.source();
        }
        chain
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chain().join(": "))
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for TaskError {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

/// A request to stop, shared between who asks and who works; once raised it stays.
#[derive(Debug, Clone, Default)]
pub struct CancelFlag(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    raised: AtomicBool,
    parent: Option<CancelFlag>,
}

impl CancelFlag {
    /// Builds a flag of its own that is raised with this one too.
    #[must_use]
    pub fn child(&self) -> Self {
        Self(Arc::new(Flag { raised: AtomicBool::new(false), parent: Some(self.clone()) }))
    }

    /// Asks to stop.
    pub fn raise(&self) {
        self.0.raised.store(true, Ordering::SeqCst);
    }

    /// Tells whether somebody asked to stop.
    pub fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::SeqCst) || self.0.parent.as_ref().is_some_and(Self::is_raised)
    }
}

/// What a task gets to know while it works.
pub struct TaskContext<'a> {
    pub(crate) folder: PathBuf,
    pub(crate) run_folder: &'a Path,
    pub(crate) attempt: u32,
    pub(crate) earlier: BTreeMap<String, TaskRecord>,
    pub(crate) cancel: &'a CancelFlag,
    pub(crate) log: &'a dyn Fn(&str),
}

impl TaskContext<'_> {
    /// Returns the run's folder.
    pub fn run_folder(&self) -> &Path {
        self.run_folder
    }

    /// Returns this task's own folder in the run; it exists, and may hold what an earlier attempt left.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns which attempt this is, from 1, counted over all sessions of the run.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Writes a line to the task's log and to whoever watches.
    pub fn log(&self, line: &str) {
        (self.log)(line);
    }

    /// Tells whether the task should stop at its next convenience.
    pub fn cancelled(&self) -> bool {
        self.cancel.is_raised()
    }

    /// Returns the flag behind [`cancelled`](Self::cancelled), for code that must own one.
    pub fn cancel_flag(&self) -> CancelFlag {
        self.cancel.clone()
    }

    /// Returns the record of a task that this one declared in `needs` or `after`.
    ///
    /// A record that is not `Done` (possible for `after` only) carries the evidence why.
    pub fn earlier(&self, task: &str) -> Option<&TaskRecord> {
        self.earlier.get(task)
    }
}

impl fmt::Debug for TaskContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskContext")
            .field("folder", &self.folder)
            .field("attempt", &self.attempt)
            .finish_non_exhaustive()
    }
}
