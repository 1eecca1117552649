//! What the endpoint works with: the model that answers now, the settings, the clock.
//!
//! # Example
//! ```
//! use serve::{App, Live, Serving, Settings};
//! let serving = Serving::empty("models/best.pt is not there yet: run `edge train`");
//! let app = App::new(serving.clone(), Settings::default(), || "2024-05-01T00:00:00Z".parse().unwrap());
//! assert!(app.serving().get().is_err());
//! let mock = serve::MockPredictor::new("2024-05-01T00:00:00Z".parse().unwrap());
//! serving.set(Live::new(std::sync::Arc::new(mock)));
//! assert!(app.serving().get().is_ok(), "swapped while serving");
//! ```

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use crate::{
    CertificateFiles, Connections, Keeper, Keyring, KnownToken, Live, Origin, Outcome, Rate, Serving, Token,
    engine::{Engine, EngineSettings},
    forecast::game_forecast,
    hosts::Hosts,
    limits::Limits,
    metrics::{Metrics, Reload},
};

/// Says what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Who may ask beside the holder of the plain token; by default nobody is added and nothing is limited.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Tokens known by their hash.
    pub tokens: Vec<KnownToken>,
    /// Names, beside those of loopback, that are answered where no token is wanted.
    pub hosts: Vec<String>,
    /// Sites whose pages may read answers in a browser.
    pub origins: Vec<Origin>,
    /// How often each caller may ask.
    pub rate: Option<Rate>,
}

/// How the endpoint behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// What callers of `/v1` and `/metrics` may present; this or one of `access` is needed beyond loopback.
    pub token: Option<Token>,
    /// Who else may ask, how often, and from where.
    pub access: Access,
    /// How connections are treated.
    pub connections: Connections,
    /// Where the certificate is; without one there is no TLS.
    pub certificate: Option<CertificateFiles>,
    /// Longest path and query in bytes.
    pub uri_limit: usize,
    /// Largest request body in bytes.
    pub body_limit: usize,
    /// Longest time for one request.
    pub time_out: Duration,
    /// Age of the newest row with which `/readyz` still says yes.
    pub stale_after: SignedDuration,
    /// Most games in one request.
    pub games_limit: usize,
    /// How the model's threads work.
    pub engine: EngineSettings,
}

impl Settings {
    /// Returns all tokens, the plain one first.
    pub fn keyring(&self) -> Keyring {
        Keyring::new(self.token.as_ref(), &self.access.tokens)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            token: None,
            access: Access::default(),
            connections: Connections::default(),
            certificate: None,
            uri_limit: 8 * 1024,
            body_limit: 1024 * 1024,
            time_out: Duration::from_secs(30),
            stale_after: SignedDuration::from_hours(192),
            games_limit: 256,
            engine: EngineSettings::default(),
        }
    }
}

/// Everything a request needs; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

struct Parts {
    serving: Serving,
    settings: Settings,
    keyring: Keyring,
    hosts: Hosts,
    limits: Limits,
    clock: Clock,
    metrics: Arc<Metrics>,
    engine: Engine,
    keeper: Option<Arc<Keeper>>,
    /// Second of the start, so that request ids of two processes differ.
    started: i64,
    requests: AtomicU64,
}

impl App {
    /// Puts the parts together and starts the model's threads.
    pub fn new(
        serving: Serving,
        settings: Settings,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self::with_keeper(serving, settings, clock, None)
    }

    /// The same with somebody who looks for a newer model when an administrator asks.
    pub fn with_keeper(
        serving: Serving,
        settings: Settings,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
        keeper: Option<Arc<Keeper>>,
    ) -> Self {
        let (started, requests, clock) = (clock().as_second(), AtomicU64::new(0), Arc::new(clock));
        let metrics = Arc::new(Metrics::new(started));
        let (keyring, hosts) = (settings.keyring(), Hosts::new(&settings.access.hosts));
        let limits = Limits::new(settings.access.rate);
        let engine = Engine::start(settings.engine, &serving, &metrics);
        let own = Arc::clone(&metrics);
        serving.tell_swaps(move |live, challenger| introduce(&own, live, challenger));
        if let Some(keeper) = &keeper {
            let (own, clock) = (Arc::clone(&metrics), Arc::clone(&clock));
            keeper.tell_looks(move |outcome, took| reloaded(&own, outcome, took, clock()));
        }
        Self(Arc::new(Parts {
            serving,
            settings,
            keyring,
            hosts,
            limits,
            clock,
            metrics,
            engine,
            keeper,
            started,
            requests,
        }))
    }

    /// Returns the holder of the model.
    pub fn serving(&self) -> &Serving {
        &self.0.serving
    }

    /// Returns the settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    /// Returns how long ago an instant was; nothing where the clock says that it is still to come.
    pub(crate) fn age_of(&self, instant: Timestamp) -> SignedDuration {
        self.now().duration_since(instant).max(SignedDuration::ZERO)
    }

    pub(crate) fn keyring(&self) -> &Keyring {
        &self.0.keyring
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.0.hosts
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Returns the counters that `/metrics` shows.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn keeper(&self) -> Option<Arc<Keeper>> {
        self.0.keeper.clone()
    }

    /// Returns an id that no other request of this process has.
    pub(crate) fn next_request_id(&self) -> String {
        format!("{:x}-{:x}", self.0.started, self.0.requests.fetch_add(1, Ordering::Relaxed))
    }
}

/// Tells the counters who answers from now on, and what its forecasts look like.
fn introduce(metrics: &Metrics, live: &Live, challenger: Option<&Live>) {
    metrics.shadowing(challenger.map(Live::card));
    if metrics.serving(live.card()) {
        let forecasts = live.warmed().iter().filter_map(|known| game_forecast(&known.prediction, &[], false));
        forecasts.for_each(|forecast| metrics.reference(&forecast));
    }
}

fn reloaded(metrics: &Metrics, outcome: &Outcome, took: Duration, at: Timestamp) {
    match outcome {
        Outcome::Unchanged => {}
        Outcome::Reloaded { .. } => metrics.reloaded(Reload::Done, took, at),
        Outcome::Refused { .. } => metrics.reloaded(Reload::Refused, took, at),
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("serving", &self.0.serving).finish_non_exhaustive()
    }
}
