//! Which job runs for which instant: a decision from the clock and the journal alone.
//!
//! Each job has a floor, the last instant that is settled: run, let go, or before anybody asked. What was due
//! since then runs once, for the latest of these instants, so that a week's sleep is not followed by seven nights.

use jiff::{SignedDuration, Timestamp};

use super::{
    When,
    journal::{JobRecord, LastRun, Outcome, Records},
};

/// Tries for one instant: a job that takes the machine down must not do so for ever.
const MOST_ATTEMPTS: u32 = 2;

/// A run that begins within this time after its instant is not late, whatever the grace: alarms ring a little after it.
pub(super) const LATE: SignedDuration = SignedDuration::from_mins(2);

/// A clock that is put right by less than this was right enough.
const SLEW: SignedDuration = SignedDuration::from_hours(1);

/// What to do about a job now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Run it.
    Run { job: usize, due: Timestamp, attempt: u32 },
    /// Do not: its last run is still at work.
    Busy { job: usize, due: Timestamp },
    /// Do not: it was due longer ago than anybody cares.
    TooLate { job: usize, due: Timestamp },
}

/// One job, as it stands.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) name: String,
    pub(super) when: When,
    pub(super) record: JobRecord,
    pub(super) is_working: bool,
    /// Since when the clock has stood so far before the floor that the floor cannot be right.
    pub(super) adrift: Option<Timestamp>,
    /// The first instant after a floor, so that it is not computed at every look.
    first: Option<(Timestamp, Option<Timestamp>)>,
}

impl Slot {
    /// Returns the last instant that is settled, as the journal has it.
    fn settled(&self) -> Timestamp {
        let last = self.record.last.as_ref().map(|last| last.due);
        self.record
            .since
            .max(last.unwrap_or(Timestamp::MIN))
            .max(self.record.let_go.unwrap_or(Timestamp::MIN))
    }

    fn floor(&self) -> Timestamp {
        self.adrift.unwrap_or_else(|| self.settled())
    }

    /// Returns the next instant after `now` that is not settled.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<Timestamp> {
        let first = self.first()?;
        if first > now { Some(first) } else { self.when.next_after(now) }
    }

    /// Returns the first instant that is not settled, when it has passed.
    pub(super) fn owed(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.first().filter(|due| *due <= now)
    }

    fn first(&mut self) -> Option<Timestamp> {
        let floor = self.floor();
        match self.first {
            Some((known, first)) if known == floor => first,
            _ => self.first.insert((floor, self.when.next_after(floor))).1,
        }
    }

    /// A floor far ahead of the clock is of a time when the clock was wrong, or the clock is wrong now. Either way the
    /// job goes on from here; the journal keeps its floor until a run replaces it, for when the clock is put right.
    fn look_for_drift(&mut self, now: Timestamp, grace: SignedDuration) {
        let ahead = self.settled().duration_since(now) > grace.max(SLEW);
        self.adrift = ahead.then(|| self.adrift.map_or(now, |since| since.min(now)));
    }
}

/// All jobs.
#[derive(Debug, Clone)]
pub(super) struct Planner {
    pub(super) grace: SignedDuration,
    pub(super) slots: Vec<Slot>,
}

impl Planner {
    pub(super) fn new(grace: SignedDuration) -> Self {
        Self { grace, slots: Vec::new() }
    }

    /// Adds a job that is not remembered; nothing of its past is owed.
    pub(super) fn add(&mut self, name: &str, when: When, now: Timestamp) {
        let record = JobRecord { when: when.to_string(), since: now, let_go: None, last: None };
        let slot = Slot { name: name.to_owned(), when, record, is_working: false, adrift: None, first: None };
        self.slots.push(slot);
    }

    /// Takes over what was remembered. Under another expression or zone a job owes nothing of its past.
    pub(super) fn remember(&mut self, records: &Records, now: Timestamp) {
        for slot in &mut self.slots {
            let Some(record) = records.get(&slot.name) else { continue };
            let same = record.when == slot.when.to_string();
            let since = if same { record.since } else { now };
            slot.record = JobRecord { when: slot.when.to_string(), since, ..record.clone() };
            if !same {
                slot.record.last = slot.record.last.take().filter(|last| last.ended_at.is_some());
            }
            slot.look_for_drift(now, self.grace);
        }
    }

    /// Returns what is to be remembered, in place of what was.
    pub(super) fn records(&self, mut before: Records) -> Records {
        before.extend(self.slots.iter().map(|slot| (slot.name.clone(), slot.record.clone())));
        before
    }

    /// Decides what is to be done at `now`; what is let go is settled by that.
    pub(super) fn look(&mut self, now: Timestamp) -> Vec<Decision> {
        let grace = self.grace;
        let decide = |(job, slot): (usize, &mut Slot)| {
            slot.look_for_drift(now, grace);
            let owed = slot.owed(now).and_then(|_| slot.when.latest_between(slot.floor(), now));
            let Some(due) = owed else {
                return slot.cut_short(now, grace).map(|(due, attempt)| Decision::Run { job, due, attempt });
            };
            if !slot.is_working && now.duration_since(due) <= grace.max(LATE) {
                return Some(Decision::Run { job, due, attempt: 1 });
            }
            match &mut slot.adrift {
                Some(adrift) => *adrift = due,
                None => slot.record.let_go = Some(due),
            }
            Some(if slot.is_working { Decision::Busy { job, due } } else { Decision::TooLate { job, due } })
        };
        self.slots.iter_mut().enumerate().filter_map(decide).collect()
    }

    /// Notes that a job begins.
    pub(super) fn begin(&mut self, job: usize, due: Timestamp, attempt: u32, now: Timestamp) {
        let slot = &mut self.slots[job];
        slot.is_working = true;
        // After the clock was put back, what was noted for later no longer holds.
        slot.record.since = slot.record.since.min(due);
        slot.record.let_go = slot.record.let_go.filter(|let_go| *let_go < due);
        slot.record.last = Some(LastRun { due, attempt, started_at: now, ended_at: None, outcome: None });
        slot.look_for_drift(now, self.grace);
    }

    /// Notes how a job ended.
    pub(super) fn end(&mut self, job: usize, outcome: Outcome, now: Timestamp) {
        let slot = &mut self.slots[job];
        slot.is_working = false;
        if let Some(last) = &mut slot.record.last {
            (last.ended_at, last.outcome) = (Some(now), Some(outcome));
        }
    }

    /// Returns the jobs at work.
    pub(super) fn working(&self) -> Vec<usize> {
        (0..self.slots.len()).filter(|job| self.slots[*job].is_working).collect()
    }
}

impl Slot {
    /// Returns the last run's instant and the number of its next try, when it was stopped or killed and is worth one.
    fn cut_short(&self, now: Timestamp, grace: SignedDuration) -> Option<(Timestamp, u32)> {
        let last = self.record.last.as_ref().filter(|_| !self.is_working)?;
        let age = now.duration_since(last.due);
        let is_worth_it = !last.came_to_an_end() && last.attempt < MOST_ATTEMPTS && age <= grace;
        (is_worth_it && age >= SignedDuration::ZERO).then(|| (last.due, last.attempt + 1))
    }
}

#[cfg(test)]
mod tests;
