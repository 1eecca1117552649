//! Who and what is let through to the handlers.
//!
//! In this order: the host's name, the address's length, the page that asks, the token, the rate, the size. A route
//! that changes something asks for [`Admin`] beside its other arguments; the rest needs a token of any scope.
//!
//! # Example
//! ```
//! async fn forget_everything(_: serve::guard::Admin) -> &'static str {
//!     "done"
//! }
//! let routes: axum::Router = axum::Router::new().route("/v1/forget", axum::routing::post(forget_everything));
//! ```

use std::{net::SocketAddr, time::Duration};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{
        HeaderValue,
        header::{CONTENT_LENGTH, ORIGIN, RETRY_AFTER},
        request::Parts,
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{
    App, Problem, ProblemKind,
    limits::Counted,
    token::{Caller, Scope},
};

/// Paths that probes and readers may ask without a token, as often as they like.
pub(crate) const OPEN: [&str; 6] =
    ["/healthz", "/readyz", "/openapi.json", "/docs", "/v2/health/live", "/v2/health/ready"];

/// The other end of a connection; the server puts it beside each request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) is_tls: bool,
}

/// Proof that the caller may change something; as an argument of a handler it refuses others with 403.
#[derive(Debug, Clone, Copy)]
pub struct Admin;

impl<S: Sync> FromRequestParts<S> for Admin {
    type Rejection = Box<Problem>;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Box<Problem>> {
        let scope = parts.extensions.get::<Caller>().map(|caller| caller.scope);
        if scope.is_some_and(|scope| scope >= Scope::Admin) {
            return Ok(Self);
        }
        let detail = "this token may read; what changes something needs one with the scope admin";
        Err(Box::new(Problem::new(ProblemKind::Forbidden, detail)))
    }
}

/// Lets a request through within its time limit, or says why not.
pub(crate) async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let caller = match admit(&app, &request) {
        Ok(caller) => caller,
        Err(refusal) => return *refusal,
    };
    if let Some(caller) = &caller {
        request.extensions_mut().insert(caller.clone());
    }
    let time_out = app.settings().time_out;
    let answered = tokio::time::timeout(time_out, next.run(request)).await;
    let mut response = answered.unwrap_or_else(|_| timed_out(time_out));
    if let Some(caller) = caller {
        // For the access log.
        response.extensions_mut().insert(caller);
    }
    response
}

/// Names the caller; nobody at an open path. A refusal is boxed, because an answer is large beside it.
fn admit(app: &App, request: &Request) -> Result<Option<Caller>, Box<Response>> {
    let (uri, headers) = (request.uri(), request.headers());
    let refuse = |kind, detail: &str| Err(Box::new(Problem::new(kind, detail).into_response()));
    if app.keyring().is_empty() && !app.hosts().are_ours(uri, headers) {
        let detail =
            "without a token only requests to localhost are answered: ask there, or list the name as `hosts`";
        return refuse(ProblemKind::Misdirected, detail);
    }
    if uri.path_and_query().is_some_and(|asked| asked.as_str().len() > app.settings().uri_limit) {
        let detail = format!("path and query may have {} bytes", app.settings().uri_limit);
        return refuse(ProblemKind::UriTooLong, &detail);
    }
    let is_let = |origin| app.settings().access.origins.iter().any(|listed| listed.is(origin));
    let is_foreign = app.hosts().is_foreign(request.method(), uri, headers);
    if is_foreign && !headers.get(ORIGIN).is_some_and(is_let) {
        let detail = "a page of another site may not ask this; list it as one of `cors_origins`";
        return refuse(ProblemKind::Forbidden, detail);
    }
    if OPEN.contains(&uri.path()) {
        return Ok(None);
    }
    let caller = app.keyring().caller(headers);
    if let Err(wait) = app.limits().take(counted(app, caller.as_ref(), request)) {
        let mut refusal = too_many(wait);
        caller.map(|caller| refusal.extensions_mut().insert(caller));
        return Err(Box::new(refusal));
    }
    if caller.is_none() {
        return refuse(ProblemKind::Unauthorised, "send `authorization: Bearer <token>`");
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let limit = app.settings().body_limit;
    if length.is_some_and(|length| length > limit as u64) {
        return refuse(ProblemKind::TooLarge, &format!("the body may have {limit} bytes; send fewer games"));
    }
    Ok(caller)
}

/// Tells whom a question is counted for: the token, else the address.
fn counted(app: &App, caller: Option<&Caller>, request: &Request) -> Counted {
    match caller {
        Some(caller) if !app.keyring().is_empty() => Counted::Token(caller.index),
        _ => {
            let peer = request.extensions().get::<Peer>().map(|peer| peer.address.ip());
            Counted::peer(peer.unwrap_or(std::net::Ipv4Addr::UNSPECIFIED.into()))
        }
    }
}

fn too_many(wait: Duration) -> Response {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let detail = format!("more questions than this caller may put; go on in {seconds} s");
    let mut response = Problem::new(ProblemKind::TooManyRequests, detail).into_response();
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    response
}

fn timed_out(limit: Duration) -> Response {
    let detail = format!("no answer within {} s; ask for fewer games, or again later", limit.as_secs());
    Problem::new(ProblemKind::TimedOut, detail).into_response()
}
