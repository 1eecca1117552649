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
/// assert_eq!(known, GameQuery::known(market::GameId::from_text("epl_2022-10-14_brentford_brighton")));
/// let moved: GameQuery = serde_json::from_str(
///     r#"{"home":"Brentford","away":"Brighton","venue":"Wembley Stadium","key_players_out":["David Raya"]}"#).unwrap();
/// assert!(matches!(moved, GameQuery::Hypothetical { venue: Some(_), .. }));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum GameQuery {
    /// A game of the store.
    Known {
        /// Its id.
        game_id: GameId,
        /// Key players who do not play: in the place of a stated one who is out, the team's most recent other one.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        key_players_out: Vec<Name>,
    },
    /// A game that may never be played; both teams must have played in the league.
    ///
    /// Each side's key player (quarterback, goalkeeper, pitcher) is the one who did so in its last finished game known
    /// before the as-of and is not out; where all known ones are out, a newcomer.
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
        /// Where it is played; the home team's last venue at home when absent. Nobody is at home at a venue where the home
        /// team, whose own is known, has never been at home.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        venue: Option<Name>,
        /// Key players who do not play; each must be known to have played, or to be due to play, for one of the two.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        key_players_out: Vec<Name>,
    },
}

impl GameQuery {
    /// Asks for a game of the store as its rows state it.
    pub fn known(game_id: GameId) -> Self {
        Self::Known { game_id, key_players_out: Vec::new() }
    }

    /// Asks for a meeting of two teams at the as-of, at the home team's venue, with everybody there.
    pub fn hypothetical(league: Option<LeagueId>, home: Name, away: Name) -> Self {
        Self::Hypothetical { league, home, away, start_time: None, venue: None, key_players_out: Vec::new() }
    }
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
    #[error("no team `{team}` is known in {league}{}", hint(suggestion))]
    UnknownTeam {
        /// As asked.
        team: String,
        /// Where.
        league: String,
        /// The nearest names that exist.
        suggestion: String,
    },
    /// No such key player is known of either team.
    #[error("no key player `{player}` is known of {teams}{}", hint(suggestion))]
    UnknownPlayer {
        /// As asked.
        player: String,
        /// Both teams.
        teams: String,
        /// The nearest names that exist.
        suggestion: String,
    },
    /// No such venue is known in the league.
    #[error("no venue `{venue}` is known in {league}{}", hint(suggestion))]
    UnknownVenue {
        /// As asked.
        venue: String,
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

/// Ends a message with what could have been meant, if there is anything.
fn hint(suggestion: &str) -> String {
    if suggestion.is_empty() { String::new() } else { format!("; did you mean {suggestion}?") }
}

/// Predicts games; same model, data and question give the same bits.
pub trait Predictor: Send + Sync {
    /// Returns what is known of the model.
    fn model(&self) -> ModelCard;

    /// Returns the instant before which everything used was known.
    fn as_of(&self) -> Timestamp;

    /// Predicts each query, in order; the first that has no answer fails all.
    fn predict(&self, queries: &[GameQuery]) -> Result<Vec<Prediction>, PredictError>;

    /// Predicts each query, in order; one that has no answer spoils no other.
    ///
    /// An answer has the same bits as alone, whatever else is asked along with it.
    fn predict_each(&self, queries: &[GameQuery]) -> Vec<Result<Prediction, PredictError>> {
        let alone = |query: &GameQuery| {
            let answered = self.predict(std::slice::from_ref(query))?.into_iter().next();
            answered.ok_or_else(|| PredictError::Model("the predictor answered without a game".into()))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<GameQuery, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_query_of_before_venues_and_players_still_reads() {
        let league = Some(LeagueId::new("epl").unwrap());
        let old = r#"{"league":"epl","home":"Arsenal","away":"Leeds","start_time":null}"#;
        assert_eq!(read(old).unwrap(), GameQuery::hypothetical(league, "Arsenal".into(), "Leeds".into()));
        let id = GameId::from_text("epl_1");
        assert_eq!(read(r#"{"game_id":"epl_1"}"#).unwrap(), GameQuery::known(id.clone()));
        assert_eq!(serde_json::to_string(&GameQuery::known(id)).unwrap(), r#"{"game_id":"epl_1"}"#);
    }

    #[test]
    fn venue_and_players_are_written_and_read_back() {
        let known =
            GameQuery::Known { game_id: GameId::from_text("nfl_1"), key_players_out: vec!["Tua".into()] };
        let GameQuery::Hypothetical { league, home, away, start_time, .. } =
            GameQuery::hypothetical(None, "MIA".into(), "BAL".into())
        else {
            panic!("it is hypothetical")
        };
        let (venue, key_players_out) = (Some("Wembley".into()), vec!["Tua".into(), "Lamar".into()]);
        let moved = GameQuery::Hypothetical { league, home, away, start_time, venue, key_players_out };
        for query in [known, moved] {
            assert_eq!(read(&serde_json::to_string(&query).unwrap()).unwrap(), query);
        }
        assert!(
            read(r#"{"game_id":"nfl_1","venue":"Wembley"}"#).is_err(),
            "a known game has a venue of its own"
        );
        assert!(read(r#"{"home":"MIA","away":"BAL","out":["Tua"]}"#).is_err());
    }

    #[derive(Debug)]
    struct Half;

    impl Predictor for Half {
        fn model(&self) -> ModelCard {
            unimplemented!("nobody asks")
        }

        fn as_of(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn predict(&self, queries: &[GameQuery]) -> Result<Vec<Prediction>, PredictError> {
            match queries {
                [GameQuery::Known { .. }] => Err(PredictError::UnknownGame("epl_1".to_owned())),
                _ => Ok(Vec::new()),
            }
        }

        fn slate(&self, _from: Timestamp, _until: Timestamp) -> Result<Vec<Prediction>, PredictError> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn each_query_is_asked_alone() {
        let queries = [
            GameQuery::known(GameId::from_text("epl_1")),
            GameQuery::hypothetical(None, "MIA".into(), "BAL".into()),
        ];
        let answers = Half.predict_each(&queries);
        assert!(matches!(answers[..], [Err(PredictError::UnknownGame(_)), Err(PredictError::Model(_))]));
    }

    #[test]
    fn a_message_suggests_only_what_there_is() {
        let error = |suggestion: &str| {
            let (player, teams) = ("Bo".to_owned(), "MIA or BAL".to_owned());
            PredictError::UnknownPlayer { player, teams, suggestion: suggestion.to_owned() }.to_string()
        };
        assert_eq!(error(""), "no key player `Bo` is known of MIA or BAL");
        assert_eq!(error("Bob"), "no key player `Bo` is known of MIA or BAL; did you mean Bob?");
    }
}
