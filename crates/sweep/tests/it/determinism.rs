//! The same study comes out, whoever is fast and whoever is killed.

use proptest::prelude::*;
use sweep::{Ask, Options, Pruning, Study, Trial};

use crate::simulation::{finish_one, model_space, now, options, picks, run, space, study, train};

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn results_in_any_order_give_the_same_trials(
        space in space(), options in options(), one in picks(), other in picks(),
    ) {
        let first = run(study(space.clone(), options.clone()), &one);
        let second = run(study(space, options), &other);
        prop_assert_eq!(first, second);
    }

    #[test]
    fn a_study_killed_at_every_step_ends_like_one_that_was_not(
        space in space(), options in options(), picks in picks(),
    ) {
        let undisturbed = run(study(space.clone(), options.clone()), &picks);
        let mut text = study(space, options).record().to_json();
        let mut picks = picks.iter().cycle();
        let ending = loop {
            let mut study = Study::from_json(&text).unwrap();
            match study.ask(now()) {
                Ask::Trial(_) => {}
                Ask::Wait => finish_one(&mut study, *picks.next().unwrap()),
                Ask::Finished(ending) => break ending,
                _ => unreachable!(),
            }
            text = study.record().to_json();
        };
        let record = Study::from_json(&text).unwrap().record().clone();
        prop_assert_eq!((record, ending), undisturbed);
    }

    /// Rungs and points depend on the trials up to `k - at_once` alone: what the others told is changed, and nothing moves.
    #[test]
    fn no_trial_depends_on_those_that_were_under_way(
        options in options(), picks in picks(), spoilt in 0..24_usize,
    ) {
        let (honest, _) = run(study(model_space(), options.clone()), &picks);
        let mut study = study(model_space(), options.clone());
        while let Some(trial) = next(&mut study, spoilt) {
            if trial.id >= spoilt + options.at_once {
                break;
            }
            let known = &honest.trials()[trial.id];
            prop_assert_eq!((&trial.point, &trial.rungs), (&known.point, &known.rungs));
        }
    }
}

/// Asks for the next trial; those from `spoilt` on tell half the loss of what they trained.
fn next(study: &mut Study, spoilt: usize) -> Option<Trial> {
    loop {
        match study.ask(now()) {
            Ask::Trial(trial) => return Some(trial),
            Ask::Wait => {
                let trial = study.record().pending().next().unwrap().clone();
                let mut outcome = train(&trial);
                if trial.id >= spoilt {
                    outcome = train(&Trial { rungs: Vec::new(), ..trial.clone() });
                    outcome.curve.iter_mut().for_each(|loss| *loss /= 2.0);
                    outcome.loss = outcome.loss.map(|loss| loss / 2.0);
                }
                study.tell(trial.id, outcome, now()).unwrap();
            }
            _ => return None,
        }
    }
}

#[test]
fn a_trial_waits_for_all_that_it_builds_on_and_no_others() {
    let options = Options { trials: 6, at_once: 3, pruning: Pruning::None, ..Options::default() };
    let mut study = study(model_space(), options);
    for id in 0..3 {
        assert!(matches!(study.ask(now()), Ask::Trial(trial) if trial.id == id));
    }
    assert_eq!(study.ask(now()), Ask::Wait);
    // The two that are quicker do not help: the fourth trial builds on the first.
    finish_one(&mut study, 2);
    finish_one(&mut study, 1);
    assert_eq!(study.ask(now()), Ask::Wait);
    finish_one(&mut study, 0);
    for id in 3..6 {
        assert!(matches!(study.ask(now()), Ask::Trial(trial) if trial.id == id));
    }
    assert_eq!(study.ask(now()), Ask::Wait);
}

#[test]
fn seeds_differ_and_repeat() {
    let run = |seed| run(study(model_space(), Options { seed, trials: 15, ..Options::default() }), &[0]);
    assert_eq!(run(3), run(3));
    assert_ne!(run(3).0.trials()[1].point, run(4).0.trials()[1].point);
}
