//! Folders, sources and rows for the tests.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use data::{DataError, FootballData, Lake, League, Location, Parsed, Payload, Pull, Source, Store};
use market::{
    ContextRow, Game, GameStatus, LeagueId, LineRow, Market, Name, Price, RawRef, ResultRow, Selection,
    Timestamp,
};
use tempfile::TempDir;

pub(crate) const SEASON: &str = "\
Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,FTR,Referee,B365H,B365D,B365A,PSCH,PSCD,PSCA
E0,14/10/2022,20:00,Brentford,Brighton,2,0,H,M Oliver,3.1,3.4,2.3,3.05,3.45,2.38
E0,15/10/2022,12:30,Leicester,Crystal Palace,0,0,D,A Taylor,2.25,3.5,3.1,2.3,3.4,3.3
E0,15/10/2022,15:00,Fulham,Bournemouth,,,,,1.8,3.6,4.5,,,
";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

pub(crate) fn write(folder: &TempDir, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

pub(crate) fn lake(folder: &TempDir) -> Lake {
    let store = Store::open(folder.path().join("store").to_str().unwrap()).unwrap();
    Lake::new(store).at(at("2022-11-01T09:00:00Z"))
}

pub(crate) fn football(path: &str) -> FootballData {
    let league = FootballData::league("epl", "Europe/London").unwrap();
    FootballData::new(league, Location::new([path]), FootballData::LEADS).unwrap()
}

/// Reads a text as the football layout.
pub(crate) fn parse_football(text: &str) -> Result<Parsed, DataError> {
    parse(&football("unused"), text)
}

pub(crate) fn parse(source: &dyn Source, text: &str) -> Result<Parsed, DataError> {
    let payload = Payload::new("season.csv", "csv", text);
    source.parse(&payload, &"hash".into())
}

pub(crate) fn reasons(parsed: &Parsed) -> Vec<(u32, &str)> {
    parsed.refused.iter().map(|row| (row.row, row.reason.as_str())).collect()
}

/// Every object of a lake with its bytes, to compare end states.
pub(crate) fn objects(lake: &Lake) -> Vec<(String, Vec<u8>)> {
    let paths = lake.store().list("").unwrap();
    paths.into_iter().map(|path| (path.clone(), lake.store().get(&path).unwrap())).collect()
}

/// A source that yields rows made by hand.
#[derive(Debug)]
pub(crate) struct ByHand {
    pub(crate) league: League,
    pub(crate) parsed: Parsed,
    pub(crate) bytes: Vec<u8>,
    pub(crate) id: &'static str,
}

impl ByHand {
    pub(crate) fn new(parsed: Parsed, bytes: &str) -> Self {
        let league = League { id: LeagueId::new("hand").unwrap(), three_way: false, time_zone: "UTC".into() };
        Self { league, parsed, bytes: bytes.as_bytes().to_vec(), id: "by_hand" }
    }

    /// The same league as another source tells it.
    pub(crate) fn by(mut self, id: &'static str) -> Self {
        self.id = id;
        self.bytes.extend(id.as_bytes());
        for row in &mut self.parsed.lines {
            row.source = id.into();
        }
        for row in &mut self.parsed.results {
            row.source = id.into();
        }
        for row in &mut self.parsed.context {
            row.source = id.into();
        }
        self
    }
}

impl Source for ByHand {
    fn id(&self) -> &'static str {
        self.id
    }

    fn league(&self) -> &League {
        &self.league
    }

    fn fetch(&self, _pull: &Pull<'_>) -> Result<Vec<Payload>, DataError> {
        Ok(vec![Payload::new("hand.csv", "csv", self.bytes.clone())])
    }

    fn parse(&self, _payload: &Payload, _hash: &Name) -> Result<Parsed, DataError> {
        Ok(self.parsed.clone())
    }
}

pub(crate) fn game(day: i8, home: &str, away: &str) -> Arc<Game> {
    let date = jiff::civil::date(2022, 10, day);
    let start = date.at(19, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    Game::new(&LeagueId::new("hand").unwrap(), 2022, start, date, home, away)
}

pub(crate) fn raw_ref(row: u32) -> RawRef {
    RawRef { payload: "hash".into(), row }
}

pub(crate) fn line(game: &Arc<Game>, price: f64, captured_at: Timestamp) -> LineRow {
    LineRow {
        game: game.clone(),
        book: "book".into(),
        market: Market::Moneyline,
        selection: Selection::Home,
        points: None,
        price: Price::new(price).unwrap(),
        captured_at,
        is_closing: false,
        source: "by_hand".into(),
        raw_ref: raw_ref(1),
    }
}

pub(crate) fn result(game: &Arc<Game>, scores: (u16, u16), known_at: Timestamp) -> ResultRow {
    ResultRow {
        game: game.clone(),
        home_score: scores.0,
        away_score: scores.1,
        status: GameStatus::Final,
        known_at,
        source: "by_hand".into(),
        raw_ref: raw_ref(2),
    }
}

pub(crate) fn context(game: &Arc<Game>, known_at: Timestamp) -> ContextRow {
    let mut row = ContextRow::new(game.clone(), known_at, "by_hand".into(), raw_ref(3));
    row.venue = Some("Ground".into());
    row.week = Some(7);
    row.neutral = Some(false);
    row.stage = Some("regular".into());
    row
}

/// Returns the folder of real data, or says that a test is skipped.
#[expect(clippy::disallowed_methods, reason = "where real data lies is a matter of the machine")]
pub(crate) fn real_data(test: &str) -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var("EDGE_SHARED_DATA").map_or(default, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var("EDGE_TEST_ALL").map_or(true, |all| all != "1"),
        "EDGE_TEST_ALL is set, but {} is no folder; set EDGE_SHARED_DATA",
        folder.display()
    );
    eprintln!("skipped: {test} needs real data; set EDGE_SHARED_DATA");
    None
}
