//! What every request and every answer passes: request id, problem documents, headers, counters, access log.
//!
//! From outside to inside: this gate, what lets pages of other sites read, the [`guard`](crate::guard), a net for
//! panics, the handler.

use std::{any::Any, time::Instant};

use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method,
        header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

use crate::{
    App, Problem, ProblemKind, cors,
    guard::{Peer, guard},
    inference::WordedProblem,
    metrics::Refusal,
    spans::{end_request, request_span},
    stamp,
    token::Caller,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts everything around the routes that stands between them and the network.
pub(crate) fn protect(app: App, routes: Router) -> Router {
    let routes = routes
        .layer(CatchPanicLayer::custom(panicked))
        .layer(DefaultBodyLimit::max(app.settings().body_limit))
        .layer(from_fn_with_state(app.clone(), guard));
    let routes = match cors::layer(&app.settings().access.origins) {
        Some(layer) => routes.layer(layer),
        None => routes,
    };
    routes.layer(from_fn_with_state(app, gate))
}

async fn gate(State(app): State<App>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let (uri, method) = (request.uri().clone(), known_method(request.method()));
    let route = request.extensions().get::<MatchedPath>().cloned();
    let peer = request.extensions().get::<Peer>().copied();
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let id = request_id(&app, request.headers());
    let text = id.to_str().unwrap_or_default().to_owned();
    let _in_flight = app.metrics().in_flight();
    let span = request_span(request.headers(), method, route, &text);
    let response = next.run(request).instrument(span.clone()).await;
    if let Some(reason) = response.extensions().get::<Problem>().and_then(refusal) {
        app.metrics().refused(reason);
    }
    let mut response = render(response, uri.path(), &id);
    response.headers_mut().insert(REQUEST_ID, id);
    stamp::everywhere(&app, response.headers_mut(), peer.is_some_and(|peer| peer.is_tls));
    let (status, took) = (response.status().as_u16(), began.elapsed());
    app.metrics().answered(route, method, status, took);
    end_request(&span, status);
    let token = response.extensions().get::<Caller>().map_or("none", |caller| &caller.name);
    tracing::info!(
        parent: &span,
        request_id = text,
        method,
        path = uri.path(),
        route,
        status,
        duration_ms = took.as_millis(),
        token,
        peer = peer.map(|peer| tracing::field::display(peer.address.ip())),
        "answered"
    );
    response
}

/// Says as what a problem counts among the requests that were turned away.
fn refusal(problem: &Problem) -> Option<Refusal> {
    Some(match (problem.status, problem.kind.rsplit(':').next()?) {
        (401, _) => Refusal::Unauthorised,
        (403 | 421, _) => Refusal::Forbidden,
        (413, _) => Refusal::TooLarge,
        (429, _) => Refusal::RateLimited,
        (503, "overloaded") => Refusal::Overloaded,
        (503, "timed-out") => Refusal::TimedOut,
        (503, _) => Refusal::NotReady,
        _ => return None,
    })
}

/// Takes the caller's id when it is short and plain, else gives one.
fn request_id(app: &App, headers: &HeaderMap) -> HeaderValue {
    let plain = |id: &&HeaderValue| {
        let bytes = id.as_bytes();
        (1..=64).contains(&bytes.len())
            && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
    };
    let given = headers.get(REQUEST_ID).filter(plain).cloned();
    let new = || HeaderValue::try_from(app.next_request_id());
    given.unwrap_or_else(|| new().unwrap_or(HeaderValue::from_static("none")))
}

/// Writes the document of a problem that a handler left, and one for an error that came without.
fn render(mut response: Response, path: &str, id: &HeaderValue) -> Response {
    let left = response.extensions_mut().remove::<Problem>();
    let Some(problem) = left.or_else(|| nameless(&response)) else { return response };
    let instance = path.to_owned();
    let request_id = id.to_str().unwrap_or_default().to_owned();
    let problem = Problem { instance, request_id, ..problem };
    let status = response.status();
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    match status.as_u16() {
        // Programs take the first; a browser asks its user for the second.
        401 => {
            parts.headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            let basic = HeaderValue::from_static(
                "Basic realm=\"Edge: the token is the password\", charset=\"UTF-8\"",
            );
            parts.headers.append(WWW_AUTHENTICATE, basic);
        }
        503 => {
            parts.headers.entry(RETRY_AFTER).or_insert(HeaderValue::from_static("1"));
        }
        _ => {}
    }
    let body = Json(WordedProblem::of(&problem)).into_response().into_body();
    Response::from_parts(parts, body)
}

/// Makes a problem of an error that a library answered in plain text, or without any.
fn nameless(response: &Response) -> Option<Problem> {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    let kind = response.headers().get(CONTENT_TYPE);
    if kind.is_some_and(|kind| !kind.as_bytes().starts_with(b"text/plain")) {
        return None;
    }
    let detail = "the request cannot be answered; see /openapi.json for what there is";
    Some(Problem { status: status.as_u16(), ..Problem::new(ProblemKind::of(status), detail) })
}

/// Keeps a broken handler from taking its connection along; the panic itself is in the log.
fn panicked(_panic: Box<dyn Any + Send>) -> Response<Body> {
    let detail = "the endpoint failed on this request; the server's log has the cause";
    Problem::new(ProblemKind::Internal, detail).into_response()
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
