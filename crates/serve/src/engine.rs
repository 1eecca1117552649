//! The model's own threads: questions wait in a bounded queue, and those that wait together are answered together.
//!
//! A thread takes the first question and whatever else was asked of the same model within a small window, so that a
//! busy endpoint pays for shared work once. A question that waits no longer than the window when nobody else asks is
//! answered alone.

mod batch;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::Sender;
use jiff::Timestamp;
use market::{Explanation, GameQuery, PredictError, Prediction};
use tokio::sync::oneshot;

use crate::{
    metrics::Metrics,
    serving::{Live, Serving},
};

/// A prediction, and what carried it where that was asked.
pub(crate) type Explained = (Arc<Prediction>, Option<Explanation>);

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Too many games wait already.
    Full,
    /// The predictor said no.
    Predictor(PredictError),
    /// The model panicked, or its threads are gone.
    Broken,
}

/// How the threads work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineSettings {
    /// Threads that forecast.
    pub threads: usize,
    /// Games that may wait; beyond, the endpoint refuses.
    pub queue: usize,
    /// Most games that are answered together.
    pub batch: usize,
    /// How long a question waits for company.
    pub window: Duration,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self { threads: 2, queue: 1024, batch: 32, window: Duration::from_micros(200) }
    }
}

/// What is asked.
pub(crate) enum Work {
    Games(Vec<GameQuery>),
    Explained(Vec<GameQuery>),
    Slate(Timestamp, Timestamp),
}

impl Work {
    /// How many games it counts as; of a slate nobody knows before.
    fn games(&self) -> usize {
        match self {
            Self::Games(queries) | Self::Explained(queries) => queries.len(),
            Self::Slate(..) => 1,
        }
    }
}

struct Job {
    live: Arc<Live>,
    work: Work,
    asked: Instant,
    span: tracing::Span,
    reply: oneshot::Sender<Result<Vec<Explained>, Refusal>>,
}

/// The threads; they end when this is dropped.
pub(crate) struct Engine {
    jobs: Sender<Job>,
    waiting: Arc<AtomicUsize>,
    limit: usize,
}

impl Engine {
    pub(crate) fn start(settings: EngineSettings, serving: &Serving, metrics: &Arc<Metrics>) -> Self {
        let (jobs, queue) = crossbeam_channel::unbounded();
        let waiting = Arc::new(AtomicUsize::new(0));
        for number in 0..settings.threads.max(1) {
            let worker = batch::Worker {
                queue: queue.clone(),
                waiting: waiting.clone(),
                settings,
                serving: serving.clone(),
                metrics: metrics.clone(),
            };
            let thread = thread::Builder::new().name(format!("model-{number}"));
            if let Err(error) = thread.spawn(move || worker.run()) {
                tracing::error!(%error, "a model thread cannot be started");
            }
        }
        Self { jobs, waiting, limit: settings.queue.max(1) }
    }

    /// Returns how many games wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Answers when a thread has; a question whose asker is gone by then is passed over.
    pub(crate) async fn ask(&self, live: Arc<Live>, work: Work) -> Result<Vec<Explained>, Refusal> {
        let games = work.games();
        // A question larger than the whole queue is taken when nothing else waits.
        let fits =
            |waiting: usize| (waiting == 0 || waiting + games <= self.limit).then_some(waiting + games);
        self.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits).map_err(|_| Refusal::Full)?;
        let (reply, answer) = oneshot::channel();
        let job = Job { live, work, asked: Instant::now(), span: tracing::Span::current(), reply };
        if self.jobs.send(job).is_err() {
            self.waiting.fetch_sub(games, Ordering::AcqRel);
            return Err(Refusal::Broken);
        }
        answer.await.unwrap_or(Err(Refusal::Broken))
    }
}

#[cfg(test)]
mod tests;
