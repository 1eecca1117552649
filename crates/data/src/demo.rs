//! The demo league: a simulated points sport with five books, the same for every machine, seed and date.
//!
//! Twenty-four teams play ten games a week, every night of the year. Strengths drift, coaches come and go, key players
//! get hurt, two grounds are fortresses, referees and rest matter a little. The market knows the truth with errors that
//! shrink toward the start. Since the truth is known, a model's calibration and a bet's real edge can be checked.
//!
//! # Example
//! ```
//! use data::{Pull, Source, demo::{self, DemoSource}};
//! let until = "2024-03-01T09:00:00Z".parse().unwrap();
//! let league = DemoSource::new(DemoSource::league("demo").unwrap(), demo::DEFAULT_SEED);
//! let files = league.fetch(&Pull::new(until)).unwrap();
//! assert_eq!(files.first().unwrap().name, "demo_2019_games.csv");
//! let rows = league.parse(files.last().unwrap(), &"sha256".into()).unwrap();
//! assert!(rows.lines.iter().all(|line| line.captured_at < until));
//!
//! let truths = league.truth(until).unwrap();
//! assert!(truths.iter().all(|truth| (0.0..1.0).contains(&truth.home_win())));
//! ```

mod books;
mod calendar;
mod chances;
mod feed;
mod grounds;
mod names;
mod people;
mod play;
mod read;
#[cfg(test)]
mod tests;
mod truth;
mod world;

use std::sync::Arc;

use jiff::tz::TimeZone;
use market::{Game, LeagueId, Name, Timestamp};

pub use truth::Truth;

use crate::{DataError, League, Parsed, Payload, Pull, Source};

/// Seed of the league that runs when none is configured.
pub const DEFAULT_SEED: u64 = 2;

const SOURCE: &str = "demo";

/// The simulated league as a source; fetching asks nothing of the outside world.
#[derive(Debug, Clone)]
pub struct DemoSource {
    seed: u64,
    league: League,
}

impl DemoSource {
    /// Describes the league under an id of your choice: two-way, UTC.
    pub fn league(id: &str) -> Result<League, DataError> {
        let id = LeagueId::new(id).map_err(|error| DataError::Setting(error.to_string()))?;
        Ok(League { id, three_way: false, time_zone: "UTC".to_owned() })
    }

    /// Builds the source for the world that grows from `seed`; days are those of UTC whatever the league's zone is.
    pub fn new(league: League, seed: u64) -> Self {
        Self { seed, league }
    }

    /// Returns the truth about every game in the schedule at `until`, by start.
    ///
    /// It judges forecasts and bets; nothing that reads rows as of an instant may use it.
    pub fn truth(&self, until: Timestamp) -> Result<Vec<Truth>, DataError> {
        truth::of(&self.league.id, self.seed, until)
    }

    /// Returns [`truth`](Self::truth) as a table to be stored beside the raw data.
    ///
    /// It holds both means, from which all chances follow, and the chances most asked for.
    pub fn truth_payload(&self, until: Timestamp) -> Result<Payload, DataError> {
        Ok(truth::table(&self.truth(until)?))
    }
}

impl Source for DemoSource {
    fn id(&self) -> &str {
        SOURCE
    }

    fn league(&self) -> &League {
        &self.league
    }

    /// Returns a file of games and one of prices for each of six seasons, holding only what was known before `pull.until`.
    fn fetch(&self, pull: &Pull<'_>) -> Result<Vec<Payload>, DataError> {
        Ok(feed::payloads(self.seed, pull.until))
    }

    fn parse(&self, payload: &Payload, payload_hash: &Name) -> Result<Parsed, DataError> {
        read::parse(&self.league.id, payload, payload_hash)
    }
}

/// Returns the header that a game's rows share; the league's days are those of UTC.
fn header(league: &LeagueId, season: i32, start: Timestamp, home: &str, away: &str) -> Arc<Game> {
    Game::new(league, season, start, start.to_zoned(TimeZone::UTC).date(), home, away)
}
