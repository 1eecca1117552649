//! The sections of `edge.toml` and their defaults.

use jiff::SignedDuration;
use market::LeagueId;
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
}

/// Where a league's rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SourceKind {
    Demo,
    Nflverse,
    FootballData,
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
}

/// Who runs the trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Workers {
    /// Processes on this machine.
    Local,
}

/// `[serve]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServeSettings {
    pub(crate) listen: String,
}

/// `[report]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ReportSettings {
    pub(crate) title: String,
    pub(crate) time_zone: String,
    pub(crate) at: String,
    pub(crate) slate_hours: u32,
}

/// `[schedule]`: cron expressions in `time_zone`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ScheduleSettings {
    pub(crate) time_zone: String,
    pub(crate) fetch: String,
    pub(crate) train: String,
    pub(crate) report: String,
}

impl Default for SweepSettings {
    fn default() -> Self {
        Self { trials: 4, epochs: 4, at_once: 2, workers: Workers::Local }
    }
}

impl Default for ServeSettings {
    fn default() -> Self {
        Self { listen: "127.0.0.1:8000".to_owned() }
    }
}

impl Default for ReportSettings {
    fn default() -> Self {
        Self {
            title: "Daily Edge Report".to_owned(),
            time_zone: "UTC".to_owned(),
            at: "09:00".to_owned(),
            slate_hours: 24,
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
        }
    }
}
