//! Shapes and order of what is sampled, ratings, and hypothetical games.

use data::Snapshot;
use graph::{Block, FanOut, Graph, NodeKind, Past, Relation, SampleSettings, Sampler, Seed, features};
use market::{GameId, GameStatus, ResultRow};

use crate::worlds::{World, context, game, instant, leagues, result};

/// Alder beats Birch at home every 100 hours, five times; a sixth meeting is scheduled.
fn series() -> (Graph, GameId) {
    let (mut results, mut fixtures) = (Vec::new(), Vec::new());
    for round in 0..6 {
        let fixture = game("duo", 2019, instant(100 + 100 * round), "Alder", "Birch");
        let mut row = context(&fixture, instant(0));
        (row.home_coach, row.venue) = (Some("Ada".into()), Some("Alder Park".into()));
        fixtures.push(row);
        if round < 5 {
            results.push(result(&fixture, 2 + round as u16, 1, instant(103 + 100 * round)));
        }
    }
    let id = fixtures[5].game.game_id.clone();
    (Graph::build(&Snapshot::new(instant(590), leagues(), vec![], results, fixtures)), id)
}

fn check_shape(block: &Block) {
    assert_eq!(block.width, features::width(block.kind));
    assert_eq!(block.features.len(), block.rows * block.width);
    for children in &block.children {
        let size = block.rows * children.fan_out;
        assert_eq!(
            (children.present.len(), children.age_days.len(), children.block.rows),
            (size, size, size)
        );
        assert_eq!(
            (children.relation.target(), children.relation.source()),
            (block.kind, children.block.kind)
        );
        for target in 0..block.rows {
            let range = target * children.fan_out..(target + 1) * children.fan_out;
            let (present, ages) = (&children.present[range.clone()], &children.age_days[range.clone()]);
            let count = present.iter().take_while(|p| **p == 1.0).count();
            assert!(
                present[count..].iter().chain(&ages[count..]).all(|value| *value == 0.0),
                "padding comes last"
            );
            assert!(ages[..count].is_sorted(), "most recent first: {ages:?}");
            assert!(ages.iter().all(|age| *age >= 0.0));
            let padding = &children.block.features
                [(range.start + count) * children.block.width..range.end * children.block.width];
            assert!(padding.iter().all(|value| *value == 0.0));
        }
        check_shape(&children.block);
    }
}

#[test]
fn every_block_is_a_padded_rectangle_most_recent_first() {
    let graph = Graph::build(&World::random(11, 60).snapshot(instant(2000)));
    let settings = SampleSettings { hops: 3, with_market: true, ..SampleSettings::default() };
    let seeds: Vec<Seed> =
        (0..graph.games().len()).map(|game| Seed { game, as_of: graph.decision_time(game) }).collect();
    let batch = Sampler::new(&graph, settings).sample(&seeds);
    assert_eq!((batch.seeds.rows, batch.league.len()), (seeds.len(), seeds.len()));
    check_shape(&batch.seeds);
    assert_eq!(batch, Sampler::new(&graph, settings).sample(&seeds));
}

#[test]
fn a_batch_is_its_seeds_one_by_one() {
    let graph = Graph::build(&World::random(12, 20).snapshot(instant(2000)));
    let sampler = Sampler::new(&graph, SampleSettings::default());
    let seeds: Vec<Seed> = (0..graph.games().len()).map(|game| Seed { game, as_of: instant(900) }).collect();
    let all = sampler.sample(&seeds).seeds.features;
    let one_by_one: Vec<f32> =
        seeds.iter().flat_map(|seed| sampler.sample(&[*seed]).seeds.features).collect();
    assert_eq!(all, one_by_one);
}

#[test]
fn the_most_recent_outcomes_fill_the_fan_out() {
    let (graph, id) = series();
    let fan_out = FanOut::default().with(Relation::TeamHomeOutcome, 3);
    let sampler = Sampler::new(&graph, SampleSettings { fan_out, ..SampleSettings::default() });
    let batch = sampler.sample(&[Seed { game: graph.find(&id).unwrap(), as_of: instant(527) }]);
    let home = batch.seeds.children.iter().find(|c| c.relation == Relation::HomeTeam).unwrap();
    let outcomes = home.block.children.iter().find(|c| c.relation == Relation::TeamHomeOutcome).unwrap();
    assert_eq!(outcomes.present, [1.0; 3]);
    let ages = [1.0, 1.0 + 100.0 / 24.0, 1.0 + 200.0 / 24.0];
    // Single precision of day counts below 10.
    assert!(outcomes.age_days.iter().zip(ages).all(|(age, expected)| (age - expected).abs() < 1e-5));
    let width = features::width(NodeKind::Outcome);
    let margins: Vec<f32> = outcomes.block.features.chunks(width).map(|row| row[0]).collect();
    assert!(margins[0] > margins[1], "5 goals ahead of 4: {margins:?}");
}

#[test]
fn a_reservoir_keeps_the_recent_half_and_draws_the_rest_from_all_earlier_outcomes() {
    let (graph, id) = series();
    let seed = Seed { game: graph.find(&id).unwrap(), as_of: instant(527) };
    let ages = |past: Past, fan_out: usize| -> Vec<f32> {
        let fan_out = FanOut::default().with(Relation::TeamHomeOutcome, fan_out);
        let sampler = Sampler::new(&graph, SampleSettings { fan_out, past, ..SampleSettings::default() });
        let batch = sampler.sample(&[seed]);
        let home = batch.seeds.children.iter().find(|c| c.relation == Relation::HomeTeam).unwrap();
        let outcomes = home.block.children.iter().find(|c| c.relation == Relation::TeamHomeOutcome).unwrap();
        outcomes.age_days.iter().zip(&outcomes.present).filter(|(_, p)| **p > 0.0).map(|(a, _)| *a).collect()
    };
    let all = ages(Past::Recent, 20);
    assert!(all.len() > 3, "{all:?}");
    let drawn: Vec<Vec<f32>> = (0..20).map(|seed| ages(Past::Reservoir(seed), 3)).collect();
    for (seed, drawn) in drawn.iter().enumerate() {
        assert_eq!(drawn[..2], all[..2], "the recent half");
        assert!(all[2..].contains(&drawn[2]), "{drawn:?} of {all:?}");
        assert_eq!(*drawn, ages(Past::Reservoir(seed as u64), 3), "the same seed draws the same");
    }
    assert!(drawn.iter().any(|other| *other != drawn[0]), "seeds differ");
    assert_eq!(ages(Past::Reservoir(1), 20), all, "room for all");
}

#[test]
fn a_relation_with_no_fan_out_is_left_out() {
    let (graph, _) = series();
    let fan_out = FanOut::default().with(Relation::PlayedAt, 0).with_outcomes(0);
    let batch = Sampler::new(&graph, SampleSettings { fan_out, ..SampleSettings::default() })
        .sample(&[Seed { game: 0, as_of: instant(90) }]);
    let relations: Vec<Relation> = batch.seeds.children.iter().map(|children| children.relation).collect();
    assert!(!relations.contains(&Relation::PlayedAt) && relations.contains(&Relation::HomeTeam));
    assert!(batch.seeds.children.iter().all(|children| children.block.children.is_empty()));
}

#[test]
fn the_winner_of_five_is_rated_above_the_loser() {
    let (graph, id) = series();
    let game = graph.find(&id).unwrap();
    let before = graph.elo(game, instant(50));
    let after = graph.elo(game, instant(590));
    assert!((before - 48.9).abs() < 0.2, "only the prior home advantage: {before}");
    assert!(after > before + 50.0, "{after}");
    let (margin, total) = graph.expected_score(game, instant(590));
    // Home scored one more each time: the expectation lies between the mean and the last game.
    assert!((2.0..5.0).contains(&margin) && (5.0..7.0).contains(&total), "{margin} {total}");
}

#[test]
fn only_final_results_make_targets_and_the_first_makes_the_outcome() {
    let fixture = game("duo", 2019, instant(100), "Alder", "Birch");
    let postponed = ResultRow { status: GameStatus::Postponed, ..result(&fixture, 0, 0, instant(90)) };
    let rows =
        vec![postponed.clone(), result(&fixture, 2, 1, instant(110)), result(&fixture, 2, 2, instant(120))];
    let build =
        |rows: Vec<ResultRow>| Graph::build(&Snapshot::new(instant(200), leagues(), vec![], rows, vec![]));
    let graph = build(rows);
    assert_eq!(graph.target(0), Some((0, 4)), "the correction is what is learnt");
    assert_eq!(graph.result_known_at(0), Some(instant(110)));
    assert_eq!(graph.node_count(NodeKind::Outcome), 1);
    assert_eq!(build(vec![postponed]).target(0), None);
}

#[test]
fn pieces_sampled_side_by_side_are_those_sampled_alone() {
    let (graph, _) = series();
    let sampler = Sampler::new(&graph, SampleSettings { hops: 3, ..SampleSettings::default() });
    let seeds: Vec<Seed> = (0..graph.games().len())
        .map(|game| Seed { game, as_of: graph.decision_time(game) })
        .cycle()
        .take(200)
        .collect();
    let alone: Vec<_> = seeds.chunks(7).map(|piece| sampler.sample(piece)).collect();
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| sampler.pieces(&seeds, 7)), alone);
    }
}
