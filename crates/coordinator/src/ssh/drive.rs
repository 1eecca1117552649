//! Drives the nodes: hands out slots, asks each node one question at a time, and draws conclusions from the answers.

use std::{
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use openssh::Session;

use crate::{ExecutorError, JobFailure, JobState};

use super::{
    Job, SshExecutor, Stop,
    attempt::{Attempt, Key, Next},
    has_room,
    journal::Entry,
    node::{Node, NodeError, NodeState},
    script::{self, Seen, Wish},
    session::{self, FetchError},
};

/// A node that was silent for longer is asked whether it is there before it gets a job.
const FRESH: Duration = Duration::from_secs(5);
/// First pause between two tries to reach a node.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// How often copying one output may be cut short.
const MOST_CUTS: u32 = 20;

/// A node and the connection to it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) node: Node,
    session: Option<Arc<Session>>,
    /// Counts connections, so that a late complaint about an old one is not held against the new one.
    generation: u64,
    /// A connection is being made, or a question is under way.
    busy: bool,
    /// An output is on its way back.
    fetching: bool,
    /// When it answered last; none since it failed.
    heard: Option<Instant>,
    error: Option<NodeError>,
    silent_since: Option<Instant>,
    failures: u32,
    next_try: Instant,
    next_look: Instant,
}

impl Link {
    pub(super) fn new(node: Node) -> Self {
        let now = Instant::now();
        Self {
            node,
            session: None,
            generation: 0,
            busy: false,
            fetching: false,
            heard: None,
            error: None,
            silent_since: None,
            failures: 0,
            next_try: now,
            next_look: now,
        }
    }

    pub(super) fn state(&self) -> NodeState {
        match (&self.error, self.heard) {
            (Some(error), _) => NodeState::Down(error.clone()),
            (None, Some(_)) => NodeState::Up,
            (None, None) => NodeState::Connecting,
        }
    }

    /// Tells whether the attempt is on this node.
    pub(super) fn keeps(&self, entry: &Entry) -> bool {
        self.node.label() == entry.node
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = Option<u32>> {
        self.node.slots().into_iter()
    }

    fn is_fresh(&self) -> bool {
        self.session.is_some() && self.heard.is_some_and(|heard| heard.elapsed() < FRESH)
    }

    fn answered(&mut self, pause: Duration) {
        let now = Instant::now();
        self.heard = Some(now);
        self.error = None;
        self.silent_since = None;
        self.failures = 0;
        self.next_look = now + pause;
    }

    fn failed(&mut self, error: NodeError, longest_pause: Duration) {
        let now = Instant::now();
        // The first try comes at once: most often only the connection was cut.
        let pause = FIRST_PAUSE.saturating_mul(2u32.saturating_pow(self.failures.saturating_sub(1)));
        let pause = if self.failures == 0 && self.heard.is_some() { Duration::ZERO } else { pause };
        tracing::warn!(node = self.node.label(), %error, "a node does not answer");
        self.session = None;
        self.heard = None;
        self.error = Some(error);
        self.silent_since.get_or_insert(now);
        self.failures += 1;
        self.next_try = now + pause.min(longest_pause);
    }
}

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
                    Err(error) => self.silence(link, error),
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
                        self.silence(link, NodeError::Unreachable { node, said });
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
                    self.silence(link, error);
                }
                self.fetched(&key, result);
            }
        }
    }

    /// A node did not answer: its jobs are lost if it was silent for too long.
    fn silence(&mut self, link: usize, error: NodeError) {
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
        let fits = |link: &&super::Link| {
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
        for id in self.queue.clone() {
            let Some((link, gpu)) = self.jobs.get(&id).and_then(|job| self.free_slot(job)) else { continue };
            self.queue.retain(|queued| *queued != id);
            let Some(job) = self.jobs.get_mut(&id) else { continue };
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
                continue;
            }
            job.state = JobState::Running;
            let attempt = Attempt::new(entry, link);
            self.attempts.insert(attempt.key(), attempt);
        }
    }

    /// Finds a free slot for the job on the node that has least to do.
    fn free_slot(&self, job: &Job) -> Option<(usize, Option<u32>)> {
        let mut best = None;
        for (index, link) in self.links.iter().enumerate().filter(|(_, link)| link.is_fresh()) {
            let taken: Vec<Option<u32>> = self
                .attempts
                .values()
                .filter(|attempt| attempt.link == index && !attempt.entry.free)
                .map(|attempt| attempt.entry.gpu)
                .collect();
            for gpu in link.slots() {
                if taken.contains(&gpu) || !job.placement.allows(&link.node, gpu) || !has_room(&job.spec, gpu)
                {
                    continue;
                }
                // A GPU is kept for who wants one as long as another slot is free.
                let wasted = gpu.is_some() && job.spec.resources.gpus == 0;
                let cost = (wasted, taken.len(), index);
                if best.is_none_or(|(least, _)| cost < least) {
                    best = Some((cost, gpu));
                }
            }
        }
        best.map(|((_, _, index), gpu)| (index, gpu))
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
            (Next::Over(_) | Next::Fetch(_), false) => {
                // Nobody asked for it here; whoever does may adopt it where it was not given up.
                attempt.entry.free = true;
                attempt.write(&self.root);
                self.attempts.remove(key);
            }
            (Next::Over(state), true) => self.close(key, state),
            (Next::Fetch(state), true) => {
                attempt.entry.free = true;
                attempt.outcome = Some(state);
            }
        }
    }

    /// The attempt of a job is over.
    fn close(&mut self, key: &Key, state: JobState) {
        let Some(mut attempt) = self.attempts.remove(key) else { return };
        attempt.entry.free = true;
        attempt.entry.ended = Some(state.clone());
        attempt.write(&self.root);
        if let Some(job) = self.jobs.get_mut(&key.0).filter(|job| job.number == key.1) {
            job.state = state;
        }
    }

    /// Sends for the first output of the node that is ready, one at a time.
    fn fetch(&mut self, index: usize, session: &Arc<Session>) {
        let Some(runtime) = &self.runtime else { return };
        let Some(attempt) = self.attempts.values().find(|a| a.link == index && a.outcome.is_some()) else {
            return;
        };
        let (key, entry, root) = (attempt.key(), attempt.entry.clone(), self.root.clone());
        let output = attempt.outcome == Some(JobState::Done);
        let link = &mut self.links[index];
        link.fetching = true;
        let (session, sender, generation) = (Arc::clone(session), self.sender.clone(), link.generation);
        runtime.spawn(async move {
            let result = session::fetch(session, entry, output, root).await;
            let _ = sender.send(Event::Fetched { link: index, generation, key, result });
        });
    }

    fn fetched(&mut self, key: &Key, result: Result<(), FetchError>) {
        let Some(attempt) = self.attempts.get_mut(key) else { return };
        let Some(state) = attempt.outcome.clone() else { return };
        let why = match result {
            Ok(()) => return self.close(key, state),
            Err(FetchError::Connection(_)) if attempt.cuts < MOST_CUTS => {
                attempt.cuts += 1;
                return;
            }
            Err(FetchError::Connection(why) | FetchError::Final(why)) => why,
        };
        if state != JobState::Done {
            // Only the log is missing.
            tracing::warn!(job = key.0, why, "cannot copy the log of a job");
            return self.close(key, state);
        }
        // The journal leaves it open, so that submitting the job again copies it and does not run it again.
        attempt.write(&self.root);
        self.attempts.remove(key);
        if let Some(job) = self.jobs.get_mut(&key.0).filter(|job| job.number == key.1) {
            job.state = JobState::Failed(JobFailure::NotFetched(why));
        }
    }

    /// Reads the log of a running attempt from its node.
    pub(super) fn live_log(&self, attempt: &Attempt) -> Result<String, ExecutorError> {
        let link = &self.links[attempt.link];
        let job = &attempt.entry.spec.id;
        let failed = |source| ExecutorError::Node { job: job.clone(), source };
        let silent = |said: String| {
            let error = NodeError::Unreachable { node: link.node.label(), said };
            failed(link.error.clone().unwrap_or(error))
        };
        let (Some(runtime), Some(session)) = (&self.runtime, link.session.clone()) else {
            return Err(silent("not connected".to_owned()));
        };
        let (sender, receiver) = mpsc::channel();
        let (speak, within) = (script::log(&attempt.entry), self.options.answer_within);
        runtime.spawn(async move {
            let _ = sender.send(session::ask(&session, "", &speak, within).await);
        });
        let answer = receiver.recv_timeout(within + Duration::from_secs(1));
        let (log, _) = answer.map_err(|error| silent(error.to_string()))?.map_err(silent)?;
        Ok(String::from_utf8_lossy(&log).into_owned())
    }
}
