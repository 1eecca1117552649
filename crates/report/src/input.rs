//! The facts that a report states: plain values, numbers still numbers, nothing formatted.
//!
//! Whoever wires the night fills them; the report adds no fact of its own. Everything can be written as
//! JSON and read back, so a past report can be made again from what was stored.
//!
//! # Example
//! ```
//! let data: report::ReportData = serde_json::from_str(include_str!("../examples/sample.json")).unwrap();
//! assert_eq!(data.picks.len(), 3);
//! assert_eq!(data.staked().to_string(), "41.00");
//! ```

mod health;
mod history;
mod pick;
mod slate;

pub use health::{FailedTask, Feed, FeedStatus, Quarantine};
pub use history::{BankrollPoint, Champion, Luck, RecordRow, SettledBet};
pub use pick::{Lens, LensScore, LensView, NearMiss, Pick};
pub use slate::{BestPrice, SlateGame, SlateOutcome};

use jiff::{Timestamp, civil::Date};
use market::{Money, predictor::LeagueScores, score::ReliabilityBin};
use serde::{Deserialize, Serialize};

/// Whether stakes are meant or only noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Stakes are recommended.
    #[default]
    Live,
    /// Bets are noted on paper; nothing is staked.
    Paper,
}

/// Everything that one Daily Edge Report states.
///
/// Lists are shown in the order given, except that picks are sorted by kick-off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportData {
    /// Title of the page and start of the mail's subject.
    pub title: String,
    /// The report's date in its own time zone.
    pub date: Date,
    /// IANA name of the zone in which every instant is shown.
    pub time_zone: String,
    /// ISO 4217 code of the bankroll's currency.
    pub currency: String,
    /// BCP 47 tag of the [`Locale`](crate::Locale) in which everything is written; the house's own when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub locale: String,
    /// Nothing known at or after this instant was used, UTC.
    pub as_of: Timestamp,
    /// Live or paper.
    #[serde(default)]
    pub mode: Mode,
    /// Money at the as-of, open stakes included.
    pub bankroll: Money,
    /// Games of the slate for which there was a prediction.
    pub games: usize,
    /// Prices that were compared with a fair one.
    pub prices_compared: usize,
    /// Why there is no edge, in words; shown when there are no picks.
    pub no_edge_reason: Option<String>,
    /// Tonight's bets.
    pub picks: Vec<Pick>,
    /// Candidates that something stopped.
    pub near_misses: Vec<NearMiss>,
    /// Every game of the slate, by start.
    #[serde(default)]
    pub slate: Vec<SlateGame>,
    /// Bets settled since the last report.
    pub settled: Vec<SettledBet>,
    /// Bankroll by day, oldest first.
    pub bankroll_curve: Vec<BankrollPoint>,
    /// Record by league and market; the row without either is the whole.
    pub record: Vec<RecordRow>,
    /// Whether the record is luck; none while there are too few games to say.
    #[serde(default)]
    pub luck: Option<Luck>,
    /// Held-out scores, models beside baselines, per league.
    pub models: Vec<LeagueScores>,
    /// Calibration of the champion on held-out games; may be empty.
    pub reliability: Vec<ReliabilityBin>,
    /// The model in use; none when nothing has been trained yet.
    pub champion: Option<Champion>,
    /// Version of the lens weights.
    pub weights_version: String,
    /// What was assumed where a source is silent, one sentence each.
    pub assumptions: Vec<String>,
    /// State of each league's data.
    pub feeds: Vec<Feed>,
    /// Rows refused, by reason.
    pub quarantined: Vec<Quarantine>,
    /// Steps of the night that failed, and what was used instead.
    pub failed_tasks: Vec<FailedTask>,
}

impl ReportData {
    /// Returns the sum of tonight's stakes.
    pub fn staked(&self) -> Money {
        self.picks.iter().map(|pick| pick.stake).sum()
    }

    /// Returns the share of the bankroll that is staked; 0 without a bankroll.
    pub fn at_risk(&self) -> f64 {
        let bankroll = self.bankroll.as_f64();
        if bankroll > 0.0 { self.staked().as_f64() / bankroll } else { 0.0 }
    }
}
