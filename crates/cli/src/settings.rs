//! One settings struct: defaults, then `edge.toml`, then `EDGE_*` from the environment, then flags.
//!
//! Unknown keys are errors that name the key and the line. Secrets never live here: they stay in the environment.

mod mail;
mod night;
mod sections;
mod serve;
mod telemetry;

use std::{collections::BTreeMap, path::Path};

use ledger::{
    StakeSettings,
    rule::{HouseRules, Overtime},
};
use market::{LeagueId, Money, settlement::Tie};
use model::TrainSettings;
use serde::{Deserialize, Serialize};

pub(crate) use self::mail::{ChannelKind, MailSettings, NoticeSettings};
pub(crate) use self::night::NightSettings;
pub(crate) use self::sections::{
    LeagueSettings, Paths, ReportSettings, ScheduleSettings, SourceKind, SweepSettings, Workers,
};
pub(crate) use self::serve::{ServeScope, ServeSettings};
pub(crate) use self::telemetry::{LogFormat, LogSettings, TelemetrySettings};
use crate::exit::Usage;

/// The whole of `edge.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) store: String,
    pub(crate) bankroll: Money,
    pub(crate) currency: String,
    pub(crate) league: Vec<LeagueSettings>,
    pub(crate) model: TrainSettings,
    pub(crate) sweep: SweepSettings,
    pub(crate) night: NightSettings,
    pub(crate) stakes: StakeSettings,
    pub(crate) serve: ServeSettings,
    pub(crate) report: ReportSettings,
    pub(crate) mail: MailSettings,
    pub(crate) notices: NoticeSettings,
    pub(crate) schedule: ScheduleSettings,
    pub(crate) log: LogSettings,
    pub(crate) telemetry: TelemetrySettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            store: "edge-store".to_owned(),
            bankroll: "1000.00".parse().unwrap_or_default(),
            currency: "EUR".to_owned(),
            league: Vec::new(),
            model: TrainSettings::default(),
            sweep: SweepSettings::default(),
            night: NightSettings::default(),
            stakes: StakeSettings::default(),
            serve: ServeSettings::default(),
            report: ReportSettings::default(),
            mail: MailSettings::default(),
            notices: NoticeSettings::default(),
            schedule: ScheduleSettings::default(),
            log: LogSettings::default(),
            telemetry: TelemetrySettings::default(),
        }
    }
}

impl Settings {
    /// Reads the file, lets `environment` speak after it, and checks what can be checked without I/O.
    ///
    /// Without `path` the file `edge.toml` of the working folder is read when it exists.
    pub(crate) fn load(path: Option<&Path>, environment: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let file = path.unwrap_or(Path::new("edge.toml"));
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if path.is_none() && error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Usage(format!("cannot read {}: {error}", file.display())).into()),
        };
        let from_file: Self = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            Usage(format!("{} line {line}: {}", file.display(), error.message().replace('\n', " ")))
        })?;
        let mut settings = from_file.overlay(environment)?;
        settings.resolve_relative_to(file.parent().unwrap_or(Path::new("")));
        settings.check()?;
        Ok(settings)
    }

    /// Replaces each `section.key` by the variable `EDGE_SECTION_KEY` where that is set.
    fn overlay(self, environment: &BTreeMap<String, String>) -> anyhow::Result<Self> {
        let mut table = toml::Table::try_from(&self)?;
        let mut used = Vec::new();
        for (key, value) in &mut table {
            let name = format!("EDGE_{}", key.to_uppercase());
            if let toml::Value::Table(section) = value {
                let before = used.len();
                for (key, value) in section {
                    replace(value, &format!("{name}_{}", key.to_uppercase()), environment, &mut used)?;
                }
                refuse_unknown(&name, &used[before..], environment)?;
            } else if !value.is_array() {
                replace(value, &name, environment, &mut used)?;
            }
        }
        if used.is_empty() {
            return Ok(self);
        }
        let spoken = used.join(", ");
        let explain =
            |error: toml::de::Error| Usage(format!("{spoken}: {}", error.message().replace('\n', " ")));
        Ok(Self::deserialize(table).map_err(explain)?)
    }

    /// Paths in the file are meant from where the file lies.
    fn resolve_relative_to(&mut self, folder: &Path) {
        let resolve = |path: &mut String| {
            if !path.contains("://") && Path::new(path).is_relative() {
                *path = folder.join(&path).display().to_string();
            }
        };
        resolve(&mut self.store);
        self.report.templates.iter_mut().for_each(resolve);
        for league in &mut self.league {
            match &mut league.path {
                Paths::None => {}
                Paths::One(path) => resolve(path),
                Paths::Many(paths) => paths.iter_mut().for_each(resolve),
            }
            league.aliases.iter_mut().for_each(resolve);
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        self.model.check().map_err(|error| Usage(format!("[model] cannot be used: {error}")))?;
        if self.sweep.trials == 0 || self.sweep.epochs == 0 {
            return Err(Usage("sweep.trials and sweep.epochs must be at least 1".to_owned()).into());
        }
        let ray = &self.sweep.ray;
        if !(ray.cpus.is_finite() && ray.cpus > 0.0) {
            return Err(Usage(format!("sweep.ray.cpus is {}, it must be above 0", ray.cpus)).into());
        }
        self.night.check().map_err(Usage)?;
        self.notices.check().map_err(Usage)?;
        self.telemetry.check().map_err(Usage)?;
        let stakes = &self.stakes;
        let shares = [
            ("stakes.kelly_fraction", stakes.kelly_fraction),
            ("stakes.max_bet", stakes.max_bet),
            ("stakes.max_day", stakes.max_day),
            ("stakes.min_score", stakes.min_score),
        ];
        let optional = [("stakes.max_game", stakes.max_game), ("stakes.max_league", stakes.max_league)];
        let optional = optional.into_iter().filter_map(|(name, value)| Some((name, value?)));
        for (name, value) in shares.into_iter().chain(optional) {
            if !(0.0..=1.0).contains(&value) {
                return Err(Usage(format!("{name} is {value}, it must lie between 0 and 1")).into());
            }
        }
        if !stakes.hurdle.is_finite() || stakes.hurdle < 0.0 {
            let told =
                format!("stakes.hurdle is {}, it must be 0 or a little more, like 0.01", stakes.hurdle);
            return Err(Usage(told).into());
        }
        if stakes.bets_per_game == 0 {
            return Err(Usage("stakes.bets_per_game must be at least 1".to_owned()).into());
        }
        if self.bankroll <= Money::ZERO {
            return Err(Usage(format!("bankroll is {}, it must be above 0", self.bankroll)).into());
        }
        for zone in [&self.report.time_zone, &self.schedule.time_zone] {
            jiff::tz::TimeZone::get(zone).map_err(|_| {
                Usage(format!("`{zone}` is no IANA time zone: write for instance Europe/Berlin"))
            })?;
        }
        report::locale::Locale::new(&self.report.locale)
            .map_err(|error| Usage(format!("report.locale: {error}")))?;
        if self.schedule.grace.is_negative() || self.schedule.stop_within.is_negative() {
            return Err(
                Usage("schedule.grace and schedule.stop_within must not be negative".to_owned()).into()
            );
        }
        self.report_time()?;
        for (index, league) in self.league.iter().enumerate() {
            let same = |other: &&LeagueSettings| other.id == league.id && other.source == league.source;
            if self.league[..index].iter().any(|other| same(&other)) {
                let source = league.source.as_str();
                return Err(Usage(format!("league `{}` is configured twice from {source}", league.id)).into());
            }
            check_league(league).map_err(|problem| Usage(format!("league `{}`: {problem}", league.id)))?;
        }
        Ok(())
    }

    /// Returns the decimals of the currency: 2, but for those of ISO 4217 that have no coin below one.
    pub(crate) fn decimals(&self) -> u8 {
        if WITHOUT_CENTS.contains(&self.currency.as_str()) { 0 } else { 2 }
    }

    /// Returns the rules of staking, with amounts in the currency's own coins.
    pub(crate) fn stakes(&self) -> StakeSettings {
        let coin = (self.decimals() == 0).then(|| "1".parse().unwrap_or(Money::ZERO));
        StakeSettings { step: self.stakes.step.or(coin), ..self.stakes.clone() }
    }

    /// Returns the rules by which bets on a league are settled.
    pub(crate) fn house_rules(&self, league: &LeagueId) -> HouseRules {
        let leagues = self.leagues();
        let found = leagues.iter().find(|settings| settings.id == *league);
        let unknown = HouseRules { decimals: self.decimals(), ..HouseRules::default() };
        found.map_or(unknown, |settings| settings.house_rules(self.decimals()))
    }

    /// Returns the time of day at which a past night's as-of lies.
    pub(crate) fn report_time(&self) -> anyhow::Result<jiff::civil::Time> {
        let parsed = self.report.at.parse();
        parsed
            .map_err(|_| Usage(format!("report.at is `{}`, write for instance 09:00", self.report.at)).into())
    }

    /// Returns the leagues, the demo league when none is configured.
    pub(crate) fn leagues(&self) -> Vec<LeagueSettings> {
        if !self.league.is_empty() {
            return self.league.clone();
        }
        let demo: Result<LeagueSettings, _> = toml::from_str("id = \"demo\"\nsource = \"demo\"");
        demo.into_iter().collect()
    }
}

/// Currencies without a coin below one.
const WITHOUT_CENTS: [&str; 16] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF",
    "XPF",
];

fn check_league(league: &LeagueSettings) -> Result<(), String> {
    if !league.source.is_api() && league.path.to_vec().is_empty() {
        return Err("it has no path: name a file, folder, glob or URL".to_owned());
    }
    let needs_sport = matches!(league.source, SourceKind::TheOddsApi | SourceKind::Espn);
    if needs_sport && league.sport.is_none() {
        let like = if league.source == SourceKind::Espn { "football/nfl" } else { "baseball_mlb" };
        return Err(format!(
            "{} wants a sport: write for instance sport = \"{like}\"",
            league.source.as_str()
        ));
    }
    let settlement = league.settlement.unwrap_or_default();
    if settlement.tie == Some(Tie::Offered) {
        return Err("settlement.tie says what a draw is where none is offered: push, loses or dead_heat; \
                    a league with draws has three_way = true"
            .to_owned());
    }
    if let (Some(wanted), Some(held)) = (settlement.overtime, league.scores_hold())
        && wanted != held
    {
        let holds = if held == Overtime::Counts { "include" } else { "leave out" };
        return Err(format!(
            "the scores of {} {holds} overtime, so that bets cannot be settled otherwise: leave settlement.overtime out",
            league.source.as_str()
        ));
    }
    if league.source == SourceKind::Csv && league.csv.is_none() {
        return Err("a CSV file wants a [league.csv.columns] table that says which column is what".to_owned());
    }
    Ok(())
}

fn replace(
    value: &mut toml::Value,
    name: &str,
    environment: &BTreeMap<String, String>,
    used: &mut Vec<String>,
) -> anyhow::Result<()> {
    let Some(text) = environment.get(name) else { return Ok(()) };
    let invalid = |kind: &str| Usage(format!("{name} is `{text}`, it must be {kind}"));
    *value = match value {
        toml::Value::Integer(_) => toml::Value::Integer(text.parse().map_err(|_| invalid("a whole number"))?),
        toml::Value::Float(_) => toml::Value::Float(text.parse().map_err(|_| invalid("a number"))?),
        toml::Value::Boolean(_) => toml::Value::Boolean(text.parse().map_err(|_| invalid("true or false"))?),
        _ => toml::Value::String(text.clone()),
    };
    used.push(name.to_owned());
    Ok(())
}

/// A misspelt variable must not pass for a setting.
fn refuse_unknown(
    section: &str,
    used: &[String],
    environment: &BTreeMap<String, String>,
) -> anyhow::Result<()> {
    let of_section = |name: &&String| name.strip_prefix(section).is_some_and(|rest| rest.starts_with('_'));
    let known = |name: &&String| used.contains(name) || name.as_str() == "EDGE_SERVE_TOKEN";
    match environment.keys().filter(of_section).find(|name| !known(name)) {
        Some(name) => {
            Err(Usage(format!("{name} names no setting: see the keys that `edge init` writes")).into())
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn load(text: &str, environment: &[(&str, &str)]) -> anyhow::Result<Settings> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("edge.toml");
        std::fs::write(&path, text)?;
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Settings::load(Some(&path), &environment)
    }

    #[test]
    fn the_environment_beats_the_file_which_beats_the_defaults() {
        let text = "currency = \"CHF\"\n[stakes]\nmax_bet = 0.05\nmax_day = 0.2";
        let settings = load(text, &[("EDGE_STAKES_MAX_BET", "0.01"), ("EDGE_MODEL_HIDDEN", "16")]).unwrap();
        assert_eq!(settings.currency, "CHF");
        assert_eq!((settings.stakes.max_bet, settings.stakes.max_day), (0.01, 0.2));
        assert_eq!((settings.model.hidden, settings.stakes.kelly_fraction), (16, 0.25));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = load("store = \"s\"\n[stakes]\nkelly = 0.5\n", &[]).unwrap_err().to_string();
        assert!(error.contains("line 3") && error.contains("`kelly`"), "{error}");
    }

    #[test]
    fn leagues_survive_a_word_from_the_environment() {
        let text = "[[league]]\nid = \"demo\"\nsource = \"demo\"\n[[league]]\nid = \"nfl\"\nsource = \"nflverse\"\npath = \"/n.csv\"\nline_lead = \"12h\"";
        let settings = load(text, &[("EDGE_CURRENCY", "USD")]).unwrap();
        assert_eq!(settings.league.len(), 2);
        assert_eq!(settings.league[1].line_lead, Some(SignedDuration::from_hours(12)));
    }

    #[test]
    fn a_value_out_of_range_is_refused() {
        for (text, named) in [
            ("[stakes]\nmax_bet = 1.5", "stakes.max_bet"),
            ("bankroll = \"0\"", "bankroll"),
            ("[report]\ntime_zone = \"Mars\"", "Mars"),
            ("[report]\nat = \"9 o'clock\"", "report.at"),
            ("[[league]]\nid = \"nfl\"\nsource = \"nflverse\"", "path"),
            ("[[league]]\nid = \"x\"\nsource = \"oracle\"", "oracle"),
        ] {
            let error = load(text, &[]).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
        let error = load("", &[("EDGE_MODEL_HIDEN", "8")]).unwrap_err().to_string();
        assert!(error.contains("EDGE_MODEL_HIDEN"), "{error}");
        assert!(load("", &[("EDGE_SERVE_TOKEN", "t"), ("EDGE_CACHE", "/c")]).is_ok());
        let error = load("[model]\nhidden = 10\nheads = 4", &[]).unwrap_err().to_string();
        assert!(error.contains("[model]") && error.contains("hidden"), "{error}");
        let error = load("", &[("EDGE_MODEL_EPOCHS", "many")]).unwrap_err().to_string();
        assert!(error.contains("EDGE_MODEL_EPOCHS"), "{error}");
    }
}
