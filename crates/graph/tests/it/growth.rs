//! A graph that took up later rows is the one that a build of all rows makes, bit for bit.

use data::Snapshot;
use graph::{Graph, GraphError};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::{
    look_ahead::differences,
    worlds::{World, context, game, instant, leagues},
};

const END: i64 = 2000;

/// Returns the rows known from `from` to before `to`.
fn between(world: &World, from: Timestamp, to: Timestamp) -> Snapshot {
    let mut later = world.clone();
    later.lines.retain(|row| row.captured_at >= from);
    later.results.retain(|row| row.known_at >= from);
    later.context.retain(|row| row.known_at >= from);
    later.snapshot(to)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn night_by_night_is_the_same_as_at_once(seed: u64, games in 0..40usize, mut hours in prop::collection::vec(0..1600i64, 0..6)) {
        hours.sort_unstable();
        // A world whose later rows also move headers, name new teams and bring a new league.
        let world = World::random(seed, games).rewrite_future(instant(hours.first().copied().unwrap_or(700)), seed);
        let mut graph = Graph::build(&world.snapshot(instant(-10)));
        for to in hours.into_iter().chain([END]).map(instant) {
            graph = graph.extended(&between(&world, graph.as_of(), to)).unwrap();
            let at_once = Graph::build(&world.snapshot(to));
            prop_assert_eq!(&graph, &at_once);
            prop_assert_eq!(graph.columns(), at_once.columns());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_is_added_later_changes_no_bit_of_what_was_seen(seed: u64, rewrite: u64, hour in 60..1500i64, games in 1..40usize) {
        let (world, cut) = (World::random(seed, games), instant(hour));
        let before = Graph::build(&world.snapshot(cut));
        let grown = |world: &World| before.extended(&between(world, cut, instant(END))).unwrap();
        prop_assert_eq!(differences(&before, &grown(&world), cut), vec![]);
        prop_assert_eq!(differences(&grown(&world), &grown(&world.rewrite_future(cut, rewrite)), cut), vec![]);
    }
}

#[test]
fn rows_that_came_late_and_other_leagues_are_refused() {
    let fixture = game("duo", 2019, instant(290), "Alder", "Birch");
    let rows = |hour: i64| vec![context(&fixture, instant(hour))];
    let snapshot = |to: i64, rows| Snapshot::new(instant(to), leagues(), vec![], vec![], rows);
    let graph = Graph::build(&snapshot(200, rows(100)));
    assert!(graph.extended(&snapshot(300, rows(200))).is_ok(), "known at the graph's as-of is not yet in it");
    let late = graph.extended(&snapshot(300, rows(199))).unwrap_err();
    assert!(matches!(late, GraphError::NotLater { known_at, .. } if known_at == instant(199)), "{late}");
    let back = graph.extended(&snapshot(150, vec![])).unwrap_err();
    assert!(matches!(back, GraphError::NotLater { .. }), "{back}");
    let fewer = Snapshot::new(instant(300), leagues()[1..].to_vec(), vec![], vec![], rows(250));
    assert!(matches!(graph.extended(&fewer), Err(GraphError::OtherLeagues)));
}

#[test]
fn a_league_that_is_no_longer_listed_is_other_leagues_too() {
    let snapshot = |to: i64, listed| Snapshot::new(instant(to), listed, vec![], vec![], vec![]);
    let graph = Graph::build(&snapshot(200, leagues()));
    let last_dropped = graph.extended(&snapshot(300, leagues()[..1].to_vec()));
    assert!(matches!(last_dropped, Err(GraphError::OtherLeagues)));
    let stored = Graph::from_columns(&graph.columns()).unwrap();
    assert!(stored.extended(&snapshot(300, leagues())).is_ok());
}
