//! The state of a run in memory, kept in step with its folder: every change is an event, written, then shown.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    CancelFlag, Change, Done, Event, Evidence, Observer, Plan, RunError, RunFolder, RunRecord, RunSummary,
    Runner, TaskError, TaskOutput, TaskRecord, TaskState, approval,
    folder::failed,
    headquarters::{self, RECENT},
    marker::fingerprint,
    runner::Attempt,
    runs,
};

/// What the runner knows of a task beyond its record.
#[derive(Default, Clone)]
struct Slot {
    /// Attempts begun in this session; the retry budget counts these.
    tries: u32,
    not_before: Option<Instant>,
    began: Option<jiff::Timestamp>,
    /// When the attempt at work is over its budget.
    due: Option<Instant>,
    cancel: CancelFlag,
    fingerprint: String,
}

pub(crate) struct Board<'a> {
    runner: &'a Runner,
    plan: &'a Plan,
    folder: RunFolder,
    observer: &'a dyn Observer,
    record: RunRecord,
    slots: Vec<Slot>,
    /// When the state was written last, and how long that took.
    written: Option<(Instant, Duration)>,
    /// Whether something happened since.
    changed: bool,
    /// The runs before this one.
    recent: Vec<RunSummary>,
}

/// The state of a run of many tasks is large: it is written so much more seldom than it takes. The events are all there.
const WRITING_SHARE: u32 = 20;

impl<'a> Board<'a> {
    /// Lays out the tasks, with the attempts that earlier sessions counted.
    pub(crate) fn new(
        runner: &'a Runner,
        run_id: &str,
        plan: &'a Plan,
        folder: RunFolder,
        observer: &'a dyn Observer,
    ) -> Self {
        let before = folder.state();
        let lay_out = |task: &crate::Task| {
            let mut record = TaskRecord::pending(task.id(), task.kind());
            let known = before.as_ref().and_then(|before| before.task(task.id()));
            record.attempts = known.map_or(0, |known| known.attempts);
            record
        };
        let tasks = plan.tasks().iter().map(lay_out).collect();
        let started_at = (runner.clock)();
        let record = RunRecord { run_id: run_id.to_owned(), started_at, ended_at: None, tasks };
        let slots = vec![Slot::default(); plan.tasks().len()];
        let before = folder.path().parent().and_then(|runs| runs::list(runs).ok()).unwrap_or_default();
        let recent = before.into_iter().filter(|run| run.run_id != run_id).take(RECENT).collect();
        Self { runner, plan, folder, observer, record, slots, written: None, changed: false, recent }
    }

    pub(crate) fn into_parts(self) -> (RunRecord, RunFolder) {
        (self.record, self.folder)
    }

    pub(crate) fn start_run(&mut self) -> Result<(), RunError> {
        let (run_id, tasks) = (self.record.run_id.clone(), self.record.tasks.len());
        self.happened(None, Change::RunStarted { run_id, tasks })
    }

    pub(crate) fn end_run(&mut self) -> Result<(), RunError> {
        let mut states = BTreeMap::new();
        for task in &self.record.tasks {
            *states.entry(task.state).or_insert(0) += 1;
        }
        self.record.ended_at = Some((self.runner.clock)());
        self.happened(None, Change::RunEnded { states })
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.record.tasks.iter().all(|task| task.state.is_final())
    }

    /// Blocks what can no longer go on, and cancels what must not begin.
    pub(crate) fn settle(&mut self) -> Result<(), RunError> {
        let cancelled = self.runner.cancel.is_raised();
        // One pass is not enough when a task stands before what it waits for.
        while let Some(task) = (0..self.slots.len()).find(|task| self.is_stuck(*task, cancelled)) {
            if cancelled {
                self.record.tasks[task].state = TaskState::Cancelled;
                self.happened(Some(task), Change::Cancelled)?;
            } else {
                let lost = |need: &&usize| self.state(**need) != TaskState::Done;
                let blocked_by: Vec<String> = self
                    .plan
                    .needs(task)
                    .iter()
                    .filter(lost)
                    .map(|n| self.record.tasks[*n].id.clone())
                    .collect();
                self.block(task, Evidence { blocked_by, ..Evidence::default() })?;
            }
        }
        Ok(())
    }

    fn is_stuck(&self, task: usize, cancelled: bool) -> bool {
        if self.state(task) != TaskState::Pending {
            return false;
        }
        let needs = self.plan.needs(task);
        let waits_for_final = needs.iter().all(|need| self.state(*need).is_final());
        let lost = waits_for_final && needs.iter().any(|need| self.state(*need) != TaskState::Done);
        cancelled || lost
    }

    /// Returns the task of the highest priority that may begin now; of several the first in the plan's order.
    pub(crate) fn next_ready(&self, now: Instant) -> Option<usize> {
        let running = self.record.in_state(TaskState::Running).count();
        if running >= self.runner.limits.concurrency.max(1) || self.runner.cancel.is_raised() {
            return None;
        }
        let ready = (0..self.slots.len()).filter(|task| self.is_ready(*task, now));
        ready.max_by_key(|task| (self.plan.tasks()[*task].priority, Reverse(*task)))
    }

    fn is_ready(&self, task: usize, now: Instant) -> bool {
        self.state(task) == TaskState::Pending
            && self.plan.needs(task).iter().all(|need| self.state(*need) == TaskState::Done)
            && self.plan.after(task).iter().all(|earlier| self.state(*earlier).is_final())
            && self.slots[task].not_before.is_none_or(|instant| instant <= now)
    }

    /// Returns the wait until the next retry is due.
    pub(crate) fn next_retry(&self, now: Instant) -> Option<Duration> {
        let due = |(slot, task): (&Slot, &TaskRecord)| {
            slot.not_before
                .filter(|_| task.state == TaskState::Pending)
                .map(|at| at.saturating_duration_since(now))
        };
        self.slots.iter().zip(&self.record.tasks).filter_map(due).filter(|wait| !wait.is_zero()).min()
    }

    /// Begins an attempt, unless an earlier session did the task and nothing has changed since.
    pub(crate) fn begin(&mut self, task: usize) -> Result<Option<Attempt>, RunError> {
        let folder = self.folder.task(&self.record.tasks[task].id)?;
        let fingerprint = fingerprint(self.plan, task, &self.record.tasks);
        if let Some(done) = self.still_holds(task, &folder, &fingerprint) {
            let record = &mut self.record.tasks[task];
            record.reused = true;
            record.attempts = record.attempts.max(done.attempt);
            take(record, done.result, done.seconds);
            self.happened(Some(task), Change::Reused)?;
            return Ok(None);
        }
        Done::remove(&folder).map_err(failed("remove the old marker in", &folder))?;
        if let Some(what) = self.plan.tasks()[task].destroys.clone()
            && !approval::is_given(&folder, &fingerprint)
        {
            approval::ask(&folder, &fingerprint).map_err(failed("write the question in", &folder))?;
            self.block(task, Evidence { asks: Some(what), ..Evidence::default() })?;
            return Ok(None);
        }
        let slot = &mut self.slots[task];
        (slot.fingerprint, slot.began, slot.not_before) = (fingerprint, Some((self.runner.clock)()), None);
        (slot.due, slot.cancel) = (
            self.plan.tasks()[task].budget.map(|budget| Instant::now() + budget),
            self.runner.cancel.child(),
        );
        slot.tries += 1;
        let cancel = slot.cancel.clone();
        let record = &mut self.record.tasks[task];
        record.state = TaskState::Running;
        record.attempts += 1;
        let number = record.attempts;
        self.happened(Some(task), Change::Started { attempt: number })?;
        let waited_for = self.plan.needs(task).iter().chain(self.plan.after(task));
        let earlier = waited_for
            .map(|i| &self.record.tasks[*i])
            .map(|earlier| (earlier.id.clone(), earlier.clone()))
            .collect();
        Ok(Some(Attempt { run_folder: self.folder.path().to_owned(), folder, number, cancel, earlier }))
    }

    fn still_holds(&self, task: usize, folder: &Path, fingerprint: &str) -> Option<Done> {
        if self.slots[task].tries > 0 {
            return None;
        }
        let done = Done::read(folder)?;
        let same = done.task == self.record.tasks[task].id && done.fingerprint == fingerprint;
        (same && self.missing_output(task, &done.result).is_none()).then_some(done)
    }

    /// Returns the name of a declared output that is not there, or of one that does not verify.
    fn missing_output(&self, task: usize, result: &TaskOutput) -> Option<String> {
        let declared = &self.plan.tasks()[task].outputs;
        let absent = declared.iter().find(|name| !result.outputs.iter().any(|output| output.name == **name));
        let broken = || result.outputs.iter().find(|output| !(self.runner.verify)(output));
        absent.cloned().or_else(|| broken().map(|output| output.name.clone()))
    }

    pub(crate) fn logged(&self, task: usize, line: String) {
        let event = self.event(Some(task), Change::Log { line });
        self.observer.event(&event, &self.record);
    }

    /// Tells what is over its budget to stop, and gives up what does not.
    pub(crate) fn hold_to_budgets(&mut self, now: Instant) -> Result<(), RunError> {
        for task in 0..self.slots.len() {
            let slot = &self.slots[task];
            let Some(due) = slot.due.filter(|due| *due <= now && self.state(task) == TaskState::Running)
            else {
                continue;
            };
            slot.cancel.raise();
            if due + self.runner.limits.stop_within <= now && !self.runner.cancel.is_raised() {
                let attempt = self.record.tasks[task].attempts;
                self.ended(task, attempt, Err(TaskError::new("it does not stop and was given up")))?;
            }
        }
        Ok(())
    }

    /// Takes in how an attempt ended; one that was given up before has no say any more.
    pub(crate) fn ended(
        &mut self,
        task: usize,
        attempt: u32,
        result: Result<TaskOutput, TaskError>,
    ) -> Result<(), RunError> {
        let record = &self.record.tasks[task];
        if record.state != TaskState::Running || record.attempts != attempt {
            return Ok(());
        }
        let now = (self.runner.clock)();
        let began = self.slots[task].began.unwrap_or(now);
        let seconds = now.duration_since(began).as_secs_f64().max(0.0);
        let checked = result.and_then(|output| match self.missing_output(task, &output) {
            Some(name) => Err(TaskError::new(format!(
                "the task ended well, but its output `{name}` is absent or differs"
            ))),
            None => Ok(output),
        });
        match checked {
            Ok(output) => self.succeeded(task, output, seconds, now),
            Err(error) => self.failed(task, &error, seconds),
        }
    }

    fn succeeded(
        &mut self,
        task: usize,
        result: TaskOutput,
        seconds: f64,
        ended_at: jiff::Timestamp,
    ) -> Result<(), RunError> {
        let record = &mut self.record.tasks[task];
        let folder = self.folder.task(&record.id)?;
        let fingerprint = self.slots[task].fingerprint.clone();
        let (task_id, attempt) = (record.id.clone(), record.attempts);
        let done = Done { task: task_id, fingerprint, attempt, seconds, ended_at, result };
        done.write(&folder).map_err(failed("write the marker in", &folder))?;
        let summary = done.result.summary.clone();
        take(record, done.result, seconds);
        self.happened(Some(task), Change::Done { seconds, summary })
    }

    fn failed(&mut self, task: usize, error: &TaskError, seconds: f64) -> Result<(), RunError> {
        let (limits, tries) = (self.runner.limits, self.slots[task].tries);
        self.record.tasks[task].seconds = seconds;
        if self.runner.cancel.is_raised() {
            self.record.tasks[task].state = TaskState::Cancelled;
            return self.happened(Some(task), Change::Cancelled);
        }
        let declared = &self.plan.tasks()[task];
        let over = declared.budget.filter(|_| self.slots[task].cancel.is_raised());
        if over.is_some() || error.is_permanent() || tries > declared.retries {
            let folder = self.folder.task(&self.record.tasks[task].id)?;
            let log_tail = log_tail(&folder.join("log.txt"), limits.log_tail);
            let told = over.map(|budget| format!("over its budget of {budget:?}"));
            let error = told.into_iter().chain(error.chain()).collect();
            let evidence = Evidence { error, log_tail, ..Evidence::default() };
            let record = &mut self.record.tasks[task];
            record.state = TaskState::Failed;
            record.evidence = Some(evidence.clone());
            return self.happened(Some(task), Change::GaveUp { evidence });
        }
        let doubled = limits.backoff.saturating_mul(2u32.saturating_pow(tries.saturating_sub(1)));
        let wait = doubled.min(limits.longest_backoff);
        self.slots[task].not_before = Some(Instant::now() + wait);
        let record = &mut self.record.tasks[task];
        record.state = TaskState::Pending;
        let (attempt, error) = (record.attempts, error.to_string());
        self.happened(Some(task), Change::Failed { attempt, error, retry_in_seconds: wait.as_secs_f64() })
    }

    /// Writes how everything stands, unless nothing has changed or it was written only just now.
    pub(crate) fn keep(&mut self) -> Result<(), RunError> {
        let due = |(at, took): (Instant, Duration)| at.elapsed() >= took * WRITING_SHARE;
        if !self.changed || !self.written.is_none_or(due) {
            return Ok(());
        }
        let (began, now) = (Instant::now(), (self.runner.clock)());
        self.folder.write_state(&self.record)?;
        let page = headquarters::page(&self.record, &self.recent, now);
        self.folder.write_beside("HQ.md", page.as_bytes())?;
        let data = headquarters::data(&self.record, &self.recent, now).to_string();
        self.folder.write_beside("HQ.json", data.as_bytes())?;
        (self.changed, self.written) = (false, Some((Instant::now(), began.elapsed())));
        Ok(())
    }

    pub(crate) fn is_cancel_requested(&self) -> bool {
        self.folder.is_cancel_requested()
    }

    fn block(&mut self, task: usize, evidence: Evidence) -> Result<(), RunError> {
        let record = &mut self.record.tasks[task];
        record.state = TaskState::Blocked;
        record.evidence = Some(evidence.clone());
        self.happened(Some(task), Change::Blocked { evidence })
    }

    fn state(&self, task: usize) -> TaskState {
        self.record.tasks[task].state
    }

    fn event(&self, task: Option<usize>, change: Change) -> Event {
        Event { at: (self.runner.clock)(), task: task.map(|task| self.record.tasks[task].id.clone()), change }
    }

    /// Writes the state and the event, then tells the observer.
    fn happened(&mut self, task: Option<usize>, change: Change) -> Result<(), RunError> {
        let event = self.event(task, change);
        self.folder.append(&event)?;
        self.changed = true;
        if task.is_none() {
            self.written = None;
        }
        self.keep()?;
        self.observer.event(&event, &self.record);
        Ok(())
    }
}

fn take(record: &mut TaskRecord, result: TaskOutput, seconds: f64) {
    let TaskOutput { outputs, summary, facts } = result;
    (record.outputs, record.summary, record.facts) = (outputs, summary, facts);
    (record.state, record.seconds) = (TaskState::Done, seconds);
}

/// Returns the last lines of a log; none when there is no log.
fn log_tail(path: &Path, lines: usize) -> Vec<String> {
    let text = String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].iter().map(|line| (*line).to_owned()).collect()
}
