//! What a study does not take: contradictions, strangers, and files that were edited.

use serde_json::{Value, json};
use sweep::{Options, Outcome, Pruning, Record, State, Study, StudyError};

use crate::simulation::{base, model_space, now, run, study, train};

fn options() -> Options {
    let pruning = Pruning::Asha { grace: 1, reduction: 2 };
    Options { trials: 16, at_once: 2, pruning, ..Options::default() }
}

#[test]
fn the_same_twice_is_harmless_and_anything_else_is_refused() {
    let mut study = study(model_space(), options());
    study.ask(now());
    let outcome = train(&study.record().trials()[0].clone());
    study.tell(0, outcome.clone(), now()).unwrap();
    let told = study.clone();
    study.tell(0, outcome.clone(), "2026-11-21T03:00:00Z".parse().unwrap()).unwrap();
    assert_eq!(study, told);
    let other = Outcome { seconds: 61.0, ..outcome.clone() };
    assert!(matches!(study.tell(0, other, now()), Err(StudyError::Contradiction { id: 0, .. })));
    assert!(matches!(study.tell(1, outcome, now()), Err(StudyError::Unknown { id: 1, asked: 1 })));
    assert_eq!(study, told);
}

#[test]
fn an_outcome_that_contradicts_itself_is_refused() {
    let mut study = study(model_space(), options());
    study.ask(now());
    let good = Outcome {
        state: State::Complete,
        loss: Some(0.7),
        curve: vec![0.7],
        seconds: 1.0,
        seed: 1,
        attempts: 1,
        worker: None,
    };
    let cases = [
        (Outcome { loss: Some(f64::NAN), ..good.clone() }, "complete without a finite loss"),
        (Outcome { loss: None, ..good.clone() }, "complete without a finite loss"),
        (Outcome { seconds: f64::INFINITY, ..good.clone() }, "it took inf seconds"),
        (Outcome { state: State::Pruned { epoch: 1 }, ..good.clone() }, "gave up at epoch 1"),
    ];
    for (outcome, reason) in cases {
        let message = study.tell(0, outcome, now()).unwrap_err().to_string();
        assert!(message.contains(reason), "{message}");
    }
    let diverged =
        Outcome { state: State::Diverged, loss: Some(f64::NAN), curve: vec![0.7, f64::NAN], ..good };
    study.tell(0, diverged, now()).unwrap();
    assert_eq!(study.record().trials()[0].outcome.as_ref().unwrap().curve, [0.7]);
    Study::from_json(&study.record().to_json()).unwrap();
}

/// Changes the JSON of an ended study and says how it is refused.
fn edited(edit: impl FnOnce(&mut Value)) -> String {
    let (record, _) = run(study(model_space(), options()), &[0]);
    let mut json: Value = serde_json::from_str(&record.to_json()).unwrap();
    edit(&mut json);
    let text = json.to_string();
    // Whatever was edited can be read, but not gone on with.
    let record = Record::from_json(&text).unwrap();
    Study::resume(record).unwrap_err().to_string()
}

#[test]
fn a_study_that_does_not_follow_from_itself_is_not_gone_on_with() {
    let point = edited(|json| json["trials"][12]["point"]["dropout"] = json!(0.25));
    assert!(point.starts_with("trial 12 of the study does not follow"), "{point}");
    let seed = edited(|json| json["options"]["seed"] = json!(2));
    assert!(seed.starts_with("trial 1 of the study does not follow"), "{seed}");
    let space = edited(|json| json["space"]["dropout"] = json!({"float": [0.0, 0.4]}));
    assert!(space.starts_with("trial 1 of the study does not follow"), "{space}");
    let renamed = edited(|json| json["trials"][3]["id"] = json!(4));
    assert!(renamed.contains("it is called 4"), "{renamed}");
    let early = edited(|json| {
        let trial = json["trials"][2].as_object_mut().unwrap();
        trial.remove("outcome");
        trial.remove("ended");
    });
    assert!(
        early.starts_with("trial 4 of the study") && early.contains("could not have begun yet"),
        "{early}"
    );
    let more = edited(|json| json["options"]["trials"] = json!(10));
    assert!(more.starts_with("trial 10 of the study"), "{more}");
    let half = edited(|json| json["trials"][15]["ended"] = Value::Null);
    assert!(half.contains("an outcome without an end"), "{half}");
    let drawn = edited(|json| json["trials"][1]["redrawn"] = json!(5));
    assert!(drawn.contains("the number of its draws"), "{drawn}");
}

#[test]
fn a_result_that_was_edited_shows_in_the_trials_after_it() {
    let altered = edited(|json| {
        for trial in json["trials"].as_array_mut().unwrap().iter_mut().take(4) {
            trial["outcome"]["curve"] = json!([0.1, 0.1, 0.1]);
        }
    });
    assert!(altered.contains("its rungs"), "{altered}");
}

#[test]
fn options_and_points_that_cannot_be_are_refused_at_the_start() {
    let bad = Options { at_once: 0, ..options() };
    assert!(matches!(Study::new(model_space(), bad, base(), vec![]), Err(StudyError::Options(_))));
    let outside = serde_json::from_value(json!({"layers": 1, "fan_out": 8})).unwrap();
    let error = Study::new(model_space(), options(), base(), vec![outside]).unwrap_err();
    let expected = r#"the point {"fan_out":8,"layers":1} to begin with lies outside of the space"#;
    assert_eq!(error.to_string(), expected);
}
