//! Small random leagues: fixtures, starters, prices and results, each with the instant at which it became known.

use std::sync::Arc;

use data::{League, Snapshot};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use market::{
    ContextRow, Game, GameStatus, LeagueId, LineRow, Market, Name, Points, Price, RawRef, ResultRow,
    Selection,
};
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

pub(crate) const TEAMS: [&str; 6] = ["Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir"];
const PEOPLE: [&str; 5] = ["Ada", "Bo", "Cy", "Di", "Ed"];
const BOOKS: [&str; 3] = ["bluebook", "greenbook", "redbook"];

#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    pub(crate) lines: Vec<LineRow>,
    pub(crate) results: Vec<ResultRow>,
    pub(crate) context: Vec<ContextRow>,
}

pub(crate) fn instant(hours: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 365 * 50 + hours)
}

pub(crate) fn league(id: &str) -> LeagueId {
    LeagueId::new(id).unwrap()
}

pub(crate) fn leagues() -> Vec<League> {
    let listed = |id: &str, three_way| League { id: league(id), three_way, time_zone: "UTC".to_owned() };
    vec![listed("cup", true), listed("duo", false)]
}

pub(crate) fn game(id: &str, season: i32, start: Timestamp, home: &str, away: &str) -> Arc<Game> {
    Game::new(&league(id), season, start, start.to_zoned(TimeZone::UTC).date(), home, away)
}

pub(crate) fn raw_ref(row: u32) -> RawRef {
    RawRef { payload: "hash".into(), row }
}

pub(crate) fn result(game: &Arc<Game>, home_score: u16, away_score: u16, known_at: Timestamp) -> ResultRow {
    ResultRow {
        game: game.clone(),
        home_score,
        away_score,
        status: GameStatus::Final,
        known_at,
        source: "test".into(),
        raw_ref: raw_ref(0),
    }
}

pub(crate) fn context(game: &Arc<Game>, known_at: Timestamp) -> ContextRow {
    ContextRow::new(game.clone(), known_at, "test".into(), raw_ref(0))
}

pub(crate) fn line(
    game: &Arc<Game>,
    book: &str,
    (selection, points): (Selection, Option<f64>),
    price: f64,
    captured_at: Timestamp,
) -> LineRow {
    LineRow {
        game: game.clone(),
        book: book.into(),
        market: if points.is_none() { Market::Moneyline } else { selection.market() },
        selection,
        points: points.and_then(Points::from_f64),
        price: Price::new(price).unwrap(),
        captured_at,
        is_closing: false,
        source: "test".into(),
        raw_ref: raw_ref(0),
    }
}

impl World {
    /// Draws some games over two seasons of two leagues; hours from [`instant`] 0 to about 1,500.
    pub(crate) fn random(seed: u64, games: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut world = Self::default();
        for _ in 0..games {
            let hour = random.random_range(100..1400);
            let pair: Vec<&str> = TEAMS.choose_multiple(&mut random, 2).copied().collect();
            let id = if random.random_bool(0.5) { "cup" } else { "duo" };
            let game = game(id, if hour < 700 { 2019 } else { 2020 }, instant(hour), pair[0], pair[1]);
            world.add_game(&game, hour, &mut random);
        }
        world
    }

    fn add_game(&mut self, game: &Arc<Game>, hour: i64, random: &mut ChaCha8Rng) {
        let name = |random: &mut ChaCha8Rng| Some(Name::from(*PEOPLE.choose(random).unwrap()));
        let mut schedule = context(game, instant(hour - random.random_range(20..90)));
        (schedule.venue, schedule.home_coach) = (name(random), name(random));
        (schedule.neutral, schedule.week) = (Some(random.random_bool(0.2)), Some(random.random_range(1..9)));
        let mut starters = context(game, instant(hour - random.random_range(-5..12)));
        (starters.home_player, starters.away_player, starters.referee) =
            (name(random), name(random), name(random));
        starters.home_coach = name(random);
        self.context.extend([schedule, starters]);
        for _ in 0..random.random_range(0..4) {
            self.add_quotes(game, hour, random);
        }
        for _ in 0..random.random_range(0..3) {
            let known_at = instant(hour + random.random_range(2..30));
            let mut row = result(game, random.random_range(0..5), random.random_range(0..5), known_at);
            if random.random_bool(0.15) {
                row.status = GameStatus::Postponed;
            }
            self.results.push(row);
        }
    }

    fn add_quotes(&mut self, game: &Arc<Game>, hour: i64, random: &mut ChaCha8Rng) {
        let book = *BOOKS.choose(random).unwrap();
        let at = instant(hour - random.random_range(0..60));
        let points = Some(f64::from(random.random_range(-4i8..5)) / 2.0);
        let total = Some(2.5 + f64::from(random.random_range(0i8..3)));
        let mut sides = vec![(Selection::Home, None), (Selection::Away, None)];
        if game.league == league("cup") {
            sides.push((Selection::Draw, None));
        }
        sides.extend([(Selection::Home, points), (Selection::Away, points.map(|p| -p))]);
        sides.extend([(Selection::Over, total), (Selection::Under, total)]);
        for side in sides {
            let price = random.random_range(1.5..3.5);
            let mut row = line(game, book, side, price, at);
            row.is_closing = random.random_bool(0.1);
            self.lines.push(row);
        }
    }

    pub(crate) fn snapshot(&self, as_of: Timestamp) -> Snapshot {
        Snapshot::new(as_of, leagues(), self.lines.clone(), self.results.clone(), self.context.clone())
    }

    /// Changes, deletes and adds rows that are not known before `cut`; leaves every other row alone.
    pub(crate) fn rewrite_future(&self, cut: Timestamp, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut world = self.clone();
        let mut others = Self::random(seed ^ 0xfeed, 12);
        let newcomer = game("newleague", 2020, cut, "Aaron", "Zed");
        others.results.push(result(&newcomer, 3, 0, cut));
        let stranger = game("cup", 2021, cut + SignedDuration::from_hours(5), "Aaron", TEAMS[0]);
        others.context.push(context(&stranger, cut));
        let mut keep = |known_at: Timestamp| known_at < cut || random.random_bool(0.6);
        world.lines.retain(|row| keep(row.captured_at));
        world.results.retain(|row| keep(row.known_at));
        world.context.retain(|row| keep(row.known_at));
        world.disturb(cut, &mut random);
        world.lines.extend(others.lines.into_iter().filter(|row| row.captured_at >= cut));
        world.results.extend(others.results.into_iter().filter(|row| row.known_at >= cut));
        world.context.extend(others.context.into_iter().filter(|row| row.known_at >= cut));
        world
    }

    fn disturb(&mut self, cut: Timestamp, random: &mut ChaCha8Rng) {
        let mut later = |known_at: &mut Timestamp| {
            if random.random_bool(0.5) {
                *known_at = cut + SignedDuration::from_mins(random.random_range(0..3) * 600);
            }
            random.random_range(0..9u8)
        };
        let moved = |game: &Arc<Game>, by: u8| {
            let start_time = game.start_time + SignedDuration::from_hours(i64::from(by));
            Arc::new(Game { start_time, ..game.as_ref().clone() })
        };
        for row in self.lines.iter_mut().filter(|row| row.captured_at >= cut) {
            let draw = later(&mut row.captured_at);
            row.price = Price::new(1.2 + f64::from(draw) / 3.0).unwrap();
            row.game = moved(&row.game, draw);
        }
        for row in self.results.iter_mut().filter(|row| row.known_at >= cut) {
            row.home_score = u16::from(later(&mut row.known_at));
            row.game = moved(&row.game, 2);
        }
        for row in self.context.iter_mut().filter(|row| row.known_at >= cut) {
            let draw = later(&mut row.known_at);
            row.home_coach = Some("Aaa".into());
            row.venue = Some(format!("Ground {draw}").as_str().into());
            row.neutral = Some(draw % 2 == 0);
            row.game = moved(&row.game, draw);
        }
    }
}
