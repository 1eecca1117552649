//! Last night's best points come right after the base settings.

use serde_json::json;
use sweep::{Options, Origin, Point, Space, Study};

use crate::simulation::{base, model_space, run, study};

fn options(trials: usize, seed: u64) -> Options {
    Options { trials, seed, ..Options::default() }
}

#[test]
fn the_best_points_of_last_night_are_tried_first_and_in_full() {
    let (last_night, _) = run(study(model_space(), options(20, 1)), &[1, 0]);
    let points = last_night.warm_start(&model_space(), 3);
    assert_eq!(points.len(), 3);
    let loss = |point: &Point| {
        let trial = last_night.trials().iter().find(|trial| trial.point == *point);
        trial.unwrap().completed_loss().unwrap()
    };
    let losses: Vec<f64> = points.iter().map(loss).collect();
    assert!(losses.is_sorted());
    let tonight = Study::new(model_space(), options(12, 2), base(), points.clone()).unwrap();
    let (record, _) = run(tonight, &[0]);
    for (trial, point) in record.trials()[1..4].iter().zip(&points) {
        assert_eq!((trial.origin, &trial.point), (Origin::WarmStart, point));
        assert!(trial.rungs.is_empty());
    }
    assert_eq!(record.trials()[4].origin, Origin::Sampled);
    assert_eq!(Study::from_json(&record.to_json()).unwrap().record(), &record);
}

#[test]
fn points_outside_of_tonights_space_stay_behind() {
    let (last_night, _) = run(study(model_space(), options(20, 1)), &[0]);
    let narrower: Space = toml::from_str(
        "learning_rate = { log = [0.0005, 0.02] }
        weight_decay = { log = [0.0001, 0.3] }
        dropout = { float = [0.0, 0.25] }
        layers = { int = [1, 2] }
        hidden = { choice = [16, 32, 64] }
        fan_out = { int = [4, 12], when = { layers = [2] } }
        heads = { choice = [2, 4] }",
    )
    .unwrap();
    let points = last_night.warm_start(&narrower, 20);
    assert!(!points.is_empty() && points.len() < last_night.warm_start(&model_space(), 20).len());
    assert!(points.iter().all(|point| point["dropout"].as_f64().unwrap() <= 0.25));
    let fewer: Space = toml::from_str("dropout = { float = [0.0, 0.5] }").unwrap();
    assert!(last_night.warm_start(&fewer, 20).is_empty());
}

#[test]
fn points_that_train_the_same_are_tried_once() {
    let point = |value| serde_json::from_value::<Point>(value).unwrap();
    let points = vec![
        point(json!({"dropout": 0.2})), // what the base settings say
        point(json!({"dropout": 0.3})),
        point(json!({"dropout": 0.3, "layers": 2})), // the same as before
        point(json!({"dropout": 0.3, "layers": 1})),
    ];
    let study = Study::new(model_space(), options(5, 1), base(), points.clone()).unwrap();
    assert_eq!(study.record().warm_start_points(), [points[1].clone(), points[3].clone()]);
}
