//! Requests by route, method and status; what is counted for every request is found without building a label.

use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::{buckets::answers, registering::Registering as _};

/// Labels for methods; invented ones are the last.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "other"];
/// Labels for statuses; those that no answer is meant to have are the last.
const STATUSES: [&str; 19] = [
    "200", "204", "304", "400", "401", "403", "404", "405", "408", "409", "413", "415", "422", "429", "431",
    "500", "501", "503", "other",
];
/// Most routes that are told apart.
const ROUTES: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
    method: &'static str,
}

/// Counters of requests.
#[derive(Debug)]
pub(super) struct Requests {
    counted: Family<RequestLabels, Counter, fn() -> Counter>,
    latency: Family<RouteLabels, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    routes: RwLock<HashMap<Box<str>, Arc<Route>>>,
}

/// Handles of one route, each made when it is first wanted.
#[derive(Debug, Default)]
struct Route {
    counted: [[OnceLock<Counter>; STATUSES.len()]; METHODS.len()],
    latency: [OnceLock<Histogram>; METHODS.len()],
}

impl Requests {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let help = "Requests by route, method and status";
        let counted = registry.family("http_requests", help, None, Counter::default);
        let help = "Time to answer by route and method";
        let latency = registry.family("http_request_duration", help, Some(Unit::Seconds), answers);
        let in_flight = registry.gauge("http_requests_in_flight", "Requests that are being answered", None);
        Self { counted, latency, in_flight, routes: RwLock::default() }
    }

    pub(super) fn answered(&self, route: &str, method: &str, status: u16, took: Duration) {
        let (pattern, handles) = self.route(route);
        let method = position(&METHODS, method);
        let status = status_position(status);
        let labels = || RouteLabels { route: pattern.to_owned(), method: METHODS[method] };
        let latency = handles.latency[method].get_or_init(|| self.latency.get_or_create_owned(&labels()));
        latency.observe(took.as_secs_f64());
        let labels =
            || RequestLabels { route: pattern.to_owned(), method: METHODS[method], status: STATUSES[status] };
        let counted = &handles.counted[method][status];
        counted.get_or_init(|| self.counted.get_or_create_owned(&labels())).inc();
    }

    pub(super) fn in_flight(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Returns the handles of a pattern, those of `other` once there are too many.
    fn route<'a>(&self, pattern: &'a str) -> (&'a str, Arc<Route>) {
        if let Some(route) = self.routes.read().unwrap_or_else(PoisonError::into_inner).get(pattern) {
            return (pattern, Arc::clone(route));
        }
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        let pattern = if routes.len() < ROUTES { pattern } else { "other" };
        (pattern, Arc::clone(routes.entry(pattern.into()).or_default()))
    }
}

fn position(labels: &[&str], wanted: &str) -> usize {
    labels.iter().position(|label| *label == wanted).unwrap_or(labels.len() - 1)
}

fn status_position(status: u16) -> usize {
    let digits = [status / 100 % 10, status / 10 % 10, status % 10].map(|digit| b'0' + digit as u8);
    position(&STATUSES, std::str::from_utf8(&digits).unwrap_or_default())
}

/// Counts a request as being answered until it is dropped.
#[derive(Debug)]
pub struct InFlight(Gauge<i64, AtomicI64>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.inner().fetch_sub(1, Ordering::Relaxed);
    }
}
