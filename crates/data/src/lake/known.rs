//! What the lake holds already, so that no row is written twice and none changes silently.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use super::{
    Lake,
    decode::{Frame, Interner},
    quarantine::Quarantined,
    rows::Stored,
};
use crate::DataError;

/// Keys and values of the partitions that an ingestion touches, read when first needed.
#[derive(Debug)]
pub(super) struct Known<R: Stored> {
    partitions: HashMap<String, HashMap<R::Key, R::Value>>,
}

/// Rows of one payload, told apart by what the lake holds.
#[derive(Debug)]
pub(super) struct Sorted<R> {
    /// Rows to be written, by partition.
    pub(super) new: BTreeMap<String, Vec<R>>,
    /// Rows that the lake holds with the same value.
    pub(super) already_known: usize,
    /// Rows that the lake holds with another value.
    pub(super) conflicts: Vec<Quarantined>,
}

impl<R: Stored> Known<R> {
    pub(super) fn new() -> Self {
        Self { partitions: HashMap::new() }
    }

    /// Sorts rows into new, known and contradicting ones; of two that contradict each other the first stays.
    pub(super) fn sort(&mut self, lake: &Lake, rows: Vec<R>) -> Result<Sorted<R>, DataError> {
        let mut sorted = Sorted { new: BTreeMap::new(), already_known: 0, conflicts: Vec::new() };
        for row in rows {
            let partition = partition(R::KIND, row.game().league.as_str(), row.game().season);
            let known = match self.partitions.entry(partition.clone()) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unread) => unread.insert(read::<R>(lake, &partition)?),
            };
            match known.entry(row.key()) {
                Entry::Vacant(unknown) => {
                    unknown.insert(row.value());
                    sorted.new.entry(partition).or_default().push(row);
                }
                Entry::Occupied(same) if *same.get() == row.value() => sorted.already_known += 1,
                Entry::Occupied(_) => sorted.conflicts.push(conflict(&row)),
            }
        }
        Ok(sorted)
    }
}

/// Returns the folder of a league's season.
pub(super) fn partition(kind: &str, league: &str, season: i32) -> String {
    format!("data/{kind}/league={league}/season={season}")
}

fn read<R: Stored>(lake: &Lake, partition: &str) -> Result<HashMap<R::Key, R::Value>, DataError> {
    let mut known = HashMap::new();
    let mut names = Interner::default();
    for path in lake.store.list(partition)? {
        let frame = Frame::read(&path, lake.store.get(&path)?)?;
        let rows: Vec<R> = frame.rows(None, &mut names)?;
        known.extend(rows.into_iter().map(|row| (row.key(), row.value())));
    }
    Ok(known)
}

fn conflict<R: Stored>(row: &R) -> Quarantined {
    Quarantined {
        raw_ref: row.raw_ref().clone(),
        reason: format!("{}: the row contradicts one that is stored", R::KIND),
        text: row.describe(),
    }
}
