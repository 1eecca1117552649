//! How much the model knows beyond the price (domain notes, section 5.1).
//!
//! On held-out games `logit P(home wins) = a + b·ℓ(q) + w·(ℓ(p) - ℓ(q))` is fitted, with `p` the model's and `q` the
//! no-vig consensus's probability as of the decision: `w` is the information weight, shrunk toward 0.
//!
//! # Example
//! ```
//! use model::{HeldOut, information_weight};
//! let game = HeldOut { model: 0.6, consensus: 0.5, closing: Some(0.55), home_won: true };
//! assert!(information_weight(&[game; 10]).is_none(), "ten games say nothing");
//! ```

use market::{consensus::logit, predictor::InformationWeight, score::reliability};

use crate::newton::logistic_regression;

/// Fewer games give no weight.
const FEWEST_GAMES: usize = 50;
/// Fewer closing prices give no move.
const FEWEST_MOVES: usize = 20;
/// Penalty on the weight: the precision of a belief that it is 0 give or take 1.
const RIDGE: f64 = 1.0;
/// Bins of the calibration residual.
const BINS: usize = 10;
/// No model is believed to be calibrated better than this, in logits.
const CALIBRATION_FLOOR: f64 = 0.03;

/// A settled game that the model was not trained on; a tie of a 2-way league does not belong here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeldOut {
    /// The model's probability of a home win, as of the decision.
    pub model: f64,
    /// The no-vig consensus's, as of the decision.
    pub consensus: f64,
    /// The no-vig closing line's.
    pub closing: Option<f64>,
    /// What happened.
    pub home_won: bool,
}

/// Fits the information weight; none with fewer than 50 games.
///
/// The standard error is the Hessian's (ridge included). `calibration_sd` is the root of the mean squared logit
/// residual of ten equal-width bins, less what chance alone makes of them, at least 0.03.
pub fn information_weight(games: &[HeldOut]) -> Option<InformationWeight> {
    if games.len() < FEWEST_GAMES {
        return None;
    }
    let rows: Vec<_> = games
        .iter()
        .map(|game| {
            let q = logit(game.consensus);
            (vec![1.0, q, logit(game.model) - q], f64::from(u8::from(game.home_won)))
        })
        .collect();
    // The slope on the price is held near 1 where it cannot be told.
    let fitted = logistic_regression(&rows, &[1e-6, 1e-2, RIDGE], &[0.0, 1.0, 0.0])?;
    Some(InformationWeight {
        weight: fitted.at[2].clamp(0.0, 1.0),
        standard_error: fitted.standard_error(2)?,
        games: games.len(),
        calibration_sd: calibration_sd(games),
        market_move_sd: market_move_sd(games),
    })
}

fn calibration_sd(games: &[HeldOut]) -> f64 {
    let forecasts: Vec<(f64, bool)> = games.iter().map(|game| (game.model, game.home_won)).collect();
    let mut sum = 0.0;
    for bin in reliability(&forecasts, BINS) {
        let n = bin.count as f64;
        // Half a game on each side keeps the logit of an empty side finite.
        let observed = (bin.observed * n + 0.5) / (n + 1.0);
        let chance = 1.0 / ((n + 1.0) * observed * (1.0 - observed));
        sum += n * ((logit(observed) - logit(bin.forecast)).powi(2) - chance);
    }
    (sum / games.len() as f64).max(0.0).sqrt().max(CALIBRATION_FLOOR)
}

/// Standard deviation of the market's logit move from the decision to the close.
fn market_move_sd(games: &[HeldOut]) -> Option<f64> {
    let moves: Vec<f64> =
        games.iter().filter_map(|game| Some(logit(game.closing?) - logit(game.consensus))).collect();
    if moves.len() < FEWEST_MOVES {
        return None;
    }
    let n = moves.len() as f64;
    let mean = moves.iter().sum::<f64>() / n;
    Some((moves.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use market::consensus::logistic;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Games whose truth is the price plus `weight` times the model's disagreement.
    fn planted(weight: f64, n: usize) -> Vec<HeldOut> {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let mut noise = || random.random::<f64>() + random.random::<f64>() + random.random::<f64>() - 1.5;
        let mut draw = ChaCha8Rng::seed_from_u64(12);
        (0..n)
            .map(|_| {
                let (q, d) = (1.5 * noise(), noise());
                let truth = logistic(q + weight * d);
                HeldOut {
                    model: logistic(q + d),
                    consensus: logistic(q),
                    closing: Some(logistic(q + 0.1 * noise())),
                    home_won: draw.random::<f64>() < truth,
                }
            })
            .collect()
    }

    #[test]
    fn a_planted_weight_is_found_within_its_error() {
        for weight in [0.0, 0.3, 0.8] {
            let found = information_weight(&planted(weight, 20_000)).unwrap();
            assert!(
                (found.weight - weight).abs() < 3.0 * found.standard_error,
                "three standard errors: {found:?} for {weight}"
            );
            assert!(found.standard_error < 0.05, "20,000 games: {found:?}");
        }
    }

    #[test]
    fn the_error_falls_with_the_root_of_the_games() {
        let few = information_weight(&planted(0.5, 5_000)).unwrap().standard_error;
        let many = information_weight(&planted(0.5, 20_000)).unwrap().standard_error;
        assert!((few / many - 2.0).abs() < 0.15, "four times the games: {few} and {many}");
    }

    #[test]
    fn few_games_are_shrunk_toward_zero() {
        let found = information_weight(&planted(0.8, 60)).unwrap();
        assert!(found.standard_error < 1.0, "the ridge alone says 0 give or take 1");
        assert!((0.0..=1.0).contains(&found.weight));
    }

    #[test]
    fn an_overconfident_model_has_a_calibration_residual() {
        let honest = information_weight(&planted(1.0, 20_000)).unwrap();
        let mut bold = planted(1.0, 20_000);
        for game in &mut bold {
            game.model = logistic(2.0 * logit(game.model));
        }
        let bold = information_weight(&bold).unwrap();
        assert!(honest.calibration_sd < 0.1, "{honest:?}");
        assert!(bold.calibration_sd > 0.4, "{bold:?}");
    }

    #[test]
    fn the_markets_move_is_measured_in_logits() {
        // 0.1 times a sum of three uniforms, each of variance 1/12.
        let found = information_weight(&planted(0.5, 20_000)).unwrap().market_move_sd.unwrap();
        assert!((found - 0.05).abs() < 0.002, "{found}");
        let mut silent = planted(0.5, 100);
        for game in &mut silent {
            game.closing = None;
        }
        assert_eq!(information_weight(&silent).unwrap().market_move_sd, None);
    }
}
