//! The routes and their document.
//!
//! # Example
//! ```
//! let document = serve::openapi();
//! assert_eq!(document["openapi"], "3.1.0");
//! assert!(document["paths"]["/v1/predict"]["post"].is_object());
//! ```

use axum::{
    Json, Router,
    extract::{
        Query, State,
        rejection::{JsonRejection, QueryRejection},
    },
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use market::GameQuery;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Admin, App, Outcome, Problem, ProblemKind,
    asking::{self, Wanted, loaded},
    forecast::refuse_line,
    gate::protect,
    problem::problem,
    wire::{
        ChallengerAnswer, Health, ModelAnswer, PredictAnswer, PredictQuery, PredictRequest, SCHEMA_VERSION,
        SlateQuery, Stamp,
    },
};

/// Most games of a request that are also explained: each is forecast a hundred times over.
const EXPLAINED_LIMIT: usize = 8;

#[derive(OpenApi)]
#[openapi(info(
    title = "Edge",
    version = "1",
    description = "Probabilities of games. Every answer carries the model's version, the as-of and the schema's version, \
                   in the body and in the headers x-model-version, x-as-of and x-schema-version. Errors are RFC 9457 \
                   problem documents."
))]
struct Document;

/// Builds the whole endpoint.
pub fn router(app: App) -> Router {
    router_with(app, Router::new())
}

/// Builds the whole endpoint with pages for people beside it, behind the same token, time limit and log.
///
/// # Panics
/// When a page has the path of an answer, or a fallback of its own: both are mistakes of the program.
pub fn router_with(app: App, pages: Router) -> Router {
    let (routes, document) = documented().split_for_parts();
    let document = serde_json::to_value(document).unwrap_or_default();
    let routes = routes
        .route("/openapi.json", get(move || std::future::ready(Json(document))))
        .fallback(unknown_route)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app.clone())
        .merge(pages);
    protect(app, routes)
}

/// Returns the `OpenAPI` 3.1 document, made from the handlers themselves.
pub fn openapi() -> serde_json::Value {
    serde_json::to_value(documented().split_for_parts().1).unwrap_or_default()
}

fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(healthz))
        .routes(routes!(readyz))
        .routes(routes!(model))
        .routes(routes!(predict))
        .routes(routes!(slate))
        .routes(routes!(reload))
        .routes(routes!(metrics))
}

/// Tells that the process is up, whatever it has loaded.
#[utoipa::path(get, path = "/healthz", responses((status = 200, body = Health)))]
async fn healthz(State(app): State<App>) -> Json<Health> {
    Json(Health { status: "up".to_owned(), stamp: stamp_of(&app) })
}

/// Tells whether a model is loaded and its data is fresh.
#[utoipa::path(get, path = "/readyz", responses(
    (status = 200, body = Health),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
async fn readyz(State(app): State<App>) -> Result<Json<Health>, Box<Problem>> {
    let live = loaded(&app)?;
    let age = app.age_of(live.newest());
    let limit = app.settings().stale_after;
    if age > limit {
        let detail = format!(
            "the newest row is {} hours old, more than the {} allowed: run `edge fetch`",
            age.as_hours(),
            limit.as_hours()
        );
        return Err(problem(ProblemKind::NotReady, detail));
    }
    Ok(Json(Health { status: "ready".to_owned(), stamp: live.stamp().clone() }))
}

/// Describes the model that answers now.
#[utoipa::path(get, path = "/v1/model", responses(
    (status = 200, body = ModelAnswer),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
async fn model(State(app): State<App>) -> Result<Json<ModelAnswer>, Box<Problem>> {
    let live = loaded(&app)?;
    let challenger = app.serving().challenger().map(|shadow| ChallengerAnswer {
        model: shadow.live.card().clone(),
        as_of: shadow.live.as_of(),
        shadow: shadow.score(),
    });
    let (model, refused) = (live.card().clone(), app.serving().refused());
    Ok(Json(ModelAnswer { stamp: live.stamp().clone(), model, challenger, refused }))
}

/// Predicts games, known or hypothetical.
#[utoipa::path(post, path = "/v1/predict", params(PredictQuery), request_body = PredictRequest, responses(
    (status = 200, body = PredictAnswer),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 413, body = Problem, content_type = "application/problem+json"),
    (status = 415, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 500, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
async fn predict(
    State(app): State<App>,
    query: Result<Query<PredictQuery>, QueryRejection>,
    body: Result<Json<PredictRequest>, JsonRejection>,
) -> Result<Response, Box<Problem>> {
    let Query(PredictQuery { explain }) =
        query.map_err(|rejection| problem(ProblemKind::BadRequest, rejection.body_text()))?;
    let Json(request) = body.map_err(|rejection| refuse_body(&rejection, app.settings().body_limit))?;
    let PredictRequest { games, lines, full } = request;
    let limit = app.settings().games_limit;
    let limit = if explain { limit.min(EXPLAINED_LIMIT) } else { limit };
    if games.is_empty() || games.len() > limit {
        let detail = format!("`games` has {} entries; ask for 1 to {limit}", games.len());
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
    asking::answer(&app, queries, Wanted { lines, full, explain }).await
}

/// Predicts every known game that starts within some hours.
#[utoipa::path(get, path = "/v1/slate", params(SlateQuery), responses(
    (status = 200, body = PredictAnswer),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
    (status = 500, body = Problem, content_type = "application/problem+json"),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
async fn slate(
    State(app): State<App>,
    query: Result<Query<SlateQuery>, QueryRejection>,
) -> Result<Response, Box<Problem>> {
    let Query(query) = query.map_err(|rejection| problem(ProblemKind::BadRequest, rejection.body_text()))?;
    let window = window(&query, loaded(&app)?.as_of())?;
    asking::slate(&app, window, query.full.unwrap_or(false)).await
}

/// Looks for a newer model and newer data, and answers from them when they are good.
#[utoipa::path(post, path = "/v1/reload", responses(
    (status = 200, body = Outcome),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 403, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
))]
async fn reload(_admin: Admin, State(app): State<App>) -> Result<Json<Outcome>, Box<Problem>> {
    let refused = |why: String| problem(ProblemKind::ReloadRefused, why);
    let keeper =
        app.keeper().ok_or_else(|| refused("this endpoint was handed its model for good".to_owned()))?;
    let outcome = tokio::task::spawn_blocking(move || keeper.look()).await;
    match outcome
        .map_err(|_| problem(ProblemKind::Internal, "the look failed; the server's log has the cause"))?
    {
        Outcome::Refused { reason } => Err(refused(reason)),
        outcome => Ok(Json(outcome)),
    }
}

/// Returns the counters in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", responses(
    (status = 200, body = String, content_type = "application/openmetrics-text"),
    (status = 401, body = Problem, content_type = "application/problem+json"),
))]
async fn metrics(State(app): State<App>) -> Result<impl IntoResponse, Box<Problem>> {
    let loaded = app.serving().get().ok();
    let age = |instant: Timestamp| app.age_of(instant).as_secs_f64();
    let ages = loaded.map(|live| (age(live.card().data_as_of), age(live.newest())));
    let ready = ages.is_some_and(|(_, data)| data <= app.settings().stale_after.as_secs_f64());
    let text = app.metrics().render(ages, ready);
    let text = text.map_err(|_| problem(ProblemKind::Internal, "the counters cannot be written"))?;
    Ok(([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text))
}

async fn unknown_route() -> Box<Problem> {
    problem(ProblemKind::UnknownRoute, "see /openapi.json for what there is")
}

async fn method_not_allowed() -> Box<Problem> {
    problem(ProblemKind::MethodNotAllowed, "see the header `allow`, or /openapi.json")
}

fn stamp_of(app: &App) -> Stamp {
    let none = Stamp { model_version: None, as_of: None, schema_version: SCHEMA_VERSION.to_owned() };
    app.serving().get().map_or(none, |live| live.stamp().clone())
}

/// Works out which starts are wanted.
fn window(query: &SlateQuery, as_of: Timestamp) -> Result<(Timestamp, Timestamp), Box<Problem>> {
    let invalid = |detail: &str| problem(ProblemKind::Invalid, detail);
    let from = match (query.date, query.from) {
        (Some(_), Some(_)) => return Err(invalid("give `date` or `from`, not both")),
        (Some(date), None) => {
            date.to_zoned(TimeZone::UTC).map_err(|_| invalid("`date` is out of range"))?.timestamp()
        }
        (None, Some(from)) => from,
        (None, None) => as_of,
    };
    let hours = query.hours.unwrap_or(24);
    if !(1..=744).contains(&hours) {
        return Err(invalid("`hours` must be 1 to 744"));
    }
    let until = from.checked_add(SignedDuration::from_hours(i64::from(hours)));
    Ok((from, until.map_err(|_| invalid("`date` is out of range"))?))
}

fn refuse_body(rejection: &JsonRejection, limit: usize) -> Box<Problem> {
    let kind = match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            return problem(
                ProblemKind::TooLarge,
                format!("the body may have {limit} bytes; send fewer games"),
            );
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ProblemKind::NotJson,
        StatusCode::UNPROCESSABLE_ENTITY => ProblemKind::Invalid,
        _ => ProblemKind::BadRequest,
    };
    problem(kind, rejection.body_text())
}
