//! The demo league tells its true probabilities, so a model can be held against the truth itself.

use std::collections::BTreeMap;

use data::{Parsed, Pull, Snapshot, Source, demo::DemoSource};
use graph::Graph;
use market::{GameId, Timestamp, score::log_loss};
use model::{Provenance, TrainSettings, Trainer};

fn league(as_of: Timestamp) -> (DemoSource, Snapshot) {
    let source = DemoSource::new(DemoSource::league("demo").unwrap(), data::demo::DEFAULT_SEED);
    let mut rows = Parsed::default();
    for payload in source.fetch(&Pull::new(as_of)).unwrap() {
        let part = source.parse(&payload, &"demo".into()).unwrap();
        rows.lines.extend(part.lines);
        rows.results.extend(part.results);
        rows.context.extend(part.context);
    }
    let snapshot =
        Snapshot::new(as_of, vec![source.league().clone()], rows.lines, rows.results, rows.context);
    (source, snapshot)
}

/// Slow: trains both variants on six seasons.
#[test]
fn the_demo_models_log_loss_lies_between_the_truths_and_the_home_rates_closer_to_the_truth() {
    let as_of: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
    let (source, snapshot) = league(as_of);
    let graph = Graph::build(&snapshot);
    let settings = TrainSettings { ensemble: 1, epochs: 12, refit: false, ..TrainSettings::default() };
    let trained = Trainer::new(&graph, settings, Provenance::default()).train(&mut ()).unwrap();

    let truths = source.truth(as_of).unwrap();
    let truth: BTreeMap<&GameId, f64> = truths.iter().map(|t| (&t.game_id, t.home_win())).collect();
    let (mut games, mut of_truth, mut of_hgt, mut of_market) = (0.0, 0.0, 0.0, 0.0);
    for prediction in &trained.held_out {
        let index = graph.find(&prediction.game.game_id).unwrap();
        let (margin, _) = graph.target(index).unwrap();
        if margin == 0 {
            continue; // a tie decides nothing in a two-way league
        }
        let loss = |p: f64| log_loss(&[p, 1.0 - p], usize::from(margin < 0));
        games += 1.0;
        of_truth += loss(truth[&prediction.game.game_id]);
        of_hgt += loss(prediction.members_without_market[0].moneyline_two_way());
        of_market += loss(prediction.members[0].moneyline_two_way());
    }
    let scores = &trained.ensemble.card().scores[0].forecasts;
    let home_rate = scores.iter().find(|f| f.name == "home_rate").unwrap().log_loss;
    let [truth, hgt, market] = [of_truth, of_hgt, of_market].map(|sum| sum / games);
    println!(
        "{games} games: truth {truth:.4}, hgt {hgt:.4}, hgt_market {market:.4}, home rate {home_rate:.4}"
    );
    for model in [hgt, market] {
        assert!(truth < model && model < home_rate, "{truth} < {model} < {home_rate} does not hold");
        assert!(model - truth < home_rate - model, "{model} is closer to the home rate than to the truth");
    }
}
