//! What the kinds of rows have in common: a partition, a key, and a value that must not change silently under it.

use std::{hash::Hash, sync::Arc};

use arrow::{error::ArrowError, record_batch::RecordBatch};
use market::{
    ContextRow, Game, GameId, GameStatus, LineRow, Market, Name, Points, Price, RawRef, ResultRow, Selection,
    Timestamp,
};

use super::{
    decode::{Column, Frame, Interner, instant},
    encode::Columns,
};
use crate::DataError;

/// A row that the lake keeps.
pub(super) trait Stored: Clone {
    /// Folder below `data/`.
    const KIND: &'static str;
    /// Column of the instant from which a row could be known.
    const KNOWN_AT: &'static str;
    /// What two rows have in common when they speak of the same thing.
    type Key: Hash + Eq;
    /// What they may disagree about.
    type Value: PartialEq;

    fn game(&self) -> &Arc<Game>;
    fn source(&self) -> &Name;
    fn raw_ref(&self) -> &RawRef;
    fn known_at(&self) -> Timestamp;
    fn key(&self) -> Self::Key;
    fn value(&self) -> Self::Value;
    /// Returns the row as it is known from `at` on, when a newer value may take the place of an older one of its key.
    fn corrected(&self, at: Timestamp, before: &Self::Value, same_source: bool) -> Option<Self>;
    /// Says key and value in words, for the quarantine.
    fn describe(&self) -> String;
    fn encode(rows: &[Self]) -> Result<RecordBatch, ArrowError>;
    /// Decodes the rows at the given indices.
    fn decode(frame: &Frame, rows: &[usize], names: &mut Interner) -> Result<Vec<Self>, DataError>;
}

impl Stored for LineRow {
    const KIND: &'static str = "lines";
    const KNOWN_AT: &'static str = "captured_at";
    type Key = (GameId, Name, Market, Selection, Option<Points>, Timestamp);
    type Value = u64;

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
        self.captured_at
    }

    fn key(&self) -> Self::Key {
        let id = self.game.game_id.clone();
        (id, self.book.clone(), self.market, self.selection, self.points, self.captured_at)
    }

    fn value(&self) -> u64 {
        self.price.decimal().to_bits()
    }

    /// One book has one price at one instant: a second one is a contradiction.
    fn corrected(&self, _at: Timestamp, _before: &u64, _same_source: bool) -> Option<Self> {
        None
    }

    fn describe(&self) -> String {
        let points = self.points.map(|points| format!(" {points}")).unwrap_or_default();
        let Self { game, book, market, selection, price, captured_at, .. } = self;
        format!(
            "{} {book} {market} {selection}{points} at {} on {captured_at}",
            game.game_id,
            price.decimal()
        )
    }

    fn encode(rows: &[Self]) -> Result<RecordBatch, ArrowError> {
        Columns::of_games(rows)?
            .text("book", rows, |row| Some(row.book.as_str()))
            .text("market", rows, |row| Some(row.market.as_str()))
            .text("selection", rows, |row| Some(row.selection.as_str()))
            .real("points", rows, |row| row.points.map(Points::as_f64))
            .real("price", rows, |row| Some(row.price.decimal()))
            .instant("captured_at", rows, |row| row.captured_at)?
            .flag("is_closing", rows, |row| Some(row.is_closing))
            .text("source", rows, |row| Some(row.source.as_str()))
            .raw_ref(rows)
            .finish()
    }

    fn decode(frame: &Frame, rows: &[usize], names: &mut Interner) -> Result<Vec<Self>, DataError> {
        let games = names.games(frame, rows)?;
        let (book, source) = (frame.text("book")?, frame.text("source")?);
        let (market, selection) = (frame.text("market")?, frame.text("selection")?);
        let (points, price) = (frame.real("points")?, frame.real("price")?);
        let (captured_at, is_closing) = (frame.instant("captured_at")?, frame.flag("is_closing")?);
        let raw_ref = frame.raw_ref()?;
        let decode = |(&row, game)| {
            Ok(Self {
                game,
                book: names.name(book.at(row)?),
                market: market.read(row, Market::parse)?,
                selection: selection.read(row, Selection::parse)?,
                points: points.maybe(row).and_then(Points::from_f64),
                price: price.read(row, |decimal| Price::new(decimal).ok())?,
                captured_at: captured_at.read(row, instant)?,
                is_closing: is_closing.at(row)?,
                source: names.name(source.at(row)?),
                raw_ref: names.raw_ref(&raw_ref, row)?,
            })
        };
        rows.iter().zip(games).map(decode).collect()
    }
}

impl Stored for ResultRow {
    const KIND: &'static str = "results";
    const KNOWN_AT: &'static str = "known_at";
    type Key = GameId;
    type Value = (u16, u16, GameStatus);

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
        self.known_at
    }

    fn key(&self) -> GameId {
        self.game.game_id.clone()
    }

    fn value(&self) -> Self::Value {
        (self.home_score, self.away_score, self.status)
    }

    /// A source may correct itself, and any source may say how a game that was put off ended.
    fn corrected(&self, at: Timestamp, before: &Self::Value, same_source: bool) -> Option<Self> {
        (same_source || before.2 != GameStatus::Final).then(|| Self { known_at: at, ..self.clone() })
    }

    fn describe(&self) -> String {
        let Self { game, home_score, away_score, status, .. } = self;
        format!("{} {home_score}:{away_score} {}", game.game_id, status.as_str())
    }

    fn encode(rows: &[Self]) -> Result<RecordBatch, ArrowError> {
        Columns::of_games(rows)?
            .whole("home_score", rows, |row| Some(row.home_score.into()))
            .whole("away_score", rows, |row| Some(row.away_score.into()))
            .text("status", rows, |row| Some(row.status.as_str()))
            .instant("known_at", rows, |row| row.known_at)?
            .text("source", rows, |row| Some(row.source.as_str()))
            .raw_ref(rows)
            .finish()
    }

    fn decode(frame: &Frame, rows: &[usize], names: &mut Interner) -> Result<Vec<Self>, DataError> {
        let games = names.games(frame, rows)?;
        let (home_score, away_score) = (frame.whole("home_score")?, frame.whole("away_score")?);
        let (status, source) = (frame.text("status")?, frame.text("source")?);
        let (known_at, raw_ref) = (frame.instant("known_at")?, frame.raw_ref()?);
        let score = |number: i64| u16::try_from(number).ok();
        let decode = |(&row, game)| {
            Ok(Self {
                game,
                home_score: home_score.read(row, score)?,
                away_score: away_score.read(row, score)?,
                status: status.read(row, GameStatus::parse)?,
                known_at: known_at.read(row, instant)?,
                source: names.name(source.at(row)?),
                raw_ref: names.raw_ref(&raw_ref, row)?,
            })
        };
        rows.iter().zip(games).map(decode).collect()
    }
}

impl Stored for ContextRow {
    const KIND: &'static str = "context";
    const KNOWN_AT: &'static str = "known_at";
    type Key = (Name, GameId, Timestamp);
    type Value = String;

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
        self.known_at
    }

    fn key(&self) -> Self::Key {
        (self.source.clone(), self.game.game_id.clone(), self.known_at)
    }

    fn value(&self) -> String {
        let Self { neutral, home_rest_days, away_rest_days, week, .. } = self;
        let names = CONTEXT_NAMES.map(|(_, name)| name(self).map(Name::as_str));
        format!("{neutral:?} {names:?} {home_rest_days:?} {away_rest_days:?} {week:?}")
    }

    fn corrected(&self, at: Timestamp, _before: &String, _same_source: bool) -> Option<Self> {
        Some(Self { known_at: at, ..self.clone() })
    }

    fn describe(&self) -> String {
        format!("{} {}", self.game.game_id, self.value())
    }

    fn encode(rows: &[Self]) -> Result<RecordBatch, ArrowError> {
        let mut columns = Columns::of_games(rows)?.flag("neutral", rows, |row| row.neutral);
        for (column, name) in CONTEXT_NAMES {
            columns = columns.text(column, rows, |row| name(row).map(Name::as_str));
        }
        columns
            .whole("home_rest_days", rows, |row| row.home_rest_days.map(Into::into))
            .whole("away_rest_days", rows, |row| row.away_rest_days.map(Into::into))
            .whole("week", rows, |row| row.week.map(Into::into))
            .instant("known_at", rows, |row| row.known_at)?
            .text("source", rows, |row| Some(row.source.as_str()))
            .raw_ref(rows)
            .finish()
    }

    fn decode(frame: &Frame, rows: &[usize], names: &mut Interner) -> Result<Vec<Self>, DataError> {
        let games = names.games(frame, rows)?;
        let (neutral, known_at) = (frame.flag("neutral")?, frame.instant("known_at")?);
        let texts =
            CONTEXT_NAMES.iter().map(|(column, _)| frame.text(column)).collect::<Result<Vec<_>, _>>()?;
        let (home_rest, away_rest) = (frame.whole("home_rest_days")?, frame.whole("away_rest_days")?);
        let (week, source, raw_ref) = (frame.whole("week")?, frame.text("source")?, frame.raw_ref()?);
        let number =
            |column: &Column<'_, i64>, row| column.maybe(row).and_then(|number| u16::try_from(number).ok());
        let decode = |(&row, game)| {
            let mut cells = texts.iter().map(|column| column.maybe(row).map(|text| names.name(text)));
            let mut next = || cells.next().flatten();
            Ok(Self {
                game,
                neutral: neutral.maybe(row),
                venue: next(),
                roof: next(),
                surface: next(),
                home_coach: next(),
                away_coach: next(),
                home_player: next(),
                away_player: next(),
                referee: next(),
                stage: next(),
                home_rest_days: number(&home_rest, row),
                away_rest_days: number(&away_rest, row),
                week: number(&week, row),
                known_at: known_at.read(row, instant)?,
                source: names.name(source.at(row)?),
                raw_ref: names.raw_ref(&raw_ref, row)?,
            })
        };
        rows.iter().zip(games).map(decode).collect()
    }
}

type NameOf = fn(&ContextRow) -> Option<&Name>;

/// The columns of context that hold names, in the order in which they are decoded.
const CONTEXT_NAMES: [(&str, NameOf); 9] = [
    ("venue", |row| row.venue.as_ref()),
    ("roof", |row| row.roof.as_ref()),
    ("surface", |row| row.surface.as_ref()),
    ("home_coach", |row| row.home_coach.as_ref()),
    ("away_coach", |row| row.away_coach.as_ref()),
    ("home_player", |row| row.home_player.as_ref()),
    ("away_player", |row| row.away_player.as_ref()),
    ("referee", |row| row.referee.as_ref()),
    ("stage", |row| row.stage.as_ref()),
];
