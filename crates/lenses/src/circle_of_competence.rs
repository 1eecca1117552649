//! Circle of competence: have our past forecasts known more than the price here? (domain notes, section 5.2)
//!
//! # Example
//! ```
//! use lenses::circle_of_competence::{Inputs, score};
//! use market::predictor::InformationWeight;
//! let information = InformationWeight { weight: 0.35, standard_error: 0.08, games: 2000,
//!     calibration_sd: 0.1, market_move_sd: None };
//! let inputs = Inputs { information: Some(information), effective_games: Some(220.0),
//!     half_way_games: 100.0, conformal_p: Some(0.4) };
//! assert!((score(&inputs).value().unwrap() - 0.357_235_479).abs() < 1e-9);
//! ```

use market::predictor::InformationWeight;

use crate::Lens;

/// Team games after which familiarity counts one half.
pub const HALF_WAY_TEAM_GAMES: f64 = 10.0;

/// Conformal p-value from which on a game counts as ordinary.
const ORDINARY: f64 = 0.10;

/// What the lens looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// How much the model knew beyond the price, measured on settled games before the as-of.
    pub information: Option<InformationWeight>,
    /// Time-decayed games seen, the lesser of both sides; see [`effective_games`].
    pub effective_games: Option<f64>,
    /// Games after which familiarity counts one half: [`HALF_WAY_TEAM_GAMES`] for games of a team, 100 for
    /// games of a segment.
    pub half_way_games: f64,
    /// How ordinary the game looks among past ones, in (0, 1]; see [`conformal_p`]. When nobody measures it, its
    /// factor is left out, which can only raise the score.
    pub conformal_p: Option<f64>,
}

/// Scores `sqrt(max(0, min(1, w - se))) · n/(n + κ) · min(1, π/0.10)`.
pub fn score(inputs: &Inputs) -> Lens {
    let Some(information) = inputs.information else {
        return Lens::missing(
            "how much the model knows beyond the price is not measured: too few past games have closing prices",
        );
    };
    let Some(games) = inputs.effective_games else {
        return Lens::missing("nobody counted the past games of both sides");
    };
    let proven = (information.weight - information.standard_error).clamp(0.0, 1.0);
    let familiarity = if games <= 0.0 { 0.0 } else { games / (games + inputs.half_way_games) };
    let ordinary = inputs.conformal_p.map_or(1.0, |p| (p / ORDINARY).clamp(0.0, 1.0));
    Lens::of(proven.sqrt() * familiarity * ordinary, || {
        if games <= 0.0 {
            "no past game of at least one side is known".to_owned()
        } else if proven <= 0.0 {
            format!(
                "the model has not shown that it knows more than the price: information weight {:.2} ± {:.2} over {} games",
                information.weight, information.standard_error, information.games
            )
        } else {
            "the game is unlike any that was seen before".to_owned()
        }
    })
}

/// Counts games by age, each worth half as much after every `half_life_days`.
pub fn effective_games(ages_days: impl IntoIterator<Item = f64>, half_life_days: f64) -> f64 {
    ages_days.into_iter().map(|age| (-age / half_life_days).exp2()).sum()
}

/// Returns the conformal p-value of a non-conformity among past ones: rank / (n + 1); none without a past.
pub fn conformal_p(non_conformity: f64, past: &[f64]) -> Option<f64> {
    let as_strange = past.iter().filter(|other| **other >= non_conformity).count() + 1;
    (!past.is_empty() && !non_conformity.is_nan()).then(|| as_strange as f64 / (past.len() + 1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(weight: f64, games: f64) -> Inputs {
        let information = InformationWeight {
            weight,
            standard_error: 0.06,
            games: 900,
            calibration_sd: 0.1,
            market_move_sd: None,
        };
        Inputs {
            information: Some(information),
            effective_games: Some(games),
            half_way_games: HALF_WAY_TEAM_GAMES,
            conformal_p: None,
        }
    }

    #[test]
    fn an_unproven_model_is_outside_of_its_circle() {
        let lens = score(&inputs(0.05, 50.0));
        assert_eq!(lens.value(), Some(0.0));
        assert!(lens.reason().unwrap().contains("0.05 ± 0.06"));
    }

    #[test]
    fn an_unknown_side_is_a_veto_and_an_uncounted_one_is_missing() {
        assert_eq!(score(&inputs(0.5, 0.0)).value(), Some(0.0));
        let uncounted = Inputs { effective_games: None, ..inputs(0.5, 0.0) };
        assert_eq!(score(&uncounted).value(), None);
        assert_eq!(score(&Inputs { information: None, ..inputs(0.5, 9.0) }).value(), None);
    }

    #[test]
    fn the_538_row_is_barely_in_the_circle() {
        // w - se = 0.046 bounds the lens by sqrt(0.046) = 0.2145 however many games were seen.
        let lens = score(&inputs(0.106, 1e9));
        assert!(lens.value().unwrap() < 0.22);
    }

    #[test]
    fn old_games_fade_and_strange_games_rank_low() {
        assert!((effective_games([0.0, 365.0, 730.0], 365.0) - 1.75).abs() < 1e-12);
        assert_eq!(conformal_p(9.0, &[1.0, 2.0, 3.0]), Some(0.25));
        assert_eq!(conformal_p(0.0, &[1.0, 2.0, 3.0]), Some(1.0));
        assert_eq!(conformal_p(0.0, &[]), None);
    }
}
