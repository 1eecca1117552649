//! Large files of line rows into the lake, in memory that does not grow with their rows.
//!
//! ```text
//! file ──blocks──▶ workers ──checked rows──▶ spill on disk ──a partition at a time──▶ sorted, once each ──▶ Parquet
//! ```
//!
//! The first pass reads, checks and hashes every file; nothing is written to the store before all were read. The second
//! pass takes one partition per worker, drops the rows that came before or are stored, and writes the rest by
//! `captured_at`. Memory grows with the distinct games, books and sources (some 300 bytes each), not with rows.
//!
//! Killed at any instant, an import is completed by the same import again: files are whole or absent, and rows that are
//! stored are not written twice.
//!
//! # Example
//! ```
//! use data::{ImportSettings, Lake, Store};
//! let folder = tempfile::tempdir().unwrap();
//! let file = folder.path().join("lines.csv");
//! let header = "league,game_id,season,start_time,home,away,book,market,selection,points,price,captured_at,is_closing,source";
//! let row = "nfl,nfl_2021-11-11_mia_bal,2021,1636680000,MIA,BAL,pin,total,over,46.5,1.91,1636600000,false,feed";
//! let late = "nfl,nfl_2021-11-11_mia_bal,2021,1636680000,MIA,BAL,pin,total,over,46.5,1.91,1636690000,false,feed";
//! std::fs::write(&file, [header, row, row, late].join("\n")).unwrap();
//!
//! let lake = Lake::new(Store::open(folder.path().join("store").to_str().unwrap()).unwrap());
//! let settings = ImportSettings::new("2022-01-01T00:00:00Z".parse().unwrap());
//! let report = lake.import(&[file], &settings, &|_| {}).unwrap();
//! assert_eq!((report.rows, report.stored, report.duplicates), (3, 1, 1));
//! assert_eq!(report.refused["the price was captured at or after the start"], 1);
//! let snapshot = lake.snapshot(&lake.leagues().unwrap(), settings.at).unwrap();
//! assert_eq!(snapshot.lines.len(), 1);
//! ```

use std::{
    collections::BTreeMap,
    io, mem,
    path::{Path, PathBuf},
    thread,
};

use jiff::tz::TimeZone;
use market::{Date, LeagueId, RawRef, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Lake,
    quarantine::{self, Origin, Quarantined},
};
use crate::{DataError, League};

mod blocks;
mod cells;
mod columns;
mod layout;
mod merge;
mod names;
mod origin;
mod parse;
mod reading;
mod refusal;
mod spill;
mod stored;
#[cfg(test)]
mod tests;

use blocks::InputFile;
use merge::Merge;
use origin::Origins;
use reading::{Read, Reading};
use refusal::Refusal;

/// More workers need more memory, and the disk does not keep up with them.
const MOST_WORKERS: usize = 4;
/// Refused rows that are held before they are written.
const REFUSED: usize = 50_000;
/// Where rows are quarantined whose league is unreadable.
const NO_LEAGUE: &str = "unknown";

/// What an import needs to know beside its files.
#[derive(Debug, Clone)]
pub struct ImportSettings {
    /// The instant of the import; its date in UTC names the folders of raw files and of refused rows.
    pub at: Timestamp,
    /// Leagues that are not two-way in UTC, and not described in the lake either.
    pub leagues: Vec<League>,
    /// Whether the files are kept below `data/raw/import`, compressed, as every pull keeps its payloads.
    ///
    /// It costs their compression and a fifth of their size; without it a row's origin can be named, not looked up.
    pub keep_raw: bool,
    /// Where rows wait for the second pass, half the size of the unpacked files; the system's folder if none.
    pub scratch: Option<PathBuf>,
}

impl ImportSettings {
    /// Keeps the files and takes every new league as two-way in UTC.
    pub fn new(at: Timestamp) -> Self {
        Self { at, leagues: Vec::new(), keep_raw: true, scratch: None }
    }
}

/// What an import brought: `rows = stored + duplicates + already_known + refused`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportReport {
    /// Files read.
    pub files: usize,
    /// Rows read; headers and blank lines do not count.
    pub rows: u64,
    /// Rows written.
    pub stored: u64,
    /// Rows that came before in the same files.
    pub duplicates: u64,
    /// Rows that the lake held.
    pub already_known: u64,
    /// Rows quarantined, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Leagues of the rows that were not refused.
    pub leagues: Vec<LeagueId>,
    /// Files of rows written.
    pub files_written: usize,
    /// Their bytes.
    pub bytes_written: u64,
}

impl Lake {
    /// Imports files of line rows, plain or packed by gzip, each with a header that names its columns in any order.
    ///
    /// A row is known by game, book, market, selection, points and instant, within its league and season. Of rows that
    /// are known by the same the first stays, be it in the lake or earlier in the files; prices are not compared.
    /// `progress` is called with all bytes read so far, of packed files the packed ones.
    pub fn import(
        &self,
        paths: &[PathBuf],
        settings: &ImportSettings,
        progress: &dyn Fn(u64),
    ) -> Result<ImportReport, DataError> {
        self.import_by(Merge::ROWS, paths, settings, progress)
    }

    /// Imports with at most so many rows in memory at a time.
    fn import_by(
        &self,
        rows: usize,
        paths: &[PathBuf],
        settings: &ImportSettings,
        progress: &dyn Fn(u64),
    ) -> Result<ImportReport, DataError> {
        let parent = settings.scratch.clone().unwrap_or_else(std::env::temp_dir);
        let scratch = tempfile::Builder::new().prefix("edge-import-").tempdir_in(&parent);
        let scratch = scratch.map_err(|cause| scratch_failed(&parent, cause))?;
        let workers = thread::available_parallelism().map_or(1, usize::from).min(MOST_WORKERS);
        let read = Reading { scratch: scratch.path(), workers, keep_raw: settings.keep_raw }
            .read(paths, progress)?;

        let mut report = ImportReport { files: paths.len(), rows: read.rows(), ..ImportReport::default() };
        let spills: Vec<_> = read.parsed.iter().map(|parsed| &parsed.spill).collect();
        let merge = Merge {
            lake: self,
            spills: &spills,
            names: &read.names,
            origins: &read.origins,
            scratch: scratch.path(),
            rows,
        };
        report.leagues = self.remember_leagues(&merge, settings)?;
        let date = settings.at.to_zoned(TimeZone::UTC).date();
        self.keep_raw(date, &read.origins.files)?;
        report.refused = self.quarantine(date, &read, scratch.path())?;
        for merged in merge.all(workers)? {
            report.stored += merged.stored;
            report.duplicates += merged.duplicates;
            report.already_known += merged.already_known;
            report.files_written += merged.files;
            report.bytes_written += merged.bytes;
        }
        tracing::info!(
            files = report.files,
            rows = report.rows,
            stored = report.stored,
            refused = report.refused.values().sum::<u64>(),
            "imported {} rows",
            report.stored
        );
        Ok(report)
    }

    fn remember_leagues(
        &self,
        merge: &Merge<'_>,
        settings: &ImportSettings,
    ) -> Result<Vec<LeagueId>, DataError> {
        let partitions = merge.names.partitions.iter().enumerate();
        let mut leagues: Vec<LeagueId> = partitions
            .filter(|(partition, _)| merge.rows_of(*partition as u32) > 0)
            .filter_map(|(_, (league, _))| LeagueId::new(merge.names.text(*league)).ok())
            .collect();
        leagues.sort_unstable();
        leagues.dedup();
        for id in &leagues {
            self.remember_imported(id, settings.leagues.iter().find(|league| league.id == *id))?;
        }
        Ok(leagues)
    }

    fn keep_raw(&self, date: Date, files: &[InputFile]) -> Result<(), DataError> {
        for file in files {
            let Some(raw) = &file.raw else { continue };
            let name = format!("{}.{}.zst", file.sha256, file.extension);
            let kept = self.store.list("data/raw/import")?;
            if !kept.iter().any(|path| path.ends_with(&name)) {
                self.store.put_file(&format!("data/raw/import/{date}/{name}"), raw)?;
            }
        }
        Ok(())
    }

    /// Writes refused rows in the order of the files and counts them by reason.
    fn quarantine(
        &self,
        date: Date,
        read: &Read,
        scratch: &Path,
    ) -> Result<BTreeMap<String, u64>, DataError> {
        let mut reasons = BTreeMap::new();
        let mut held: BTreeMap<(usize, String), Vec<Quarantined>> = BTreeMap::new();
        let mut count = 0;
        for (worker, block) in &read.blocks {
            let file = read.origins.file(block.block);
            let payload = &read.origins.files[file].sha256;
            let visit = |refusal: Refusal| {
                let reason = refusal.reason.words().to_owned();
                *reasons.entry(reason.clone()).or_default() += 1;
                let row = read.origins.row(block.block, refusal.row);
                let raw_ref = RawRef { payload: payload.clone(), row };
                let league = refusal.league.unwrap_or_else(|| NO_LEAGUE.to_owned());
                held.entry((file, league)).or_default().push(Quarantined {
                    raw_ref,
                    reason,
                    text: refusal.text,
                });
            };
            let refusals = &read.parsed[*worker].refusals;
            let read_back = refusals.read(block.refusals_at, block.refused, visit);
            read_back.map_err(|cause| scratch_failed(scratch, cause))?;
            count += block.refused as usize;
            if count >= REFUSED {
                count = 0;
                self.put_quarantined(date, &read.origins, mem::take(&mut held))?;
            }
        }
        self.put_quarantined(date, &read.origins, held)?;
        Ok(reasons)
    }

    fn put_quarantined(
        &self,
        date: Date,
        origins: &Origins,
        held: BTreeMap<(usize, String), Vec<Quarantined>>,
    ) -> Result<(), DataError> {
        for ((file, league), rows) in held {
            let origin = Origin { league: &league, source: "import", payload: &origins.files[file].name };
            let folder = format!("data/quarantine/{date}");
            let (bytes, hash) = super::encode::encoded(&folder, quarantine::encode(&origin, &rows))?;
            self.store.put_if_absent(&format!("{folder}/{hash}.parquet"), &bytes)?;
        }
        Ok(())
    }
}

/// The folder for waiting rows cannot be used.
fn scratch_failed(folder: &Path, cause: io::Error) -> DataError {
    DataError::Location {
        location: folder.display().to_string(),
        problem: "rows cannot wait there for the second pass".to_owned(),
        advice: "make room, or choose another scratch folder, and run again".to_owned(),
        cause: Some(Box::new(cause)),
    }
}
