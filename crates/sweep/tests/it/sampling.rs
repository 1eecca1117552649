//! What is suggested: within the space, never twice, and better than chance.

use std::collections::{BTreeSet, VecDeque};

use proptest::prelude::*;
use serde_json::Value;
use sweep::{Ask, Ending, Options, Origin, Outcome, Point, Pruning, Sampler, State, Study, Trial};

use crate::simulation::{model_space, now, options, picks, run, small_space, space, study};

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn suggestions_lie_in_the_space_and_are_never_the_same(
        space in space(), options in options(), picks in picks(),
    ) {
        let (record, _) = run(study(space.clone(), options), &picks);
        let mut seen = BTreeSet::new();
        for trial in record.trials() {
            prop_assert!(space.admits(&trial.point), "{:?}", trial.point);
            prop_assert!(seen.insert(serde_json::to_string(&trial.point).unwrap()), "{:?}", trial.point);
            let exists = |name: &str| {
                let mut with = trial.point.clone();
                with.remove(name);
                let values = space.parameters()[name].domain.values(10).unwrap_or_else(|| vec![Value::from(0.01)]);
                with.insert(name.to_owned(), values[0].clone());
                let when = &space.parameters()[name].when;
                when.iter().all(|(other, values)| trial.point.get(other).is_some_and(|v| values.contains(v)))
            };
            for name in space.parameters().keys().filter(|_| trial.origin == Origin::Sampled) {
                prop_assert_eq!(trial.point.contains_key(name), exists(name), "{} in {:?}", name, trial.point);
            }
        }
    }
}

#[test]
fn a_small_space_is_tried_to_its_last_point_and_then_left() {
    for sampler in [Sampler::Tpe, Sampler::Random] {
        let options = Options { trials: 50, at_once: 3, sampler, ..Options::default() };
        let (record, ending) = run(study(small_space(), options), &[1, 0]);
        assert_eq!(ending, Ending::Exhausted);
        // Plain; gated or true with a depth of 1, or of 3 and 5 with four rates each. The base settings are the plain one.
        assert_eq!(record.trials().len(), 1 + 2 * (1 + 2 * 4));
        assert!(record.trials().iter().skip(1).all(|trial| trial.point.get("kind") != Some(&"plain".into())));
        assert!(record.duplicates_skipped() > 0);
        assert_eq!(run(Study::resume(record.clone()).unwrap(), &[0]), (record, ending));
    }
}

#[test]
fn as_many_as_wanted_is_an_end_too() {
    let (record, ending) = run(study(model_space(), Options { trials: 5, ..Options::default() }), &[0]);
    assert_eq!((record.trials().len(), ending), (5, Ending::AllTrials));
}

#[test]
fn base_settings_have_no_rungs_and_come_first() {
    let pruning = Pruning::Asha { grace: 1, reduction: 2 };
    let (record, _) = run(study(model_space(), Options { trials: 20, pruning, ..Options::default() }), &[0]);
    let first = &record.trials()[0];
    assert!(first.origin == Origin::Base && first.point.is_empty() && first.rungs.is_empty());
    assert!(record.trials().iter().any(|trial| !trial.rungs.is_empty()));
}

/// A valley in six dimensions, one of which exists only beside a second layer.
fn valley(point: &Point) -> f64 {
    let number = |name: &str, base: f64| point.get(name).and_then(Value::as_f64).unwrap_or(base);
    let orders = |name: &str, base: f64, at: f64| (number(name, base) / at).ln().powi(2);
    let width = if number("hidden", 16.0) < 20.0 { 0.03 } else { 0.0 };
    let depth = if number("layers", 1.0) < 1.5 { 0.03 } else { 0.004 * (number("fan_out", 8.0) - 6.0).abs() };
    0.6 + 0.05 * orders("learning_rate", 2e-2, 4e-3)
        + 0.01 * orders("weight_decay", 0.1, 3e-3)
        + 0.3 * (number("dropout", 0.3) - 0.1).powi(2)
        + width
        + depth
}

/// Returns the best loss and the mean loss of the last quarter, above the floor of the valley.
fn descend(sampler: Sampler, at_once: usize, seed: u64) -> (f64, f64) {
    let options = Options { trials: 40, at_once, seed, sampler, pruning: Pruning::None };
    let mut study = Study::new(model_space(), options, Value::Null, Vec::new()).unwrap();
    let mut under_way: VecDeque<Trial> = VecDeque::new();
    loop {
        match study.ask(now()) {
            Ask::Trial(trial) => under_way.push_back(trial),
            Ask::Wait => {
                let trial = under_way.pop_front().unwrap();
                let loss = valley(&trial.point);
                let outcome = Outcome {
                    state: State::Complete,
                    loss: Some(loss),
                    curve: vec![loss],
                    seconds: 1.0,
                    seed: 1,
                    attempts: 1,
                    worker: None,
                };
                study.tell(trial.id, outcome, now()).unwrap();
            }
            _ => break,
        }
    }
    let losses: Vec<f64> = study.record().trials().iter().filter_map(Trial::completed_loss).collect();
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    (best - 0.6, losses[30..].iter().sum::<f64>() / 10.0 - 0.6)
}

/// Seeds are fixed, so this either holds or does not. Measured: 0.71 and 0.66 of chance for the best, 0.28 and 0.25 late.
#[test]
fn the_estimator_beats_chance_in_a_valley_alone_and_with_four_at_once() {
    let mean = |sampler, at_once| {
        let runs: Vec<_> = (0..40).map(|seed| descend(sampler, at_once, seed)).collect();
        let of = |pick: fn(&(f64, f64)) -> f64| runs.iter().map(pick).sum::<f64>() / runs.len() as f64;
        (of(|run| run.0), of(|run| run.1))
    };
    let chance = mean(Sampler::Random, 1);
    for at_once in [1, 4] {
        let estimator = mean(Sampler::Tpe, at_once);
        assert!(
            estimator.0 < 0.85 * chance.0,
            "best with {at_once} at once: {estimator:?}, by chance {chance:?}"
        );
        assert!(
            estimator.1 < 0.5 * chance.1,
            "late with {at_once} at once: {estimator:?}, by chance {chance:?}"
        );
    }
}
