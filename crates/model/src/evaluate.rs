//! The table in which models stand beside baselines, all scored on the same held-out games.
//!
//! A forecast that covers less than half of a league's held-out games is left out of its table; the games scored are
//! those that every other forecast covers. In a 2-way league ties have no outcome: they are left out and counted.

use market::{
    LeagueId, Timestamp,
    predictor::{InformationWeight, LeagueScores},
    score::{ForecastScore, brier, expected_calibration_error, log_loss, ranked_probability_score},
};

use crate::{
    baselines::{Forecasts, League, baselines, fit_to_league},
    examples::Example,
    information::{HeldOut, information_weight},
    tilt::outcome_of,
};

/// Bins of the expected calibration error.
const BINS: usize = 10;
/// A forecast must cover this share of the held-out games.
const COVERAGE: f64 = 0.5;

/// A league's table, and what is not in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Evaluation {
    pub(crate) scores: LeagueScores,
    /// Held-out ties of a 2-way league.
    pub(crate) ties_left_out: usize,
}

/// Scores `models` beside the baselines; none without a game that all forecasts cover.
pub(crate) fn evaluate(id: &LeagueId, league: &League<'_>, models: Vec<Forecasts>) -> Option<Evaluation> {
    let mut forecasts = baselines(league);
    forecasts.extend(models);
    compare(id, league, forecasts)
}

/// Scores forecasts on the same games; none without a game that all of them cover.
pub(crate) fn compare(
    id: &LeagueId,
    league: &League<'_>,
    mut forecasts: Vec<Forecasts>,
) -> Option<Evaluation> {
    let decided = |e: &Example| league.three_way || e.margin != 0;
    let ties_left_out = league.test.iter().filter(|e| !decided(e)).count();
    let wanted = ((league.test.len() - ties_left_out) as f64 * COVERAGE).ceil() as usize;
    forecasts.retain(|f| {
        let covered = f.games.iter().zip(league.test).filter(|(p, e)| p.is_some() && decided(e));
        covered.count() >= wanted.max(1)
    });
    let scored: Vec<usize> = (0..league.test.len())
        .filter(|i| decided(&league.test[*i]) && forecasts.iter().all(|f| f.games[*i].is_some()))
        .collect();
    let starts = || scored.iter().map(|i| league.test[*i].start);
    let (from, to): (Timestamp, Timestamp) = (starts().min()?, starts().max()?);
    let closing = forecasts.iter().find(|f| f.name == "closing_line").map(|f| losses(f, league, &scored));
    let information = forecasts.iter().find(|f| f.name == "hgt_market").and_then(|f| information(f, league));
    let forecasts = forecasts.iter().map(|f| score(f, league, &scored, closing.as_deref())).collect();
    Some(Evaluation {
        scores: LeagueScores {
            league: id.clone(),
            from,
            to,
            forecasts,
            information,
            by_market: Vec::new(),
            ordinary: None,
        },
        ties_left_out,
    })
}

/// Returns the probabilities of the outcomes that are scored, and which one happened.
fn case(forecast: &Forecasts, league: &League<'_>, game: usize) -> (Vec<f64>, usize) {
    let [home, draw, away] = forecast.games[game].unwrap_or_default();
    let outcome = outcome_of(league.test[game].margin);
    if league.three_way { (vec![home, draw, away], outcome) } else { (vec![home, away], outcome / 2) }
}

fn losses(forecast: &Forecasts, league: &League<'_>, games: &[usize]) -> Vec<f64> {
    games
        .iter()
        .map(|game| {
            let (p, outcome) = case(forecast, league, *game);
            log_loss(&p, outcome)
        })
        .collect()
}

fn score(
    forecast: &Forecasts,
    league: &League<'_>,
    games: &[usize],
    closing: Option<&[f64]>,
) -> ForecastScore {
    let n = games.len() as f64;
    let cases: Vec<(Vec<f64>, usize)> = games.iter().map(|game| case(forecast, league, *game)).collect();
    let mean =
        |of: fn(&[f64], usize) -> f64| cases.iter().map(|(p, outcome)| of(p, *outcome)).sum::<f64>() / n;
    let home: Vec<(f64, bool)> = cases.iter().map(|(p, outcome)| (p[0], *outcome == 0)).collect();
    let difference = closing.map(|closing| {
        let own = losses(forecast, league, games);
        mean_and_error(&own.iter().zip(closing).map(|(own, bar)| own - bar).collect::<Vec<_>>())
    });
    ForecastScore {
        name: forecast.name.clone(),
        uses_market: forecast.uses_market,
        games: games.len(),
        log_loss: mean(log_loss),
        brier: mean(brier),
        rps: mean(ranked_probability_score),
        ece: expected_calibration_error(&home, BINS),
        log_loss_minus_closing: difference.map(|(mean, _)| mean),
        standard_error: difference.map(|(_, error)| error),
    }
}

/// Returns the mean and its standard error; the error of one number is 0.
pub(crate) fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0).max(1.0) / n).sqrt())
}

/// Fits the information weight on every decided held-out game with a consensus at its decision.
fn information(forecast: &Forecasts, league: &League<'_>) -> Option<InformationWeight> {
    let mut games = Vec::new();
    for (example, p) in league.test.iter().zip(&forecast.games) {
        let quoted = |p: Option<[f64; 3]>| p.and_then(|p| fit_to_league(p, league.three_way)).map(|p| p[0]);
        let consensus = quoted(league.graph.consensus(example.game, example.as_of));
        let (Some(p), Some(consensus)) = (p, consensus) else { continue };
        if !league.three_way && example.margin == 0 {
            continue;
        }
        let closing = quoted(league.graph.closing(example.game));
        games.push(HeldOut { model: p[0], consensus, closing, home_won: example.margin > 0 });
    }
    information_weight(&games)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_mean_by_hand() {
        // Deviations ±1 around 2: variance 4/3, over n = 4 and rooted: 1/sqrt(3).
        let (mean, error) = mean_and_error(&[1.0, 3.0, 1.0, 3.0]);
        assert!((mean - 2.0).abs() < 1e-12 && (error - (1.0f64 / 3.0).sqrt()).abs() < 1e-12);
    }
}
