//! How a job runs elsewhere than in this process: a small trait, so that this machine, a node reached by ssh and a
//! cluster look alike.
//!
//! A job succeeded when it ended well *and* left a `.done` marker in its output folder, which belongs to one
//! attempt alone. What it printed proves nothing.
//!
//! # Example
//! ```
//! use coordinator::{Executor, JobSpec, JobState, LocalExecutor};
//! let root = std::env::temp_dir().join(format!("coordinator-executor-{}", std::process::id()));
//! let mut executor = LocalExecutor::new(&root, 2);
//! executor.submit(JobSpec::new("trial-1", "sh").args(["-c", "echo hello > {output}/.done"])).unwrap();
//! while !executor.poll("trial-1").unwrap().is_final() {
//!     std::thread::sleep(std::time::Duration::from_millis(5));
//! }
//! assert_eq!(executor.poll("trial-1").unwrap(), JobState::Done);
//! # std::fs::remove_dir_all(&root).unwrap();
//! ```

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::PlanError;

/// Stands for the attempt's output folder in arguments and environment values.
pub const OUTPUT: &str = "{output}";

/// A program to be run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobSpec {
    /// The job's id; names its folder, by the rules of task ids.
    pub id: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments; [`OUTPUT`] in them becomes the output folder.
    pub args: Vec<String>,
    /// Variables added to the environment; [`OUTPUT`] as above. No secrets: executors may write them down.
    pub env: BTreeMap<String, String>,
    /// Where it starts; this process's folder when absent.
    pub working_folder: Option<PathBuf>,
    /// How long it may take from its start.
    pub timeout: Duration,
    /// What it wants of the machine that it runs on.
    #[serde(default)]
    pub resources: Resources,
}

/// What a job wants for itself; executors that cannot share out a resource run so many jobs as they have slots.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Resources {
    /// Cores, or parts of one; none leaves it to the executor.
    pub cpus: Option<f64>,
    /// Whole GPUs.
    pub gpus: u32,
    /// Most bytes of memory; none for no limit.
    pub memory: Option<u64>,
}

impl JobSpec {
    /// Builds a job without arguments that may take an hour.
    pub fn new(id: impl Into<String>, program: impl AsRef<Path>) -> Self {
        Self {
            id: id.into(),
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: BTreeMap::new(),
            working_folder: None,
            timeout: Duration::from_hours(1),
            resources: Resources::default(),
        }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds a variable to the environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Replaces what it wants of the machine.
    #[must_use]
    pub fn resources(mut self, resources: Resources) -> Self {
        self.resources = resources;
        self
    }

    /// Replaces the time limit.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for a free slot.
    Queued,
    /// Works.
    Running,
    /// Ended well and left its marker.
    Done,
    /// Did not.
    Failed(JobFailure),
    /// Stopped because somebody asked.
    Cancelled,
}

impl JobState {
    /// Tells whether nothing more happens to the attempt.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// Why an attempt of a job failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JobFailure {
    /// The program could not be started.
    #[error("the program could not be started: {0}")]
    NotStarted(String),
    /// It ended with another code than 0, or by a signal (none).
    #[error("the program ended with {}", .0.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}")))]
    Exit(Option<i32>),
    /// It took longer than it may, and was stopped with all its children.
    #[error("the program was stopped at its time limit")]
    TimedOut,
    /// Nothing is heard of it any more: its node is gone, or cannot be reached.
    #[error("nothing is heard of the job any more: {0}")]
    Lost(String),
    /// It succeeded elsewhere, but its output could not be copied to this machine.
    #[error("the job succeeded, but its output could not be copied back: {0}")]
    NotFetched(String),
    /// It ended with exit code 0, but left no `.done` in its output folder.
    #[error("the program ended with exit code 0 but left no `.done` in its output folder")]
    NoMarker,
}

/// Why an executor could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutorError {
    /// The id cannot name a folder.
    #[error("cannot submit a job under that name")]
    InvalidId(#[source] PlanError),
    /// An attempt of the job is still queued or running.
    #[error("job `{0}` is already in flight: wait for it or cancel it first")]
    InFlight(String),
    /// No job of that id was submitted here.
    #[error("no job `{0}` was submitted to this executor")]
    Unknown(String),
    /// No slot could ever take the job.
    #[error("no slot can take job `{job}`: {reason}")]
    NoSlot {
        /// The job.
        job: String,
        /// What it wants and what there is.
        reason: String,
    },
    /// The node that the job is on could not be asked.
    #[error("cannot ask for job `{job}`")]
    Node {
        /// The job.
        job: String,
        /// Why not.
        #[source]
        source: crate::NodeError,
    },
    /// The job cannot be handed to what runs the jobs.
    #[error("job `{job}` cannot be run there: {reason}")]
    Unsuitable {
        /// The job.
        job: String,
        /// What is in the way.
        reason: String,
    },
    /// The job's files could not be read or written.
    #[error("cannot keep the files of job `{job}` at {}", path.display())]
    File {
        /// The job.
        job: String,
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

/// Runs jobs somewhere, at most so many at once.
///
/// # Contract
/// - A job is queued until a slot is free; submission order is kept.
/// - Each attempt has an output folder of its own, so that an attempt thought dead cannot spoil the next.
/// - `poll` drives: nothing is started, timed out or noticed between calls.
/// - Dropping the executor stops what it started, or leaves it to its successor; each says which.
pub trait Executor: Send {
    /// Queues a new attempt of the job.
    fn submit(&mut self, job: JobSpec) -> Result<(), ExecutorError>;

    /// Returns where the job's latest attempt stands.
    fn poll(&mut self, id: &str) -> Result<JobState, ExecutorError>;

    /// Stops the job with all its children; nothing happens to one that has ended.
    fn cancel(&mut self, id: &str) -> Result<(), ExecutorError>;

    /// Returns what the latest attempt wrote to both of its output streams.
    fn logs(&self, id: &str) -> Result<String, ExecutorError>;

    /// Returns the output folder of the latest attempt, on this machine.
    fn output(&self, id: &str) -> Result<PathBuf, ExecutorError>;
}
