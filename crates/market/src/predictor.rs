//! The seam through which predictions are asked for; who asks never learns which library answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Explanation, GameId, LeagueId, Name, Prediction, score::ForecastScore};

/// A game to be predicted.
///
/// # Example
/// ```
/// use market::GameQuery;
/// let known: GameQuery = serde_json::from_str(r#"{"game_id":"epl_2022-10-14_brentford_brighton"}"#).unwrap();
/// assert!(matches!(known, GameQuery::Known { .. }));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum GameQuery {
    /// A game of the store.
    Known {
        /// Its id.
        game_id: GameId,
    },
    /// A game that may never be played; both teams must have played in the league.
    Hypothetical {
        /// The league; needed when more than one is served.
        #[serde(default)]
        league: Option<LeagueId>,
        /// Home team as the league spells it.
        home: Name,
        /// Away team.
        away: Name,
        /// Start, UTC; the as-of when absent.
        #[serde(default)]
        start_time: Option<Timestamp>,
    },
}

/// What is known of the model that answers: the content of `best.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
    /// Version: the as-of and the first digits of the hash.
    pub version: String,
    /// sha256 of `model.pt`, hexadecimal.
    pub sha256: String,
    /// Nothing known at or after this instant was trained on.
    pub data_as_of: Timestamp,
    /// Commit of the code that trained it; `unknown` outside of a repository.
    pub git_commit: String,
    /// Leagues it was trained on.
    pub leagues: Vec<LeagueId>,
    /// Every forecast scored on the same held-out games, per league.
    pub scores: Vec<LeagueScores>,
    /// Configurations tried before this one was chosen.
    pub configurations_tried: usize,
}

/// Held-out scores of one league, with what the lenses need to know about the past.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeagueScores {
    /// The league.
    pub league: LeagueId,
    /// Start of the first held-out game.
    pub from: Timestamp,
    /// Start of the last held-out game.
    pub to: Timestamp,
    /// Baselines and models on the same games.
    pub forecasts: Vec<ForecastScore>,
    /// How much the model knows beyond the price; none without prices or games enough.
    pub information: Option<InformationWeight>,
}

/// Information weight of the market-aware model against the no-vig consensus (domain notes, section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct InformationWeight {
    /// Coefficient of `logit(p) - logit(q)`, clipped to [0, 1].
    pub weight: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Games that it was fitted on.
    pub games: usize,
    /// Standard deviation of the logit calibration residual.
    pub calibration_sd: f64,
    /// Standard deviation of the market's logit move from decision time to the close.
    pub market_move_sd: Option<f64>,
}

/// Why a prediction could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PredictError {
    /// No such game is known as of the instant.
    #[error("no game `{0}` is known")]
    UnknownGame(String),
    /// No such team has played in the league.
    #[error("no team `{team}` is known in {league}; did you mean {suggestion}?")]
    UnknownTeam {
        /// As asked.
        team: String,
        /// Where.
        league: String,
        /// The nearest names that exist.
        suggestion: String,
    },
    /// The question fits several leagues or none.
    #[error("{0}")]
    Ambiguous(String),
    /// The model itself failed.
    #[error("the model failed on this request")]
    Model(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Predicts games; same model, data and question give the same bits.
pub trait Predictor: Send + Sync {
    /// Returns what is known of the model.
    fn model(&self) -> ModelCard;

    /// Returns the instant before which everything used was known.
    fn as_of(&self) -> Timestamp;

    /// Predicts each query, in order.
    fn predict(&self, queries: &[GameQuery]) -> Result<Vec<Prediction>, PredictError>;

    /// Explains a prediction; none where this predictor cannot.
    fn explain(&self, _query: &GameQuery) -> Result<Option<Explanation>, PredictError> {
        Ok(None)
    }

    /// Predicts every known game that starts within `[from, until)`, by start, then id.
    fn slate(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Prediction>, PredictError>;
}
