//! The ledger as Parquet: amounts as decimals, instants as instants, for whoever wants to ask it more.
//!
//! # Example
//! ```
//! use ledger::{Ledger, export};
//! let bytes = export::parquet(&Ledger::parse("").unwrap()).unwrap();
//! assert_eq!(&bytes[..4], b"PAR1");
//! ```

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, Date32Array, Decimal128Array, Float64Array, StringArray, TimestampMicrosecondArray},
    datatypes::{Field, Schema},
    error::ArrowError,
    record_batch::RecordBatch,
};
use market::{Date, Money, Timestamp};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::properties::WriterProperties,
};

use crate::{
    Ledger,
    row::{COLUMNS, encode, unescape},
};

/// Why a ledger could not be written as Parquet.
#[derive(Debug, thiserror::Error)]
#[error("the ledger could not be written as Parquet; nothing was stored")]
pub struct ExportError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl From<ArrowError> for ExportError {
    fn from(error: ArrowError) -> Self {
        Self(error.into())
    }
}

impl From<ParquetError> for ExportError {
    fn from(error: ParquetError) -> Self {
        Self(error.into())
    }
}

/// Digits of an amount of money in all, and behind the point.
const MONEY: (u8, i8) = (18, 2);

/// Returns the ledger as a Parquet file: one row per event, the columns of the CSV but its seal.
pub fn parquet(ledger: &Ledger) -> Result<Vec<u8>, ExportError> {
    let mut columns: Vec<Vec<String>> = vec![Vec::new(); COLUMNS.len() - 1];
    for entry in ledger.entries() {
        for (column, cell) in columns.iter_mut().zip(encode(entry)) {
            column.push(unescape(&cell).into_owned());
        }
    }
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for (name, cells) in COLUMNS.iter().zip(&columns) {
        let array = array(name, cells)?;
        fields.push(Field::new(*name, array.data_type().clone(), true));
        arrays.push(array);
    }
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
    let packed = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(packed))?;
    writer.write(&batch)?;
    Ok(writer.into_inner()?)
}

fn array(name: &str, cells: &[String]) -> Result<ArrayRef, ArrowError> {
    let some = |cell: &String| (!cell.is_empty()).then(|| cell.clone());
    Ok(match name {
        "date" => {
            let days = |cell: &String| {
                let date: Date = cell.parse().ok()?;
                Some(date.duration_since(jiff::civil::date(1970, 1, 1)).as_hours() as i32 / 24)
            };
            Arc::new(cells.iter().map(days).collect::<Date32Array>())
        }
        "stake" | "pnl" | "balance" => {
            let cents = |cell: &String| cell.parse::<Money>().ok().map(Money::cents);
            let amounts = cells.iter().map(cents).collect::<Decimal128Array>();
            Arc::new(amounts.with_precision_and_scale(MONEY.0, MONEY.1)?)
        }
        "start_time" | "captured_at" | "as_of" | "recorded_at" => {
            let micros = |cell: &String| cell.parse::<Timestamp>().ok().map(Timestamp::as_microsecond);
            Arc::new(cells.iter().map(micros).collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        }
        name if TEXTS.contains(&name) => Arc::new(cells.iter().map(some).collect::<StringArray>()),
        _ => Arc::new(cells.iter().map(|cell| cell.parse::<f64>().ok()).collect::<Float64Array>()),
    })
}

/// Columns of text; what is neither these nor an amount nor an instant is a number.
const TEXTS: [&str; 17] = [
    "game_id",
    "event",
    "bet_id",
    "mode",
    "league",
    "home",
    "away",
    "market",
    "selection",
    "book",
    "raw_ref",
    "weights_version",
    "model_version",
    "rule_id",
    "grade",
    "run_id",
    "event_id",
];

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, TimeUnit};

    use super::*;

    #[test]
    fn every_column_has_its_kind() {
        let kind = |name: &str| array(name, &[String::new()]).unwrap().data_type().clone();
        assert_eq!(kind("date"), DataType::Date32);
        assert_eq!(kind("stake"), DataType::Decimal128(18, 2));
        assert_eq!(kind("price"), DataType::Float64);
        assert_eq!(kind("book"), DataType::Utf8);
        assert_eq!(kind("as_of"), DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())));
    }
}
