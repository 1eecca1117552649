//! The seam through which predictions are asked for; who asks never learns which library answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Explanation, GameId, LeagueId, Market, Name, Prediction, ScoreForecast, score::ForecastScore};

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
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct LeagueScores {
    /// The league.
    pub league: LeagueId,
    /// Start of the first held-out game.
    pub from: Timestamp,
    /// Start of the last held-out game.
    pub to: Timestamp,
    /// Baselines and models on the same games.
    pub forecasts: Vec<ForecastScore>,
    /// How much the model knows beyond the price of who wins; none without prices or games enough.
    pub information: Option<InformationWeight>,
    /// The same of other markets, where it was measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_market: Vec<MarketInformation>,
    /// What the held-out games looked like to the model, to tell an ordinary game from a strange one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordinary: Option<Ordinary>,
}

impl LeagueScores {
    /// Returns what was measured of a market.
    pub fn information_on(&self, market: Market) -> Option<InformationWeight> {
        match market {
            Market::Moneyline => self.information,
            _ => self.by_market.iter().find(|of| of.market == market).map(|of| of.information),
        }
    }
}

/// Information weight of one market beside the moneyline.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct MarketInformation {
    /// The market.
    pub market: Market,
    /// What was measured on its main points.
    pub information: InformationWeight,
}

/// Forecasts of past games, by which a new one is found ordinary or strange.
///
/// A game is seen as four numbers of the forecast without prices: mean and standard deviation of margin and of total.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
pub struct Ordinary {
    centre: [f64; 4],
    scale: [f64; 4],
    /// Distances of past games from the centre, ascending; at most 200, evenly chosen.
    distances: Vec<f64>,
}

/// Fewer past games say nothing of what is ordinary.
const FEWEST_ORDINARY: usize = 50;
/// Distances that are kept.
const DISTANCES: usize = 200;

impl Ordinary {
    /// Describes past games, each by the forecasts of its members; none with fewer than 50.
    ///
    /// # Example
    /// ```
    /// use market::{Distribution, ScoreForecast, predictor::Ordinary};
    /// let game = |at: i32| vec![ScoreForecast { margin: Distribution::new(at, vec![0.5, 0.5]).unwrap(),
    ///     total: Distribution::new(40 + at, vec![0.25, 0.75]).unwrap() }];
    /// let past: Vec<_> = (0..60).map(|i| game(i % 7)).collect();
    /// let ordinary = Ordinary::of(past.iter().map(Vec::as_slice)).unwrap();
    /// assert!(ordinary.distance(&game(40)).unwrap() > *ordinary.past().last().unwrap());
    /// ```
    pub fn of<'a>(games: impl IntoIterator<Item = &'a [ScoreForecast]>) -> Option<Self> {
        let seen: Vec<[f64; 4]> = games.into_iter().filter_map(features).collect();
        if seen.len() < FEWEST_ORDINARY {
            return None;
        }
        let count = seen.len() as f64;
        let (mut centre, mut scale) = ([0.0; 4], [0.0; 4]);
        for i in 0..4 {
            centre[i] = seen.iter().map(|game| game[i]).sum::<f64>() / count;
            let square = seen.iter().map(|game| (game[i] - centre[i]).powi(2)).sum::<f64>() / count;
            scale[i] = square.sqrt().max(1e-6);
        }
        let mut all: Vec<f64> = seen.iter().map(|game| away(game, &centre, &scale)).collect();
        all.sort_by(f64::total_cmp);
        let kept = all.len().min(DISTANCES);
        let distances = (0..kept).map(|i| all[(i * (all.len() - 1)) / (kept - 1)]).collect();
        Some(Self { centre, scale, distances })
    }

    /// Returns how far a game lies from the usual ones; none without members.
    pub fn distance(&self, members: &[ScoreForecast]) -> Option<f64> {
        features(members).map(|game| away(&game, &self.centre, &self.scale))
    }

    /// Returns the distances of past games, ascending.
    pub fn past(&self) -> &[f64] {
        &self.distances
    }
}

fn features(members: &[ScoreForecast]) -> Option<[f64; 4]> {
    let mean = |of: fn(&ScoreForecast) -> f64| members.iter().map(of).sum::<f64>() / members.len() as f64;
    let game = [
        mean(|member| member.margin.mean()),
        mean(|member| member.margin.standard_deviation()),
        mean(|member| member.total.mean()),
        mean(|member| member.total.standard_deviation()),
    ];
    game.iter().all(|number| number.is_finite()).then_some(game)
}

fn away(game: &[f64; 4], centre: &[f64; 4], scale: &[f64; 4]) -> f64 {
    (0..4).map(|i| ((game[i] - centre[i]) / scale[i]).powi(2)).sum::<f64>().sqrt()
}

/// Information weight of the market-aware model against the no-vig consensus (domain notes, section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema))]
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

    /// Predicts each query by itself, in order: one that cannot be answered spoils no other.
    fn predict_each(&self, queries: &[GameQuery]) -> Vec<Result<Prediction, PredictError>> {
        let alone = |query: &GameQuery| {
            let answer = self.predict(std::slice::from_ref(query))?.pop();
            answer.ok_or_else(|| PredictError::Model("it answered nothing".into()))
        };
        queries.iter().map(alone).collect()
    }

    /// Explains a prediction; none where this predictor cannot.
    fn explain(&self, _query: &GameQuery) -> Result<Option<Explanation>, PredictError> {
        Ok(None)
    }

    /// Predicts every known game that starts within `[from, until)`, by start, then id.
    fn slate(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Prediction>, PredictError>;
}
