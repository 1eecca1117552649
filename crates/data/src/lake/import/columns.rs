//! Sorted rows as a Parquet file with the columns of every other file of lines.

use arrow::{error::ArrowError, record_batch::RecordBatch};
use market::Points;
use parquet::{arrow::ArrowWriter, errors::ParquetError, schema::types::ColumnPath};

use super::{
    super::encode::{self, Columns},
    cells::NO_POINTS,
    merge::Line,
    names::{Header, Names},
    origin::Origins,
};

/// Rows that are made into columns at a time.
const BATCH: usize = 16 << 10;
/// Rows of a row group, whose statistics let a read as of an instant skip it.
const GROUP: usize = 128 << 10;
/// Columns in which hardly a value comes twice.
const PLAIN: [&str; 2] = ["captured_at", "raw_row"];

/// Writes at least one row.
pub(super) fn parquet(lines: &[Line], names: &Names, origins: &Origins) -> Result<Vec<u8>, ParquetError> {
    let mut properties = encode::properties().set_max_row_group_row_count(Some(GROUP));
    for column in PLAIN {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(column), false);
    }
    let schema = batch(&[], names, origins)?.schema();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, schema, Some(properties.build()))?;
    for lines in lines.chunks(BATCH) {
        writer.write(&batch(lines, names, origins)?)?;
    }
    writer.close()?;
    Ok(bytes)
}

fn batch<'a>(lines: &'a [Line], names: &'a Names, origins: &'a Origins) -> Result<RecordBatch, ArrowError> {
    let header = |line: &Line| -> &'a Header { &names.headers[line.header as usize] };
    Columns::default()
        .text("league", lines, |line| Some(names.text(header(line).league)))
        .text("game_id", lines, |line| Some(names.text(line.key.game)))
        .whole("season", lines, |line| Some(header(line).season.into()))
        .nanoseconds("start_time", lines, |line| header(line).start_time)
        .text("home", lines, |line| Some(names.text(header(line).home)))
        .text("away", lines, |line| Some(names.text(header(line).away)))
        .text("book", lines, |line| Some(names.text(line.key.book)))
        .text("market", lines, |line| Some(line.key.kind.market().as_str()))
        .text("selection", lines, |line| Some(line.key.kind.selection().as_str()))
        .real("points", lines, |line| points(line.key.points))
        .real("price", lines, |line| Some(line.price))
        .nanoseconds("captured_at", lines, |line| line.key.captured_at)
        .flag("is_closing", lines, |line| Some(line.is_closing))
        .text("source", lines, |line| Some(names.text(line.source)))
        .text("raw_payload", lines, |line| Some(origins.payload(line.block)))
        .whole("raw_row", lines, |line| Some(origins.row(line.block, line.index).into()))
        .finish()
}

fn points(quarters: i16) -> Option<f64> {
    (quarters != NO_POINTS).then(|| Points::from_quarters(quarters.into()).as_f64())
}
