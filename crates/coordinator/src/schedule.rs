//! When things run: cron expressions in an IANA time zone, one run of a job at a time.
//!
//! tokio-cron-scheduler keeps a zone as the offset of the day a job was added, which is an hour wrong after the
//! clocks change. So each occurrence is computed in the zone itself and armed as a single shot.
//!
//! # Example
//! ```
//! use coordinator::When;
//! let nine = When::parse("0 9 * * *", "Europe/Berlin").unwrap();
//! let friday = "2024-03-29T12:00:00Z".parse().unwrap();
//! let times: Vec<String> = nine.next_times(friday, 3).iter().map(ToString::to_string).collect();
//! // The clocks go forward on Sunday: 9 o'clock comes an hour earlier in UTC.
//! assert_eq!(times, ["2024-03-30T08:00:00Z", "2024-03-31T07:00:00Z", "2024-04-01T07:00:00Z"]);
//! ```

use std::{
    collections::{BTreeMap, btree_map},
    fmt, fs,
    future::Future,
    path::{Path, PathBuf},
    pin::{Pin, pin},
    time::Duration,
};

use croner::{
    Cron,
    parser::{CronParser, Seconds},
};
use jiff::Timestamp;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc::{UnboundedSender, unbounded_channel},
    task::JoinSet,
};
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use crate::{marker::write_whole, runner::Clock};

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
    /// The scheduler itself failed.
    #[error("the scheduler stopped")]
    Scheduler(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Instants given by a cron expression in a time zone.
#[derive(Debug, Clone)]
pub struct When {
    expression: String,
    cron: Cron,
    zone: chrono_tz::Tz,
}

impl When {
    /// Reads five fields (seconds are 0) or six (seconds first), and an IANA zone such as `Europe/Berlin`.
    pub fn parse(expression: &str, zone: &str) -> Result<Self, ScheduleError> {
        let refuse = |reason: String| ScheduleError::Expression { expression: expression.to_owned(), reason };
        let fields = expression.split_whitespace().count();
        let six = match fields {
            5 => format!("0 {expression}"),
            6 => expression.to_owned(),
            _ => return Err(refuse(format!("{fields} fields"))),
        };
        let parser = CronParser::builder().seconds(Seconds::Required).build();
        let cron = parser.parse(&six).map_err(|error| refuse(error.to_string()))?;
        let zone = zone.parse().map_err(|_| ScheduleError::Zone(zone.to_owned()))?;
        Ok(Self { expression: expression.to_owned(), cron, zone })
    }

    /// Returns the first instant after `instant`; none when there never is one (30 February).
    pub fn next_after(&self, instant: Timestamp) -> Option<Timestamp> {
        let local = chrono::DateTime::from_timestamp(instant.as_second(), 0)?.with_timezone(&self.zone);
        let next = self.cron.find_next_occurrence(&local, false).ok()?;
        Timestamp::from_second(next.timestamp()).ok()
    }

    /// Returns the first `count` instants after `instant`, ascending.
    pub fn next_times(&self, instant: Timestamp, count: usize) -> Vec<Timestamp> {
        std::iter::successors(self.next_after(instant), |last| self.next_after(*last)).take(count).collect()
    }

    /// Returns the IANA name of the zone.
    pub fn zone(&self) -> &'static str {
        self.zone.name()
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.expression, self.zone())
    }
}

type Work = Box<dyn Fn(Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

struct Entry {
    name: String,
    when: When,
    work: Work,
}

/// Named jobs and when they run.
pub struct Schedule {
    entries: Vec<Entry>,
    clock: Clock,
    journal: Option<PathBuf>,
}

impl Schedule {
    /// Builds an empty schedule; `clock` must agree with the machine's, which arms the shots.
    pub fn new(clock: Clock) -> Self {
        Self { entries: Vec::new(), clock, journal: None }
    }

    /// Keeps the instant of each job's last start in the file at `path`, so that missed runs are noticed.
    #[must_use]
    pub fn journal(mut self, path: impl Into<PathBuf>) -> Self {
        self.journal = Some(path.into());
        self
    }

    /// Adds a job; `work` gets the instant for which it was due.
    pub fn job<F>(
        mut self,
        name: &str,
        when: When,
        work: impl Fn(Timestamp) -> F + Send + Sync + 'static,
    ) -> Result<Self, ScheduleError>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if self.entries.iter().any(|entry| entry.name == name) {
            return Err(ScheduleError::Duplicate(name.to_owned()));
        }
        let work: Work = Box::new(move |due| Box::pin(work(due)));
        self.entries.push(Entry { name: name.to_owned(), when, work });
        Ok(self)
    }

    /// Returns each job's next instant, in the order they were added.
    pub fn upcoming(&self) -> Vec<(&str, Option<Timestamp>)> {
        let now = (self.clock)();
        self.entries.iter().map(|entry| (entry.name.as_str(), entry.when.next_after(now))).collect()
    }

    /// Returns each job that should have run since its last start, with the first instant that passed.
    pub fn missed(&self) -> Vec<(&str, Timestamp)> {
        let (now, last) = ((self.clock)(), self.last_starts());
        let missed = |entry: &Entry| entry.when.next_after(*last.get(&entry.name)?).filter(|due| *due < now);
        self.entries.iter().filter_map(|entry| Some((entry.name.as_str(), missed(entry)?))).collect()
    }

    /// Runs jobs when they are due until `stop` resolves, then waits for those that still work.
    ///
    /// A job that is due while its last run still works is skipped, with a line in the log.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), ScheduleError> {
        for (job, due) in self.missed() {
            tracing::warn!(job, %due, "a run was missed while the schedule was down");
        }
        let mut scheduler = JobScheduler::new().await.map_err(stopped)?;
        let (sender, mut shots) = unbounded_channel();
        for index in 0..self.entries.len() {
            self.arm(&scheduler, index, (self.clock)(), &sender).await?;
        }
        scheduler.start().await.map_err(stopped)?;
        let mut working = JoinSet::new();
        let mut busy = BTreeMap::new();
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some((index, due)) = shots.recv() => {
                    self.arm(&scheduler, index, due, &sender).await?;
                    match busy.entry(index) {
                        btree_map::Entry::Vacant(free) => {
                            self.note_start(index, due);
                            free.insert(working.spawn((self.entries[index].work)(due)).id());
                        }
                        btree_map::Entry::Occupied(_) => {
                            let job = &self.entries[index].name;
                            tracing::warn!(job, %due, "skipped: the last run still works");
                        }
                    }
                }
                Some(ended) = working.join_next_with_id() => {
                    // A panic was printed by its thread; the job is free for its next time.
                    let ended = ended.map_or_else(|error| error.id(), |(id, ())| id);
                    busy.retain(|_, id| *id != ended);
                }
            }
        }
        scheduler.shutdown().await.map_err(stopped)?;
        if !working.is_empty() {
            tracing::info!(jobs = working.len(), "stopping: waiting for jobs that still work");
        }
        while working.join_next().await.is_some() {}
        Ok(())
    }

    /// Arms the job's next shot after `last` and after this moment.
    async fn arm(
        &self,
        scheduler: &JobScheduler,
        index: usize,
        last: Timestamp,
        sender: &UnboundedSender<(usize, Timestamp)>,
    ) -> Result<(), ScheduleError> {
        let now = (self.clock)();
        let Some(due) = self.entries[index].when.next_after(last.max(now)) else { return Ok(()) };
        let wait = Duration::try_from(due.duration_since(now)).unwrap_or_default();
        let sender = sender.clone();
        let shot = Job::new_one_shot_async(wait, move |_, _| {
            // Nobody listens any more once the schedule stops.
            let _ = sender.send((index, due));
            Box::pin(async {})
        });
        scheduler.add(shot.map_err(stopped)?).await.map_err(stopped)?;
        Ok(())
    }

    fn last_starts(&self) -> BTreeMap<String, Timestamp> {
        self.journal.as_deref().map(read_journal).unwrap_or_default()
    }

    fn note_start(&self, index: usize, due: Timestamp) {
        let Some(path) = &self.journal else { return };
        let mut last = self.last_starts();
        last.insert(self.entries[index].name.clone(), due);
        let written = serde_json::to_vec_pretty(&last).map_err(std::io::Error::from);
        if let Err(error) = written.and_then(|bytes| write_whole(path, &bytes, true)) {
            tracing::warn!(path = %path.display(), %error, "cannot note a job's start");
        }
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let jobs = self.entries.iter().map(|entry| (&entry.name, entry.when.to_string()));
        f.debug_map().entries(jobs).finish()
    }
}

/// Resolves when the process is asked to end: ctrl-c or SIGTERM.
///
/// # Errors
/// When the system refuses a signal handler.
pub async fn until_asked_to_stop() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminate.recv() => Ok(()),
    }
}

fn read_journal(path: &Path) -> BTreeMap<String, Timestamp> {
    fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn stopped(error: JobSchedulerError) -> ScheduleError {
    ScheduleError::Scheduler(Box::new(error))
}

#[cfg(test)]
mod tests;
