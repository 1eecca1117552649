//! Rule 1 on the walk-forward path, and that folds are what they say.

use graph::Graph;
use jiff::SignedDuration;
use market::{LeagueId, Timestamp};
use model::{
    ModelError,
    backtest::{Cadence, Fold, FoldForecast, folds, forecast_fold, score},
};
use proptest::prelude::*;

use crate::{
    look_ahead::disturb,
    world::{World, at, hasty},
};

const END: &str = "2020-03-01T00:00:00Z";

fn league() -> LeagueId {
    LeagueId::new("kick").unwrap()
}

fn weekly(graph: &Graph) -> Vec<Fold> {
    folds(graph, &league(), 2020, 2020, Cadence::Week)
}

fn forecast(world: &World, graph: &Graph, fold: &Fold) -> FoldForecast {
    forecast_fold(&world.graph(fold.cutoff), graph, fold, &hasty(), true, &(), &mut ()).unwrap()
}

#[test]
fn folds_cover_every_game_once_and_start_with_their_first_decision() {
    let graph = World::new(28).graph(at(END));
    for (cadence, wanted) in [(Cadence::Season, 1), (Cadence::Month, 1), (Cadence::Week, 5)] {
        let folds = folds(&graph, &league(), 2020, 2020, cadence);
        assert_eq!(folds.len(), wanted, "{cadence}");
        let games: usize = folds.iter().map(|fold| fold.games.len()).sum();
        assert_eq!(games, 28 * 4);
        for fold in &folds {
            let decisions = fold.games.iter().map(|game| graph.decision_time(graph.find(game).unwrap()));
            assert_eq!(decisions.min(), Some(fold.cutoff));
        }
        assert!(folds.windows(2).all(|pair| pair[0].cutoff < pair[1].cutoff));
    }
}

#[test]
fn a_fold_whose_history_knows_too_much_is_refused_and_so_is_one_without_history() {
    let world = World::new(28);
    let graph = world.graph(at(END));
    let folds = weekly(&graph);
    let late = world.graph(folds[3].cutoff + SignedDuration::from_nanos(1));
    let refused = forecast_fold(&late, &graph, &folds[3], &hasty(), true, &(), &mut ()).unwrap_err();
    assert!(matches!(refused, ModelError::LookAhead { .. }), "{refused}");
    let first = forecast_fold(&world.graph(folds[0].cutoff), &graph, &folds[0], &hasty(), true, &(), &mut ());
    assert!(matches!(first, Err(ModelError::TooFewGames { .. })));
}

#[test]
fn scores_are_of_the_same_games_for_every_forecast() {
    let world = World::new(28);
    let graph = world.graph(at(END));
    let folds = weekly(&graph);
    let said: Vec<FoldForecast> = folds[3..].iter().map(|fold| forecast(&world, &graph, fold)).collect();
    let scores = score(&graph, &league(), &said).unwrap();
    let games = scores.scores.forecasts[0].games;
    assert!(scores.scores.forecasts.iter().all(|forecast| forecast.games == games));
    let asked: usize = folds[3..].iter().map(|fold| fold.games.len()).sum();
    assert_eq!(games + scores.not_covered, asked);
    let in_bins: usize = scores.reliability["hgt"].iter().map(|bin| bin.count).sum();
    assert_eq!(in_bins, asked, "the plot shows every game that the forecast covers");
}

/// What was said of the fold's games that were decided by `cut`, with everything beside it.
fn decided(forecast: &FoldForecast, cut: Timestamp) -> Vec<String> {
    let said = forecast.predictions.iter().filter(|prediction| prediction.as_of <= cut);
    said.map(|prediction| format!("{:?} {:?}", prediction.members, prediction.members_without_market))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, max_shrink_iters: 2, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_known_at_or_after_a_decision_changes_a_bit_of_the_backtest(game in 0..20usize, seed: u64) {
        let world = World::new(28);
        let graph = world.graph(at(END));
        let fold = &weekly(&graph)[3];
        let cut = graph.decision_time(graph.find(&fold.games[game.min(fold.games.len() - 1)]).unwrap());
        let other = disturb(&world, cut, seed);
        let late = other.graph(at(END));
        // The same games, where the disturbance left them their result.
        let kept = Fold { games: fold.games.iter().filter(|g| late.find(g).is_some_and(|i| late.target(i).is_some())).cloned().collect(), ..fold.clone() };
        let first = Fold { games: kept.games.clone(), ..fold.clone() };
        let before = decided(&forecast(&world, &graph, &first), cut);
        let after = decided(&forecast(&other, &late, &kept), cut);
        prop_assert_eq!(before, after);
    }
}
