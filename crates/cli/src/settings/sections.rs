//! The sections of `edge.toml` and their defaults.

use std::{collections::BTreeMap, path::PathBuf};

use jiff::SignedDuration;
use ledger::rule::{HouseRules, Overtime};
use market::{LeagueId, settlement::Tie};
use serde::{Deserialize, Serialize};

/// One `[[league]]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LeagueSettings {
    pub(crate) id: LeagueId,
    pub(crate) source: SourceKind,
    #[serde(default, skip_serializing_if = "Paths::is_none")]
    pub(crate) path: Paths,
    #[serde(default)]
    pub(crate) line_lead: Option<SignedDuration>,
    #[serde(default)]
    pub(crate) closing_lead: Option<SignedDuration>,
    #[serde(default)]
    pub(crate) schedule_lead: Option<SignedDuration>,
    #[serde(default)]
    pub(crate) starters_lead: Option<SignedDuration>,
    /// IANA zone of the games' dates, where the source does not fix it.
    #[serde(default)]
    pub(crate) time_zone: Option<String>,
    #[serde(default)]
    pub(crate) seed: Option<u64>,
    /// Whether a draw is an outcome, where the source does not fix it.
    #[serde(default)]
    pub(crate) three_way: Option<bool>,
    /// The league as an API calls it: `baseball_mlb`, `football/nfl`.
    #[serde(default)]
    pub(crate) sport: Option<String>,
    /// Whose books an API is asked for: `us`, `uk`, `eu`, `au`.
    #[serde(default)]
    pub(crate) regions: Vec<String>,
    /// Month in which an API's seasons begin.
    #[serde(default)]
    pub(crate) season_starts: Option<i8>,
    /// An API under another address.
    #[serde(default)]
    pub(crate) address: Option<String>,
    /// The one division of a file with several.
    #[serde(default)]
    pub(crate) division: Option<String>,
    /// CSV file that says whose a name is.
    #[serde(default)]
    pub(crate) aliases: Option<String>,
    /// How a CSV file is to be read.
    #[serde(default)]
    pub(crate) csv: Option<data::CsvSettings>,
    /// What the bookmakers say beyond the score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) settlement: Option<Settlement>,
}

/// `[league.settlement]`: every key has a default that follows from the source.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settlement {
    pub(crate) tie: Option<Tie>,
    pub(crate) overtime: Option<Overtime>,
    pub(crate) moved_within_hours: Option<u16>,
}

impl LeagueSettings {
    /// Returns the rules by which bets on this league are settled, in a currency with so many decimals.
    pub(crate) fn house_rules(&self, decimals: u8) -> HouseRules {
        let (usual, set) = (HouseRules::default(), self.settlement.unwrap_or_default());
        HouseRules {
            tie: set.tie.unwrap_or(usual.tie),
            overtime: set.overtime.or(self.scores_hold()).unwrap_or(usual.overtime),
            moved_within_hours: set.moved_within_hours.unwrap_or(usual.moved_within_hours),
            decimals,
        }
    }

    /// Says whether the source's scores hold overtime; none where that depends on the league.
    pub(crate) fn scores_hold(&self) -> Option<Overtime> {
        match self.source {
            SourceKind::Nflverse => Some(Overtime::Counts),
            SourceKind::FootballData => Some(Overtime::Excluded),
            _ => None,
        }
    }

    /// Returns the name of the night's step that pulls this source; the first source of a league needs no more than its id.
    pub(crate) fn task(&self, is_first: bool) -> String {
        if is_first {
            format!("fetch-{}", self.id)
        } else {
            format!("fetch-{}-{}", self.id, self.source.as_str())
        }
    }
}

/// Where a league's rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SourceKind {
    Demo,
    Nflverse,
    FootballData,
    TheOddsApi,
    Espn,
    Csv,
}

impl SourceKind {
    /// Returns the source's id.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Demo => "demo",
            Self::Nflverse => "nflverse",
            Self::FootballData => "football_data",
            Self::TheOddsApi => "the_odds_api",
            Self::Espn => "espn",
            Self::Csv => "csv",
        }
    }

    /// Returns whether the source can be asked without a path.
    pub(crate) fn is_api(self) -> bool {
        matches!(self, Self::Demo | Self::TheOddsApi | Self::Espn)
    }
}

/// One path or a list of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Paths {
    #[default]
    None,
    One(String),
    Many(Vec<String>),
}

impl Paths {
    fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    pub(crate) fn to_vec(&self) -> Vec<String> {
        match self {
            Self::None => Vec::new(),
            Self::One(path) => vec![path.clone()],
            Self::Many(paths) => paths.clone(),
        }
    }
}

/// `[sweep]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SweepSettings {
    pub(crate) trials: usize,
    pub(crate) epochs: usize,
    pub(crate) at_once: usize,
    pub(crate) workers: Workers,
    /// Who suggests what is tried next.
    pub(crate) sampler: sweep::Sampler,
    /// When a trial that does worse than others gives up.
    pub(crate) pruning: sweep::Pruning,
    /// How many of the best points of the last night's study are tried first.
    pub(crate) warm_start: usize,
    /// What is searched; the usual space when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) space: Option<sweep::Space>,
    /// Most megabytes of memory that a trial may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory_mb: Option<u64>,
    pub(crate) ray: RayWorkers,
    pub(crate) ssh: SshWorkers,
}

/// `[sweep.ray]`; the cluster's token, if it has one, is `RAY_AUTH_TOKEN`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RayWorkers {
    /// The dashboard.
    pub(crate) address: String,
    /// Cores of a trial.
    pub(crate) cpus: f64,
    /// GPUs of a trial.
    pub(crate) gpus: u32,
    /// Folder that this machine and all workers share, at the same path; that of the run when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) folder: Option<PathBuf>,
    /// This program on the workers; at the same path as here when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) program: Option<PathBuf>,
    /// Custom resources that a trial takes.
    pub(crate) resources: BTreeMap<String, f64>,
}

/// `[sweep.ssh]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SshWorkers {
    /// This program on the nodes; at the same path as here when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) program: Option<PathBuf>,
    pub(crate) nodes: Vec<coordinator::Node>,
}

/// Who runs the trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Workers {
    /// Processes on this machine.
    Local,
    /// Nodes reached by ssh.
    Ssh,
    /// A Ray cluster.
    Ray,
}

/// `[report]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ReportSettings {
    pub(crate) title: String,
    pub(crate) time_zone: String,
    pub(crate) at: String,
    pub(crate) slate_hours: u32,
    /// Language, numbers, dates and money of report, mail and pages: `en-GB`, `de-DE`.
    pub(crate) locale: String,
    /// Folder of templates that replace built-in ones, file by file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) templates: Option<String>,
}

/// `[schedule]`: cron expressions in `time_zone`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ScheduleSettings {
    pub(crate) time_zone: String,
    pub(crate) fetch: String,
    pub(crate) train: String,
    pub(crate) report: String,
    /// How long after its time a missed run is still worth doing.
    pub(crate) grace: SignedDuration,
    /// How long jobs may take to come to an end when the schedule is stopped.
    pub(crate) stop_within: SignedDuration,
    /// Where `/healthz` is answered; nowhere when empty.
    pub(crate) listen: String,
}

impl Default for SweepSettings {
    fn default() -> Self {
        let (ray, ssh) = (RayWorkers::default(), SshWorkers::default());
        Self {
            trials: 4,
            epochs: 4,
            at_once: 2,
            workers: Workers::Local,
            sampler: sweep::Sampler::default(),
            pruning: sweep::Pruning::default(),
            warm_start: 1,
            space: None,
            memory_mb: None,
            ray,
            ssh,
        }
    }
}

impl Default for RayWorkers {
    fn default() -> Self {
        let address = "http://127.0.0.1:8265".to_owned();
        Self { address, cpus: 1.0, gpus: 0, folder: None, program: None, resources: BTreeMap::new() }
    }
}

impl Default for ReportSettings {
    fn default() -> Self {
        Self {
            title: "Daily Edge Report".to_owned(),
            time_zone: "UTC".to_owned(),
            at: "09:00".to_owned(),
            slate_hours: 24,
            locale: "en".to_owned(),
            templates: None,
        }
    }
}

impl Default for ScheduleSettings {
    fn default() -> Self {
        Self {
            time_zone: "UTC".to_owned(),
            fetch: "0 */4 * * *".to_owned(),
            train: "30 2 * * *".to_owned(),
            report: "0 9 * * *".to_owned(),
            grace: SignedDuration::from_hours(20),
            stop_within: SignedDuration::from_secs(60),
            listen: String::new(),
        }
    }
}
