//! Any separated file, read by a mapping of its columns: a new file needs configuration only.
//!
//! One row holds one game, its result when it has one, and one book's prices of one instant. A game may stand in several
//! rows, one per book or instant. Which column says what, [`Columns`] states; how values are written, [`CsvSettings`].
//!
//! # Example
//! ```
//! use data::{Columns, CsvFile, CsvSettings, Location, Payload, Source};
//! let name = |text: &str| Some(text.to_owned());
//! let columns = Columns {
//!     date: name("date"), home: name("team1"), away: name("team2"),
//!     home_score: name("score1"), away_score: name("score2"), ..Columns::default()
//! };
//! let settings = CsvSettings { columns, ..CsvSettings::default() };
//! let league = CsvFile::league("nfl", false, "America/New_York").unwrap();
//! let source = CsvFile::new(league, Location::new(["elo.csv"]), settings, CsvFile::LEADS).unwrap();
//!
//! let payload = Payload::new("elo.csv", "csv", "date,team1,team2,score1,score2\n1920-09-26,RII,STP,48,0\n");
//! let parsed = source.parse(&payload, &"hash".into()).unwrap();
//! assert_eq!((parsed.results[0].home_score, parsed.results[0].game.season), (48, 1920));
//! ```

use jiff::{SignedDuration, tz::TimeZone};
use market::{LeagueId, Name, RawRef};

use super::{
    Leads, Parsed, Payload, Source,
    leads::in_words,
    quote,
    table::{Cells, Table, is_blank, refuse},
};
use crate::{DataError, League, Location, Pull};

mod columns;
mod fixture;
mod rows;
mod settings;

pub use columns::Columns;
pub use settings::{CsvSettings, OddsFormat};

/// Reads separated files by a mapping of their columns.
#[derive(Debug, Clone)]
pub struct CsvFile {
    league: League,
    location: Location,
    settings: CsvSettings,
    leads: Leads,
    zone: TimeZone,
}

/// One record with its place.
#[derive(Debug)]
struct Row<'a> {
    cells: Cells<'a>,
    raw_ref: RawRef,
}

impl<'a> Row<'a> {
    /// Returns the cell of a column that may not be mapped.
    #[expect(clippy::ref_option, reason = "the fields of `Columns` come as they are")]
    fn get(&self, column: &Option<String>) -> Option<&'a str> {
        column.as_deref().and_then(|column| self.cells.get(column))
    }

    /// Returns the cell of a mapped column.
    fn cell(&self, column: &str) -> Option<&'a str> {
        self.cells.get(column)
    }
}

impl CsvFile {
    /// The assumptions unless configured: prices 24 h, schedule 7 days, starters 90 minutes before the start.
    pub const LEADS: Leads = Leads {
        line_lead: SignedDuration::from_hours(24),
        closing_lead: SignedDuration::from_mins(5),
        schedule_lead: SignedDuration::from_hours(7 * 24),
        starters_lead: SignedDuration::from_mins(90),
    };

    const ID: &'static str = "csv";

    /// Describes a league: whether a draw is an outcome to bet on, and the time zone of its dates and times.
    pub fn league(id: &str, three_way: bool, time_zone: &str) -> Result<League, DataError> {
        let id = LeagueId::new(id).map_err(|error| DataError::Setting(error.to_string()))?;
        Ok(League { id, three_way, time_zone: time_zone.to_owned() })
    }

    /// Builds the source; settings with which no file could be read are refused by key.
    pub fn new(
        league: League,
        location: Location,
        settings: CsvSettings,
        leads: Leads,
    ) -> Result<Self, DataError> {
        leads.check()?;
        settings.check(league.three_way)?;
        let zone = quote::time_zone(&league.time_zone)?;
        Ok(Self { league, location, settings, leads, zone })
    }

    /// Opens a payload that has every mapped column.
    fn table(&self, payload: &Payload) -> Result<Table, DataError> {
        // Checked to be one of four ASCII characters.
        let delimiter = u8::try_from(self.settings.delimiter).unwrap_or(b',');
        let table = Table::open(payload, delimiter)?;
        let mut missing: Vec<String> = Vec::new();
        for (_, column) in self.settings.columns.set().filter(|(_, column)| table.column(column).is_none()) {
            if !missing.iter().any(|named| named == column) {
                missing.push(column.to_owned());
            }
        }
        if missing.is_empty() {
            return Ok(table);
        }
        let layout = "configured [league.csv.columns]".to_owned();
        Err(DataError::MissingColumns { name: payload.name.clone(), columns: missing, layout })
    }
}

impl Source for CsvFile {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn league(&self) -> &League {
        &self.league
    }

    fn fetch(&self, pull: &Pull<'_>) -> Result<Vec<Payload>, DataError> {
        pull.location(&self.location)
    }

    fn parse(&self, payload: &Payload, payload_hash: &Name) -> Result<Parsed, DataError> {
        let table = self.table(payload)?;
        let mut parsed = Parsed::default();
        for (number, record) in (0_u32..).zip(&table.records).filter(|(_, record)| !is_blank(record)) {
            let raw_ref = RawRef { payload: payload_hash.clone(), row: number };
            let row = Row { cells: Cells { table: &table, record }, raw_ref };
            if let Err(reason) = self.row(&row, &mut parsed) {
                parsed.refused.push(refuse(number, record, reason));
            }
        }
        Ok(parsed)
    }

    fn assumptions(&self) -> Vec<String> {
        let (league, columns) = (&self.league.id, &self.settings.columns);
        let [line, schedule, starters, lasts] = [
            self.leads.line_lead,
            self.leads.schedule_lead,
            self.leads.starters_lead,
            self.settings.game_lasts,
        ]
        .map(in_words);
        let mut said = Vec::new();
        if self.settings.has_prices() && columns.captured_at.is_none() {
            said.push(format!(
                "prices of {league} carry no time; each is taken as known {line} before the start, and as the closing price"
            ));
        }
        if self.settings.has_prices() && columns.book.is_none() {
            let book = self.settings.book.as_deref().unwrap_or(rows::CONSENSUS);
            said.push(format!("prices of {league} name no book; all are taken as those of {book}"));
        }
        said.push(format!(
            "fixture, venue, coaches and round of {league} are taken as known {schedule} before the start"
        ));
        if [&columns.home_player, &columns.away_player, &columns.referee, &columns.roof]
            .iter()
            .any(|column| column.is_some())
        {
            said.push(format!(
                "key players, referee and movable roof of {league} are taken as known {starters} before the start"
            ));
        }
        let zone = &self.league.time_zone;
        said.push(format!(
            "a result of {league} is taken as known {lasts} after the start; without a start time, 13:00 in {zone} is assumed and the result known {lasts} after the end of the day"
        ));
        if columns.season.is_none() {
            let month = self.settings.season_starts;
            said.push(format!("a season of {league} is taken to begin with month {month} of the year"));
        }
        said
    }

    fn settings(&self) -> String {
        format!(
            "{} three_way={} time_zone={} {}",
            self.settings.text(),
            self.league.three_way,
            self.league.time_zone,
            self.leads.settings()
        )
    }
}
