//! Drives the nodes: hands out slots, asks each node one question at a time, and draws conclusions from the answers.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use openssh::Session;

use crate::{JobFailure, JobState};

use super::{
    Job, SshExecutor, Stop,
    attempt::{Attempt, Key, Next},
    has_room,
    journal::Entry,
    link::Link,
    node::NodeError,
    script::{self, Seen, Wish},
    session::{self, FetchError},
};

/// What happened while nobody looked.
#[derive(Debug)]
pub(super) enum Event {
    Connected { link: usize, result: Result<Session, NodeError> },
    Answered { link: usize, result: Result<Vec<(Key, Seen)>, String> },
    Fetched { link: usize, generation: u64, key: Key, result: Result<(), FetchError> },
}

impl SshExecutor {
    /// Takes in what happened, then asks for what is due; waits for nothing.
    pub(super) fn advance(&mut self) {
        while let Ok(event) = self.events.try_recv() {
            self.take(event);
        }
        for attempt in self.attempts.values_mut().filter(|attempt| attempt.is_over_time()) {
            attempt.stop = Some(Stop::default());
            attempt.urgent = true;
        }
        self.assign();
        for link in 0..self.links.len() {
            self.drive(link);
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Connected { link, result } => {
                self.links[link].busy = false;
                match result {
                    Ok(session) => {
                        let link = &mut self.links[link];
                        link.session = Some(Arc::new(session));
                        link.generation += 1;
                    }
                    Err(error) => self.silence(link, &error),
                }
            }
            Event::Answered { link, result } => {
                self.links[link].busy = false;
                match result {
                    Ok(seen) => {
                        self.links[link].answered(self.options.poll_every);
                        for (key, seen) in seen {
                            self.settle(&key, seen);
                        }
                    }
                    Err(said) => {
                        let node = self.links[link].node.label();
                        self.silence(link, &NodeError::Unreachable { node, said });
                    }
                }
            }
            Event::Fetched { link, generation, key, result } => {
                self.links[link].fetching = false;
                if let (Err(FetchError::Connection(said)), true) =
                    (&result, self.links[link].generation == generation && self.links[link].session.is_some())
                {
                    let error =
                        NodeError::Unreachable { node: self.links[link].node.label(), said: said.clone() };
                    self.silence(link, &error);
                }
                self.fetched(&key, result);
            }
        }
    }

    /// A node did not answer: its jobs are lost if it was silent for too long.
    fn silence(&mut self, link: usize, error: &NodeError) {
        self.links[link].failed(error.clone(), self.options.longest_pause);
        let too_long =
            self.links[link].silent_since.is_some_and(|at| at.elapsed() >= self.options.lost_after);
        let mut lost = Vec::new();
        for attempt in self.attempts.values_mut().filter(|attempt| attempt.link == link) {
            if let Some(stop) = &mut attempt.stop {
                stop.asked = None; // Perhaps nobody heard it.
            }
            if too_long && attempt.owned {
                lost.push(attempt.key());
            }
        }
        for key in lost {
            self.give_up(&key, JobState::Failed(JobFailure::Lost(error.to_string())));
        }
        let hopeless: Vec<_> = self
            .queue
            .iter()
            .filter_map(|id| Some((id.clone(), self.despair(self.jobs.get(id)?)?)))
            .collect();
        for (id, failure) in hopeless {
            self.queue.retain(|queued| *queued != id);
            if let Some(job) = self.jobs.get_mut(&id) {
                job.state = JobState::Failed(failure);
            }
        }
    }

    /// Tells why a queued job waits in vain: every node that could take it refuses us, or is silent for too long.
    fn despair(&self, job: &Job) -> Option<JobFailure> {
        let fits = |link: &&Link| {
            link.slots().any(|gpu| job.placement.allows(&link.node, gpu) && has_room(&job.spec, gpu))
        };
        let mut words = Vec::new();
        let mut refused = true;
        for link in self.links.iter().filter(fits) {
            let error = link.error.as_ref()?;
            let silent =
                link.silent_since.map_or(Duration::ZERO, |at| at.elapsed()).min(job.queued_at.elapsed());
            if !error.is_refusal() {
                refused = false;
                if silent < self.options.lost_after {
                    return None;
                }
            }
            words.push(error.to_string());
        }
        let words = words.join("; ");
        Some(if refused { JobFailure::NotStarted(words) } else { JobFailure::Lost(words) })
    }

    /// Gives free slots to the jobs that wait for them, first come first served.
    fn assign(&mut self) {
        let mut free = if self.queue.is_empty() { Vec::new() } else { self.free_slots() };
        let mut next = 0;
        while !free.is_empty()
            && let Some(job) = self.queue.get(next).and_then(|id| self.jobs.get(id))
        {
            if let Some((link, gpu)) = self.choose(job, &free) {
                free.retain(|slot| *slot != (link, gpu));
                let id = self.queue.remove(next);
                self.place(&id, link, gpu);
            } else {
                next += 1;
            }
        }
    }

    /// The free slots of all nodes that answer.
    fn free_slots(&self) -> Vec<(usize, Option<u32>)> {
        let taken = |link, gpu| {
            let on = |attempt: &Attempt| attempt.link == link && attempt.entry.gpu == gpu;
            self.attempts.values().any(|attempt| !attempt.entry.free && on(attempt))
        };
        let answering = self.links.iter().enumerate().filter(|(_, link)| link.is_fresh());
        let slots = answering.flat_map(|(index, link)| link.slots().map(move |gpu| (index, gpu)));
        slots.filter(|(link, gpu)| !taken(*link, *gpu)).collect()
    }

    /// Chooses the slot for a job: on the node that has least to do.
    fn choose(&self, job: &Job, free: &[(usize, Option<u32>)]) -> Option<(usize, Option<u32>)> {
        let fits = |(link, gpu): &&(usize, Option<u32>)| {
            job.placement.allows(&self.links[*link].node, *gpu) && has_room(&job.spec, *gpu)
        };
        let cost = |(link, gpu): &&(usize, Option<u32>)| {
            // A GPU is kept for who wants one as long as another slot is free.
            let wasted = gpu.is_some() && job.spec.resources.gpus == 0;
            let work = self.attempts.values().filter(|a| a.link == *link && !a.entry.free).count();
            (wasted, work, *link)
        };
        free.iter().filter(fits).min_by_key(cost).copied()
    }

    fn place(&mut self, id: &str, link: usize, gpu: Option<u32>) {
        let Some(job) = self.jobs.get_mut(id) else { return };
        let node = &self.links[link].node;
        let entry = Entry {
            spec: job.spec.clone(),
            number: job.number,
            node: node.label(),
            gpu,
            folder: node.folder.clone(),
            token: script::token(),
            ended: None,
            free: false,
        };
        // Before the node hears of it: what is not written down cannot be found again.
        if let Err(error) = entry.write(&self.root) {
            let why = format!("cannot write the journal: {error}");
            job.state = JobState::Failed(JobFailure::NotStarted(why));
            return;
        }
        job.state = JobState::Running;
        let attempt = Attempt::new(entry, link);
        self.attempts.insert(attempt.key(), attempt);
    }

    /// Asks a node for what is due.
    fn drive(&mut self, index: usize) {
        let now = Instant::now();
        let busy = !self.queue.is_empty() || self.attempts.values().any(|attempt| attempt.link == index);
        let link = &self.links[index];
        let Some(session) = link.session.clone() else {
            if !link.busy && now >= link.next_try && (busy || link.failures == 0) {
                self.connect(index);
            }
            return;
        };
        if !link.fetching {
            self.fetch(index, &session);
        }
        let link = &self.links[index];
        let unheard = link.heard.is_none() || (!self.queue.is_empty() && !link.is_fresh());
        let mut waiting =
            self.attempts.values().filter(|a| a.link == index && a.outcome.is_none()).peekable();
        let due = waiting.peek().is_some() && now >= link.next_look || waiting.any(|attempt| attempt.urgent);
        if !link.busy && (unheard || due) {
            self.look(index, session);
        }
    }

    fn connect(&mut self, index: usize) {
        let Some(runtime) = &self.runtime else { return };
        let link = &mut self.links[index];
        link.busy = true;
        let (node, sender, within) = (link.node.clone(), self.sender.clone(), self.options.connect_within);
        runtime.spawn(async move {
            let result = node.connect(within).await;
            // Nobody listens once the executor is gone.
            let _ = sender.send(Event::Connected { link: index, result });
        });
    }

    /// One round: starts, stops and looks at all attempts on the node by one command.
    fn look(&mut self, index: usize, session: Arc<Session>) {
        let Some(runtime) = &self.runtime else { return };
        let mut wishes: Vec<(&Entry, Wish)> = Vec::new();
        for attempt in self.attempts.values_mut().filter(|a| a.link == index && a.outcome.is_none()) {
            attempt.urgent = false;
            let wish = attempt.wish(&self.options);
            wishes.push((&attempt.entry, wish));
        }
        let keys: Vec<Key> = wishes.iter().map(|(entry, _)| (entry.spec.id.clone(), entry.number)).collect();
        let work = script::round(wishes);
        let link = &mut self.links[index];
        link.busy = true;
        let (sender, within) = (self.sender.clone(), self.options.answer_within);
        runtime.spawn(async move {
            let result =
                session::ask(&session, &work, script::ANSWER, within).await.and_then(|(answer, _)| {
                    let seen = script::seen(&answer, keys.len());
                    let seen = seen.ok_or_else(|| "the answer makes no sense".to_owned())?;
                    Ok(keys.into_iter().zip(seen).collect())
                });
            let _ = sender.send(Event::Answered { link: index, result });
        });
    }

    fn settle(&mut self, key: &Key, seen: Seen) {
        let Some(attempt) = self.attempts.get_mut(key) else { return };
        if attempt.outcome.is_some() {
            return;
        }
        match (attempt.judge(seen, self.options.lost_after), attempt.owned) {
            (Next::Wait, _) => {}
            // Given up already.
            (Next::Lost(_), false) if attempt.stop.is_some() => {}
            (Next::Lost(why), _) => self.give_up(key, JobState::Failed(JobFailure::Lost(why))),
            (Next::Over(_) | Next::Fetch(_), false) if attempt.entry.ended.is_none() => {
                // Nobody asked for it here; whoever does may adopt it.
                attempt.entry.free = true;
                attempt.write(&self.root);
                self.attempts.remove(key);
            }
            (Next::Over(_), false) => {
                let ended = attempt.entry.ended.clone().unwrap_or(JobState::Cancelled);
                self.close(key, ended);
            }
            (Next::Fetch(_), false) => {
                // It was given up, but its log may say why that had to be.
                attempt.entry.free = true;
                attempt.write(&self.root);
                attempt.outcome = attempt.entry.ended.clone();
            }
            (Next::Over(state), true) => self.close(key, state),
            (Next::Fetch(state), true) => {
                attempt.entry.free = true;
                attempt.outcome = Some(state);
            }
        }
    }

    /// The attempt of a job is over.
    pub(super) fn close(&mut self, key: &Key, state: JobState) {
        let Some(mut attempt) = self.attempts.remove(key) else { return };
        attempt.entry.free = true;
        attempt.entry.ended = Some(state.clone());
        attempt.write(&self.root);
        if let Some(job) = self.jobs.get_mut(&key.0).filter(|job| job.number == key.1) {
            job.state = state;
        }
    }
}
