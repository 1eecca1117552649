//! Model scores beside the baselines, champion and calibration in words.

use market::{
    Timestamp,
    predictor::LeagueScores,
    score::{ForecastScore, ReliabilityBin},
};
use serde::Serialize;

use super::{Style, pick::short_hash};
use crate::{
    format,
    input::{Champion, ReportData},
    locale::{DASH, Locale},
};

#[derive(Debug, Serialize)]
pub(crate) struct ModelTable {
    league: String,
    games: String,
    from: String,
    to: String,
    rows: Vec<ModelRow>,
    /// What the model knows beyond the price, in words.
    information: Option<String>,
}

#[derive(Debug, Serialize)]
struct ModelRow {
    name: String,
    uses_market: bool,
    is_ours: bool,
    is_best: bool,
    log_loss: String,
    brier: String,
    rps: String,
    ece: String,
    minus_closing: String,
    standard_error: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct ChampionView {
    version: String,
    since: String,
    sha256: String,
    data_as_of: String,
    git_commit: String,
    configurations_tried: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Reliability {
    rows: Vec<ReliabilityRow>,
}

#[derive(Debug, Serialize)]
struct ReliabilityRow {
    forecast: String,
    observed: String,
    games: String,
}

pub(crate) fn table(league: &LeagueScores, style: &Style<'_>) -> ModelTable {
    let way = style.locale;
    let best =
        league.forecasts.iter().map(|row| row.log_loss).filter(|loss| loss.is_finite()).reduce(f64::min);
    let games = league.forecasts.iter().map(|row| row.games).max().unwrap_or(0);
    ModelTable {
        league: league.league.as_str().to_uppercase(),
        games: way.counted(games, "game"),
        from: day(league.from, style),
        to: day(league.to, style),
        rows: league.forecasts.iter().map(|row| score(row, best, way)).collect(),
        information: league.information.map(|weight| {
            let (share, error) = (way.number(weight.weight, 2), way.number(weight.standard_error, 2));
            let games = way.counted(weight.games, "game");
            way.say_with("information", &[("weight", &share), ("error", &error), ("games", &games)])
        }),
    }
}

fn day(instant: Timestamp, style: &Style<'_>) -> String {
    style.locale.day(instant.to_zoned(style.zone.clone()).date())
}

fn score(row: &ForecastScore, best: Option<f64>, way: &Locale) -> ModelRow {
    ModelRow {
        name: title(&row.name, way),
        uses_market: row.uses_market,
        is_ours: row.name.starts_with("hgt"),
        is_best: best == Some(row.log_loss),
        log_loss: way.number(row.log_loss, 4),
        brier: way.number(row.brier, 4),
        rps: way.number(row.rps, 4),
        ece: way.number(row.ece, 3),
        minus_closing: row.log_loss_minus_closing.map_or_else(|| DASH.to_owned(), |gap| way.signed(gap, 4)),
        standard_error: row
            .standard_error
            .map_or_else(String::new, |error| format!("±\u{a0}{}", way.number(error, 4))),
    }
}

/// Names of forecasts as people say them; an unknown one is shown as it is.
fn title(name: &str, way: &Locale) -> String {
    let known = match name {
        "home_rate" => "forecast-home-rate",
        "elo" => "forecast-elo",
        "normal_margin" => "forecast-normal-margin",
        "poisson" => "forecast-poisson",
        "dixon_coles" => "forecast-dixon-coles",
        "opening_line" => "forecast-opening-line",
        "closing_line" => "forecast-closing-line",
        "linear" => "forecast-linear",
        "linear_market" => "forecast-linear-market",
        "hgt" => "forecast-hgt",
        "hgt_market" => "forecast-hgt-market",
        other => return format::name(other),
    };
    way.say(known)
}

pub(crate) fn champion(champion: &Champion, style: &Style<'_>) -> ChampionView {
    ChampionView {
        version: format::name(&champion.version),
        since: style.locale.dated(champion.since, style.zone),
        sha256: short_hash(&champion.sha256),
        data_as_of: style.locale.dated(champion.data_as_of, style.zone),
        git_commit: short_hash(&champion.git_commit),
        configurations_tried: style.locale.counted(champion.configurations_tried, "configuration"),
    }
}

/// Writes the calibration as a table; none without bins.
pub(super) fn reliability(data: &ReportData, style: &Style<'_>) -> Option<Reliability> {
    let row = |bin: &ReliabilityBin| ReliabilityRow {
        forecast: style.locale.percent(bin.forecast, 0),
        observed: style.locale.percent(bin.observed, 0),
        games: style.locale.count(bin.count),
    };
    (!data.reliability.is_empty()).then(|| Reliability { rows: data.reliability.iter().map(row).collect() })
}
