//! A game in words: forecast, prices, lenses, graph, reasons.

mod forecast;
mod prices;
mod reasons;

use serde::Serialize;

use super::{
    input::GamePage,
    pen::{Fixture, Moment, Pen},
};
use crate::{ReportError, format};

#[derive(Debug, Serialize)]
pub(super) struct GameView {
    fixture: Fixture,
    starts: Moment,
    as_of: Moment,
    score: Option<String>,
    model_version: Option<String>,
    forecast: forecast::ForecastView,
    prices: Vec<prices::MarketView>,
    moves: prices::MovesView,
    judged: Vec<prices::JudgedRow>,
    more_judged: usize,
    graph: Option<reasons::GraphView>,
    reasons: Vec<reasons::ReasonsView>,
}

pub(super) fn view(page: &GamePage, pen: &Pen<'_>) -> Result<GameView, ReportError> {
    Ok(GameView {
        fixture: pen.fixture(&page.game),
        starts: pen.dated(page.game.start_time),
        as_of: pen.dated(page.as_of),
        score: page.score.map(|(home, away)| format!("{home}–{away}")),
        model_version: page.model_version.as_deref().map(format::name),
        forecast: forecast::view(page, pen)?,
        prices: prices::markets(page, pen),
        moves: prices::moves(page, pen)?,
        judged: page
            .judged
            .iter()
            .take(prices::JUDGED)
            .map(|quote| prices::judged(quote, page, pen))
            .collect(),
        more_judged: page.judged.len().saturating_sub(prices::JUDGED),
        graph: page.neighbourhood.as_ref().and_then(|shown| reasons::graph(shown, pen)),
        reasons: page.explanations.iter().map(|reasons| reasons::view(reasons, pen)).collect(),
    })
}
