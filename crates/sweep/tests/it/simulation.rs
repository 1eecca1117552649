//! Spaces, trainings that need no model, and workers that finish in any order.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use sweep::{
    Ask, Ending, Options, Outcome, Point, Pruning, Record, Sampler, Space, State, Study, Trial, stops_at,
};

pub(crate) const EPOCHS: usize = 9;

/// Six parameters as a model has them, one of them only beside a second layer.
pub(crate) fn model_space() -> Space {
    toml::from_str(
        "learning_rate = { log = [0.0005, 0.02] }
        weight_decay = { log = [0.0001, 0.3] }
        dropout = { float = [0.0, 0.5] }
        layers = { int = [1, 2] }
        hidden = { choice = [16, 32, 64] }
        fan_out = { int = [4, 12], when = { layers = [2] } }",
    )
    .unwrap()
}

/// Few points, two levels of conditions and every kind of finite domain.
pub(crate) fn small_space() -> Space {
    toml::from_str(
        r#"kind = { choice = ["plain", "gated", true] }
        depth = { int = [1, 5], step = 2, when = { kind = ["gated", true] } }
        rate = { float = [0.0, 0.3], step = 0.1, when = { depth = [3, 5] } }"#,
    )
    .unwrap()
}

pub(crate) fn base() -> Value {
    json!({"learning_rate": 0.003, "weight_decay": 0.02, "dropout": 0.2, "layers": 2, "hidden": 32, "fan_out": 8,
        "kind": "plain", "heads": 4})
}

pub(crate) fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

/// A number between 0 and 1 that looks random and depends on the trial only.
fn noise(point: &Point, salt: u64) -> f64 {
    let text = serde_json::to_string(point).unwrap();
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325 ^ salt, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

/// Trains a trial: some diverge, some fail, some complete early, and the others stop where their rungs say.
pub(crate) fn train(trial: &Trial) -> Outcome {
    let luck = noise(&trial.point, 1);
    let end = 0.6 + 0.1 * noise(&trial.point, 2);
    let curve: Vec<f64> =
        (1..=EPOCHS).map(|epoch| end + 0.3 / epoch as f64 * noise(&trial.point, 3)).collect();
    let (state, epochs) = match stops_at(&trial.rungs, &curve) {
        _ if luck < 0.08 => (State::Diverged, 2),
        _ if luck < 0.16 => (State::Failed { why: "the node went away".into() }, 4),
        _ if luck < 0.3 && trial.rungs.is_empty() => (State::Complete, 5),
        Some(epoch) => (State::Pruned { epoch }, epoch),
        None => (State::Complete, EPOCHS),
    };
    let loss = matches!(state, State::Complete | State::Pruned { .. }).then(|| curve[epochs - 1]);
    let curve = curve[..epochs].to_vec();
    Outcome { state, loss, curve, seconds: 60.0, seed: 7, attempts: 1, worker: Some("node-1".into()) }
}

/// Tells how one of the trials under way ended; `pick` says which.
pub(crate) fn finish_one(study: &mut Study, pick: usize) {
    let pending: Vec<Trial> = study.record().pending().cloned().collect();
    let trial = &pending[pick % pending.len()];
    study.tell(trial.id, train(trial), now()).unwrap();
}

/// Runs a study to its end, a trial at a time ending in the order that `picks` says.
pub(crate) fn run(mut study: Study, picks: &[usize]) -> (Record, Ending) {
    let mut picks = picks.iter().cycle();
    loop {
        match study.ask(now()) {
            Ask::Trial(_) => {}
            Ask::Wait => finish_one(&mut study, *picks.next().unwrap()),
            Ask::Finished(ending) => return (study.record().clone(), ending),
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn study(space: Space, options: Options) -> Study {
    Study::new(space, options, base(), Vec::new()).unwrap()
}

pub(crate) fn options() -> impl Strategy<Value = Options> {
    let pruning = prop_oneof![
        Just(Pruning::None),
        (1..4_usize, 2..4_usize).prop_map(|(grace, reduction)| Pruning::Asha { grace, reduction }),
        (1..4_usize, 1..4_usize).prop_map(|(grace, startup)| Pruning::Median { grace, startup }),
    ];
    let sampler = prop_oneof![3 => Just(Sampler::Tpe), 1 => Just(Sampler::Random)];
    (1..24_usize, 1..6_usize, any::<u64>(), sampler, pruning).prop_map(
        |(trials, at_once, seed, sampler, pruning)| Options { trials, at_once, seed, sampler, pruning },
    )
}

pub(crate) fn space() -> impl Strategy<Value = Space> {
    prop_oneof![Just(model_space()), Just(small_space())]
}

pub(crate) fn picks() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0..64_usize, 1..24)
}
