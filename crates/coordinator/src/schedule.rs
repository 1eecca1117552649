//! When things run: cron expressions in an IANA time zone, one run of a job at a time, missed runs caught up once.
//!
//! tokio-cron-scheduler rings; what is to be done then is decided from the clock and a journal of the jobs' last runs:
//!
//! - What was due while the schedule was down, the machine slept or the clock jumped forward runs **once**, for the
//!   latest of these instants, if that is not longer ago than the [grace](Schedule::grace).
//! - A job that was killed or stopped in the middle is tried a second time, and not a third.
//! - An instant is settled once something began for it: a clock that is put back makes nothing run twice.
//! - A job that is due while its last run still works is skipped.
//! - The first start ever catches up on nothing, and neither does a job whose expression or zone was changed.
//!
//! # Example
//! ```
//! use std::sync::{Arc, atomic::{AtomicI64, Ordering}};
//! use coordinator::{Outcome, Schedule, Stop, When};
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let nine = When::parse("0 9 * * *", "Europe/Berlin").unwrap();
//! let clock: coordinator::Clock = Arc::new(|| "2024-03-31T06:59:59Z".parse().unwrap());
//! let schedule = Schedule::new(clock).job("report", nine, |_| async { Outcome::done() }).unwrap();
//! // The clocks went forward this morning: 9 o'clock is an hour earlier in UTC.
//! assert_eq!(schedule.report().jobs[0].next, Some("2024-03-31T07:00:00Z".parse().unwrap()));
//! let stop = Stop::new();
//! stop.ask();
//! schedule.run(&stop).await.unwrap(); // asked to stop before anything was due
//! # });
//! ```

mod alarm;
mod journal;
mod planner;
mod running;
mod stop;
mod watch;
mod when;

use std::{
    fmt,
    future::Future,
    path::PathBuf,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use self::{
    journal::Records,
    planner::Planner,
    watch::{Desk, lock},
};
pub use self::{
    journal::{Ending, LastRun, Outcome},
    stop::{Stop, until_asked_to_stop},
    watch::{JobReport, Phase, Report, Watch},
    when::When,
};
use crate::{Lock, LockError, runner::Clock};

/// Why a schedule was refused or could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// The expression is no cron expression.
    #[error(
        "`{expression}` is no cron expression ({reason}): use five fields (minute hour day month weekday), or six with seconds first"
    )]
    Expression {
        /// As given.
        expression: String,
        /// What the parser said.
        reason: String,
    },
    /// The zone is not in the IANA database.
    #[error("`{0}` is no IANA time zone: use a name like Europe/Berlin or UTC")]
    Zone(String),
    /// Two jobs share a name.
    #[error("two scheduled jobs are called `{0}`: give each a name of its own")]
    Duplicate(String),
    /// Another schedule has the journal, or it cannot be locked.
    #[error("this schedule cannot run")]
    Lock(#[from] LockError),
    /// The scheduler itself failed.
    #[error("the scheduler stopped")]
    Scheduler(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// One run of a job, as the job sees it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Turn {
    /// The instant that it is for.
    pub due: Timestamp,
    /// 1, or 2 when the first try for this instant was cut short.
    pub attempt: u32,
    /// Whether that instant was missed, so that this is a run to catch up.
    pub is_late: bool,
    stop: Stop,
}

impl Turn {
    /// Resolves when the job should come to an end soon, with [`Ending::Stopped`] if it is not done.
    ///
    /// A job that does not is dropped after [`Schedule::stop_within`], or at the second wish.
    pub async fn asked_to_stop(&self) {
        self.stop.asked().await;
    }

    /// Tells whether [`asked_to_stop`](Self::asked_to_stop) would resolve.
    pub fn is_asked_to_stop(&self) -> bool {
        self.stop.is_asked()
    }
}

type Work = Box<dyn Fn(Turn) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync>;

/// Named jobs and when they run.
pub struct Schedule {
    works: Vec<Work>,
    desk: Arc<Mutex<Desk>>,
    clock: Clock,
    journal: Option<PathBuf>,
    stop_within: Duration,
}

impl Schedule {
    /// Builds an empty schedule.
    pub fn new(clock: Clock) -> Self {
        let desk = Desk {
            // A night missed by less than a day is worth having, but not when the next one is about to begin.
            planner: Planner::new(SignedDuration::from_hours(20)),
            others: Records::new(),
            phase: Phase::Down,
            looked_at: None,
            journal_problem: None,
        };
        let (desk, stop_within) = (Arc::new(Mutex::new(desk)), Duration::from_mins(1));
        Self { works: Vec::new(), desk, clock, journal: None, stop_within }
    }

    /// Remembers the jobs' last runs in the file at `path`, so that missed ones are caught up after a restart; the file
    /// beside it that ends in `.lock` keeps a second schedule out.
    #[must_use]
    pub fn journal(mut self, path: impl Into<PathBuf>) -> Self {
        self.journal = Some(path.into());
        self
    }

    /// Sets how long after its instant a missed run is still worth doing; 20 hours unless set.
    #[must_use]
    pub fn grace(self, grace: SignedDuration) -> Self {
        lock(&self.desk).planner.grace = grace;
        self
    }

    /// Sets how long jobs may take to come to an end once the schedule stops; a minute unless set.
    #[must_use]
    pub fn stop_within(mut self, limit: Duration) -> Self {
        self.stop_within = limit;
        self
    }

    /// Adds a job.
    pub fn job<F>(
        mut self,
        name: &str,
        when: When,
        work: impl Fn(Turn) -> F + Send + Sync + 'static,
    ) -> Result<Self, ScheduleError>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let now = (self.clock)();
        let mut desk = lock(&self.desk);
        if desk.planner.slots.iter().any(|slot| slot.name == name) {
            return Err(ScheduleError::Duplicate(name.to_owned()));
        }
        desk.planner.add(name, when, now);
        drop(desk);
        self.works.push(Box::new(move |turn| Box::pin(work(turn))));
        Ok(self)
    }

    /// Returns how the schedule stands before it runs: what is next, what was last, what is owed.
    pub fn report(&self) -> Report {
        self.recall();
        self.watch().report()
    }

    /// Returns a handle that tells how the schedule stands while it runs.
    pub fn watch(&self) -> Watch {
        Watch { desk: Arc::clone(&self.desk), clock: Arc::clone(&self.clock) }
    }

    /// Returns what the schedule that has the journal wrote about itself; none while none has it.
    pub fn holder(&self) -> Option<String> {
        Lock::holder(&self.lock_file()?)
    }

    fn lock_file(&self) -> Option<PathBuf> {
        self.journal.as_ref().map(|journal| journal.with_extension("lock"))
    }

    /// Takes over what the journal remembers.
    fn recall(&self) {
        let Some(path) = &self.journal else { return };
        let now = (self.clock)();
        match journal::read(path) {
            Ok(records) => {
                let mut desk = lock(&self.desk);
                desk.planner.remember(&records, now);
                desk.others = records;
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "cannot read what ran last: nothing is caught up");
            }
        }
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let desk = lock(&self.desk);
        let jobs = desk.planner.slots.iter().map(|slot| (&slot.name, slot.when.to_string()));
        f.debug_map().entries(jobs).finish()
    }
}

#[cfg(test)]
mod tests;
