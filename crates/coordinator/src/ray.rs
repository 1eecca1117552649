//! Jobs on a Ray cluster, through the REST interface of its head.
//!
//! ```text
//! <root>/.lock                  held by the one executor that keeps its jobs here
//! <root>/<job>/attempt-1/       output folder of the first attempt, with its .done
//! <root>/<job>/attempt-1.log    what it wrote to stdout and stderr
//! <root>/<job>/attempt-1.json   what is known of it, for the next executor
//! ```
//!
//! `root` is on a file system that this machine and all workers share, at the same path, and a file that is made there
//! is seen here at once (over NFS: `lookupcache=positive`).
//!
//! Ray's word proves little: a job that it calls failed may work on and end well, one that was stopped while it waited
//! is started all the same, and a head that restarts has forgotten everything. So the marker decides, every attempt is
//! written down before it is handed over, and an entry point looks for a `.cancel` in its folder before it starts.
//!
//! Jobs outlive the executor. The next one on the same root finds those in flight, and submitting the same job
//! adopts its attempt instead of beginning another; so it does with one that ended well. Variables of a job can be read
//! by everybody who reaches the head, and the cluster's own token by every job: no secrets there, and no strangers' jobs.
//! Not to be used from async code, because calls block.
//!
//! # Example
//! ```
//! use coordinator::{JobSpec, RayExecutor, RaySettings};
//! let settings = RaySettings::new("http://127.0.0.1:8265", "sweep-1", "/shared/sweep-1");
//! let job = JobSpec::new("trial-0", "worker").args(["--out", "{output}"]);
//! let bodies = RayExecutor::plan(&settings, &[job], "2024-05-01T00:00:00Z".parse().unwrap()).unwrap();
//! assert_eq!(bodies[0]["submission_id"], "sweep-1-trial-0-a1");
//! ```

mod client;
mod drive;
mod entry;
mod job;
mod journal;
mod settings;
mod verdict;
mod wire;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt, fs, io,
    path::{Path, PathBuf},
    time::Instant,
};

use jiff::Timestamp;

pub use client::RayError;
pub use settings::{RaySettings, RayToken};

use self::{
    client::Client,
    job::{Job, draft, failed, is_stray, next_attempt},
    journal::Files,
};
use crate::{Executor, ExecutorError, JobSpec, JobState, Lock, plan::check_id, runner::Clock};

/// Longest first part of submission ids.
const RUN_CHARS: usize = 64;

/// Runs jobs on a Ray cluster.
pub struct RayExecutor {
    settings: RaySettings,
    client: Client,
    clock: Clock,
    jobs: BTreeMap<String, Job>,
    /// Jobs not yet handed over, first come first served.
    queue: VecDeque<String>,
    /// Ids at Ray of attempts that have ended for us and shall end there too...
    strays: BTreeSet<String>,
    /// ...and how many of them work, each in somebody's slot.
    working_strays: usize,
    session: String,
    asked: Option<Instant>,
    /// Since when the head does not answer, and how.
    silent: Option<(Instant, String)>,
    _lock: Lock,
}

impl RayExecutor {
    /// Connects to the head and finds the attempts that earlier executors left under the root.
    ///
    /// # Errors
    /// When the address, the token or the run is wrong, nobody answers, another executor holds the root, or its
    /// journal cannot be read.
    pub fn new(settings: RaySettings, clock: Clock) -> Result<Self, RayError> {
        check_run(&settings.run)?;
        let settings =
            RaySettings { root: absolute(&settings.root), slots: settings.slots.max(1), ..settings };
        let client = Client::new(&settings)?;
        let session = client.head().map_err(as_first_contact)?.session_name;
        let lock = Lock::try_take(&settings.root.join(".lock"), clock()).map_err(RayError::Root)?;
        let mut jobs = BTreeMap::new();
        let mut strays = BTreeSet::new();
        for record in journal::read_all(&settings.root)? {
            // What never left is as good as never submitted.
            if record.session.is_none() && record.ended.is_none() {
                continue;
            }
            let state = record.ended.clone().unwrap_or(JobState::Running);
            if is_stray(&state) {
                strays.insert(record.submission_id.clone());
            }
            let files = Files::of(&settings.root, &record.spec.id, record.attempt);
            let job = Job { record, files, state, adoptable: true, doubt: None };
            jobs.insert(job.record.spec.id.clone(), job);
        }
        Ok(Self {
            settings,
            client,
            clock,
            jobs,
            queue: VecDeque::new(),
            strays,
            working_strays: 0,
            session,
            asked: None,
            silent: None,
            _lock: lock,
        })
    }

    /// Returns the bodies of the requests that would hand the jobs over at `now`, without asking anybody.
    ///
    /// They are those of new attempts; a job with an attempt in flight or done would adopt it instead.
    pub fn plan(
        settings: &RaySettings,
        jobs: &[JobSpec],
        now: Timestamp,
    ) -> Result<Vec<serde_json::Value>, ExecutorError> {
        let root = absolute(&settings.root);
        let body = |job: &JobSpec| {
            check_id(&job.id).map_err(ExecutorError::InvalidId)?;
            let attempt = next_attempt(&root, &job.id);
            let (record, files) = draft(settings, &root, job.clone(), attempt, now);
            let body = check_run(&settings.run)
                .map_err(|error| error.to_string())
                .and_then(|()| entry::submission(settings, &record, &files))
                .and_then(|body| serde_json::to_value(body).map_err(|error| error.to_string()));
            body.map_err(|reason| ExecutorError::Unsuitable { job: job.id.clone(), reason })
        };
        jobs.iter().map(body).collect()
    }

    fn job(&self, id: &str) -> Result<&Job, ExecutorError> {
        self.jobs.get(id).ok_or_else(|| ExecutorError::Unknown(id.to_owned()))
    }
}

impl Executor for RayExecutor {
    fn submit(&mut self, spec: JobSpec) -> Result<(), ExecutorError> {
        check_id(&spec.id).map_err(ExecutorError::InvalidId)?;
        self.advance()?;
        let id = spec.id.clone();
        if let Some(job) = self.jobs.get_mut(&id) {
            if job.adopt(&spec)? {
                return Ok(());
            }
            if !job.state.is_final() {
                return Err(ExecutorError::InFlight(id));
            }
        }
        let attempt = next_attempt(&self.settings.root, &id);
        let (record, files) = draft(&self.settings, &self.settings.root, spec, attempt, (self.clock)());
        let unsuitable = |reason| ExecutorError::Unsuitable { job: id.clone(), reason };
        entry::submission(&self.settings, &record, &files).map_err(unsuitable)?;
        fs::create_dir_all(&files.output).map_err(failed(&id, &files.output))?;
        let job = Job { record, files, state: JobState::Queued, adoptable: false, doubt: None };
        self.jobs.insert(id.clone(), job);
        self.queue.push_back(id);
        self.fill()
    }

    fn poll(&mut self, id: &str) -> Result<JobState, ExecutorError> {
        self.advance()?;
        Ok(self.job(id)?.state.clone())
    }

    fn cancel(&mut self, id: &str) -> Result<(), ExecutorError> {
        self.advance()?;
        let job = self.jobs.get_mut(id).ok_or_else(|| ExecutorError::Unknown(id.to_owned()))?;
        if job.is_in_flight() {
            self.stop(id, JobState::Cancelled)?;
        } else if !job.state.is_final() {
            job.end(JobState::Cancelled)?;
            self.queue.retain(|queued| queued != id);
        }
        self.fill()
    }

    fn logs(&self, id: &str) -> Result<String, ExecutorError> {
        let log = &self.job(id)?.files.log;
        match fs::read(log) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(source) => Err(failed(id, log)(source)),
        }
    }

    fn output(&self, id: &str) -> Result<PathBuf, ExecutorError> {
        Ok(self.job(id)?.files.output.clone())
    }
}

impl fmt::Debug for RayExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RayExecutor")
            .field("settings", &self.settings)
            .field("jobs", &self.jobs)
            .field("queue", &self.queue)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

fn check_run(run: &str) -> Result<(), RayError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if run.is_empty() || run.len() > RUN_CHARS || !run.chars().all(allowed) {
        return Err(RayError::InvalidRun(run.to_owned()));
    }
    Ok(())
}

/// Something else than Ray at that address is told apart only at the first contact.
fn as_first_contact(error: RayError) -> RayError {
    match error {
        RayError::Refused { address, status, said } => {
            RayError::NotRay { address, said: format!("{status}: {said}") }
        }
        other => other,
    }
}

/// Workers start elsewhere; a path that cannot be made absolute is left to fail where it is used.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
