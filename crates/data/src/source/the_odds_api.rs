//! The Odds API, version 4: prices of many books with their times, scores of the last days, and stored snapshots.
//!
//! One parser reads what the service sends and what was kept of it: a list of events with prices, a list of events with
//! scores, or a historical snapshot around either. Prices may be decimal or American; which, a payload says by itself.
//!
//! Requests cost an allowance. What is left of it is asked first, which is free, and nothing is asked that it does not cover.
//!
//! # Example
//! ```
//! use data::{Payload, Source, TheOddsApi};
//! let league = TheOddsApi::league("mlb", "baseball_mlb", None, None).unwrap();
//! let source = TheOddsApi::new(league, "baseball_mlb").unwrap();
//! let bytes = r#"[{"id": "7", "commence_time": "2026-08-05T18:10:00Z", "home_team": "Astros", "away_team": "Blue Jays",
//!     "bookmakers": [{"key": "fanduel", "last_update": "2026-08-05T15:21:03Z", "markets": [{"key": "h2h",
//!         "outcomes": [{"name": "Blue Jays", "price": 190}, {"name": "Astros", "price": -220}]}]}]}]"#;
//! let parsed = source.parse(&Payload::new("odds.json", "json", bytes), &"hash".into()).unwrap();
//! assert_eq!(parsed.lines[0].price.decimal(), 1.0 + 100.0 / 220.0);
//! assert_eq!(parsed.lines[0].captured_at.to_string(), "2026-08-05T15:21:03Z");
//! ```

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use market::{ContextRow, Game, GameId, LeagueId, Name, RawRef};
use serde_json::Value;

use super::{
    Event, Parsed, Payload, Refused, Source,
    json::{self, head, instant, list, text, yes},
    quote::{self, Stamp},
};
use crate::{DataError, League, Location, Pull, Request, location::problem};

mod odds;

const ADDRESS: &str = "https://api.the-odds-api.com";
/// Markets that are asked for and read.
const MARKETS: [&str; 3] = ["h2h", "spreads", "totals"];
/// Days of scores that are asked for, and what that costs.
const SCORE_DAYS: u64 = 3;
const SCORE_COST: u64 = 2;
/// A night that lies this far back asks for a stored snapshot.
const PAST: SignedDuration = SignedDuration::from_hours(12);
/// What a stored snapshot costs in place of a present one.
const HISTORY_COSTS: u64 = 10;

/// Reads The Odds API: prices of many books, and scores.
#[derive(Clone)]
pub struct TheOddsApi {
    league: League,
    sport: String,
    location: Option<Location>,
    address: String,
    key: Option<String>,
    regions: Vec<String>,
    season_starts: i8,
    zone: TimeZone,
}

impl std::fmt::Debug for TheOddsApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TheOddsApi")
            .field("league", &self.league)
            .field("sport", &self.sport)
            .finish_non_exhaustive()
    }
}

/// What a payload says about when it was made.
#[derive(Debug, Clone, Copy)]
struct Made {
    /// The instant of a stored snapshot.
    snapshot: Option<Timestamp>,
    /// When the payload came.
    received_at: Option<Timestamp>,
}

/// One event, read as far as every kind of payload goes.
#[derive(Debug)]
struct Fixture {
    game: Arc<Game>,
    event: Name,
}

impl TheOddsApi {
    /// Describes the league behind a sport such as `baseball_mlb` under an id of your choice.
    ///
    /// Unless told otherwise, soccer is three-way in London's time, and everything else two-way in US Eastern.
    pub fn league(
        id: &str,
        sport: &str,
        three_way: Option<bool>,
        time_zone: Option<&str>,
    ) -> Result<League, DataError> {
        let id = LeagueId::new(id).map_err(|error| DataError::Setting(error.to_string()))?;
        let soccer = sport.starts_with("soccer_");
        let usual = if soccer { "Europe/London" } else { "America/New_York" };
        let time_zone = time_zone.unwrap_or(usual).to_owned();
        quote::time_zone(&time_zone)?;
        Ok(League { id, three_way: three_way.unwrap_or(soccer), time_zone })
    }

    /// Builds the source; seasons begin in July, those of baseball with the year, unless told otherwise.
    pub fn new(league: League, sport: &str) -> Result<Self, DataError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if sport.is_empty() || !sport.chars().all(allowed) {
            let problem = format!("`{sport}` is no sport of The Odds API; write it like `baseball_mlb`");
            return Err(DataError::Setting(problem));
        }
        let zone = quote::time_zone(&league.time_zone)?;
        Ok(Self {
            league,
            sport: sport.to_owned(),
            location: None,
            address: ADDRESS.to_owned(),
            key: None,
            regions: vec!["us".to_owned()],
            season_starts: if sport.starts_with("baseball_") { 1 } else { 7 },
            zone,
        })
    }

    /// Reads stored answers instead of asking the service.
    #[must_use]
    pub fn stored(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }

    /// Asks with a key, which is never shown.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// Asks for the books of these regions: `us`, `uk`, `eu`, `au`.
    #[must_use]
    pub fn regions(mut self, regions: &[String]) -> Self {
        self.regions = regions.to_vec();
        self
    }

    /// Asks another server.
    #[must_use]
    pub fn address(mut self, address: &str) -> Self {
        address.trim_end_matches('/').clone_into(&mut self.address);
        self
    }

    /// Sets the month in which a season begins; 1 for seasons of a calendar year.
    pub fn season_starts(mut self, month: i8) -> Result<Self, DataError> {
        if !(1..=12).contains(&month) {
            return Err(DataError::Setting(format!(
                "season_starts is {month}, but must be a month, 1 to 12"
            )));
        }
        self.season_starts = month;
        Ok(self)
    }

    fn requests(&self, until: Timestamp, now: Timestamp) -> (Vec<Request>, u64) {
        let Self { address, sport, regions, .. } = self;
        let regions_text = regions.join(",");
        let query =
            format!("regions={regions_text}&markets={}&oddsFormat=decimal&dateFormat=iso", MARKETS.join(","));
        let cost = (regions.len() * MARKETS.len()) as u64;
        if now.duration_since(until) > PAST {
            let at = until.strftime("%Y-%m-%dT%H:%M:%SZ");
            let history = format!("{address}/v4/historical/sports/{sport}/odds?{query}&date={at}");
            return (vec![self.request(&format!("{sport}_odds_{at}.json"), history)], cost * HISTORY_COSTS);
        }
        let odds = format!("{address}/v4/sports/{sport}/odds?{query}");
        let scores = format!("{address}/v4/sports/{sport}/scores?daysFrom={SCORE_DAYS}&dateFormat=iso");
        let requests = vec![
            self.request(&format!("{sport}_odds.json"), odds),
            self.request(&format!("{sport}_scores.json"), scores),
        ];
        (requests, cost + SCORE_COST)
    }

    fn request(&self, name: &str, address: String) -> Request {
        Request::new(name.replace(':', ""), address).secret("apiKey", self.key.as_deref().unwrap_or_default())
    }

    fn fixture(&self, event: &Value) -> Result<Fixture, &'static str> {
        let id = text(event, "/id").ok_or("the event has no id")?;
        let start = instant(event, "/commence_time").ok_or("the start is unreadable")?;
        let home = text(event, "/home_team").ok_or("a team is missing")?;
        let away = text(event, "/away_team").ok_or("a team is missing")?;
        if home == away {
            return Err("both teams are the same");
        }
        let date = start.to_zoned(self.zone.clone()).date();
        let season = i32::from(date.year()) - i32::from(date.month() < self.season_starts);
        let game = Game {
            league: self.league.id.clone(),
            game_id: GameId::from_text(&format!("the_odds_api:{id}")),
            season,
            start_time: start,
            home: home.as_str().into(),
            away: away.as_str().into(),
        };
        Ok(Fixture { game: Arc::new(game), event: id.as_str().into() })
    }

    fn event(
        &self,
        event: &Value,
        made: Made,
        raw_ref: RawRef,
        parsed: &mut Parsed,
    ) -> Result<(), &'static str> {
        let Fixture { game, event: id } = self.fixture(event)?;
        let stamp = Stamp { game, source: self.id().into(), raw_ref };
        let seen = odds::read(event, &stamp, made, parsed);
        let score = self.score(event, &stamp, parsed);
        let known_at = seen
            .or_else(|| instant(event, "/last_update"))
            .or(made.snapshot)
            .or(made.received_at)
            .unwrap_or(stamp.game.start_time);
        parsed.context.push(ContextRow::new(
            stamp.game.clone(),
            known_at,
            stamp.source.clone(),
            stamp.raw_ref.clone(),
        ));
        parsed.events.insert(stamp.game.game_id.clone(), Event { id: Some(id), number: None });
        score
    }

    /// Reads the score of a completed game; it is known from when it was last updated.
    fn score(&self, event: &Value, stamp: &Stamp, parsed: &mut Parsed) -> Result<(), &'static str> {
        if yes(event, "/completed") != Some(true) {
            return Ok(());
        }
        let of = |team: &Name| {
            let mut scores = list(event, "/scores").iter();
            let score = scores.find(|score| text(score, "/name").as_deref() == Some(team.as_str()))?;
            text(score, "/score")
        };
        let (home, away) = (of(&stamp.game.home), of(&stamp.game.away));
        let ends = stamp.game.start_time.checked_add(lasts(&self.sport)).unwrap_or(stamp.game.start_time);
        let known_at =
            instant(event, "/last_update").filter(|at| *at > stamp.game.start_time).unwrap_or(ends);
        let result = quote::result(stamp, home.as_deref(), away.as_deref(), known_at)?;
        parsed.results.push(result.ok_or("a completed game has no score")?);
        Ok(())
    }
}

impl Source for TheOddsApi {
    fn id(&self) -> &'static str {
        "the_odds_api"
    }

    fn league(&self) -> &League {
        &self.league
    }

    /// Asks for prices and scores of now, or for the snapshot of a night that is past.
    fn fetch(&self, pull: &Pull<'_>) -> Result<Vec<Payload>, DataError> {
        if let Some(location) = &self.location {
            return pull.location(location);
        }
        if self.key.is_none() {
            return Err(DataError::Setting(format!(
                "league {} asks The Odds API, which wants a key: set ODDS_API_KEY",
                self.league.id
            )));
        }
        let (requests, cost) = self.requests(pull.until, crate::http::now());
        let free = self.request("sports.json", format!("{}/v4/sports", self.address));
        let left = pull.ask(&free)?.remaining;
        if let Some(left) = left.filter(|left| *left < cost) {
            let told = format!("{left} requests are left of the allowance and this pull costs {cost}");
            return Err(problem(&self.address, told, "wait for the next month, or ask fewer regions", None));
        }
        let answers = pull.ask_all(&requests)?;
        let left = answers.iter().filter_map(|answer| answer.remaining).min();
        tracing::info!(league.id = %self.league.id, cost, left, "asked The Odds API");
        Ok(answers.into_iter().map(|answer| answer.payload).collect())
    }

    fn parse(&self, payload: &Payload, payload_hash: &Name) -> Result<Parsed, DataError> {
        let document = json::read(payload, "an answer of The Odds API")?;
        let snapshot = instant(&document, "/timestamp");
        let made = Made { snapshot, received_at: payload.received_at };
        let single;
        let events = match (&document, document.get("data")) {
            (Value::Array(events), _) | (_, Some(Value::Array(events))) => events.as_slice(),
            (_, Some(event @ Value::Object(_))) => std::slice::from_ref(event),
            (event @ Value::Object(_), None) if event.get("commence_time").is_some() => {
                single = event.clone();
                std::slice::from_ref(&single)
            }
            _ => {
                return Err(json::refused(
                    payload,
                    match text(&document, "/message") {
                        Some(message) => format!("is an error of The Odds API ({message})"),
                        None => "is no answer of The Odds API".to_owned(),
                    },
                    "check the key, the sport and the address",
                ));
            }
        };
        let mut parsed = Parsed::default();
        for (row, event) in (0_u32..).zip(events) {
            let raw_ref = RawRef { payload: payload_hash.clone(), row };
            let sport = text(event, "/sport_key").unwrap_or_else(|| self.sport.clone());
            let outcome = if sport == self.sport {
                self.event(event, made, raw_ref, &mut parsed)
            } else {
                Err("the event is of another sport")
            };
            if let Err(reason) = outcome {
                parsed.refused.push(Refused::new(row, reason, &head(event)));
            }
        }
        Ok(parsed)
    }

    fn assumptions(&self) -> Vec<String> {
        let league = &self.league.id;
        vec![
            format!("a price of {league} is taken as known when The Odds API last saw it at the book"),
            format!("a start of {league} is taken as known with the newest price of the same answer"),
            format!("a result of {league} is taken as known when its score was last updated"),
        ]
    }

    fn accumulates(&self) -> bool {
        false
    }

    fn settings(&self) -> String {
        let Self { sport, league, season_starts, .. } = self;
        format!("sport={sport} time_zone={} season_starts={season_starts}", league.time_zone)
    }
}

/// Returns how long a game is taken to last when nothing says when its score was known.
fn lasts(sport: &str) -> SignedDuration {
    match sport.split('_').next().unwrap_or_default() {
        "soccer" => SignedDuration::from_mins(150),
        "basketball" => SignedDuration::from_hours(3),
        "icehockey" => SignedDuration::from_mins(210),
        _ => SignedDuration::from_hours(4),
    }
}
