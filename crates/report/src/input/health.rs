//! Freshness of the data, rows refused, steps that failed.

use jiff::Timestamp;
use market::LeagueId;
use serde::{Deserialize, Serialize};

/// State of one league's data at the as-of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// The league.
    pub league: LeagueId,
    /// Newest price, UTC; none when there is none.
    pub newest_line: Option<Timestamp>,
    /// Newest result, UTC; none when there is none.
    pub newest_result: Option<Timestamp>,
    /// Rows that last night's pull added.
    pub rows_added: usize,
    /// Verdict.
    pub status: FeedStatus,
    /// What is missing or odd, in words: books without prices, a source that did not answer.
    pub note: Option<String>,
}

/// Verdict on a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedStatus {
    /// As new as it should be.
    Fresh,
    /// Older than usual.
    Late,
    /// Nothing new for long; picks do not rest on it.
    Frozen,
    /// No rows at all.
    Empty,
}

impl FeedStatus {
    /// Returns the word that the report shows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Late => "late",
            Self::Frozen => "frozen",
            Self::Empty => "empty",
        }
    }
}

/// Rows refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quarantine {
    /// The reason.
    pub reason: String,
    /// How many rows.
    pub count: usize,
    /// A few of them, as short texts.
    pub examples: Vec<String>,
}

/// A step of the night that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailedTask {
    /// The step's name.
    pub task: String,
    /// What went wrong, in one line.
    pub error: String,
    /// What the report uses instead, as a noun: `the champion of 17 November`; none when nothing replaces it.
    pub used_instead: Option<String>,
}
