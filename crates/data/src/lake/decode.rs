//! Parquet as columns, and columns as rows; names and games are shared between rows.

use std::{collections::HashMap, io::Cursor, sync::Arc};

use market::{Game, GameId, LeagueId, Name, RawRef, Timestamp};
use polars::prelude::{Column as Series, DataFrame, ParquetReader, PolarsResult, SerReader};

use super::rows::Stored;
use crate::DataError;

/// One Parquet file of the lake.
#[derive(Debug)]
pub(super) struct Frame {
    path: String,
    columns: DataFrame,
}

/// A column's cells and where they come from.
#[derive(Debug)]
pub(super) struct Column<'a, T> {
    path: &'a str,
    name: &'static str,
    cells: Vec<Option<T>>,
}

impl<T: Copy> Column<'_, T> {
    /// Returns a cell that may be empty.
    pub(super) fn maybe(&self, row: usize) -> Option<T> {
        self.cells.get(row).copied().flatten()
    }

    /// Returns a cell that must not be empty.
    pub(super) fn at(&self, row: usize) -> Result<T, DataError> {
        self.maybe(row).ok_or_else(|| self.corrupt(row))
    }

    /// Reads a cell that must not be empty.
    pub(super) fn read<U>(&self, row: usize, read: impl FnOnce(T) -> Option<U>) -> Result<U, DataError> {
        read(self.at(row)?).ok_or_else(|| self.corrupt(row))
    }

    fn corrupt(&self, row: usize) -> DataError {
        corrupt(self.path, format!("column `{}` is empty or unreadable in row {row}", self.name), None)
    }
}

type Cause = Option<Box<dyn std::error::Error + Send + Sync>>;

fn corrupt(path: &str, problem: String, cause: Cause) -> DataError {
    DataError::Corrupt { path: path.to_owned(), problem, cause }
}

impl Frame {
    pub(super) fn read(path: &str, bytes: Vec<u8>) -> Result<Self, DataError> {
        let columns = ParquetReader::new(Cursor::new(bytes)).finish().map_err(|cause| {
            corrupt(path, "it is no whole Parquet file".to_owned(), Some(Box::new(cause)))
        })?;
        Ok(Self { path: path.to_owned(), columns })
    }

    /// Decodes the rows known before an instant, or all of them.
    pub(super) fn rows<R: Stored>(
        &self,
        before: Option<Timestamp>,
        names: &mut Interner,
    ) -> Result<Vec<R>, DataError> {
        let known_at = self.instant(R::KNOWN_AT)?;
        let mut visible = Vec::with_capacity(self.columns.height());
        for row in 0..self.columns.height() {
            let known_at = known_at.read(row, instant)?;
            if before.is_none_or(|before| known_at < before) {
                visible.push(row);
            }
        }
        R::decode(self, &visible, names)
    }

    pub(super) fn height(&self) -> usize {
        self.columns.height()
    }

    pub(super) fn text(&self, name: &'static str) -> Result<Column<'_, &str>, DataError> {
        self.column(name, |series| Ok(series.str()?.iter().collect()))
    }

    pub(super) fn whole(&self, name: &'static str) -> Result<Column<'_, i64>, DataError> {
        self.column(name, |series| Ok(series.i64()?.iter().collect()))
    }

    pub(super) fn real(&self, name: &'static str) -> Result<Column<'_, f64>, DataError> {
        self.column(name, |series| Ok(series.f64()?.iter().collect()))
    }

    pub(super) fn flag(&self, name: &'static str) -> Result<Column<'_, bool>, DataError> {
        self.column(name, |series| Ok(series.bool()?.iter().collect()))
    }

    /// Nanoseconds since 1970; read them with [`instant`].
    pub(super) fn instant(&self, name: &'static str) -> Result<Column<'_, i64>, DataError> {
        self.column(name, |series| Ok(series.to_physical_repr().i64()?.iter().collect()))
    }

    pub(super) fn raw_ref(&self) -> Result<RawRefs<'_>, DataError> {
        Ok(RawRefs { payload: self.text("raw_payload")?, row: self.whole("raw_row")? })
    }

    fn column<'a, T>(
        &'a self,
        name: &'static str,
        cells: impl FnOnce(&'a Series) -> PolarsResult<Vec<Option<T>>>,
    ) -> Result<Column<'a, T>, DataError> {
        let cells = self.columns.column(name).and_then(cells).map_err(|cause| {
            let problem = format!("column `{name}` is missing or of another type");
            corrupt(&self.path, problem, Some(Box::new(cause)))
        })?;
        Ok(Column { path: &self.path, name, cells })
    }
}

/// The two columns behind a `raw_ref`.
#[derive(Debug)]
pub(super) struct RawRefs<'a> {
    payload: Column<'a, &'a str>,
    row: Column<'a, i64>,
}

/// Reads nanoseconds since 1970.
pub(super) fn instant(nanoseconds: i64) -> Option<Timestamp> {
    Timestamp::from_nanosecond(nanoseconds.into()).ok()
}

/// Gives equal names, and equal headers of games, the same memory.
#[derive(Debug, Default)]
pub(super) struct Interner {
    names: HashMap<String, Name>,
    games: HashMap<String, Vec<Arc<Game>>>,
}

impl Interner {
    pub(super) fn name(&mut self, text: &str) -> Name {
        if let Some(name) = self.names.get(text) {
            return name.clone();
        }
        let name = Name::from(text);
        self.names.insert(text.to_owned(), name.clone());
        name
    }

    pub(super) fn raw_ref(&mut self, columns: &RawRefs<'_>, row: usize) -> Result<RawRef, DataError> {
        let payload = self.name(columns.payload.at(row)?);
        Ok(RawRef { payload, row: columns.row.read(row, |row| u32::try_from(row).ok())? })
    }

    /// Decodes the header of each row.
    pub(super) fn games(&mut self, frame: &Frame, rows: &[usize]) -> Result<Vec<Arc<Game>>, DataError> {
        let (league, game_id, season) =
            (frame.text("league")?, frame.text("game_id")?, frame.whole("season")?);
        let (start_time, home, away) =
            (frame.instant("start_time")?, frame.text("home")?, frame.text("away")?);
        let mut games: Vec<Arc<Game>> = Vec::with_capacity(rows.len());
        for &row in rows {
            let id = game_id.at(row)?;
            let start = start_time.read(row, instant)?;
            let same = |game: &&Arc<Game>| game.start_time == start && game.game_id.as_str() == id;
            // Rows of a game follow each other.
            if let Some(last) = games.last().filter(same) {
                games.push(last.clone());
                continue;
            }
            if let Some(known) = self.games.get(id).and_then(|all| all.iter().find(same)) {
                games.push(known.clone());
                continue;
            }
            let game = Arc::new(Game {
                league: league.read(row, |text| LeagueId::new(text).ok())?,
                game_id: GameId::from_text(id),
                season: season.read(row, |year| i32::try_from(year).ok())?,
                start_time: start,
                home: self.name(home.at(row)?),
                away: self.name(away.at(row)?),
            });
            self.games.entry(id.to_owned()).or_default().push(game.clone());
            games.push(game);
        }
        Ok(games)
    }
}
