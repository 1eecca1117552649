//! The table holds every trial and every epoch.

use std::sync::Arc;

use arrow::{
    array::{Array, Float64Array, Int64Array, RecordBatch, StringArray},
    datatypes::{DataType, TimeUnit},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use sweep::{Ask, Options, Record, Space};

use crate::simulation::{model_space, now, run, small_space, study};

fn table(record: &Record) -> RecordBatch {
    let bytes = record.to_parquet().unwrap();
    let mut reader = ParquetRecordBatchReader::try_new(bytes::Bytes::from(bytes), 100_000).unwrap();
    let batch = reader.next().unwrap().unwrap();
    assert!(reader.next().is_none());
    batch
}

fn column<T: Array + Clone + 'static>(batch: &RecordBatch, name: &str) -> T {
    let column = Arc::clone(batch.column_by_name(name).unwrap());
    column.as_any().downcast_ref::<T>().unwrap().clone()
}

#[test]
fn there_is_a_row_for_every_epoch_and_one_for_a_trial_without() {
    let mut running = study(model_space(), Options { trials: 30, ..Options::default() });
    for _ in 0..2 {
        assert!(matches!(running.ask(now()), Ask::Trial(_)));
    }
    assert_eq!(table(running.record()).num_rows(), 2);
    let (record, _) = run(running, &[0]);
    let batch = table(&record);
    let epochs = record.trials().iter().map(|trial| trial.outcome.as_ref().unwrap().curve.len());
    assert_eq!(batch.num_rows(), epochs.sum::<usize>());
    let (trial, loss): (Int64Array, Float64Array) = (column(&batch, "trial"), column(&batch, "epoch_loss"));
    let epoch: Int64Array = column(&batch, "epoch");
    let (state, rate): (StringArray, Float64Array) =
        (column(&batch, "state"), column(&batch, "param_dropout"));
    for row in 0..batch.num_rows() {
        let known = &record.trials()[trial.value(row) as usize];
        let outcome = known.outcome.as_ref().unwrap();
        assert_eq!(state.value(row), outcome.state.as_str());
        assert_eq!(Some(&loss.value(row)), outcome.curve.get(epoch.value(row) as usize - 1));
        let dropout = known.point.get("dropout").and_then(serde_json::Value::as_f64);
        assert_eq!(rate.is_valid(row).then(|| rate.value(row)), dropout);
    }
}

#[test]
fn every_parameter_has_its_kind_while_only_the_base_was_tried() {
    let kind = |space: Space, name: &str| {
        let mut study = study(space, Options::default());
        study.ask(now());
        let batch = table(study.record());
        batch.column_by_name(name).unwrap().data_type().clone()
    };
    assert_eq!(kind(model_space(), "param_hidden"), DataType::Int64);
    assert_eq!(kind(model_space(), "param_learning_rate"), DataType::Float64);
    assert_eq!(kind(small_space(), "param_kind"), DataType::Utf8);
    assert_eq!(
        kind(small_space(), "started"),
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
    );
    let bools: Space = toml::from_str("warm = { choice = [true, false] }").unwrap();
    assert_eq!(kind(bools, "param_warm"), DataType::Boolean);
}
