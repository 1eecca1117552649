//! Does each lens help? Every claimed edge of a backtest, bet on or not, against the close and against the result.

use std::collections::BTreeMap;

use lenses::{
    LensKind, Weights,
    learning::{self, Learned, PastBet},
};
use market::{GameId, GameStatus, ResultRow};
use serde::Serialize;

use crate::{night::Verdict, table::percent};

/// Games below which a lens is not judged.
const FEWEST_GAMES: usize = 40;

/// One price on which the model claimed an edge.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) game: GameId,
    pub(super) week: i64,
    pub(super) lenses: [Option<f64>; 5],
    /// Expected value of the price at the close; none without a comparable one.
    pub(super) ev_clv: Option<f64>,
    /// Net return of a stake of 1; none when void.
    pub(super) net: Option<f64>,
}

impl Claim {
    pub(super) fn new(verdict: &Verdict, ev_clv: Option<f64>, result: Option<&ResultRow>, week: i64) -> Self {
        let line = &verdict.line;
        let finished = result.filter(|result| result.status == GameStatus::Final);
        let outcome = finished.and_then(|result| {
            verdict.rule.outcome(line.selection, line.points, result.home_score, result.away_score)
        });
        Self {
            game: line.game.game_id.clone(),
            week,
            lenses: verdict.lenses.each_ref().map(lenses::Lens::value),
            ev_clv,
            net: outcome.map(|outcome| outcome.net(line.price)),
        }
    }
}

/// What the claims say of the lenses.
#[derive(Debug, Clone, Serialize)]
pub(super) struct LensesJudged {
    /// Prices with a claimed edge.
    pub(super) claims: usize,
    /// Games that they are on.
    pub(super) games: usize,
    /// Mean over all claims.
    pub(super) all: Option<Mean>,
    pub(super) lenses: Vec<LensJudged>,
    pub(super) beats_close: Option<BeatsClose>,
    /// What weights the claims would teach, were they bets.
    pub(super) weights: Learned,
}

/// Mean value at the close and mean return, one game counting once, with standard errors.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Mean {
    pub(super) games: usize,
    pub(super) ev_clv: f64,
    pub(super) ev_clv_error: f64,
    pub(super) roi: f64,
    pub(super) roi_error: f64,
}

/// One lens: the better half of the claims by it beside the worse half.
#[derive(Debug, Clone, Serialize)]
pub(super) struct LensJudged {
    pub(super) lens: LensKind,
    /// Claims on which it had its data.
    pub(super) scored: usize,
    /// Claims that it refused.
    pub(super) vetoed: usize,
    pub(super) better_half: Option<Mean>,
    pub(super) worse_half: Option<Mean>,
}

/// The chance to beat the close, as the third lens says it, against what happened.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct BeatsClose {
    pub(super) games: usize,
    /// Mean of what it said, and share that did.
    pub(super) forecast: f64,
    pub(super) observed: f64,
    pub(super) brier: f64,
    /// Brier score of saying the observed share every time.
    pub(super) brier_of_constant: f64,
    /// Standard error of the difference, one game counting once.
    pub(super) error: f64,
}

impl BeatsClose {
    /// Says it in one sentence.
    pub(super) fn told(&self) -> String {
        format!(
            "Beating the close: said {}, did {}; Brier {:.4}, of a constant {:.4} (difference {:+.4} ± {:.4}).",
            percent(self.forecast),
            percent(self.observed),
            self.brier,
            self.brier_of_constant,
            self.brier - self.brier_of_constant,
            self.error
        )
    }
}

pub(super) fn judge(claims: &[Claim]) -> LensesJudged {
    let all: Vec<&Claim> = claims.iter().collect();
    let with_close: Vec<&Claim> = all.iter().copied().filter(|claim| claim.ev_clv.is_some()).collect();
    let past: Vec<PastBet> = with_close
        .iter()
        .filter_map(|claim| {
            let game = claim.game.to_string();
            Some(PastBet { game, week: claim.week, lenses: claim.lenses, ev_clv: claim.ev_clv? })
        })
        .collect();
    LensesJudged {
        claims: claims.len(),
        games: games_of(&all),
        all: mean(&all),
        lenses: LensKind::ALL.into_iter().map(|lens| of_lens(lens, &all)).collect(),
        beats_close: beats_close(&with_close),
        weights: learning::learn(&past, &Weights::default(), "from-claims"),
    }
}

fn games_of(claims: &[&Claim]) -> usize {
    claims.iter().map(|claim| &claim.game).collect::<std::collections::BTreeSet<_>>().len()
}

fn of_lens(lens: LensKind, claims: &[&Claim]) -> LensJudged {
    let value = |claim: &&Claim| claim.lenses[lens as usize];
    let mut scored: Vec<&Claim> = claims.iter().copied().filter(|claim| value(claim).is_some()).collect();
    scored.sort_by(|a, b| value(b).partial_cmp(&value(a)).unwrap_or(std::cmp::Ordering::Equal));
    let vetoed = scored.iter().filter(|claim| value(claim) == Some(0.0)).count();
    let (better, worse) = scored.split_at(scored.len() / 2);
    // A lens that says the same of all has no halves.
    let differs = better.first().map(value) != worse.last().map(value);
    let half = |claims: &[&Claim]| differs.then(|| mean(claims)).flatten();
    LensJudged { lens, scored: scored.len(), vetoed, better_half: half(better), worse_half: half(worse) }
}

/// Averages within games first: many prices on one game share its fate.
fn mean(claims: &[&Claim]) -> Option<Mean> {
    let mut games: BTreeMap<&GameId, [(f64, f64); 2]> = BTreeMap::new();
    for claim in claims {
        let (Some(clv), Some(net)) = (claim.ev_clv, claim.net) else { continue };
        let sums = games.entry(&claim.game).or_default();
        for (sum, value) in sums.iter_mut().zip([clv, net]) {
            *sum = (sum.0 + value, sum.1 + 1.0);
        }
    }
    let of = |which: usize| games.values().map(move |sums| sums[which].0 / sums[which].1);
    let count = games.len() as f64;
    let mean_of = |which: usize| {
        let mean = of(which).sum::<f64>() / count;
        let squares: f64 = of(which).map(|value| (value - mean).powi(2)).sum();
        (mean, (squares / (count - 1.0) / count).sqrt())
    };
    let ((ev_clv, ev_clv_error), (roi, roi_error)) = (mean_of(0), mean_of(1));
    (games.len() >= FEWEST_GAMES).then_some(Mean { games: games.len(), ev_clv, ev_clv_error, roi, roi_error })
}

fn beats_close(claims: &[&Claim]) -> Option<BeatsClose> {
    let mut games: BTreeMap<&GameId, Vec<(f64, f64)>> = BTreeMap::new();
    for claim in claims {
        if let (Some(said), Some(clv)) = (claim.lenses[LensKind::MrMarket as usize], claim.ev_clv) {
            games.entry(&claim.game).or_default().push((said, f64::from(u8::from(clv > 0.0))));
        }
    }
    let count = games.len() as f64;
    let of_game = |of: &dyn Fn(f64, f64) -> f64| -> Vec<f64> {
        games
            .values()
            .map(|rows| rows.iter().map(|(p, y)| of(*p, *y)).sum::<f64>() / rows.len() as f64)
            .collect()
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
    let (forecast, observed) = (mean(&of_game(&|p, _| p)), mean(&of_game(&|_, y| y)));
    let differences = of_game(&|p, y| (p - y).powi(2) - (observed - y).powi(2));
    let middle = mean(&differences);
    let squares: f64 = differences.iter().map(|d| (d - middle).powi(2)).sum();
    (games.len() >= FEWEST_GAMES).then(|| BeatsClose {
        games: games.len(),
        forecast,
        observed,
        brier: mean(&of_game(&|p, y| (p - y).powi(2))),
        brier_of_constant: mean(&of_game(&|_, y| (observed - y).powi(2))),
        error: (squares / (count - 1.0) / count).sqrt(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(count: usize) -> Vec<Claim> {
        let claim = |i: usize| {
            let good = i.is_multiple_of(2);
            Claim {
                game: GameId::from_text(&format!("game-{}", i / 2)),
                week: (i / 20) as i64,
                lenses: [
                    Some(0.5),
                    Some(if good { 0.9 } else { 0.1 }),
                    Some(if good { 0.8 } else { 0.3 }),
                    None,
                    Some(0.0),
                ],
                ev_clv: Some(if good { 0.02 } else { -0.03 }),
                net: Some(if good { 0.9 } else { -1.0 }),
            }
        };
        (0..count).map(claim).collect()
    }

    #[test]
    fn a_lens_that_sorts_shows_it_and_one_that_says_the_same_of_all_does_not() {
        let judged = judge(&claims(200));
        assert_eq!((judged.claims, judged.games), (200, 100));
        assert!(judged.lenses[0].better_half.is_none(), "0.5 of everything");
        let margin = &judged.lenses[1];
        assert!((margin.better_half.unwrap().ev_clv - 0.02).abs() < 1e-12);
        assert!((margin.worse_half.unwrap().ev_clv + 0.03).abs() < 1e-12);
        assert_eq!((judged.lenses[3].scored, judged.lenses[4].vetoed), (0, 200));
        let beats = judged.beats_close.unwrap();
        assert!((beats.observed - 0.5).abs() < 1e-12 && beats.brier < beats.brier_of_constant);
    }

    #[test]
    fn few_games_are_not_judged() {
        let judged = judge(&claims(20));
        assert!(judged.all.is_none() && judged.beats_close.is_none());
        assert_eq!(judged.weights, Learned::TooFew { rows: 10 });
    }
}
