//! Drives a plan to its end: what is ready runs, what fails is tried again, what cannot go on is blocked.
//!
//! A run that was killed at any instant and is run again ends in the same state as one that was not: a task
//! counts as done only by its [marker](crate::marker), while what went into it is unchanged and its outputs
//! verify. A task must therefore be safe to do twice.
//!
//! # Example
//! ```
//! use coordinator::{Plan, Runner, Silent, Task, TaskOutput};
//! let runs = std::env::temp_dir().join(format!("coordinator-runner-{}", std::process::id()));
//! let plan = Plan::new(vec![
//!     Task::new("fetch", "pull", |_| Ok(TaskOutput::new("12 rows").fact("rows", 12))),
//!     Task::new("train", "train", |context| {
//!         let rows = context.earlier("fetch").and_then(|fetch| fetch.facts["rows"].as_u64());
//!         Ok(TaskOutput::new(format!("trained on {rows:?}")))
//!     }).needs(["fetch"]),
//! ]).unwrap();
//! let runner = Runner::new(&runs, "night", || "2024-05-01T00:00:00Z".parse().unwrap());
//! let record = runner.run(&plan, &Silent).unwrap();
//! assert!(record.is_complete());
//! let again = runner.run(&plan, &Silent).unwrap();
//! assert!(again.tasks.iter().all(|task| task.reused));
//! # std::fs::remove_dir_all(&runs).unwrap();
//! ```

use std::{
    any::Any,
    fmt,
    fs::OpenOptions,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::{
    CancelFlag, Observer, Output, Plan, RunError, RunFolder, RunRecord, TaskContext, TaskError, TaskOutput,
    board::Board, hand_off, plan::Work,
};

/// Says what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Tells whether an output still is what its hash says.
pub type Verify = Arc<dyn Fn(&Output) -> bool + Send + Sync>;

/// How much at once, and how patiently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Tasks at once; at least 1.
    pub concurrency: usize,
    /// Most tasks of a run; a plan of more is refused before anything begins.
    pub queued: usize,
    /// Wait before the second attempt; doubled before each further one.
    pub backoff: Duration,
    /// Longest wait between attempts.
    pub longest_backoff: Duration,
    /// How long a task that was told to stop may go on before it is given up.
    pub stop_within: Duration,
    /// Lines of a failed task's log kept as evidence.
    pub log_tail: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrency: 3,
            queued: 50,
            backoff: Duration::from_secs(1),
            longest_backoff: Duration::from_mins(1),
            stop_within: Duration::from_secs(30),
            log_tail: 20,
        }
    }
}

/// Drives one run.
#[derive(Clone)]
pub struct Runner {
    runs: PathBuf,
    run_id: String,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    pub(crate) verify: Verify,
    pub(crate) cancel: CancelFlag,
}

/// What a working thread tells the runner.
pub(crate) enum Message {
    Log { task: usize, line: String },
    Ended { task: usize, attempt: u32, result: Result<TaskOutput, TaskError> },
}

impl Runner {
    /// Builds a runner for `runs/<run_id>` whose outputs are files of this machine.
    pub fn new(
        runs: impl Into<PathBuf>,
        run_id: impl Into<String>,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self {
            runs: runs.into(),
            run_id: run_id.into(),
            clock: Arc::new(clock),
            limits: Limits::default(),
            verify: Arc::new(Output::file_is_unchanged),
            cancel: CancelFlag::default(),
        }
    }

    /// Replaces the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Replaces the check of outputs, for instance by one that asks a store.
    #[must_use]
    pub fn verify(mut self, verify: impl Fn(&Output) -> bool + Send + Sync + 'static) -> Self {
        self.verify = Arc::new(verify);
        self
    }

    /// Listens to `flag`; once raised, nothing new begins and the run ends when what works has ended.
    #[must_use]
    pub fn cancel_flag(mut self, flag: CancelFlag) -> Self {
        self.cancel = flag;
        self
    }

    /// Runs `plan` until every task is in a final state, and writes `handoff.md`.
    ///
    /// Running it again resumes: what is done and unchanged is kept, all else is tried again.
    ///
    /// # Errors
    /// Only when the run itself cannot be kept (lock, disk, too many tasks). Failed tasks are in the record.
    pub fn run(&self, plan: &Plan, observer: &dyn Observer) -> Result<RunRecord, RunError> {
        let (found, most) = (plan.tasks().len(), self.limits.queued);
        if found > most {
            return Err(RunError::TooMany { found, most });
        }
        let folder = RunFolder::open(&self.runs, &self.run_id, (self.clock)())?;
        let mut board = Board::new(self, &self.run_id, plan, folder, observer);
        let (sender, receiver) = mpsc::channel();
        let driven = self.drive(plan, &mut board, &sender, &receiver);
        drop(sender);
        if let Err(error) = driven {
            self.cancel.raise();
            // What still works may come to its end; the last of them hangs up.
            while receiver.recv_timeout(self.limits.stop_within).is_ok() {}
            return Err(error);
        }
        let (record, folder) = board.into_parts();
        folder.write_document("handoff.md", &hand_off(&record))?;
        Ok(record)
    }

    fn drive(
        &self,
        plan: &Plan,
        board: &mut Board<'_>,
        sender: &Sender<Message>,
        receiver: &Receiver<Message>,
    ) -> Result<(), RunError> {
        board.start_run()?;
        loop {
            if board.is_cancel_requested() {
                self.cancel.raise();
            }
            board.hold_to_budgets(Instant::now())?;
            board.settle()?;
            while let Some(task) = board.next_ready(Instant::now()) {
                let Some(attempt) = board.begin(task)? else { continue };
                let (sender, todo) = (sender.clone(), Arc::clone(&plan.tasks()[task].work));
                // Not waited for when it is over its budget and deaf.
                std::thread::spawn(move || work(task, &todo, &attempt, &sender));
            }
            if board.is_finished() {
                return board.end_run();
            }
            // Short enough to notice a raised flag, long enough to cost nothing.
            let wait =
                board.next_retry(Instant::now()).unwrap_or(Duration::MAX).min(Duration::from_millis(200));
            match receiver.recv_timeout(wait) {
                Ok(Message::Log { task, line }) => board.logged(task, line),
                Ok(Message::Ended { task, attempt, result }) => board.ended(task, attempt, result)?,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => board.keep()?,
            }
        }
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner")
            .field("runs", &self.runs)
            .field("run_id", &self.run_id)
            .finish_non_exhaustive()
    }
}

/// What an attempt needs to know, owned, so that the board stays with the runner.
pub(crate) struct Attempt {
    pub(crate) run_folder: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) number: u32,
    pub(crate) cancel: CancelFlag,
    pub(crate) earlier: std::collections::BTreeMap<String, crate::TaskRecord>,
}

/// Does one attempt on this thread; a panic is a failure like any other.
fn work(task: usize, work: &Work, attempt: &Attempt, sender: &Sender<Message>) {
    let log_path = attempt.folder.join("log.txt");
    let log = |line: &str| {
        append_line(&log_path, line);
        // The runner may have given up already; the log file has the line.
        let _ = sender.send(Message::Log { task, line: line.to_owned() });
    };
    let context = TaskContext {
        folder: attempt.folder.clone(),
        run_folder: &attempt.run_folder,
        attempt: attempt.number,
        earlier: attempt.earlier.clone(),
        cancel: &attempt.cancel,
        log: &log,
    };
    append_line(&log_path, &format!("--- attempt {} ---", attempt.number));
    let result = catch_unwind(AssertUnwindSafe(|| work(&context)))
        .unwrap_or_else(|panic| Err(TaskError::new(panic_text(panic.as_ref()))));
    let _ = sender.send(Message::Ended { task, attempt: attempt.number, result });
}

/// A log that cannot be written must not fail the task.
fn append_line(path: &Path, line: &str) {
    let written =
        OpenOptions::new().append(true).create(true).open(path).and_then(|mut f| writeln!(f, "{line}"));
    if let Err(error) = written {
        tracing::warn!(path = %path.display(), %error, "cannot write a task's log");
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("the task panicked: {}", text.unwrap_or_else(|| "no message".to_owned()))
}
