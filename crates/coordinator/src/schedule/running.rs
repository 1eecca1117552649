//! The loop: the alarm rings, the planner decides, jobs work, the journal is kept.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    task::{Id, JoinError, JoinSet},
    time::{Instant, MissedTickBehavior, interval, sleep},
};

use super::{
    Ending, Outcome, Phase, Schedule, ScheduleError, Stop, Turn,
    alarm::Alarm,
    journal,
    planner::{Decision, LATE},
    watch::{Desk, lock},
};
use crate::Lock;

/// The clock is looked at even when nothing rings: it may have been put back.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Jobs at work.
#[derive(Default)]
struct Working {
    tasks: JoinSet<Outcome>,
    jobs: BTreeMap<Id, usize>,
}

impl Working {
    /// Resolves with the next job that ends; never while none works.
    async fn next(&mut self) -> (usize, Outcome) {
        loop {
            let Some(ended) = self.tasks.join_next_with_id().await else {
                std::future::pending::<()>().await;
                continue;
            };
            if let Some(job) = self.jobs.remove(&ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id)) {
                // A panic was printed by its thread.
                let died = |_| Outcome::other(Ending::Failed, "it panicked");
                return (job, ended.map_or_else(died, |(_, outcome)| outcome));
            }
        }
    }
}

impl Schedule {
    /// Runs jobs when they are due until `stop` is asked, then lets those at work come to an end.
    ///
    /// Dropping the future drops the jobs at work, as a kill would: the next schedule on this journal tries them again.
    ///
    /// # Errors
    /// [`ScheduleError::Lock`] while another schedule has the journal.
    pub async fn run(self, stop: &Stop) -> Result<(), ScheduleError> {
        let _alone = self.lock_file().map(|path| Lock::try_take(&path, (self.clock)())).transpose()?;
        self.recall();
        let mut alarm = Alarm::start(Arc::clone(&self.clock)).await?;
        let mut working = Working::default();
        let mut pulse = interval(LOOK_EVERY);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.change(|desk, _| desk.phase = Phase::Up);
        while !stop.is_asked() {
            self.look(&mut working, stop);
            let now = (self.clock)();
            let next: Vec<_> =
                lock(&self.desk).planner.slots.iter_mut().filter_map(|slot| slot.next(now)).collect();
            for due in next {
                alarm.arm(due).await?;
            }
            tokio::select! {
                biased;
                () = stop.asked() => {}
                (job, outcome) = working.next() => self.ended(job, outcome),
                _ = alarm.rings() => {}
                _ = pulse.tick() => {}
            }
        }
        drop(alarm);
        self.park(working, stop).await;
        Ok(())
    }

    /// Begins what is due.
    fn look(&self, working: &mut Working, stop: &Stop) {
        let now = (self.clock)();
        let mut desk = lock(&self.desk);
        desk.looked_at = Some(Instant::now());
        let decisions = desk.planner.look(now);
        if decisions.is_empty() {
            return;
        }
        for decision in decisions {
            match decision {
                Decision::Run { job, due, attempt } => {
                    desk.planner.begin(job, due, attempt, now);
                    // Noted before it begins: whoever is killed between the two has tried.
                    self.keep(&mut desk);
                    let is_late = now.duration_since(due) > LATE || attempt > 1;
                    let turn = Turn { due, attempt, is_late, stop: stop.clone() };
                    let task = working.tasks.spawn((self.works[job])(turn));
                    working.jobs.insert(task.id(), job);
                }
                Decision::Busy { job, due } => {
                    let job = &desk.planner.slots[job].name;
                    tracing::warn!(job, %due, "skipped: the last run still works");
                }
                Decision::TooLate { job, due } => {
                    let job = &desk.planner.slots[job].name;
                    tracing::warn!(job, %due, "missed, and too long ago to be caught up");
                }
            }
        }
        self.keep(&mut desk);
    }

    fn ended(&self, job: usize, outcome: Outcome) {
        self.change(|desk, now| desk.planner.end(job, outcome, now));
    }

    /// Lets jobs at work come to an end within the limit; whatever still works then is dropped, and still owed.
    async fn park(&self, mut working: Working, stop: &Stop) {
        self.change(|desk, _| desk.phase = Phase::Stopping);
        let limit = sleep(self.stop_within);
        tokio::pin!(limit);
        while !working.jobs.is_empty() {
            tokio::select! {
                biased;
                () = stop.asked_at_once() => break,
                (job, outcome) = working.next() => self.ended(job, outcome),
                () = &mut limit => break,
            }
        }
        working.tasks.shutdown().await;
        self.change(|desk, now| {
            for job in desk.planner.working() {
                desk.planner.end(job, Outcome::other(Ending::Stopped, "it had to be killed"), now);
            }
            desk.phase = Phase::Down;
        });
    }

    /// Changes how things stand, and notes it.
    fn change(&self, change: impl FnOnce(&mut Desk, Timestamp)) {
        let now = (self.clock)();
        let mut desk = lock(&self.desk);
        change(&mut desk, now);
        self.keep(&mut desk);
    }

    fn keep(&self, desk: &mut Desk) {
        let Some(path) = &self.journal else { return };
        desk.others = desk.planner.records(std::mem::take(&mut desk.others));
        let written = journal::write(path, &desk.others);
        desk.journal_problem = written.err().map(|error| {
            tracing::warn!(path = %path.display(), %error, "cannot note what ran");
            format!("what ran cannot be noted, so that it may run again after a restart ({error})")
        });
    }
}
