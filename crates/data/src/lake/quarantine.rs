//! Rows that were refused, each with its reason.

use arrow::error::ArrowError;
use market::{Date, LeagueId, Name, RawRef};
use serde::{Deserialize, Serialize};

use super::{
    decode::{Frame, Interner},
    encode::Columns,
};
use crate::DataError;

/// A refused row, as the quarantine keeps it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QuarantinedRow {
    /// The date for which it was pulled.
    pub date: Date,
    /// The league.
    pub league: LeagueId,
    /// The source's id.
    pub source: Name,
    /// File name of the payload.
    pub payload: String,
    /// Where the row came from.
    pub raw_ref: RawRef,
    /// Why it was refused, the same words for alike rows.
    pub reason: String,
    /// The row as it came, cut to 500 characters.
    pub text: String,
}

/// A refusal before it is known of which payload.
#[derive(Debug, Clone)]
pub(super) struct Quarantined {
    pub(super) raw_ref: RawRef,
    pub(super) reason: String,
    pub(super) text: String,
}

/// What the rows of one quarantine file have in common.
#[derive(Debug)]
pub(super) struct Origin<'a> {
    pub(super) league: &'a str,
    pub(super) source: &'a str,
    pub(super) payload: &'a str,
}

pub(super) fn encode(
    origin: &Origin<'_>,
    rows: &[Quarantined],
) -> Result<arrow::record_batch::RecordBatch, ArrowError> {
    struct Row<'a> {
        origin: &'a Origin<'a>,
        row: &'a Quarantined,
    }
    let rows: Vec<Row<'_>> = rows.iter().map(|row| Row { origin, row }).collect();
    let rows = rows.as_slice();
    Columns::default()
        .text("league", rows, |row| Some(row.origin.league))
        .text("source", rows, |row| Some(row.origin.source))
        .text("payload", rows, |row| Some(row.origin.payload))
        .text("raw_payload", rows, |row| Some(row.row.raw_ref.payload.as_str()))
        .whole("raw_row", rows, |row| Some(row.row.raw_ref.row.into()))
        .text("reason", rows, |row| Some(&row.row.reason))
        .text("text", rows, |row| Some(&row.row.text))
        .finish()
}

pub(super) fn decode(
    frame: &Frame,
    date: Date,
    names: &mut Interner,
) -> Result<Vec<QuarantinedRow>, DataError> {
    let (league, source, payload) = (frame.text("league")?, frame.text("source")?, frame.text("payload")?);
    let (reason, text, raw_ref) = (frame.text("reason")?, frame.text("text")?, frame.raw_ref()?);
    let row = |row| {
        Ok(QuarantinedRow {
            date,
            league: league.read(row, |text| LeagueId::new(text).ok())?,
            source: names.name(source.at(row)?),
            payload: payload.at(row)?.to_owned(),
            raw_ref: names.raw_ref(&raw_ref, row)?,
            reason: reason.at(row)?.to_owned(),
            text: text.at(row)?.to_owned(),
        })
    };
    (0..frame.height()).map(row).collect()
}
