//! Forecasts that a model must beat, on the same games and as of the same instants.
//!
//! | name | forecast |
//! |---|---|
//! | `home_rate` | shares of outcomes among the league's results known at the decision |
//! | `elo` | the graph's Elo lead through a logit (3-way: ordered logit) fitted on the training games |
//! | `poisson` | independent Poisson scores with the graph's attack and defence ratings (leagues of few points) |
//! | `dixon_coles` | Dixon and Coles's model, fitted again every week (leagues of few points) |
//! | `normal_margin` | a normal margin around the same ratings, its deviation from the training games (all others) |
//! | `opening_line` | no-vig consensus of the books' first quotes |
//! | `closing_line` | no-vig consensus of the books' last quotes before the start |
//!
//! Probabilities are of home, draw, away; in a 2-way league the draw is 0 and home and away are given that somebody wins.

use std::collections::BTreeMap;

use graph::Graph;
use market::{Name, consensus::logistic};
use serde::{Deserialize, Serialize};

use crate::{
    dixon_coles::dixon_coles,
    examples::Example,
    newton::{logistic_regression, minimise},
    poisson::{LOW_SCORING, poisson_outcomes},
    tilt::outcome_of,
};

const POISSON: &str = "poisson";

/// One league's finished games, those to learn from and those to forecast.
#[derive(Debug, Clone, Copy)]
pub(crate) struct League<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) three_way: bool,
    /// Every finished game of the league; the home rate walks over it.
    pub(crate) all: &'a [Example],
    /// Finished before the first decision on `test`.
    pub(crate) train: &'a [Example],
    pub(crate) test: &'a [Example],
}

/// A named forecast of each held-out game, where it has one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Forecasts {
    pub(crate) name: String,
    pub(crate) uses_market: bool,
    pub(crate) games: Vec<Option<[f64; 3]>>,
}

/// Returns every baseline that the league's data allows.
pub(crate) fn baselines(league: &League<'_>) -> Vec<Forecasts> {
    let of = |name: &str, uses_market, games| Forecasts { name: name.to_owned(), uses_market, games };
    let mut all = vec![of("home_rate", false, home_rate(league))];
    if let Some(games) = elo(league) {
        all.push(of("elo", false, games));
    }
    if let Some((name, games)) = ratings(league) {
        all.push(of(name, false, games));
        if name == POISSON {
            all.push(of("dixon_coles", false, weekly(league)));
        }
    }
    let quoted = |consensus: &dyn Fn(&Example) -> Option<[f64; 3]>| {
        let fit = |e: &Example| consensus(e).and_then(|p| fit_to_league(p, league.three_way));
        league.test.iter().map(fit).collect()
    };
    all.push(of("opening_line", true, quoted(&|e| league.graph.opening(e.game))));
    all.push(of("closing_line", true, quoted(&|e| league.graph.closing(e.game))));
    all
}

/// Brings probabilities to the league's outcomes: none for a 3-way league whose draw is not priced.
pub(crate) fn fit_to_league([home, draw, away]: [f64; 3], three_way: bool) -> Option<[f64; 3]> {
    if three_way {
        return (draw > 0.0).then_some([home, draw, away]);
    }
    let decided = home + away;
    (decided > 0.0).then(|| [home / decided, 0.0, away / decided])
}

/// Walks forward: each game is forecast from the results known strictly before its decision, one imagined game
/// of each outcome among them.
fn home_rate(league: &League<'_>) -> Vec<Option<[f64; 3]>> {
    let mut results: Vec<&Example> = league.all.iter().collect();
    results.sort_by_key(|example| (example.result_known_at, example.game));
    let mut order: Vec<usize> = (0..league.test.len()).collect();
    order.sort_by_key(|i| league.test[*i].as_of);
    let (mut counts, mut next) = ([1.0; 3], 0);
    let mut forecasts = vec![None; league.test.len()];
    for i in order {
        while next < results.len() && results[next].result_known_at < league.test[i].as_of {
            counts[outcome_of(results[next].margin)] += 1.0;
            next += 1;
        }
        let games: f64 = counts.iter().sum();
        forecasts[i] = fit_to_league(counts.map(|count| count / games), league.three_way);
    }
    forecasts
}

fn elo(league: &League<'_>) -> Option<Vec<Option<[f64; 3]>>> {
    let lead = |e: &Example| league.graph.elo(e.game, e.as_of) / 400.0;
    let rows: Vec<(f64, usize)> = league.train.iter().map(|e| (lead(e), outcome_of(e.margin))).collect();
    let logit = if league.three_way { OrderedLogit::fit(&rows)? } else { OrderedLogit::fit_two_way(&rows)? };
    Some(league.test.iter().map(|e| fit_to_league(logit.probabilities(lead(e)), league.three_way)).collect())
}

/// `P(away) = σ(low - slope·x)`, `P(away or draw) = σ(high - slope·x)`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct OrderedLogit {
    low: f64,
    high: f64,
    slope: f64,
}

impl OrderedLogit {
    fn probabilities(&self, x: f64) -> [f64; 3] {
        let (low, high) = (logistic(self.low - self.slope * x), logistic(self.high - self.slope * x));
        [1.0 - high, high - low, low]
    }

    /// Fits by maximum likelihood; `rows` are `(x, outcome)` with 0 home, 1 draw, 2 away.
    fn fit(rows: &[(f64, usize)]) -> Option<Self> {
        if (0..3).any(|outcome| rows.iter().all(|row| row.1 != outcome)) {
            return None;
        }
        let gradient = |at: &[f64]| {
            let (gap, slope) = (at[1].exp(), at[2]);
            let model = Self { low: at[0], high: at[0] + gap, slope };
            // A hair of ridge on the slope, for ratings that have not moved yet.
            let mut sum = vec![0.0, 0.0, 1e-3 * slope];
            for (x, outcome) in rows {
                let density = |p: f64| p * (1.0 - p);
                let low = density(logistic(model.low - slope * x));
                let high = density(logistic(model.high - slope * x));
                let p = model.probabilities(*x)[*outcome].max(1e-12);
                let by_low = [0.0, -low, low][*outcome];
                let by_high = [-high, high, 0.0][*outcome];
                sum[0] -= (by_low + by_high) / p;
                sum[1] -= by_high * gap / p;
                sum[2] += x * (by_low + by_high) / p;
            }
            sum
        };
        let found = minimise(&gradient, &[-1.0, 0.0, 1.0])?.at;
        Some(Self { low: found[0], high: found[0] + found[1].exp(), slope: found[2] })
    }

    /// Fits home against away; ties are left out.
    fn fit_two_way(rows: &[(f64, usize)]) -> Option<Self> {
        let decided: Vec<_> = rows
            .iter()
            .filter(|row| row.1 != 1)
            .map(|(x, outcome)| (vec![1.0, *x], if *outcome == 0 { 1.0 } else { 0.0 }))
            .collect();
        if decided.is_empty() {
            return None;
        }
        let found = logistic_regression(&decided, &[1e-3, 1e-3], &[0.0, 1.0])?.at;
        Some(Self { low: -found[0], high: -found[0], slope: found[1] })
    }
}

/// Scores by the graph's attack and defence ratings, which know only past games.
fn ratings(league: &League<'_>) -> Option<(&'static str, Vec<Option<[f64; 3]>>)> {
    if league.train.is_empty() {
        return None;
    }
    let n = league.train.len() as f64;
    let expected = |e: &Example| league.graph.expected_score(e.game, e.as_of);
    let mean_total = league.train.iter().map(|e| f64::from(e.total)).sum::<f64>() / n;
    let fit = |p| fit_to_league(p, league.three_way);
    if mean_total < LOW_SCORING {
        let games = league.test.iter().map(|e| {
            let (margin, total) = expected(e);
            fit(poisson_outcomes(margin, total))
        });
        return Some((POISSON, games.collect()));
    }
    let squares = league.train.iter().map(|e| (f64::from(e.margin) - expected(e).0).powi(2));
    let deviation = (squares.sum::<f64>() / n).sqrt().max(1e-3);
    let games = league.test.iter().map(|e| fit(normal_outcomes(expected(e).0, deviation)));
    Some(("normal_margin", games.collect()))
}

fn weekly(league: &League<'_>) -> Vec<Option<[f64; 3]>> {
    let games = league.graph.games();
    let mut codes: BTreeMap<&Name, u32> = BTreeMap::new();
    for game in games {
        for name in [&game.home, &game.away] {
            let next = codes.len() as u32;
            codes.entry(name).or_insert(next);
        }
    }
    let forecasts =
        dixon_coles(league.all, league.test, &|game| (codes[&games[game].home], codes[&games[game].away]));
    forecasts.into_iter().map(|p| p.and_then(|p| fit_to_league(p, league.three_way))).collect()
}

/// Returns home, draw, away for a normal margin, rounded to the nearest whole number.
fn normal_outcomes(mean: f64, deviation: f64) -> [f64; 3] {
    let below = |x: f64| normal_cdf((x - mean) / deviation);
    [1.0 - below(0.5), below(0.5) - below(-0.5), below(-0.5)]
}

/// Standard normal distribution function, to 1.2e-7 (Numerical Recipes' `erfc`).
fn normal_cdf(x: f64) -> f64 {
    let z = x.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * z);
    let coefficients = [
        0.170_872_77,
        -0.822_152_23,
        1.488_515_87,
        -1.135_203_98,
        0.278_868_07,
        -0.186_288_06,
        0.096_784_18,
        0.374_091_96,
        1.000_023_68,
        -1.265_512_23,
    ];
    let polynomial = coefficients.iter().fold(0.0, |sum, c| sum * t + c);
    let tail = t * (-z * z + polynomial).exp() / 2.0;
    if x > 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests;
