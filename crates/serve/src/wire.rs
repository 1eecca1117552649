//! What goes over the wire, in both directions; the client and the server share these types.
//!
//! `schema_version` counts up when a field is removed or changes its meaning; new fields do not count.
//!
//! # Example
//! ```
//! use serve::PredictRequest;
//! let request: PredictRequest = serde_json::from_str(r#"{
//!     "games": [{"home": "Brentford", "away": "Brighton"}],
//!     "lines": [{"market": "spread", "selection": "home", "points": -0.5}]
//! }"#).unwrap();
//! assert_eq!(request.lines.len(), 1);
//! ```

use std::sync::Arc;

use jiff::{Timestamp, civil::Date};
use market::{
    Explanation, Game, GameId, GameQuery, LeagueId, Market, ModelCard, Name, Points, Prediction, Selection,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::ShadowScore;

/// Version of the contract.
pub const SCHEMA_VERSION: &str = "1";

/// Which model answers, from what was known before when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stamp {
    /// The model's version; null while none is loaded.
    pub model_version: Option<String>,
    /// Nothing known at or after this instant was used; null while no model is loaded.
    pub as_of: Option<Timestamp>,
    /// Version of this schema.
    #[schema(example = "1")]
    pub schema_version: String,
    /// How old the data is; null while no model is loaded.
    #[serde(default)]
    pub freshness: Option<Freshness>,
}

/// How old the data behind an answer is, at the moment of answering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Freshness {
    /// Seconds from when the newest row became known to the server's clock; 0 when that lies ahead of it.
    #[schema(minimum = 0, example = 3600)]
    pub data_age_seconds: i64,
    /// Whether that is more than the endpoint calls fresh (eight days by default); `/readyz` says no then.
    pub is_stale: bool,
}

/// Answer of `/healthz` and `/readyz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `up` or `ready`.
    #[schema(example = "ready")]
    pub status: String,
    /// Which model.
    #[serde(flatten)]
    pub stamp: Stamp,
}

/// Answer of `/v1/model`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ModelAnswer {
    /// Which model.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// The content of `best.json`: version, sha256, data as-of, commit, leagues, held-out scores.
    pub model: ModelCard,
    /// The model that is compared with it without answering; null when there is none.
    #[serde(default)]
    pub challenger: Option<ChallengerAnswer>,
    /// Why what was promoted or fetched since does not answer; null when it does.
    #[serde(default)]
    pub refused: Option<String>,
}

/// The challenger beside the champion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChallengerAnswer {
    /// The content of its card.
    pub model: ModelCard,
    /// Nothing known at or after this instant was used.
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
    /// How far its forecasts are from the champion's.
    pub shadow: ShadowScore,
}

/// One game that is asked about: `game_id`, or `home` and `away`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GameAsked {
    /// Id of a known game.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "epl_2022-10-14_brentford_brighton")]
    pub game_id: Option<GameId>,
    /// League of a hypothetical game; needed when more than one is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub league: Option<LeagueId>,
    /// Home team of a hypothetical game.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub home: Option<Name>,
    /// Away team of a hypothetical game.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub away: Option<Name>,
    /// Start of a hypothetical game, UTC; the as-of when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub start_time: Option<Timestamp>,
    /// Venue of a hypothetical game; the home team's last venue at home when absent. Nobody is at home at a venue where the
    /// home team has never been at home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub venue: Option<Name>,
    /// Key players (quarterback, goalkeeper, pitcher) who do not play, at most 16: in the place of one who would, the team's
    /// most recent other one does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, max_items = 16)]
    pub key_players_out: Vec<Name>,
}

/// Most key players that are out in one question.
const MOST_OUT: usize = 16;

impl GameAsked {
    /// Turns into a query.
    ///
    /// # Errors
    /// A sentence that says which fields do not go together.
    pub fn into_query(self) -> Result<GameQuery, String> {
        let Self { game_id, league, home, away, start_time, venue, key_players_out } = self;
        if key_players_out.len() > MOST_OUT {
            return Err(format!("`key_players_out` holds at most {MOST_OUT} names"));
        }
        match (game_id, home, away) {
            (Some(game_id), None, None) if league.is_none() && start_time.is_none() && venue.is_none() => {
                Ok(GameQuery::Known { game_id, key_players_out })
            }
            (Some(_), ..) => {
                Err("beside `game_id` only `key_players_out` may stand; leave out league, home, away, \
                                  start_time and venue"
                    .to_owned())
            }
            (None, Some(home), Some(away)) => {
                Ok(GameQuery::Hypothetical { league, home, away, start_time, venue, key_players_out })
            }
            _ => Err("give `game_id`, or both `home` and `away`".to_owned()),
        }
    }
}

impl From<GameQuery> for GameAsked {
    fn from(query: GameQuery) -> Self {
        match query {
            GameQuery::Known { game_id, key_players_out } => {
                Self { game_id: Some(game_id), key_players_out, ..Self::default() }
            }
            GameQuery::Hypothetical { league, home, away, start_time, venue, key_players_out } => {
                let (home, away) = (Some(home), Some(away));
                Self { game_id: None, league, home, away, start_time, venue, key_players_out }
            }
        }
    }
}

/// A selection that is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineAsked {
    /// `moneyline`, `spread` or `total`.
    pub market: Market,
    /// `home`, `draw`, `away`, `over` or `under`.
    pub selection: Selection,
    /// The selection's own points, a multiple of a quarter; absent for the moneyline.
    #[serde(default)]
    pub points: Option<Points>,
}

/// Body of `/v1/predict`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PredictRequest {
    /// The games, answered in this order; at most 256 unless the endpoint is set otherwise, 8 when explained.
    #[schema(min_items = 1, max_items = 256)]
    pub games: Vec<GameAsked>,
    /// Selections to be graded for every game, at most 256.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 256)]
    pub lines: Vec<LineAsked>,
    /// Whether the whole distributions of every ensemble member are wanted.
    #[serde(default)]
    pub full: bool,
}

/// Parameters of `/v1/predict`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PredictQuery {
    /// Whether what carried each forecast is wanted: steps, features, neighbours in the graph.
    #[serde(default)]
    #[param(required = false)]
    pub explain: bool,
}

/// Parameters of `/v1/slate`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SlateQuery {
    /// The day whose games are wanted, from midnight UTC; not one that ended before the as-of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = Date, example = "2022-10-15")]
    pub date: Option<Date>,
    /// The instant from which games are wanted, in place of `date`; the as-of when both are absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// How many hours of games, 1 to 744; 24 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 744)]
    pub hours: Option<u32>,
    /// Whether the whole distributions are wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full: Option<bool>,
}

/// Probabilities of the three outcomes, and of home against away when a draw returns the stake.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Moneyline {
    /// Home wins.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub home: f64,
    /// Nobody wins.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub draw: f64,
    /// Away wins.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub away: f64,
    /// Home wins, given that somebody does.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub home_two_way: f64,
}

/// How far the members of the ensemble are apart on `home_two_way`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Interval {
    /// The lowest member.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub low: f64,
    /// The highest member.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub high: f64,
    /// Standard deviation over the members.
    #[schema(minimum = 0.0)]
    pub standard_deviation: f64,
    /// How many members.
    #[schema(minimum = 1)]
    pub members: usize,
}

/// What the model says about one selection.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LineAnswer {
    /// As asked.
    #[serde(flatten)]
    pub asked: LineAsked,
    /// Probability of winning the whole stake.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub win: f64,
    /// Probability of winning with half of the stake and getting back the other half.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub half_win: f64,
    /// Probability of getting the stake back.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub push: f64,
    /// Probability of losing half of the stake.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub half_loss: f64,
    /// Probability of losing the stake.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub loss: f64,
    /// Winning share among decided stakes.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub fair_probability: f64,
}

/// What the model says about one game.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GameForecast {
    /// League, id, season, start and teams.
    pub game: Arc<Game>,
    /// Nothing known at or after this instant was used.
    pub as_of: Timestamp,
    /// Mean over the ensemble.
    pub moneyline: Moneyline,
    /// The same from the variant that sees no prices.
    pub moneyline_without_market: Option<Moneyline>,
    /// Expected home minus away.
    pub mean_margin: f64,
    /// Expected home plus away.
    pub mean_total: f64,
    /// Spread of opinion within the ensemble.
    pub interval: Interval,
    /// Answers to the lines asked, in their order.
    pub lines: Vec<LineAnswer>,
    /// The whole prediction, when asked with `full`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prediction: Option<Prediction>,
    /// What carried the forecast, when asked with `explain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
}

/// Answer of `/v1/predict` and `/v1/slate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PredictAnswer {
    /// Which model.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// One entry per game.
    pub games: Vec<GameForecast>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(json: &str) -> Result<GameQuery, String> {
        serde_json::from_str::<GameAsked>(json).map_err(|error| error.to_string())?.into_query()
    }

    #[test]
    fn venue_and_players_reach_the_query_and_come_back() {
        let json = [
            r#"{"game_id":"nfl_1","key_players_out":["Tua"]}"#,
            r#"{"home":"MIA","away":"BAL","venue":"Wembley","key_players_out":["Tua","Lamar"]}"#,
            r#"{"home":"MIA","away":"BAL"}"#,
        ];
        for json in json {
            let asked = GameAsked::from(query(json).unwrap());
            assert_eq!(serde_json::to_string(&asked).unwrap(), json);
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let refusal = query(r#"{"game_id":"nfl_1","venue":"Wembley"}"#).unwrap_err();
        assert!(refusal.starts_with("beside `game_id` only `key_players_out` may stand"), "{refusal}");
        let refusal = query(r#"{"home":"MIA","venue":"Wembley"}"#).unwrap_err();
        assert_eq!(refusal, "give `game_id`, or both `home` and `away`");
        let out = vec!["Tua"; MOST_OUT + 1];
        let refusal = query(&format!(r#"{{"game_id":"nfl_1","key_players_out":{out:?}}}"#)).unwrap_err();
        assert_eq!(refusal, "`key_players_out` holds at most 16 names");
    }
}
