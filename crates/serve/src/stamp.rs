//! Headers that every answer carries: what answered, and what a browser may do with it.

use axum::http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
        X_CONTENT_TYPE_OPTIONS,
    },
};
use market::Predictor;

use crate::{App, SCHEMA_VERSION};

const MODEL_VERSION: HeaderName = HeaderName::from_static("x-model-version");
const AS_OF: HeaderName = HeaderName::from_static("x-as-of");
const SCHEMA: HeaderName = HeaderName::from_static("x-schema-version");

/// Model and as-of as headers, written once when a model is taken; a copy costs two counters.
#[derive(Debug, Clone)]
pub(crate) struct ModelHeaders {
    version: Option<HeaderValue>,
    as_of: Option<HeaderValue>,
}

impl ModelHeaders {
    /// Writes the headers of a predictor.
    pub(crate) fn of(predictor: &dyn Predictor) -> Self {
        let version = HeaderValue::try_from(predictor.model().version).ok();
        Self { version, as_of: HeaderValue::try_from(predictor.as_of().to_string()).ok() }
    }
}

/// Adds what is not there yet; what a handler said about caching and content holds.
pub(crate) fn everywhere(app: &App, headers: &mut HeaderMap, is_tls: bool) {
    headers.insert(SCHEMA, HeaderValue::from_static(SCHEMA_VERSION));
    if let Ok(live) = app.serving().get() {
        let ModelHeaders { version, as_of } = live.headers().clone();
        version.map(|value| headers.insert(MODEL_VERSION, value));
        as_of.map(|value| headers.insert(AS_OF, value));
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let unless_set = [
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    for (name, value) in unless_set {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if is_tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}
