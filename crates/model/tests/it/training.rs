//! Training, its scores, and the files it ends in.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    error::Error,
};

use market::{Prediction, predictor::LeagueScores, score::ForecastScore};
use model::{
    Checkpoints, Ensemble, ModelError, Precision, Progress, Provenance, Rung, Stage, Step, TrainSettings,
    Trainer, TrialSpec, Variant, run_trial,
};

use crate::world::{World, at, hasty, settings, train};

#[derive(Default)]
struct Epochs(Vec<Step>);

impl Progress for Epochs {
    fn step(&mut self, step: &Step) {
        if step.batch == step.batches && (step.validation_loss.is_some() || step.stage == Stage::Refit) {
            self.0.push(step.clone());
        }
    }
}

fn score<'a>(league: &'a LeagueScores, name: &str) -> &'a ForecastScore {
    league
        .forecasts
        .iter()
        .find(|score| score.name == name)
        .unwrap_or_else(|| panic!("no {name} in {league:?}"))
}

#[test]
fn training_learns_what_there_is_to_learn() {
    let graph = World::new(90).graph(at("2020-03-25T12:00:00Z"));
    let mut epochs = Epochs::default();
    let trained = Trainer::new(&graph, settings(), Provenance::default()).train(&mut epochs).unwrap();

    for variant in Variant::ALL {
        let losses: Vec<f64> = epochs
            .0
            .iter()
            .filter(|s| s.variant == variant && s.stage == Stage::Fit && s.member == 0)
            .map(|s| s.loss)
            .collect();
        assert!(losses.last().unwrap() < &(losses[0] - 0.05), "{variant:?}: {losses:?}");
    }
    let card = trained.ensemble.card();
    assert_eq!(card.scores.len(), 2);
    for league in &card.scores {
        let names: Vec<&str> = league.forecasts.iter().map(|score| score.name.as_str()).collect();
        let ratings = if league.league.as_str() == "ball" { "normal_margin" } else { "poisson" };
        let mut wanted = vec!["home_rate", "elo", ratings];
        wanted.extend((ratings == "poisson").then_some("dixon_coles"));
        wanted.extend(["opening_line", "closing_line", "linear", "hgt", "linear_market", "hgt_market"]);
        assert_eq!(names, wanted);
        assert!(league.forecasts.iter().all(|score| score.games == league.forecasts[0].games));
        let (home_rate, hgt) = (score(league, "home_rate"), score(league, "hgt"));
        assert!(hgt.log_loss < home_rate.log_loss - 0.02, "{hgt:?} beside {home_rate:?}");
        assert!(score(league, "hgt_market").log_loss < home_rate.log_loss - 0.02);
        let closing = score(league, "closing_line");
        assert_eq!((closing.log_loss_minus_closing, closing.standard_error), (Some(0.0), Some(0.0)));
    }
    assert_eq!(trained.held_out.len(), 102, "15 % of the games that ended by then, cut at a start");
    let spread = |prediction: &Prediction| prediction.members[0].margin != prediction.members[1].margin;
    assert!(trained.held_out.iter().all(spread), "members learnt from other games");
}

#[test]
fn forecasts_of_held_out_games_are_proper_distributions() {
    let graph = World::new(30).graph(at("2020-01-28T12:00:00Z"));
    for prediction in train(&graph, hasty()).held_out {
        assert_eq!((prediction.members.len(), prediction.members_without_market.len()), (1, 1));
        for forecast in prediction.members.iter().chain(&prediction.members_without_market) {
            for distribution in [&forecast.margin, &forecast.total] {
                let sum: f64 = distribution.iter().map(|(_, p)| p).sum();
                assert!((sum - 1.0).abs() < 1e-9, "{sum}");
                assert!(distribution.iter().all(|(_, p)| p >= 0.0));
            }
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let graph = World::new(25).graph(at("2020-01-24T12:00:00Z"));
    let weights = |seed| {
        let settings = TrainSettings { seed, refit: true, dropout: 0.2, epochs: 2, ..hasty() };
        train(&graph, settings).ensemble.to_bytes().unwrap().0
    };
    let first = weights(1);
    assert!(first == weights(1), "same seed, same bits");
    assert!(first != weights(2));
}

#[test]
fn an_ensemble_read_back_is_the_same_to_the_byte() {
    let graph = World::new(25).graph(at("2020-01-24T12:00:00Z"));
    let ensemble = train(&graph, hasty()).ensemble;
    let (weights, json) = ensemble.to_bytes().unwrap();
    let again = Ensemble::from_bytes(&weights, &json).unwrap();
    assert!(again.to_bytes().unwrap() == (weights, json));
    assert_eq!(again.card().sha256.len(), 64);
    assert!(again.card().version.starts_with("20200124T120000Z-"), "{}", again.card().version);
}

#[test]
fn a_damaged_model_is_refused_in_one_line() {
    let graph = World::new(25).graph(at("2020-01-24T12:00:00Z"));
    let (weights, json) = train(&graph, hasty()).ensemble.to_bytes().unwrap();
    let refusal = |weights: &[u8], json: &str| Ensemble::from_bytes(weights, json).unwrap_err();

    let mut flipped = weights.clone();
    flipped[weights.len() / 2] ^= 1;
    for damaged in [&flipped[..], &weights[..weights.len() / 2], b"<html>", b""] {
        let refusal = refusal(damaged, &json);
        assert!(matches!(refusal, ModelError::Corrupt { .. }), "{refusal}");
        assert_eq!(refusal.to_string().lines().count(), 1);
    }
    assert!(matches!(refusal(&weights, "{}"), ModelError::ModelFile(_)));
    let foreign = json.replace("\"hidden\": 16,", "\"hidden\": 32,");
    assert!(matches!(refusal(&weights, &foreign), ModelError::Weights(_)));
}

#[test]
fn a_trial_trains_one_member_and_leaves_the_test_games_alone() {
    let world = World::new(25);
    let graph = world.graph(at("2020-01-24T12:00:00Z"));
    let settings = TrainSettings { epochs: 2, ..hasty() };
    let spec = TrialSpec { id: 4, settings, seed: 3, epochs: 2, rungs: Vec::new() };
    let result = run_trial(&graph, &spec, &mut ()).unwrap();
    assert_eq!((result.id, result.curve.len(), result.gave_up_at), (4, 2, None));
    assert!(result.validation_loss.unwrap().is_finite());

    // Scores of the last day belong to the test games; turning them around must not reach the trial.
    let mut other = world.clone();
    for row in other.results.iter_mut().filter(|row| row.known_at >= at("2020-01-23T00:00:00Z")) {
        std::mem::swap(&mut row.home_score, &mut row.away_score);
    }
    let again = run_trial(&other.graph(at("2020-01-24T12:00:00Z")), &spec, &mut ()).unwrap();
    assert_eq!(again.validation_loss, result.validation_loss);

    // A rung that it misses ends it there, with the losses that it had; one that it takes does not.
    let just = result.curve[0];
    let given_up = |worse_than| {
        let rungs = vec![Rung { epoch: 1, worse_than }];
        run_trial(&graph, &TrialSpec { rungs, ..spec.clone() }, &mut ()).unwrap()
    };
    let missed = given_up(just - 1e-9);
    assert_eq!((missed.gave_up_at, &missed.curve[..]), (Some(1), &result.curve[..1]));
    assert_eq!(given_up(just).curve, result.curve);
}

#[test]
fn bad_settings_are_named() {
    let graph = World::new(25).graph(at("2020-01-24T12:00:00Z"));
    let settings = TrainSettings { dropout: 1.5, ..hasty() };
    let refusal = Trainer::new(&graph, settings, Provenance::default()).train(&mut ()).unwrap_err();
    assert_eq!(refusal.to_string(), "setting `dropout` is 1.5: it must be in [0, 1)");
}

/// Keeps checkpoints in memory and fails when it is asked to keep one too many: a kill at that instant.
#[derive(Default)]
struct Mortal {
    kept: RefCell<BTreeMap<String, Vec<u8>>>,
    left: Cell<usize>,
}

impl Checkpoints for Mortal {
    fn load(&self, name: &str) -> Option<Vec<u8>> {
        self.kept.borrow().get(name).cloned()
    }

    fn save(&self, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let left = self.left.get().checked_sub(1).ok_or("killed")?;
        self.left.set(left);
        self.kept.borrow_mut().insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }
}

#[test]
fn a_training_killed_in_the_middle_of_an_epoch_ends_with_the_same_weights() {
    let graph = World::new(28).graph(at("2020-01-20T12:00:00Z"));
    let settings =
        TrainSettings { checkpoint_seconds: 0.0, batch: 32, epochs: 3, patience: 2, refit: true, ..hasty() };
    let whole = Trainer::new(&graph, settings.clone(), Provenance::default()).train(&mut ()).unwrap();
    let mortal = Mortal::default();
    let mut deaths = 0;
    let ended = loop {
        // Two checkpoints a life, less than an epoch has batches.
        mortal.left.set(2);
        let trainer = Trainer::new(&graph, settings.clone(), Provenance::default()).checkpoints(&mortal);
        match trainer.train(&mut ()) {
            Ok(ended) => break ended,
            Err(ModelError::Checkpoint(_)) => deaths += 1,
            Err(other) => panic!("{other}"),
        }
    };
    assert!(deaths > 3, "{deaths} deaths");
    let (weights, json) = ended.ensemble.to_bytes().unwrap();
    let (wanted, wanted_json) = whole.ensemble.to_bytes().unwrap();
    assert_eq!(json, wanted_json);
    assert!(weights == wanted, "the weights differ");
    assert_eq!(ended.held_out, whole.held_out);
}

#[test]
fn an_update_goes_on_from_yesterday_and_scores_stay_those_of_the_whole_training() {
    let world = World::new(60);
    let (yesterday, today) =
        (world.graph(at("2020-02-20T12:00:00Z")), world.graph(at("2020-02-22T12:00:00Z")));
    let settings = TrainSettings { ensemble: 2, refit: true, ..hasty() };
    let whole = train(&yesterday, settings.clone()).ensemble;
    let trainer = Trainer::new(&today, settings.clone(), Provenance::default());
    let mut steps = Epochs::default();
    let updated = trainer.update(&whole, &mut steps).unwrap();

    assert!(updated.to_bytes().unwrap() == trainer.update(&whole, &mut ()).unwrap().to_bytes().unwrap());
    let (file, before) = (updated.file(), whole.file());
    assert_eq!(file.card.scores, before.card.scores);
    for (now, then) in file.members.iter().zip(&before.members) {
        assert_eq!((now.epochs, now.trust, now.confidence), (then.epochs + 1, then.trust, then.confidence));
    }
    assert!(file.refitted && file.updates == 1);
    assert_eq!((file.trained_as_of, file.card.data_as_of), (yesterday.as_of(), today.as_of()));
    assert_ne!(file.card.sha256, before.card.sha256);
    assert!(file.leagues[0].games > before.leagues[0].games, "histograms take in the new games");
    let (weights, json) = updated.to_bytes().unwrap();
    assert!(Ensemble::from_bytes(&weights, &json).unwrap().to_bytes().unwrap() == (weights, json));

    // It has learnt a little and forgotten nothing: over all games that are known today it is no worse.
    let games = (0..today.games().len()).filter(|game| today.target(*game).is_some());
    let seeds: Vec<graph::Seed> =
        games.map(|game| graph::Seed { game, as_of: today.decision_time(game) }).collect();
    let loss = |ensemble: &Ensemble| {
        let said = ensemble.predict(&today, &seeds).unwrap();
        let losses = said.iter().zip(&seeds).map(|(prediction, seed)| {
            let (margin, _) = today.target(seed.game).unwrap();
            -prediction.members_without_market[0].margin.probability(margin).ln()
        });
        losses.sum::<f64>() / seeds.len() as f64
    };
    let (before, after) = (loss(&whole), loss(&updated));
    assert!((after - before).abs() > 1e-6, "an update that changes nothing");
    assert!(after < before + 0.01, "{before} {after}");

    let refused = Trainer::new(&yesterday, settings.clone(), Provenance::default()).update(&updated, &mut ());
    assert!(matches!(refused, Err(ModelError::NoUpdate(_))), "yesterday cannot update today");
    let other = TrainSettings { hidden: 32, ..settings };
    let refused = Trainer::new(&today, other, Provenance::default()).update(&whole, &mut ());
    assert!(matches!(refused, Err(ModelError::NoUpdate(_))), "other settings");
}

#[test]
fn half_the_digits_learn_about_the_same() {
    let graph = World::new(40).graph(at("2020-02-05T12:00:00Z"));
    let losses = |precision: Precision| -> Vec<f64> {
        let trained = train(&graph, TrainSettings { precision, ..hasty() });
        let (weights, json) = trained.ensemble.to_bytes().unwrap();
        assert!(Ensemble::from_bytes(&weights, &json).is_ok());
        trained.ensemble.file().members.iter().map(|member| member.validation_loss).collect()
    };
    let (whole, half) = (losses(Precision::Float32), losses(Precision::Bfloat16));
    assert_ne!(whole, half, "the precision makes a difference");
    for (whole, half) in whole.iter().zip(&half) {
        assert!((whole - half).abs() < 0.01 * whole, "{whole} {half}");
    }
}
