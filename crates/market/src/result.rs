//! How a game ended.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Game, Name, RawRef};

/// State of a game.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GameStatus {
    /// Played to its end.
    Final,
    /// Moved to a date not known yet.
    Postponed,
    /// Will not be played.
    Cancelled,
    /// Begun, not finished.
    Abandoned,
}

impl GameStatus {
    /// Returns the contract's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Final => "final",
            Self::Postponed => "postponed",
            Self::Cancelled => "cancelled",
            Self::Abandoned => "abandoned",
        }
    }

    /// Reads the contract's word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Final, Self::Postponed, Self::Cancelled, Self::Abandoned]
            .into_iter()
            .find(|s| s.as_str() == text)
    }
}

/// Final score and status of a game.
///
/// # Example
/// ```
/// # use market::*;
/// # let game = Game::new(&LeagueId::new("nfl").unwrap(), 2021, "2021-11-12T01:20:00Z".parse().unwrap(),
/// #     "2021-11-11".parse().unwrap(), "MIA", "BAL");
/// let result = ResultRow { game, home_score: 22, away_score: 10, status: GameStatus::Final,
///     known_at: "2021-11-12T05:20:00Z".parse().unwrap(), source: "nflverse".into(),
///     raw_ref: RawRef { payload: "ab".into(), row: 0 } };
/// assert_eq!((result.margin(), result.total()), (12, 32));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultRow {
    /// The game's header.
    #[serde(flatten)]
    pub game: Arc<Game>,
    /// Points of the home side; 0 unless the status is final.
    pub home_score: u16,
    /// Points of the away side; 0 unless the status is final.
    pub away_score: u16,
    /// How it ended.
    pub status: GameStatus,
    /// End of the game, or when the status became known, UTC.
    pub known_at: Timestamp,
    /// The source's id.
    pub source: Name,
    /// The bytes behind it.
    pub raw_ref: RawRef,
}

impl ResultRow {
    /// Home minus away.
    pub fn margin(&self) -> i32 {
        i32::from(self.home_score) - i32::from(self.away_score)
    }

    /// Home plus away.
    pub fn total(&self) -> i32 {
        i32::from(self.home_score) + i32::from(self.away_score)
    }
}
