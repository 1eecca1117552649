//! A study as one Parquet table, for whoever wants to ask it more.
//!
//! One row per trial and epoch; a trial without epochs has one row, in which `epoch` and `epoch_loss` are null. What
//! belongs to the trial is repeated in each of its rows, and each parameter is a column `param_<name>`, null where
//! the base setting holds. So `where epoch is null or epoch = 1` is one row per trial.
//!
//! | column | kind |
//! |---|---|
//! | `trial` | whole number, from 0 |
//! | `origin`, `state`, `why`, `worker` | text; `state` is `pending`, `complete`, `pruned`, `diverged` or `failed` |
//! | `loss` | number, null where there is none |
//! | `pruned_at`, `attempts` | whole numbers |
//! | `seconds` | number |
//! | `seed` | whole number without sign |
//! | `started`, `ended` | instants, UTC |
//! | `epoch`, `epoch_loss` | epoch from 1, validation loss after it |
//! | `param_<name>` | whole number, number, truth value or text, as the domain is |
//!
//! # Example
//! ```
//! use sweep::{Options, Space, Study};
//! let space: Space = toml::from_str("dropout = { float = [0.0, 0.5] }").unwrap();
//! let mut study = Study::new(space, Options::default(), serde_json::Value::Null, Vec::new()).unwrap();
//! study.ask(jiff::Timestamp::UNIX_EPOCH);
//! assert_eq!(&study.record().to_parquet().unwrap()[..4], b"PAR1");
//! ```

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray, UInt64Array,
    },
    datatypes::{Field, Schema},
    error::ArrowError,
    record_batch::RecordBatch,
};
use jiff::Timestamp;
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::properties::WriterProperties,
};
use serde_json::Value;

use crate::{Domain, Origin, Outcome, Record, State, Trial};

/// Why a study could not be written as a table.
#[derive(Debug, thiserror::Error)]
#[error("the study could not be written as Parquet; nothing was stored")]
pub struct TableError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl From<ArrowError> for TableError {
    fn from(error: ArrowError) -> Self {
        Self(error.into())
    }
}

impl From<ParquetError> for TableError {
    fn from(error: ParquetError) -> Self {
        Self(error.into())
    }
}

/// A trial beside one of its epochs.
type Row<'a> = (&'a Trial, Option<(i64, f64)>);

impl Record {
    /// Returns the study as a Parquet file.
    pub fn to_parquet(&self) -> Result<Vec<u8>, TableError> {
        let rows: Vec<Row<'_>> = self.trials().iter().flat_map(rows).collect();
        let mut columns: Vec<(String, ArrayRef)> = of_trials(&rows);
        for (name, parameter) in self.space().parameters() {
            let values: Vec<_> = rows.iter().map(|(trial, _)| trial.point.get(name)).collect();
            columns.push((format!("param_{name}"), parameter_column(&parameter.domain, &values)));
        }
        let fields = columns.iter().map(|(name, array)| Field::new(name, array.data_type().clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let batch = RecordBatch::try_new(schema, columns.into_iter().map(|(_, array)| array).collect())?;
        let packed =
            WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(packed))?;
        writer.write(&batch)?;
        Ok(writer.into_inner()?)
    }
}

fn rows(trial: &Trial) -> Vec<Row<'_>> {
    let curve = trial.outcome.as_ref().map(|outcome| outcome.curve.as_slice()).unwrap_or_default();
    if curve.is_empty() {
        return vec![(trial, None)];
    }
    curve.iter().zip(1..).map(|(loss, epoch)| (trial, Some((epoch, *loss)))).collect()
}

fn of_trials(rows: &[Row<'_>]) -> Vec<(String, ArrayRef)> {
    let trials = || rows.iter().map(|(trial, _)| *trial);
    let outcomes = || trials().map(|trial| trial.outcome.as_ref());
    let text = |of: &dyn Fn(&Outcome) -> Option<String>| -> ArrayRef {
        Arc::new(outcomes().map(|outcome| outcome.and_then(of)).collect::<StringArray>())
    };
    let number = |of: &dyn Fn(&Outcome) -> Option<f64>| -> ArrayRef {
        Arc::new(outcomes().map(|outcome| outcome.and_then(of)).collect::<Float64Array>())
    };
    let whole = |of: &dyn Fn(&Outcome) -> Option<i64>| -> ArrayRef {
        Arc::new(outcomes().map(|outcome| outcome.and_then(of)).collect::<Int64Array>())
    };
    let instant = |of: &dyn Fn(&Trial) -> Option<Timestamp>| -> ArrayRef {
        let micros = trials().map(|trial| of(trial).map(Timestamp::as_microsecond));
        Arc::new(micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
    };
    let states = outcomes().map(|outcome| Some(outcome.map_or("pending", |outcome| outcome.state.as_str())));
    let columns: [(&str, ArrayRef); 14] = [
        ("trial", Arc::new(trials().map(|trial| Some(trial.id as i64)).collect::<Int64Array>())),
        ("origin", Arc::new(trials().map(|trial| Some(origin(trial.origin))).collect::<StringArray>())),
        ("state", Arc::new(states.collect::<StringArray>())),
        ("why", text(&why)),
        ("loss", number(&|outcome| outcome.loss)),
        ("pruned_at", whole(&pruned_at)),
        ("seconds", number(&|outcome| Some(outcome.seconds))),
        ("seed", Arc::new(outcomes().map(|outcome| outcome.map(|o| o.seed)).collect::<UInt64Array>())),
        ("attempts", whole(&|outcome| Some(outcome.attempts.into()))),
        ("worker", text(&|outcome| outcome.worker.clone())),
        ("started", instant(&|trial| Some(trial.started))),
        ("ended", instant(&|trial| trial.ended)),
        ("epoch", Arc::new(rows.iter().map(|(_, epoch)| epoch.map(|e| e.0)).collect::<Int64Array>())),
        ("epoch_loss", Arc::new(rows.iter().map(|(_, epoch)| epoch.map(|e| e.1)).collect::<Float64Array>())),
    ];
    columns.into_iter().map(|(name, array)| (name.to_owned(), array)).collect()
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Base => "base",
        Origin::WarmStart => "warm_start",
        Origin::Sampled => "sampled",
    }
}

fn why(outcome: &Outcome) -> Option<String> {
    match &outcome.state {
        State::Failed { why } => Some(why.clone()),
        _ => None,
    }
}

fn pruned_at(outcome: &Outcome) -> Option<i64> {
    match outcome.state {
        State::Pruned { epoch } => Some(epoch as i64),
        _ => None,
    }
}

/// Gives choices the narrowest kind that holds all of them, whatever was tried so far.
fn parameter_column(domain: &Domain, values: &[Option<&Value>]) -> ArrayRef {
    let is_whole = |value: &Value| value.as_i64().is_some();
    let (whole, number, truth) = match domain {
        Domain::Float { .. } | Domain::Log { .. } => (false, true, false),
        Domain::Int { .. } => (true, true, false),
        Domain::Choice(choices) => (
            choices.iter().all(is_whole),
            choices.iter().all(Value::is_number),
            choices.iter().all(Value::is_boolean),
        ),
    };
    let values = values.iter().copied();
    if whole {
        Arc::new(values.map(|value| value.and_then(Value::as_i64)).collect::<Int64Array>())
    } else if number {
        Arc::new(values.map(|value| value.and_then(Value::as_f64)).collect::<Float64Array>())
    } else if truth {
        Arc::new(values.map(|value| value.and_then(Value::as_bool)).collect::<BooleanArray>())
    } else {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Arc::new(values.map(|value| value.map(text)).collect::<StringArray>())
    }
}
