//! The endpoint with one fixed opinion, for `edge predict game --test`: a real server on a free port of loopback.
//!
//! # Example
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use serve::{Client, PredictRequest, mock};
//! let server = mock::start("2024-05-01T00:00:00Z".parse().unwrap()).await.unwrap();
//! let client = Client::new(&server.url, None).unwrap();
//! let request = PredictRequest { games: vec![serde_json::from_str(r#"{"home":"A","away":"B"}"#).unwrap()],
//!     ..Default::default() };
//! assert_eq!(client.predict(&request).await.unwrap().games[0].game.home.as_str(), "A");
//! # });
//! ```

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use market::{
    Distribution, Game, GameId, GameQuery, LeagueId, ModelCard, PredictError, Prediction, Predictor,
    ScoreForecast,
    predictor::{InformationWeight, LeagueScores},
};
use tokio::sync::oneshot;

use crate::{App, ServeError, Serving, Settings, run};

/// Version that the mock's answers carry.
pub const MOCK_VERSION: &str = "mock";

/// Has the same opinion on every game.
#[derive(Debug, Clone)]
pub struct MockPredictor {
    as_of: Timestamp,
}

impl MockPredictor {
    /// Builds a predictor that claims this as-of.
    pub fn new(as_of: Timestamp) -> Self {
        Self { as_of }
    }

    fn header(&self, query: &GameQuery) -> Result<Arc<Game>, PredictError> {
        let league = |text: &str| LeagueId::new(text).map_err(|error| PredictError::Model(Box::new(error)));
        match query {
            GameQuery::Hypothetical { league: asked, home, away, start_time, .. } => {
                let league = asked.clone().map_or_else(|| league("demo"), Ok)?;
                let start = start_time.unwrap_or(self.as_of);
                let date = start.to_zoned(TimeZone::UTC).date();
                Ok(Game::new(&league, i32::from(date.year()), start, date, home.as_str(), away.as_str()))
            }
            GameQuery::Known { game_id, .. } => {
                // league_date_home_away; slugs hold no underscore.
                let parts: Vec<&str> = game_id.as_str().split('_').collect();
                let unknown = || PredictError::UnknownGame(game_id.to_string());
                let [of, date, home, away] = parts[..] else { return Err(unknown()) };
                let date: jiff::civil::Date = date.parse().map_err(|_| unknown())?;
                let start = date.to_zoned(TimeZone::UTC).map_err(|_| unknown())?.timestamp();
                Ok(Game::new(&league(of)?, i32::from(date.year()), start, date, home, away))
            }
        }
    }

    /// A record that lets every lens say something; it is as made up as the opinion.
    fn made_up_scores(&self, league: LeagueId) -> LeagueScores {
        let information = InformationWeight {
            weight: 0.5,
            standard_error: 0.1,
            games: 1000,
            calibration_sd: 0.1,
            market_move_sd: Some(0.1),
        };
        LeagueScores {
            league,
            from: self.as_of,
            to: self.as_of,
            forecasts: Vec::new(),
            information: Some(information),
            by_market: Vec::new(),
            ordinary: None,
        }
    }

    fn opinion(&self, game: Arc<Game>) -> Result<Prediction, PredictError> {
        let members = [0.02, 0.0, -0.02].map(|tilt| {
            let margin = Distribution::new(-2, vec![0.10 - tilt, 0.18, 0.25, 0.27, 0.20 + tilt])?;
            let total = Distribution::new(0, vec![0.06, 0.15, 0.25, 0.24, 0.16, 0.09, 0.05])?;
            Ok(ScoreForecast { margin, total })
        });
        let broken = |error: market::prediction::InvalidDistribution| PredictError::Model(Box::new(error));
        let members = members.into_iter().collect::<Result<Vec<_>, _>>().map_err(broken)?;
        let members_without_market = members.clone();
        let (as_of, model_version) = (self.as_of, MOCK_VERSION.to_owned());
        Ok(Prediction { game, as_of, model_version, members, members_without_market })
    }
}

impl Predictor for MockPredictor {
    fn model(&self) -> ModelCard {
        ModelCard {
            version: MOCK_VERSION.to_owned(),
            sha256: "0".repeat(64),
            data_as_of: self.as_of,
            git_commit: "unknown".to_owned(),
            leagues: LeagueId::new("demo").into_iter().collect(),
            scores: LeagueId::new("demo").into_iter().map(|league| self.made_up_scores(league)).collect(),
            configurations_tried: 0,
        }
    }

    fn as_of(&self) -> Timestamp {
        self.as_of
    }

    fn predict(&self, queries: &[GameQuery]) -> Result<Vec<Prediction>, PredictError> {
        queries.iter().map(|query| self.header(query).and_then(|game| self.opinion(game))).collect()
    }

    /// Answers with one game that starts an hour after `from`, when that is before `until`.
    fn slate(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Prediction>, PredictError> {
        let start = from.saturating_add(SignedDuration::from_hours(1)).unwrap_or(from);
        let date = start.to_zoned(TimeZone::UTC).date();
        let league = LeagueId::new("demo").map_err(|error| PredictError::Model(Box::new(error)))?;
        let query = GameQuery::known(GameId::of(&league, date, "Harbour", "Mill"));
        let game = Game { start_time: start, ..self.header(&query)?.as_ref().clone() };
        if start < until { Ok(vec![self.opinion(Arc::new(game))?]) } else { Ok(Vec::new()) }
    }
}

/// A mock endpoint; it stops when this is dropped.
#[derive(Debug)]
pub struct MockServer {
    /// Where it answers, for instance `http://127.0.0.1:40123`.
    pub url: String,
    _stop: oneshot::Sender<()>,
}

/// Starts the mock on a free port of loopback; its clock stands at `as_of`.
pub async fn start(as_of: Timestamp) -> Result<MockServer, ServeError> {
    let mut settings = Settings::default();
    settings.listen.set_port(0);
    let listener = crate::listen(&settings).await?;
    let url = format!("http://{}", listener.local_addr().map_err(ServeError::Stopped)?);
    let app = App::new(Serving::with(Arc::new(MockPredictor::new(as_of))), settings, move || as_of);
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(run(listener, app, async move {
        // Resolves with an error when the server handle is dropped, which is the signal.
        let _ = stopped.await;
    }));
    Ok(MockServer { url, _stop: stop })
}
