//! The page with the plots.

use ledger::Mode;
use model::backtest::{BacktestScores, FoldForecast};
use report::{
    backtest::{BacktestPage, BetsSummary, LearningCurve, LensRow, LensesSummary},
    input::BankrollPoint,
};

use super::{
    Printed,
    bets::Simulated,
    lenses::{BeatsClose, LensJudged, LensesJudged, Mean},
    not_covered, ties,
};
use crate::context::Context;

/// Reliability is drawn for these, in this order.
const PLOTTED: [&str; 3] = ["hgt", "hgt_market", "closing_line"];

pub(super) fn page(
    printed: &Printed<'_>,
    scores: &BacktestScores,
    simulated: &Simulated,
    folds: &[FoldForecast],
    context: &Context,
) -> BacktestPage {
    let mut stopped: Vec<(String, usize)> =
        simulated.stopped.iter().map(|(why, games)| (why.clone(), *games)).collect();
    stopped.sort_by_key(|(_, games)| std::cmp::Reverse(*games));
    let bets = &simulated.bets;
    let mut notes = Vec::new();
    if scores.ties_left_out > 0 {
        notes.push(ties(scores));
    }
    if scores.not_covered > 0 {
        notes.push(not_covered(scores));
    }
    notes.extend(printed.assumptions.iter().map(|assumption| format!("Assumed: {assumption}.")));
    let curve = simulated.ledger.curve(Mode::Paper).into_iter();
    BacktestPage {
        league: printed.league.to_string(),
        from: printed.from,
        to: printed.to,
        as_of: printed.as_of,
        cadence: printed.cadence.to_string(),
        folds: folds.len(),
        configurations_tried: printed.configurations_tried,
        forecasts: printed.forecasts.to_vec(),
        reliability: PLOTTED
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), scores.reliability.get(*name)?.clone())))
            .collect(),
        learning: folds
            .iter()
            .flat_map(|fold| fold.curves.iter().map(move |curve| (fold, curve)))
            .map(|(fold, curve)| LearningCurve {
                label: format!("{} {} {}", fold.fold.name, curve.variant.as_str(), curve.member + 1),
                epochs: curve.epochs.clone(),
            })
            .collect(),
        bets: Some(BetsSummary {
            count: bets.count,
            staked: bets.staked,
            profit: bets.profit,
            roi: bets.roi,
            roi_interval_95: bets.roi_interval_95,
            mean_ev_clv: bets.mean_ev_clv,
            ev_clv_interval_95: bets.ev_clv_interval_95,
            max_drawdown: bets.max_drawdown,
            stopped,
        }),
        lenses: lenses(&simulated.lenses),
        bankroll: curve
            .map(|point| BankrollPoint {
                date: point.date,
                bankroll: point.balance,
                expected: point.expected,
            })
            .collect(),
        currency: context.settings.currency.clone(),
        notes,
    }
}

/// Returns what the page tells of the lenses; none without claims enough.
fn lenses(judged: &LensesJudged) -> Option<LensesSummary> {
    let all = judged.all?;
    let at_the_close = |mean: Option<Mean>| mean.map(|mean| (mean.ev_clv, mean.ev_clv_error));
    let row = |of: &LensJudged| LensRow {
        lens: of.lens.title().to_owned(),
        vetoed: of.vetoed,
        better_half: at_the_close(of.better_half),
        worse_half: at_the_close(of.worse_half),
        returns: of.better_half.zip(of.worse_half).map(|(better, worse)| (better.roi, worse.roi)),
    };
    Some(LensesSummary {
        claims: judged.claims,
        games: all.games,
        lenses: judged.lenses.iter().map(row).collect(),
        beats_close: judged.beats_close.as_ref().map(BeatsClose::told),
    })
}
