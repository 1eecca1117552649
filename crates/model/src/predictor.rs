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

mod sent;

use std::sync::{Arc, Mutex, PoisonError};

use graph::{Asked, Graph, GraphError, Meeting, SampleSettings, Sampler, Seed};
use jiff::tz::TimeZone;
use market::{
    Explanation, Game, GameId, GameQuery, LeagueId, ModelCard, Name, PredictError, Prediction, Predictor,
    Timestamp,
};

use self::sent::Sent;
use crate::{Ensemble, ModelError, Variant, explain::Effects, forecast::Forecaster};

/// Answers from an [`Ensemble`] over a [`Graph`].
///
/// Each game is forecast on its own, so that an answer does not depend on what else was asked. What stands next to it,
/// a team with its past games for instance, is looked at once and kept: the first game of a team costs several times
/// what the next ones do.
#[derive(Debug)]
pub struct GraphPredictor {
    card: ModelCard,
    graph: Arc<Graph>,
    forecaster: Arc<Forecaster>,
    /// What each variant's batches are sampled with.
    samples: [Option<SampleSettings>; 2],
    /// What the nodes next to a game send, by variant.
    sent: [Sent; 2],
    /// Time zones, in the order of the graph's leagues.
    zones: Vec<TimeZone>,
    /// For explanations. Tensors may be sent to another thread, but not shared.
    ensemble: Mutex<Ensemble>,
}

impl GraphPredictor {
    /// Joins the two.
    ///
    /// # Errors
    /// When the graph's leagues are not those that the ensemble was trained on, in the same order, or its nodes have other
    /// features.
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
        Variant::ALL.into_iter().try_for_each(|variant| forecaster.check(variant))?;
        let samples = Variant::ALL.map(|variant| ensemble.sample_settings(variant));
        let sent = Variant::ALL.map(|_| Sent::new(&graph));
        let zone = |league: &str| TimeZone::get(league).unwrap_or(TimeZone::UTC);
        let zones = graph.leagues().iter().map(|league| zone(&league.time_zone)).collect();
        Ok(Self { card, graph, forecaster, samples, sent, zones, ensemble: Mutex::new(ensemble) })
    }

    /// Returns the graph that it answers from.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Looks a query up in the graph.
    fn look_up(&self, query: &GameQuery) -> Result<Looked, PredictError> {
        match query {
            GameQuery::Known { game_id, key_players_out } => {
                let index = self.graph.find(game_id).ok_or_else(|| unknown_game(game_id))?;
                self.known(index, key_players_out)
            }
            GameQuery::Hypothetical { league, home, away, start_time, venue, key_players_out } => {
                let (place, league) = self.league_of(league.as_ref())?;
                if home == away {
                    return Err(PredictError::Ambiguous(format!("`{home}` cannot play against itself")));
                }
                let start_time = start_time.unwrap_or_else(|| self.graph.as_of());
                let meeting = Meeting {
                    venue: venue.as_ref().map(Name::as_str),
                    out: key_players_out,
                    ..Meeting::new(league, home.as_str(), away.as_str(), start_time)
                };
                let asked = self.graph.hypothetical(&meeting, self.graph.as_of()).map_err(explain)?;
                let date = start_time.to_zoned(self.zones[place].clone()).date();
                let game = Game::new(league, asked.season(), start_time, date, meeting.home, meeting.away);
                Ok(Looked { game, asked, is_priced: false })
            }
        }
    }

    fn known(&self, index: usize, out: &[Name]) -> Result<Looked, PredictError> {
        let seed = Seed { game: index, as_of: self.graph.as_of() };
        let asked = self.graph.ask(seed, out).map_err(explain)?;
        let is_priced = self.graph.consensus(index, seed.as_of).is_some();
        Ok(Looked { game: self.graph.games()[index].clone(), asked, is_priced })
    }

    fn answer(&self, looked: Looked) -> Result<Prediction, PredictError> {
        let Looked { game, asked, is_priced } = looked;
        let forecast = |variant: Variant| -> Result<Vec<_>, PredictError> {
            let Some(settings) = self.samples[variant as usize] else { return Ok(Vec::new()) };
            let sampler = Sampler::new(&self.graph, settings);
            let around = sampler.around(&asked);
            let sources = if self.forecaster.listens(variant) { &around.sources[..] } else { &[] };
            let sent = self.sent[variant as usize].to(&asked, sources, &sampler, &self.forecaster, variant);
            let members = self.forecaster.forecast_around(variant, &around, &sent);
            members.map_err(|error| PredictError::Model(Box::new(error)))
        };
        let members_without_market = forecast(Variant::Hgt)?;
        let members = if is_priced { forecast(Variant::HgtMarket)? } else { members_without_market.clone() };
        let (as_of, model_version) = (self.graph.as_of(), self.card.version.clone());
        Ok(Prediction { game, as_of, model_version, members, members_without_market })
    }

    /// Explains by the variant that answers.
    fn explained(&self, looked: Looked) -> Result<Option<Explanation>, PredictError> {
        let Looked { game, asked, is_priced } = looked;
        let ensemble = self.ensemble.lock().unwrap_or_else(PoisonError::into_inner);
        let variant = if is_priced { Variant::HgtMarket } else { Variant::Hgt };
        let Some(settings) = ensemble.sample_settings(variant) else { return Ok(None) };
        let sampler = Sampler::new(&self.graph, settings);
        let (batch, trace) = (sampler.sample_asked(&[asked]), sampler.trace_asked(&asked));
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

    /// Returns a league and its place in the graph.
    fn league_of(&self, asked: Option<&LeagueId>) -> Result<(usize, &LeagueId), PredictError> {
        let leagues = self.graph.leagues();
        let list = || leagues.iter().map(|league| league.id.to_string()).collect::<Vec<_>>().join(", ");
        match (asked, leagues) {
            (Some(asked), _) => {
                leagues.iter().map(|known| &known.id).enumerate().find(|(_, id)| *id == asked).ok_or_else(
                    || PredictError::Ambiguous(format!("no league `{asked}`; known are: {}", list())),
                )
            }
            (None, [only]) => Ok((0, &only.id)),
            (None, _) => Err(PredictError::Ambiguous(format!("which league? known are: {}", list()))),
        }
    }
}

/// A query that was looked up.
#[derive(Debug)]
struct Looked {
    game: Arc<Game>,
    asked: Asked,
    is_priced: bool,
}

impl Predictor for GraphPredictor {
    fn model(&self) -> ModelCard {
        self.card.clone()
    }

    fn as_of(&self) -> Timestamp {
        self.graph.as_of()
    }

    fn predict(&self, queries: &[GameQuery]) -> Result<Vec<Prediction>, PredictError> {
        queries.iter().map(|query| self.answer(self.look_up(query)?)).collect()
    }

    fn predict_each(&self, queries: &[GameQuery]) -> Vec<Result<Prediction, PredictError>> {
        queries.iter().map(|query| self.answer(self.look_up(query)?)).collect()
    }

    fn explain(&self, query: &GameQuery) -> Result<Option<Explanation>, PredictError> {
        self.explained(self.look_up(query)?)
    }

    fn slate(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Prediction>, PredictError> {
        let games = self.graph.games().iter().enumerate();
        let mut slate: Vec<(Timestamp, &GameId, usize)> = games
            .filter(|(_, game)| from <= game.start_time && game.start_time < until)
            .map(|(index, game)| (game.start_time, &game.game_id, index))
            .collect();
        slate.sort();
        slate.into_iter().map(|(_, _, index)| self.answer(self.known(index, &[])?)).collect()
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
        GraphError::UnknownPlayer { player, teams, nearest } => {
            PredictError::UnknownPlayer { player, teams, suggestion: nearest.join(", ") }
        }
        GraphError::UnknownVenue { venue, league, nearest } => {
            PredictError::UnknownVenue { venue, league, suggestion: nearest.join(", ") }
        }
        other => PredictError::Model(Box::new(other)),
    }
}
