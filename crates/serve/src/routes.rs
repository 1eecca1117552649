//! The routes and their document.
//!
//! # Example
//! ```
//! let document = serve::openapi();
//! assert_eq!(document["openapi"], "3.1.0");
//! assert!(document["paths"]["/v1/predict"]["post"].is_object());
//! ```

use std::sync::LazyLock;

use axum::{
    Json, Router,
    extract::{
        Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT, CONTENT_TYPE, VARY},
    },
    response::{IntoResponse, Response},
};
use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};
use market::GameQuery;
use serde_json::Value;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Admin, App, Outcome, Problem, ProblemKind,
    answering::{self, Wanted, allow_games, loaded, ready, stamp, stamp_of, too_large},
    contract::{self, Document},
    forecast::refuse_line,
    gate::protect,
    inference,
    metrics::Moment,
    problem::problem,
    reference,
    wire::{ChallengerAnswer, Health, ModelAnswer, PredictAnswer, PredictQuery, PredictRequest, SlateQuery},
};

/// Most lines of a request: each is graded for each game, and a small body must not make a large answer.
const LINES_LIMIT: usize = 256;

/// Builds the whole endpoint.
pub fn router(app: App) -> Router {
    router_with(app, Router::new())
}

/// Builds the whole endpoint with pages for people beside it, behind the same token, time limit and log.
///
/// # Panics
/// When a page has the path of an answer, or a fallback of its own: both are mistakes of the program.
pub fn router_with(app: App, pages: Router) -> Router {
    let (routes, _) = documented().split_for_parts();
    let routes = routes
        .fallback(unknown_route)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app.clone())
        .merge(pages);
    protect(app, routes)
}

/// Returns the `OpenAPI` 3.1 document, made from the handlers themselves.
pub fn openapi() -> Value {
    DOCUMENT.clone()
}

/// Made once, since it never changes while the process runs.
pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    contract::complete(serde_json::to_value(documented().split_for_parts().1).unwrap_or_default())
});

fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(healthz))
        .routes(routes!(readyz))
        .routes(routes!(model))
        .routes(routes!(predict))
        .routes(routes!(slate))
        .routes(routes!(reload))
        .routes(routes!(metrics))
        .routes(routes!(openapi_document))
        .routes(routes!(reference::docs))
        .merge(inference::routes())
}

/// Tells that the process is up, whatever it has loaded.
#[utoipa::path(get, path = "/healthz", tag = "health", responses(
    (status = 200, description = "The process is up.", body = Health),
))]
async fn healthz(State(app): State<App>) -> Json<Health> {
    Json(Health { status: "up".to_owned(), stamp: stamp_of(&app) })
}

/// Tells whether a model is loaded and its data is fresh.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, description = "A model is loaded and its data is fresh.", body = Health),
))]
async fn readyz(State(app): State<App>) -> Result<Json<Health>, Box<Problem>> {
    ready(&app).map(Json)
}

/// Describes the model that answers now.
#[utoipa::path(get, path = "/v1/model", tag = "forecasts", responses(
    (status = 200, description = "The content of best.json, and which model answers.", body = ModelAnswer),
))]
async fn model(State(app): State<App>) -> Result<Json<ModelAnswer>, Box<Problem>> {
    let live = loaded(&app)?;
    let challenger = app.serving().challenger().map(|shadow| ChallengerAnswer {
        model: shadow.live.card().clone(),
        as_of: shadow.live.as_of(),
        shadow: shadow.score(),
    });
    let (model, refused) = (live.card().clone(), app.serving().refused());
    Ok(Json(ModelAnswer { stamp: stamp(&app, &live), model, challenger, refused }))
}

/// Predicts games, known or hypothetical.
#[utoipa::path(post, path = "/v1/predict", tag = "forecasts", params(PredictQuery),
    request_body(content = PredictRequest, examples(
        ("known" = (summary = "A game of the store", value = json!({"games": [
            {"game_id": "epl_2022-10-14_brentford_brighton"}]}))),
        ("hypothetical" = (summary = "A game that may never be played, with lines", value = json!({"games": [
            {"league": "epl", "home": "Arsenal", "away": "Leeds", "start_time": "2022-10-16T13:00:00Z"}],
            "lines": [{"market": "spread", "selection": "home", "points": -0.25},
                {"market": "total", "selection": "over", "points": 2.5}]}))),
    )),
    responses((status = 200, description = "One forecast per game, in the order asked.", body = PredictAnswer)),
)]
async fn predict(
    State(app): State<App>,
    query: Result<Query<PredictQuery>, QueryRejection>,
    body: Result<Json<PredictRequest>, JsonRejection>,
) -> Result<Response, Box<Problem>> {
    let Query(PredictQuery { explain }) = query.map_err(|rejection| refuse_query(&rejection))?;
    let Json(request) = body.map_err(|rejection| refuse_body(&rejection, app.settings().body_limit))?;
    let PredictRequest { games, lines, full } = request;
    allow_games(&app, "games", games.len(), explain)?;
    if lines.len() > LINES_LIMIT {
        let detail = format!("`lines` has {} entries; ask for at most {LINES_LIMIT}", lines.len());
        return Err(problem(ProblemKind::Invalid, detail));
    }
    let refuse = |what: &str, index: usize, why: String| {
        problem(ProblemKind::Invalid, format!("`{what}[{index}]`: {why}"))
    };
    if let Some((index, why)) = lines.iter().enumerate().find_map(|(i, line)| Some((i, refuse_line(line)?))) {
        return Err(refuse("lines", index, why));
    }
    let queries = games.into_iter().enumerate();
    let queries: Vec<GameQuery> = queries
        .map(|(index, game)| game.into_query().map_err(|why| refuse("games", index, why)))
        .collect::<Result<_, _>>()?;
    answering::answer(&app, queries, Wanted { lines, full, explain }).await
}

/// Predicts every known game that starts within some hours.
///
/// It looks forward: every answer is made as of the loaded model's as-of, so a day or window that ended before it is
/// refused with 422. What was forecast of a past day is told by `edge predict slate --date`, as of that day.
#[utoipa::path(get, path = "/v1/slate", tag = "forecasts", params(SlateQuery), responses(
    (status = 200, description = "One forecast per game, by start, then id.", body = PredictAnswer),
))]
async fn slate(
    State(app): State<App>,
    query: Result<Query<SlateQuery>, QueryRejection>,
) -> Result<Response, Box<Problem>> {
    let Query(query) = query.map_err(|rejection| refuse_query(&rejection))?;
    let window = window(&query, loaded(&app)?.as_of())?;
    answering::slate(&app, window, query.full.unwrap_or(false)).await
}

/// Looks for a newer model and newer rows, and answers from them when they are good.
#[utoipa::path(post, path = "/v1/reload", tag = "forecasts", responses(
    (status = 200, description = "What came of it.", body = Outcome),
    (status = 409, description = "What there is cannot be used; what answered before goes on.", body = Problem,
        content_type = "application/problem+json"),
))]
async fn reload(_admin: Admin, State(app): State<App>) -> Result<Json<Outcome>, Box<Problem>> {
    let refused = |why: String| problem(ProblemKind::ReloadRefused, why);
    let keeper =
        app.keeper().ok_or_else(|| refused("this endpoint was handed its model for good".to_owned()))?;
    let outcome = tokio::task::spawn_blocking(move || keeper.look()).await;
    let outcome = outcome
        .map_err(|_| problem(ProblemKind::Internal, "the look failed; the server's log has the cause"))?;
    match outcome {
        Outcome::Refused { reason } => Err(refused(reason)),
        outcome => Ok(Json(outcome)),
    }
}

/// Returns the counters in a text format of Prometheus: `OpenMetrics`, or the older one where `accept` wants that.
#[utoipa::path(get, path = "/metrics", tag = "health", responses(
    (status = 200, description = "Counters, gauges and histograms.", body = String, content_type = "application/openmetrics-text"),
))]
async fn metrics(State(app): State<App>, headers: HeaderMap) -> Result<impl IntoResponse, Box<Problem>> {
    let loaded = app.serving().get().ok();
    let age = |instant: Timestamp| app.age_of(instant).as_secs_f64();
    let ages = loaded.map(|live| (age(live.card().data_as_of), age(live.newest())));
    let is_ready = ages.is_some_and(|(_, data)| data <= app.settings().stale_after.as_secs_f64());
    app.metrics().queued(app.engine().waiting());
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    let rendered = app.metrics().render(Moment { ages, is_ready }, accept);
    let (content_type, text) =
        rendered.map_err(|_| problem(ProblemKind::Internal, "the counters cannot be written"))?;
    Ok(([(CONTENT_TYPE, content_type), (VARY, "accept")], text))
}

/// Returns this document.
#[utoipa::path(get, path = "/openapi.json", tag = "contract", responses(
    (status = 200, description = "The contract as OpenAPI 3.1.", body = Object),
))]
async fn openapi_document() -> Json<&'static Value> {
    Json(&DOCUMENT)
}

async fn unknown_route() -> Box<Problem> {
    problem(ProblemKind::UnknownRoute, "see /openapi.json for what there is")
}

async fn method_not_allowed() -> Box<Problem> {
    problem(ProblemKind::MethodNotAllowed, "see the header `allow`, or /openapi.json")
}

/// Works out which starts are wanted.
fn window(query: &SlateQuery, as_of: Timestamp) -> Result<(Timestamp, Timestamp), Box<Problem>> {
    let invalid = |detail: &str| problem(ProblemKind::Invalid, detail);
    let out_of_range = |_| invalid("`date` is out of range");
    let midnight = |date: jiff::civil::Date| date.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
    let hours = query.hours.unwrap_or(24);
    if !(1..=744).contains(&hours) {
        return Err(invalid("`hours` must be 1 to 744"));
    }
    let from = match (query.date, query.from) {
        (Some(_), Some(_)) => return Err(invalid("give `date` or `from`, not both")),
        (Some(date), None) => midnight(date).map_err(out_of_range)?,
        (None, Some(from)) => from,
        (None, None) => as_of,
    };
    let until = from.checked_add(SignedDuration::from_hours(i64::from(hours))).map_err(out_of_range)?;
    let ended = match query.date {
        Some(date) => date.checked_add(1.day()).and_then(midnight).map_err(out_of_range)?,
        None => until,
    };
    if ended <= as_of {
        let detail = format!(
            "what is asked ended at {ended}, before the as-of {as_of}: an answer made now would know too much; \
             `edge predict slate --date` forecasts a past day as of that day"
        );
        return Err(problem(ProblemKind::Invalid, detail));
    }
    Ok((from, until))
}

fn refuse_query(rejection: &QueryRejection) -> Box<Problem> {
    problem(ProblemKind::BadRequest, rejection.body_text())
}

fn refuse_body(rejection: &JsonRejection, limit: usize) -> Box<Problem> {
    let kind = match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => return too_large(limit),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ProblemKind::NotJson,
        StatusCode::UNPROCESSABLE_ENTITY => ProblemKind::Invalid,
        _ => ProblemKind::BadRequest,
    };
    problem(kind, rejection.body_text())
}
