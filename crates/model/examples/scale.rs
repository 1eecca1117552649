//! Time and memory of graph, sampler and one epoch against the number of games.
//!
//! ```sh
//! cargo run --release -p model --example scale -- 10000 100000 1000000
//! ```
//! Prints one line per size and the exponent between neighbours. The games are a league of 40 teams in which the better
//! tends to win, one game after the other, without prices.

#![expect(clippy::print_stdout, reason = "figures are what it is for")]

use std::{error::Error, time::Instant};

use data::{League, Snapshot};
use graph::{Graph, SampleSettings, Sampler, Seed};
use jiff::{SignedDuration, Timestamp};
use market::{Game, GameStatus, LeagueId, RawRef, ResultRow};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Games sampled and timed of each size.
const SAMPLED: usize = 20_000;

fn main() -> Result<(), Box<dyn Error>> {
    let sizes: Vec<usize> = std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let mut last: Option<(f64, f64)> = None;
    println!("{:>9} {:>9} {:>9} {:>12} {:>12}", "games", "build s", "peak MB", "edges/s", "exponent");
    for games in sizes {
        let snapshot = world(games)?;
        let clock = Instant::now();
        let graph = Graph::build(&snapshot);
        let build = clock.elapsed().as_secs_f64();
        drop(snapshot);
        let step = (games / SAMPLED).max(1);
        let seeds: Vec<Seed> =
            (0..games).step_by(step).map(|game| Seed { game, as_of: graph.decision_time(game) }).collect();
        let sampler = Sampler::new(&graph, SampleSettings::default());
        let clock = Instant::now();
        let edges: f64 =
            seeds.chunks(2048).flat_map(|seeds| sampler.pieces(seeds, 256)).map(|b| edges(&b.seeds)).sum();
        let rate = edges / clock.elapsed().as_secs_f64();
        let exponent = last.map_or(f64::NAN, |(n, s)| (build / s).ln() / (games as f64 / n).ln());
        println!("{games:>9} {build:>9.2} {:>9} {rate:>12.0} {exponent:>12.2}", peak_megabytes());
        last = Some((games as f64, build));
    }
    Ok(())
}

fn edges(block: &graph::Block) -> f64 {
    let own = |children: &graph::Children| {
        children.present.iter().map(|present| f64::from(*present)).sum::<f64>() + edges(&children.block)
    };
    block.children.iter().map(own).sum()
}

fn world(games: usize) -> Result<Snapshot, Box<dyn Error>> {
    let id = LeagueId::new("scale")?;
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let first = "1990-01-01T12:00:00Z".parse::<Timestamp>()?;
    let mut results = Vec::with_capacity(games);
    for index in 0..games {
        let (home, away) = (random.random_range(0..40), random.random_range(0..39));
        let away = if away >= home { away + 1 } else { away };
        let start = first + SignedDuration::from_mins(15 * index as i64);
        let date = start.to_zoned(jiff::tz::TimeZone::UTC).date();
        let (home_name, away_name) =
            (format!("team {home} {}", index % 4), format!("team {away} {}", index % 4));
        let mut score = |lead: i32| (random.random::<f64>() * 3.0 + f64::from(lead) / 20.0).max(0.0) as u16;
        results.push(ResultRow {
            game: Game::new(&id, i32::from(date.year()), start, date, &home_name, &away_name),
            home_score: score(home - away),
            away_score: score(away - home),
            status: GameStatus::Final,
            known_at: start + SignedDuration::from_hours(2),
            source: "scale".into(),
            raw_ref: RawRef { payload: "scale".into(), row: index as u32 },
        });
    }
    let league = League { id, three_way: true, time_zone: "UTC".to_owned() };
    Ok(Snapshot::new(Timestamp::MAX, vec![league], Vec::new(), results, Vec::new()))
}

/// Most memory that this process has held so far, from the kernel; 0 where it does not tell.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok())
        .map_or(0, |kb| kb / 1024)
}
