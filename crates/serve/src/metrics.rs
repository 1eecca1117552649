//! What Prometheus scrapes: requests, the model's threads, reloads, forecasts and their drift, the process.
//!
//! What is called for every request finds its counters without building labels. `docs/observability.md` names every
//! metric.
//!
//! # Example
//! ```
//! use std::time::Duration;
//! use serve::metrics::{Metrics, Moment, Refusal};
//! let metrics = Metrics::new(1_714_521_600);
//! metrics.answered("/v1/slate", "GET", 200, Duration::from_micros(300));
//! metrics.refused(Refusal::Overloaded);
//! let (content_type, text) = metrics.render(Moment::default(), Some("text/plain")).unwrap();
//! assert!(content_type.starts_with("text/plain"));
//! assert!(text.contains("edge_http_requests_total{route=\"/v1/slate\",method=\"GET\",status=\"200\"} 1"));
//! assert!(text.contains("edge_http_refused_total{reason=\"overloaded\"} 1"));
//! ```

mod buckets;
mod exposition;
mod models;
mod process;
mod reasons;
mod registering;
mod requests;
mod work;

use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use jiff::Timestamp;
use market::ModelCard;
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, gauge::Gauge},
    registry::{Registry, Unit},
};

pub use self::{
    exposition::Exposition,
    reasons::{Refusal, Reload},
    requests::InFlight,
};
use self::{
    models::Models,
    process::Process,
    reasons::{LeagueLabels, RefusedLabels, ReloadLabels},
    registering::Registering as _,
    requests::Requests,
    work::Work,
};
use crate::GameForecast;

/// Unit of times and ages.
const SECONDS: Option<Unit> = Some(Unit::Seconds);

type Seconds = Gauge<f64, AtomicU64>;

/// Counters of one process.
pub struct Metrics {
    registry: Registry,
    requests: Requests,
    refused: [Counter; Refusal::ALL.len()],
    work: Work,
    models: Arc<Models>,
    model_age: Seconds,
    data_age: Seconds,
    ready: Gauge,
}

/// What is known only at the moment of a scrape.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moment {
    /// Ages of the model's data and of the predictions' data in seconds; none without a model.
    pub ages: Option<(f64, f64)>,
    /// Whether a model is loaded and its data is fresh.
    pub is_ready: bool,
}

impl Metrics {
    /// Builds the counters of a process that started at this second since 1970.
    pub fn new(started: i64) -> Self {
        let mut all = Registry::default();
        all.register_collector(Box::new(Process { started }));
        let registry = all.sub_registry_with_prefix("edge");
        let models = Arc::new(Models::default());
        registry.register_collector(Box::new(Arc::clone(&models)));
        let requests = Requests::new(registry);
        let help = "Requests that were turned away, by reason";
        let refused = registry.family("http_refused", help, None, Counter::default);
        Self {
            requests,
            refused: Refusal::ALL.map(|reason| refused.get_or_create_owned(&RefusedLabels { reason })),
            work: Work::new(registry),
            model_age: registry.gauge(
                "model_age",
                "Age of the data that the loaded model was trained on",
                SECONDS,
            ),
            data_age: registry.gauge("data_age", "Age of the data that predictions use", SECONDS),
            ready: registry.gauge("ready", "1 when a model is loaded and its data is fresh", None),
            models,
            registry: all,
        }
    }

    /// Counts one answered request; `route` is the pattern, never the path, so that the labels stay few.
    pub fn answered(&self, route: &str, method: &str, status: u16, took: Duration) {
        self.requests.answered(route, method, status, took);
    }

    /// Counts a request as being answered until what is returned is dropped.
    pub fn in_flight(&self) -> InFlight {
        self.requests.in_flight()
    }

    /// Counts a request that was turned away; it is counted as answered as well.
    pub fn refused(&self, reason: Refusal) {
        self.refused[reason as usize].inc();
    }

    /// Renders the text in the format that the header `accept` wants more.
    pub fn render(&self, moment: Moment, accept: Option<&str>) -> Result<Exposition, fmt::Error> {
        let (model_age, data_age) = moment.ages.unwrap_or((f64::NAN, f64::NAN));
        self.model_age.set(model_age);
        self.data_age.set(data_age);
        self.ready.set(i64::from(moment.is_ready));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(exposition::exposition(text, accept))
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").field("requests", &self.requests).finish_non_exhaustive()
    }
}

/// What the model's side tells.
impl Metrics {
    /// Counts a batch of so many games.
    pub fn batch(&self, games: usize) {
        self.work.batches.observe(games as f64);
    }

    /// Counts how long a request waited before the model took it up.
    pub fn waited(&self, waited: Duration) {
        self.work.waited.observe(waited.as_secs_f64());
    }

    /// Says how many games wait.
    pub fn queued(&self, games: usize) {
        self.work.queued.set(games as i64);
    }

    /// Counts a known game or a slate that was, or was not, found in memory.
    pub fn cache(&self, is_hit: bool) {
        self.work.cached[usize::from(is_hit)].inc();
    }

    /// Counts a reload that ended `at` this instant.
    pub fn reloaded(&self, outcome: Reload, took: Duration, at: Timestamp) {
        let labels = ReloadLabels { outcome };
        self.work.reloads.get_or_create_owned(&labels).inc();
        self.work.reload_seconds.get_or_create_owned(&labels).observe(took.as_secs_f64());
        self.work.reloaded_at.get_or_create_owned(&labels).set(at.as_second() as f64);
    }

    /// Says which model answers from now on; for another one than before, drift begins anew and the answer is true.
    pub fn serving(&self, card: &ModelCard) -> bool {
        self.models.serve(card)
    }

    /// Says which model runs in the shadow from now on.
    pub fn shadowing(&self, card: Option<&ModelCard>) {
        self.models.shadow(card);
    }

    /// Counts a game of which champion and challenger gave home these probabilities.
    pub fn shadow(&self, champion: f64, challenger: f64) {
        self.work.shadow.observe((champion - challenger).abs());
    }

    /// Takes a forecast of the slate known when a model was loaded: what later ones are compared with.
    pub fn reference(&self, forecast: &GameForecast) {
        self.models.drift.refer(&forecast.game, forecast.moneyline.home);
    }

    /// Counts a forecast that the model made; one from memory is not made again.
    pub fn forecast(&self, forecast: &GameForecast) {
        let (game, home) = (&forecast.game, forecast.moneyline.home);
        // Leagues beyond those that are watched would make the labels many.
        if self.models.drift.see(game, home) {
            let labels = LeagueLabels { league: game.league.to_string() };
            self.work.forecasts.get_or_create(&labels).observe(home);
        }
    }
}
