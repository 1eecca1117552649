//! One thread: gathers questions, asks the predictor, answers each.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};
use market::{GameQuery, PredictError, Prediction};
use tracing::Span;

use super::{EngineSettings, Explained, Job, Refusal, Work};
use crate::{
    forecast::game_forecast,
    metrics::Metrics,
    serving::{Live, Serving, Shadow, Slate},
    spans::batch_span,
};

pub(super) struct Worker {
    pub(super) queue: Receiver<Job>,
    pub(super) waiting: Arc<AtomicUsize>,
    pub(super) settings: EngineSettings,
    pub(super) serving: Serving,
    pub(super) metrics: Arc<Metrics>,
}

type Answer = Result<Vec<Explained>, Refusal>;

impl Worker {
    /// Works until nobody can ask any more.
    pub(super) fn run(&self) {
        let mut next = None;
        while let Some(first) = next.take().or_else(|| self.queue.recv().ok()) {
            let mut jobs = vec![first];
            next = self.gather(&mut jobs);
            self.answer(jobs);
        }
    }

    /// Adds what else is asked of the same model; returns the first question that does not fit.
    fn gather(&self, jobs: &mut Vec<Job>) -> Option<Job> {
        let (live, deadline) = (jobs[0].live.clone(), jobs[0].asked + self.settings.window);
        let mut games = jobs[0].work.games();
        let joins = |job: &Job| matches!(job.work, Work::Games(_)) && Arc::ptr_eq(&job.live, &live);
        if !joins(&jobs[0]) {
            return None;
        }
        while games < self.settings.batch {
            let job = match self.queue.try_recv() {
                Ok(job) => job,
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => match self.queue.recv_deadline(deadline) {
                    Ok(job) => job,
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
                },
            };
            if !joins(&job) || games + job.work.games() > self.settings.batch {
                return Some(job);
            }
            games += job.work.games();
            jobs.push(job);
        }
        None
    }

    fn answer(&self, mut jobs: Vec<Job>) {
        for job in &jobs {
            self.waiting.fetch_sub(job.work.games(), Ordering::AcqRel);
            self.metrics.waited(job.asked.elapsed());
        }
        // Whoever has gone away meanwhile is not worked for.
        jobs.retain(|job| !job.reply.is_closed());
        let Some(first) = jobs.first() else { return };
        let live = first.live.clone();
        let games = jobs.iter().map(|job| job.work.games()).sum();
        let spans: Vec<Span> = jobs.iter().map(|job| job.span.clone()).collect();
        let answers =
            batch_span(Some(games), &live.card().version, &spans).in_scope(|| answers(&live, &jobs));
        self.metrics.batch(games);
        let shadow = self.serving.challenger().filter(|shadow| shadow.live.as_of() == live.as_of());
        let mut both = Vec::new();
        for (job, answer) in jobs.into_iter().zip(answers) {
            if let (Ok(predictions), Work::Games(queries)) = (&answer, job.work) {
                both.extend(queries.into_iter().zip(predictions.iter().map(|(own, _)| own.clone())));
            }
            // It may have gone away just now.
            let _ = job.reply.send(answer);
        }
        for (_, prediction) in &both {
            if let Some(forecast) = game_forecast(prediction, &[], false) {
                self.metrics.forecast(&forecast);
            }
        }
        if let Some(shadow) = shadow {
            self.compare(&shadow, &both);
        }
    }

    /// Puts the same to the challenger as long as nobody waits.
    fn compare(&self, shadow: &Shadow, both: &[(GameQuery, Arc<Prediction>)]) {
        for (query, champion) in both {
            if self.waiting.load(Ordering::Relaxed) > 0 {
                return;
            }
            let asked = || shadow.live.predictor().predict(std::slice::from_ref(query));
            if let Ok(Ok(answer)) = catch_unwind(AssertUnwindSafe(asked))
                && let Some([champion, challenger]) =
                    answer.first().and_then(|own| shadow.compare(champion, own))
            {
                self.metrics.shadow(champion, challenger);
            }
        }
    }
}

/// Answers each question; one that makes the model panic is found by asking each alone.
fn answers(live: &Live, jobs: &[Job]) -> Vec<Answer> {
    let at_once = catch_unwind(AssertUnwindSafe(|| together(live, jobs))).ok();
    at_once.unwrap_or_else(|| match jobs {
        [_] => {
            tracing::error!("the model panicked on a request");
            vec![Err(Refusal::Broken)]
        }
        // One of them is at fault; the others need not suffer.
        jobs => jobs.iter().flat_map(|job| answers(live, std::slice::from_ref(job))).collect(),
    })
}

fn together(live: &Live, jobs: &[Job]) -> Vec<Answer> {
    match jobs {
        [Job { work: Work::Slate(from, until), .. }] => {
            let slate = live.slate(*from, *until).map_err(Refusal::Predictor);
            let games = |slate: Slate| slate.iter().map(|known| (known.prediction.clone(), None)).collect();
            vec![slate.map(games)]
        }
        [Job { work: Work::Explained(queries), .. }] => {
            let explained = |query: &GameQuery| -> Result<Explained, PredictError> {
                let explanation = live.predictor().explain(query)?;
                let prediction = one(live.predictor().predict(std::slice::from_ref(query))?)?;
                Ok((Arc::new(prediction), explanation))
            };
            vec![queries.iter().map(explained).collect::<Result<_, _>>().map_err(Refusal::Predictor)]
        }
        jobs => games(live, jobs),
    }
}

fn games(live: &Live, jobs: &[Job]) -> Vec<Answer> {
    let asked = |job: &Job| match &job.work {
        Work::Games(queries) => queries.clone(),
        Work::Explained(_) | Work::Slate(..) => Vec::new(),
    };
    let queries: Vec<GameQuery> = jobs.iter().flat_map(asked).collect();
    let answers = live.predictor().predict_each(&queries).into_iter().zip(queries);
    let mut answers = answers.map(|(answer, query)| {
        let prediction = Arc::new(answer.map_err(Refusal::Predictor)?);
        if is_plain(&query) {
            let _kept = live.keep(prediction.clone());
        }
        Ok((prediction, None))
    });
    // All answers of a question are taken, whatever the first of them says.
    let own =
        |job: &Job| answers.by_ref().take(job.work.games()).collect::<Vec<Result<Explained, Refusal>>>();
    let answers: Vec<Vec<Result<Explained, Refusal>>> = jobs.iter().map(own).collect();
    answers.into_iter().map(|answers| answers.into_iter().collect()).collect()
}

/// Whether a known game is asked as its rows state it.
fn is_plain(query: &GameQuery) -> bool {
    matches!(query, GameQuery::Known { key_players_out, .. } if key_players_out.is_empty())
}

fn one(mut predictions: Vec<Prediction>) -> Result<Prediction, PredictError> {
    predictions.pop().ok_or_else(|| PredictError::Model("it answered nothing".into()))
}
