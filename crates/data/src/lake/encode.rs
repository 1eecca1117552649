//! Rows as columns, and columns as Parquet.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, TimestampNanosecondArray},
    datatypes::{Field, Schema},
    error::ArrowError,
    record_batch::RecordBatch,
};
use market::Timestamp;
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::properties::{WriterProperties, WriterPropertiesBuilder},
};

use super::{rows::Stored, sha256};
use crate::DataError;

/// Columns in the making.
#[derive(Debug, Default)]
pub(super) struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

impl Columns {
    /// Begins with the header that every row of a game shares.
    pub(super) fn of_games<R: Stored>(rows: &[R]) -> Result<Self, ArrowError> {
        Self::default()
            .text("league", rows, |row| Some(row.game().league.as_str()))
            .text("game_id", rows, |row| Some(row.game().game_id.as_str()))
            .whole("season", rows, |row| Some(row.game().season.into()))
            .instant("start_time", rows, |row| row.game().start_time)
            .map(|columns| {
                columns
                    .text("home", rows, |row| Some(row.game().home.as_str()))
                    .text("away", rows, |row| Some(row.game().away.as_str()))
            })
    }

    pub(super) fn text<'a, R>(
        self,
        name: &str,
        rows: &'a [R],
        cell: impl Fn(&'a R) -> Option<&'a str>,
    ) -> Self {
        self.with(name, Arc::new(rows.iter().map(cell).collect::<StringArray>()))
    }

    pub(super) fn whole<R>(self, name: &str, rows: &[R], cell: impl Fn(&R) -> Option<i64>) -> Self {
        self.with(name, Arc::new(rows.iter().map(cell).collect::<Int64Array>()))
    }

    pub(super) fn real<R>(self, name: &str, rows: &[R], cell: impl Fn(&R) -> Option<f64>) -> Self {
        self.with(name, Arc::new(rows.iter().map(cell).collect::<Float64Array>()))
    }

    pub(super) fn flag<R>(self, name: &str, rows: &[R], cell: impl Fn(&R) -> Option<bool>) -> Self {
        self.with(name, Arc::new(rows.iter().map(cell).collect::<BooleanArray>()))
    }

    /// Nanoseconds, so that no row moves across an as-of by rounding.
    pub(super) fn instant<R>(
        self,
        name: &str,
        rows: &[R],
        cell: impl Fn(&R) -> Timestamp,
    ) -> Result<Self, ArrowError> {
        let nanoseconds = rows.iter().map(|row| i64::try_from(cell(row).as_nanosecond()).ok());
        let array = nanoseconds.collect::<Option<Vec<i64>>>().ok_or_else(|| {
            ArrowError::InvalidArgumentError(format!("{name} lies outside of the years 1678 to 2261"))
        })?;
        Ok(self.with(name, Arc::new(TimestampNanosecondArray::from(array).with_timezone("UTC"))))
    }

    /// Takes instants that are nanoseconds since 1970 already.
    pub(super) fn nanoseconds<R>(self, name: &str, rows: &[R], cell: impl Fn(&R) -> i64) -> Self {
        let array = TimestampNanosecondArray::from_iter_values(rows.iter().map(cell)).with_timezone("UTC");
        self.with(name, Arc::new(array))
    }

    pub(super) fn raw_ref<R: Stored>(self, rows: &[R]) -> Self {
        self.text("raw_payload", rows, |row| Some(row.raw_ref().payload.as_str())).whole(
            "raw_row",
            rows,
            |row| Some(row.raw_ref().row.into()),
        )
    }

    pub(super) fn finish(self) -> Result<RecordBatch, ArrowError> {
        RecordBatch::try_new(Arc::new(Schema::new(self.fields)), self.arrays)
    }

    fn with(mut self, name: &str, array: ArrayRef) -> Self {
        self.fields.push(Field::new(name, array.data_type().clone(), true));
        self.arrays.push(array);
        self
    }
}

/// Writes one batch as a whole Parquet file; the same batch gives the same bytes.
pub(super) fn parquet(batch: &RecordBatch) -> Result<Vec<u8>, ParquetError> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties().build()))?;
    writer.write(batch)?;
    writer.close()?;
    Ok(bytes)
}

/// Settings of every file of the lake.
pub(super) fn properties() -> WriterPropertiesBuilder {
    WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()))
}

/// Returns rows as Parquet for a folder, and the hash of the bytes.
pub(super) fn encoded(
    folder: &str,
    batch: Result<RecordBatch, ArrowError>,
) -> Result<(Vec<u8>, String), DataError> {
    let failed = |cause| DataError::Encode { what: format!("rows for `{folder}`"), cause };
    let batch = batch.map_err(|cause| failed(Box::new(cause)))?;
    let bytes = parquet(&batch).map_err(|cause| failed(Box::new(cause)))?;
    let hash = sha256(&bytes);
    Ok((bytes, hash))
}
