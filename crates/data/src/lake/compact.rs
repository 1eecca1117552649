//! Many small files become one, while others read and write.
//!
//! The merged file is whole before any of its parts is deleted. A reader who lists in between meets rows twice and keeps
//! them once; one who comes too late for a part lists again.

use std::collections::{BTreeMap, HashSet};

use market::{ContextRow, LineRow, ResultRow};
use serde::{Deserialize, Serialize};

use super::{
    Lake,
    decode::{Frame, Interner},
    partitions::{Tables, season_of},
    rows::Stored,
    sightings::Sighting,
};
use crate::{DataError, League};

/// What merging did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compacted {
    /// Partitions with many files.
    pub partitions: usize,
    /// Files before.
    pub files_before: usize,
    /// Files after.
    pub files_after: usize,
    /// Rows that stood in more than one file.
    pub doubled: usize,
}

impl Lake {
    /// Merges the files of each partition of a league that has more than `most` of them.
    pub fn compact(&self, league: &League, most: usize) -> Result<Compacted, DataError> {
        // One generation, whatever takes its place meanwhile.
        let tables = self.tables_of(&league.id, self.generation(&league.id)?);
        let mut done = Compacted::default();
        merge::<LineRow>(&tables, most, &mut done)?;
        merge::<ResultRow>(&tables, most, &mut done)?;
        merge::<ContextRow>(&tables, most, &mut done)?;
        merge::<Sighting>(&tables, most, &mut done)?;
        Ok(done)
    }
}

fn merge<R: Stored>(tables: &Tables<'_>, most: usize, done: &mut Compacted) -> Result<(), DataError> {
    let mut partitions: BTreeMap<i32, Vec<String>> = BTreeMap::new();
    for path in tables.files(&tables.folder(R::KIND))? {
        if let Some(season) = season_of(&path) {
            partitions.entry(season).or_default().push(path);
        }
    }
    for (season, paths) in partitions.into_iter().filter(|(_, paths)| paths.len() > most.max(1)) {
        let mut names = Interner::default();
        let mut rows = Vec::new();
        let mut parts = Vec::new();
        for path in paths {
            // Whoever merged it meanwhile wrote its rows elsewhere first.
            let Some(bytes) = tables.store().try_get(&path)? else { continue };
            rows.extend(Frame::read(&path, bytes)?.rows::<R>(None, &mut names)?);
            parts.push(path);
        }
        rows.sort_by(|a: &R, b: &R| {
            (a.known_at(), &a.game().game_id, a.raw_ref()).cmp(&(
                b.known_at(),
                &b.game().game_id,
                b.raw_ref(),
            ))
        });
        let (before, mut seen) = (rows.len(), HashSet::new());
        rows.retain(|row| seen.insert((row.key(), row.known_at(), row.raw_ref().clone())));
        done.doubled += before - rows.len();
        let merged = tables.put(season, &rows)?;
        done.partitions += 1;
        done.files_before += parts.len();
        done.files_after += 1;
        for part in parts.into_iter().filter(|part| *part != merged) {
            tables.store().delete(&part)?;
        }
    }
    Ok(())
}
