//! `edge backtest`: how the engine would have done, season by season, with what was known at each decision.

mod bets;
mod folds;
mod lenses;
mod page;

use std::fmt::Write as _;

use anyhow::Context as _;
use graph::Graph;
use market::{LeagueId, Timestamp, predictor::InformationWeight, score::ForecastScore};
use model::{
    TrainSettings,
    backtest::{BacktestScores, Cadence, FoldForecast, score},
};
use serde::Serialize;

pub(crate) use folds::{FoldEnd, FoldOrder};

use self::{
    bets::{Bets, Simulated},
    lenses::LensesJudged,
};
use super::train::scores_table;
use crate::{
    args::BacktestArgs,
    context::{Context, say},
    exit::{Status, Usage},
    paths::Key,
    table::{counted, percent, signed_percent, table},
};

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Printed<'a> {
    league: &'a LeagueId,
    from: i32,
    to: i32,
    as_of: Timestamp,
    games: usize,
    /// Different settings, this one included, under which the league was walked through in this store.
    configurations_tried: usize,
    cadence: Cadence,
    settings: &'a TrainSettings,
    /// Configured assumptions about when things were known.
    assumptions: Vec<String>,
    /// Folds before which there was too little to train on.
    too_early: Vec<String>,
    ties_left_out: usize,
    not_covered: usize,
    forecasts: &'a [ForecastScore],
    information: Option<InformationWeight>,
    bets: &'a Bets,
    /// What all claimed edges, bet on or not, say of the lenses.
    lenses: &'a LensesJudged,
    seconds: f64,
}

pub(crate) fn run(args: &BacktestArgs, context: &Context) -> anyhow::Result<Status> {
    if args.from > args.to {
        return Err(Usage(format!("--from {} is later than --to {}", args.from, args.to)).into());
    }
    let league = LeagueId::new(&args.league).map_err(|error| Usage(error.to_string()))?;
    let as_of = context.now;
    let snapshot = folds::snapshot(context, &league, as_of)?;
    let graph = Graph::build(&snapshot);
    let cadence = Cadence::from(args.refit);
    let found = model::backtest::folds(&graph, &league, args.from, args.to, cadence);
    anyhow::ensure!(
        !found.is_empty(),
        "no finished game of {league} in the seasons {} to {} is in the store; `edge data --league {league}` shows what is",
        args.from,
        args.to
    );
    let settings = TrainSettings { threads: 1, ..context.settings.model.clone() };
    let orders: Vec<FoldOrder> = found
        .into_iter()
        .map(|fold| FoldOrder {
            as_of,
            league: league.clone(),
            fold,
            settings: settings.clone(),
            with_market: !args.no_market,
        })
        .collect();
    let folder = context.runs_folder()?.join("backtest").join(name(args, context, &orders)?);
    std::fs::create_dir_all(&folder)?;
    let (mut forecasts, mut too_early) = (Vec::new(), Vec::new());
    for (order, end) in orders.iter().zip(folds::run_all(context, &orders, &folder)?) {
        match end {
            FoldEnd::Forecast(forecast) => forecasts.push(*forecast),
            FoldEnd::TooEarly(why) => {
                say(&format!("edge: {} is left out: {why}", order.fold.name));
                too_early.push(order.fold.name.clone());
            }
        }
    }
    anyhow::ensure!(
        !forecasts.is_empty(),
        "before none of these seasons are there games enough to train on: choose later ones, or fetch earlier ones"
    );
    let scores = score(&graph, &league, &forecasts)
        .context("no game is covered by every forecast; with --no-market prices are not needed")?;
    let simulated = bets::simulate(&context.settings, &snapshot, &forecasts)?;
    let printed = Printed {
        league: &league,
        from: args.from,
        to: args.to,
        as_of,
        games: scores.scores.forecasts.first().map_or(0, |forecast| forecast.games),
        configurations_tried: folds::settings_tried(&context.runs_folder()?.join("backtest"), &league),
        cadence,
        settings: &settings,
        assumptions: crate::leagues::assumptions(&context.settings, &league)?,
        too_early,
        ties_left_out: scores.ties_left_out,
        not_covered: scores.not_covered,
        forecasts: &scores.scores.forecasts,
        information: scores.scores.information,
        bets: &simulated.bets,
        lenses: &simulated.lenses,
        seconds: forecasts.iter().map(|fold| fold.seconds).sum(),
    };
    if args.json {
        context.print_json(&printed)?;
    } else {
        context.print(&text(&printed, &scores, &simulated, &forecasts))?;
    }
    let html = report::backtest::render(&page::page(&printed, &scores, &simulated, &forecasts, context))?;
    let place = if let Some(file) = &args.html {
        std::fs::write(file, html).with_context(|| format!("cannot write {}", file.display()))?;
        file.display().to_string()
    } else {
        let key = Key::Backtest(&format!("{league}_{}_{}", args.from, args.to)).to_string();
        context.store()?.put(&key, html.as_bytes())?;
        format!("{}/{key}", context.settings.store)
    };
    say(&format!("edge: the page with the plots is {place}"));
    Ok(if printed.too_early.is_empty() { Status::Done } else { Status::Partial })
}

/// Names the folder after everything that the folds depend on: the same question finds its answers again.
fn name(args: &BacktestArgs, context: &Context, orders: &[FoldOrder]) -> anyhow::Result<String> {
    let program = std::fs::read(std::env::current_exe()?).context("cannot read this program's own file")?;
    let store = context.store()?;
    let mut rows = Vec::new();
    for kind in ["lines", "results", "context"] {
        rows.extend(store.list(&format!("data/{kind}/league={}", args.league))?);
    }
    let asked: Vec<_> =
        orders.iter().map(|order| (&order.fold, &order.settings, order.with_market)).collect();
    let all = serde_json::to_vec(&(asked, rows, model::sha256(&program)))?;
    Ok(format!("{}-{}-{}-{}", args.league, args.from, args.to, &model::sha256(&all)[..12]))
}

fn ties(scores: &BacktestScores) -> String {
    format!("{} left out of every score", counted(scores.ties_left_out, "tie"))
}

fn not_covered(scores: &BacktestScores) -> String {
    format!("{} not scored: some forecast lacks it", counted(scores.not_covered, "game"))
}

fn text(
    printed: &Printed<'_>,
    scores: &BacktestScores,
    simulated: &Simulated,
    folds: &[FoldForecast],
) -> String {
    let mut text = scores_table(&scores.scores);
    // Writing to a string cannot fail.
    let mut line = |what: String| {
        let _ = writeln!(text, "{what}");
    };
    line(String::new());
    if scores.ties_left_out > 0 {
        line(ties(scores));
    }
    if scores.not_covered > 0 {
        line(not_covered(scores));
    }
    for assumption in &printed.assumptions {
        line(format!("assumed: {assumption}"));
    }
    line(format!(
        "trained again every {}, {} in {:.0} s; configurations tried: {}",
        printed.cadence,
        counted(folds.len(), "fold"),
        printed.seconds,
        printed.configurations_tried
    ));
    let bets = &simulated.bets;
    if bets.count == 0 {
        line("no bet passed the lenses".to_owned());
    } else {
        let interval = |interval: Option<(f64, f64)>| {
            interval.map_or_else(String::new, |(low, high)| {
                format!(" ({} to {})", signed_percent(low), signed_percent(high))
            })
        };
        line(format!(
            "{}, {} staked, profit {}, return {}{}",
            counted(bets.count, "bet"),
            bets.staked,
            bets.profit,
            bets.roi.map_or_else(|| "–".to_owned(), signed_percent),
            interval(bets.roi_interval_95)
        ));
        line(format!(
            "closing line value {}{}, deepest drawdown {}",
            bets.mean_ev_clv.map_or_else(|| "–".to_owned(), signed_percent),
            interval(bets.ev_clv_interval_95),
            percent(-bets.max_drawdown)
        ));
    }
    text_of_lenses(&mut line, &simulated.lenses);
    if !simulated.stopped.is_empty() {
        let mut reasons: Vec<_> = simulated.stopped.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let told: Vec<String> = reasons.iter().take(4).map(|(why, count)| format!("{why} {count}")).collect();
        line(format!("games with an edge that were not bet on: {}", told.join(", ")));
    }
    text
}

/// Says what each lens was worth among all claimed edges.
fn text_of_lenses(line: &mut impl FnMut(String), judged: &LensesJudged) {
    let Some(all) = judged.all else {
        line(format!(
            "{} on {} with a close: too few to judge the lenses by",
            counted(judged.claims, "claimed edge"),
            counted(judged.games, "game")
        ));
        return;
    };
    line(String::new());
    line(format!(
        "{} on {}, bet on or not: {} ± {} at the close, {} ± {} returned",
        counted(judged.claims, "claimed edge"),
        counted(all.games, "game"),
        signed_percent(all.ev_clv),
        percent(all.ev_clv_error),
        signed_percent(all.roi),
        percent(all.roi_error)
    ));
    let mut shown = table(&["lens", ">vetoed", ">better half", ">worse half", ">returns"]);
    for of in &judged.lenses {
        let clv = |half: Option<lenses::Mean>| {
            half.map_or_else(
                || "–".to_owned(),
                |m| format!("{} ± {}", signed_percent(m.ev_clv), percent(m.ev_clv_error)),
            )
        };
        let returns = of.better_half.zip(of.worse_half).map_or_else(
            || "–".to_owned(),
            |(better, worse)| format!("{} / {}", signed_percent(better.roi), signed_percent(worse.roi)),
        );
        shown.add_row([
            of.lens.title().to_owned(),
            of.vetoed.to_string(),
            clv(of.better_half),
            clv(of.worse_half),
            returns,
        ]);
    }
    line(shown.to_string());
    if let Some(beats) = &judged.beats_close {
        line(beats.told());
    }
}
