//! Spans of requests and of the model's batches, and how a request joins the trace of its caller.
//!
//! This crate only emits spans through `tracing`; who collects them, and whether anybody does, is decided by the
//! program. With nobody listening a span costs next to nothing.
//!
//! # Example
//! ```
//! use serve::spans::{TraceContext, batch_span, continue_traces_with};
//! // The program says what becomes of a caller's trace; only the first one to do so is heard.
//! let is_first = continue_traces_with(|span, caller: Option<TraceContext<'_>>| {
//!     let parent = caller.map(|caller| caller.traceparent.to_owned());
//!     assert!(!span.is_disabled() && parent.is_none_or(|parent| parent.len() >= 55));
//! });
//! assert!(is_first);
//! let span = batch_span(Some(32), "2024-05-01-ab12", &[]);
//! span.in_scope(|| tracing::debug!("32 games at once"));
//! ```

use std::sync::OnceLock;

use axum::http::HeaderMap;
use tracing::{Span, field::Empty, info_span};

/// Longest header of a trace that is passed on: what W3C Trace Context asks for at least.
const LONGEST: usize = 512;

/// The trace of a caller, as its headers say (W3C Trace Context); not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext<'a> {
    /// The header `traceparent`: version, trace, parent and flags.
    pub traceparent: &'a str,
    /// The header `tracestate`, empty when absent.
    pub tracestate: &'a str,
}

type Continue = Box<dyn Fn(&Span, Option<TraceContext<'_>>) + Send + Sync>;

/// One per process, as is what collects the spans.
static CONTINUE: OnceLock<Continue> = OnceLock::new();

/// Has every request's span given to `join` before it is entered, with the caller's trace where there is one; false
/// when another was there first.
///
/// The span has an empty field `trace_id` for logs to show.
pub fn continue_traces_with(join: impl Fn(&Span, Option<TraceContext<'_>>) + Send + Sync + 'static) -> bool {
    CONTINUE.set(Box::new(join)).is_ok()
}

/// Opens the span of one request, as a child of the caller's when the headers name one.
///
/// `route` is the pattern, never the path. The names are those of `OpenTelemetry`'s conventions for HTTP.
pub(crate) fn request_span(headers: &HeaderMap, method: &str, route: &str, request_id: &str) -> Span {
    let span = info_span!(
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        request_id,
        trace_id = Empty,
    );
    if !span.is_disabled()
        && let Some(join) = CONTINUE.get()
    {
        join(&span, context(headers));
    }
    span
}

/// Notes how a request ended.
pub(crate) fn end_request(span: &Span, status: u16) {
    span.record("http.response.status_code", status);
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}

/// Opens the span of one batch of the model; `requests` are the spans of those that wait for it.
///
/// It belongs to no request, because it may work for many; it is linked to all of them.
pub fn batch_span(games: Option<usize>, model_version: &str, requests: &[Span]) -> Span {
    let span = info_span!(parent: None, "batch", games, model.version = model_version);
    for request in requests {
        span.follows_from(request);
    }
    span
}

fn context(headers: &HeaderMap) -> Option<TraceContext<'_>> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let traceparent = text("traceparent")?.trim();
    let tracestate = text("tracestate").unwrap_or_default();
    let fits = (55..=LONGEST).contains(&traceparent.len()) && tracestate.len() <= LONGEST;
    fits.then_some(TraceContext { traceparent, tracestate })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_headers_of_a_sane_length_are_passed_on() {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let headers = |parent: &str, state: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", parent.parse().unwrap());
            headers.insert("tracestate", state.parse().unwrap());
            headers
        };
        let found = headers(parent, "a=b");
        assert_eq!(context(&found), Some(TraceContext { traceparent: parent, tracestate: "a=b" }));
        assert_eq!(context(&headers("00-1-2-3", "")), None);
        assert_eq!(context(&headers(parent, &"x".repeat(LONGEST + 1))), None);
        assert_eq!(context(&HeaderMap::new()), None);
    }
}
