//! Requests over HTTP: patient with a server that is busy, brief with one that says no.
//!
//! A request has a time limit for connecting, one for silence, and one for everything together. What may pass (a broken
//! connection, a cut body, 408, 425, 429, 5xx) is tried again after a growing, jittered wait; `Retry-After` is
//! obeyed as far as the whole limit allows. What will not pass (other codes, a redirect loop, a body that is too large)
//! is not. Requests to one host keep their distance, whatever part of this process makes them. What was had before is
//! asked for on condition (`ETag`, `Last-Modified`), so that an unchanged answer costs no bytes.

use std::{error::Error, num::NonZeroU32, sync::LazyLock, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use market::Timestamp;
use reqwest::{
    Client, Response, StatusCode, Url,
    header::{ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER},
};
use serde::{Deserialize, Serialize};

/// How patient a pull is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For a connection to stand.
    pub(crate) connect: Duration,
    /// Between two pieces of an answer.
    pub(crate) silence: Duration,
    /// For all attempts and the waits between them.
    pub(crate) whole: Duration,
    /// Attempts in all.
    pub(crate) attempts: usize,
    /// Before the second attempt; doubled before each further one, plus a random part.
    pub(crate) first_wait: Duration,
    /// Bytes of an answer, unpacked.
    pub(crate) max_bytes: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            silence: Duration::from_secs(30),
            whole: Duration::from_mins(5),
            attempts: 5,
            first_wait: Duration::from_secs(1),
            max_bytes: crate::location::MAX_PAYLOAD_BYTES,
        }
    }
}

/// What tells one version of an answer from another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Validators {
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
}

/// What a server sent.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The whole body.
    Body { bytes: Vec<u8>, validators: Validators, allowance: Allowance },
    /// What was had before still holds.
    Unchanged { allowance: Allowance },
}

/// Requests that a metered server says are used up and left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) remaining: Option<u64>,
}

/// Why a request gave nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("the server answered {status}")]
    Status {
        status: StatusCode,
        /// How long the server asks to be left alone.
        retry_after: Option<Duration>,
    },
    #[error("the answer is larger than {} MiB", max_bytes / (1024 * 1024))]
    TooLarge { max_bytes: u64 },
    #[error("the server sends its caller round in circles")]
    RedirectLoop,
    #[error("no whole answer came within {} s", limit.as_secs())]
    OutOfTime { limit: Duration },
    #[error("{what}")]
    Transfer {
        what: &'static str,
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
}

impl HttpError {
    /// Tells whether a later attempt may succeed.
    fn may_pass(&self) -> bool {
        match self {
            Self::Status { status, .. } => {
                status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
            }
            Self::Transfer { .. } => true,
            Self::TooLarge { .. } | Self::RedirectLoop | Self::OutOfTime { .. } => false,
        }
    }

    /// Returns what another library reported.
    pub(crate) fn cause(self) -> Option<Box<dyn Error + Send + Sync>> {
        match self {
            Self::Transfer { cause, .. } => Some(cause),
            _ => None,
        }
    }

    /// Says what to do.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Status { status, .. } => match status.as_u16() {
                401 | 403 => "check the key and its rights",
                429 => "the allowance is spent: wait, or pull less often",
                500.. => "try again later",
                _ => "check the address",
            },
            Self::TooLarge { .. } => "split the input into seasons",
            Self::RedirectLoop => "check the address",
            Self::OutOfTime { .. } | Self::Transfer { .. } => {
                "check the address and the network, then run again"
            }
        }
    }
}

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_redirect() {
            return Self::RedirectLoop;
        }
        let what = if error.is_connect() {
            "no connection came about"
        } else if error.is_timeout() {
            "the server fell silent"
        } else {
            "the answer broke off"
        };
        // The address may hold a key.
        Self::Transfer { what, cause: Box::new(error.without_url()) }
    }
}

/// Requests to one host.
const PER_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(3);

/// One allowance per host for the whole process.
static DISTANCE: LazyLock<DefaultKeyedRateLimiter<String>> =
    LazyLock::new(|| RateLimiter::keyed(Quota::per_second(PER_SECOND)));

/// Asks for the whole body of `url`, on condition that it is another than the one `had` before.
pub(crate) async fn get(
    url: &Url,
    had: Option<&Validators>,
    patience: &Patience,
) -> Result<Answer, HttpError> {
    let client = Client::builder()
        .connect_timeout(patience.connect)
        .read_timeout(patience.silence)
        .user_agent(concat!("edge/", env!("CARGO_PKG_VERSION")))
        .build()?;
    let waits = ExponentialBuilder::default()
        .with_min_delay(patience.first_wait)
        .with_max_delay(patience.whole)
        .with_max_times(patience.attempts.saturating_sub(1))
        .with_jitter();
    let attempts = (|| attempt(&client, url, had, patience.max_bytes))
        .retry(waits)
        .when(HttpError::may_pass)
        .adjust(|error, wait| wait.map(|wait| asked_wait(error).map_or(wait, |asked| asked.max(wait))))
        .notify(|error, wait| tracing::info!(host = url.host_str(), %error, ?wait, "pulling again"));
    match tokio::time::timeout(patience.whole, attempts).await {
        Ok(pulled) => pulled,
        Err(_) => Err(HttpError::OutOfTime { limit: patience.whole }),
    }
}

fn asked_wait(error: &HttpError) -> Option<Duration> {
    match error {
        HttpError::Status { retry_after, .. } => *retry_after,
        _ => None,
    }
}

async fn attempt(
    client: &Client,
    url: &Url,
    had: Option<&Validators>,
    max_bytes: u64,
) -> Result<Answer, HttpError> {
    if let Some(host) = url.host_str() {
        DISTANCE.until_key_ready(&host.to_owned()).await;
    }
    let mut request = client.get(url.clone());
    if let Some(Validators { etag, last_modified }) = had {
        let conditions = [(IF_NONE_MATCH, etag), (IF_MODIFIED_SINCE, last_modified)];
        for (header, value) in
            conditions.into_iter().filter_map(|(header, value)| Some((header, value.as_ref()?)))
        {
            request = request.header(header, value);
        }
    }
    let mut response = request.send().await?;
    let status = response.status();
    let headers = response.headers();
    let allowance = Allowance { remaining: number(headers, "x-requests-remaining") };
    if status == StatusCode::NOT_MODIFIED && had.is_some() {
        return Ok(Answer::Unchanged { allowance });
    }
    if !status.is_success() {
        return Err(HttpError::Status { status, retry_after: retry_after(&response) });
    }
    let validators = Validators { etag: text(headers, &ETAG), last_modified: text(headers, &LAST_MODIFIED) };
    if response.content_length().is_some_and(|length| length > max_bytes) {
        return Err(HttpError::TooLarge { max_bytes });
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() as u64 + chunk.len() as u64 > max_bytes {
            return Err(HttpError::TooLarge { max_bytes });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Answer::Body { bytes, validators, allowance })
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn number(headers: &HeaderMap, name: &'static str) -> Option<u64> {
    // Some servers write it with decimals.
    let number: f64 = text(headers, &HeaderName::from_static(name))?.trim().parse().ok()?;
    number.is_finite().then_some(number.max(0.0) as u64)
}

/// Reads `Retry-After`: seconds, or an instant.
fn retry_after(response: &Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    // The server's clock may lag behind ours: then it is now.
    Some(at.duration_since(now()).try_into().unwrap_or_default())
}

/// Returns the instant at which an answer came.
#[expect(
    clippy::disallowed_methods,
    reason = "when bytes came is what the clock says, whatever night they are for"
)]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
pub(crate) mod tests;
