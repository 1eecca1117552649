//! A loaded model over its data, with the forecasts of known games that were asked for.

use std::{fmt, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use market::{GameId, GameQuery, ModelCard, PredictError, Prediction, Predictor};
use quick_cache::sync::Cache;
use serde_json::value::RawValue;

use crate::{
    forecast::game_forecast,
    stamp::ModelHeaders,
    wire::{SCHEMA_VERSION, Stamp},
};

/// Known games whose forecasts are kept; beyond, those that are asked least often go.
const KEPT_GAMES: usize = 4096;
/// Slates that are kept.
const KEPT_SLATES: usize = 64;

/// The forecast of a known game, and its part of an answer as it is sent when nothing but the game is asked.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) prediction: Arc<Prediction>,
    pub(crate) json: Box<RawValue>,
}

/// Games of a slate, in its order.
pub(crate) type Slate = Arc<[Arc<Known>]>;

/// A predictor with what is asked of it again and again.
pub struct Live {
    predictor: Arc<dyn Predictor>,
    card: ModelCard,
    stamp: Stamp,
    headers: ModelHeaders,
    newest: Timestamp,
    known: Cache<GameId, Arc<Known>>,
    slates: Cache<(Timestamp, Timestamp), Slate>,
    warmed: Slate,
}

impl Live {
    /// Takes a predictor; nothing is forecast yet.
    pub fn new(predictor: Arc<dyn Predictor>) -> Self {
        let card = predictor.model();
        let stamp = Stamp {
            model_version: Some(card.version.clone()),
            as_of: Some(predictor.as_of()),
            schema_version: SCHEMA_VERSION.to_owned(),
            freshness: None,
        };
        let (known, slates) = (Cache::new(KEPT_GAMES), Cache::new(KEPT_SLATES));
        let newest = predictor.as_of();
        let headers = ModelHeaders::of(predictor.as_ref());
        Self { predictor, card, stamp, headers, newest, known, slates, warmed: Slate::default() }
    }

    /// Tells when the newest row that it uses became known; without this it counts as fresh at its as-of.
    #[must_use]
    pub fn with_newest(self, newest: Timestamp) -> Self {
        Self { newest, ..self }
    }

    /// When the newest row that is used became known.
    pub fn newest(&self) -> Timestamp {
        self.newest
    }

    /// Forecasts the games that start within `hours` of the as-of, so that they are answered from memory.
    ///
    /// It is also the last test of a model before it answers anybody.
    ///
    /// # Errors
    /// What the predictor says.
    pub fn warm(&mut self, hours: u32) -> Result<usize, PredictError> {
        let from = self.predictor.as_of();
        let until = from.saturating_add(SignedDuration::from_hours(i64::from(hours))).unwrap_or(from);
        self.warmed = self.slate(from, until)?;
        Ok(self.warmed.len())
    }

    /// Returns what was forecast before anybody asked.
    pub(crate) fn warmed(&self) -> &[Arc<Known>] {
        &self.warmed
    }

    /// Returns the predictor.
    pub fn predictor(&self) -> &dyn Predictor {
        self.predictor.as_ref()
    }

    /// Describes the model.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// Nothing known at or after this instant is used.
    pub fn as_of(&self) -> Timestamp {
        self.predictor.as_of()
    }

    pub(crate) fn headers(&self) -> &ModelHeaders {
        &self.headers
    }

    /// The stamp without what changes from moment to moment.
    pub(crate) fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// Returns what is kept of a game that is asked as its rows state it.
    pub(crate) fn kept(&self, query: &GameQuery) -> Option<Arc<Known>> {
        match query {
            GameQuery::Known { game_id, key_players_out } if key_players_out.is_empty() => {
                self.known.get(game_id)
            }
            GameQuery::Known { .. } | GameQuery::Hypothetical { .. } => None,
        }
    }

    /// Keeps the forecast of a known game for whoever asks next.
    pub(crate) fn keep(&self, prediction: Arc<Prediction>) -> Option<Arc<Known>> {
        let json = serde_json::value::to_raw_value(&game_forecast(&prediction, &[], false)?).ok()?;
        let id = prediction.game.game_id.clone();
        let known = Arc::new(Known { prediction, json });
        self.known.insert(id, known.clone());
        Some(known)
    }

    pub(crate) fn kept_slate(&self, from: Timestamp, until: Timestamp) -> Option<Slate> {
        self.slates.get(&(from, until))
    }

    /// Forecasts a slate, or finds it forecast already.
    pub(crate) fn slate(&self, from: Timestamp, until: Timestamp) -> Result<Slate, PredictError> {
        if let Some(slate) = self.kept_slate(from, until) {
            return Ok(slate);
        }
        let empty = || PredictError::Model("a forecast has no member".into());
        let games = self.predictor.slate(from, until)?.into_iter();
        let slate: Slate =
            games.map(|game| self.keep(Arc::new(game)).ok_or_else(empty)).collect::<Result<_, _>>()?;
        self.slates.insert((from, until), slate.clone());
        Ok(slate)
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("version", &self.card.version)
            .field("as_of", &self.as_of())
            .finish_non_exhaustive()
    }
}
