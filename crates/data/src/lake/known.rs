//! What the lake holds already, so that no row is written twice and none changes silently.

use std::collections::{BTreeMap, HashMap, HashSet, hash_map::Entry};

use jiff::SignedDuration;
use market::{Name, Timestamp};

use super::{
    decode::{Frame, Interner},
    partitions::Tables,
    quarantine::Quarantined,
    rows::Stored,
};
use crate::DataError;

/// Keys and values of the partitions that an ingestion touches, read when first needed.
pub(super) struct Known<R: Stored> {
    partitions: HashMap<i32, HashMap<R::Key, Vec<Version<R>>>>,
}

/// One value under a key.
struct Version<R: Stored> {
    known_at: Timestamp,
    value: R::Value,
    source: Name,
}

/// Rows of one payload, told apart by what the lake holds.
#[derive(Debug)]
pub(super) struct Sorted<R> {
    /// Rows to be written, by season; corrections among them.
    pub(super) new: BTreeMap<i32, Vec<R>>,
    /// Rows that the lake holds with the same value.
    pub(super) already_known: usize,
    /// Rows that the lake holds with another value that stays.
    pub(super) conflicts: Vec<Quarantined>,
    /// Values that took the place of others, in words.
    pub(super) corrections: Vec<String>,
}

/// What is to be done with a row.
enum Verdict<R> {
    New,
    Known,
    Conflict,
    Correction(R),
}

impl<R: Stored> Known<R> {
    pub(super) fn new() -> Self {
        Self { partitions: HashMap::new() }
    }

    /// Sorts rows of a payload that was received at an instant.
    ///
    /// A value that differs from the one that is stored is a correction when its kind knows corrections, and a
    /// contradiction otherwise, of which the first stays. A correction is known from when it came, never from before.
    pub(super) fn sort(
        &mut self,
        tables: &Tables<'_>,
        rows: Vec<R>,
        received_at: Timestamp,
    ) -> Result<Sorted<R>, DataError> {
        let mut sorted =
            Sorted { new: BTreeMap::new(), already_known: 0, conflicts: Vec::new(), corrections: Vec::new() };
        // A file that contradicts itself would otherwise correct itself anew every night.
        let mut seen = HashSet::new();
        for row in rows {
            let season = row.game().season;
            let partition = match self.partitions.entry(season) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unread) => unread.insert(read::<R>(tables, season)?),
            };
            let first = seen.insert((season, row.key()));
            let row = match judge(partition, &row, received_at, !first) {
                Verdict::Known => {
                    sorted.already_known += 1;
                    continue;
                }
                Verdict::Conflict => {
                    sorted.conflicts.push(conflict(&row));
                    continue;
                }
                Verdict::New => row,
                Verdict::Correction(corrected) => {
                    sorted.corrections.push(corrected.describe());
                    corrected
                }
            };
            partition.entry(row.key()).or_default().push(version(&row));
            sorted.new.entry(season).or_default().push(row);
        }
        Ok(sorted)
    }
}

fn judge<R: Stored>(
    partition: &HashMap<R::Key, Vec<Version<R>>>,
    row: &R,
    received_at: Timestamp,
    in_this_payload: bool,
) -> Verdict<R> {
    let versions = partition.get(&row.key()).map(Vec::as_slice).unwrap_or_default();
    let Some(latest) = versions.iter().max_by_key(|version| version.known_at) else { return Verdict::New };
    let value = row.value();
    if latest.value == value {
        return Verdict::Known;
    }
    let was_said = versions.iter().any(|version| version.value == value);
    if was_said && received_at <= latest.known_at {
        return Verdict::Known;
    }
    // A payload cannot correct itself: it contradicts itself.
    if in_this_payload {
        return Verdict::Conflict;
    }
    let after = latest.known_at.checked_add(SignedDuration::from_nanos(1)).unwrap_or(latest.known_at);
    let at = received_at.max(row.known_at()).max(after);
    match row.corrected(at, &latest.value, latest.source == *row.source()) {
        None => Verdict::Conflict,
        Some(corrected) => {
            let same = |version: &Version<R>| version.value == value;
            let stored = partition.get(&corrected.key()).is_some_and(|versions| {
                versions.iter().any(|version| version.known_at == at && same(version))
            });
            if stored { Verdict::Known } else { Verdict::Correction(corrected) }
        }
    }
}

fn version<R: Stored>(row: &R) -> Version<R> {
    Version { known_at: row.known_at(), value: row.value(), source: row.source().clone() }
}

fn read<R: Stored>(tables: &Tables<'_>, season: i32) -> Result<HashMap<R::Key, Vec<Version<R>>>, DataError> {
    let mut names = Interner::default();
    let files = tables.read(
        &tables.partition(R::KIND, season),
        |_| true,
        |path, bytes| Frame::read(path, bytes)?.rows::<R>(None, &mut names),
    )?;
    let mut known: HashMap<R::Key, Vec<Version<R>>> = HashMap::new();
    for row in files.into_iter().flatten() {
        known.entry(row.key()).or_default().push(version(&row));
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
