//! The challenger beside the champion: asked the same, answering nobody.

use std::sync::{Mutex, PoisonError};

use market::Prediction;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Live;
use crate::forecast::home_two_way;

/// How far the challenger's probabilities that home wins (draws aside) are from the champion's.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, ToSchema)]
pub struct ShadowScore {
    /// Forecasts that both made.
    pub games: u64,
    /// Mean of challenger minus champion.
    pub mean_difference: f64,
    /// Mean size of the difference.
    pub mean_absolute_difference: f64,
    /// Largest size of the difference.
    pub largest_difference: f64,
}

/// A challenger and its score so far.
#[derive(Debug)]
pub(crate) struct Shadow {
    pub(crate) live: Live,
    score: Mutex<ShadowScore>,
}

impl Shadow {
    pub(crate) fn new(live: Live) -> Self {
        Self { live, score: Mutex::default() }
    }

    pub(crate) fn score(&self) -> ShadowScore {
        *self.score.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one game; returns the probabilities of champion and challenger, none where one of them has no opinion.
    pub(crate) fn compare(&self, champion: &Prediction, challenger: &Prediction) -> Option<[f64; 2]> {
        let both = [home_two_way(champion)?, home_two_way(challenger)?];
        let difference = both[1] - both[0];
        let mut score = self.score.lock().unwrap_or_else(PoisonError::into_inner);
        score.games += 1;
        let games = score.games as f64;
        score.mean_difference += (difference - score.mean_difference) / games;
        score.mean_absolute_difference += (difference.abs() - score.mean_absolute_difference) / games;
        score.largest_difference = score.largest_difference.max(difference.abs());
        Some(both)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MockPredictor;
    use market::{Distribution, GameQuery, Predictor, ScoreForecast};

    #[test]
    fn differences_are_counted_and_averaged() {
        let mock = MockPredictor::new("2024-05-01T00:00:00Z".parse().unwrap());
        let query: GameQuery = serde_json::from_str(r#"{"home": "A", "away": "B"}"#).unwrap();
        let game = mock.predict(&[query]).unwrap().remove(0);
        let says = |home: f64| {
            let margin = Distribution::new(-1, vec![1.0 - home, 0.0, home]).unwrap();
            let total = Distribution::new(1, vec![1.0]).unwrap();
            Prediction { members: vec![ScoreForecast { margin, total }], ..game.clone() }
        };
        let shadow = Shadow::new(Live::new(std::sync::Arc::new(mock)));
        assert_eq!(shadow.score(), ShadowScore::default());
        shadow.compare(&says(0.5), &says(0.6)).unwrap();
        shadow.compare(&says(0.5), &says(0.2)).unwrap();
        let score = shadow.score();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(score.games == 2 && near(score.mean_difference, -0.1), "{score:?}");
        assert!(
            near(score.mean_absolute_difference, 0.2) && near(score.largest_difference, 0.3),
            "{score:?}"
        );
    }
}
