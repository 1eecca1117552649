//! What Prometheus scrapes.

use std::{fmt, sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

type Labels = Vec<(&'static str, String)>;

/// Counters of one process.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    latency: Family<Labels, Histogram, fn() -> Histogram>,
    model_age: Gauge<f64, AtomicU64>,
    data_age: Gauge<f64, AtomicU64>,
    ready: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("edge");
        let requests = Family::default();
        registry.register("http_requests", "Requests by route, method and status", requests.clone());
        let latency: Family<Labels, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(new_histogram);
        let unit = || Unit::Seconds;
        registry.register_with_unit(
            "http_request_duration",
            "Time to answer by route",
            unit(),
            latency.clone(),
        );
        let (model_age, data_age, ready) = (Gauge::default(), Gauge::default(), Gauge::default());
        let age = "Age of the data that the loaded model was trained on";
        registry.register_with_unit("model_age", age, unit(), model_age.clone());
        registry.register_with_unit(
            "data_age",
            "Age of the data that predictions use",
            unit(),
            data_age.clone(),
        );
        registry.register("ready", "1 when a model is loaded and its data is fresh", ready.clone());
        Self { registry, requests, latency, model_age, data_age, ready }
    }

    /// Counts one answered request; `route` is the pattern, never the path, so that the labels stay few.
    pub(crate) fn answered(&self, route: &str, method: &str, status: u16, took: Duration) {
        let route = ("route", route.to_owned());
        let labels = vec![route.clone(), ("method", method.to_owned()), ("status", status.to_string())];
        self.requests.get_or_create(&labels).inc();
        self.latency.get_or_create(&vec![route]).observe(took.as_secs_f64());
    }

    pub(crate) fn waited(&self, _took: Duration) {}

    pub(crate) fn batch(&self, _games: usize) {}

    pub(crate) fn cache(&self, _hits: usize, _misses: usize) {}

    pub(crate) fn shadow(&self, _difference: f64) {}

    /// Renders the text; ages in seconds, NaN without a model.
    pub(crate) fn render(&self, ages: Option<(f64, f64)>, ready: bool) -> Result<String, fmt::Error> {
        let (model_age, data_age) = ages.unwrap_or((f64::NAN, f64::NAN));
        self.model_age.set(model_age);
        self.data_age.set(data_age);
        self.ready.set(i64::from(ready));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn new_histogram() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0])
}
