//! The in-process predictor: an ensemble over one graph, as of the graph's own instant.
//!
//! # Example
//! ```
//! use market::Predictor;
//! use model::{Ensemble, GraphPredictor, ModelError, graph_from_bytes};
//! /// Reads a model and a graph; whoever asks sees only the trait.
//! fn open(weights: &[u8], json: &str, graph: &[u8]) -> Result<Box<dyn Predictor>, ModelError> {
//!     let ensemble = Ensemble::from_bytes(weights, json)?;
//!     Ok(Box::new(GraphPredictor::new(ensemble, graph_from_bytes(graph)?)?))
//! }
//! assert!(open(b"", "", b"").is_err());
//! ```

use std::sync::{Arc, Mutex, PoisonError};

use graph::{Batch, Graph, GraphError, SampleSettings, Sampler, Seed, Trace};
use jiff::tz::TimeZone;
use market::{
    Explanation, Game, GameId, GameQuery, LeagueId, ModelCard, PredictError, Prediction, Predictor, Timestamp,
};

use crate::{Ensemble, ModelError, Variant, explain::Effects, forecast::Forecaster};

/// A sample and the names in it.
type Named = Result<(Batch, Trace), GraphError>;

/// Answers from an [`Ensemble`] over a [`Graph`].
///
/// Each game is forecast on its own, so that an answer does not depend on what else was asked.
#[derive(Debug)]
pub struct GraphPredictor {
    card: ModelCard,
    graph: Arc<Graph>,
    forecaster: Arc<Forecaster>,
    /// What each variant's batches are sampled with.
    samples: [Option<SampleSettings>; 2],
    /// For explanations. Tensors may be sent to another thread, but not shared.
    ensemble: Mutex<Ensemble>,
}

impl GraphPredictor {
    /// Joins the two.
    ///
    /// # Errors
    /// When the graph's leagues are not those that the ensemble was trained on, in the same order.
    pub fn new(ensemble: Ensemble, graph: impl Into<Arc<Graph>>) -> Result<Self, ModelError> {
        let graph = graph.into();
        let trained: Vec<&LeagueId> = ensemble.file().leagues.iter().map(|league| &league.league).collect();
        let known: Vec<&LeagueId> = graph.leagues().iter().map(|league| &league.id).collect();
        if trained != known {
            let list = |ids: &[&LeagueId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Err(ModelError::Mismatch(format!(
                "it holds the leagues {}, the model knows {}",
                list(&known),
                list(&trained)
            )));
        }
        let (card, forecaster) = (ensemble.card().clone(), ensemble.forecaster());
        let samples = Variant::ALL.map(|variant| ensemble.sample_settings(variant));
        Ok(Self { card, graph, forecaster, samples, ensemble: Mutex::new(ensemble) })
    }

    /// Returns the graph that it answers from.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    fn answer(
        &self,
        game: Arc<Game>,
        is_priced: bool,
        sample: &dyn Fn(&Sampler<'_>) -> Result<Batch, GraphError>,
    ) -> Result<Prediction, PredictError> {
        let forecast = |variant: Variant| -> Result<Vec<_>, PredictError> {
            let Some(settings) = self.samples[variant as usize] else { return Ok(Vec::new()) };
            let batch = sample(&Sampler::new(&self.graph, settings)).map_err(explain)?;
            let members = self
                .forecaster
                .forecast(variant, &batch)
                .map_err(|error| PredictError::Model(Box::new(error)))?;
            Ok(members.into_iter().flatten().collect())
        };
        let members_without_market = forecast(Variant::Hgt)?;
        let members = if is_priced { forecast(Variant::HgtMarket)? } else { members_without_market.clone() };
        let (as_of, model_version) = (self.graph.as_of(), self.card.version.clone());
        Ok(Prediction { game, as_of, model_version, members, members_without_market })
    }

    /// Explains by the variant that answers.
    fn explained(
        &self,
        game: Arc<Game>,
        is_priced: bool,
        sample: &dyn Fn(&Sampler<'_>) -> Named,
    ) -> Result<Option<Explanation>, PredictError> {
        let ensemble = self.ensemble.lock().unwrap_or_else(PoisonError::into_inner);
        let variant = if is_priced { Variant::HgtMarket } else { Variant::Hgt };
        let Some(settings) = ensemble.sample_settings(variant) else { return Ok(None) };
        let (batch, trace) = sample(&Sampler::new(&self.graph, settings)).map_err(explain)?;
        let effects = ensemble.effects(variant, &batch, &trace);
        let Effects { steps, features, kinds, neighbours } =
            effects.map_err(|error| PredictError::Model(Box::new(error)))?;
        let (as_of, model_version) = (self.graph.as_of(), self.card.version.clone());
        Ok(Some(Explanation {
            game,
            as_of,
            model_version,
            uses_prices: is_priced,
            steps,
            features,
            kinds,
            neighbours,
        }))
    }

    fn answer_known(&self, index: usize) -> Result<Prediction, PredictError> {
        let seed = Seed { game: index, as_of: self.graph.as_of() };
        let is_priced = self.graph.consensus(index, seed.as_of).is_some();
        self.answer(self.graph.games()[index].clone(), is_priced, &|sampler| Ok(sampler.sample(&[seed])))
    }

    fn answer_hypothetical(&self, game: &Arc<Game>) -> Result<Prediction, PredictError> {
        let as_of = self.graph.as_of();
        let Game { league, home, away, start_time, .. } = game.as_ref();
        self.answer(game.clone(), false, &|sampler| {
            sampler.sample_hypothetical(league, home.as_str(), away.as_str(), *start_time, as_of)
        })
    }

    /// Returns the header of a game that need not exist.
    fn made_up(
        &self,
        league: Option<&LeagueId>,
        home: &str,
        away: &str,
        start_time: Option<Timestamp>,
    ) -> Result<Arc<Game>, PredictError> {
        let league = self.league_of(league)?;
        if home == away {
            return Err(PredictError::Ambiguous(format!("`{home}` cannot play against itself")));
        }
        Ok(self.header(&league, home, away, start_time.unwrap_or_else(|| self.graph.as_of())))
    }

    fn league_of(&self, asked: Option<&LeagueId>) -> Result<LeagueId, PredictError> {
        let known: Vec<&LeagueId> = self.graph.leagues().iter().map(|league| &league.id).collect();
        let list = || known.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match (asked, &known[..]) {
            (Some(league), _) if known.contains(&league) => Ok(league.clone()),
            (Some(league), _) => {
                Err(PredictError::Ambiguous(format!("no league `{league}`; known are: {}", list())))
            }
            (None, [only]) => Ok((*only).clone()),
            (None, _) => Err(PredictError::Ambiguous(format!("which league? known are: {}", list()))),
        }
    }

    /// Returns the header of a game that nobody scheduled: its season is that of the league's nearest game.
    fn header(&self, league: &LeagueId, home: &str, away: &str, start_time: Timestamp) -> Arc<Game> {
        let of_league = self.graph.games().iter().filter(|game| game.league == *league);
        let distance = |game: &&Arc<Game>| (game.start_time.as_second() - start_time.as_second()).abs();
        let season = of_league.min_by_key(distance).map_or(0, |game| game.season);
        let zone = self.graph.leagues().iter().find(|known| known.id == *league);
        let zone = zone.and_then(|league| TimeZone::get(&league.time_zone).ok()).unwrap_or(TimeZone::UTC);
        Game::new(league, season, start_time, start_time.to_zoned(zone).date(), home, away)
    }
}

impl Predictor for GraphPredictor {
    fn model(&self) -> ModelCard {
        self.card.clone()
    }

    fn as_of(&self) -> Timestamp {
        self.graph.as_of()
    }

    fn predict(&self, queries: &[GameQuery]) -> Result<Vec<Prediction>, PredictError> {
        let answer = |query: &GameQuery| match query {
            GameQuery::Known { game_id } => {
                let index = self.graph.find(game_id).ok_or_else(|| unknown_game(game_id))?;
                self.answer_known(index)
            }
            GameQuery::Hypothetical { league, home, away, start_time } => {
                let game = self.made_up(league.as_ref(), home.as_str(), away.as_str(), *start_time)?;
                self.answer_hypothetical(&game)
            }
        };
        queries.iter().map(answer).collect()
    }

    fn explain(&self, query: &GameQuery) -> Result<Option<Explanation>, PredictError> {
        match query {
            GameQuery::Known { game_id } => {
                let game = self.graph.find(game_id).ok_or_else(|| unknown_game(game_id))?;
                let seed = Seed { game, as_of: self.graph.as_of() };
                let is_priced = self.graph.consensus(game, seed.as_of).is_some();
                self.explained(self.graph.games()[game].clone(), is_priced, &|sampler| {
                    Ok((sampler.sample(&[seed]), sampler.trace(seed)))
                })
            }
            GameQuery::Hypothetical { league, home, away, start_time } => {
                let as_of = self.graph.as_of();
                let game = self.made_up(league.as_ref(), home.as_str(), away.as_str(), *start_time)?;
                let Game { league, start_time, .. } = game.as_ref();
                let (home, away) = (home.as_str(), away.as_str());
                self.explained(game.clone(), false, &|sampler| {
                    let batch = sampler.sample_hypothetical(league, home, away, *start_time, as_of)?;
                    Ok((batch, sampler.trace_hypothetical(league, home, away, *start_time, as_of)?))
                })
            }
        }
    }

    fn slate(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Prediction>, PredictError> {
        let games = self.graph.games().iter().enumerate();
        let mut slate: Vec<(Timestamp, &GameId, usize)> = games
            .filter(|(_, game)| from <= game.start_time && game.start_time < until)
            .map(|(index, game)| (game.start_time, &game.game_id, index))
            .collect();
        slate.sort();
        slate.into_iter().map(|(_, _, index)| self.answer_known(index)).collect()
    }
}

fn unknown_game(game: &GameId) -> PredictError {
    PredictError::UnknownGame(game.to_string())
}

fn explain(error: GraphError) -> PredictError {
    match error {
        GraphError::UnknownTeam { team, league, nearest } => {
            PredictError::UnknownTeam { team, league, suggestion: nearest.join(", ") }
        }
        other => PredictError::Model(Box::new(other)),
    }
}
