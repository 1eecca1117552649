//! How a schedule stands: for its health endpoint and for tables.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::time::Instant;

use super::{
    journal::{LastRun, Records},
    planner::{Decision, Planner, Slot},
};
use crate::runner::Clock;

/// A loop that has not looked at the clock for so long stands still.
const STANDS_STILL: Duration = Duration::from_mins(5);

/// Everything that the loop and those who watch it share.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) planner: Planner,
    /// What the journal holds beside our jobs.
    pub(super) others: Records,
    pub(super) phase: Phase,
    pub(super) looked_at: Option<Instant>,
    pub(super) journal_problem: Option<String>,
}

/// What a schedule is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It has not begun, or has ended.
    Down,
    /// It runs jobs when they are due.
    Up,
    /// It waits for jobs at work and begins no other.
    Stopping,
}

/// How a schedule stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What it is doing.
    pub status: Phase,
    /// Why it is not well, in sentences; a failed job is none, for that is the job's own affair.
    pub problems: Vec<String>,
    /// What the clock said.
    pub now: Timestamp,
    /// Each job, in the order they were added.
    pub jobs: Vec<JobReport>,
}

impl Report {
    /// Tells whether jobs run when they are due, as far as can be seen.
    pub fn is_well(&self) -> bool {
        self.status != Phase::Down && self.problems.is_empty()
    }
}

/// How a job stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JobReport {
    /// Its name.
    pub name: String,
    /// Its cron expression.
    pub cron: String,
    /// The zone of that.
    pub zone: String,
    /// When it is due next.
    pub next: Option<Timestamp>,
    /// The instant for which it is about to be caught up, when one has passed.
    pub owed: Option<Timestamp>,
    /// Whether it works.
    pub running: bool,
    /// Its last run.
    pub last: Option<LastRun>,
}

/// Looks at a schedule from outside; cheap to clone.
#[derive(Clone)]
pub struct Watch {
    pub(super) desk: Arc<Mutex<Desk>>,
    pub(super) clock: Clock,
}

impl Watch {
    /// Returns how the schedule stands.
    pub fn report(&self) -> Report {
        let now = (self.clock)();
        lock(&self.desk).report(now)
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&self.report()).finish()
    }
}

pub(super) fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    pub(super) fn report(&self, now: Timestamp) -> Report {
        let mut problems: Vec<String> = self.journal_problem.iter().cloned().collect();
        let stands_still = |at: Instant| at.elapsed() > STANDS_STILL;
        if self.phase == Phase::Up && self.looked_at.is_some_and(stands_still) {
            problems.push("the schedule stands still".to_owned());
        }
        // Looking changes what is settled, so it is done on a copy.
        let mut planner = self.planner.clone();
        if self.phase != Phase::Down {
            let grace = planner.grace;
            problems.extend(planner.slots.iter_mut().filter_map(|slot| problem(slot, now, grace)));
        }
        let decided = planner.clone().look(now);
        let jobs = planner.slots.iter_mut().enumerate();
        let jobs = jobs.map(|(index, slot)| JobReport::of(index, slot, now, &decided)).collect();
        Report { status: self.phase, problems, now, jobs }
    }
}

fn problem(slot: &mut Slot, now: Timestamp, grace: SignedDuration) -> Option<String> {
    let is_old = |since: &Timestamp| now.duration_since(*since) > grace;
    if slot.adrift.is_some() {
        return Some(format!("{}: the clock stands far before what was last settled", slot.name));
    }
    if slot.is_working {
        let since = slot.record.last.as_ref().map(|last| last.started_at).filter(is_old)?;
        return Some(format!("{} has been at work since {since}", slot.name));
    }
    let due = slot.owed(now).filter(is_old)?;
    Some(format!("{} was due at {due} and has not begun", slot.name))
}

impl JobReport {
    fn of(index: usize, slot: &mut Slot, now: Timestamp, decided: &[Decision]) -> Self {
        let owed = decided.iter().find_map(|decision| match decision {
            Decision::Run { job, due, .. } if *job == index => Some(*due),
            _ => None,
        });
        Self {
            name: slot.name.clone(),
            cron: slot.when.expression().to_owned(),
            zone: slot.when.zone().to_owned(),
            next: slot.next(now),
            owed,
            running: slot.is_working,
            last: slot.record.last.clone(),
        }
    }
}
