//! The `games.csv` layout of nflverse: one row per game of the National Football League.
//!
//! # Example
//! ```
//! use data::{Location, Nflverse, Source};
//! let source = Nflverse::new(Nflverse::league("nfl").unwrap(), Location::new(["games.csv"]), Nflverse::LEADS).unwrap();
//! assert_eq!(source.id(), "nflverse");
//! assert_eq!(source.assumptions()[0], "prices of nfl carry no time and no book; each is taken as known 24 h before the start, and as the closing price");
//! ```

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time, date, time},
    tz::TimeZone,
};
use market::{ContextRow, Game, LeagueId, Market, Name, RawRef, Selection};

use super::{
    Leads, Parsed, Payload, Source,
    leads::in_words,
    quote::{self, Quoted, Side, Stamp},
    table::{Cells, Table, is_blank, refuse},
};
use crate::{DataError, League, Location, Pull};

const LAYOUT: &str = "nflverse games.csv";
const REQUIRED: [&str; 16] = [
    "season",
    "gameday",
    "gametime",
    "away_team",
    "away_score",
    "home_team",
    "home_score",
    "location",
    "away_moneyline",
    "home_moneyline",
    "spread_line",
    "away_spread_odds",
    "home_spread_odds",
    "total_line",
    "under_odds",
    "over_odds",
];
const ASSUMED_START: Time = time(13, 0, 0, 0);
const GAME_LASTS: SignedDuration = SignedDuration::from_hours(4);

/// Reads nflverse's games: prices of one unnamed book, results, and rich context.
#[derive(Debug, Clone)]
pub struct Nflverse {
    league: League,
    location: Location,
    leads: Leads,
    zone: TimeZone,
}

impl Nflverse {
    /// The assumptions unless configured: prices 24 h, schedule 7 days, starters 90 minutes before the start.
    pub const LEADS: Leads = Leads {
        line_lead: SignedDuration::from_hours(24),
        closing_lead: SignedDuration::from_mins(5),
        schedule_lead: SignedDuration::from_hours(7 * 24),
        starters_lead: SignedDuration::from_mins(90),
    };

    /// Describes the league under an id of your choice: two-way, US Eastern.
    pub fn league(id: &str) -> Result<League, DataError> {
        let id = LeagueId::new(id).map_err(|error| DataError::Setting(error.to_string()))?;
        Ok(League { id, three_way: false, time_zone: "America/New_York".to_owned() })
    }

    /// Builds the source; `gametime` is read as US Eastern whatever the league's zone for display is.
    pub fn new(league: League, location: Location, leads: Leads) -> Result<Self, DataError> {
        leads.check()?;
        let zone = quote::time_zone("America/New_York")?;
        Ok(Self { league, location, leads, zone })
    }

    fn game<'a>(&self, cells: &Cells<'a>) -> Result<Kickoff<'a>, &'static str> {
        let day: Date =
            cells.get("gameday").and_then(|text| text.parse().ok()).ok_or("the date is unreadable")?;
        let season = cells
            .get("season")
            .and_then(quote::whole)
            .and_then(|season| i16::try_from(season).ok())
            .filter(|season| (1900..=2200).contains(season))
            .ok_or("the season is no year")?;
        if day < date(season, 7, 1) || day > date(season + 1, 3, 31) {
            return Err("the start lies outside the season");
        }
        let (home, away) = (cells.get("home_team"), cells.get("away_team"));
        let (home, away) = home.zip(away).ok_or("a team is missing")?;
        let (home, away) = (current_team(home), current_team(away));
        if home == away {
            return Err("both teams are the same");
        }
        let clock: Option<Time> = match cells.get("gametime") {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| "the time is unreadable")?),
        };
        let start = day
            .to_datetime(clock.unwrap_or(ASSUMED_START))
            .to_zoned(self.zone.clone())
            .map_err(|_| "the date is unreadable")?
            .timestamp();
        let ends = match clock {
            Some(_) => start.checked_add(GAME_LASTS).ok(),
            None => quote::end_of_day(day, &self.zone, GAME_LASTS),
        };
        let ends = ends.ok_or("the date is unreadable")?;
        Ok(Kickoff { start, ends, day, season: i32::from(season), home, away })
    }

    fn row(&self, cells: &Cells<'_>, raw_ref: RawRef, parsed: &mut Parsed) -> Result<(), &'static str> {
        let kickoff = self.game(cells)?;
        let Kickoff { start, ends, day, season, home, away } = kickoff;
        let game = Game::new(&self.league.id, season, start, day, home, away);
        let stamp = Stamp { game, source: self.id().into(), raw_ref };
        let result = quote::result(&stamp, cells.get("home_score"), cells.get("away_score"), ends);
        self.context(cells, &stamp, parsed);
        self.lines(cells, &stamp, parsed);
        parsed.results.extend(result?);
        Ok(())
    }

    fn lines(&self, cells: &Cells<'_>, stamp: &Stamp, parsed: &mut Parsed) {
        use Selection::{Away, Home, Over, Under};
        let points = |column| {
            cells.get(column).map(|text| quote::points(text).ok_or("points are no multiple of a quarter"))
        };
        let (spread, total) = (points("spread_line").transpose(), points("total_line").transpose());
        let price = |column| cells.get(column);
        let moneyline = vec![(Home, None, price("home_moneyline")), (Away, None, price("away_moneyline"))];
        // The source's line is what the home side is expected to win by; the home side's own handicap is its negative.
        let spread = spread.map(|line| {
            vec![
                (Home, line.map(|points| -points), price("home_spread_odds")),
                (Away, line, price("away_spread_odds")),
            ]
        });
        let total =
            total.map(|line| vec![(Over, line, price("over_odds")), (Under, line, price("under_odds"))]);
        for (market, sides) in
            [(Market::Moneyline, Ok(moneyline)), (Market::Spread, spread), (Market::Total, total)]
        {
            let quoted = Quoted {
                book: "consensus".into(),
                market,
                captured_at: self.leads.line(stamp.game.start_time),
                is_closing: true,
            };
            match sides.and_then(|sides| priced(stamp, &quoted, &sides)) {
                Ok(rows) => parsed.lines.extend(rows),
                Err(reason) => {
                    parsed.refused.push(refuse(
                        stamp.raw_ref.row,
                        cells.record,
                        format!("{market}: {reason}"),
                    ));
                }
            }
        }
    }

    fn context(&self, cells: &Cells<'_>, stamp: &Stamp, parsed: &mut Parsed) {
        let name = |column| cells.get(column).map(Name::from);
        let number =
            |column| cells.get(column).and_then(quote::whole).and_then(|number| u16::try_from(number).ok());
        let start = stamp.game.start_time;
        let row = |known_at| {
            ContextRow::new(stamp.game.clone(), known_at, stamp.source.clone(), stamp.raw_ref.clone())
        };
        // A movable roof is opened or closed on the day; whether there is a fixed one is known beforehand.
        let roof = name("roof");
        let movable = roof.as_ref().is_some_and(|roof| matches!(roof.as_str(), "open" | "closed"));
        let (fixed, decided) = if movable { (None, roof) } else { (roof, None) };
        parsed.context.push(ContextRow {
            neutral: cells.get("location").map(|place| place == "Neutral"),
            venue: name("stadium"),
            roof: fixed,
            surface: name("surface"),
            home_coach: name("home_coach"),
            away_coach: name("away_coach"),
            home_rest_days: number("home_rest"),
            away_rest_days: number("away_rest"),
            week: number("week"),
            stage: name("game_type"),
            ..row(self.leads.schedule(start))
        });
        let starters = ContextRow {
            roof: decided,
            home_player: name("home_qb_name"),
            away_player: name("away_qb_name"),
            referee: name("referee"),
            ..row(self.leads.starters(start))
        };
        let says = [&starters.roof, &starters.home_player, &starters.away_player, &starters.referee];
        if says.iter().any(|field| field.is_some()) {
            parsed.context.push(starters);
        }
    }
}

impl Source for Nflverse {
    fn id(&self) -> &'static str {
        "nflverse"
    }

    fn league(&self) -> &League {
        &self.league
    }

    fn fetch(&self, pull: &Pull<'_>) -> Result<Vec<Payload>, DataError> {
        pull.location(&self.location)
    }

    fn parse(&self, payload: &Payload, payload_hash: &Name) -> Result<Parsed, DataError> {
        let table = Table::read(payload, LAYOUT, &REQUIRED)?;
        let mut parsed = Parsed::default();
        for (row, record) in (0_u32..).zip(&table.records) {
            if is_blank(record) {
                continue;
            }
            let cells = Cells { table: &table, record };
            let raw_ref = RawRef { payload: payload_hash.clone(), row };
            if let Err(reason) = self.row(&cells, raw_ref, &mut parsed) {
                parsed.refused.push(refuse(row, record, reason));
            }
        }
        Ok(parsed)
    }

    fn assumptions(&self) -> Vec<String> {
        let (league, leads) = (&self.league.id, &self.leads);
        let [line, schedule, starters] =
            [leads.line_lead, leads.schedule_lead, leads.starters_lead].map(in_words);
        vec![
            format!(
                "prices of {league} carry no time and no book; each is taken as known {line} before the start, and as the closing price"
            ),
            format!(
                "fixture, venue, coaches and rest days of {league} are taken as known {schedule} before the start"
            ),
            format!(
                "quarterbacks, referee and movable roof of {league} are taken as known {starters} before the start"
            ),
            format!(
                "a result of {league} is taken as known 4 h after the start; without a start time, 13:00 US Eastern is assumed and the result known 4 h after the end of the day"
            ),
        ]
    }

    fn settings(&self) -> String {
        self.leads.settings()
    }
}

struct Kickoff<'a> {
    start: Timestamp,
    ends: Timestamp,
    day: Date,
    season: i32,
    home: &'a str,
    away: &'a str,
}

/// Follows the franchises that moved, so that a team keeps its past.
fn current_team(code: &str) -> &str {
    match code {
        "STL" => "LA",
        "SD" => "LAC",
        "OAK" => "LV",
        other => other,
    }
}

fn priced(stamp: &Stamp, quoted: &Quoted, sides: &[Side<'_>]) -> Result<Vec<market::LineRow>, &'static str> {
    let rows = quote::lines(stamp, quoted, sides, quote::american)?;
    if quoted.market != Market::Moneyline && rows.iter().any(|row| row.points.is_none()) {
        return Err("a price stands without its points");
    }
    Ok(rows)
}
