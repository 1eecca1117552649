//! Spans on their way to an `OpenTelemetry` collector.
//!
//! Spans wait in a bounded queue for a thread of their own. A collector that is dead or slow fills the queue, and what
//! comes after is dropped: nothing that answers or computes ever waits for it.

mod client;

use std::{collections::HashMap, time::Duration};

use anyhow::Context as _;
use opentelemetry::{
    KeyValue,
    propagation::TextMapPropagator as _,
    trace::{TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use serve::spans::TraceContext;
use tracing::{Level, Metadata, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

use self::client::Sender;
use crate::{profile::Stopwatch, settings::TelemetrySettings};

/// Longest time for one batch of spans, and for what is left at the end.
const PATIENCE: Duration = Duration::from_secs(3);

/// Our own crates, whose spans are sent; those of the libraries that send them must not be.
const OURS: [&str; 11] = [
    "edge",
    "serve",
    "coordinator",
    "model",
    "data",
    "graph",
    "ledger",
    "lenses",
    "market",
    "report",
    "sweep",
];

/// The way to the collector; what is left is sent when it is dropped.
#[derive(Debug)]
pub(super) struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Opens the way; none without a collector. Nothing is sent yet, so a dead collector is no error.
    pub(super) fn to(settings: &TelemetrySettings) -> anyhow::Result<Option<Self>> {
        let Some(url) = settings.traces_url().map_err(crate::exit::Usage)? else { return Ok(None) };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender::new(PATIENCE)?)
            .with_endpoint(url)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(PATIENCE)
            .build()
            .context("cannot send traces: look at the OTEL_EXPORTER_OTLP_ variables")?;
        let resource = Resource::builder()
            .with_service_name(settings.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.sample_ratio)));
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .with_sampler(sampler)
            .build();
        Ok(Some(Self { provider }))
    }

    /// Returns what turns our spans into those of the collector.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let tracer = self.provider.tracer("edge");
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        layer
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(is_sent))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.provider.shutdown_with_timeout(PATIENCE) {
            tracing::warn!(%error, "the last spans did not reach the collector");
        }
    }
}

fn is_sent(metadata: &Metadata<'_>) -> bool {
    let of = metadata.target().split("::").next().unwrap_or_default();
    metadata.is_span()
        && *metadata.level() <= Level::INFO
        && OURS.contains(&of)
        && !Stopwatch::times(metadata)
}

/// Has requests to the endpoint continue the traces of their callers, and show their trace in the log.
pub(super) fn join_callers() {
    let propagator = TraceContextPropagator::new();
    // Only one subscriber is set per process, so nobody can have been first.
    let _is_first = serve::spans::continue_traces_with(move |span, caller| join(&propagator, span, caller));
}

fn join(propagator: &TraceContextPropagator, span: &Span, caller: Option<TraceContext<'_>>) {
    if let Some(TraceContext { traceparent, tracestate }) = caller {
        let carrier = [("traceparent", traceparent), ("tracestate", tracestate)];
        let carrier: HashMap<String, String> =
            carrier.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let parent = propagator.extract(&carrier);
        if parent.span().span_context().is_valid()
            && let Err(error) = span.set_parent(parent)
        {
            tracing::debug!(%error, "a caller's trace is not continued");
        }
    }
    let context = span.context();
    span.record("trace_id", tracing::field::display(context.span().span_context().trace_id()));
}
