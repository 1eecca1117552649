//! Where lines, results and context come from: the seam between the outside world and the lake.
//!
//! A source does two things only: it fetches payloads as they are, and it reads a payload into rows. It keeps no state;
//! hashing, storing, de-duplicating and quarantining are the [`Lake`](crate::Lake)'s work.
//!
//! # Example
//! ```
//! use data::{DataError, League, Parsed, Payload, Pull, Source};
//! use market::{LeagueId, Name};
//!
//! #[derive(Debug)]
//! struct Silent(League);
//! impl Source for Silent {
//!     fn id(&self) -> &str { "silent" }
//!     fn league(&self) -> &League { &self.0 }
//!     fn fetch(&self, _pull: &Pull<'_>) -> Result<Vec<Payload>, DataError> { Ok(vec![]) }
//!     fn parse(&self, _payload: &Payload, _hash: &Name) -> Result<Parsed, DataError> { Ok(Parsed::default()) }
//! }
//! let league = League { id: LeagueId::new("epl").unwrap(), three_way: true, time_zone: "Europe/London".into() };
//! assert!(Silent(league).assumptions().is_empty());
//! ```

use std::collections::HashMap;

use market::{ContextRow, GameId, LineRow, Name, ResultRow, Timestamp};

use crate::{DataError, League, Pull, pull::Origin};

pub mod csv_file;
pub mod espn;
pub mod football_data;
mod json;
pub mod leads;
pub mod nflverse;
pub(crate) mod quote;
mod season;
mod table;
pub mod the_odds_api;

pub use csv_file::{Columns, CsvFile, CsvSettings, OddsFormat};
pub use espn::Espn;
pub use football_data::FootballData;
pub use leads::Leads;
pub use nflverse::Nflverse;
pub use the_odds_api::TheOddsApi;

/// What a source sent, untouched but for decompression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// File name, for messages: `E0_2022-23.csv`.
    pub name: String,
    /// Kind of the bytes: `csv`, `json`.
    pub extension: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// When they came, for what came over a network; a file does not say when it was made.
    pub received_at: Option<Timestamp>,
    /// What to remember of the address, so that an unchanged answer is not sent again.
    pub(crate) origin: Option<Origin>,
}

impl Payload {
    /// Builds a payload of which nobody knows when it was sent.
    pub fn new(name: impl Into<String>, extension: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let (name, extension, bytes) = (name.into(), extension.into(), bytes.into());
        Self { name, extension, bytes, received_at: None, origin: None }
    }
}

/// How a source itself tells a game from all others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// The source's own id of the game; it stays when the start moves.
    pub id: Option<Name>,
    /// Which of the day's games of the same teams it is, from 1, where the source says so.
    pub number: Option<u8>,
}

/// A row that cannot be right, with the reason why it was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Row within the payload, counted from 0 without the header, as in `RawRef::row`.
    pub row: u32,
    /// Why, in words that group alike rows: lower case, without the row's own values.
    pub reason: String,
    /// The row as it came, cut to 500 characters.
    pub text: String,
}

impl Refused {
    /// Builds a refusal and cuts `text` to 500 characters.
    pub fn new(row: u32, reason: impl Into<String>, text: &str) -> Self {
        Self { row, reason: reason.into(), text: text.chars().take(500).collect() }
    }
}

/// Everything that one payload holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parsed {
    /// Prices.
    pub lines: Vec<LineRow>,
    /// Results.
    pub results: Vec<ResultRow>,
    /// Context: schedule rows early, starters rows later.
    pub context: Vec<ContextRow>,
    /// What the source calls the games, by the ids that the rows above carry; a game may be absent.
    ///
    /// A source with ids of its own may use them for `game_id`, for instance when teams meet twice on a day: the lake
    /// finds out which game of the league it is and gives the rows that game's id.
    pub events: HashMap<GameId, Event>,
    /// Rows that cannot be right.
    pub refused: Vec<Refused>,
}

/// Fetches payloads and reads them into rows.
pub trait Source: Send + Sync {
    /// Returns the source's id, which names its folder of raw payloads: `nflverse`.
    fn id(&self) -> &str;

    /// Returns the league whose rows it yields.
    fn league(&self) -> &League;

    /// Fetches what the source offers at `pull.until`, in a fixed order.
    ///
    /// Payloads may hold rows known later than that; only an as-of hides rows.
    fn fetch(&self, pull: &Pull<'_>) -> Result<Vec<Payload>, DataError>;

    /// Reads a payload into rows; `payload_hash` is the sha256 of its bytes for each row's `raw_ref`.
    ///
    /// Deterministic: the same bytes under the same settings give the same rows. A row that cannot be right is refused
    /// with its reason; an error means that the payload as a whole cannot be read.
    fn parse(&self, payload: &Payload, payload_hash: &Name) -> Result<Parsed, DataError>;

    /// Returns the assumptions behind `known_at`, as sentences that backtest and report repeat.
    fn assumptions(&self) -> Vec<String> {
        Vec::new()
    }

    /// Returns a text that changes whenever settings change what [`parse`](Self::parse) makes of the same bytes.
    fn settings(&self) -> String {
        String::new()
    }

    /// Returns whether a file of a certain name only ever grows, as that of a season does.
    fn accumulates(&self) -> bool {
        true
    }

    /// Returns which part of a payload's rows [`parse`](Self::parse) takes, when not all of them.
    ///
    /// A payload that was taken in part is read again when another part, or all of it, is asked for.
    fn part(&self) -> Option<String> {
        None
    }
}
