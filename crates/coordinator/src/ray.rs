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
mod entry;
mod journal;
mod settings;
mod verdict;
mod wire;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt, fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};

pub use client::RayError;
pub use settings::{RaySettings, RayToken};

use self::{
    client::{Client, Submitted},
    journal::{Files, Record},
    verdict::{Verdict, judge},
    wire::{JobDetails, JobStatus},
};
use crate::{
    Executor, ExecutorError, JobFailure, JobSpec, JobState, Lock, marker::MARKER, plan::check_id,
    runner::Clock,
};

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

#[derive(Debug)]
struct Job {
    record: Record,
    files: Files,
    state: JobState,
    /// Found in the journal, and not yet submitted to this executor.
    adoptable: bool,
    /// Since when Ray has lost sight of it, and how.
    doubt: Option<(Instant, String)>,
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

    /// Asks Ray how things stand, unless that was a moment ago; then fills free slots.
    fn advance(&mut self) -> Result<(), ExecutorError> {
        let idle = self.queue.is_empty() && self.strays.is_empty() && self.in_flight() == 0;
        if idle || self.asked.is_some_and(|asked| asked.elapsed() < self.settings.poll_every) {
            return Ok(());
        }
        self.asked = Some(Instant::now());
        // In this order: a head that restarts in between cannot pass its empty list off as the old one's.
        match self.client.jobs().and_then(|jobs| Ok((jobs, self.client.head()?.session_name))) {
            Ok((listed, session)) => {
                if self.silent.take().is_some() {
                    tracing::info!("Ray answers again");
                }
                self.session = session;
                let listed =
                    listed.into_iter().filter_map(|job| Some((job.submission_id.clone()?, job))).collect();
                self.reconcile(&listed)?;
                self.stop_strays(&listed);
                self.fill()
            }
            Err(error) => self.endure(&error),
        }
    }

    fn in_flight(&self) -> usize {
        self.jobs.values().filter(|job| job.is_in_flight()).count()
    }

    fn reconcile(&mut self, listed: &BTreeMap<String, JobDetails>) -> Result<(), ExecutorError> {
        let in_flight = self.jobs.iter().filter(|(_, job)| job.is_in_flight());
        let ids: Vec<_> = in_flight.map(|(id, _)| id.clone()).collect();
        for id in ids {
            let Some(job) = self.jobs.get_mut(&id) else { continue };
            let verdict = match listed.get(&job.record.submission_id) {
                Some(details) => {
                    job.confirm(&self.settings.run, details)?;
                    if job.state.is_final() {
                        continue;
                    }
                    judge(details, job.is_marked())
                }
                None if job.is_marked() => Verdict::Ended(JobState::Done),
                None if !job.record.confirmed && job.record.session.as_ref() == Some(&self.session) => {
                    // It never arrived; if it did after all, Ray refuses the same id.
                    self.post(&id)?;
                    continue;
                }
                None if job.record.session.as_ref() == Some(&self.session) => {
                    Verdict::Doubtful("Ray does not list it any more".to_owned())
                }
                None => Verdict::Doubtful("the head was restarted and knows nothing of it".to_owned()),
            };
            self.apply(&id, verdict)?;
        }
        Ok(())
    }

    fn apply(&mut self, id: &str, verdict: Verdict) -> Result<(), ExecutorError> {
        let now = (self.clock)();
        let Some(job) = self.jobs.get_mut(id) else { return Ok(()) };
        match verdict {
            Verdict::Waits => (job.state, job.doubt) = (JobState::Queued, None),
            Verdict::Works => {
                job.doubt = None;
                job.state = JobState::Running;
                if job.record.running_since.is_none() {
                    job.record.running_since = Some(now);
                    job.write()?;
                }
                let ran =
                    job.record.running_since.map_or(SignedDuration::ZERO, |since| now.duration_since(since));
                if Duration::try_from(ran).is_ok_and(|ran| ran >= job.record.spec.timeout) {
                    return self.stop(id, JobState::Failed(JobFailure::TimedOut));
                }
            }
            Verdict::Ended(state) => job.end(state)?,
            Verdict::Homeless(reason) if job.doubt.is_none() => {
                let wanted = entry::wanted(&self.settings, &job.record.spec);
                let lack = self.client.nodes().ok().and_then(|nodes| nodes.lack(&wanted));
                let lack = lack.unwrap_or_else(|| {
                    format!(
                        "no node with {wanted:?} and labels {:?} was free in time",
                        self.settings.label_selector
                    )
                });
                return self.doubt(id, format!("{lack}; Ray says {reason}"));
            }
            Verdict::Homeless(reason) => return self.doubt(id, reason),
            Verdict::Doubtful(reason) => {
                job.state = JobState::Running;
                return self.doubt(id, reason);
            }
        }
        Ok(())
    }

    /// Counts the time since Ray gave the attempt up; after the grace the marker alone decides.
    fn doubt(&mut self, id: &str, reason: String) -> Result<(), ExecutorError> {
        let Some(job) = self.jobs.get_mut(id) else { return Ok(()) };
        let (since, reason) = job.doubt.get_or_insert_with(|| {
            tracing::warn!(job = id, reason, "Ray has given up an attempt: waiting whether it ends well");
            (Instant::now(), reason)
        });
        if since.elapsed() < self.settings.grace {
            return Ok(());
        }
        let reason = reason.clone();
        self.lose(id, reason)
    }

    /// Ends an attempt of which nothing is heard; should it still wait somewhere, it shall not start.
    fn lose(&mut self, id: &str, reason: String) -> Result<(), ExecutorError> {
        let Some(job) = self.jobs.get_mut(id) else { return Ok(()) };
        if job.is_marked() {
            return job.end(JobState::Done);
        }
        job.forbid()?;
        job.end(JobState::Failed(JobFailure::Lost(reason)))?;
        self.strays.insert(job.record.submission_id.clone());
        Ok(())
    }

    /// Ends an attempt that Ray may have started or not.
    fn stop(&mut self, id: &str, state: JobState) -> Result<(), ExecutorError> {
        let Some(job) = self.jobs.get_mut(id) else { return Ok(()) };
        job.forbid()?;
        // Its slot is free when Ray says so.
        self.working_strays += usize::from(job.state == JobState::Running);
        job.end(state)?;
        let submission_id = job.record.submission_id.clone();
        if let Err(error) = self.client.stop(&submission_id) {
            tracing::warn!(job = id, error = &error as &dyn std::error::Error, "cannot stop a job yet");
        }
        self.strays.insert(submission_id);
        Ok(())
    }

    /// Asks again for the end of what has ended for us, until Ray says so.
    fn stop_strays(&mut self, listed: &BTreeMap<String, JobDetails>) {
        let status = |id: &String| listed.get(id).map(|details| details.status);
        self.strays.retain(|id| status(id).is_some_and(JobStatus::is_live));
        self.working_strays = self.strays.iter().filter(|id| status(id) == Some(JobStatus::Running)).count();
        for id in &self.strays {
            if let Err(error) = self.client.stop(id) {
                tracing::warn!(id, error = &error as &dyn std::error::Error, "cannot stop a job yet");
            }
        }
    }

    fn fill(&mut self) -> Result<(), ExecutorError> {
        while self.silent.is_none() && self.in_flight() + self.working_strays < self.settings.slots {
            let Some(id) = self.queue.pop_front() else { break };
            self.post(&id)?;
        }
        Ok(())
    }

    /// Hands an attempt over, written down first; what is unsure afterwards the next list tells.
    fn post(&mut self, id: &str) -> Result<(), ExecutorError> {
        let Some(job) = self.jobs.get_mut(id) else { return Ok(()) };
        let unsuitable = |reason| ExecutorError::Unsuitable { job: id.to_owned(), reason };
        let submission = entry::submission(&self.settings, &job.record, &job.files).map_err(unsuitable)?;
        job.record.session = Some(self.session.clone());
        job.write()?;
        let said = match self.client.submit(&submission) {
            Ok(Submitted::Taken) => {
                job.record.confirmed = true;
                return job.write();
            }
            Ok(Submitted::Duplicate) => match self.client.job(&submission.submission_id) {
                Ok(Some(details)) => return job.confirm(&self.settings.run, &details),
                Ok(None) => "it refuses an id that it does not know".to_owned(),
                Err(error) => error.to_string(),
            },
            Err(error @ RayError::Refused { status: 400..500, .. }) => {
                return job.end(JobState::Failed(JobFailure::NotStarted(error.to_string())));
            }
            Err(error) if error.is_unsent() => {
                job.record.session = None;
                job.write()?;
                self.queue.push_front(id.to_owned());
                return self.endure(&error);
            }
            Err(error) => {
                if matches!(error, RayError::Unreachable { .. }) {
                    self.endure(&error)?;
                }
                error.to_string()
            }
        };
        self.doubt(id, format!("whether Ray has it is unsure: {said}"))
    }

    /// Waits for a head that does not answer, but not for ever.
    fn endure(&mut self, error: &RayError) -> Result<(), ExecutorError> {
        let (since, said) = self.silent.get_or_insert_with(|| {
            tracing::warn!(error = error as &dyn std::error::Error, "Ray does not answer: waiting");
            (Instant::now(), error.to_string())
        });
        if since.elapsed() < self.settings.lost_after {
            return Ok(());
        }
        let said = said.clone();
        let ids: Vec<_> =
            self.jobs.iter().filter(|(_, job)| job.is_in_flight()).map(|(id, _)| id.clone()).collect();
        for id in ids {
            self.lose(&id, said.clone())?;
        }
        for id in std::mem::take(&mut self.queue) {
            if let Some(job) = self.jobs.get_mut(&id) {
                job.end(JobState::Failed(JobFailure::NotStarted(said.clone())))?;
            }
        }
        Ok(())
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

impl Job {
    /// Tells whether Ray may have it.
    fn is_in_flight(&self) -> bool {
        self.record.session.is_some() && !self.state.is_final()
    }

    fn is_marked(&self) -> bool {
        self.files.output.join(MARKER).is_file()
    }

    /// Takes the attempt for the job that is being submitted, if it may still count or already does.
    fn adopt(&mut self, spec: &JobSpec) -> Result<bool, ExecutorError> {
        let first = std::mem::replace(&mut self.adoptable, false);
        if self.record.spec != *spec {
            return Ok(false);
        }
        // It ended well after it was given up.
        if matches!(self.state, JobState::Failed(JobFailure::Lost(_))) && self.is_marked() {
            self.end(JobState::Done)?;
            return Ok(true);
        }
        Ok(first && (!self.state.is_final() || self.state == JobState::Done))
    }

    /// Notes that Ray has it, or that what Ray has under its id is another's.
    fn confirm(&mut self, run: &str, details: &JobDetails) -> Result<(), ExecutorError> {
        if self.record.confirmed {
            return Ok(());
        }
        let created_at = details.metadata.as_ref().and_then(|metadata| metadata.get("created_at"));
        if created_at.is_none_or(|at| *at != self.record.created_at.to_string()) {
            let id = &self.record.submission_id;
            let reason =
                format!("Ray has another job under the id {id}: give the run another name than `{run}`");
            return self.end(JobState::Failed(JobFailure::NotStarted(reason)));
        }
        self.record.confirmed = true;
        self.write()
    }

    /// Keeps an entry point from starting its program from now on.
    fn forbid(&self) -> Result<(), ExecutorError> {
        let path = self.files.output.join(entry::CANCEL);
        fs::write(&path, "").map_err(failed(&self.record.spec.id, &path))
    }

    fn end(&mut self, state: JobState) -> Result<(), ExecutorError> {
        self.state = state.clone();
        self.record.ended = Some(state);
        self.write()
    }

    fn write(&self) -> Result<(), ExecutorError> {
        self.record.write(&self.files).map_err(failed(&self.record.spec.id, &self.files.output))
    }
}

/// Tells whether Ray may still run an attempt that has ended so for us.
fn is_stray(state: &JobState) -> bool {
    matches!(state, JobState::Cancelled | JobState::Failed(JobFailure::TimedOut | JobFailure::Lost(_)))
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

/// Returns the first number after all that earlier attempts used, however they ended.
fn next_attempt(root: &Path, job: &str) -> u32 {
    (1..u32::MAX).find(|number| !Files::of(root, job, *number).output.exists()).unwrap_or(u32::MAX)
}

fn draft(
    settings: &RaySettings,
    root: &Path,
    spec: JobSpec,
    attempt: u32,
    now: Timestamp,
) -> (Record, Files) {
    let files = Files::of(root, &spec.id, attempt);
    let submission_id = entry::submission_id(&settings.run, &spec.id, attempt);
    (Record::new(spec, attempt, submission_id, now), files)
}

fn failed(job: &str, path: &Path) -> impl FnOnce(io::Error) -> ExecutorError {
    let (job, path) = (job.to_owned(), path.to_owned());
    move |source| ExecutorError::File { job, path, source }
}
