//! Learning the weights of the lenses from bets whose close is known (domain notes, section 5.8).
//!
//! `ln S` is linear in the weights, so that a logistic regression `P(beat the close) = logistic(c + Σ βᵢ ln Lᵢ)` with `βᵢ >= 0`,
//! pulled toward equal weights, tells them: `wᵢ = βᵢ / Σβ`, at least 0.05 each. Bets on one game count as one. The
//! weights are judged on the last block of weeks, which they have not seen, beside those in use.
//!
//! # Example
//! ```
//! use lenses::{Weights, learning::{learn, Learned}};
//! assert!(matches!(learn(&[], &Weights::default(), "learned-1"), Learned::TooFew { rows: 0 }));
//! ```

use std::collections::BTreeMap;

use market::consensus::logistic;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::Weights;

/// Games with a known close below which weights stay as they are.
pub const FEWEST_GAMES: usize = 300;
/// Least weight of a lens.
const FLOOR: f64 = 0.05;
/// Underflow floor of a lens, inside of the logarithm only.
const LEAST_LENS: f64 = 1e-12;
/// Penalty on the distance from equal coefficients.
const RIDGE: f64 = 10.0;
/// Share of the weeks, the last ones, on which new weights are judged.
const UNSEEN: f64 = 0.25;
/// Resamples of weeks behind each interval.
const RESAMPLES: usize = 200;
const SEED: u64 = 58;
const ROUNDS: usize = 300;

/// One past bet whose close was known before the as-of.
#[derive(Debug, Clone, PartialEq)]
pub struct PastBet {
    /// Bets with the same game are one observation.
    pub game: String,
    /// Number of the week in which it was placed; blocks are made of these.
    pub week: i64,
    /// Lens scores in the order of [`crate::LensKind::ALL`]; none when missing.
    pub lenses: [Option<f64>; 5],
    /// Expected value of the price taken at the close.
    pub ev_clv: f64,
}

/// What came of learning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Learned {
    /// Too few games with a close.
    TooFew {
        /// Games there are.
        rows: usize,
    },
    /// The challenger is no better on the block that it has not seen.
    Kept(Challenge),
    /// The challenger is better there, and takes over.
    Promoted(Challenge),
}

/// A challenger beside the weights in use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Challenge {
    /// The weights, fitted on every game.
    pub weights: Weights,
    /// Between these each weight lies in 95 of 100 resamples of weeks.
    pub intervals_95: [(f64, f64); 5],
    /// Games with a close.
    pub games: usize,
    /// Games of the unseen block.
    pub unseen: usize,
    /// Log-loss of beating the close on the unseen block: weights fitted before it, weights in use.
    pub log_loss: [f64; 2],
    /// Mean expected value at the close of the better half by score, on the same games, in the same order.
    pub clv_of_better_half: [f64; 2],
}

/// One game: logarithms of the lenses, and whether the close was beaten.
#[derive(Debug, Clone)]
struct Row {
    week: i64,
    logs: [f64; 5],
    beat: f64,
    ev_clv: f64,
}

/// Fits weights on `past` and says whether they take over from those `in_use`; `version` names them.
pub fn learn(past: &[PastBet], in_use: &Weights, version: &str) -> Learned {
    let rows = rows(past);
    if rows.len() < FEWEST_GAMES {
        return Learned::TooFew { rows: rows.len() };
    }
    let weeks: Vec<i64> = rows.iter().map(|row| row.week).collect();
    let cut = weeks[((weeks.len() as f64) * (1.0 - UNSEEN)) as usize];
    let (seen, unseen): (Vec<Row>, Vec<Row>) = rows.iter().cloned().partition(|row| row.week < cut);
    let challenger = values(fit(&seen).1);
    let judged = [judge(&seen, &unseen, challenger), judge(&seen, &unseen, in_use.values())];
    let Ok(weights) = Weights::new(version, values(fit(&rows).1)) else {
        return Learned::TooFew { rows: rows.len() };
    };
    let challenge = Challenge {
        weights,
        intervals_95: intervals(&rows),
        games: rows.len(),
        unseen: unseen.len(),
        log_loss: judged.map(|(log_loss, _)| log_loss),
        clv_of_better_half: judged.map(|(_, clv)| clv),
    };
    let better = judged[0].0 < judged[1].0 && judged[0].1 >= judged[1].1;
    if better { Learned::Promoted(challenge) } else { Learned::Kept(challenge) }
}

/// One row per game, by week; a lens that is missing gets the mean of what is there, which tells nothing.
fn rows(past: &[PastBet]) -> Vec<Row> {
    let log = |lens: f64| lens.max(LEAST_LENS).ln();
    let mean = |lens: usize| {
        let logs: Vec<f64> = past.iter().filter_map(|bet| bet.lenses[lens]).map(log).collect();
        if logs.is_empty() { 0.0 } else { logs.iter().sum::<f64>() / logs.len() as f64 }
    };
    let means = [0, 1, 2, 3, 4].map(mean);
    let mut games: BTreeMap<(i64, &str), Vec<&PastBet>> = BTreeMap::new();
    for bet in past.iter().filter(|bet| bet.ev_clv.is_finite()) {
        games.entry((bet.week, bet.game.as_str())).or_default().push(bet);
    }
    let row = |((week, _), bets): ((i64, &str), Vec<&PastBet>)| {
        let count = bets.len() as f64;
        let mut logs = [0.0; 5];
        for (lens, slot) in logs.iter_mut().enumerate() {
            *slot = bets.iter().map(|bet| bet.lenses[lens].map_or(means[lens], log)).sum::<f64>() / count;
        }
        let ev_clv = bets.iter().map(|bet| bet.ev_clv).sum::<f64>() / count;
        Row { week, logs, beat: f64::from(u8::from(ev_clv > 0.0)), ev_clv }
    };
    games.into_iter().map(row).collect()
}

/// Fits intercept and coefficients, none below 0, by projected Newton steps on one coordinate after the other.
fn fit(rows: &[Row]) -> (f64, [f64; 5]) {
    let (mut intercept, mut betas) = (0.0, [0.2; 5]);
    for _ in 0..ROUNDS {
        let before = (intercept, betas);
        let (slope, bend) = derivatives(rows, intercept, &betas, |_| 1.0);
        intercept += damped(slope, bend + 1e-6);
        for lens in 0..5 {
            let mean = betas.iter().sum::<f64>() / 5.0;
            let (slope, bend) = derivatives(rows, intercept, &betas, |row| row.logs[lens]);
            // The penalty is RIDGE/2 · Σ (βᵢ - mean)²; its own derivative by βᵢ is RIDGE · (βᵢ - mean).
            let step = damped(slope - RIDGE * (betas[lens] - mean), bend + 0.8 * RIDGE);
            betas[lens] = (betas[lens] + step).max(0.0);
        }
        let moved = betas.iter().zip(before.1).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        if moved.max((intercept - before.0).abs()) < 1e-7 {
            break;
        }
    }
    (intercept, betas)
}

/// Returns a Newton step that is never longer than a quarter: far from the top the second derivative is next to nothing,
/// and where a lens has refused, its logarithm is large.
fn damped(slope: f64, bend: f64) -> f64 {
    (slope / bend).clamp(-0.25, 0.25)
}

fn derivatives(rows: &[Row], intercept: f64, betas: &[f64; 5], of: impl Fn(&Row) -> f64) -> (f64, f64) {
    rows.iter().fold((0.0, 0.0), |(slope, bend), row| {
        let p = logistic(intercept + dot(betas, &row.logs));
        let x = of(row);
        (slope + x * (row.beat - p), bend + x * x * p * (1.0 - p))
    })
}

fn dot(betas: &[f64; 5], logs: &[f64; 5]) -> f64 {
    betas.iter().zip(logs).map(|(beta, log)| beta * log).sum()
}

/// Scales coefficients to weights of at least the floor; equal ones when nothing was learnt.
fn values(betas: [f64; 5]) -> [f64; 5] {
    let sum: f64 = betas.iter().sum();
    if sum <= 1e-9 {
        return [0.2; 5];
    }
    betas.map(|beta| FLOOR + (1.0 - 5.0 * FLOOR) * beta / sum)
}

/// Returns log-loss on unseen games and the mean closing value of their better half, by the score of these weights.
///
/// How a score becomes a chance is fitted on the games seen, for each set of weights alike.
fn judge(seen: &[Row], unseen: &[Row], weights: [f64; 5]) -> (f64, f64) {
    let (mut intercept, mut slope) = (0.0, 1.0);
    for _ in 0..ROUNDS {
        let betas = weights.map(|w| slope * w);
        let (down, bend) = derivatives(seen, intercept, &betas, |_| 1.0);
        intercept += damped(down, bend + 1e-6);
        let betas = weights.map(|w| slope * w);
        let (down, bend) = derivatives(seen, intercept, &betas, |row| dot(&weights, &row.logs));
        slope = (slope + damped(down, bend + 1e-3)).max(0.0);
    }
    let loss = |row: &Row| {
        let p = logistic(intercept + slope * dot(&weights, &row.logs)).clamp(1e-9, 1.0 - 1e-9);
        -(row.beat * p.ln() + (1.0 - row.beat) * (1.0 - p).ln())
    };
    let log_loss = unseen.iter().map(loss).sum::<f64>() / unseen.len().max(1) as f64;
    let mut ranked: Vec<&Row> = unseen.iter().collect();
    ranked.sort_by(|a, b| dot(&weights, &b.logs).total_cmp(&dot(&weights, &a.logs)));
    let half = &ranked[..ranked.len().div_ceil(2)];
    (log_loss, half.iter().map(|row| row.ev_clv).sum::<f64>() / half.len().max(1) as f64)
}

/// Resamples whole weeks.
fn intervals(rows: &[Row]) -> [(f64, f64); 5] {
    let mut weeks: BTreeMap<i64, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        weeks.entry(row.week).or_default().push(row);
    }
    let weeks: Vec<Vec<&Row>> = weeks.into_values().collect();
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut drawn: Vec<Vec<f64>> = vec![Vec::new(); 5];
    for _ in 0..RESAMPLES {
        let sample: Vec<Row> = (0..weeks.len())
            .flat_map(|_| weeks[random.random_range(0..weeks.len())].iter().map(|row| (*row).clone()))
            .collect();
        for (lens, weight) in drawn.iter_mut().zip(values(fit(&sample).1)) {
            lens.push(weight);
        }
    }
    let mut found = [(0.0, 0.0); 5];
    for (slot, mut weights) in found.iter_mut().zip(drawn) {
        weights.sort_by(f64::total_cmp);
        let at = |share: f64| weights[((weights.len() - 1) as f64 * share).round() as usize];
        *slot = (at(0.025), at(0.975));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bets whose chance to beat the close follows from known weights.
    fn history(games: usize, truth: [f64; 5], seed: u64) -> Vec<PastBet> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let bet = |number: usize| {
            let lenses: [f64; 5] = std::array::from_fn(|_| random.random_range(0.05..1.0));
            let logs = lenses.map(f64::ln);
            let beat = random.random_bool(logistic(2.0 + 3.0 * dot(&truth, &logs)));
            PastBet {
                game: format!("game-{number}"),
                week: (number / 12) as i64,
                lenses: lenses.map(Some),
                ev_clv: if beat { 0.02 } else { -0.02 },
            }
        };
        (0..games).map(bet).collect()
    }

    #[test]
    fn known_weights_are_found_again() {
        let truth = [0.05, 0.35, 0.45, 0.1, 0.05];
        let Learned::Promoted(challenge) = learn(&history(3000, truth, 3), &Weights::default(), "learned-1")
        else {
            panic!("better weights are promoted")
        };
        for ((found, wanted), (low, high)) in
            challenge.weights.values().into_iter().zip(truth).zip(challenge.intervals_95)
        {
            assert!((found - wanted).abs() < 0.1, "{:?}", challenge.weights);
            assert!(low <= found && found <= high);
        }
        assert!(challenge.log_loss[0] < challenge.log_loss[1]);
        assert_eq!(challenge.weights.version(), "learned-1");
    }

    #[test]
    fn chance_alone_promotes_nothing_much_and_few_games_nothing_at_all() {
        assert_eq!(
            learn(&history(200, [0.2; 5], 5), &Weights::default(), "x"),
            Learned::TooFew { rows: 200 }
        );
        // Equal weights are the truth: a challenger that is promoted must at least lie near them.
        if let Learned::Promoted(challenge) | Learned::Kept(challenge) =
            learn(&history(2000, [0.2; 5], 7), &Weights::default(), "x")
        {
            assert!(challenge.weights.values().iter().all(|w| (w - 0.2).abs() < 0.1), "{challenge:?}");
        }
    }

    #[test]
    fn several_bets_on_a_game_are_one_row() {
        let once = history(400, [0.1, 0.3, 0.4, 0.1, 0.1], 11);
        let twice: Vec<PastBet> = once.iter().flat_map(|bet| [bet.clone(), bet.clone()]).collect();
        assert_eq!(
            learn(&once, &Weights::default(), "x"),
            learn(&twice, &Weights::default(), "x"),
            "the same bets twice are no second witness"
        );
    }

    #[test]
    fn a_lens_that_is_never_there_learns_nothing() {
        let mut past = history(600, [0.2; 5], 13);
        for bet in &mut past {
            bet.lenses[2] = None;
        }
        assert!(!matches!(learn(&past, &Weights::default(), "x"), Learned::TooFew { .. }));
    }

    #[test]
    fn refusals_among_the_bets_do_not_throw_it_off() {
        let mut past = history(1200, [0.1, 0.3, 0.4, 0.1, 0.1], 19);
        for bet in past.iter_mut().step_by(3) {
            bet.lenses[0] = Some(0.0);
            bet.lenses[1] = Some(0.0);
            bet.ev_clv = -0.02;
        }
        let (Learned::Promoted(challenge) | Learned::Kept(challenge)) =
            learn(&past, &Weights::default(), "x")
        else {
            panic!("there are games enough")
        };
        assert!(challenge.log_loss.iter().all(|loss| *loss < 0.7), "no worse than a coin: {challenge:?}");
    }
}
