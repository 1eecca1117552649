//! A backtest as one self-contained page: the table, what was bet, and plots where people would rather look than read.
//!
//! # Example
//! ```
//! let json = include_str!("../examples/backtest.json");
//! let page: report::backtest::BacktestPage = serde_json::from_str(json).unwrap();
//! let html = report::backtest::render(&page).unwrap();
//! assert!(html.contains("<svg") && html.contains("hgt"));
//! ```

use market::{
    Money, Timestamp,
    score::{ForecastScore, ReliabilityBin},
};
use serde::{Deserialize, Serialize};

use crate::{
    Locale, ReportError,
    chart::{self, Chart},
    format::{self, count, counted, money, name, number, signed, signed_percent, signed_percent_interval},
    input::BankrollPoint,
    layout,
    templates::sources::{Embedded, Sources},
};

const TEMPLATES: [Embedded; 3] = [
    ("parts.html", include_str!("../templates/parts.html")),
    ("report.css", include_str!("../templates/report.css")),
    ("backtest.html", include_str!("../templates/backtest.html")),
];

/// What the page is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BacktestPage {
    /// League id.
    pub league: String,
    /// First season.
    pub from: i32,
    /// Last season.
    pub to: i32,
    /// Nothing known at or after this instant was scored.
    pub as_of: Timestamp,
    /// How often the model was trained again: `season`, `month`, `week`.
    pub cadence: String,
    /// Trainings.
    pub folds: usize,
    /// Configurations tried before these figures.
    pub configurations_tried: usize,
    /// Models and baselines on the same games.
    pub forecasts: Vec<ForecastScore>,
    /// Name of a forecast with the bins of its home probability.
    pub reliability: Vec<(String, Vec<ReliabilityBin>)>,
    /// Every first fit.
    pub learning: Vec<LearningCurve>,
    /// Bets; none with prices left aside.
    pub bets: Option<BetsSummary>,
    /// What each lens was worth among all claimed edges.
    #[serde(default)]
    pub lenses: Option<LensesSummary>,
    /// Balance by day.
    pub bankroll: Vec<BankrollPoint>,
    /// Currency of the stakes.
    pub currency: String,
    /// What was assumed, left out or not covered, a sentence each.
    pub notes: Vec<String>,
}

/// Loss by epoch of one fit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearningCurve {
    /// Which fit it was.
    pub label: String,
    /// Training and validation loss after each epoch.
    pub epochs: Vec<(f64, f64)>,
}

/// How the bets did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BetsSummary {
    /// Bets.
    pub count: usize,
    /// Stakes.
    pub staked: Money,
    /// What they won or lost.
    pub profit: Money,
    /// Profit over stakes.
    pub roi: Option<f64>,
    /// Its 95 % interval.
    pub roi_interval_95: Option<(f64, f64)>,
    /// Mean expected value at the close.
    pub mean_ev_clv: Option<f64>,
    /// Its 95 % interval.
    pub ev_clv_interval_95: Option<(f64, f64)>,
    /// Deepest fall, a negative share.
    pub max_drawdown: f64,
    /// Games with an edge that were not bet on, by what stopped them.
    pub stopped: Vec<(String, usize)>,
}

/// Every claimed edge, bet on or not, by what each lens said of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LensesSummary {
    /// Claims, and games that they are on.
    pub claims: usize,
    /// Games with a claim.
    pub games: usize,
    /// One per lens, in their order.
    pub lenses: Vec<LensRow>,
    /// What the chance to beat the close was worth, in words.
    pub beats_close: Option<String>,
}

/// Mean expected value at the close of the better and the worse half of the claims by a lens, with standard errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LensRow {
    /// Its name.
    pub lens: String,
    /// Claims that it refused.
    pub vetoed: usize,
    /// Mean and standard error; none where it says the same of all, or of too few.
    pub better_half: Option<(f64, f64)>,
    /// Likewise.
    pub worse_half: Option<(f64, f64)>,
    /// Mean return of both halves.
    pub returns: Option<(f64, f64)>,
}

#[derive(Debug, Serialize)]
struct LensView {
    name: String,
    vetoed: String,
    better: String,
    worse: String,
    returns: String,
}

#[derive(Debug, Serialize)]
struct View {
    league: String,
    seasons: String,
    headline: String,
    summary: String,
    rows: Vec<Row>,
    gaps: Option<Picture>,
    reliability: Vec<Titled>,
    learning: Option<Picture>,
    bets: Vec<Fact>,
    lenses: Vec<LensView>,
    lenses_told: String,
    bankroll: Option<Picture>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Titled {
    title: String,
    picture: Picture,
}

#[derive(Debug, Serialize)]
struct Fact {
    name: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    is_ours: bool,
    uses_market: bool,
    log_loss: String,
    brier: String,
    rps: String,
    ece: String,
    minus_closing: String,
}

#[derive(Debug, Serialize)]
struct Picture {
    svg: String,
    alt: String,
    content_id: &'static str,
}

impl From<Chart> for Picture {
    fn from(chart: Chart) -> Self {
        Self { svg: chart.svg, alt: chart.alt, content_id: chart.content_id }
    }
}

/// Renders the page.
pub fn render(page: &BacktestPage) -> Result<String, ReportError> {
    let html = Sources::built_in(&TEMPLATES).parse()?.render("backtest.html", &view(page)?)?;
    Ok(layout::compact(&html))
}

fn view(page: &BacktestPage) -> Result<View, ReportError> {
    // A backtest is read by those who build the model, in the house's own way.
    let locale = Locale::default();
    let seasons =
        if page.from == page.to { page.from.to_string() } else { format!("{} to {}", page.from, page.to) };
    let games = page.forecasts.first().map_or(0, |forecast| forecast.games);
    let mut reliability = Vec::new();
    for (name, bins) in &page.reliability {
        if let Some(chart) = chart::reliability::chart(bins, &locale)? {
            let title = format!("Reliability of {}, home side", name.replace('_', " "));
            reliability.push(Titled { title, picture: chart.into() });
        }
    }
    Ok(View {
        league: name(&page.league),
        headline: headline(page),
        summary: format!(
            "{} of the seasons {seasons}, each forecast as of its own decision by a model trained before every {} ({}). \
             Only what was known then was used. Configurations tried: {}.",
            counted(games, "game"),
            page.cadence,
            counted(page.folds, "training"),
            count(page.configurations_tried)
        ),
        seasons,
        rows: page.forecasts.iter().map(row).collect(),
        gaps: chart::gaps::chart(&page.forecasts)?.map(Picture::from),
        reliability,
        learning: chart::learning::chart(&page.learning)?.map(Picture::from),
        bets: page.bets.as_ref().map(|bets| facts(bets, &page.currency)).unwrap_or_default(),
        lenses: page.lenses.iter().flat_map(|summary| summary.lenses.iter().map(lens_view)).collect(),
        lenses_told: page.lenses.as_ref().map(lenses_told).unwrap_or_default(),
        bankroll: chart::bankroll::chart(&page.bankroll, &page.currency, &locale)?.map(Picture::from),
        notes: page.notes.clone(),
    })
}

/// Says the one thing that most readers look for.
fn headline(page: &BacktestPage) -> String {
    let of = |name: &str| page.forecasts.iter().find(|forecast| forecast.name == name);
    let ours = of("hgt_market").or_else(|| of("hgt"));
    let compared = ours.and_then(|f| Some((f, f.log_loss_minus_closing?, f.standard_error?)));
    match (compared, ours) {
        (Some((_, difference, error)), _) if difference.abs() <= 2.0 * error => {
            "As good as the closing line, within the error".to_owned()
        }
        (Some((_, difference, error)), _) => {
            let side = if difference > 0.0 { "behind" } else { "ahead of" };
            format!("{} ± {} {side} the closing line", number(difference.abs(), 4), number(error, 4))
        }
        (None, Some(ours)) => format!("Log-loss {}", number(ours.log_loss, 4)),
        (None, None) => "Nothing was forecast".to_owned(),
    }
}

fn row(forecast: &ForecastScore) -> Row {
    let minus_closing = match (forecast.log_loss_minus_closing, forecast.standard_error) {
        (Some(difference), Some(error)) => format!("{} ± {}", signed(difference, 4), number(error, 4)),
        _ => "–".to_owned(),
    };
    Row {
        name: forecast.name.replace('_', " "),
        is_ours: forecast.name.starts_with("hgt"),
        uses_market: forecast.uses_market,
        log_loss: number(forecast.log_loss, 4),
        brier: number(forecast.brier, 4),
        rps: number(forecast.rps, 4),
        ece: number(forecast.ece, 3),
        minus_closing,
    }
}

fn lens_view(row: &LensRow) -> LensView {
    let half = |half: Option<(f64, f64)>| {
        half.map_or_else(
            || "–".to_owned(),
            |(mean, error)| format!("{} ± {}", signed_percent(mean, 1), format::percent(error, 1)),
        )
    };
    LensView {
        name: row.lens.clone(),
        vetoed: count(row.vetoed),
        better: half(row.better_half),
        worse: half(row.worse_half),
        returns: row.returns.map_or_else(
            || "–".to_owned(),
            |(better, worse)| format!("{} / {}", signed_percent(better, 1), signed_percent(worse, 1)),
        ),
    }
}

fn lenses_told(summary: &LensesSummary) -> String {
    let claims = format!(
        "{} on {}, bet on or not, halved by each lens. ",
        counted(summary.claims, "claimed edge"),
        counted(summary.games, "game")
    );
    claims + summary.beats_close.as_deref().unwrap_or("Too few games to judge the chance to beat the close.")
}

fn facts(bets: &BetsSummary, currency: &str) -> Vec<Fact> {
    let fact = |name: &str, value: String| Fact { name: name.to_owned(), value };
    let share = |value: Option<f64>, interval: Option<(f64, f64)>| {
        let value = value.map_or_else(|| "–".to_owned(), |value| signed_percent(value, 1));
        interval.map_or_else(|| value.clone(), |i| format!("{value} ({})", signed_percent_interval(i, 1)))
    };
    let mut facts = vec![fact("Bets", count(bets.count))];
    if bets.count > 0 {
        facts.extend([
            fact("Staked", money(bets.staked, currency)),
            fact("Profit", format::profit(bets.profit, currency)),
            fact("Return, 95 % interval", share(bets.roi, bets.roi_interval_95)),
            fact("Closing line value, 95 % interval", share(bets.mean_ev_clv, bets.ev_clv_interval_95)),
            fact("Deepest drawdown", signed_percent(bets.max_drawdown, 1)),
        ]);
    }
    let stopped =
        |(why, games): &(String, usize)| fact(&format!("Not bet on: {why}"), counted(*games, "game"));
    facts.extend(bets.stopped.iter().map(stopped));
    facts
}
