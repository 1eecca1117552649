//! The NFL from 1999 on: no look-ahead on real rows, and ratings as good as they are known to be.

use std::{path::PathBuf, time::Instant};

use data::{Location, Nflverse, Pull, Snapshot, Source};
use graph::{Graph, SampleSettings, Sampler, Seed};
use market::Timestamp;

use crate::look_ahead::differences;

#[expect(clippy::disallowed_methods, reason = "tests find the shared data through the environment")]
fn shared_data(test: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let folder = PathBuf::from(std::env::var("EDGE_SHARED_DATA").unwrap_or_else(|_| default.to_owned()));
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var("EDGE_TEST_ALL").map_or(true, |all| all != "1"), "{test} needs EDGE_SHARED_DATA");
    eprintln!("skipped: {test} needs EDGE_SHARED_DATA");
    None
}

fn nfl(test: &str) -> Option<Snapshot> {
    let path = shared_data(test)?.join("nfl/games_1999-2021.csv");
    let league = Nflverse::league("nfl").unwrap();
    let source =
        Nflverse::new(league.clone(), Location::new([path.to_str().unwrap()]), Nflverse::LEADS).unwrap();
    let until: Timestamp = "2022-06-01T00:00:00Z".parse().unwrap();
    let payloads = source.fetch(&Pull::new(until)).unwrap();
    let parsed = source.parse(&payloads[0], &"test".into()).unwrap();
    Some(Snapshot::new(until, vec![league], parsed.lines, parsed.results, parsed.context))
}

#[test]
fn the_nfl_before_a_night_looks_the_same_that_night_and_years_later() {
    let Some(mut later) = nfl("the_nfl_before_a_night_looks_the_same_that_night_and_years_later") else {
        return;
    };
    let cut: Timestamp = "2021-11-11T14:00:00Z".parse().unwrap();
    // Three seasons of games keep the comparison short; ratings still walk all of them.
    later.context.retain(|row| row.game.season >= 2019);
    later.lines.retain(|row| row.game.season >= 2019);
    later.results.retain(|row| row.game.season >= 2019);
    let that_night = Graph::build(&later.before(cut));
    assert_eq!(differences(&that_night, &Graph::build(&later), cut), vec![]);
}

#[test]
fn elo_is_as_good_as_published_and_sampling_is_quick() {
    let Some(snapshot) = nfl("elo_is_as_good_as_published_and_sampling_is_quick") else { return };
    let clock = Instant::now();
    let graph = Graph::build(&snapshot);
    let built = clock.elapsed();
    let (mut elo_loss, mut closing_loss, mut games) = (0.0, 0.0, 0.0);
    let mut seeds = Vec::new();
    for (index, game) in graph.games().iter().enumerate() {
        seeds.push(Seed { game: index, as_of: graph.decision_time(index) });
        let (Some((margin, _)), Some([closing, ..])) = (graph.target(index), graph.closing(index)) else {
            continue;
        };
        if margin == 0 || !(2006..=2020).contains(&game.season) {
            continue;
        }
        let elo = 1.0 / (1.0 + 10f64.powf(-graph.elo(index, graph.decision_time(index)) / 400.0));
        let loss = |home: f64| if margin > 0 { -home.ln() } else { -(1.0 - home).ln() };
        elo_loss += loss(elo);
        closing_loss += loss(closing);
        games += 1.0;
    }
    let clock = Instant::now();
    let batch = Sampler::new(&graph, SampleSettings::default()).sample(&seeds);
    eprintln!(
        "nfl: {games} games, elo {:.4}, closing {:.4}; built in {built:.2?}, {:.2?} per seed",
        elo_loss / games,
        closing_loss / games,
        clock.elapsed() / batch.seeds.rows as u32,
    );
    // Published over the same seasons: closing 0.6092, 538's Elo 0.6274; a fair rating lies within 0.015 of the
    // latter, and one that beats the closing line has seen the future.
    assert!((elo_loss / games - 0.6274).abs() < 0.015);
    assert!((closing_loss / games - 0.6092).abs() < 0.004);
    assert!(elo_loss > closing_loss);
}
