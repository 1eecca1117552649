//! The rule above all: rows with `known_at >= t` change no bit of what is seen as of `t` or earlier.

use data::Snapshot;
use graph::{
    Asked, Batch, Block, FanOut, Graph, GraphError, Meeting, NodeKind, Past, SampleSettings, Sampler, Seed,
};
use jiff::{SignedDuration, Timestamp};
use market::{GameId, Name};
use proptest::prelude::*;

use crate::worlds::{TEAMS, World, context, game, instant, result};

const END: i64 = 2000;

fn bits_of_block(block: &Block, bits: &mut Vec<u32>) {
    bits.extend([block.rows as u32, block.width as u32, block.children.len() as u32]);
    bits.extend(block.features.iter().map(|value| value.to_bits()));
    for children in &block.children {
        bits.push(children.fan_out as u32);
        bits.extend(children.present.iter().chain(&children.age_days).map(|value| value.to_bits()));
        bits_of_block(&children.block, bits);
    }
}

fn bits_of(batch: &Batch) -> Vec<u32> {
    let mut bits: Vec<u32> = batch.league.iter().map(|league| *league as u32).collect();
    bits_of_block(&batch.seeds, &mut bits);
    bits
}

/// Everything that can be asked of one game as of an instant; nothing of a game that is not there.
fn seen(graph: &Graph, id: &GameId, as_of: Timestamp) -> Vec<u32> {
    let Some(game) = graph.find(id) else { return vec![] };
    let mut bits = Vec::new();
    for with_market in [false, true] {
        let past = if with_market { Past::Reservoir(5) } else { Past::Recent };
        // Small enough that something is left out.
        let fan_out = FanOut::default().with_outcomes(if with_market { 2 } else { 8 });
        let settings = SampleSettings { hops: 3, with_market, past, fan_out };
        bits.extend(bits_of(&Sampler::new(graph, settings).sample(&[Seed { game, as_of }])));
        let features = graph.features(NodeKind::Game, game, as_of, with_market);
        bits.extend(features.iter().map(|value| value.to_bits()));
    }
    let (margin, total) = graph.expected_score(game, as_of);
    let consensus = graph.consensus(game, as_of).unwrap_or_default();
    for value in [margin, total, graph.elo(game, as_of)].into_iter().chain(consensus) {
        bits.extend([value.to_bits() as u32, (value.to_bits() >> 32) as u32]);
    }
    let text = serde_json::to_string(&graph.neighbourhood(game, as_of).rows).unwrap();
    bits.extend(text.bytes().map(u32::from));
    bits
}

/// Everything that is seen of a question, or why it has no answer.
fn answer(graph: &Graph, asked: Result<Asked, GraphError>) -> (Vec<u32>, String) {
    let asked = match asked {
        Ok(asked) => asked,
        Err(error) => return (vec![], error.to_string()),
    };
    let sampler = Sampler::new(graph, SampleSettings { hops: 2, ..SampleSettings::default() });
    let mut bits = bits_of(&sampler.sample_asked(&[asked]));
    bits.push(asked.season() as u32);
    (bits, format!("{:?}", sampler.trace_asked(&asked)))
}

/// Returns the questions of what never was, asked as of instants up to `cut`, that the two graphs answer differently.
pub(crate) fn different_answers(one: &Graph, other: &Graph, cut: Timestamp) -> Vec<String> {
    let mut different = Vec::new();
    let outs: [&[Name]; 3] = [&[], &["Ada".into()], &["Bo".into(), "Cy".into()]];
    for as_of in [cut, cut - SignedDuration::from_hours(31)] {
        for (place, home) in TEAMS.into_iter().enumerate() {
            for (league, venue, out) in
                [("cup", None, outs[place % 3]), ("duo", Some("Di"), outs[(place + 1) % 3])]
            {
                let (league, away) = (crate::worlds::league(league), TEAMS[(place + 1 + place % 2) % 6]);
                let start_time = as_of + SignedDuration::from_hours(24 * (place as i64 - 2));
                let meeting = Meeting { venue, out, ..Meeting::new(&league, home, away, start_time) };
                let ask = |graph: &Graph| answer(graph, graph.hypothetical(&meeting, as_of));
                if ask(one) != ask(other) {
                    different.push(format!("{meeting:?} as of {as_of}"));
                }
            }
        }
        for (game, header) in one.games().iter().enumerate().filter(|(game, _)| one.is_known(*game, as_of)) {
            let ask = |graph: &Graph, game| answer(graph, graph.ask(Seed { game, as_of }, outs[1]));
            let there = other.find(&header.game_id).map(|there| ask(other, there));
            if there != Some(ask(one, game)) {
                different.push(format!("{} without Ada as of {as_of}", header.game_id));
            }
        }
    }
    different
}

/// Returns the games, known as of an instant up to `cut`, that look different in the two graphs.
pub(crate) fn differences(one: &Graph, other: &Graph, cut: Timestamp) -> Vec<GameId> {
    let mut different = Vec::new();
    for as_of in [cut, cut - SignedDuration::from_hours(7), cut - SignedDuration::from_hours(50)] {
        for (index, game) in one.games().iter().enumerate() {
            if one.is_known(index, as_of)
                && seen(one, &game.game_id, as_of) != seen(other, &game.game_id, as_of)
            {
                different.push(game.game_id.clone());
            }
        }
    }
    different
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn nothing_known_later_changes_a_bit(seed: u64, rewrite: u64, hour in 60..1500i64, games in 1..40usize) {
        let (world, cut) = (World::random(seed, games), instant(hour));
        let whole = Graph::build(&world.snapshot(instant(END)));
        let rewritten = Graph::build(&world.rewrite_future(cut, rewrite).snapshot(instant(END)));
        let deleted = Graph::build(&world.snapshot(instant(END)).before(cut));
        prop_assert_eq!(differences(&whole, &rewritten, cut), vec![]);
        prop_assert_eq!(differences(&whole, &deleted, cut), vec![]);
        prop_assert_eq!(different_answers(&whole, &rewritten, cut), Vec::<String>::new());
        prop_assert_eq!(different_answers(&whole, &deleted, cut), Vec::<String>::new());
    }

    #[test]
    fn every_feature_is_finite_and_bounded(seed: u64, hour in 60..1500i64) {
        let graph = Graph::build(&World::random(seed, 30).snapshot(instant(END)));
        for kind in NodeKind::ALL {
            for node in 0..graph.node_count(kind) {
                let features = graph.features(kind, node, instant(hour), true);
                prop_assert!(features.iter().all(|value| value.abs() <= 6.0), "{kind:?} {features:?}");
            }
        }
    }
}

/// A meeting of two sides that met a week before; the earlier result is known at hour 300.
fn rematch(first_known_at: Timestamp, score: u16) -> (Graph, GameId) {
    let first = game("duo", 2019, instant(290), "Alder", "Birch");
    let second = game("duo", 2019, instant(460), "Birch", "Alder");
    let context = vec![context(&first, instant(100)), context(&second, instant(100))];
    let results = vec![result(&first, score, 0, first_known_at)];
    let snapshot = Snapshot::new(instant(END), crate::worlds::leagues(), vec![], results, context);
    (Graph::build(&snapshot), second.game_id.clone())
}

#[test]
fn a_result_is_hidden_at_its_own_moment() {
    let (graph, id) = rematch(instant(300), 4);
    let (other, _) = rematch(instant(300), 1);
    let nanosecond = SignedDuration::from_nanos(1);
    assert_eq!(seen(&graph, &id, instant(300)), seen(&other, &id, instant(300)));
    assert_ne!(seen(&graph, &id, instant(300) + nanosecond), seen(&other, &id, instant(300) + nanosecond));
}

#[test]
fn the_checker_catches_a_planted_leak() {
    let cut = instant(300);
    let (honest, id) = rematch(cut, 4);
    let (later, _) = rematch(cut + SignedDuration::from_hours(1), 1);
    assert_eq!(differences(&honest, &later, cut), vec![]);
    let (leaking, _) = rematch(cut - SignedDuration::from_millis(1), 4);
    assert!(differences(&honest, &leaking, cut).contains(&id), "a row moved to before the cut must show");
}

#[test]
fn rewriting_the_future_rewrites_something() {
    // Guards the property above against a rewrite that changes nothing.
    let world = World::random(7, 30);
    let rewritten = world.rewrite_future(instant(600), 8);
    let (whole, other) = (world.snapshot(instant(END)), rewritten.snapshot(instant(END)));
    assert!(!differences(&Graph::build(&whole), &Graph::build(&other), instant(900)).is_empty());
    assert!(!different_answers(&Graph::build(&whole), &Graph::build(&other), instant(900)).is_empty());
    assert_eq!(whole.before(instant(600)).lines, other.before(instant(600)).lines);
    assert_eq!(whole.before(instant(600)).results, other.before(instant(600)).results);
    assert_eq!(whole.before(instant(600)).context, other.before(instant(600)).context);
}

#[test]
fn a_game_never_sees_its_own_outcome() {
    let own = game("duo", 2019, instant(290), "Alder", "Birch");
    let build = |score: u16| {
        let results = vec![result(&own, score, 0, instant(293))];
        let context = vec![context(&own, instant(100))];
        Graph::build(&Snapshot::new(instant(END), crate::worlds::leagues(), vec![], results, context))
    };
    let (big, small) = (build(5), build(0));
    assert_eq!(seen(&big, &own.game_id, instant(END)), seen(&small, &own.game_id, instant(END)));
    assert_eq!(big.target(0), Some((5, 5)));
    assert_eq!(small.target(0), Some((0, 0)));
}

#[test]
fn a_starter_counts_only_once_he_is_named() {
    let fixture = game("duo", 2019, instant(290), "Alder", "Birch");
    let mut starters = context(&fixture, instant(288));
    starters.home_player = Some("Ada".into());
    let rows = vec![context(&fixture, instant(100)), starters];
    let graph = Graph::build(&Snapshot::new(instant(END), crate::worlds::leagues(), vec![], vec![], rows));
    let named = |as_of| graph.neighbourhood(0, as_of).nodes.iter().any(|node| node.name == "Ada");
    assert!(!named(instant(288)));
    assert!(named(instant(288) + SignedDuration::from_nanos(1)));
    assert!(!graph.is_known(0, instant(100)));
    assert!(graph.is_known(0, instant(101)));
}

#[test]
fn a_past_game_is_called_by_the_date_it_was_known_by() {
    let first = game("duo", 2019, instant(290), "Alder", "Birch");
    let second = game("duo", 2019, instant(460), "Birch", "Alder");
    let start_time = first.start_time + SignedDuration::from_hours(48);
    let moved = std::sync::Arc::new(market::Game { start_time, ..first.as_ref().clone() });
    let build = |late: Vec<market::ContextRow>| {
        let mut rows = vec![context(&first, instant(100)), context(&second, instant(100))];
        rows.extend(late);
        let results = vec![result(&first, 3, 0, instant(300))];
        Graph::build(&Snapshot::new(instant(END), crate::worlds::leagues(), vec![], results, rows))
    };
    let (before, after) = (build(vec![]), build(vec![context(&moved, instant(450))]));
    assert_eq!(seen(&before, &second.game_id, instant(450)), seen(&after, &second.game_id, instant(450)));
}
