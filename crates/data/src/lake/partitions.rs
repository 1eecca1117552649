//! Which files make up a table, while others write, merge and replace them.
//!
//! A league's files belong to a generation; the one that counts is named by `data/leagues/<league>.json`, so that a table
//! that was rebuilt from raw takes the old one's place in one write. Within a generation a file is only deleted when
//! its rows stand in another one. A reader that meets a gap therefore lists again, and one that meets a row twice keeps it once.

use market::LeagueId;

use super::{Lake, encode::encoded, rows::Stored};
use crate::DataError;

/// Listings that a reader tries before it gives up: each failure means that somebody merged files meanwhile.
const ATTEMPTS: usize = 8;

/// The tables of one league as they stand.
#[derive(Debug, Clone)]
pub(super) struct Tables<'a> {
    pub(super) lake: &'a Lake,
    league: LeagueId,
    /// The generation to read and write; none for the one that counts when asked.
    pinned: Option<u32>,
}

impl Lake {
    /// Returns the league's tables as readers see them.
    pub(super) fn tables(&self, league: &LeagueId) -> Tables<'_> {
        Tables { lake: self, league: league.clone(), pinned: None }
    }

    /// Returns the league's tables of one generation.
    pub(super) fn tables_of(&self, league: &LeagueId, generation: u32) -> Tables<'_> {
        Tables { lake: self, league: league.clone(), pinned: Some(generation) }
    }
}

impl Tables<'_> {
    pub(super) fn generation(&self) -> Result<u32, DataError> {
        match self.pinned {
            Some(generation) => Ok(generation),
            None => self.lake.generation(&self.league),
        }
    }

    /// Returns the folder of a kind of rows.
    pub(super) fn folder(&self, kind: &str) -> String {
        format!("data/{kind}/league={}", self.league)
    }

    /// Returns the folder of a season's rows.
    pub(super) fn partition(&self, kind: &str, season: i32) -> String {
        format!("{}/season={season}", self.folder(kind))
    }

    /// Returns the name of a file with the given content.
    pub(super) fn file(&self, folder: &str, hash: &str) -> Result<String, DataError> {
        Ok(match self.generation()? {
            0 => format!("{folder}/{hash}.parquet"),
            generation => format!("{folder}/g{generation}-{hash}.parquet"),
        })
    }

    /// Lists the files below a folder.
    pub(super) fn files(&self, folder: &str) -> Result<Vec<String>, DataError> {
        let generation = self.generation()?;
        let mut paths = self.lake.store.list(folder)?;
        paths.retain(|path| generation_of(path) == Some(generation));
        Ok(paths)
    }

    /// Reads every file below a folder that passes, each whole, as one consistent view.
    pub(super) fn read<T>(
        &self,
        folder: &str,
        wanted: impl Fn(&str) -> bool,
        mut read: impl FnMut(&str, Vec<u8>) -> Result<T, DataError>,
    ) -> Result<Vec<T>, DataError> {
        let mut gone = String::new();
        'listing: for _ in 0..ATTEMPTS {
            let mut all = Vec::new();
            for path in self.files(folder)?.into_iter().filter(|path| wanted(path)) {
                let Some(bytes) = self.lake.store.try_get(&path)? else {
                    gone = path;
                    continue 'listing;
                };
                all.push(read(&path, bytes)?);
            }
            return Ok(all);
        }
        let problem = "it was listed again and again, but never there".to_owned();
        Err(DataError::Corrupt { path: gone, problem, cause: None })
    }

    pub(super) fn store(&self) -> &crate::Store {
        &self.lake.store
    }

    /// Deletes every trace of this generation: rows, markers that claim them, counts, refusals and findings.
    pub(super) fn clear(&self, kinds: &[&str]) -> Result<(), DataError> {
        let generation = self.generation()?;
        // Markers first: one without its rows would claim them.
        let (of_league, marked) = (format!("/{}/", self.league), format!("-g{generation}.json"));
        for path in self.lake.store.list("data/ingested")? {
            if path.contains(&of_league) && path.ends_with(&marked) {
                self.lake.store.delete(&path)?;
            }
        }
        for path in self.lake.store.list("data/shapes")? {
            if path.contains(&format!("{of_league}g{generation}-")) {
                self.lake.store.delete(&path)?;
            }
        }
        let (league, generation) = (format!("{}.", self.league), format!(".g{generation}."));
        for folder in ["data/quarantine", "data/findings"] {
            for path in self.lake.store.list(folder)? {
                let name = path.rsplit('/').next().unwrap_or_default();
                if name.starts_with(&league) && name.contains(&generation) {
                    self.lake.store.delete(&path)?;
                }
            }
        }
        for kind in kinds {
            for path in self.files(&self.folder(kind))? {
                self.lake.store.delete(&path)?;
            }
        }
        Ok(())
    }

    /// Deletes what belongs to other generations.
    pub(super) fn sweep(&self, kinds: &[&str]) -> Result<(), DataError> {
        let generation = self.generation()?;
        for kind in kinds {
            for path in self.lake.store.list(&self.folder(kind))? {
                if generation_of(&path) != Some(generation) {
                    self.lake.store.delete(&path)?;
                }
            }
        }
        Ok(())
    }
}

impl Tables<'_> {
    /// Writes rows of a season as one file named by its content, and returns its path.
    pub(super) fn put<R: Stored>(&self, season: i32, rows: &[R]) -> Result<String, DataError> {
        let folder = self.partition(R::KIND, season);
        let (bytes, hash) = encoded(&folder, R::encode(rows))?;
        let path = self.file(&folder, &hash)?;
        self.store().put_if_absent(&path, &bytes)?;
        Ok(path)
    }
}

/// Returns the season that a partition's path names.
pub(super) fn season_of(path: &str) -> Option<i32> {
    path.split('/').find_map(|part| part.strip_prefix("season=")?.parse().ok())
}

fn generation_of(path: &str) -> Option<u32> {
    let name = path.rsplit('/').next()?.strip_suffix(".parquet")?;
    match name.strip_prefix('g').and_then(|rest| rest.split_once('-')) {
        Some((generation, _)) => generation.parse().ok(),
        None => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_says_its_generation_and_its_folder_the_season() {
        let folder = "data/lines/league=epl/season=2022";
        assert_eq!(generation_of(&format!("{folder}/0abc.parquet")), Some(0));
        assert_eq!(generation_of(&format!("{folder}/g12-0abc.parquet")), Some(12));
        assert_eq!(generation_of(&format!("{folder}/notes.txt")), None);
        assert_eq!(season_of(&format!("{folder}/0abc.parquet")), Some(2022));
    }
}
