//! What there can be a notice of.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use market::{LeagueId, Money};
use serde::{Deserialize, Serialize};

use super::{Notice, NoticeKey, Severity, words};
use crate::format::shorten;

/// Longest error that is passed on, in characters.
const LONGEST_ERROR: usize = 1000;

/// Something that people want to hear of before they read the report.
///
/// Each names what tells its episodes apart: the same episode is told once per channel, a new one again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Occasion {
    /// Another model is in use. An episode is a version and when it was promoted.
    NewChampion {
        /// Its version.
        version: String,
        /// sha256 of its weights, hexadecimal.
        sha256: String,
        /// By how much its mean log-loss on held-out games is below that of the champion before it; none when the two
        /// were not compared.
        log_loss_gain: Option<f64>,
        /// As-of of its promotion, UTC.
        since: Timestamp,
    },
    /// An earlier model is in use again. An episode is a version and since when.
    ChampionRolledBack {
        /// The version in use now.
        version: String,
        /// The version that it replaces.
        from: String,
        /// As-of of the change, UTC.
        since: Timestamp,
    },
    /// A night ended with steps that failed. An episode is a run and the steps, whatever their errors say.
    RunFailed {
        /// The run.
        run_id: String,
        /// The night.
        date: Date,
        /// What failed, and why.
        tasks: Vec<TaskFailure>,
        /// Whether the report was written all the same.
        reported: bool,
    },
    /// A job of the schedule has not run when it should have. An episode is a job and when it was due.
    RunLate {
        /// The job: `fetch`, `train` or `nightly`.
        job: String,
        /// When it was due, UTC.
        due: Timestamp,
        /// Whole minutes since then.
        late_minutes: u32,
    },
    /// The bankroll has fallen too far below its peak. An episode is a peak.
    DrawdownLimit {
        /// Share lost since the peak, 0.25 for 25 %; the sign does not matter.
        drawdown: f64,
        /// The share from which there is a notice.
        limit: f64,
        /// Money left.
        bankroll: Money,
        /// ISO code.
        currency: String,
        /// Day of the peak in the report's time zone.
        peak: Date,
    },
    /// A league's prices have stood still for long. An episode is a league and its newest price.
    FeedFrozen {
        /// The league.
        league: LeagueId,
        /// Its newest price, UTC; none when there is none.
        newest_line: Option<Timestamp>,
        /// When that was looked at, UTC.
        as_of: Timestamp,
    },
}

/// A step that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskFailure {
    /// The step's name.
    pub task: String,
    /// What went wrong.
    pub error: String,
}

impl Occasion {
    /// Writes the notice; `at` is when the occasion was seen, and instants are shown in `zone`.
    ///
    /// Same occasion, instant and zone: same notice.
    pub fn notice(&self, at: Timestamp, zone: &TimeZone) -> Notice {
        let (title, body) = words::of(self, zone);
        let (key, severity) = (self.key(), self.severity());
        Notice { key, severity, title, body, at, occasion: self.trimmed() }
    }

    /// Returns the kind as the webhook's document writes it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NewChampion { .. } => "new_champion",
            Self::ChampionRolledBack { .. } => "champion_rolled_back",
            Self::RunFailed { .. } => "run_failed",
            Self::RunLate { .. } => "run_late",
            Self::DrawdownLimit { .. } => "drawdown_limit",
            Self::FeedFrozen { .. } => "feed_frozen",
        }
    }

    /// Returns the key of the episode.
    pub fn key(&self) -> NoticeKey {
        let of = |parts: &[&str]| NoticeKey::of(self.kind(), parts);
        match self {
            Self::NewChampion { version, since, .. } | Self::ChampionRolledBack { version, since, .. } => {
                of(&[version, &since.to_string()])
            }
            Self::RunFailed { run_id, tasks, .. } => {
                let mut names: Vec<&str> = tasks.iter().map(|failure| failure.task.as_str()).collect();
                names.sort_unstable();
                names.dedup();
                of(&[run_id, &names.join(".")])
            }
            Self::RunLate { job, due, .. } => of(&[job, &due.to_string()]),
            Self::DrawdownLimit { peak, .. } => of(&[&peak.to_string()]),
            Self::FeedFrozen { league, newest_line, .. } => {
                let newest = newest_line.map_or_else(|| "none".to_owned(), |instant| instant.to_string());
                of(&[league.as_str(), &newest])
            }
        }
    }

    /// Returns how much it matters.
    pub fn severity(&self) -> Severity {
        match self {
            Self::NewChampion { .. } | Self::ChampionRolledBack { .. } => Severity::News,
            Self::RunFailed { reported: true, .. } | Self::RunLate { .. } | Self::FeedFrozen { .. } => {
                Severity::Warning
            }
            Self::RunFailed { reported: false, .. } | Self::DrawdownLimit { .. } => Severity::Problem,
        }
    }

    /// Cuts errors to what a receiver can be asked to take.
    fn trimmed(&self) -> Self {
        let mut occasion = self.clone();
        if let Self::RunFailed { tasks, .. } = &mut occasion {
            for failure in tasks {
                failure.error = shorten(&failure.error, LONGEST_ERROR);
            }
        }
        occasion
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(tasks: &[&str], error: &str) -> Occasion {
        let failure = |task: &&str| TaskFailure { task: (*task).to_owned(), error: error.to_owned() };
        Occasion::RunFailed {
            run_id: "2026-11-20".into(),
            date: "2026-11-20".parse().unwrap(),
            tasks: tasks.iter().map(failure).collect(),
            reported: true,
        }
    }

    #[test]
    fn an_episode_keeps_its_key_and_a_new_one_has_another() {
        let key = |tasks: &[&str], error| failed(tasks, error).key().to_string();
        assert_eq!(key(&["train", "sweep"], "a"), "run-failed:2026-11-20:sweep.train");
        assert_eq!(key(&["train", "sweep"], "a"), key(&["sweep", "train"], "b"));
        assert_ne!(key(&["train"], "a"), key(&["train", "sweep"], "a"));
        let drawdown = |peak: &str, drawdown| Occasion::DrawdownLimit {
            drawdown,
            limit: 0.2,
            bankroll: Money::ZERO,
            currency: "EUR".into(),
            peak: peak.parse().unwrap(),
        };
        assert_eq!(drawdown("2026-10-12", 0.21).key(), drawdown("2026-10-12", 0.35).key());
        assert_ne!(drawdown("2026-10-12", 0.21).key(), drawdown("2027-01-02", 0.21).key());
    }

    #[test]
    fn an_occasion_is_read_back_from_its_document() {
        let occasion = failed(&["train"], "out of memory");
        let text = serde_json::to_string(&occasion).unwrap();
        assert!(text.starts_with(r#"{"kind":"run_failed","#), "{text}");
        assert_eq!(serde_json::from_str::<Occasion>(&text).unwrap(), occasion);
    }
}
