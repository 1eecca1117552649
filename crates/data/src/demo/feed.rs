//! What the league's feed shows at an instant: one file of games and one of prices per season, oldest news first.
//!
//! Files only ever grow at their end: the file of one day is the beginning of the file of any later day.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{
    books::{self, BOOKS, Moment, Quote},
    calendar::Meeting,
    chances::Chances,
    names::HOMES,
    world::{self, DemoGame},
};
use crate::Payload;

/// Columns of a file of games.
pub(super) const GAME_COLUMNS: [&str; 22] = [
    "record",
    "known_at",
    "season",
    "week",
    "stage",
    "start_time",
    "home",
    "away",
    "venue",
    "neutral",
    "roof",
    "surface",
    "referee",
    "home_rest_days",
    "away_rest_days",
    "home_coach",
    "away_coach",
    "home_player",
    "away_player",
    "status",
    "home_score",
    "away_score",
];

/// Columns of a file of prices.
pub(super) const LINE_COLUMNS: [&str; 15] = [
    "captured_at",
    "season",
    "start_time",
    "home",
    "away",
    "book",
    "is_closing",
    "home_price",
    "away_price",
    "home_points",
    "home_points_price",
    "away_points_price",
    "total_points",
    "over_price",
    "under_price",
];

/// One game in so many has a row that cannot be right, as feeds do: about three a season.
const FAULT_EVERY: u64 = 173;
/// How long after its start a game that is called off is known to be.
const CALLED_OFF: SignedDuration = SignedDuration::from_mins(30);

/// A row with the instant from which the feed shows it.
struct News {
    known_at: Timestamp,
    text: String,
}

#[derive(Default)]
struct Season {
    games: Vec<News>,
    lines: Vec<News>,
}

/// Returns the files as they stand at `until`, by season; each holds only what was known before.
pub(super) fn payloads(seed: u64, until: Timestamp) -> Vec<Payload> {
    let mut chances = Chances::default();
    let mut seasons: BTreeMap<i32, Season> = BTreeMap::new();
    for game in world::history(seed, until) {
        let season = seasons.entry(game.season).or_default();
        season.games.extend(game_news(&game).into_iter().filter(|news| news.known_at < until));
        let quotes = books::quotes(seed, &game, &mut chances);
        let name = full_name(&game);
        let shown = quotes.iter().filter(|quote| quote.captured_at < until);
        season.lines.extend(shown.map(|quote| line_news(&name, quote)));
        add_fault(seed, &game, &quotes, until, season);
    }
    let files = seasons.into_iter().flat_map(|(year, season)| {
        [
            file(&format!("demo_{year}_games.csv"), &GAME_COLUMNS, season.games),
            file(&format!("demo_{year}_lines.csv"), &LINE_COLUMNS, season.lines),
        ]
    });
    files.collect()
}

fn file(name: &str, columns: &[&str], mut news: Vec<News>) -> Payload {
    // Stable, so that news of one instant stay in the order of games and books.
    news.sort_by_key(|news| news.known_at);
    let mut text = columns.join(",");
    text.push('\n');
    for news in news {
        text.push_str(&news.text);
        text.push('\n');
    }
    Payload::new(name, "csv", text)
}

fn game_news(game: &DemoGame) -> [News; 3] {
    let early = SignedDuration::from_mins(24 * 60 + (game.meeting.number * 7 % 90).cast_signed());
    let named = game.meeting.start - early;
    let ended = if game.cancelled { game.meeting.start + CALLED_OFF } else { game.ends };
    let result = if game.cancelled {
        "cancelled,,".to_owned()
    } else {
        format!("final,{},{}", game.score.0, game.score.1)
    };
    let starters = format!("{},{},,,", game.players[0], game.players[1]);
    [
        schedule(game, &game.meeting.start.to_string()),
        News { known_at: named, text: format!("{},,,,,,,,,,{starters}", head("starters", named, game)) },
        News { known_at: ended, text: format!("{},,,,,,,,,,,,{result}", head("result", ended, game)) },
    ]
}

fn schedule(game: &DemoGame, start: &str) -> News {
    let known_at = game.announced();
    let start_time = game.meeting.start.to_string();
    let facts = format!(
        "{},{},{},{},{},{},{},{},{},,,,,",
        game.venue,
        game.neutral,
        game.roof,
        game.surface,
        game.referee,
        game.meeting.home_rest,
        game.meeting.away_rest,
        game.coaches[0],
        game.coaches[1]
    );
    let head = head("schedule", known_at, game).replace(&start_time, start);
    News { known_at, text: format!("{head},{facts}") }
}

fn head(record: &str, known_at: Timestamp, game: &DemoGame) -> String {
    format!(
        "{record},{known_at},{},{},regular,{},{},{}",
        game.season,
        game.week,
        game.meeting.start,
        HOMES[game.meeting.home].team,
        HOMES[game.meeting.away].team
    )
}

/// Returns what names a game in a file of prices.
fn full_name(game: &DemoGame) -> String {
    let Meeting { start, home, away, .. } = game.meeting;
    format!("{},{start},{},{}", game.season, HOMES[home].team, HOMES[away].team)
}

fn line_news(game: &str, quote: &Quote) -> News {
    let [home, away] = quote.moneyline;
    let [home_spread, away_spread] = quote.spread;
    let [over, under] = quote.total;
    let points = |halves: i32| f64::from(halves) / 2.0;
    let text = format!(
        "{},{game},{},{},{home},{away},{},{home_spread},{away_spread},{},{over},{under}",
        quote.captured_at,
        BOOKS[quote.book].name,
        quote.moment == Moment::Closing,
        points(quote.home_halves),
        points(quote.total_halves)
    );
    News { known_at: quote.captured_at, text }
}

/// Adds a row that cannot be right where it is this game's turn.
fn add_fault(seed: u64, game: &DemoGame, quotes: &[Quote], until: Timestamp, season: &mut Season) {
    let turn = game.meeting.number + seed % FAULT_EVERY;
    let Some(quote) = quotes.last().filter(|_| turn.is_multiple_of(FAULT_EVERY)) else { return };
    let mut quote = quote.clone();
    match turn / FAULT_EVERY % 3 {
        0 => quote.moneyline[0] = 0.0,
        1 => quote.total_halves = 8000,
        _ => {
            let news = schedule(game, &format!("{}-02-30T25:61:00Z", game.season));
            season.games.extend(Some(news).filter(|news| news.known_at < until));
            return;
        }
    }
    season.lines.extend(Some(line_news(&full_name(game), &quote)).filter(|news| news.known_at < until));
}
