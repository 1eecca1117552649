//! Bets that were placed by hand: a CSV of a few columns becomes rows of the ledger.
//!
//! Wanted are `date,league,home,away,market,selection,price,stake`; `points`, `book`, `start_time`, `mode`, `placed_at`,
//! `outcome` and `score` may be there. Whoever knows the games says when they start. All or nothing: one line that is not
//! understood, and none is taken.
//!
//! # Example
//! ```
//! use ledger::{import::{self, Imported}, rule::HouseRules};
//! let text = "date,league,home,away,market,selection,price,stake,start_time\n\
//!             2021-11-11,nfl,MIA,BAL,moneyline,home,4.2,10.00,2021-11-12T01:20:00Z\n";
//! let night = ledger::Night { date: "2021-11-20".parse().unwrap(), as_of: "2021-11-20T09:00:00Z".parse().unwrap(),
//!     run_id: "import".into(), recorded_at: "2021-11-20T09:00:00Z".parse().unwrap() };
//! let bets: Vec<Imported> = import::read(text, "ab12", &night, |_| None, |_| (HouseRules::default(), false)).unwrap();
//! assert_eq!(bets[0].placed.stake.to_string(), "10.00");
//! ```

use std::sync::Arc;

use csv::StringRecord;
use market::{
    Date, Game, GameId, LeagueId, LineRow, Market, Money, Name, Points, Price, RawRef, Selection, Timestamp,
};

use crate::{Entry, Mode, Night, Outcome, entry::Terms, rule::HouseRules};

/// Columns that must be there.
pub const WANTED: [&str; 8] = ["date", "league", "home", "away", "market", "selection", "price", "stake"];
/// Columns that may be there.
pub const OPTIONAL: [&str; 7] = ["points", "book", "start_time", "mode", "placed_at", "outcome", "score"];

/// One bet, with its ending when the file tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The bet.
    pub placed: Entry,
    /// How it ended, and the score.
    pub ending: Option<(Outcome, Option<(u16, u16)>)>,
}

/// Why a file of bets is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The header lacks a column, or has one that means nothing.
    #[error("line 1: {problem}; the columns are {} and, if wanted, {}", WANTED.join(","), OPTIONAL.join(","))]
    Header {
        /// What is wrong.
        problem: String,
    },
    /// A cell is not understood.
    #[error("line {line}, column {column}: `{found}` is not {expected}; nothing was taken")]
    Cell {
        /// Line counted from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What stands there.
        found: String,
        /// What should.
        expected: &'static str,
    },
    /// The text is no CSV.
    #[error("line {line} is no row of CSV; nothing was taken")]
    Csv {
        /// Line counted from 1.
        line: u64,
    },
}

/// Reads a file of bets placed by hand.
///
/// `payload` is the file's hash, which the rows refer to; `game` finds a known game by its id; `rules` says by which rules
/// a league's bets are settled, and whether its draw is bet on.
///
/// # Errors
/// The first line that is not understood, with its column.
pub fn read(
    text: &str,
    payload: &str,
    night: &Night,
    game: impl Fn(&GameId) -> Option<Game>,
    rules: impl Fn(&LeagueId) -> (HouseRules, bool),
) -> Result<Vec<Imported>, ImportError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|_| ImportError::Csv { line: 1 })?.clone();
    check(&header)?;
    let mut bets = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let record = record
            .map_err(|error| ImportError::Csv { line: error.position().map_or(1, csv::Position::line) })?;
        let line = record.position().map_or(0, csv::Position::line);
        let row = Row { header: &header, record: &record, line };
        let raw_ref = RawRef { payload: payload.into(), row: u32::try_from(index).unwrap_or(u32::MAX) };
        bets.push(bet(&row, raw_ref, night, &game, &rules)?);
    }
    Ok(bets)
}

fn check(header: &StringRecord) -> Result<(), ImportError> {
    let has = |column: &str| header.iter().any(|name| name == column);
    let problem = if let Some(missing) = WANTED.iter().find(|column| !has(column)) {
        Some(format!("the column `{missing}` is missing"))
    } else {
        let known = |name: &&str| WANTED.contains(name) || OPTIONAL.contains(name);
        header.iter().find(|name| !known(name)).map(|stranger| format!("`{stranger}` is no column of bets"))
    };
    problem.map_or(Ok(()), |problem| Err(ImportError::Header { problem }))
}

fn bet(
    row: &Row<'_>,
    raw_ref: RawRef,
    night: &Night,
    game: impl Fn(&GameId) -> Option<Game>,
    rules: impl Fn(&LeagueId) -> (HouseRules, bool),
) -> Result<Imported, ImportError> {
    let date: Date = row.wanted("date", "a date like 2021-11-11", |t| t.parse().ok())?;
    let league = row.wanted("league", "a league id like nfl", |t| LeagueId::new(t).ok())?;
    let home = row.wanted("home", "a team", |t| (!t.is_empty()).then(|| Name::from(t)))?;
    let away = row.wanted("away", "a team", |t| (!t.is_empty()).then(|| Name::from(t)))?;
    let market = row.wanted("market", "moneyline, spread or total", Market::parse)?;
    let selection = row.wanted("selection", "a side of that market", |t| {
        let selection = Selection::parse(t)?;
        let of_total = matches!(selection, Selection::Over | Selection::Under);
        let fits = match market {
            Market::Moneyline => !of_total,
            Market::Spread => !of_total && selection != Selection::Draw,
            Market::Total => of_total,
        };
        fits.then_some(selection)
    })?;
    let points = row.may("points", "points in quarters", |t| Points::from_f64(t.parse().ok()?))?;
    if points.is_some() == (market == Market::Moneyline) {
        let expected = if points.is_some() { "nothing on a moneyline" } else { "the points of the bet" };
        return Err(row.error("points", expected));
    }
    let price = row.wanted("price", "decimal odds above 1", |t| Price::new(t.parse().ok()?).ok())?;
    let stake = row.wanted("stake", "an amount above 0 like 12.50", |t| {
        t.parse().ok().filter(|stake| *stake > Money::ZERO)
    })?;
    let mode = row.may("mode", "paper or live", Mode::parse)?.unwrap_or(Mode::Live);
    let game_id = GameId::of(&league, date, home.as_str(), away.as_str());
    let instant = "an instant like 2021-11-11T09:00:00Z";
    let known = game(&game_id);
    let told = row.may("start_time", instant, |t| t.parse::<Timestamp>().ok())?;
    let start_time = told.or(known.as_ref().map(|game| game.start_time));
    let start_time = start_time.ok_or_else(|| {
        row.error("start_time", "the start of the game: no such game is in the store, so say it")
    })?;
    let placed_at = row.may("placed_at", instant, |t| t.parse::<Timestamp>().ok())?;
    let as_of = placed_at.unwrap_or(start_time).min(night.as_of);
    let (house, three_way) = rules(&league);
    let told = Game { league, game_id, season: date.year().into(), start_time, home, away };
    let line = LineRow {
        game: Arc::new(Game { start_time, ..known.unwrap_or(told) }),
        book: row.text("book").map_or_else(|| "unknown".into(), Name::from),
        market,
        selection,
        points,
        price,
        captured_at: as_of,
        is_closing: false,
        source: "import".into(),
        raw_ref,
    };
    let terms = Terms::by_hand(&line, house.rule(market, three_way));
    let outcome = row.may("outcome", "a grade such as win, dead_heat, or postponed", Outcome::parse)?;
    let score = row.may("score", "a score like 21-17", |t| {
        let (home, away) = t.split_once('-')?;
        Some((home.trim().parse().ok()?, away.trim().parse().ok()?))
    })?;
    let of_bet = Night { date, as_of, ..night.clone() };
    let placed = Entry::placed_by_hand(&of_bet, mode, stake, terms);
    Ok(Imported { placed, ending: outcome.map(|outcome| (outcome, score)) })
}

struct Row<'a> {
    header: &'a StringRecord,
    record: &'a StringRecord,
    line: u64,
}

impl Row<'_> {
    fn text(&self, column: &str) -> Option<&str> {
        let place = self.header.iter().position(|name| name == column)?;
        self.record.get(place).filter(|text| !text.is_empty())
    }

    fn wanted<T>(
        &self,
        column: &'static str,
        expected: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ImportError> {
        self.text(column).and_then(read).ok_or_else(|| self.error(column, expected))
    }

    fn may<T>(
        &self,
        column: &'static str,
        expected: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ImportError> {
        self.text(column).map(|text| read(text).ok_or_else(|| self.error(column, expected))).transpose()
    }

    fn error(&self, column: &'static str, expected: &'static str) -> ImportError {
        let found = self.text(column).unwrap_or_default().to_owned();
        ImportError::Cell { line: self.line, column, found, expected }
    }
}
