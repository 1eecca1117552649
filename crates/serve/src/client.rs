//! The client of the endpoint: time limits, retries, and errors that name the host.
//!
//! # Example
//! ```
//! use serve::Client;
//! let error = Client::new("not a url", None).unwrap_err();
//! assert!(error.to_string().contains("PREDICT_URL"));
//! ```

use std::{fmt, net::IpAddr, time::Duration};

use jiff::Timestamp;
use reqwest::{
    RequestBuilder, Response, Url,
    header::{AUTHORIZATION, RETRY_AFTER},
};
use serde::de::DeserializeOwned;

use crate::{
    Problem, Token,
    wire::{Health, ModelAnswer, PredictAnswer, PredictQuery, PredictRequest, SlateQuery},
};

/// Why the endpoint gave no answer; never shows a token or a password of the URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address is none.
    #[error("PREDICT_URL is no http or https address: write it like http://127.0.0.1:8000")]
    Url,
    /// The HTTP library could not be set up.
    #[error("cannot set up the client for {host}")]
    SetUp {
        /// Host and port.
        host: String,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// The certificates to trust are none.
    #[error("cannot read the certificates to trust for {host}: they must be PEM")]
    Authority {
        /// Host and port.
        host: String,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// Nobody answered.
    #[error("no answer from {host}: is `edge serve` running there? check PREDICT_URL")]
    Unreachable {
        /// Host and port.
        host: String,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// The answer took too long.
    #[error("{host} did not answer within {seconds} s: ask for fewer games, or again later")]
    TimedOut {
        /// Host and port.
        host: String,
        /// The limit.
        seconds: u64,
    },
    /// The endpoint said no.
    #[error("{host} answered {status}: {detail}")]
    Refused {
        /// Host and port.
        host: String,
        /// HTTP status.
        status: u16,
        /// The problem's detail, or its status in words.
        detail: String,
        /// When it wants to be asked again, where it said so.
        retry_after: Option<Duration>,
        /// The problem document, when it sent one.
        problem: Option<Box<Problem>>,
    },
    /// The answer is not what the contract says.
    #[error("cannot read the answer of {host}: is it an Edge endpoint of this version?")]
    Unreadable {
        /// Host and port.
        host: String,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
}

/// Asks one endpoint.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    host: String,
    token: Option<Token>,
    attempts: u32,
    backoff: Duration,
    time_out: Duration,
}

impl Client {
    /// Builds a client for the endpoint at `url` (the value of `PREDICT_URL`).
    ///
    /// Three attempts, 30 seconds each, with a growing pause between them.
    pub fn new(url: &str, token: Option<Token>) -> Result<Self, ClientError> {
        let base = Url::parse(url.trim_end_matches('/')).map_err(|_| ClientError::Url)?;
        let name = base.host_str().filter(|_| matches!(base.scheme(), "http" | "https"));
        let name = name.ok_or(ClientError::Url)?.to_owned();
        let host = base.port().map_or_else(|| name.clone(), |port| format!("{name}:{port}"));
        let time_out = Duration::from_secs(30);
        let http =
            set_up(&name).build().map_err(|source| ClientError::SetUp { host: host.clone(), source })?;
        Ok(Self { http, base, host, token, attempts: 3, backoff: Duration::from_millis(200), time_out })
    }

    /// Replaces how often a question is put, the first pause (doubled each time), and the time per attempt.
    #[must_use]
    pub fn patience(mut self, attempts: u32, backoff: Duration, time_out: Duration) -> Self {
        (self.attempts, self.backoff, self.time_out) = (attempts.max(1), backoff, time_out);
        self
    }

    /// Trusts, beside the usual authorities, the certificates in `pem`: for an endpoint with one of its own.
    pub fn trusting(mut self, pem: &[u8]) -> Result<Self, ClientError> {
        let host = self.host.clone();
        let unreadable = |source| ClientError::Authority { host: host.clone(), source };
        let authorities = reqwest::Certificate::from_pem_bundle(pem).map_err(unreadable)?;
        let builder = set_up(self.base.host_str().unwrap_or_default());
        let builder = authorities.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate);
        self.http = builder.build().map_err(unreadable)?;
        Ok(self)
    }

    /// Returns host and port, for messages.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Predicts games.
    pub async fn predict(&self, request: &PredictRequest) -> Result<PredictAnswer, ClientError> {
        self.ask(self.http.post(self.at("/v1/predict")).json(request)).await
    }

    /// Predicts games and explains each forecast.
    pub async fn explain(&self, request: &PredictRequest) -> Result<PredictAnswer, ClientError> {
        let question = self.http.post(self.at("/v1/predict")).query(&PredictQuery { explain: true });
        self.ask(question.json(request)).await
    }

    /// Predicts a slate.
    pub async fn slate(&self, query: &SlateQuery) -> Result<PredictAnswer, ClientError> {
        self.ask(self.http.get(self.at("/v1/slate")).query(query)).await
    }

    /// Predicts the games that start within `[from, from + hours)`, with whole distributions.
    pub async fn full_slate(&self, from: Timestamp, hours: u32) -> Result<PredictAnswer, ClientError> {
        self.slate(&SlateQuery { date: None, from: Some(from), hours: Some(hours), full: Some(true) }).await
    }

    /// Describes the model.
    pub async fn model(&self) -> Result<ModelAnswer, ClientError> {
        self.ask(self.http.get(self.at("/v1/model"))).await
    }

    /// Tells whether the endpoint is up.
    pub async fn health(&self) -> Result<Health, ClientError> {
        self.ask(self.http.get(self.at("/healthz"))).await
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base.as_str().trim_end_matches('/'))
    }

    /// Puts the question until it is answered or refused for good; every question is safe to put twice.
    async fn ask<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let mut pause = self.backoff;
        let mut attempt = 1;
        loop {
            // Bodies are held in memory, so a request can always be cloned.
            let Some(request) = request.try_clone() else { return Err(ClientError::Url) };
            match self.ask_once(request).await {
                Ok(response) => {
                    let unreadable = |source: reqwest::Error| ClientError::Unreadable {
                        host: self.host.clone(),
                        source: source.without_url(),
                    };
                    return response.json().await.map_err(unreadable);
                }
                Err(error) if attempt < self.attempts && may_pass(&error) => {
                    tracing::debug!(host = self.host, attempt, %error, "asking again");
                    tokio::time::sleep(
                        wanted_pause(&error).unwrap_or_default().clamp(pause, pause.max(LONGEST_PAUSE)),
                    )
                    .await;
                    (pause, attempt) = (pause * 2, attempt + 1);
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn ask_once(&self, mut request: RequestBuilder) -> Result<Response, ClientError> {
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token.bearer());
        }
        let sent = request.timeout(self.time_out).send().await;
        let response = sent.map_err(|error| {
            let (host, source) = (self.host.clone(), error.without_url());
            if source.is_timeout() && !source.is_connect() {
                ClientError::TimedOut { host, seconds: self.time_out.as_secs() }
            } else {
                ClientError::Unreachable { host, source }
            }
        })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let retry_after = seconds.map(Duration::from_secs);
        let problem: Option<Box<Problem>> = response.json().await.ok();
        let words = || status.canonical_reason().unwrap_or("no reason given").to_owned();
        let detail = problem.as_ref().map_or_else(words, |problem| problem.detail.clone());
        let (host, status) = (self.host.clone(), status.as_u16());
        Err(ClientError::Refused { host, status, detail, retry_after, problem })
    }
}

fn set_up(name: &str) -> reqwest::ClientBuilder {
    let limits = reqwest::Client::builder().connect_timeout(Duration::from_secs(5));
    let builder = limits.timeout(Duration::from_secs(30));
    // A proxy could not reach this machine's own loopback.
    if is_loopback(name) { builder.no_proxy() } else { builder }
}

/// The address may hold a password, so only the host is shown.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("host", &self.host).finish_non_exhaustive()
    }
}

/// Longest pause that an endpoint is granted before it is asked again.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

fn wanted_pause(error: &ClientError) -> Option<Duration> {
    match error {
        ClientError::Refused { retry_after, .. } => *retry_after,
        _ => None,
    }
}

/// Tells whether asking again may help.
fn may_pass(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } => true,
        ClientError::Refused { status, .. } => *status == 429 || *status >= 500,
        _ => false,
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
