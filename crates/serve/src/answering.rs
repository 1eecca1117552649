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
    wire::{Freshness, GameForecast, Health, LineAsked, PredictAnswer, SCHEMA_VERSION, Stamp},
};

/// Most games of a request that are also explained: each is forecast a hundred times over.
const EXPLAINED_LIMIT: usize = 8;

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
    stamp: Stamp,
    games: Vec<&'a RawValue>,
}

/// Returns what answers now, or the problem that nothing does.
pub(crate) fn loaded(app: &App) -> Result<Arc<Live>, Box<Problem>> {
    let none = |reason| problem(ProblemKind::NotReady, format!("no model is loaded: {reason}"));
    app.serving().get().map_err(none)
}

/// Tells whether a model is loaded and its data is fresh.
pub(crate) fn ready(app: &App) -> Result<Health, Box<Problem>> {
    let live = loaded(app)?;
    let (age, limit) = (app.age_of(live.newest()), app.settings().stale_after);
    if age > limit {
        let (age, limit) = (age.as_hours(), limit.as_hours());
        let detail =
            format!("the newest row is {age} hours old, more than the {limit} allowed: run `edge fetch`");
        return Err(problem(ProblemKind::NotReady, detail));
    }
    Ok(Health { status: "ready".to_owned(), stamp: stamp(app, &live) })
}

/// Says which model answers, and how old its data is at this moment.
pub(crate) fn stamp(app: &App, live: &Live) -> Stamp {
    let age = app.age_of(live.newest());
    let freshness = Freshness { data_age_seconds: age.as_secs(), is_stale: age > app.settings().stale_after };
    Stamp { freshness: Some(freshness), ..live.stamp().clone() }
}

/// The same where there may be no model.
pub(crate) fn stamp_of(app: &App) -> Stamp {
    let schema_version = SCHEMA_VERSION.to_owned();
    let none = Stamp { model_version: None, as_of: None, schema_version, freshness: None };
    app.serving().get().map_or(none, |live| stamp(app, &live))
}

/// Refuses more games than one request may ask for, and none at all.
pub(crate) fn allow_games(
    app: &App,
    field: &str,
    count: usize,
    is_explained: bool,
) -> Result<(), Box<Problem>> {
    let limit = app.settings().games_limit;
    let limit = if is_explained { limit.min(EXPLAINED_LIMIT) } else { limit };
    if (1..=limit).contains(&count) {
        return Ok(());
    }
    Err(problem(ProblemKind::Invalid, format!("`{field}` has {count} entries; ask for 1 to {limit}")))
}

/// Says how large a body may be.
pub(crate) fn too_large(limit: usize) -> Box<Problem> {
    problem(ProblemKind::TooLarge, format!("the body may have {limit} bytes; send fewer games"))
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
            for _ in &kept {
                app.metrics().cache(true);
            }
            let games = kept.iter().map(|known| known.json.as_ref()).collect();
            return Ok(Json(KeptAnswer { stamp: stamp(app, &live), games }).into_response());
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
        return assembled(app, &live, explained, &wanted);
    }
    let mut found: Vec<Option<Explained>> =
        queries.iter().map(|query| Some((live.kept(query)?.prediction.clone(), None))).collect();
    for (found, query) in found.iter().zip(&queries) {
        if let GameQuery::Known { .. } = query {
            app.metrics().cache(found.is_some());
        }
    }
    let missing = queries.into_iter().zip(&found).filter(|(_, found)| found.is_none());
    let missing: Vec<GameQuery> = missing.map(|(query, _)| query).collect();
    if !missing.is_empty() {
        let mut answers = ask(app, &live, Work::Games(missing)).await?.into_iter();
        for place in found.iter_mut().filter(|place| place.is_none()) {
            *place = answers.next();
        }
    }
    let found = found.into_iter().collect::<Option<Vec<_>>>().ok_or_else(internal)?;
    assembled(app, &live, found, &wanted)
}

/// Answers every known game that starts within `[from, until)`.
pub(crate) async fn slate(
    app: &App,
    (from, until): (Timestamp, Timestamp),
    full: bool,
) -> Result<Response, Box<Problem>> {
    let live = loaded(app)?;
    let is_kept = live.kept_slate(from, until).is_some();
    app.metrics().cache(is_kept);
    if !is_kept {
        ask(app, &live, Work::Slate(from, until)).await?;
    }
    let games = live.kept_slate(from, until).ok_or_else(internal)?;
    if full {
        let games = games.iter().map(|known| (known.prediction.clone(), None)).collect();
        return Ok(Json(assembled(app, &live, games, &Wanted { full, ..Wanted::default() })?).into_response());
    }
    let games = games.iter().map(|known| known.json.as_ref()).collect();
    Ok(Json(KeptAnswer { stamp: stamp(app, &live), games }).into_response())
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

fn assembled(
    app: &App,
    live: &Live,
    games: Vec<Explained>,
    wanted: &Wanted,
) -> Result<PredictAnswer, Box<Problem>> {
    let forecast = |(prediction, explanation): Explained| {
        Some(GameForecast { explanation, ..game_forecast(&prediction, &wanted.lines, wanted.full)? })
    };
    let games = games.into_iter().map(forecast).collect::<Option<Vec<_>>>().ok_or_else(internal)?;
    Ok(PredictAnswer { stamp: stamp(app, live), games })
}

fn internal() -> Box<Problem> {
    problem(ProblemKind::Internal, "the model failed; the server's log has the cause")
}
