//! What every command is handed: settings, environment, the clock's one reading, the store, a writer.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
};

use data::{Lake, League, Snapshot, Store};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{args::Cli, exit::Usage, leagues, settings::Settings};

/// Everything a command may use of the outside world.
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) environment: BTreeMap<String, String>,
    /// The one reading of the clock, in whole seconds.
    pub(crate) now: Timestamp,
    store: OnceLock<Store>,
    pub(crate) config: Option<PathBuf>,
    out: Mutex<Box<dyn Write + Send>>,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("settings", &self.settings)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

impl Context {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub(crate) fn new(cli: &Cli) -> anyhow::Result<Self> {
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let mut settings = Settings::load(cli.config.as_deref(), &environment)?;
        if let Some(store) = &cli.store {
            settings.store.clone_from(store);
        }
        let out = Mutex::new(Box::new(std::io::stdout()) as Box<dyn Write + Send>);
        Ok(Self {
            settings,
            environment,
            now: Timestamp::from_second(Timestamp::now().as_second())?,
            store: OnceLock::new(),
            config: cli.config.clone(),
            out,
        })
    }

    /// Writes to stdout: tables and JSON, nothing else.
    pub(crate) fn print(&self, text: &str) -> anyhow::Result<()> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            out.write_all(b"\n")?;
        }
        Ok(out.flush()?)
    }

    pub(crate) fn print_json(&self, value: &impl serde::Serialize) -> anyhow::Result<()> {
        self.print(&serde_json::to_string_pretty(value)?)
    }

    /// Returns a variable that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns the store, opened at its first use.
    pub(crate) fn store(&self) -> anyhow::Result<&Store> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let store = self.store_at(&self.settings.store)?;
        Ok(self.store.get_or_init(|| store))
    }

    /// Opens a folder or a URL with what the environment says of its provider.
    pub(crate) fn store_at(&self, root: &str) -> anyhow::Result<Store> {
        // What opens a bucket is named as its provider's own tools name it: AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS, ...
        let of_provider =
            |name: &str| ["AWS_", "GOOGLE_", "AZURE_"].iter().any(|prefix| name.starts_with(prefix));
        let options = self.environment.iter().filter(|(name, _)| of_provider(name));
        let options = options.map(|(name, value)| (name.to_lowercase(), value.clone()));
        Ok(Store::open_with(root, options)?)
    }

    pub(crate) fn lake(&self) -> anyhow::Result<Lake> {
        Ok(Lake::new(self.store()?.clone()))
    }

    /// Returns what was known before `as_of` of every configured league that was ever fetched.
    ///
    /// A league whose source has never answered does not stop the others.
    pub(crate) fn snapshot(&self, as_of: Timestamp) -> anyhow::Result<Snapshot> {
        let lake = self.lake()?;
        let fetched = lake.leagues()?;
        let configured = leagues::leagues(&self.settings)?;
        let known: Vec<League> =
            configured.iter().filter(|league| fetched.iter().any(|f| f.id == league.id)).cloned().collect();
        if known.is_empty() {
            let names: Vec<String> = configured.iter().map(|league| league.id.to_string()).collect();
            anyhow::bail!("nothing of {} is in the store yet: run `edge fetch`", names.join(", "));
        }
        Ok(lake.snapshot(&known, as_of)?)
    }

    /// Returns the local folder of runs: inside of a store that is a folder, else in the working folder.
    pub(crate) fn runs_folder(&self) -> anyhow::Result<PathBuf> {
        let folder = self.store()?.folder().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        Ok(std::path::absolute(folder)?.join("runs"))
    }

    /// Returns the flags with which this process finds the same settings again.
    pub(crate) fn flags_of_self(&self) -> Vec<OsString> {
        let mut flags = vec![OsString::from("--store"), OsString::from(&self.settings.store)];
        if let Some(config) = &self.config {
            flags.extend([OsString::from("--config"), config.into()]);
        }
        flags
    }

    /// Returns the report's time zone.
    pub(crate) fn time_zone(&self) -> anyhow::Result<TimeZone> {
        let zone = &self.settings.report.time_zone;
        TimeZone::get(zone).map_err(|_| Usage(format!("`{zone}` is no IANA time zone")).into())
    }

    /// Returns the night's date and as-of: D at `report.at` in the report's zone, or this moment.
    ///
    /// A date whose as-of lies ahead of the clock is refused: nothing can be known of it yet.
    pub(crate) fn night(&self, date: Option<Date>) -> anyhow::Result<(Date, Timestamp)> {
        let zone = self.time_zone()?;
        let Some(date) = date else {
            return Ok((self.now.to_zoned(zone).date(), self.now));
        };
        let time = self.settings.report_time()?;
        let as_of = date.to_datetime(time).to_zoned(zone)?.timestamp();
        if as_of > self.now {
            return Err(Usage(format!(
                "{date} at {time} lies ahead: leave --date out for a night as of now"
            ))
            .into());
        }
        Ok((date, as_of))
    }
}

/// Reads the wall clock, for durations and the journal of runs; decisions use the one reading in [`Context`].
#[expect(clippy::disallowed_methods, reason = "the coordinator's clock")]
pub(crate) fn wall_clock() -> Timestamp {
    Timestamp::now()
}

/// Writes one line to stderr, for people.
#[expect(clippy::print_stderr, reason = "the one place where a sentence goes to stderr")]
pub(crate) fn say(line: &str) {
    // Names come from outside: none may move the cursor or colour the screen.
    let plain: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    eprintln!("{plain}");
}
