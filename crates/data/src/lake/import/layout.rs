//! Where the columns of line rows stand in one file.

use csv::ByteRecord;

use crate::DataError;

/// The columns, in the order in which [`Layout::places`] holds them.
pub(super) const COLUMNS: [&str; 14] = [
    "league",
    "game_id",
    "season",
    "start_time",
    "home",
    "away",
    "book",
    "market",
    "selection",
    "points",
    "price",
    "captured_at",
    "is_closing",
    "source",
];

/// Where each column stands, and how many cells a row has.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) places: [usize; COLUMNS.len()],
    pub(super) width: usize,
}

impl Layout {
    /// Reads a header in any order; columns of other names are skipped.
    pub(super) fn read(file: &str, header: &ByteRecord) -> Result<Self, DataError> {
        let mut places = [0; COLUMNS.len()];
        let mut missing = Vec::new();
        for (place, column) in places.iter_mut().zip(COLUMNS) {
            match header.iter().position(|cell| cell.trim_ascii() == column.as_bytes()) {
                Some(found) => *place = found,
                None => missing.push(column.to_owned()),
            }
        }
        if missing.is_empty() {
            return Ok(Self { places, width: header.len() });
        }
        let layout = "line row".to_owned();
        Err(DataError::MissingColumns { name: file.to_owned(), columns: missing, layout })
    }
}
