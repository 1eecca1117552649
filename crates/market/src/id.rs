//! Names and identifiers, cheap to clone because a season repeats them a hundred thousand times.
//!
//! # Example
//! ```
//! use market::{GameId, LeagueId};
//! let epl = LeagueId::new("epl").unwrap();
//! let id = GameId::of(&epl, "2022-10-14".parse().unwrap(), "Brentford", "Brighton");
//! assert_eq!(id.as_str(), "epl_2022-10-14_brentford_brighton");
//! ```

use std::{fmt, sync::Arc};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A team, book, coach, player, venue, referee or source as its league spells it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "utoipa", schema(value_type = String, example = "Brentford"))]
#[serde(transparent)]
pub struct Name(Arc<str>);

impl Name {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text that cannot serve as an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no league id: use lower-case letters, digits and dashes")]
pub struct InvalidId(String);

/// One competition with its rules: `nfl`, `epl`, `demo`.
///
/// Lower-case ASCII letters, digits and dashes, since it names folders.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "utoipa", schema(value_type = String, pattern = "^[a-z0-9-]+$", example = "epl"))]
#[serde(try_from = "String", into = "String")]
pub struct LeagueId(Arc<str>);

impl LeagueId {
    /// Checks and keeps `text`.
    pub fn new(text: &str) -> Result<Self, InvalidId> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if text.is_empty() || !text.chars().all(allowed) {
            return Err(InvalidId(text.to_owned()));
        }
        Ok(Self(text.into()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LeagueId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::new(&text)
    }
}

impl From<LeagueId> for String {
    fn from(id: LeagueId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for LeagueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One fixture, the same from whatever source it comes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "utoipa", schema(value_type = String, example = "epl_2022-10-14_brentford_brighton"))]
#[serde(transparent)]
pub struct GameId(Arc<str>);

impl GameId {
    /// Builds the id from the league, the game's date in the league's time zone, and both teams.
    pub fn of(league: &LeagueId, date: Date, home: &str, away: &str) -> Self {
        let text = format!("{league}_{date}_{}_{}", slug::slugify(home), slug::slugify(away));
        Self(text.into())
    }

    /// Takes an id that was written before; a stranger simply matches no game.
    pub fn from_text(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GameId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Where a number came from: the hash of the raw payload and the row in it, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RawRef {
    /// sha256 of the payload as the source sent it, in hexadecimal.
    pub payload: Name,
    /// Row within the payload; the header does not count.
    pub row: u32,
}

impl fmt::Display for RawRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.payload, self.row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_league_id_names_a_folder() {
        assert!(LeagueId::new("epl-2").is_ok());
        for bad in ["", "EPL", "../x", "a b", "é"] {
            assert!(LeagueId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hostile_team_names_make_a_plain_game_id() {
        let id = GameId::of(
            &LeagueId::new("x").unwrap(),
            jiff::civil::date(2020, 1, 2),
            "<b>A/..\\</b>",
            "Köln 🐐",
        );
        assert!(id.as_str().chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)), "{id}");
    }
}
