//! Two made-up leagues in which the stronger side tends to win: one of many points, one of few with draws.

use std::sync::Arc;

use data::{League, Snapshot};
use graph::Graph;
use jiff::{SignedDuration, Timestamp};
use market::{
    ContextRow, Game, GameStatus, LeagueId, LineRow, Market, Points, Price, RawRef, ResultRow, Selection,
};
use model::{DeviceChoice, Provenance, TrainSettings, Trained, Trainer};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const TEAMS: usize = 8;
const STRENGTHS: [f64; TEAMS] = [-1.6, -1.1, -0.7, -0.2, 0.2, 0.7, 1.1, 1.6];

/// All rows, whenever known.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    pub leagues: Vec<League>,
    pub lines: Vec<LineRow>,
    pub results: Vec<ResultRow>,
    pub context: Vec<ContextRow>,
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn raw(row: usize) -> RawRef {
    RawRef { payload: "made-up".into(), row: row as u32 }
}

fn before(start: Timestamp, minutes: i64) -> Timestamp {
    start - SignedDuration::from_mins(minutes)
}

impl World {
    /// `days` days on which every team of both leagues plays once, from 2020-01-01 on.
    pub(crate) fn new(days: usize) -> Self {
        let mut world = Self::default();
        let mut random = ChaCha8Rng::seed_from_u64(2020);
        for (id, three_way) in [("ball", false), ("kick", true)] {
            let id = LeagueId::new(id).unwrap();
            world.leagues.push(League { id: id.clone(), three_way, time_zone: "UTC".to_owned() });
            for day in 0..days {
                for pair in 0..TEAMS / 2 {
                    // The circle method, home and away by turns.
                    let circle = |i: usize| if i == 0 { 0 } else { 1 + (i - 1 + day) % (TEAMS - 1) };
                    let (a, b) = (circle(pair), circle(TEAMS - 1 - pair));
                    let (home, away) = if (day / (TEAMS - 1)).is_multiple_of(2) { (a, b) } else { (b, a) };
                    world.add_game(&mut random, &id, three_way, day, pair, home, away);
                }
            }
        }
        world
    }

    #[expect(clippy::too_many_arguments, reason = "one call, in a loop over exactly these")]
    fn add_game(
        &mut self,
        random: &mut ChaCha8Rng,
        league: &LeagueId,
        three_way: bool,
        day: usize,
        pair: usize,
        home: usize,
        away: usize,
    ) {
        let date = jiff::civil::date(2020, 1, 1) + jiff::Span::new().days(day as i64);
        let start = date.at(18 + pair as i8, 0, 0, 0).in_tz("UTC").unwrap().timestamp();
        let game = Game::new(league, 2020, start, date, &format!("team {home}"), &format!("team {away}"));
        let lead = STRENGTHS[home] - STRENGTHS[away] + 0.3;
        self.add_context(&game, home, away, day);
        self.add_lines(random, &game, three_way, lead);
        let (home_score, away_score) = if three_way {
            (goals(random, 1.3 * (lead / 2.5).exp()), goals(random, 1.3 * (-lead / 2.5).exp()))
        } else {
            let margin = 6.0 * lead + 8.0 * normal(random);
            let total = 44.0 + 8.0 * normal(random);
            (
                f64::midpoint(total, margin).round().max(0.0) as u16,
                ((total - margin) / 2.0).round().max(0.0) as u16,
            )
        };
        let row = self.results.len();
        self.results.push(ResultRow {
            game,
            home_score,
            away_score,
            status: GameStatus::Final,
            known_at: start + SignedDuration::from_hours(2),
            source: "made-up".into(),
            raw_ref: raw(row),
        });
    }

    fn add_context(&mut self, game: &Arc<Game>, home: usize, away: usize, day: usize) {
        let known_at = before(game.start_time, 3 * 24 * 60);
        let mut row = ContextRow::new(game.clone(), known_at, "made-up".into(), raw(self.context.len()));
        row.venue = Some(format!("park {home}").as_str().into());
        row.home_coach = Some(format!("coach {home}").as_str().into());
        row.away_coach = Some(format!("coach {away}").as_str().into());
        row.referee = Some(format!("referee {}", (home + day) % 5).as_str().into());
        self.context.push(row);
        let known_at = before(game.start_time, 8 * 60);
        let mut starters = ContextRow::new(game.clone(), known_at, "made-up".into(), raw(self.context.len()));
        starters.home_player = Some(format!("player {home}").as_str().into());
        self.context.push(starters);
    }

    fn add_lines(&mut self, random: &mut ChaCha8Rng, game: &Arc<Game>, three_way: bool, lead: f64) {
        for (minutes, is_closing) in [(47 * 60, false), (9 * 60, false), (5, true)] {
            for book in ["north", "south"] {
                let tilt = 0.9 * lead + 0.15 * normal(random);
                let decided = if three_way { 0.75 } else { 1.0 };
                let home = decided / (1.0 + (-tilt).exp());
                let mut quote = |selection, probability: f64, points: Option<f64>| {
                    let row = self.lines.len();
                    self.lines.push(LineRow {
                        game: game.clone(),
                        book: book.into(),
                        market: match selection {
                            Selection::Over | Selection::Under => Market::Total,
                            _ if points.is_some() => Market::Spread,
                            _ => Market::Moneyline,
                        },
                        selection,
                        points: points.and_then(Points::from_f64),
                        price: Price::new(1.0 / (probability * 1.05).min(0.97)).unwrap(),
                        captured_at: before(game.start_time, minutes),
                        is_closing,
                        source: "made-up".into(),
                        raw_ref: raw(row),
                    });
                };
                quote(Selection::Home, home, None);
                quote(Selection::Away, decided - home, None);
                if three_way {
                    quote(Selection::Draw, 0.25, None);
                } else {
                    let points = (12.0 * lead).round() / 2.0;
                    quote(Selection::Home, 0.5, Some(-points));
                    quote(Selection::Away, 0.5, Some(points));
                    quote(Selection::Over, 0.5, Some(44.5));
                    quote(Selection::Under, 0.5, Some(44.5));
                }
            }
        }
    }

    pub(crate) fn snapshot(&self, as_of: Timestamp) -> Snapshot {
        Snapshot::new(
            as_of,
            self.leagues.clone(),
            self.lines.clone(),
            self.results.clone(),
            self.context.clone(),
        )
    }

    pub(crate) fn graph(&self, as_of: Timestamp) -> Graph {
        Graph::build(&self.snapshot(as_of))
    }
}

fn normal(random: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0
}

fn goals(random: &mut ChaCha8Rng, mean: f64) -> u16 {
    let (mut goals, mut product) = (0, random.random::<f64>());
    while product > (-mean).exp() {
        goals += 1;
        product *= random.random::<f64>();
    }
    goals
}

/// Small enough for a test, large enough to learn.
pub(crate) fn settings() -> TrainSettings {
    TrainSettings {
        hidden: 16,
        heads: 2,
        fan_out: 4,
        ensemble: 2,
        epochs: 8,
        batch: 64,
        learning_rate: 1e-2,
        device: DeviceChoice::Cpu,
        ..TrainSettings::default()
    }
}

/// A few steps of one member: enough for whatever does not depend on how good it is.
pub(crate) fn hasty() -> TrainSettings {
    TrainSettings { ensemble: 1, epochs: 2, patience: 0, refit: false, ..settings() }
}

pub(crate) fn train(graph: &Graph, settings: TrainSettings) -> Trained {
    let provenance = Provenance { git_commit: "unknown".to_owned(), ..Provenance::default() };
    let trained = Trainer::new(graph, settings, provenance).train(&mut ()).unwrap();
    let mut margins = trained.held_out.iter().map(|p| p.members_without_market[0].margin.mean());
    let first = margins.next().unwrap();
    let all_alike = margins.all(|margin| (margin - first).abs() < 0.1);
    assert!(!all_alike, "forecasts that are all alike would make every comparison of them empty");
    trained
}
