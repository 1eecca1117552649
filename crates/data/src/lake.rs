//! Rows at rest: raw payloads, Parquet partitions and the quarantine below one [`Store`].
//!
//! # Example
//! ```
//! use data::{FootballData, Lake, Location, Store};
//! let folder = tempfile::tempdir().unwrap();
//! let file = folder.path().join("E0.csv");
//! std::fs::write(&file, "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,B365H,B365D,B365A\n\
//!     E0,14/10/2022,20:00,Brentford,Brighton,2,0,3.1,3.4,2.3\n").unwrap();
//! let source = FootballData::new(
//!     FootballData::league("epl", "Europe/London").unwrap(),
//!     Location::new([file.to_str().unwrap()]),
//!     FootballData::LEADS,
//! ).unwrap();
//!
//! let lake = Lake::new(Store::open(folder.path().join("store").to_str().unwrap()).unwrap());
//! let as_of = "2022-10-14T09:00:00Z".parse().unwrap();
//! assert_eq!(lake.ingest(&source, as_of).unwrap().rows_added.total(), 5);
//! assert_eq!(lake.ingest(&source, as_of).unwrap().rows_added.total(), 0);
//! let snapshot = lake.snapshot(&lake.leagues().unwrap(), as_of).unwrap();
//! assert_eq!((snapshot.lines.len(), snapshot.results.len(), snapshot.context.len()), (3, 0, 1));
//! ```

use std::collections::{BTreeSet, HashMap};

use jiff::tz::TimeZone;
use market::{Date, LeagueId, LineRow, Timestamp};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::{
    DataError, Finding, Freshness, League, Snapshot, Store, identity::Seen, source::football_data::AVERAGE,
};

mod compact;
mod coverage;
mod decode;
mod encode;
mod export;
mod import;
mod ingest;
mod intake;
mod known;
mod leagues;
mod partitions;
mod quarantine;
mod rebuild;
mod receipt;
mod report;
mod rows;
mod sightings;

pub use compact::Compacted;
pub use coverage::{Coverage, SeasonCoverage};
use decode::{Frame, Interner};
pub use export::RowKind;
pub use import::{ImportReport, ImportSettings};
use partitions::season_of;
pub use quarantine::QuarantinedRow;
pub use report::{IngestReport, RowCounts};
use rows::Stored;

/// Everything that was ever pulled, and reads of it as of an instant.
#[derive(Debug, Clone)]
pub struct Lake {
    store: Store,
    now: Option<Timestamp>,
}

impl Lake {
    /// Keeps rows below `data/` in the store.
    pub fn new(store: Store) -> Self {
        Self { store, now: None }
    }

    /// Takes `now` for the clock, by which files that bear no time are received.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    /// Returns the store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    fn now(&self) -> Timestamp {
        self.now.unwrap_or_else(crate::http::now)
    }

    /// Reads every row of the leagues with `known_at < as_of`.
    ///
    /// A league of which nothing was ever fetched is an error; one that has no row that early gives none. Averages over
    /// books are left out: nobody can bet on them.
    pub fn snapshot(&self, leagues: &[League], as_of: Timestamp) -> Result<Snapshot, DataError> {
        self.read(leagues, None, as_of, |book| book != AVERAGE)
    }

    /// Reads one season of a league with `known_at < as_of`.
    pub fn season(&self, league: &League, season: i32, as_of: Timestamp) -> Result<Snapshot, DataError> {
        self.read(std::slice::from_ref(league), Some(season), as_of, |book| book != AVERAGE)
    }

    /// Reads what [`snapshot`](Self::snapshot) leaves out of the prices: averages over books, for comparison only.
    pub fn averages(&self, league: &League, as_of: Timestamp) -> Result<Vec<LineRow>, DataError> {
        Ok(self.read(std::slice::from_ref(league), None, as_of, |book| book == AVERAGE)?.lines)
    }

    /// Returns how fresh each league was as of an instant, by id.
    pub fn freshness(&self, leagues: &[League], as_of: Timestamp) -> Result<Vec<Freshness>, DataError> {
        Ok(self.snapshot(leagues, as_of)?.freshness())
    }

    fn read(
        &self,
        leagues: &[League],
        season: Option<i32>,
        as_of: Timestamp,
        book: impl Fn(&str) -> bool,
    ) -> Result<Snapshot, DataError> {
        let mut names = Interner::default();
        let (mut lines, mut results, mut context) = (Vec::new(), Vec::new(), Vec::new());
        for league in leagues {
            if !self.holds(&league.id)? {
                return Err(DataError::UnknownLeague(league.id.to_string()));
            }
            self.rows(league, season, as_of, &mut names, &mut lines)?;
            self.rows(league, season, as_of, &mut names, &mut results)?;
            self.rows(league, season, as_of, &mut names, &mut context)?;
        }
        lines.retain(|row: &LineRow| book(row.book.as_str()));
        Ok(Snapshot::new(as_of, leagues.to_vec(), lines, results, context))
    }

    /// Reads rows of one kind known before an instant; the files of seasons that lie ahead of it are not opened.
    fn rows<R: Stored>(
        &self,
        league: &League,
        season: Option<i32>,
        as_of: Timestamp,
        names: &mut Interner,
        rows: &mut Vec<R>,
    ) -> Result<(), DataError> {
        let tables = self.tables(&league.id);
        let folder = match season {
            Some(season) => tables.partition(R::KIND, season),
            None => tables.folder(R::KIND),
        };
        let last = i32::from(as_of.to_zoned(TimeZone::UTC).year()) + 1;
        let near = |path: &str| season_of(path).is_none_or(|season| season <= last);
        let files = tables
            .read(&folder, near, |path, bytes| Frame::read(path, bytes)?.rows::<R>(Some(as_of), names))?;
        rows.extend(files.into_iter().flatten());
        Ok(())
    }

    /// Reads what every source said about the games of a league.
    fn sightings(tables: &partitions::Tables<'_>) -> Result<Vec<Seen>, DataError> {
        let mut names = Interner::default();
        let files = tables.read(
            &tables.folder(sightings::Sighting::KIND),
            |_| true,
            |path, bytes| Frame::read(path, bytes)?.rows::<sightings::Sighting>(None, &mut names),
        )?;
        let mut sightings: Vec<sightings::Sighting> = files.into_iter().flatten().collect();
        sightings.sort_by(|a, b| {
            (&a.game.game_id, a.game.start_time, &a.source, &a.event).cmp(&(
                &b.game.game_id,
                b.game.start_time,
                &b.source,
                &b.event,
            ))
        });
        Ok(sightings.into_iter().map(sightings::Sighting::seen).collect())
    }

    /// Returns the contracts that feeds broke in pulls for the dates `from` to `until`, both included, in a fixed order.
    pub fn findings(&self, from: Date, until: Date) -> Result<Vec<Finding>, DataError> {
        let mut found = BTreeSet::new();
        for path in self.dated("data/findings", from, until)? {
            found.extend(self.try_get_json::<Vec<Finding>>(&path)?.unwrap_or_default());
        }
        Ok(found.into_iter().collect())
    }

    /// Lists the files of the dates `from` to `until` below a folder, but for those of tables that were rebuilt since.
    fn dated(&self, folder: &str, from: Date, until: Date) -> Result<Vec<String>, DataError> {
        let mut generations = HashMap::new();
        let mut paths = Vec::new();
        for path in self.store.list(folder)? {
            let date = path.split('/').nth(2).and_then(|date| date.parse::<Date>().ok());
            if date.is_none_or(|date| !(from..=until).contains(&date)) {
                continue;
            }
            let mut parts = path.rsplit('/').next().unwrap_or_default().split('.');
            let origin = (parts.next().and_then(|id| LeagueId::new(id).ok()), parts.next(), parts.next());
            if let (Some(league), Some(_), Some(written)) = origin
                && let Some(written) = written.strip_prefix('g').and_then(|text| text.parse::<u32>().ok())
            {
                let current = match generations.get(&league) {
                    Some(current) => *current,
                    None => *generations.entry(league.clone()).or_insert(self.generation(&league)?),
                };
                if written != current {
                    continue;
                }
            }
            paths.push(path);
        }
        Ok(paths)
    }

    /// Returns the rows refused in pulls for the dates `from` to `until`, both included, each once and in a fixed order.
    pub fn quarantined(&self, from: Date, until: Date) -> Result<Vec<QuarantinedRow>, DataError> {
        let mut names = Interner::default();
        let mut rows = BTreeSet::new();
        for path in self.dated("data/quarantine", from, until)? {
            let Some(date) = path.split('/').nth(2).and_then(|date| date.parse::<Date>().ok()) else {
                continue;
            };
            let frame = Frame::read(&path, self.store.get(&path)?)?;
            rows.extend(quarantine::decode(&frame, date, &mut names)?);
        }
        let mut seen = BTreeSet::new();
        // A file that grows from night to night repeats its refusals under a new hash.
        rows.retain(|row| {
            let QuarantinedRow { league, source, raw_ref, reason, text, .. } = row.clone();
            seen.insert((league, source, raw_ref.row, reason, text))
        });
        Ok(rows.into_iter().collect())
    }

    fn put_json(&self, path: &str, value: &impl Serialize) -> Result<(), DataError> {
        let bytes = serde_json::to_vec_pretty(value)
            .map_err(|cause| DataError::Encode { what: format!("`{path}`"), cause: Box::new(cause) })?;
        self.store.put(path, &bytes)
    }

    fn try_get_json<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, DataError> {
        let Some(bytes) = self.store.try_get(path)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|cause| DataError::Corrupt {
            path: path.to_owned(),
            problem: "it is not the JSON that was written".to_owned(),
            cause: Some(Box::new(cause)),
        })
    }
}

fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}
