//! Jobs on other machines, reached by ssh: one at a time per slot, which is one GPU of a node or the node itself.
//!
//! ```text
//! here    <root>/<job>/attempt-1/              output folder, empty until the whole of it is copied back
//!         <root>/<job>/attempt-1.log           what the job wrote to stdout and stderr
//!         <root>/<job>/attempt-1.json          journal: what was started where
//! node    <folder>/<job>/attempt-1/            output folder; `{output}` in arguments and environment
//!         <folder>/<job>/attempt-1.log         the log
//!         <folder>/<job>/attempt-1.<token>/    state: script, pid, exit code
//! ```
//!
//! A job runs detached from every connection, so a cut one neither ends nor loses it. Whoever makes the state folder
//! may start the attempt, so starting it twice starts it once. An executor on the root of one that was killed adopts
//! the attempts that still run, or ended meanwhile: see [`submit`](SshExecutor::submit_on).
//!
//! The node needs a POSIX shell with its usual tools, `setsid` and `tar`. Host keys must be known beforehand.
//!
//! # Example
//! ```no_run
//! use coordinator::{Executor, JobSpec, Node, Placement, SshExecutor};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let nodes = [Node::new("gpu-1", "/srv/work").gpus([0, 1]), Node::new("user@10.0.0.7", "/srv/work").port(2222)];
//! let mut executor = SshExecutor::new("jobs", nodes)?;
//! executor.submit(JobSpec::new("trial-1", "trial").args(["--out", "{output}"]))?;
//! executor.submit_on(JobSpec::new("trial-2", "trial"), Placement::node("gpu-1").gpu(1))?;
//! while !executor.poll("trial-1")?.is_final() {
//!     std::thread::sleep(std::time::Duration::from_millis(100));
//! }
//! executor.detach(); // trial-2 goes on; a later executor on `jobs` that is given the same job adopts it
//! # Ok(())
//! # }
//! ```

mod attempt;
mod drive;
mod fetch;
mod journal;
mod link;
mod node;
mod script;
mod session;

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, Sender},
    time::{Duration, Instant},
};

use tokio::runtime::Runtime;

pub use node::{Node, NodeError, NodeState, Placement};

use crate::{Executor, ExecutorError, JobFailure, JobSpec, JobState, local::new_attempt, plan::check_id};
use attempt::{Attempt, Key, Stop};
use drive::Event;
use journal::Entry;
use link::Link;

/// Times that an [`SshExecutor`] keeps to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SshOptions {
    /// Pause between two looks at a node, which each read the states of all its jobs.
    pub poll_every: Duration,
    /// How long a node may be silent before its jobs are given up as lost.
    pub lost_after: Duration,
    /// How long a connection may take.
    pub connect_within: Duration,
    /// How long a node may take for an answer.
    pub answer_within: Duration,
    /// Longest pause between two tries to reach a node.
    pub longest_pause: Duration,
    /// How long a job may take to end politely before it is killed.
    pub kill_after: Duration,
    /// How long dropping the executor may take to stop what it started.
    pub stop_within: Duration,
}

impl Default for SshOptions {
    fn default() -> Self {
        Self {
            poll_every: Duration::from_millis(500),
            lost_after: Duration::from_mins(5),
            connect_within: Duration::from_secs(15),
            answer_within: Duration::from_secs(30),
            longest_pause: Duration::from_secs(30),
            kill_after: Duration::from_secs(5),
            stop_within: Duration::from_secs(10),
        }
    }
}

/// Why an [`SshExecutor`] could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SshError {
    /// A node cannot be used as it is described.
    #[error("node {node}: {reason}")]
    InvalidNode {
        /// The node's label.
        node: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Another executor works on the root.
    #[error("another executor works in {}: wait for it to end, or stop it", .0.display())]
    InUse(PathBuf),
    /// The root or its journal could not be read or written.
    #[error("cannot use {} as the root of an executor", path.display())]
    Root {
        /// The root.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Runs jobs on nodes that are reached by ssh.
///
/// Nothing waits for the network except [`logs`](Executor::logs) of a running job, and dropping the executor, which
/// takes at most [`SshOptions::stop_within`].
#[derive(Debug)]
pub struct SshExecutor {
    root: PathBuf,
    options: SshOptions,
    links: Vec<Link>,
    /// What may still be running somewhere, or is on its way back.
    attempts: BTreeMap<Key, Attempt>,
    jobs: BTreeMap<String, Job>,
    /// Queued jobs, first come first served.
    queue: Vec<String>,
    sender: Sender<Event>,
    events: Receiver<Event>,
    /// None only while it is dropped.
    runtime: Option<Runtime>,
    detached: bool,
    _lock: File,
}

#[derive(Debug)]
struct Job {
    spec: JobSpec,
    placement: Placement,
    number: u32,
    output: PathBuf,
    state: JobState,
    queued_at: Instant,
}

impl SshExecutor {
    /// Builds an executor that keeps its files under `root`, with the default times.
    pub fn new(root: impl AsRef<Path>, nodes: impl IntoIterator<Item = Node>) -> Result<Self, SshError> {
        Self::with_options(root, nodes, SshOptions::default())
    }

    /// Builds an executor that keeps its files under `root`.
    ///
    /// Attempts that an earlier executor left there keep their slots until they end; those that it had given up are
    /// stopped as soon as their nodes answer.
    ///
    /// # Errors
    /// [`SshError::InUse`] while another executor works on `root`.
    pub fn with_options(
        root: impl AsRef<Path>,
        nodes: impl IntoIterator<Item = Node>,
        options: SshOptions,
    ) -> Result<Self, SshError> {
        let links = links(nodes)?;
        let root = root.as_ref();
        let failed = |source| SshError::Root { path: root.to_owned(), source };
        fs::create_dir_all(root).map_err(failed)?;
        let root = root.canonicalize().map_err(failed)?;
        let lock = File::create(root.join(".ssh.lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SshError::InUse(root)),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).thread_name("ssh").enable_all().build().map_err(failed)?;
        let (sender, events) = mpsc::channel();
        let mut attempts = BTreeMap::new();
        for entry in journal::all(&root).map_err(failed)? {
            if !entry.free
                && let Some(link) = links.iter().position(|link| link.keeps(&entry))
            {
                let attempt = Attempt::left_over(entry, link);
                attempts.insert(attempt.key(), attempt);
            }
        }
        Ok(Self {
            root,
            options,
            links,
            attempts,
            jobs: BTreeMap::new(),
            queue: Vec::new(),
            sender,
            events,
            runtime: Some(runtime),
            detached: false,
            _lock: lock,
        })
    }

    /// Queues a new attempt of the job for the slots that `placement` allows.
    ///
    /// If the job's last attempt was left running by an earlier executor, or ended while nobody looked, and was asked
    /// for with the same program, arguments, environment and folder, then that attempt is adopted instead, wherever
    /// it is. One that was asked for otherwise is stopped.
    ///
    /// # Errors
    /// [`ExecutorError::NoSlot`] when no slot could ever take the job.
    pub fn submit_on(&mut self, spec: JobSpec, placement: Placement) -> Result<(), ExecutorError> {
        check_id(&spec.id).map_err(ExecutorError::InvalidId)?;
        self.advance();
        let id = spec.id.clone();
        if self.jobs.get(&id).is_some_and(|job| !job.state.is_final()) {
            return Err(ExecutorError::InFlight(id));
        }
        if let Some(reason) = self.misfit(&spec, &placement) {
            return Err(ExecutorError::NoSlot { job: id, reason });
        }
        let folder = self.root.join(&id);
        let failed = |source| ExecutorError::File { job: id.clone(), path: folder.clone(), source };
        let last = journal::last(&self.root, &id).map_err(failed)?;
        let queued_at = Instant::now();
        if let Some(number) = last.and_then(|entry| self.adopt(entry, &spec)) {
            let output = folder.join(format!("attempt-{number}"));
            let job = Job { spec, placement, number, output, state: JobState::Running, queued_at };
            self.jobs.insert(id, job);
        } else {
            let (number, output) = new_attempt(&folder).map_err(failed)?;
            let mut job = Job { spec, placement, number, output, state: JobState::Queued, queued_at };
            if let Some(reason) = script::unfit(&job.spec) {
                job.state = JobState::Failed(JobFailure::NotStarted(reason));
            } else {
                self.queue.push(id.clone());
            }
            self.jobs.insert(id, job);
        }
        self.advance();
        Ok(())
    }

    /// Returns the state of each node by its label, as of the last call that drove the executor.
    pub fn nodes(&self) -> Vec<(String, NodeState)> {
        self.links.iter().map(|link| (link.node.label(), link.state())).collect()
    }

    /// Returns the label of the node that a running job is on, with its GPU.
    pub fn placed(&self, id: &str) -> Result<Option<(String, Option<u32>)>, ExecutorError> {
        let job = self.job(id)?;
        let attempt = self.attempts.get(&(id.to_owned(), job.number));
        Ok(attempt.map(|attempt| (attempt.entry.node.clone(), attempt.entry.gpu)))
    }

    /// Lets go of the executor, but leaves its running jobs to an executor that comes later; queued ones are dropped.
    pub fn detach(mut self) {
        self.detached = true;
    }

    fn job(&self, id: &str) -> Result<&Job, ExecutorError> {
        self.jobs.get(id).ok_or_else(|| ExecutorError::Unknown(id.to_owned()))
    }

    /// Tells why no slot could ever take the job, if so.
    fn misfit(&self, spec: &JobSpec, placement: &Placement) -> Option<String> {
        let slots = || self.links.iter().flat_map(|link| link.slots().map(move |gpu| (&link.node, gpu)));
        if !slots().any(|(node, gpu)| placement.allows(node, gpu)) {
            let known: Vec<_> = slots().map(|(node, gpu)| format!("{} {gpu:?}", node.label())).collect();
            return Some(format!("no node and GPU is {placement:?}; there are: {}", known.join(", ")));
        }
        if slots().any(|(node, gpu)| placement.allows(node, gpu) && has_room(spec, gpu)) {
            return None;
        }
        Some(format!(
            "it wants {} GPUs, and a slot has one at most: see the nodes' `gpus`",
            spec.resources.gpus
        ))
    }

    /// Takes the attempt over if it may still run, or ended while nobody looked; returns its number.
    fn adopt(&mut self, entry: Entry, spec: &JobSpec) -> Option<u32> {
        if entry.ended.is_some() {
            return None;
        }
        let Some(link) = self.links.iter().position(|link| link.keeps(&entry)) else {
            tracing::warn!(
                job = spec.id,
                node = entry.node,
                "an attempt may still run on a node that is not listed"
            );
            return None;
        };
        let key = (spec.id.clone(), entry.number);
        let age = journal::age(&self.root, &entry);
        let attempt = self.attempts.entry(key.clone()).or_insert_with(|| Attempt::left_over(entry, link));
        if !attempt.entry.is_of(spec) {
            self.give_up(&key, JobState::Cancelled);
            return None;
        }
        attempt.owned = true;
        attempt.urgent = true;
        attempt.entry.spec = spec.clone();
        attempt.started = Instant::now().checked_sub(age).unwrap_or_else(Instant::now);
        Some(key.1)
    }

    /// Stops the attempt in the background; its job has that state from now on.
    fn give_up(&mut self, key: &Key, state: JobState) {
        if let Some(job) = self.jobs.get_mut(&key.0).filter(|job| job.number == key.1) {
            job.state = state.clone();
        }
        let Some(attempt) = self.attempts.get_mut(key) else { return };
        attempt.owned = false;
        attempt.urgent = true;
        attempt.stop.get_or_insert(Stop::default());
        attempt.entry.ended = Some(state);
        attempt.write(&self.root);
        if attempt.entry.free {
            self.attempts.remove(key);
        }
    }

    fn stop_all(&mut self) {
        self.queue.clear();
        let owned: Vec<Key> = self.attempts.values().filter(|a| a.owned).map(Attempt::key).collect();
        for key in owned {
            self.give_up(&key, JobState::Cancelled);
        }
        let began = Instant::now();
        while self.attempts.values().any(|attempt| attempt.stop.is_some())
            && began.elapsed() < self.options.stop_within
        {
            self.advance();
            std::thread::sleep(Duration::from_millis(5));
        }
        for attempt in self.attempts.values().filter(|attempt| attempt.stop.is_some()) {
            let (job, node) = (&attempt.entry.spec.id, &attempt.entry.node);
            tracing::warn!(job, node, "cannot stop a job now; the next executor on this root will");
        }
    }
}

impl Executor for SshExecutor {
    fn submit(&mut self, job: JobSpec) -> Result<(), ExecutorError> {
        self.submit_on(job, Placement::default())
    }

    fn poll(&mut self, id: &str) -> Result<JobState, ExecutorError> {
        self.advance();
        Ok(self.job(id)?.state.clone())
    }

    fn cancel(&mut self, id: &str) -> Result<(), ExecutorError> {
        self.advance();
        let job = self.jobs.get_mut(id).ok_or_else(|| ExecutorError::Unknown(id.to_owned()))?;
        if !job.state.is_final() {
            job.state = JobState::Cancelled;
            let key = (id.to_owned(), job.number);
            self.queue.retain(|queued| queued != id);
            self.give_up(&key, JobState::Cancelled);
        }
        self.advance();
        Ok(())
    }

    fn logs(&self, id: &str) -> Result<String, ExecutorError> {
        let job = self.job(id)?;
        if let Some(attempt) = self.attempts.get(&(id.to_owned(), job.number))
            && attempt.confirmed
            && !job.state.is_final()
        {
            return self.live_log(attempt);
        }
        let path = job.output.with_extension("log");
        match fs::read(&path) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(source) => Err(ExecutorError::File { job: id.to_owned(), path, source }),
        }
    }

    fn output(&self, id: &str) -> Result<PathBuf, ExecutorError> {
        Ok(self.job(id)?.output.clone())
    }
}

impl Drop for SshExecutor {
    fn drop(&mut self) {
        if !self.detached {
            self.stop_all();
        }
        if let Some(runtime) = self.runtime.take() {
            // Waiting for it would not be allowed inside of another runtime.
            runtime.shutdown_background();
        }
    }
}

fn links(nodes: impl IntoIterator<Item = Node>) -> Result<Vec<Link>, SshError> {
    let mut links: Vec<Link> = Vec::new();
    for node in nodes {
        node.check()?;
        if links.iter().any(|link| link.node.label() == node.label()) {
            return Err(SshError::InvalidNode { node: node.label(), reason: "it is listed twice" });
        }
        links.push(Link::new(node));
    }
    if links.is_empty() {
        return Err(SshError::InvalidNode { node: "(none)".to_owned(), reason: "list at least one node" });
    }
    Ok(links)
}

/// Tells whether a slot has the GPUs that the job wants.
fn has_room(spec: &JobSpec, gpu: Option<u32>) -> bool {
    spec.resources.gpus <= u32::from(gpu.is_some())
}
