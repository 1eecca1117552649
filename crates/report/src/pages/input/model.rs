//! Facts of the model's page.

use jiff::Timestamp;
use market::{predictor::LeagueScores, score::ReliabilityBin};
use serde::{Deserialize, Serialize};

use super::Site;
use crate::input::Champion;

/// The model in use, how good it is, and how it came to be in use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelPage {
    /// The site.
    pub site: Site,
    /// The model in use; none when nothing has been trained yet.
    pub champion: Option<Champion>,
    /// Held-out scores, models beside baselines, per league.
    pub models: Vec<LeagueScores>,
    /// Calibration of the champion on held-out games; may be empty.
    pub reliability: Vec<ReliabilityBin>,
    /// Decisions about the champion, the latest first.
    pub history: Vec<Promotion>,
}

/// One decision about the champion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// When it was decided, UTC.
    pub at: Timestamp,
    /// Version of the model that it was about.
    pub version: String,
    /// What was decided.
    pub decision: Decision,
    /// Mean log-loss of the champion before less that of this model: positive is better. None without a champion.
    pub gain: Option<f64>,
    /// Standard error of the gain.
    pub standard_error: Option<f64>,
    /// Why, in words.
    pub reason: String,
    /// Run in which it was decided; none when somebody did it by hand.
    pub run_id: Option<String>,
}

/// What became of a model that stood for champion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It became champion.
    Promoted,
    /// The champion stayed.
    Refused,
    /// An earlier champion was put back in its place.
    RolledBack,
}

impl Decision {
    /// Returns the word that the page shows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::Refused => "refused",
            Self::RolledBack => "rolled back",
        }
    }
}
