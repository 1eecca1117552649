//! Time and memory of graph, nightly extension, sampler and training against the number of games.
//!
//! ```sh
//! cargo run --release -p model --example scale -- 10000 100000 1000000
//! ```
//! Prints one line per size and the exponent of the build between neighbours. The games are a league of 160 teams in which
//! the better tends to win, one game after the other, without prices; a night has ten.

#![expect(clippy::print_stdout, reason = "figures are what it is for")]

use std::{error::Error, hint::black_box, sync::Arc, time::Instant};

use data::{League, Snapshot};
use graph::{Block, Children, FanOut, Graph, Relation, SampleSettings, Sampler, Seed};
use jiff::{SignedDuration, Timestamp};
use market::{Game, GameId, GameQuery, GameStatus, LeagueId, Predictor, RawRef, ResultRow};
use model::{GraphPredictor, Provenance, TrainSettings, Trainer};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Games sampled and timed of each size.
const SAMPLED: usize = 20_000;
const NIGHT: usize = 10;
const TEAMS: u32 = 160;
/// Sources per team and side.
const FAN_OUT: usize = 10;
/// Most games that are also trained on.
const TRAINED: usize = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let sizes: Vec<usize> = std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let mut last: Option<(f64, f64)> = None;
    println!(
        "{:>9} {:>9} {:>9} {:>9} {:>9} {:>13} {:>13} {:>9}",
        "games", "build s", "exponent", "night s", "peak MB", "edges/s", "by hand", "ratio"
    );
    for games in sizes {
        let world = World::new(games)?;
        let clock = Instant::now();
        let graph = Graph::build(&world.snapshot(0..games));
        let build = clock.elapsed().as_secs_f64();
        let yesterday = Graph::build(&world.snapshot(0..games - NIGHT));
        let later = world.snapshot(games - NIGHT..games);
        let clock = Instant::now();
        let grown = yesterday.extended(&later)?;
        let night = clock.elapsed().as_secs_f64();
        assert!(grown == graph, "a night's extension is the same graph");
        drop((yesterday, grown));
        let step = (games / SAMPLED).max(1);
        let seeds: Vec<usize> = (0..games).step_by(step).collect();
        let ours = rate(|| sampled(&graph, &seeds));
        let hand = ByHand::new(&world.games);
        let by_hand = rate(|| hand.sample(&seeds));
        let exponent = last.map_or(f64::NAN, |(n, s)| (build / s).ln() / (games as f64 / n).ln());
        println!(
            "{games:>9} {build:>9.2} {exponent:>9.2} {night:>9.3} {:>9} {ours:>13.0} {by_hand:>13.0} {:>9.2}",
            peak_megabytes(),
            ours / by_hand
        );
        last = Some((games as f64, build));
        if games <= TRAINED {
            trained(graph)?;
        }
    }
    Ok(())
}

/// Returns edges per second, the best of three.
fn rate(mut work: impl FnMut() -> usize) -> f64 {
    let once = |_| {
        let clock = Instant::now();
        work() as f64 / clock.elapsed().as_secs_f64()
    };
    (0..3).map(once).fold(0.0, f64::max)
}

/// Samples two hops around each seed, features and ages included, one piece after the other on one core.
fn sampled(graph: &Graph, seeds: &[usize]) -> usize {
    let settings = SampleSettings { fan_out: FanOut::default().with_outcomes(FAN_OUT), ..Default::default() };
    let used = [Relation::HomeTeam, Relation::AwayTeam, Relation::TeamHomeOutcome, Relation::TeamAwayOutcome];
    let others = Relation::ALL.into_iter().filter(|relation| !used.contains(relation));
    let fan_out = others.fold(settings.fan_out, |all, relation| all.with(relation, 0));
    let sampler = Sampler::new(graph, SampleSettings { fan_out, ..settings });
    let of = |game: &usize| Seed { game: *game, as_of: graph.decision_time(*game) };
    let pieces = seeds.chunks(256).map(|piece| piece.iter().map(of).collect::<Vec<_>>());
    pieces.map(|piece| edges(&black_box(sampler.sample(&piece)).seeds)).sum()
}

fn edges(block: &Block) -> usize {
    let own = |children: &Children| {
        children.present.iter().filter(|present| **present > 0.0).count() + edges(&children.block)
    };
    block.children.iter().map(own).sum()
}

/// The same two hops as one would write them in C: flat arrays, one pass, features copied as they lie.
struct ByHand {
    /// Home team, away team, decision and result in minutes, by game.
    games: Vec<(u32, u32, i64, i64)>,
    /// By team and side: its games, oldest first.
    of_team: Vec<Vec<u32>>,
    features: Vec<[f32; 9]>,
}

impl ByHand {
    fn new(games: &[Played]) -> Self {
        let mut of_team = vec![Vec::new(); 2 * TEAMS as usize];
        for (index, game) in games.iter().enumerate() {
            of_team[2 * game.home as usize].push(index as u32);
            of_team[2 * game.away as usize + 1].push(index as u32);
        }
        let lead = 6 * 60;
        let rows = games.iter().map(|game| (game.home, game.away, game.minute - lead, game.minute + 120));
        let features = games.iter().map(|game| [f32::from(game.score[0]) - f32::from(game.score[1]); 9]);
        Self { games: rows.collect(), of_team, features: features.collect() }
    }

    fn sample(&self, seeds: &[usize]) -> usize {
        let mut edges = 0;
        let mut rows = vec![[0f32; 9]; 4 * FAN_OUT];
        let mut ages = vec![0f32; 4 * FAN_OUT];
        for seed in seeds {
            let (home, away, decision, _) = self.games[*seed];
            edges += 2;
            for (slot, list) in [2 * home, 2 * home + 1, 2 * away, 2 * away + 1].into_iter().enumerate() {
                let list = &self.of_team[list as usize];
                let visible = list.partition_point(|game| self.games[*game as usize].3 < decision);
                for (place, game) in list[..visible].iter().rev().take(FAN_OUT).enumerate() {
                    rows[slot * FAN_OUT + place] = self.features[*game as usize];
                    ages[slot * FAN_OUT + place] = (decision - self.games[*game as usize].3) as f32 / 1440.0;
                    edges += 1;
                }
            }
            black_box((&rows, &ages));
        }
        edges
    }
}

/// Trains one member for one epoch and asks the warm model for single games.
fn trained(graph: Graph) -> Result<(), Box<dyn Error>> {
    let settings = TrainSettings { ensemble: 3, epochs: 1, refit: false, ..TrainSettings::default() };
    let games = graph.games().len();
    let clock = Instant::now();
    let trained = Trainer::new(&graph, settings, Provenance::default()).without_market().train(&mut ())?;
    println!(
        "{games:>9} games: three members, one epoch each, scored: {:.1} s",
        clock.elapsed().as_secs_f64()
    );
    let known: Vec<_> = graph.games().iter().rev().take(200).map(|game| game.game_id.clone()).collect();
    let predictor = GraphPredictor::new(trained.ensemble, graph)?;
    let mut times: Vec<f64> = Vec::new();
    for game_id in known {
        let clock = Instant::now();
        black_box(predictor.predict(&[GameQuery::known(game_id)])?);
        times.push(1e3 * clock.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let (median, slowest) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!("{games:>9} games: one game from the warm model {median:.2} ms (99 % within {slowest:.2} ms)");
    Ok(())
}

#[derive(Debug, Clone, Copy)]
struct Played {
    home: u32,
    away: u32,
    minute: i64,
    score: [u16; 2],
}

struct World {
    id: LeagueId,
    first: Timestamp,
    games: Vec<Played>,
}

impl World {
    fn new(games: usize) -> Result<Self, Box<dyn Error>> {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let played = |index: usize| {
            let (home, away) = (random.random_range(0..TEAMS), random.random_range(0..TEAMS - 1));
            let away = if away >= home { away + 1 } else { away };
            let mut score = |lead: f64| (random.random::<f64>() * 3.0 + lead).max(0.0) as u16;
            let lead = (f64::from(home) - f64::from(away)) / 80.0;
            Played { home, away, minute: 15 * index as i64, score: [score(lead), score(-lead)] }
        };
        Ok(Self {
            id: LeagueId::new("scale")?,
            first: "1990-01-01T12:00:00Z".parse()?,
            games: (0..games).map(played).collect(),
        })
    }

    /// Returns the rows of some games, as of right after the last one's result.
    fn snapshot(&self, range: std::ops::Range<usize>) -> Snapshot {
        let row = |index: usize| {
            let game = self.games[index];
            let start = self.first + SignedDuration::from_mins(game.minute);
            let season = i32::from(start.to_zoned(jiff::tz::TimeZone::UTC).year());
            let name = |team: u32| format!("team {team}").as_str().into();
            // In the order of the games, so that a game's place in the graph is its place here.
            let game_id = GameId::from_text(&format!("scale_{index:08}"));
            let header = Game {
                league: self.id.clone(),
                game_id,
                season,
                start_time: start,
                home: name(game.home),
                away: name(game.away),
            };
            ResultRow {
                game: Arc::new(header),
                home_score: game.score[0],
                away_score: game.score[1],
                status: GameStatus::Final,
                known_at: start + SignedDuration::from_hours(2),
                source: "scale".into(),
                raw_ref: RawRef { payload: "scale".into(), row: index as u32 },
            }
        };
        let end = self.first + SignedDuration::from_mins(15 * range.end as i64 - 14 + 120);
        let league = League { id: self.id.clone(), three_way: true, time_zone: "UTC".to_owned() };
        Snapshot::new(end, vec![league], Vec::new(), range.map(row).collect(), Vec::new())
    }
}

/// Most memory that this process has held so far, from the kernel; 0 where it does not tell.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok())
        .map_or(0, |kb| kb / 1024)
}
