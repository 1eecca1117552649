//! `[serve]`: where the endpoint listens, who may ask, and how it looks for models and rows.

use std::path::PathBuf;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// `[serve]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServeSettings {
    pub(crate) listen: String,
    /// How often model and rows are looked for; never after the start when zero.
    pub(crate) look_every: SignedDuration,
    /// How often answers move on to a later as-of although no row has landed.
    pub(crate) refresh_every: SignedDuration,
    /// Age of the newest row beyond which the endpoint is not ready.
    pub(crate) stale_after: SignedDuration,
    /// Games so many hours ahead are forecast before a model answers.
    pub(crate) warm_hours: u32,
    /// Whether the last challenger that lost is asked along, without answering.
    pub(crate) shadow: bool,
    /// Threads that forecast; as many as the machine has cores when 0.
    pub(crate) threads: usize,
    /// Games that may wait for a thread.
    pub(crate) queue: usize,
    /// Most games that are forecast together.
    pub(crate) batch: usize,
    /// Tokens beside that of the environment, known by their hash.
    pub(crate) tokens: Vec<ServeToken>,
    /// Names that are answered on loopback where no token is wanted.
    pub(crate) hosts: Vec<String>,
    /// Sites whose pages may read answers.
    pub(crate) cors_origins: Vec<String>,
    /// Requests per second of each caller; 0 is no limit.
    pub(crate) rate_limit: u32,
    /// Requests of one caller at once; as many as per second when 0.
    pub(crate) rate_burst: u32,
    /// Largest request body in bytes.
    pub(crate) body_limit: usize,
    /// Longest time for one request.
    pub(crate) time_out: SignedDuration,
    /// Most connections at once.
    pub(crate) connections: usize,
    /// What requests that have begun may take when the endpoint is stopped.
    pub(crate) stop_within: SignedDuration,
    /// Certificate in PEM; with it the endpoint speaks TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate: Option<PathBuf>,
    /// Its private key in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<PathBuf>,
}

/// One of `serve.tokens`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServeToken {
    /// What the access log shows.
    pub(crate) name: String,
    pub(crate) scope: ServeScope,
    /// SHA-256 of the token, in hexadecimal.
    pub(crate) sha256: String,
}

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ServeScope {
    Read,
    Admin,
}

impl Default for ServeSettings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8000".to_owned(),
            look_every: SignedDuration::from_secs(30),
            refresh_every: SignedDuration::from_hours(1),
            stale_after: SignedDuration::from_hours(192),
            warm_hours: 48,
            shadow: true,
            threads: 0,
            queue: 1024,
            batch: 32,
            tokens: Vec::new(),
            hosts: Vec::new(),
            cors_origins: Vec::new(),
            rate_limit: 0,
            rate_burst: 0,
            body_limit: 1024 * 1024,
            time_out: SignedDuration::from_secs(30),
            connections: 4096,
            stop_within: SignedDuration::from_secs(30),
            certificate: None,
            key: None,
        }
    }
}
