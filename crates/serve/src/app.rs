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
use subtle::ConstantTimeEq;

use crate::{
    Keeper, Serving,
    engine::{Engine, EngineSettings},
    metrics::Metrics,
};

/// Says what time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// A bearer token; never shown.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Takes the token; none when it is blank.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// Compares in a time that does not depend on how much is right.
    pub(crate) fn matches(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }

    /// Returns the value of the header that carries it.
    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// How the endpoint behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// What callers of `/v1` and `/metrics` must present; needed to listen beyond loopback.
    pub token: Option<Token>,
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

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            token: None,
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
        let (metrics, started, requests) = (Arc::new(Metrics::new()), clock().as_second(), AtomicU64::new(0));
        let engine = Engine::start(settings.engine, &serving, &metrics);
        let clock = Arc::new(clock);
        Self(Arc::new(Parts { serving, settings, clock, metrics, engine, keeper, started, requests }))
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

    pub(crate) fn metrics(&self) -> &Metrics {
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

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("serving", &self.0.serving).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_shown_and_never_blank() {
        assert!(Token::new(" \n").is_none());
        let token = Token::new("s3cret\n").unwrap();
        assert!(token.matches("s3cret") && !token.matches("s3cre") && !token.matches(""));
        assert_eq!(format!("{token:?}"), "Token(..)");
    }
}
