//! The layouts of football-data.co.uk, told by their header.
//!
//! - main: one file per division and season, columns that differ from season to season;
//! - extra: one file per country beyond the main leagues, all its seasons in it, closing prices only, whether a column says
//!   so (`PSCH`) or, in older files, not (`PH`);
//! - fixtures: games to come of many divisions, the main layout without results.
//!
//! Averages over books are kept as a book of their own, [`AVERAGE`]; best prices over books are not, since nobody offered
//! them together.
//!
//! # Example
//! ```
//! use data::{FootballData, Location, Source};
//! let league = FootballData::league("epl", "Europe/London").unwrap();
//! let source = FootballData::new(league, Location::new(["E0_*.csv.gz"]), FootballData::LEADS).unwrap();
//! assert_eq!(source.id(), "football_data");
//! assert!(source.league().three_way);
//! ```

use std::cmp::Ordering;

use csv::StringRecord;
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time, time},
    tz::TimeZone,
};
use market::{ContextRow, Game, LeagueId, Name, RawRef, ResultRow};

use super::{
    Leads, Parsed, Payload, Source,
    leads::in_words,
    quote::{self, Quoted, Stamp},
    season,
    table::{Cells, Table, cell_at, is_blank, refuse},
};
use crate::{DataError, League, Location, Pull};

mod books;
mod calendar;
mod layout;

use books::Offer;
use layout::Layout;

/// Name of the book that stands for the site's averages over books; no bet can be placed with it.
pub const AVERAGE: &str = "average";

const ASSUMED_START: Time = time(15, 0, 0, 0);
const GAME_LASTS: SignedDuration = SignedDuration::from_hours(2);

/// Reads football-data.co.uk: opening and closing prices of several books, results, referees.
#[derive(Debug, Clone)]
pub struct FootballData {
    league: League,
    location: Location,
    division: Option<String>,
    leads: Leads,
    zone: TimeZone,
    league_zone: TimeZone,
}

impl FootballData {
    /// The assumptions unless configured: prices and referee 24 h, closing prices 5 minutes, schedule 7 days before the start.
    pub const LEADS: Leads = Leads {
        line_lead: SignedDuration::from_hours(24),
        closing_lead: SignedDuration::from_mins(5),
        schedule_lead: SignedDuration::from_hours(7 * 24),
        starters_lead: SignedDuration::from_hours(24),
    };

    /// Describes a league under an id of your choice: three-way, in its own time zone.
    pub fn league(id: &str, time_zone: &str) -> Result<League, DataError> {
        let id = LeagueId::new(id).map_err(|error| DataError::Setting(error.to_string()))?;
        Ok(League { id, three_way: true, time_zone: time_zone.to_owned() })
    }

    /// Builds the source; the layout's dates and times are read as UK local whatever the league's own zone is.
    pub fn new(league: League, location: Location, leads: Leads) -> Result<Self, DataError> {
        leads.check()?;
        let zone = quote::time_zone("Europe/London")?;
        let league_zone = quote::time_zone(&league.time_zone)?;
        Ok(Self { league, location, division: None, leads, zone, league_zone })
    }

    /// Takes rows of one division only (`E0`; in the extra layout the league's name) and passes over all others.
    ///
    /// Otherwise the first row of each payload decides and rows of other divisions are refused; in the extra layout every
    /// row is taken, since a country's league changes its name.
    #[must_use]
    pub fn division(mut self, division: &str) -> Self {
        self.division = Some(division.to_owned());
        self
    }

    fn start(&self, cells: &Cells<'_>, day: Date) -> Result<(Timestamp, Timestamp, Date), &'static str> {
        let clock: Option<Time> = match cells.get("Time") {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| "the time is unreadable")?),
        };
        let unreadable = "the date is unreadable";
        let start = day
            .to_datetime(clock.unwrap_or(ASSUMED_START))
            .to_zoned(self.zone.clone())
            .map_err(|_| unreadable)?
            .timestamp();
        if clock.is_none() {
            return quote::end_of_day(day, &self.zone, GAME_LASTS)
                .map(|ends| (start, ends, day))
                .ok_or(unreadable);
        }
        let ends = start.checked_add(GAME_LASTS).map_err(|_| unreadable)?;
        Ok((start, ends, start.to_zoned(self.league_zone.clone()).date()))
    }

    fn row(
        &self,
        cells: &Cells<'_>,
        (day, season): (Date, i32),
        offers: &[Offer],
        raw_ref: RawRef,
        parsed: &mut Parsed,
    ) -> Result<(), &'static str> {
        let (home, away) = cells.get("HomeTeam").zip(cells.get("AwayTeam")).ok_or("a team is missing")?;
        if home == away {
            return Err("both teams are the same");
        }
        let (start, ends, local_day) = self.start(cells, day)?;
        let game = Game::new(&self.league.id, season, start, local_day, home, away);
        let stamp = Stamp { game, source: self.id().into(), raw_ref };
        let result = quote::result(&stamp, cells.get("FTHG"), cells.get("FTAG"), ends);
        self.context(cells, &stamp, parsed);
        self.lines(cells, &stamp, offers, parsed);
        let result = result?;
        if result.as_ref().is_some_and(|result| !agrees(cells, result)) {
            return Err("the result letter contradicts the score");
        }
        parsed.results.extend(result);
        Ok(())
    }

    fn lines(&self, cells: &Cells<'_>, stamp: &Stamp, offers: &[Offer], parsed: &mut Parsed) {
        let start = stamp.game.start_time;
        let mut priced = Vec::new();
        for offer in offers {
            // Two columns of one book and instant: the first that is priced counts.
            let key = (&offer.book, offer.market, offer.is_closing);
            if priced.contains(&key) {
                continue;
            }
            let quoted = Quoted {
                book: offer.book.clone(),
                market: offer.market,
                captured_at: if offer.is_closing {
                    self.leads.closing(start)
                } else {
                    self.leads.line(start)
                },
                is_closing: offer.is_closing,
            };
            let rows = offer
                .sides(cells.record)
                .and_then(|sides| quote::lines(stamp, &quoted, &sides, quote::decimal));
            match rows {
                Ok(rows) => {
                    if !rows.is_empty() {
                        priced.push(key);
                    }
                    parsed.lines.extend(rows);
                }
                Err(reason) => {
                    let reason = format!("{}: {reason}", offer.market);
                    parsed.refused.push(refuse(stamp.raw_ref.row, cells.record, reason));
                }
            }
        }
    }

    fn context(&self, cells: &Cells<'_>, stamp: &Stamp, parsed: &mut Parsed) {
        let start = stamp.game.start_time;
        let row = |known_at| {
            ContextRow::new(stamp.game.clone(), known_at, stamp.source.clone(), stamp.raw_ref.clone())
        };
        parsed.context.push(row(self.leads.schedule(start)));
        if let Some(referee) = cells.get("Referee") {
            parsed
                .context
                .push(ContextRow { referee: Some(referee.into()), ..row(self.leads.starters(start)) });
        }
    }

    /// Returns the season of every row that can be read further, else why it cannot.
    fn seasons(&self, table: &Table, layout: Layout) -> Vec<Result<(Date, i32), &'static str>> {
        let texts: Vec<_> = table.records.iter().map(|record| table.cell(record, "Date")).collect();
        let dates = calendar::dates(&texts);
        if layout == Layout::Extra {
            let seasons = table.records.iter().map(|record| table.cell(record, "Season"));
            return dates.into_iter().zip(seasons).map(|(date, season)| stated_day(date, season)).collect();
        }
        let cell = |record| table.cell(record, layout.division());
        let division = self.division.as_deref().or_else(|| table.records.iter().find_map(cell));
        let days: Vec<_> = table
            .records
            .iter()
            .zip(dates)
            .map(|(record, date)| match cell(record) {
                None => Err("the division is missing"),
                stated if stated != division => Err("the row belongs to another division"),
                _ => date.ok_or("the date is unreadable"),
            })
            .collect();
        calendar::seasons(&days)
    }

    /// Returns whether a row was not asked for: it belongs to another division than the configured one.
    fn is_elsewhere(&self, cells: &Cells<'_>, layout: Layout) -> bool {
        let stated = cells.get(layout.division());
        self.division.is_some() && stated.is_some() && stated != self.division.as_deref()
    }
}

impl Source for FootballData {
    fn id(&self) -> &'static str {
        "football_data"
    }

    fn league(&self) -> &League {
        &self.league
    }

    fn fetch(&self, pull: &Pull<'_>) -> Result<Vec<Payload>, DataError> {
        pull.location(&self.location)
    }

    fn parse(&self, payload: &Payload, payload_hash: &Name) -> Result<Parsed, DataError> {
        let (table, layout) = Layout::read(payload)?;
        let offers = books::offers(&table, layout == Layout::Extra);
        let mut parsed = Parsed::default();
        for ((row, record), season) in (0_u32..).zip(&table.records).zip(self.seasons(&table, layout)) {
            let cells = Cells { table: &table, record };
            if is_blank(record) || self.is_elsewhere(&cells, layout) {
                continue;
            }
            let raw_ref = RawRef { payload: payload_hash.clone(), row };
            let outcome = season.and_then(|season| self.row(&cells, season, &offers, raw_ref, &mut parsed));
            if let Err(reason) = outcome {
                parsed.refused.push(refuse(row, record, reason));
            }
        }
        Ok(parsed)
    }

    fn assumptions(&self) -> Vec<String> {
        let (league, leads) = (&self.league.id, &self.leads);
        let [line, closing, schedule, starters] =
            [leads.line_lead, leads.closing_lead, leads.schedule_lead, leads.starters_lead].map(in_words);
        vec![
            format!(
                "prices of {league} carry no time; each is taken as known {line} before the start, a closing price {closing} before it"
            ),
            format!(
                "fixtures of {league} are taken as known {schedule}, the referee {starters} before the start"
            ),
            format!(
                "a result of {league} is taken as known 2 h after the start; without a start time, 15:00 UK time is assumed and the result known 2 h after the end of the day"
            ),
        ]
    }

    fn settings(&self) -> String {
        let division = self.division.as_deref().unwrap_or("any");
        format!("division={division} time_zone={} {}", self.league.time_zone, self.leads.settings())
    }
}

/// Joins a row's day and the season that it states.
fn stated_day(day: Option<Date>, season: Option<&str>) -> Result<(Date, i32), &'static str> {
    let day = day.ok_or("the date is unreadable")?;
    let season = season.and_then(season::stated).ok_or("the season is no year")?;
    if !season::lies_in(day, season) {
        return Err("the start lies outside the season");
    }
    Ok((day, season))
}

/// Returns whether the letter beside a score, if there is one, says the same as the score.
fn agrees(cells: &Cells<'_>, result: &ResultRow) -> bool {
    let letter = match result.home_score.cmp(&result.away_score) {
        Ordering::Greater => "H",
        Ordering::Equal => "D",
        Ordering::Less => "A",
    };
    cells.get("FTR").or_else(|| cells.get("Res")).is_none_or(|stated| stated == letter)
}

/// Returns the cell of a column that a season may lack.
fn optional(record: &StringRecord, column: Option<usize>) -> Option<&str> {
    column.and_then(|index| cell_at(record, index))
}
