//! Which games the sources spoke of, and when each said that they start: what identifies a game is kept beside its rows.

use std::sync::Arc;

use arrow::{error::ArrowError, record_batch::RecordBatch};
use market::{Game, GameId, Name, RawRef, Timestamp};

use super::{
    decode::{Frame, Interner},
    encode::Columns,
    rows::Stored,
};
use crate::{DataError, identity::Seen};

/// One source's word that a game takes place: by which teams, when, and under which id of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sighting {
    pub(crate) game: Arc<Game>,
    /// The source's own id.
    pub(crate) event: Option<Name>,
    /// Which of the day's games of these teams, from 1.
    pub(crate) number: u8,
    pub(crate) source: Name,
    pub(crate) raw_ref: RawRef,
}

impl Sighting {
    /// Returns what was said, as the registry of games takes it.
    pub(super) fn seen(self) -> Seen {
        let Self { game, event, number, source, .. } = self;
        let Game { game_id, season, start_time, home, away, .. } = Arc::unwrap_or_clone(game);
        Seen { id: game_id, season, home, away, start: start_time, number, source, event }
    }
}

impl Stored for Sighting {
    const KIND: &'static str = "games";
    const KNOWN_AT: &'static str = "start_time";
    type Key = (Name, GameId, Timestamp, Option<Name>);
    type Value = u8;

    fn game(&self) -> &Arc<Game> {
        &self.game
    }

    fn source(&self) -> &Name {
        &self.source
    }

    fn raw_ref(&self) -> &RawRef {
        &self.raw_ref
    }

    fn known_at(&self) -> Timestamp {
        self.game.start_time
    }

    fn key(&self) -> Self::Key {
        (self.source.clone(), self.game.game_id.clone(), self.game.start_time, self.event.clone())
    }

    fn value(&self) -> u8 {
        self.number
    }

    fn corrected(&self, _at: Timestamp, _before: &u8, _same_source: bool) -> Option<Self> {
        None
    }

    fn describe(&self) -> String {
        format!("{} starts at {}", self.game.game_id, self.game.start_time)
    }

    fn encode(rows: &[Self]) -> Result<RecordBatch, ArrowError> {
        Columns::of_games(rows)?
            .text("event", rows, |row| row.event.as_ref().map(Name::as_str))
            .whole("number", rows, |row| Some(row.number.into()))
            .text("source", rows, |row| Some(row.source.as_str()))
            .raw_ref(rows)
            .finish()
    }

    fn decode(frame: &Frame, rows: &[usize], names: &mut Interner) -> Result<Vec<Self>, DataError> {
        let games = names.games(frame, rows)?;
        let (event, number, source) = (frame.text("event")?, frame.whole("number")?, frame.text("source")?);
        let raw_ref = frame.raw_ref()?;
        let decode = |(&row, game)| {
            Ok(Self {
                game,
                event: event.maybe(row).map(|text| names.name(text)),
                number: number.read(row, |number| u8::try_from(number).ok())?,
                source: names.name(source.at(row)?),
                raw_ref: names.raw_ref(&raw_ref, row)?,
            })
        };
        rows.iter().zip(games).map(decode).collect()
    }
}
