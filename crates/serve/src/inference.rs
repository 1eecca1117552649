//! The Open Inference Protocol, version 2 (`KServe`, Triton), so that clients that speak it can ask.
//!
//! There is one model, `edge`, in the version that answers now. Inputs are texts, one per game; outputs are numbers.

mod protocol;
mod tensor;

use axum::{
    Json,
    body::Bytes,
    extract::{
        Path, State,
        rejection::{BytesRejection, PathRejection},
    },
    http::{HeaderMap, StatusCode},
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use protocol::WordedProblem;
use protocol::{
    AnswerParameters, InferAnswer, InferRequest, ModelMetadata, ModelReady, ServerHealth, ServerMetadata,
};

use crate::{
    App, Problem, ProblemKind,
    answering::{Wanted, allow_games, forecasts, loaded, too_large},
    problem::problem,
    wire::PredictAnswer,
};

/// The one model's name.
const NAME: &str = "edge";

/// Says where the JSON ends when texts follow it as bytes.
const JSON_LENGTH: &str = "inference-header-content-length";

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(server))
        .routes(routes!(live))
        .routes(routes!(ready))
        .routes(routes!(model))
        .routes(routes!(model_version))
        .routes(routes!(model_ready))
        .routes(routes!(model_version_ready))
        .routes(routes!(infer))
        .routes(routes!(infer_version))
}

type Named = Result<Path<String>, PathRejection>;
type NamedVersion = Result<Path<(String, String)>, PathRejection>;
type Answer<T> = Result<Json<T>, Box<Problem>>;

/// Describes the server.
#[utoipa::path(get, path = "/v2", tag = "open inference", operation_id = "inference_server",
    responses((status = 200, description = "Name and version.", body = ServerMetadata)))]
async fn server() -> Json<ServerMetadata> {
    Json(ServerMetadata { name: NAME, version: env!("CARGO_PKG_VERSION"), extensions: [] })
}

/// Tells that the process is up, whatever it has loaded.
#[utoipa::path(get, path = "/v2/health/live", tag = "open inference", operation_id = "inference_live",
    responses((status = 200, description = "The process is up.", body = ServerHealth)))]
async fn live(State(app): State<App>) -> Json<ServerHealth> {
    Json(ServerHealth { live: true, ready: crate::answering::ready(&app).is_ok() })
}

/// Tells whether a model is loaded and its data is fresh.
#[utoipa::path(get, path = "/v2/health/ready", tag = "open inference", operation_id = "inference_ready",
    responses((status = 200, description = "The server is ready.", body = ServerHealth)))]
async fn ready(State(app): State<App>) -> Answer<ServerHealth> {
    crate::answering::ready(&app)?;
    Ok(Json(ServerHealth { live: true, ready: true }))
}

/// Describes the model's inputs and outputs.
#[utoipa::path(get, path = "/v2/models/{name}", tag = "open inference", operation_id = "inference_model",
    params(("name" = String, Path, description = "`edge`", example = "edge")),
    responses((status = 200, description = "Inputs and outputs.", body = ModelMetadata)))]
async fn model(State(app): State<App>, path: Named) -> Answer<ModelMetadata> {
    describe(&app, &name_of(path)?, None)
}

/// Describes a version's inputs and outputs.
#[utoipa::path(get, path = "/v2/models/{name}/versions/{version}", tag = "open inference",
    operation_id = "inference_model_version",
    params(("name" = String, Path, description = "`edge`", example = "edge"),
        ("version" = String, Path, description = "The version that answers now.")),
    responses((status = 200, description = "Inputs and outputs.", body = ModelMetadata)))]
async fn model_version(State(app): State<App>, path: NamedVersion) -> Answer<ModelMetadata> {
    let (name, version) = version_of(path)?;
    describe(&app, &name, Some(&version))
}

/// Tells whether the model is loaded and its data is fresh.
#[utoipa::path(get, path = "/v2/models/{name}/ready", tag = "open inference",
    operation_id = "inference_model_ready",
    params(("name" = String, Path, description = "`edge`", example = "edge")),
    responses((status = 200, description = "The model is ready.", body = ModelReady)))]
async fn model_ready(State(app): State<App>, path: Named) -> Answer<ModelReady> {
    tell_ready(&app, &name_of(path)?, None)
}

/// Tells whether a version is loaded and its data is fresh.
#[utoipa::path(get, path = "/v2/models/{name}/versions/{version}/ready", tag = "open inference",
    operation_id = "inference_model_version_ready",
    params(("name" = String, Path, description = "`edge`", example = "edge"),
        ("version" = String, Path, description = "The version that answers now.")),
    responses((status = 200, description = "The version is ready.", body = ModelReady)))]
async fn model_version_ready(State(app): State<App>, path: NamedVersion) -> Answer<ModelReady> {
    let (name, version) = version_of(path)?;
    tell_ready(&app, &name, Some(&version))
}

/// Forecasts games, one per entry of the tensors.
#[utoipa::path(post, path = "/v2/models/{name}/infer", tag = "open inference", operation_id = "inference_infer",
    params(("name" = String, Path, description = "`edge`", example = "edge")), request_body = InferRequest,
    responses((status = 200, description = "One column per output.", body = InferAnswer)))]
async fn infer(
    State(app): State<App>,
    path: Named,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer<InferAnswer> {
    known(&app, &name_of(path)?, None)?;
    forecast(&app, None, &headers, body).await
}

/// Forecasts games with a version of the model.
#[utoipa::path(post, path = "/v2/models/{name}/versions/{version}/infer", tag = "open inference",
    operation_id = "inference_version_infer",
    params(("name" = String, Path, description = "`edge`", example = "edge"),
        ("version" = String, Path, description = "The version that answers now.")), request_body = InferRequest,
    responses((status = 200, description = "One column per output.", body = InferAnswer)))]
async fn infer_version(
    State(app): State<App>,
    path: NamedVersion,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer<InferAnswer> {
    let (name, version) = version_of(path)?;
    known(&app, &name, Some(&version))?;
    forecast(&app, Some(&version), &headers, body).await
}

fn name_of(path: Named) -> Result<String, Box<Problem>> {
    path.map(|Path(name)| name).map_err(|rejection| problem(ProblemKind::BadRequest, rejection.body_text()))
}

fn version_of(path: NamedVersion) -> Result<(String, String), Box<Problem>> {
    path.map(|Path(both)| both).map_err(|rejection| problem(ProblemKind::BadRequest, rejection.body_text()))
}

/// Returns the version that answers now, when that is the model asked for.
fn known(app: &App, name: &str, version: Option<&str>) -> Result<String, Box<Problem>> {
    if name != NAME {
        let detail = format!("no model `{name}` is served; there is `{NAME}`");
        return Err(problem(ProblemKind::UnknownRoute, detail));
    }
    let current = loaded(app)?.card().version.clone();
    same_version(version, &current)?;
    Ok(current)
}

fn same_version(wanted: Option<&str>, current: &str) -> Result<(), Box<Problem>> {
    if wanted.is_none_or(|wanted| wanted == current) {
        return Ok(());
    }
    let detail = format!("another version of `{NAME}` answers now: `{current}`");
    Err(problem(ProblemKind::UnknownRoute, detail))
}

fn describe(app: &App, name: &str, version: Option<&str>) -> Answer<ModelMetadata> {
    let versions = vec![known(app, name, version)?];
    let (inputs, outputs) = (tensor::inputs(), tensor::outputs());
    Ok(Json(ModelMetadata { name: NAME, versions, platform: "edge_hgt", inputs, outputs }))
}

fn tell_ready(app: &App, name: &str, version: Option<&str>) -> Answer<ModelReady> {
    known(app, name, version)?;
    crate::answering::ready(app)?;
    Ok(Json(ModelReady { name: NAME, ready: true }))
}

async fn forecast(
    app: &App,
    version: Option<&str>,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer<InferAnswer> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(app.settings().body_limit),
        _ => problem(ProblemKind::BadRequest, rejection.body_text()),
    })?;
    let (request, binary) = read(headers, &body)?;
    let invalid = |why: String| problem(ProblemKind::Invalid, why);
    let queries = tensor::games(&request, binary).map_err(invalid)?;
    allow_games(app, "inputs", queries.len(), false)?;
    let wanted: Vec<&str> = request.outputs.iter().flatten().map(|output| output.name.as_str()).collect();
    tensor::answer(&[], &wanted).map_err(invalid)?; // before the model is asked for nothing
    let PredictAnswer { stamp, games } = forecasts(app, queries, Wanted::default()).await?;
    let (freshness, model_version) = (stamp.freshness, stamp.model_version.unwrap_or_default());
    // Another model may have come in the meantime.
    same_version(version, &model_version)?;
    Ok(Json(InferAnswer {
        model_name: NAME,
        model_version,
        id: request.id,
        parameters: AnswerParameters {
            as_of: stamp.as_of.map(|as_of| as_of.to_string()).unwrap_or_default(),
            data_age_seconds: freshness.map_or(0, |freshness| freshness.data_age_seconds),
            is_stale: freshness.is_none_or(|freshness| freshness.is_stale),
            schema_version: stamp.schema_version,
        },
        outputs: tensor::answer(&games, &wanted).map_err(invalid)?,
    }))
}

/// Reads the JSON, and leaves what follows it; clients of the protocol need not say that it is JSON.
fn read<'a>(headers: &HeaderMap, body: &'a Bytes) -> Result<(InferRequest, &'a [u8]), Box<Problem>> {
    let bad = |why: String| problem(ProblemKind::BadRequest, why);
    let length = match headers.get(JSON_LENGTH) {
        None => body.len(),
        Some(value) => {
            let length = value.to_str().ok().and_then(|text| text.parse().ok());
            length.ok_or_else(|| bad(format!("`{JSON_LENGTH}` is no number")))?
        }
    };
    let parts = body.split_at_checked(length);
    let (json, binary) = parts.ok_or_else(|| bad(format!("`{JSON_LENGTH}` is more than the body")))?;
    let request = serde_json::from_slice(json).map_err(|error| {
        let kind = if error.is_data() { ProblemKind::Invalid } else { ProblemKind::BadRequest };
        problem(kind, format!("the body is no inference request: {error}"))
    })?;
    Ok((request, binary))
}
