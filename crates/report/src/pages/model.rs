//! The model, its scores and its history in words.

use market::score::ReliabilityBin;
use serde::Serialize;

use super::{
    Route,
    input::{Decision, ModelPage, Promotion},
    pen::{Moment, Pen, sentence},
};
use crate::{
    ReportError,
    chart::{Picture, reliability},
    format,
    locale::DASH,
    view::model,
};

/// Decisions shown; the files of the models have them all.
const DECISIONS: usize = 200;

#[derive(Debug, Serialize)]
pub(super) struct ModelView {
    champion: Option<ChampionView>,
    leagues: Vec<model::ModelTable>,
    reliability: Option<Picture>,
    bins: Vec<BinRow>,
    history: Vec<DecisionRow>,
    more_history: usize,
}

#[derive(Debug, Serialize)]
struct ChampionView {
    age: Moment,
    #[serde(flatten)]
    words: model::ChampionView,
}

#[derive(Debug, Serialize)]
struct BinRow {
    forecast: String,
    observed: String,
    count: String,
}

#[derive(Debug, Serialize)]
struct DecisionRow {
    at: Moment,
    version: String,
    decision: &'static str,
    tone: &'static str,
    gain: String,
    /// With its sign of plus-minus; empty where it is not known.
    standard_error: String,
    reason: String,
    run: Option<String>,
}

pub(super) fn view(page: &ModelPage, pen: &Pen<'_>) -> Result<ModelView, ReportError> {
    let style = pen.style();
    Ok(ModelView {
        champion: page.champion.as_ref().map(|champion| ChampionView {
            age: pen.ago(champion.data_as_of),
            words: model::champion(champion, &style),
        }),
        leagues: page.models.iter().map(|league| model::table(league, &style)).collect(),
        reliability: reliability::picture(&page.reliability, &pen.locale)?,
        bins: page.reliability.iter().map(|of| bin(of, pen)).collect(),
        history: page.history.iter().take(DECISIONS).map(|decision| row(decision, pen)).collect(),
        more_history: page.history.len().saturating_sub(DECISIONS),
    })
}

fn bin(bin: &ReliabilityBin, pen: &Pen<'_>) -> BinRow {
    let percent = |share: f64| pen.locale.percent(share, 0);
    BinRow {
        forecast: percent(bin.forecast),
        observed: percent(bin.observed),
        count: pen.locale.count(bin.count),
    }
}

fn row(promotion: &Promotion, pen: &Pen<'_>) -> DecisionRow {
    DecisionRow {
        at: pen.dated(promotion.at),
        version: format::name(&promotion.version),
        decision: promotion.decision.as_str(),
        tone: match promotion.decision {
            Decision::Promoted => "good",
            Decision::Refused => "even",
            Decision::RolledBack => "bad",
        },
        gain: promotion.gain.map_or_else(|| DASH.to_owned(), |gain| pen.locale.signed(gain, 4)),
        standard_error: promotion
            .standard_error
            .map_or_else(String::new, |error| format!("±\u{a0}{}", pen.locale.number(error, 4))),
        reason: sentence(&promotion.reason),
        run: promotion.run_id.clone().map(|run| Route::Run(run).to_string()),
    }
}
