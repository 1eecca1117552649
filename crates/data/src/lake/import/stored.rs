//! Rows of a partition that the lake holds already.

use arrow::{
    array::{Array, AsArray, Float64Array, RecordBatch, StringArray, TimestampNanosecondArray},
    datatypes::{Float64Type, TimestampNanosecondType},
};
use bytes::Bytes;
use market::Points;
use parquet::{
    arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder},
    file::{metadata::RowGroupMetaData, statistics::Statistics},
};

use super::{
    super::{Lake, partitions::Tables},
    cells::{Kind, NO_POINTS},
    merge::{Key, Line},
    names::Names,
};
use crate::DataError;

const COLUMNS: [&str; 6] = ["game_id", "book", "market", "selection", "points", "captured_at"];

/// First and last `captured_at`, both included.
type Span = (i64, i64);

/// The files of a partition as they were before the import wrote there.
#[derive(Debug)]
pub(super) struct StoredFiles<'a> {
    lake: &'a Lake,
    /// Each with its span, once that is known.
    files: Vec<(String, Option<Span>)>,
}

impl<'a> StoredFiles<'a> {
    pub(super) fn list(tables: &Tables<'a>, season: i32) -> Result<Self, DataError> {
        let paths = tables.files(&tables.partition("lines", season))?;
        Ok(Self { lake: tables.lake, files: paths.into_iter().map(|path| (path, None)).collect() })
    }

    /// Reads the spans, so that each of many pieces reads only the files that it may meet.
    pub(super) fn find_spans(&mut self) -> Result<(), DataError> {
        for (path, span) in &mut self.files {
            let file = open(self.lake, path)?;
            let spans: Option<Vec<Span>> = file.metadata().row_groups().iter().map(self::span).collect();
            let whole = |spans: Vec<Span>| {
                let first = spans.iter().map(|span| span.0).min()?;
                Some((first, spans.iter().map(|span| span.1).max()?))
            };
            *span = spans.and_then(whole);
        }
        Ok(())
    }

    /// Removes from sorted lines those that are stored and returns how many.
    pub(super) fn remove_known(&self, lines: &mut Vec<Line>, names: &Names) -> Result<u64, DataError> {
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return Ok(0) };
        let wanted = (first.key.captured_at, last.key.captured_at);
        let mut known = vec![false; lines.len()];
        for (path, span) in &self.files {
            if span.is_none_or(|span| meet(span, wanted)) {
                mark(self.lake, path, lines, names, wanted, &mut known)?;
            }
        }
        let before = lines.len();
        let mut known = known.into_iter();
        lines.retain(|_| known.next() != Some(true));
        Ok((before - lines.len()) as u64)
    }
}

fn mark(
    lake: &Lake,
    path: &str,
    lines: &[Line],
    names: &Names,
    wanted: Span,
    known: &mut [bool],
) -> Result<(), DataError> {
    let file = open(lake, path)?;
    let groups = file.metadata().row_groups().iter().enumerate();
    let groups = groups.filter(|(_, group)| span(group).is_none_or(|span| meet(span, wanted)));
    let groups = groups.map(|(index, _)| index).collect();
    let mask = ProjectionMask::columns(file.parquet_schema(), COLUMNS);
    let broken = |cause| corrupt(path, "its rows cannot be read", Some(cause));
    let batches = file.with_row_groups(groups).with_projection(mask).build();
    for batch in batches.map_err(|cause| broken(cause.into()))? {
        let batch = batch.map_err(|cause| broken(cause.into()))?;
        let columns = Columns::of(&batch)
            .ok_or_else(|| corrupt(path, "a column is missing or of another type", None))?;
        for row in 0..batch.num_rows() {
            let place = columns.key(row, names).map(|key| lines.binary_search_by(|line| line.key.cmp(&key)));
            if let Some(Ok(place)) = place {
                known[place] = true;
            }
        }
    }
    Ok(())
}

/// The columns of a key.
struct Columns<'a> {
    texts: [&'a StringArray; 4],
    points: &'a Float64Array,
    captured_at: &'a TimestampNanosecondArray,
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch) -> Option<Self> {
        let text = |name| batch.column_by_name(name)?.as_string_opt::<i32>();
        Some(Self {
            texts: [text("game_id")?, text("book")?, text("market")?, text("selection")?],
            points: batch.column_by_name("points")?.as_primitive_opt::<Float64Type>()?,
            captured_at: batch
                .column_by_name("captured_at")?
                .as_primitive_opt::<TimestampNanosecondType>()?,
        })
    }

    /// Returns a row's key, unless it has a text that no row of the import has.
    fn key(&self, row: usize, names: &Names) -> Option<Key> {
        let [game, book, market, selection] = self.texts.map(|text| text.value(row));
        let points = if self.points.is_null(row) {
            NO_POINTS
        } else {
            Points::from_f64(self.points.value(row))?.quarters().try_into().ok()?
        };
        Some(Key {
            captured_at: self.captured_at.value(row),
            game: names.rank(game)?,
            book: names.rank(book)?,
            points,
            kind: Kind::read(market.as_bytes(), selection.as_bytes()).ok()?,
        })
    }
}

fn open(lake: &Lake, path: &str) -> Result<ParquetRecordBatchReaderBuilder<Bytes>, DataError> {
    let bytes = Bytes::from(lake.store.get(path)?);
    ParquetRecordBatchReaderBuilder::try_new(bytes)
        .map_err(|cause| corrupt(path, "it is no whole Parquet file", Some(cause.into())))
}

fn span(group: &RowGroupMetaData) -> Option<Span> {
    let column = group.columns().iter().find(|column| column.column_path().string() == "captured_at")?;
    match column.statistics()? {
        Statistics::Int64(values) => Some((*values.min_opt()?, *values.max_opt()?)),
        _ => None,
    }
}

fn meet(a: Span, b: Span) -> bool {
    a.0 <= b.1 && b.0 <= a.1
}

fn corrupt(path: &str, problem: &str, cause: Option<Box<dyn std::error::Error + Send + Sync>>) -> DataError {
    DataError::Corrupt { path: path.to_owned(), problem: problem.to_owned(), cause }
}
