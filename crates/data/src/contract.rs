//! What a feed must never say, whatever it is: contracts that are checked before a row is stored.
//!
//! Feeds break and lie with plausible values. Each contract here would have caught something that happened to somebody;
//! the tests replay it. A finding refuses rows, refuses the whole file, or warns; it appears in the record of the pull,
//! in `edge doctor` and in the report.
//!
//! | contract | what it refuses or warns of | happened |
//! |---|---|---|
//! | `in_play` | a price captured at or after the start | 5 % of a sample of The Odds API |
//! | `spread_sign` | a handicap that contradicts the same book's moneyline | three games of nflverse |
//! | `swapped_sides` | prices that agree with the other books once home and away change places | inverted handicaps |
//! | `constant_column` | one spread or one price for every game | a spread of 2.5 for three seasons of basketball |
//! | `unknown_names` | a file most of whose names match no team | a rewritten title, match rate 0 % |
//! | `fewer_games` | a file that lost games which it held before | 84 % of a season lost in pagination |
//! | `uneven_schedule` | teams that played far fewer games than others | 16 % of a season without an error |
//! | `season_changed` | a file that now holds another season | a season's address that rolled over |
//! | `frozen` | prices that no longer move although games are ahead | a file that always was of the same day |
//! | `overdue` | games long over without a result | a scheduler that died and exited 0 |
//! | `score_changed` | a final score that a source changed | corrections after the final whistle |
//! | `unreadable` | a file that cannot be read at all | HTML in place of a table |
//!
//! Overrounds out of range are refused where a market is read, and a second value for the same price where it is stored.
//!
//! # Example
//! ```
//! use data::{Finding, Level};
//! let finding = Finding::new("frozen", Level::Warn, "the newest price is 30 h old");
//! assert_eq!(finding.to_string(), "frozen (warn): the newest price is 30 h old");
//! ```

use std::{collections::BTreeMap, fmt};

use market::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Parsed, Refused};

mod feed;
mod prices;

pub(crate) use feed::{Shape, check_shape, frozen, refuse_file};

/// What a broken contract leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Rows are stored; a person should look.
    Warn,
    /// The rows are quarantined.
    Row,
    /// The whole file is quarantined.
    File,
}

impl Level {
    /// Returns the level as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warn => "warn",
            Self::Row => "rows refused",
            Self::File => "file refused",
        }
    }
}

/// A contract that a feed broke.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// Which contract.
    pub contract: String,
    /// What came of it.
    pub level: Level,
    /// What was seen, for a person.
    pub says: String,
    /// The league, once it is known.
    #[serde(default)]
    pub league: String,
    /// The source's id, once it is known.
    #[serde(default)]
    pub source: String,
    /// File name of the payload; empty when the finding is about all of them.
    #[serde(default)]
    pub payload: String,
}

impl Finding {
    /// Builds a finding that belongs to nobody yet.
    pub fn new(contract: &str, level: Level, says: impl Into<String>) -> Self {
        let (league, source, payload) = (String::new(), String::new(), String::new());
        Self { contract: contract.to_owned(), level, says: says.into(), league, source, payload }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.contract, self.level.as_str(), self.says)?;
        if self.payload.is_empty() { Ok(()) } else { write!(f, " [{}]", self.payload) }
    }
}

/// Checks the prices of one payload and moves what breaks a contract to the refused rows.
pub(crate) fn check_prices(parsed: &mut Parsed) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (contract, reason, broken) in prices::CONTRACTS {
        let rows = broken(&parsed.lines);
        if rows.is_empty() {
            continue;
        }
        let refused = refuse_lines(parsed, &rows, reason);
        findings.push(Finding::new(contract, Level::Row, format!("{refused} prices refused: {reason}")));
    }
    findings
}

/// Takes the lines at the given indices out, and says why once per market of a raw row.
fn refuse_lines(parsed: &mut Parsed, indices: &[usize], reason: &str) -> usize {
    let broken: std::collections::HashSet<usize> = indices.iter().copied().collect();
    let mut said = BTreeMap::new();
    let mut index = 0;
    parsed.lines.retain(|row| {
        let keep = !broken.contains(&index);
        index += 1;
        if !keep {
            let what = format!("{} {} {} at {}", row.game.game_id, row.book, row.market, row.captured_at);
            said.entry((row.raw_ref.row, what)).or_insert(row.market);
        }
        keep
    });
    parsed.refused.extend(
        said.into_iter().map(|((row, what), market)| Refused::new(row, format!("{market}: {reason}"), &what)),
    );
    broken.len()
}

/// Says an age in whole hours.
fn hours(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_hours()
}
