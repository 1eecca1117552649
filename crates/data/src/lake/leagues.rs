//! What the lake remembers of its leagues, and the settings that their rows were read with.

use std::collections::BTreeMap;

use market::LeagueId;
use serde::{Deserialize, Serialize};

use super::Lake;
use crate::{DataError, League, Source};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    league: League,
    /// Settings by source.
    sources: BTreeMap<String, String>,
}

/// A league's metadata, checked and not yet written.
#[derive(Debug)]
pub(super) struct Settings {
    path: String,
    now: Remembered,
    changed: bool,
}

impl Settings {
    /// Writes the metadata when it is new.
    pub(super) fn remember(&self, lake: &Lake) -> Result<(), DataError> {
        if self.changed { lake.put_json(&self.path, &self.now) } else { Ok(()) }
    }
}

impl Lake {
    /// Returns every league that the lake has rows of, by id.
    pub fn leagues(&self) -> Result<Vec<League>, DataError> {
        let mut leagues = Vec::new();
        for path in self.store.list("data/leagues")? {
            let remembered: Option<Remembered> = self.try_get_json(&path)?;
            leagues.extend(remembered.map(|remembered| remembered.league));
        }
        leagues.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(leagues)
    }

    /// Remembers a league of an import; unless `league` describes it, what is known of it stays.
    pub(super) fn remember_imported(&self, id: &LeagueId, league: Option<&League>) -> Result<(), DataError> {
        let path = league_path(id);
        let before: Option<Remembered> = self.try_get_json(&path)?;
        let mut now = before.clone().unwrap_or_else(|| Remembered {
            league: League { id: id.clone(), three_way: false, time_zone: "UTC".to_owned() },
            sources: BTreeMap::new(),
        });
        if let Some(league) = league {
            now.league = league.clone();
        }
        now.sources.entry("import".to_owned()).or_default();
        if before.as_ref() == Some(&now) { Ok(()) } else { self.put_json(&path, &now) }
    }

    /// Refuses to mix rows that were read under different assumptions, which would double lines at two times.
    pub(super) fn check_settings(&self, source: &dyn Source) -> Result<Settings, DataError> {
        let league = source.league();
        let path = league_path(&league.id);
        let before: Option<Remembered> = self.try_get_json(&path)?;
        let mut sources = before.as_ref().map(|before| before.sources.clone()).unwrap_or_default();
        let settings = source.settings();
        if let Some(used) = sources.get(source.id()).filter(|used| **used != settings) {
            return Err(DataError::Setting(format!(
                "league {} was fetched from {} with `{used}`, now `{settings}` is set; go back to it or choose a new store",
                league.id,
                source.id()
            )));
        }
        sources.insert(source.id().to_owned(), settings);
        let now = Remembered { league: league.clone(), sources };
        let changed = before.as_ref() != Some(&now);
        Ok(Settings { path, now, changed })
    }
}

fn league_path(id: &LeagueId) -> String {
    format!("data/leagues/{id}.json")
}
