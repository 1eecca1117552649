//! A fixture: who plays whom, where in the calendar.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{GameId, LeagueId, Name};

/// The header that every line, result and context row of a game shares.
///
/// # Example
/// ```
/// use market::{Game, LeagueId};
/// let game = Game::new(&LeagueId::new("nfl").unwrap(), 2021, "2021-11-12T01:20:00Z".parse().unwrap(),
///     "2021-11-11".parse().unwrap(), "MIA", "BAL");
/// assert_eq!(game.game_id.as_str(), "nfl_2021-11-11_mia_bal");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Game {
    /// The competition.
    pub league: LeagueId,
    /// Deterministic identity.
    pub game_id: GameId,
    /// Year in which the season began.
    pub season: i32,
    /// Scheduled start, UTC.
    pub start_time: Timestamp,
    /// Home team.
    pub home: Name,
    /// Away team.
    pub away: Name,
}

impl Game {
    /// Builds the header; `date` is the game's date in the league's own time zone.
    pub fn new(
        league: &LeagueId,
        season: i32,
        start_time: Timestamp,
        date: jiff::civil::Date,
        home: &str,
        away: &str,
    ) -> Arc<Self> {
        Arc::new(Self {
            league: league.clone(),
            game_id: GameId::of(league, date, home, away),
            season,
            start_time,
            home: home.into(),
            away: away.into(),
        })
    }
}
