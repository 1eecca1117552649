//! What books say as of an instant.

use data::Snapshot;
use graph::{Graph, NodeKind, SampleSettings, Sampler, Seed, features};
use jiff::Timestamp;
use market::{LineRow, Selection};

use crate::worlds::{World, game, instant, leagues, line};

fn graph(lines: Vec<LineRow>) -> Graph {
    Graph::build(&Snapshot::new(instant(2000), leagues(), lines, vec![], vec![]))
}

fn moneyline(book: &str, prices: [f64; 2], at: Timestamp) -> Vec<LineRow> {
    let fixture = game("duo", 2019, instant(290), "Alder", "Birch");
    let sides = [Selection::Home, Selection::Away];
    sides.into_iter().zip(prices).map(|(side, price)| line(&fixture, book, (side, None), price, at)).collect()
}

#[test]
fn the_consensus_is_that_of_the_market_crate() {
    let world = World::random(3, 30);
    let graph = Graph::build(&world.snapshot(instant(2000)));
    let mut compared = 0;
    for (index, game) in graph.games().iter().enumerate() {
        let rows: Vec<&LineRow> = world.lines.iter().filter(|row| row.game.game_id == game.game_id).collect();
        let one_capture_per_book = rows.iter().all(|a| {
            rows.iter()
                .all(|b| a.book != b.book || a.captured_at == b.captured_at || a.game.league != b.game.league)
        });
        let expected = market::consensus::consensus(&rows);
        let expected = expected.iter().find(|consensus| consensus.points.is_none());
        if let (true, Some(expected)) = (one_capture_per_book, expected) {
            let found = graph.consensus(index, game.start_time + jiff::SignedDuration::from_mins(1)).unwrap();
            let sides = [Selection::Home, Selection::Draw, Selection::Away];
            for (side, p) in sides.into_iter().zip(found) {
                // Both take medians of the same logits; only the order of summing differs.
                assert!(
                    (expected.probability(side).unwrap_or(0.0) - p).abs() < 1e-9,
                    "{expected:?} {found:?}"
                );
            }
            compared += 1;
        }
    }
    assert!(compared > 3, "only {compared} games could be compared");
}

#[test]
fn opening_latest_and_closing_are_told_apart() {
    let mut lines = moneyline("redbook", [2.0, 2.0], instant(100));
    lines.extend(moneyline("redbook", [1.5, 3.0], instant(200)));
    let mut closing = moneyline("redbook", [1.25, 5.0], instant(289));
    for row in &mut closing {
        row.is_closing = true;
    }
    lines.extend(closing);
    lines.extend(moneyline("redbook", [10.0, 1.1], instant(291)));
    let graph = graph(lines);
    let home = |p: Option<[f64; 3]>| p.unwrap()[0];
    // Power method on symmetric or fair prices is exact: 2.0/2.0 and 1.5/3.0 have no margin.
    assert!((home(graph.opening(0)) - 0.5).abs() < 1e-9);
    assert!((home(graph.consensus(0, instant(201))) - 2.0 / 3.0).abs() < 1e-9);
    assert!((home(graph.closing(0)) - 0.8).abs() < 1e-9);
    assert_eq!(graph.consensus(0, instant(100)), None, "hidden at its own moment");
}

#[test]
fn without_a_marked_price_the_last_before_the_start_closes() {
    let mut lines = moneyline("redbook", [1.5, 3.0], instant(200));
    lines.extend(moneyline("redbook", [10.0, 1.1], instant(290)));
    assert!((graph(lines).closing(0).unwrap()[0] - 2.0 / 3.0).abs() < 1e-9);
}

#[test]
fn half_a_market_is_no_quote() {
    let lines = moneyline("redbook", [2.0, 2.0], instant(100));
    let graph = graph(lines[..1].to_vec());
    assert_eq!(graph.consensus(0, instant(200)), None);
    assert_eq!(graph.node_count(NodeKind::Line), 0);
}

#[test]
fn each_book_shows_only_its_latest_quote() {
    let mut lines = moneyline("redbook", [2.0, 2.0], instant(100));
    lines.extend(moneyline("redbook", [1.5, 3.0], instant(200)));
    lines.extend(moneyline("bluebook", [1.8, 2.2], instant(150)));
    let graph = graph(lines);
    let settings = SampleSettings { with_market: true, ..SampleSettings::default() };
    let batch = Sampler::new(&graph, settings).sample(&[Seed { game: 0, as_of: instant(224) }]);
    let quotes = batch.seeds.children.iter().find(|c| c.relation == graph::Relation::Quotes).unwrap();
    assert_eq!(quotes.present.iter().sum::<f32>(), 2.0);
    assert!((quotes.age_days[0] - 1.0).abs() < 1e-6, "redbook's second quote is the most recent, a day old");
    let column = |name: &str| features::columns(NodeKind::Line).iter().position(|c| *c == name).unwrap();
    // From evens to 2/3: the logit moved by ln 2.
    assert!((quotes.block.features[column("logit_move")] - std::f32::consts::LN_2).abs() < 1e-6);
    let books = &quotes.block.children[0];
    assert_eq!(&books.present[..3], [1.0, 1.0, 0.0]);
}

#[test]
fn without_market_inputs_prices_change_nothing() {
    let (cheap, dear) =
        (moneyline("redbook", [1.5, 3.0], instant(100)), moneyline("redbook", [3.0, 1.5], instant(100)));
    let sample = |lines, with_market| {
        let settings = SampleSettings { with_market, ..SampleSettings::default() };
        Sampler::new(&graph(lines), settings).sample(&[Seed { game: 0, as_of: instant(280) }])
    };
    assert_eq!(sample(cheap.clone(), false), sample(dear.clone(), false));
    assert_ne!(sample(cheap.clone(), true), sample(dear, true));
    let row = sample(cheap, false).seeds.features;
    assert!(row[row.len() - features::MARKET_COLUMNS..].iter().all(|value| *value == 0.0));
}
