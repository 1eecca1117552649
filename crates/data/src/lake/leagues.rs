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
    /// The source whose names the teams bear: the first that brought rows.
    #[serde(default)]
    named_by: Option<String>,
    /// Which files count; it grows when the tables are rebuilt.
    #[serde(default)]
    generation: u32,
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

    /// Returns the generation that these settings make count.
    pub(super) fn generation(&self) -> u32 {
        self.now.generation
    }

    /// Returns whether a source gives the league's teams their names.
    pub(super) fn names(&self, source: &str) -> bool {
        self.now.named_by.as_deref() == Some(source)
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

    /// Returns whether anything of a league was ever fetched.
    pub(super) fn holds(&self, league: &LeagueId) -> Result<bool, DataError> {
        self.store.exists(&league_path(league))
    }

    /// Returns whether rows of a league came in bulk, beside any source.
    pub(super) fn was_imported(&self, league: &LeagueId) -> Result<bool, DataError> {
        let remembered: Option<Remembered> = self.try_get_json(&league_path(league))?;
        Ok(remembered.is_some_and(|remembered| remembered.sources.contains_key("import")))
    }

    /// Remembers a league of an import; unless `league` describes it, what is known of it stays.
    pub(super) fn remember_imported(&self, id: &LeagueId, league: Option<&League>) -> Result<(), DataError> {
        let path = league_path(id);
        let before: Option<Remembered> = self.try_get_json(&path)?;
        let mut now = before.clone().unwrap_or_else(|| Remembered {
            league: League { id: id.clone(), three_way: false, time_zone: "UTC".to_owned() },
            sources: BTreeMap::new(),
            named_by: None,
            generation: 0,
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
        let (named_by, generation) =
            before.as_ref().map_or((None, 0), |before| (before.named_by.clone(), before.generation));
        if let Some(used) = sources.get(source.id()).filter(|used| **used != settings) {
            return Err(DataError::Setting(format!(
                "league {id} was fetched from {} with `{used}`, now `{settings}` is set; go back to it, or run `edge fetch --league {id} --replay` to read everything anew",
                source.id(),
                id = league.id
            )));
        }
        // Rows from before names were kept track of came from the source that was there.
        let named_by = named_by.or_else(|| sources.keys().find(|source| *source != "import").cloned());
        sources.insert(source.id().to_owned(), settings);
        let named_by = named_by.or_else(|| Some(source.id().to_owned()));
        let now = Remembered { league: league.clone(), sources, named_by, generation };
        let changed = before.as_ref() != Some(&now);
        Ok(Settings { path, now, changed })
    }
}

impl Lake {
    /// Returns which generation of a league's files counts.
    pub(super) fn generation(&self, league: &LeagueId) -> Result<u32, DataError> {
        let remembered: Option<Remembered> = self.try_get_json(&league_path(league))?;
        Ok(remembered.map_or(0, |remembered| remembered.generation))
    }

    /// Describes a league whose tables are rebuilt from `sources`, the first of which names the teams.
    pub(super) fn rebuilt(&self, league: &League, sources: &[&dyn Source]) -> Result<Settings, DataError> {
        let path = league_path(&league.id);
        let generation = self.generation(&league.id)? + 1;
        let now = Remembered {
            league: league.clone(),
            sources: sources.iter().map(|source| (source.id().to_owned(), source.settings())).collect(),
            named_by: sources.first().map(|source| source.id().to_owned()),
            generation,
        };
        Ok(Settings { path, now, changed: true })
    }
}

fn league_path(id: &LeagueId) -> String {
    format!("data/leagues/{id}.json")
}
