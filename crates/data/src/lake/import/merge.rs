//! From the rows of one partition, in any order, to Parquet files without duplicates.

use std::{
    cmp::Reverse,
    fs, io,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use market::LeagueId;

use super::{
    super::{Lake, partitions::Tables, sha256},
    cells::Kind,
    columns,
    names::Names,
    origin::Origins,
    scratch_failed,
    spill::{Row, Spill, SpillWriter},
    stored::StoredFiles,
};
use crate::DataError;

/// Rows that are sorted in memory at a time, and so the most rows of a file.
const ROWS: usize = 1 << 20;
/// Sampled keys per piece of a large partition.
const SAMPLES: usize = 256;

/// What must not be there twice, in the order of a file's rows; texts are ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) captured_at: i64,
    pub(super) game: u32,
    pub(super) book: u32,
    pub(super) points: i16,
    pub(super) kind: Kind,
}

/// A row with its key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) key: Key,
    pub(super) price: f64,
    pub(super) block: u32,
    pub(super) index: u32,
    pub(super) header: u32,
    pub(super) source: u32,
    pub(super) is_closing: bool,
}

/// What became of a partition's rows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Merged {
    pub(super) stored: u64,
    pub(super) duplicates: u64,
    pub(super) already_known: u64,
    pub(super) files: usize,
    pub(super) bytes: u64,
}

/// All that partitions are merged from.
#[derive(Debug)]
pub(super) struct Merge<'a> {
    pub(super) lake: &'a Lake,
    pub(super) spills: &'a [&'a Spill],
    pub(super) names: &'a Names,
    pub(super) origins: &'a Origins,
    pub(super) scratch: &'a Path,
    /// At most this many rows at a time, [`ROWS`] outside of tests.
    pub(super) rows: usize,
}

impl Merge<'_> {
    pub(super) const ROWS: usize = ROWS;

    /// Returns how many rows a partition has, duplicates too.
    pub(super) fn rows_of(&self, partition: u32) -> usize {
        self.spills.iter().map(|spill| spill.rows(partition)).sum()
    }

    /// Writes all partitions, the largest first, several at a time.
    pub(super) fn all(&self, workers: usize) -> Result<Vec<Merged>, DataError> {
        let mut partitions: Vec<u32> = (0..self.names.partitions.len() as u32).collect();
        partitions.sort_by_cached_key(|partition| Reverse(self.rows_of(*partition)));
        let next = AtomicUsize::new(0);
        let work = || {
            let mut merged = Vec::new();
            while let Some(partition) = partitions.get(next.fetch_add(1, Ordering::Relaxed)) {
                match self.partition(*partition) {
                    Ok(one) => merged.push(one),
                    Err(error) => {
                        next.store(partitions.len(), Ordering::Relaxed);
                        return Err(error);
                    }
                }
            }
            Ok(merged)
        };
        let merged = thread::scope(|scope| {
            let running: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            let joined = |thread: thread::ScopedJoinHandle<'_, Result<Vec<Merged>, DataError>>| {
                let panicked = |_| scratch_failed(self.scratch, io::Error::other("a worker panicked"));
                thread.join().map_err(panicked).flatten()
            };
            running.into_iter().map(joined).collect::<Result<Vec<_>, _>>()
        })?;
        Ok(merged.into_iter().flatten().collect())
    }

    /// Writes a partition's rows that are not stored yet.
    fn partition(&self, partition: u32) -> Result<Merged, DataError> {
        let (league, season) = self.names.partitions[partition as usize];
        let league = self.names.text(league);
        let league = LeagueId::new(league).map_err(|_| DataError::UnknownLeague(league.to_owned()))?;
        let tables = self.lake.tables(&league);
        let mut files = StoredFiles::list(&tables, season)?;
        if self.rows_of(partition) <= self.rows {
            return self.piece((&tables, season), &files, self.spills, partition);
        }
        let (pieces, count) = self.split(partition).map_err(|cause| scratch_failed(self.scratch, cause))?;
        files.find_spans()?;
        let mut merged = Merged::default();
        for piece in 0..count {
            let Merged { stored, duplicates, already_known, files, bytes } =
                self.piece((&tables, season), &files, &[&pieces], piece)?;
            merged.stored += stored;
            merged.duplicates += duplicates;
            merged.already_known += already_known;
            merged.files += files;
            merged.bytes += bytes;
        }
        // The folder goes as a whole later on; this only makes room sooner.
        _ = fs::remove_file(pieces.path());
        Ok(merged)
    }

    fn piece(
        &self,
        (tables, season): (&Tables<'_>, i32),
        stored: &StoredFiles<'_>,
        spills: &[&Spill],
        partition: u32,
    ) -> Result<Merged, DataError> {
        let folder = tables.partition("lines", season);
        let (mut lines, duplicates) =
            self.load(spills, partition).map_err(|cause| scratch_failed(self.scratch, cause))?;
        let already_known = stored.remove_known(&mut lines, self.names)?;
        let mut merged =
            Merged { duplicates, already_known, stored: lines.len() as u64, ..Merged::default() };
        for lines in lines.chunks(self.rows) {
            let failed = |cause| DataError::Encode { what: format!("rows for `{folder}`"), cause };
            let bytes =
                columns::parquet(lines, self.names, self.origins).map_err(|cause| failed(cause.into()))?;
            let path = tables.file(&folder, &sha256(&bytes))?;
            self.lake.store.put_if_absent(&path, &bytes)?;
            merged.files += 1;
            merged.bytes += bytes.len() as u64;
        }
        Ok(merged)
    }

    /// Reads rows, sorted, and counts the duplicates that were dropped.
    fn load(&self, spills: &[&Spill], partition: u32) -> io::Result<(Vec<Line>, u64)> {
        let expected = spills.iter().map(|spill| spill.rows(partition)).sum::<usize>();
        let mut lines = Vec::with_capacity(expected.min(2 * self.rows));
        let (mut duplicates, mut limit) = (0, 2 * self.rows);
        for spill in spills {
            spill.read(partition, |row| {
                // Many rows of one key cannot be told apart by any split.
                if lines.len() >= limit {
                    duplicates += sort(&mut lines);
                    limit = limit.max(2 * lines.len());
                }
                lines.push(self.line(&row));
                Ok(())
            })?;
        }
        duplicates += sort(&mut lines);
        Ok((lines, duplicates))
    }

    fn line(&self, row: &Row) -> Line {
        let Row { captured_at, price, block, index, header, book, source, points, kind, is_closing } = *row;
        let ranks = &self.names.ranks;
        let game = self.names.headers[header as usize].game;
        let key = Key { captured_at, game, book: ranks[book as usize], points, kind };
        Line { key, price, block, index, header, source: ranks[source as usize], is_closing }
    }

    /// Splits a partition by ranges of its keys into pieces of about half the allowed rows.
    fn split(&self, partition: u32) -> io::Result<(Spill, u32)> {
        let rows = self.rows_of(partition);
        let pieces = 2 * rows / self.rows + 1;
        let stride = (rows / (pieces * SAMPLES)).max(1);
        let (mut sample, mut seen) = (Vec::new(), 0_usize);
        for spill in self.spills {
            spill.read(partition, |row| {
                if seen.is_multiple_of(stride) {
                    sample.push(self.line(&row).key);
                }
                seen += 1;
                Ok(())
            })?;
        }
        sample.sort_unstable();
        let borders: Vec<Key> =
            sample.chunks((sample.len() / pieces).max(1)).skip(1).map(|keys| keys[0]).collect();
        let mut writer = SpillWriter::create(self.scratch.join(format!("pieces-{partition}")))?;
        for spill in self.spills {
            spill.read(partition, |row| {
                let key = self.line(&row).key;
                writer.push(borders.partition_point(|border| *border <= key) as u32, &row)
            })?;
        }
        Ok((writer.finish()?, borders.len() as u32 + 1))
    }
}

/// Sorts by key, keeps of each key the first in the order of the files, and returns how many rows went.
fn sort(lines: &mut Vec<Line>) -> u64 {
    let before = lines.len();
    lines.sort_unstable_by(|a, b| a.key.cmp(&b.key).then((a.block, a.index).cmp(&(b.block, b.index))));
    lines.dedup_by(|line, first| line.key == first.key);
    (before - lines.len()) as u64
}
