//! Rule 1: whatever becomes known at or after the as-of changes no bit of a prediction.

use std::sync::OnceLock;

use graph::{Sampler, Seed};
use jiff::{SignedDuration, Timestamp};
use market::{GameId, Predictor, Price, ScoreForecast};
use model::{Ensemble, GraphPredictor, Variant};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::world::{World, at, hasty, train};

/// A world, and the files of a model trained on its first weeks.
fn trained() -> &'static (World, Vec<u8>, String) {
    static TRAINED: OnceLock<(World, Vec<u8>, String)> = OnceLock::new();
    TRAINED.get_or_init(|| {
        let world = World::new(28);
        let ensemble = train(&world.graph(at("2020-01-20T12:00:00Z")), hasty()).ensemble;
        let (weights, json) = ensemble.to_bytes().unwrap();
        (world, weights, json)
    })
}

fn ensemble() -> Ensemble {
    let (_, weights, json) = trained();
    Ensemble::from_bytes(weights, json).unwrap()
}

/// Drops, changes and adds rows that are known at `cut` or later.
pub(crate) fn disturb(world: &World, cut: Timestamp, seed: u64) -> World {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut other = world.clone();
    let mut keep = |known_at: Timestamp| known_at < cut || random.random_bool(0.6);
    other.lines.retain(|row| keep(row.known_at()));
    other.results.retain(|row| keep(row.known_at));
    other.context.retain(|row| keep(row.known_at));
    for row in other.lines.iter_mut().filter(|row| row.known_at() >= cut) {
        row.price = Price::new(1.05 + 5.0 * random.random::<f64>()).unwrap();
    }
    for row in other.results.iter_mut().filter(|row| row.known_at >= cut) {
        row.home_score = random.random_range(0..60);
    }
    for row in other.context.iter_mut().filter(|row| row.known_at >= cut) {
        row.home_coach = Some("a newcomer".into());
        row.neutral = Some(true);
    }
    // Late words on games long known: corrections and prices that arrive at the cut itself.
    let early: Vec<_> = world.results.iter().filter(|row| row.known_at < cut).cloned().collect();
    for mut row in early.into_iter().rev().take(20) {
        row.known_at = cut + SignedDuration::from_mins(random.random_range(0..3));
        row.home_score += 30;
        other.results.push(row);
    }
    let quoted: Vec<_> = world.lines.iter().filter(|row| row.known_at() < cut).cloned().collect();
    for mut row in quoted.into_iter().rev().take(50) {
        row.captured_at = cut;
        row.price = Price::new(9.0).unwrap();
        other.lines.push(row);
    }
    other
}

/// Forecasts of `games` out of a graph that was built at the end of time, asked as of `cut`.
fn in_hindsight(world: &World, games: &[GameId], cut: Timestamp) -> Vec<Vec<ScoreForecast>> {
    let graph = world.graph(at("2020-02-01T00:00:00Z"));
    let ensemble = ensemble();
    let sample = ensemble.sample_settings(Variant::HgtMarket).unwrap();
    games
        .iter()
        .map(|game| {
            let seed = Seed { game: graph.find(game).unwrap(), as_of: cut };
            let batch = Sampler::new(&graph, sample).sample(&[seed]);
            ensemble.forecast(Variant::HgtMarket, &batch).unwrap().into_iter().flatten().collect()
        })
        .collect()
}

/// Cuts between rows and exactly on them.
fn cut(minutes: i64, on_a_row: bool) -> Timestamp {
    let cut = at("2020-01-21T00:00:00Z") + SignedDuration::from_mins(minutes);
    let (world, ..) = trained();
    let row = world.lines.iter().map(market::LineRow::known_at).filter(|known_at| *known_at >= cut).min();
    if on_a_row { row.unwrap_or(cut) } else { cut }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_known_at_or_after_the_as_of_changes_a_bit(
        minutes in 0..5 * 24 * 60i64,
        on_a_row: bool,
        seed: u64,
    ) {
        let (world, ..) = trained();
        let cut = cut(minutes, on_a_row);
        let other = disturb(world, cut, seed);
        let until = cut + SignedDuration::from_hours(48);
        let slate = |world: &World| {
            let predictor = GraphPredictor::new(ensemble(), world.graph(cut)).unwrap();
            predictor.slate(cut, until).unwrap()
        };
        let now = slate(world);
        prop_assert!(!now.is_empty());
        prop_assert_eq!(&now, &slate(&other));

        let present: Vec<GameId> = {
            let late = other.graph(at("2020-02-01T00:00:00Z"));
            // A game without a price is answered by the variant without prices, which the hindsight below is not.
            let priced = now.iter().filter(|p| p.members != p.members_without_market);
            priced.map(|p| p.game.game_id.clone()).filter(|id| late.find(id).is_some()).collect()
        };
        let told: Vec<_> =
            now.iter().filter(|p| present.contains(&p.game.game_id)).map(|p| p.members.clone()).collect();
        prop_assert_eq!(&in_hindsight(world, &present, cut), &told);
        prop_assert_eq!(&in_hindsight(&other, &present, cut), &told);
    }
}
