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

use std::collections::BTreeSet;

use market::{Date, Timestamp};
use serde::{Serialize, de::DeserializeOwned};

use crate::{DataError, Freshness, League, Snapshot, Store};

mod decode;
mod encode;
mod import;
mod ingest;
mod known;
mod leagues;
mod quarantine;
mod rows;

use decode::{Frame, Interner};
pub use import::{ImportReport, ImportSettings};
pub use ingest::{IngestReport, RowCounts};
pub use quarantine::QuarantinedRow;
use rows::Stored;

/// Everything that was ever pulled, and reads of it as of an instant.
#[derive(Debug, Clone)]
pub struct Lake {
    store: Store,
}

impl Lake {
    /// Keeps rows below `data/` in the store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Returns the store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Reads every row of the leagues with `known_at < as_of`.
    ///
    /// A league of which nothing was ever fetched is an error; one that has no row that early gives none.
    pub fn snapshot(&self, leagues: &[League], as_of: Timestamp) -> Result<Snapshot, DataError> {
        let mut names = Interner::default();
        let (mut lines, mut results, mut context) = (Vec::new(), Vec::new(), Vec::new());
        for league in leagues {
            let files = self.read(league, as_of, &mut names, &mut lines)?
                + self.read(league, as_of, &mut names, &mut results)?
                + self.read(league, as_of, &mut names, &mut context)?;
            if files == 0 {
                return Err(DataError::UnknownLeague(league.id.to_string()));
            }
        }
        Ok(Snapshot::new(as_of, leagues.to_vec(), lines, results, context))
    }

    /// Returns how fresh each league was as of an instant, by id.
    pub fn freshness(&self, leagues: &[League], as_of: Timestamp) -> Result<Vec<Freshness>, DataError> {
        Ok(self.snapshot(leagues, as_of)?.freshness())
    }

    /// Returns the rows refused in pulls for the dates `from` to `until`, both included, each once and in a fixed order.
    pub fn quarantined(&self, from: Date, until: Date) -> Result<Vec<QuarantinedRow>, DataError> {
        let mut names = Interner::default();
        let mut rows = BTreeSet::new();
        for path in self.store.list("data/quarantine")? {
            let date = path.split('/').nth(2).and_then(|date| date.parse::<Date>().ok());
            let Some(date) = date.filter(|date| (from..=until).contains(date)) else { continue };
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

    fn read<R: Stored>(
        &self,
        league: &League,
        as_of: Timestamp,
        names: &mut Interner,
        rows: &mut Vec<R>,
    ) -> Result<usize, DataError> {
        let paths = self.store.list(&format!("data/{}/league={}", R::KIND, league.id))?;
        for path in &paths {
            let frame = Frame::read(path, self.store.get(path)?)?;
            rows.extend(frame.rows(Some(as_of), names)?);
        }
        Ok(paths.len())
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
