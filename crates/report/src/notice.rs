//! Word of what cannot wait for the report: told once to each channel, however often a night is run.
//!
//! An [`Occasion`] becomes a [`Notice`] with a key that stands for its episode; [`tell()`] posts what a [`Channel`] has
//! not had and keeps the [`NoticeLog`]. What is sent, and how to switch it on, stands in `docs/notices.md`.
//!
//! | channel | posts | a repeat after a crash |
//! |---|---|---|
//! | Slack, or what takes its webhooks | Block Kit with a plain text beside | is posted again |
//! | webhook | a JSON document, signed when there is a secret | carries the same `idempotency-key` |
//! | GitHub | an issue labelled `edge` | is found by its marker, and not opened again |
//!
//! # Example
//! ```
//! use jiff::tz::TimeZone;
//! use report::notice::{Channel, NoticeLog, Occasion, RETRY, tell};
//!
//! let occasion = Occasion::FeedFrozen {
//!     league: market::LeagueId::new("epl").unwrap(),
//!     newest_line: Some("2026-11-17T20:45:00Z".parse().unwrap()),
//!     as_of: "2026-11-20T09:00:00Z".parse().unwrap(),
//! };
//! let notice = occasion.notice("2026-11-20T09:00:00Z".parse().unwrap(), &TimeZone::UTC);
//! assert_eq!(notice.title, "Feed frozen: epl");
//! assert_eq!(notice.key.as_str(), "feed-frozen:epl:2026-11-17T20-45-00Z");
//!
//! let slack = Channel::slack("https://hooks.example.org/services/T0/B0/s3cret").unwrap();
//! assert!(!format!("{slack:?}").contains("s3cret"));
//!
//! // It was told last night, so nothing is sent.
//! let mut log = NoticeLog::default();
//! log.finish(&notice.key, slack.name(), notice.at);
//! let outcomes = tell(&[slack], &[notice], &mut log, &RETRY, || unreachable!(), |_| Ok::<_, std::io::Error>(()));
//! assert_eq!(outcomes[0].result.as_ref().ok(), Some(&report::notice::Told::Before));
//! ```

mod address;
mod attempt;
mod channel;
mod error;
mod github;
mod key;
mod log;
mod occasion;
mod slack;
mod tell;
mod text;
mod webhook;
mod words;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use channel::Channel;
pub use error::NoticeError;
pub use key::NoticeKey;
pub use log::{NoticeLog, NoticeLogError};
pub use occasion::{Occasion, TaskFailure};
pub use tell::{Outcome, RETRY, Told, tell};
pub use webhook::{SCHEMA_VERSION, signature};

/// How much a notice matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know; nothing to do.
    News,
    /// Something is worse than usual, and the night went on.
    Warning,
    /// Somebody should look today.
    Problem,
}

impl Severity {
    /// Returns the word that people and programs read.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::News => "news",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// An occasion in words; [`Occasion::notice`] writes it.
///
/// Texts from outside (names, errors) stand between backticks in the body and hold none themselves, so that every
/// channel can keep them from being read as markup.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Notice {
    /// What makes it one and the same.
    pub key: NoticeKey,
    /// How much it matters.
    pub severity: Severity,
    /// One line, at most 120 characters, without markup.
    pub title: String,
    /// What it means, then what to do: one paragraph each, in plain words.
    pub body: Vec<String>,
    /// When the occasion was seen, UTC.
    pub at: Timestamp,
    /// The facts behind the words.
    pub occasion: Occasion,
}
