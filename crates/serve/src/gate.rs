//! What every request passes: token, time limit, request id, problem documents, counters, access log.

use std::time::Instant;

use axum::{
    Json,
    extract::{MatchedPath, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method,
        header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{App, Problem, ProblemKind, SCHEMA_VERSION, Token};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Paths that probes and readers may ask without a token.
const OPEN: [&str; 3] = ["/healthz", "/readyz", "/openapi.json"];

pub(crate) async fn gate(State(app): State<App>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let path = request.uri().path().to_owned();
    let method = known_method(request.method());
    let route = request.extensions().get::<MatchedPath>().map(|matched| matched.as_str().to_owned());
    let id = request_id(&app, request.headers());
    let response = if is_allowed(&app, &path, request.headers()) {
        let time_out = app.settings().time_out;
        tokio::time::timeout(time_out, next.run(request)).await.unwrap_or_else(|_| {
            let detail =
                format!("no answer within {} s; ask for fewer games, or again later", time_out.as_secs());
            Problem::new(ProblemKind::TimedOut, detail).into_response()
        })
    } else {
        Problem::new(ProblemKind::Unauthorised, "send `authorization: Bearer <token>`").into_response()
    };
    let response = finish(&app, response, &path, &id);
    let (status, took) = (response.status().as_u16(), began.elapsed());
    app.metrics().answered(route.as_deref().unwrap_or("none"), method, status, took);
    tracing::info!(request_id = id, method, path, status, duration_ms = took.as_millis(), "answered");
    response
}

/// Takes the caller's id when it is short and plain, else gives one.
fn request_id(app: &App, headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    given.filter(plain).map_or_else(|| app.next_request_id(), str::to_owned)
}

fn is_allowed(app: &App, path: &str, headers: &HeaderMap) -> bool {
    let Some(token) = &app.settings().token else { return true };
    OPEN.contains(&path) || presents(headers, token)
}

/// Tells whether a request carries the token.
pub(crate) fn presents(headers: &HeaderMap, token: &Token) -> bool {
    let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(given);
    given.is_some_and(|given| token.matches(&given))
}

/// Reads the token: as it is, or as the password that a browser sends, whatever the user's name.
fn given(header: &str) -> Option<String> {
    let (scheme, credentials) = header.split_once(' ')?;
    let credentials = credentials.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.to_owned());
    }
    let login = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(credentials).ok())??;
    Some(String::from_utf8(login).ok()?.split_once(':')?.1.to_owned())
}

/// Renders a problem that a handler left, and adds what every answer carries.
fn finish(app: &App, mut response: Response, path: &str, id: &str) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let problem = Problem { instance: path.to_owned(), request_id: id.to_owned(), ..problem };
        let mut headers = std::mem::take(response.headers_mut());
        headers.remove(CONTENT_TYPE);
        headers.remove(axum::http::header::CONTENT_LENGTH);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if problem.status == 401 {
            // Programs take the first; a browser asks its user for the second.
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            let basic = HeaderValue::from_static(
                "Basic realm=\"Edge: the token is the password\", charset=\"UTF-8\"",
            );
            headers.append(WWW_AUTHENTICATE, basic);
        }
        let status = response.status();
        response = (status, Json(problem)).into_response();
        response.headers_mut().extend(headers);
    }
    let headers = response.headers_mut();
    let mut say = |name: &'static str, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    };
    say("x-request-id", id);
    say("x-schema-version", SCHEMA_VERSION);
    if let Ok(live) = app.serving().get() {
        say("x-model-version", &live.card().version);
        say("x-as-of", &live.as_of().to_string());
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Keeps invented methods out of the counters' labels.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
