//! Jobs as processes of this machine, each the head of its own process group.
//!
//! ```text
//! <root>/<job>/attempt-1/       output folder of the first attempt, with its .done
//! <root>/<job>/attempt-1.log    what it wrote to stdout and stderr
//! ```
//!
//! # Example
//! ```
//! use coordinator::{Executor, JobFailure, JobSpec, JobState, LocalExecutor};
//! let root = std::env::temp_dir().join(format!("coordinator-local-{}", std::process::id()));
//! let mut executor = LocalExecutor::new(&root, 1);
//! executor.submit(JobSpec::new("quiet", "true")).unwrap(); // ends well, but leaves no marker
//! while !executor.poll("quiet").unwrap().is_final() {
//!     std::thread::sleep(std::time::Duration::from_millis(5));
//! }
//! assert_eq!(executor.poll("quiet").unwrap(), JobState::Failed(JobFailure::NoMarker));
//! # std::fs::remove_dir_all(&root).unwrap();
//! ```

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Instant,
};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, prlimit};

use crate::{
    Executor, ExecutorError, JobFailure, JobSpec, JobState, executor::OUTPUT, marker::MARKER, plan::check_id,
};

/// Runs jobs as local processes, which do not outlive it.
#[derive(Debug)]
pub struct LocalExecutor {
    root: PathBuf,
    slots: usize,
    jobs: BTreeMap<String, Job>,
    /// Queued jobs, first come first served.
    queue: Vec<String>,
}

#[derive(Debug)]
struct Job {
    spec: JobSpec,
    output: PathBuf,
    log: PathBuf,
    state: JobState,
    process: Option<(Child, Instant)>,
}

impl LocalExecutor {
    /// Builds an executor that keeps its files under `root` and runs at most `slots` jobs at once (at least 1).
    pub fn new(root: impl Into<PathBuf>, slots: usize) -> Self {
        Self { root: root.into(), slots: slots.max(1), jobs: BTreeMap::new(), queue: Vec::new() }
    }

    /// Notices what ended or took too long, then fills free slots.
    fn advance(&mut self) {
        for job in self.jobs.values_mut() {
            job.notice();
        }
        while self.jobs.values().filter(|job| job.process.is_some()).count() < self.slots
            && !self.queue.is_empty()
        {
            let id = self.queue.remove(0);
            if let Some(job) = self.jobs.get_mut(&id) {
                job.start();
            }
        }
    }

    fn job(&self, id: &str) -> Result<&Job, ExecutorError> {
        self.jobs.get(id).ok_or_else(|| ExecutorError::Unknown(id.to_owned()))
    }
}

impl Executor for LocalExecutor {
    fn submit(&mut self, spec: JobSpec) -> Result<(), ExecutorError> {
        check_id(&spec.id).map_err(ExecutorError::InvalidId)?;
        self.advance();
        if self.jobs.get(&spec.id).is_some_and(|job| !job.state.is_final()) {
            return Err(ExecutorError::InFlight(spec.id));
        }
        let id = spec.id.clone();
        let folder = self.root.join(&id);
        stop_leftovers(&folder);
        let (_, output) = new_attempt(&folder).map_err(|source| ExecutorError::File {
            job: id.clone(),
            path: folder,
            source,
        })?;
        let log = output.with_extension("log");
        self.jobs.insert(id.clone(), Job { spec, output, log, state: JobState::Queued, process: None });
        self.queue.push(id);
        self.advance();
        Ok(())
    }

    fn poll(&mut self, id: &str) -> Result<JobState, ExecutorError> {
        self.advance();
        Ok(self.job(id)?.state.clone())
    }

    fn cancel(&mut self, id: &str) -> Result<(), ExecutorError> {
        self.advance();
        let job = self.jobs.get_mut(id).ok_or_else(|| ExecutorError::Unknown(id.to_owned()))?;
        if !job.state.is_final() {
            job.stop();
            job.state = JobState::Cancelled;
            self.queue.retain(|queued| queued != id);
        }
        self.advance();
        Ok(())
    }

    fn logs(&self, id: &str) -> Result<String, ExecutorError> {
        let job = self.job(id)?;
        match fs::read(&job.log) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(source) => Err(ExecutorError::File { job: id.to_owned(), path: job.log.clone(), source }),
        }
    }

    fn output(&self, id: &str) -> Result<PathBuf, ExecutorError> {
        Ok(self.job(id)?.output.clone())
    }
}

impl Drop for LocalExecutor {
    fn drop(&mut self) {
        for job in self.jobs.values_mut() {
            job.stop();
        }
    }
}

impl Job {
    fn start(&mut self) {
        match self.spawn() {
            Ok(child) => {
                self.process = Some((child, Instant::now()));
                self.state = JobState::Running;
            }
            Err(error) => self.state = JobState::Failed(JobFailure::NotStarted(error.to_string())),
        }
    }

    fn spawn(&self) -> io::Result<Child> {
        let log = File::create(&self.log)?;
        let output = self.output.to_string_lossy();
        let mut command = Command::new(&self.spec.program);
        command
            .args(self.spec.args.iter().map(|arg| arg.replace(OUTPUT, &output)))
            .envs(self.spec.env.iter().map(|(name, value)| (name, value.replace(OUTPUT, &output))))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        if let Some(folder) = &self.spec.working_folder {
            command.current_dir(folder);
        }
        let child = command.spawn()?;
        note(&self.output, &child);
        if let Some(bytes) = self.spec.resources.memory {
            limit_memory(&child, bytes);
        }
        Ok(child)
    }

    fn notice(&mut self) {
        let Some((child, started)) = &mut self.process else { return };
        match child.try_wait() {
            Ok(Some(status)) => {
                self.process = None;
                let _ = fs::remove_file(pid_file(&self.output));
                self.state = self.judge(status);
            }
            Ok(None) if started.elapsed() >= self.spec.timeout => {
                self.stop();
                self.state = JobState::Failed(JobFailure::TimedOut);
            }
            Ok(None) => {}
            Err(error) => {
                self.stop();
                self.state = JobState::Failed(JobFailure::NotStarted(error.to_string()));
            }
        }
    }

    fn judge(&self, status: ExitStatus) -> JobState {
        if !status.success() {
            return JobState::Failed(JobFailure::Exit(status.code()));
        }
        if self.output.join(MARKER).is_file() {
            JobState::Done
        } else {
            JobState::Failed(JobFailure::NoMarker)
        }
    }

    /// Kills the whole group before its head is reaped, so that the id cannot belong to somebody else by then.
    fn stop(&mut self) {
        let Some((mut child, _)) = self.process.take() else { return };
        let killed = kill_process_group(Pid::from_child(&child), Signal::KILL);
        let reaped = child.wait();
        if let (Err(error), _) | (_, Err(error)) = (killed.map_err(io::Error::from), reaped) {
            tracing::warn!(job = self.spec.id, %error, "cannot stop a job");
        }
        let _ = fs::remove_file(pid_file(&self.output));
    }
}

/// Where an attempt's process is noted while it works.
fn pid_file(output: &Path) -> PathBuf {
    output.with_extension("pid")
}

/// Notes who works at an attempt, for whoever comes after a kill of this program; without the note that one waits in vain for
/// the machine, but nothing is lost.
fn note(output: &Path, child: &Child) {
    let noted = started(child.id()).map(|since| format!("{} {since}", child.id()));
    if let Err(error) = noted.map_or(Ok(()), |noted| fs::write(pid_file(output), noted)) {
        tracing::warn!(output = %output.display(), %error, "cannot note a job's process");
    }
}

/// Stops what earlier attempts left at work: their program was killed, and nobody waits for them.
fn stop_leftovers(folder: &Path) {
    let notes = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    for path in notes.filter(|path| path.extension().is_some_and(|extension| extension == "pid")) {
        let noted = fs::read_to_string(&path).unwrap_or_default();
        let who = noted.split_once(' ').and_then(|(pid, since)| Some((pid.parse::<u32>().ok()?, since)));
        let alive = who.filter(|(pid, since)| started(*pid).is_some_and(|now| now == *since));
        if let Some(group) = alive.and_then(|(pid, _)| Pid::from_raw(i32::try_from(pid).ok()?)) {
            tracing::info!(note = %path.display(), "stopping what was left at work");
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = fs::remove_file(path);
    }
}

/// Returns when a process began, in ticks since the machine did; none when it is gone. Two of the same number differ in it.
fn started(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything; of what follows it is the twentieth.
    stat.rsplit_once(')')?.1.split_whitespace().nth(19).map(str::to_owned)
}

/// Caps what each process of the job may allocate; what it maps from files does not count.
fn limit_memory(child: &Child, bytes: u64) {
    let most = Rlimit { current: Some(bytes), maximum: Some(bytes) };
    if let Err(error) = prlimit(Some(Pid::from_child(child)), Resource::Data, most) {
        // It may have ended by now.
        tracing::debug!(%error, "cannot limit a job's memory");
    }
}

/// Makes the output folder of the next attempt, after the ones that earlier processes left; returns its number too.
pub(crate) fn new_attempt(folder: &Path) -> io::Result<(u32, PathBuf)> {
    fs::create_dir_all(folder)?;
    for number in 1u32.. {
        let output = folder.join(format!("attempt-{number}"));
        match fs::create_dir(&output) {
            // Absolute, because the job may start in another folder.
            Ok(()) => return Ok((number, output.canonicalize()?)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("no attempt number is left"))
}
