//! A snapshot's rows with every name replaced by its place in one sorted table: what the graph keeps and stores.
//!
//! Sources and raw references stay behind in the lake.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use data::{League, Snapshot};
use jiff::Timestamp;
use market::{ContextRow, Game, GameId, GameStatus, Market, Name, Selection};

use crate::instant::{nanos, timestamp};

/// Stands for "nothing" where a code or a small number is expected.
pub(crate) const NONE: u32 = u32::MAX;

/// A distinct game header: names are codes, the league an index, the start nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Header {
    pub(crate) league: u32,
    pub(crate) game_id: u32,
    pub(crate) season: i32,
    pub(crate) start: i64,
    pub(crate) home: u32,
    pub(crate) away: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LineRecord {
    pub(crate) header: u32,
    pub(crate) time: i64,
    pub(crate) book: u32,
    pub(crate) market: Market,
    pub(crate) selection: Selection,
    /// Quarter points of the selection.
    pub(crate) points: Option<i32>,
    pub(crate) price: f64,
    pub(crate) closing: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ResultRecord {
    pub(crate) header: u32,
    pub(crate) time: i64,
    pub(crate) home_score: u16,
    pub(crate) away_score: u16,
    pub(crate) status: GameStatus,
}

/// Names: venue, home coach, away coach, home player, away player, referee.
/// Numbers: neutral (0 or 1), home rest days, away rest days, week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContextRecord {
    pub(crate) header: u32,
    pub(crate) time: i64,
    pub(crate) names: [u32; 6],
    pub(crate) numbers: [u32; 4],
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Rows {
    pub(crate) as_of: Timestamp,
    pub(crate) leagues: Vec<League>,
    /// How many of them the snapshot listed; the others are only named by rows.
    pub(crate) listed: usize,
    /// Sorted, so that the order of codes is the order of names.
    pub(crate) names: Vec<Name>,
    /// Sorted and distinct.
    pub(crate) headers: Vec<Header>,
    pub(crate) lines: Vec<LineRecord>,
    pub(crate) results: Vec<ResultRecord>,
    pub(crate) context: Vec<ContextRecord>,
}

impl Rows {
    /// Compacts the rows that are visible as of the snapshot.
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let coder = Coder::new(snapshot);
        let lines = snapshot.lines.iter().filter(|row| row.known_at() < snapshot.as_of);
        let lines = lines.map(|row| LineRecord {
            header: coder.header(&row.game),
            time: nanos(row.known_at()),
            book: coder.code(row.book.as_str()),
            market: row.market,
            selection: row.selection,
            points: row.points.map(market::Points::quarters),
            price: row.price.decimal(),
            closing: row.is_closing,
        });
        let results = snapshot.results.iter().filter(|row| row.known_at < snapshot.as_of);
        let results = results.map(|row| ResultRecord {
            header: coder.header(&row.game),
            time: nanos(row.known_at),
            home_score: row.home_score,
            away_score: row.away_score,
            status: row.status,
        });
        let context = snapshot.context.iter().filter(|row| row.known_at < snapshot.as_of);
        let context = context.map(|row| ContextRecord {
            header: coder.header(&row.game),
            time: nanos(row.known_at),
            names: names_of(row).map(|name| name.map_or(NONE, |name| coder.code(name.as_str()))),
            numbers: numbers_of(row).map(|number| number.unwrap_or(NONE)),
        });
        Self {
            as_of: snapshot.as_of,
            listed: snapshot.leagues.len(),
            lines: lines.collect(),
            results: results.collect(),
            context: context.collect(),
            headers: coder.headers.clone(),
            names: coder.names.iter().map(|text| Name::from(*text)).collect(),
            leagues: coder.leagues,
        }
    }

    /// Rebuilds a header as the other crates know it.
    pub(crate) fn game(&self, header: Header) -> Arc<Game> {
        Arc::new(Game {
            league: self.leagues[header.league as usize].id.clone(),
            game_id: GameId::from_text(self.names[header.game_id as usize].as_str()),
            season: header.season,
            start_time: timestamp(header.start),
            home: self.names[header.home as usize].clone(),
            away: self.names[header.away as usize].clone(),
        })
    }

    /// Returns the code of a name, if any row uses it.
    pub(crate) fn code(&self, name: &str) -> Option<u32> {
        self.names.binary_search_by(|known| known.as_str().cmp(name)).ok().map(|code| code as u32)
    }
}

impl Rows {
    /// Whether every code points into its table; says what does not.
    pub(crate) fn check(&self) -> Result<(), String> {
        let name = |code: u32| (code as usize) < self.names.len();
        let optional = |code: &u32| *code == NONE || name(*code);
        let header = |index: u32| (index as usize) < self.headers.len();
        let games = self.headers.iter().all(|row| {
            (row.league as usize) < self.leagues.len()
                && name(row.game_id)
                && name(row.home)
                && name(row.away)
        });
        let lines = self.lines.iter().all(|row| header(row.header) && name(row.book));
        let results = self.results.iter().all(|row| header(row.header));
        let context = self.context.iter().all(|row| header(row.header) && row.names.iter().all(optional));
        let tables = [("games", games), ("lines", lines), ("results", results), ("context", context)];
        match tables.into_iter().find(|(_, sound)| !sound) {
            None if !self.names.is_sorted() || !self.headers.is_sorted() => {
                Err("names are out of order".to_owned())
            }
            None => Ok(()),
            Some((table, _)) => Err(format!("`{table}` points outside of its table")),
        }
    }
}

fn names_of(row: &ContextRow) -> [Option<&Name>; 6] {
    [&row.venue, &row.home_coach, &row.away_coach, &row.home_player, &row.away_player, &row.referee]
        .map(Option::as_ref)
}

fn numbers_of(row: &ContextRow) -> [Option<u32>; 4] {
    [
        row.neutral.map(u32::from),
        row.home_rest_days.map(u32::from),
        row.away_rest_days.map(u32::from),
        row.week.map(u32::from),
    ]
}

struct Coder<'a> {
    leagues: Vec<League>,
    names: Vec<&'a str>,
    headers: Vec<Header>,
    /// Rows share their header's allocation, so its address saves most comparisons.
    by_address: HashMap<*const Game, u32>,
}

impl<'a> Coder<'a> {
    fn new(snapshot: &'a Snapshot) -> Self {
        let games: HashMap<*const Game, &'a Game> =
            games(snapshot).map(|(_, game)| (Arc::as_ptr(game), game.as_ref())).collect();
        let mut names = BTreeSet::new();
        for game in games.values() {
            names.extend([game.game_id.as_str(), game.home.as_str(), game.away.as_str()]);
        }
        names.extend(snapshot.lines.iter().map(|row| row.book.as_str()));
        names.extend(
            snapshot.context.iter().flat_map(|row| names_of(row).into_iter().flatten().map(Name::as_str)),
        );
        let mut coder = Self {
            leagues: leagues(snapshot),
            names: names.into_iter().collect(),
            headers: vec![],
            by_address: HashMap::new(),
        };
        let headers: BTreeSet<Header> = games.values().map(|game| coder.encode(game)).collect();
        coder.headers = headers.into_iter().collect();
        coder.by_address = games.iter().map(|(address, game)| (*address, coder.search(game))).collect();
        coder
    }

    fn code(&self, text: &str) -> u32 {
        self.names.binary_search(&text).map_or(NONE, |code| code as u32)
    }

    fn encode(&self, game: &Game) -> Header {
        Header {
            league: self
                .leagues
                .iter()
                .position(|league| league.id == game.league)
                .map_or(NONE, |i| i as u32),
            game_id: self.code(game.game_id.as_str()),
            season: game.season,
            start: nanos(game.start_time),
            home: self.code(game.home.as_str()),
            away: self.code(game.away.as_str()),
        }
    }

    fn search(&self, game: &Game) -> u32 {
        self.headers.binary_search(&self.encode(game)).map_or(NONE, |index| index as u32)
    }

    fn header(&self, game: &Arc<Game>) -> u32 {
        self.by_address.get(&Arc::as_ptr(game)).copied().unwrap_or_else(|| self.search(game))
    }
}

/// Returns every row's instant and header.
fn games(snapshot: &Snapshot) -> impl Iterator<Item = (Timestamp, &Arc<Game>)> {
    let lines = snapshot.lines.iter().map(|row| (row.known_at(), &row.game));
    let results = snapshot.results.iter().map(|row| (row.known_at, &row.game));
    let context = snapshot.context.iter().map(|row| (row.known_at, &row.game));
    lines.chain(results).chain(context)
}

/// Returns the listed leagues, then those that only rows name in the order in which they became known
/// (two-way, UTC), so that a later row cannot move an earlier league's index.
fn leagues(snapshot: &Snapshot) -> Vec<League> {
    let mut leagues = snapshot.leagues.clone();
    let mut unlisted = BTreeMap::new();
    for (known_at, game) in games(snapshot) {
        if !leagues.iter().any(|league| league.id == game.league) {
            let first = unlisted.entry(game.league.clone()).or_insert(known_at);
            *first = known_at.min(*first);
        }
    }
    let mut unlisted: Vec<_> = unlisted.into_iter().collect();
    unlisted.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    leagues.extend(unlisted.into_iter().map(|(id, _)| League {
        id,
        three_way: false,
        time_zone: "UTC".to_owned(),
    }));
    leagues
}
