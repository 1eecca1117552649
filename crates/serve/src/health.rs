//! A health endpoint for a program that serves nothing else, such as a schedule: `GET /healthz`.
//!
//! It answers 200 while all is well and 503 otherwise. Whoever may ask gets the details; where a token is set, others
//! learn only whether all is well, which is all that a probe wants.
//!
//! # Example
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use serve::{Settings, health::{Checkup, serve_health}, listen};
//! let settings = Settings { listen: "127.0.0.1:0".parse().unwrap(), ..Settings::default() };
//! let listener = listen(&settings).await.unwrap();
//! let check = || Checkup { is_well: true, status: "up".into(), details: serde_json::json!({"status": "up"}) };
//! serve_health(listener, settings.keyring(), check, std::future::ready(())).await.unwrap(); // asked to stop at once
//! # });
//! ```

use std::{future::Future, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::{
        HeaderMap, HeaderValue, StatusCode, Uri,
        header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};

use crate::{Keyring, Listener, ServeError, connections, hosts::Hosts};

/// How a program is.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkup {
    /// Whether all is well.
    pub is_well: bool,
    /// In one word, for everybody.
    pub status: String,
    /// In full, for those who may ask.
    pub details: Value,
}

type Check = Arc<dyn Fn() -> Checkup + Send + Sync>;

#[derive(Clone)]
struct Ward {
    keyring: Keyring,
    hosts: Hosts,
    check: Check,
}

/// Returns the routes; `check` is asked anew for each answer and must be quick.
pub fn health_router(
    tokens: impl Into<Keyring>,
    check: impl Fn() -> Checkup + Send + Sync + 'static,
) -> Router {
    let ward = Ward { keyring: tokens.into(), hosts: Hosts::new(&[]), check: Arc::new(check) };
    Router::new().route("/healthz", get(answer)).with_state(ward)
}

/// Serves [`health_router`] until `stop` resolves; [`listen`](crate::listen) opens the port.
pub async fn serve_health(
    listener: Listener,
    tokens: impl Into<Keyring>,
    check: impl Fn() -> Checkup + Send + Sync + 'static,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    connections::serve(listener, health_router(tokens, check), stop).await;
    Ok(())
}

async fn answer(State(ward): State<Ward>, uri: Uri, headers: HeaderMap) -> Response {
    let Checkup { is_well, status, details } = (ward.check)();
    // Without a token, a page that lets its own name point here is a stranger too.
    let is_here = !ward.keyring.is_empty() || ward.hosts.are_ours(&uri, &headers);
    let may_ask = is_here && ward.keyring.caller(&headers).is_some();
    let code = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = if may_ask { details } else { json!({ "status": status }) };
    let mut response = (code, Json(body)).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
