//! The scoreboards of ESPN's site: schedule, scores and one book's prices of most leagues.
//!
//! A stored answer may hold a whole scoreboard, a bare list of events, or a single event.
//!
//! # Example
//! ```
//! use data::{Espn, Payload, Source};
//! let league = Espn::league("nba", "basketball/nba", None, None).unwrap();
//! let source = Espn::new(league, None, "basketball/nba", Espn::LEADS).unwrap();
//! let bytes = r#"[{"id": "7", "date": "2024-11-09T00:30Z", "season": {"year": 2025}, "status": {"type": {"state": "pre"}},
//!     "competitions": [{"competitors": [
//!         {"homeAway": "home", "team": {"displayName": "Cleveland Cavaliers"}},
//!         {"homeAway": "away", "team": {"displayName": "Chicago Bulls"}}]}]}]"#;
//! let parsed = source.parse(&Payload::new("scoreboard.json", "json", bytes), &"hash".into()).unwrap();
//! assert_eq!(parsed.context[0].game.home.as_str(), "Cleveland Cavaliers");
//! assert_eq!(parsed.context[0].game.season, 2024);
//! ```

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use market::{ContextRow, Game, GameId, GameStatus, LeagueId, Name, RawRef, ResultRow};
use serde_json::Value;

use self::fixture::{Fixture, Phase};
use super::{
    Event, Leads, Parsed, Payload, Refused, Source,
    json::{self, head, number, text, yes},
    leads::in_words,
    quote::{self, Stamp},
};
use crate::{DataError, League, Location, Pull, Request};

mod fixture;
mod odds;

const ADDRESS: &str = "https://site.api.espn.com/apis/site/v2/sports";
const DAYS_BACK: SignedDuration = SignedDuration::from_hours(3 * 24);
const DAYS_AHEAD: SignedDuration = SignedDuration::from_hours(7 * 24);
/// What extra time and penalties take.
const EXTRA_TIME: SignedDuration = SignedDuration::from_hours(1);

/// Reads ESPN's scoreboards: schedule, results, and the prices that stand beside a game.
#[derive(Debug, Clone)]
pub struct Espn {
    league: League,
    location: Option<Location>,
    address: String,
    sport: String,
    leads: Leads,
    zone: TimeZone,
}

impl Espn {
    /// The assumptions for answers without a time: prices 24 h, closing prices 5 minutes, schedule 7 days before the start.
    pub const LEADS: Leads = Leads {
        line_lead: SignedDuration::from_hours(24),
        closing_lead: SignedDuration::from_mins(5),
        schedule_lead: SignedDuration::from_hours(7 * 24),
        starters_lead: SignedDuration::from_mins(90),
    };

    /// Describes the league behind a sport such as `football/nfl` under an id of your choice.
    ///
    /// Unless told otherwise, soccer is three-way in London's time, and everything else two-way in US Eastern.
    pub fn league(
        id: &str,
        sport: &str,
        three_way: Option<bool>,
        time_zone: Option<&str>,
    ) -> Result<League, DataError> {
        let id = LeagueId::new(id).map_err(|error| DataError::Setting(error.to_string()))?;
        let soccer = is_soccer(sport);
        let usual = if soccer { "Europe/London" } else { "America/New_York" };
        let time_zone = time_zone.unwrap_or(usual).to_owned();
        quote::time_zone(&time_zone)?;
        Ok(League { id, three_way: three_way.unwrap_or(soccer), time_zone })
    }

    /// Builds the source; without a location it asks ESPN about the days around the pull.
    pub fn new(
        league: League,
        location: Option<Location>,
        sport: &str,
        leads: Leads,
    ) -> Result<Self, DataError> {
        leads.check()?;
        let allowed = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
        };
        if !sport.split_once('/').is_some_and(|(kind, league)| allowed(kind) && allowed(league)) {
            let problem = format!("`{sport}` is no sport of ESPN; write it like `football/nfl`");
            return Err(DataError::Setting(problem));
        }
        let zone = quote::time_zone(&league.time_zone)?;
        Ok(Self { league, location, address: ADDRESS.to_owned(), sport: sport.to_owned(), leads, zone })
    }

    /// Asks another server, which answers under `{address}/{sport}/scoreboard`.
    #[must_use]
    pub fn address(mut self, address: &str) -> Self {
        address.trim_end_matches('/').clone_into(&mut self.address);
        self
    }

    fn request(&self, until: Timestamp) -> Result<Request, DataError> {
        let day = |moment: Result<Timestamp, jiff::Error>| {
            moment
                .map(|moment| moment.to_zoned(self.zone.clone()).strftime("%Y%m%d").to_string())
                .map_err(|_| DataError::Setting(format!("{until} lies at the edge of time")))
        };
        let (first, last) = (day(until.checked_sub(DAYS_BACK))?, day(until.checked_add(DAYS_AHEAD))?);
        let address = format!("{}/{}/scoreboard?dates={first}-{last}&limit=1000", self.address, self.sport);
        Ok(Request::new(format!("{}_{first}-{last}.json", self.league.id), address))
    }

    fn event(
        &self,
        event: &Value,
        received_at: Option<Timestamp>,
        raw_ref: RawRef,
        parsed: &mut Parsed,
    ) -> Result<(), &'static str> {
        let fixture = Fixture::read(event, &self.sport, &self.zone)?;
        let game_id = GameId::from_text(&format!("espn:{}", fixture.id));
        let game = Arc::new(Game {
            league: self.league.id.clone(),
            game_id: game_id.clone(),
            season: fixture.season,
            start_time: fixture.start,
            home: fixture.home.name.as_str().into(),
            away: fixture.away.name.as_str().into(),
        });
        let id = Some(fixture.id.as_str().into());
        parsed.events.insert(game_id, Event { id, number: None });
        let stamp = Stamp { game, source: self.id().into(), raw_ref };
        self.context(event, &fixture, &stamp, received_at, parsed);
        let quotes = odds::Quotes {
            stamp: &stamp,
            leads: &self.leads,
            three_way: self.league.three_way,
            phase: fixture.phase,
            received_at,
        };
        quotes.read(fixture.competition.get("odds"), parsed);
        parsed.results.extend(self.result(&fixture, &stamp, received_at)?);
        Ok(())
    }

    fn context(
        &self,
        event: &Value,
        fixture: &Fixture<'_>,
        stamp: &Stamp,
        received_at: Option<Timestamp>,
        parsed: &mut Parsed,
    ) {
        let known_at = received_at
            .filter(|received_at| *received_at < fixture.start)
            .unwrap_or_else(|| self.leads.schedule(fixture.start));
        let name = |value: &Value, pointer| text(value, pointer).map(|text| Name::from(text.as_str()));
        let row = ContextRow::new(stamp.game.clone(), known_at, stamp.source.clone(), stamp.raw_ref.clone());
        parsed.context.push(ContextRow {
            neutral: yes(fixture.competition, "/neutralSite"),
            venue: name(fixture.competition, "/venue/fullName").or_else(|| name(event, "/venue/displayName")),
            week: number(event, "/week/number").and_then(|week| u16::try_from(week).ok()),
            stage: name(event, "/season/slug").or_else(|| name(event, "/season/type")),
            ..row
        });
    }

    fn result(
        &self,
        fixture: &Fixture<'_>,
        stamp: &Stamp,
        received_at: Option<Timestamp>,
    ) -> Result<Option<ResultRow>, &'static str> {
        let (status, extra_time) = match fixture.phase {
            Phase::Before | Phase::During => return Ok(None),
            Phase::Played { extra_time } => (GameStatus::Final, extra_time),
            Phase::Off(status) => (status, false),
        };
        if status != GameStatus::Final {
            return Ok(Some(ResultRow {
                game: stamp.game.clone(),
                home_score: 0,
                away_score: 0,
                status,
                known_at: received_at.unwrap_or(fixture.start),
                source: stamp.source.clone(),
                raw_ref: stamp.raw_ref.clone(),
            }));
        }
        if received_at.is_some_and(|received_at| received_at <= fixture.start) {
            return Err("the result came before the start");
        }
        let lasts = if extra_time { EXTRA_TIME } else { SignedDuration::ZERO };
        let ends = fixture.ends.checked_add(lasts).map_err(|_| "the date is unreadable")?;
        let known_at = received_at.map_or(ends, |received_at| received_at.min(ends));
        let scores = (fixture.home.score.as_deref(), fixture.away.score.as_deref());
        let row =
            quote::result(stamp, scores.0, scores.1, known_at)?.ok_or("a finished game has no score")?;
        if !(extra_time && is_soccer(&self.sport)) {
            return Ok(Some(row));
        }
        // Bets on soccer are settled on regular time, but the score goes on.
        let (home_score, away_score) = fixture
            .after_90_minutes((row.home_score, row.away_score))
            .ok_or("the score after 90 minutes cannot be told")?;
        Ok(Some(ResultRow { home_score, away_score, ..row }))
    }
}

impl Source for Espn {
    fn id(&self) -> &'static str {
        "espn"
    }

    fn league(&self) -> &League {
        &self.league
    }

    fn fetch(&self, pull: &Pull<'_>) -> Result<Vec<Payload>, DataError> {
        match &self.location {
            Some(location) => pull.location(location),
            None => Ok(vec![pull.ask(&self.request(pull.until)?)?.payload]),
        }
    }

    fn parse(&self, payload: &Payload, payload_hash: &Name) -> Result<Parsed, DataError> {
        let events = events(payload)?;
        let mut parsed = Parsed::default();
        for (row, event) in (0_u32..).zip(&events) {
            let raw_ref = RawRef { payload: payload_hash.clone(), row };
            if let Err(reason) = self.event(event, payload.received_at, raw_ref, &mut parsed) {
                parsed.refused.push(Refused::new(row, reason, &head(event)));
            }
        }
        Ok(parsed)
    }

    fn assumptions(&self) -> Vec<String> {
        let (league, leads) = (&self.league.id, &self.leads);
        let [line, closing, schedule] =
            [leads.line_lead, leads.closing_lead, leads.schedule_lead].map(in_words);
        let lasts = in_words(fixture::lasts(&self.sport));
        let mut said = vec![
            format!(
                "a price of {league} is taken as known when it came; without that time, {line} before the start"
            ),
            format!(
                "what is called the closing price on a played game of {league} is taken as known {closing} before the start; any other price left on it is refused, for it may be in-play"
            ),
            format!(
                "fixture, venue, week and stage of {league} are taken as known when they came, but if that was after the start or is not known, {schedule} before the start"
            ),
            format!(
                "a result of {league} is taken as known {lasts} after the start and 1 h later after extra time, or when it came if that was earlier; without a start time, {lasts} after the end of the day"
            ),
        ];
        if is_soccer(&self.sport) {
            let sentence = format!(
                "a game of {league} that went to extra time counts as it stood after 90 minutes, by the times of its goals"
            );
            said.push(sentence);
        }
        said
    }

    fn accumulates(&self) -> bool {
        false
    }

    fn settings(&self) -> String {
        format!(
            "sport={} three_way={} time_zone={} {}",
            self.sport,
            self.league.three_way,
            self.league.time_zone,
            self.leads.settings()
        )
    }
}

fn is_soccer(sport: &str) -> bool {
    sport.starts_with("soccer/")
}

/// Returns the day of an instant where the league is at home.
fn day(moment: Timestamp, zone: &TimeZone) -> Date {
    moment.to_zoned(zone.clone()).date()
}

/// Returns the events of a scoreboard, of a bare list, or a single one.
fn events(payload: &Payload) -> Result<Vec<Value>, DataError> {
    match json::read(payload, "an ESPN scoreboard")? {
        Value::Array(events) => return Ok(events),
        Value::Object(mut object) => match object.remove("events") {
            Some(Value::Array(events)) => return Ok(events),
            None if object.contains_key("competitions") => return Ok(vec![Value::Object(object)]),
            _ => {}
        },
        _ => {}
    }
    Err(json::refused(payload, "is no ESPN scoreboard", "check that it holds a list of `events`"))
}
