//! Rows for other tools: one flat table as CSV or Parquet.

use std::path::Path;

use market::ResultRow;
use polars::prelude::{CsvWriter, DataFrame, ParquetReader, ParquetWriter, SerReader, SerWriter};

use super::{Lake, encode, rows::Stored};
use crate::{DataError, Snapshot};

/// Which rows to export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// Prices.
    Lines,
    /// Results, of each game the latest.
    Results,
    /// Context rows.
    Context,
}

impl Lake {
    /// Writes the rows of a snapshot to a file, as CSV or Parquet by its extension, and returns how many.
    ///
    /// The columns are those of the lake; instants are UTC. The file is whole or absent.
    pub fn export(snapshot: &Snapshot, kind: RowKind, file: &Path) -> Result<usize, DataError> {
        let batch = match kind {
            RowKind::Lines => Stored::encode(&snapshot.lines),
            RowKind::Results => {
                let latest: Vec<ResultRow> = snapshot.latest_results().into_iter().cloned().collect();
                Stored::encode(&latest)
            }
            RowKind::Context => Stored::encode(&snapshot.context),
        };
        let failed = |cause: Box<dyn std::error::Error + Send + Sync>| DataError::Encode {
            what: format!("`{}`", file.display()),
            cause,
        };
        let batch = batch.map_err(|cause| failed(Box::new(cause)))?;
        let bytes = encode::parquet(&batch).map_err(|cause| failed(Box::new(cause)))?;
        let mut frame: DataFrame = ParquetReader::new(std::io::Cursor::new(bytes))
            .finish()
            .map_err(|cause| failed(Box::new(cause)))?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut written = tempfile::NamedTempFile::new_in(folder).map_err(|cause| failed(Box::new(cause)))?;
        let is_csv = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        let outcome = if is_csv {
            CsvWriter::new(&mut written)
                .with_datetime_format(Some("%Y-%m-%dT%H:%M:%S%.fZ".into()))
                .finish(&mut frame)
        } else {
            ParquetWriter::new(&mut written).finish(&mut frame).map(drop)
        };
        outcome.map_err(|cause| failed(Box::new(cause)))?;
        written.persist(file).map_err(|cause| failed(Box::new(cause)))?;
        Ok(frame.height())
    }
}
