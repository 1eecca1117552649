//! From questions to answers: what is kept is answered at once, the rest waits for the model's threads.

use std::sync::Arc;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use market::GameQuery;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    App, Problem, ProblemKind,
    engine::{Explained, Refusal, Work},
    forecast::game_forecast,
    problem::problem,
    serving::Live,
    wire::{GameForecast, LineAsked, PredictAnswer, Stamp},
};

/// What is wanted of every game.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) lines: Vec<LineAsked>,
    /// The whole distributions.
    pub(crate) full: bool,
    /// What carried the forecasts.
    pub(crate) explain: bool,
}

impl Wanted {
    /// Whether the kept bytes are the answer.
    fn is_plain(&self) -> bool {
        self.lines.is_empty() && !self.full && !self.explain
    }
}

/// [`PredictAnswer`] out of pieces that are kept as they are sent.
#[derive(Serialize)]
struct KeptAnswer<'a> {
    #[serde(flatten)]
    stamp: &'a Stamp,
    games: Vec<&'a RawValue>,
}

/// Returns what answers now, or the problem that nothing does.
pub(crate) fn loaded(app: &App) -> Result<Arc<Live>, Box<Problem>> {
    let none = |reason| problem(ProblemKind::NotReady, format!("no model is loaded: {reason}"));
    app.serving().get().map_err(none)
}

/// Answers games in their order.
pub(crate) async fn answer(
    app: &App,
    queries: Vec<GameQuery>,
    wanted: Wanted,
) -> Result<Response, Box<Problem>> {
    if wanted.is_plain() {
        let live = loaded(app)?;
        let kept: Option<Vec<_>> = queries.iter().map(|query| live.kept(query)).collect();
        if let Some(kept) = kept {
            let games = kept.iter().map(|known| known.json.as_ref()).collect();
            return Ok(Json(KeptAnswer { stamp: live.stamp(), games }).into_response());
        }
    }
    Ok(Json(forecasts(app, queries, wanted).await?).into_response())
}

/// Forecasts games in their order; the first that cannot be forecast is the answer to all.
pub(crate) async fn forecasts(
    app: &App,
    queries: Vec<GameQuery>,
    wanted: Wanted,
) -> Result<PredictAnswer, Box<Problem>> {
    let live = loaded(app)?;
    if wanted.explain {
        let explained = ask(app, &live, Work::Explained(queries)).await?;
        return assembled(&live, explained, &wanted);
    }
    let mut found: Vec<Option<Explained>> =
        queries.iter().map(|query| Some((live.kept(query)?.prediction.clone(), None))).collect();
    let missing = queries.into_iter().zip(&found).filter(|(_, found)| found.is_none());
    let missing: Vec<GameQuery> = missing.map(|(query, _)| query).collect();
    app.metrics().cache(found.len() - missing.len(), missing.len());
    if !missing.is_empty() {
        let mut answers = ask(app, &live, Work::Games(missing)).await?.into_iter();
        for place in found.iter_mut().filter(|place| place.is_none()) {
            *place = answers.next();
        }
    }
    let found = found.into_iter().collect::<Option<Vec<_>>>().ok_or_else(internal)?;
    assembled(&live, found, &wanted)
}

/// Answers every known game that starts within `[from, until)`.
pub(crate) async fn slate(
    app: &App,
    (from, until): (Timestamp, Timestamp),
    full: bool,
) -> Result<Response, Box<Problem>> {
    let live = loaded(app)?;
    if live.kept_slate(from, until).is_none() {
        ask(app, &live, Work::Slate(from, until)).await?;
    }
    let games = live.kept_slate(from, until).ok_or_else(internal)?;
    if full {
        let games = games.iter().map(|known| (known.prediction.clone(), None)).collect();
        return Ok(Json(assembled(&live, games, &Wanted { full, ..Wanted::default() })?).into_response());
    }
    let games = games.iter().map(|known| known.json.as_ref()).collect();
    Ok(Json(KeptAnswer { stamp: live.stamp(), games }).into_response())
}

async fn ask(app: &App, live: &Arc<Live>, work: Work) -> Result<Vec<Explained>, Box<Problem>> {
    let refusal = match app.engine().ask(live.clone(), work).await {
        Ok(answers) => return Ok(answers),
        Err(refusal) => refusal,
    };
    Err(match refusal {
        Refusal::Full => problem(
            ProblemKind::Overloaded,
            "too many games wait for the model already; ask again in a second",
        ),
        Refusal::Predictor(error) => Box::new(Problem::from(error)),
        Refusal::Broken => internal(),
    })
}

fn assembled(live: &Live, games: Vec<Explained>, wanted: &Wanted) -> Result<PredictAnswer, Box<Problem>> {
    let forecast = |(prediction, explanation): Explained| {
        Some(GameForecast { explanation, ..game_forecast(&prediction, &wanted.lines, wanted.full)? })
    };
    let games = games.into_iter().map(forecast).collect::<Option<Vec<_>>>().ok_or_else(internal)?;
    Ok(PredictAnswer { stamp: live.stamp().clone(), games })
}

fn internal() -> Box<Problem> {
    problem(ProblemKind::Internal, "the model failed; the server's log has the cause")
}
