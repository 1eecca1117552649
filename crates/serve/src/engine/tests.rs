use std::sync::{Mutex, atomic::AtomicBool};

use market::{ModelCard, Predictor};

use super::*;
use crate::MockPredictor;

/// The mock behind a door: it says how many games were asked together.
struct Doorkeeper {
    mock: MockPredictor,
    is_shut: AtomicBool,
    seen: Mutex<Vec<usize>>,
}

impl Doorkeeper {
    fn new() -> Arc<Self> {
        let mock = MockPredictor::new("2024-05-01T00:00:00Z".parse().unwrap());
        Arc::new(Self { mock, is_shut: AtomicBool::new(true), seen: Mutex::default() })
    }

    fn seen(&self) -> Vec<usize> {
        self.seen.lock().unwrap().clone()
    }
}

impl Predictor for Doorkeeper {
    fn model(&self) -> ModelCard {
        self.mock.model()
    }

    fn as_of(&self) -> Timestamp {
        self.mock.as_of()
    }

    fn predict(&self, queries: &[GameQuery]) -> Result<Vec<Prediction>, PredictError> {
        self.mock.predict(queries)
    }

    fn predict_each(&self, queries: &[GameQuery]) -> Vec<Result<Prediction, PredictError>> {
        self.seen.lock().unwrap().push(queries.len());
        while self.is_shut.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        let panics = |query: &GameQuery| serde_json::to_string(query).unwrap().contains("Panic");
        assert!(!queries.iter().any(panics), "asked to");
        queries.iter().map(|query| Ok(self.predict(std::slice::from_ref(query))?.remove(0))).collect()
    }

    fn slate(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Prediction>, PredictError> {
        self.mock.slate(from, until)
    }
}

fn games(home: &str, count: usize) -> Work {
    let query = serde_json::json!({"home": home, "away": "B"});
    Work::Games(vec![serde_json::from_value(query).unwrap(); count])
}

fn engine(settings: EngineSettings) -> Engine {
    Engine::start(settings, &Serving::empty("none"), &Arc::new(Metrics::new(0)))
}

/// Asks on a task of its own, and waits until the question is in the queue or at work.
async fn asked(
    engine: &Arc<Engine>,
    live: &Arc<Live>,
    work: Work,
) -> tokio::task::JoinHandle<Result<Vec<Explained>, Refusal>> {
    let before = engine.jobs.len();
    let (own, live) = (engine.clone(), live.clone());
    let task = tokio::spawn(async move { own.ask(live, work).await });
    while engine.jobs.len() == before {
        tokio::task::yield_now().await;
    }
    task
}

/// An engine of one thread that is busy with one game until the door opens.
async fn busy(settings: EngineSettings) -> (Arc<Doorkeeper>, Arc<Live>, Arc<Engine>) {
    let door = Doorkeeper::new();
    let (live, engine) = (Arc::new(Live::new(door.clone())), Arc::new(engine(settings)));
    let (own, first) = (engine.clone(), live.clone());
    tokio::spawn(async move { own.ask(first, games("A", 1)).await });
    while door.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    (door, live, engine)
}

#[tokio::test]
async fn questions_that_wait_together_are_answered_together() {
    let settings = EngineSettings { threads: 1, batch: 5, ..EngineSettings::default() };
    let (door, live, engine) = busy(settings).await;
    let other = Arc::new(Live::new(door.clone()));
    let mut tasks = Vec::new();
    for (live, count) in [(&live, 2), (&live, 2), (&live, 2), (&other, 1), (&live, 1)] {
        tasks.push((count, asked(&engine, live, games("A", count)).await));
    }
    door.is_shut.store(false, Ordering::SeqCst);
    for (count, task) in tasks {
        assert_eq!(task.await.unwrap().unwrap().len(), count);
    }
    assert_eq!(door.seen(), [1, 4, 2, 1, 1], "at most five together, and never of two models");
    assert_eq!(engine.waiting(), 0);
}

#[tokio::test]
async fn a_full_queue_refuses_and_forgets_those_who_left() {
    let settings = EngineSettings { threads: 1, queue: 3, batch: 1, ..EngineSettings::default() };
    let (door, live, engine) = busy(settings).await;
    let leaves = asked(&engine, &live, games("A", 2)).await;
    let stays = asked(&engine, &live, games("A", 1)).await;
    let refused = engine.ask(live.clone(), games("A", 1)).await;
    assert!(matches!(refused, Err(Refusal::Full)), "{refused:?}");
    leaves.abort();
    assert!(leaves.await.unwrap_err().is_cancelled());
    door.is_shut.store(false, Ordering::SeqCst);
    assert_eq!(stays.await.unwrap().unwrap().len(), 1);
    assert_eq!(door.seen(), [1, 1], "nobody works for whoever left");
    assert_eq!(
        engine.ask(live, games("A", 9)).await.unwrap().len(),
        9,
        "alone, more than the queue is taken"
    );
}

#[tokio::test]
async fn a_question_that_panics_spoils_no_other() {
    let (door, live, engine) = busy(EngineSettings { threads: 1, ..EngineSettings::default() }).await;
    let good = asked(&engine, &live, games("A", 1)).await;
    let bad = asked(&engine, &live, games("Panic", 1)).await;
    door.is_shut.store(false, Ordering::SeqCst);
    assert_eq!(good.await.unwrap().unwrap().len(), 1);
    assert!(matches!(bad.await.unwrap(), Err(Refusal::Broken)));
}
