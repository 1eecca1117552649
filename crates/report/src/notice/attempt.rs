//! Requests over HTTP: patient with a server that is busy, brief with one that says no.
//!
//! What may pass (no connection, silence, 429, 5xx, a 403 that says when to come back) is tried again after a growing
//! wait, or the one that `Retry-After` asks for. Any other answer is final, a redirect included: a secret is for one
//! address alone.

use std::{cell::Cell, time::Duration};

use backon::{ExponentialBuilder, Retryable};
use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{
    Client, RequestBuilder, Response, StatusCode,
    header::{DATE, HeaderMap, HeaderName, RETRY_AFTER},
    redirect,
};

use super::{
    NoticeError,
    address::{Address, Secret, presentable},
};
use crate::smtp::Retry;

/// Longest wait between two attempts; a server that asks for more is left to the next run.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Bytes of an answer that are read: a hundred of the longest issues, and then some.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Why an attempt came to nothing.
#[derive(Debug)]
pub(super) enum Miss {
    /// The server answered, and not with success.
    Status { status: StatusCode, reply: String, come_back: Option<Duration> },
    /// No whole answer came.
    Broken(&'static str),
    /// An answer that GitHub would not give.
    NotGitHub,
    /// The request could not be written.
    Unsendable(Box<dyn std::error::Error + Send + Sync>),
}

impl Miss {
    fn may_pass(&self) -> bool {
        match self {
            Self::Status { status, come_back, .. } => {
                let busy = status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS;
                busy || (*status == StatusCode::FORBIDDEN && come_back.is_some())
            }
            Self::Broken(_) => true,
            Self::NotGitHub | Self::Unsendable(_) => false,
        }
    }

    /// Returns the wait before the next attempt; none when it would be too long.
    fn wait(&self, planned: Option<Duration>) -> Option<Duration> {
        match self {
            Self::Status { come_back: Some(asked), .. } if *asked > LONGEST_WAIT => None,
            Self::Status { come_back: Some(asked), .. } => planned.map(|planned| planned.max(*asked)),
            _ => planned,
        }
    }

    fn into_error(self, channel: &str, host: &str, attempts: u32) -> NoticeError {
        let may_pass = self.may_pass();
        let (channel, host) = (channel.to_owned(), host.to_owned());
        match self {
            Self::Status { status, reply, come_back } if may_pass => {
                let when = come_back.map(|wait| format!(" and asks to come back in {} s", wait.as_secs()));
                let reason = format!("it answered {}{}: {reply}", status.as_u16(), when.unwrap_or_default());
                NoticeError::PutOff { channel, host, attempts, reason }
            }
            Self::Status { status, reply, .. } => {
                NoticeError::Refused { channel, host, status: status.as_u16(), reply }
            }
            Self::Broken(reason) => {
                NoticeError::PutOff { channel, host, attempts, reason: reason.to_owned() }
            }
            Self::NotGitHub => NoticeError::NotGitHub { host },
            Self::Unsendable(source) => NoticeError::SetUp { channel, source },
        }
    }
}

impl From<reqwest::Error> for Miss {
    fn from(error: reqwest::Error) -> Self {
        if error.is_builder() {
            return Self::Unsendable(Box::new(error.without_url()));
        }
        // Its own words may hold the address, so they are left out.
        Self::Broken(if error.is_connect() {
            "no connection came about"
        } else if error.is_timeout() {
            "it fell silent"
        } else {
            "the answer broke off"
        })
    }
}

/// Sets up the client for one channel.
pub(super) fn client(address: &Address, retry: &Retry) -> Result<Client, reqwest::Error> {
    let mut builder = Client::builder()
        .user_agent(concat!("edge/", env!("CARGO_PKG_VERSION")))
        .timeout(retry.timeout)
        .redirect(redirect::Policy::none())
        // Each channel gets a few requests a night; a connection kept since the last one may be dead.
        .pool_max_idle_per_host(0);
    if address.is_loopback() {
        builder = builder.no_proxy(); // a proxy could not reach this machine's own loopback
    }
    builder.build()
}

/// Repeats `attempt` until it succeeds, fails for good or has used up what `retry` grants.
pub(super) async fn persist<T, F: Future<Output = Result<T, Miss>>>(
    (channel, host): (&str, &str),
    retry: &Retry,
    mut attempt: impl FnMut() -> F,
) -> Result<T, NoticeError> {
    let attempts = Cell::new(0);
    let waits = ExponentialBuilder::default()
        .with_min_delay(retry.first_pause)
        .with_max_delay(LONGEST_WAIT)
        .with_max_times(retry.attempts.saturating_sub(1) as usize);
    let counted = || {
        attempts.set(attempts.get() + 1);
        attempt()
    };
    let outcome = counted.retry(waits).when(Miss::may_pass).adjust(Miss::wait).await;
    outcome.map_err(|miss| miss.into_error(channel, host, attempts.get()))
}

/// Sends one request and returns the body of a successful answer.
pub(super) async fn send(
    request: RequestBuilder,
    address: &Address,
    secret: Option<&Secret>,
) -> Result<Vec<u8>, Miss> {
    let response = request.send().await?;
    let (status, come_back) = (response.status(), come_back(response.headers()));
    if status.is_success() {
        return body(response).await;
    }
    // What is said with a refusal is a courtesy; without it the status has to do.
    let said = body(response).await.unwrap_or_default();
    let reply = match presentable(&String::from_utf8_lossy(&said), address, secret) {
        reply if reply.is_empty() => status.canonical_reason().unwrap_or("it gave no reason").to_owned(),
        reply => reply,
    };
    Err(Miss::Status { status, reply, come_back })
}

async fn body(mut response: Response) -> Result<Vec<u8>, Miss> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MOST_BYTES {
            return Err(Miss::Broken("its answer has no end"));
        }
    }
    Ok(bytes)
}

/// Reads `Retry-After`: seconds, or an instant by the clock of the server.
fn come_back(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let asked = text(RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let instant = |text: &str| Some(rfc2822::parse(text).ok()?.timestamp());
    let (then, now): (Timestamp, Timestamp) = (instant(asked)?, instant(text(DATE)?)?);
    Some(then.duration_since(now).try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_when_to_come_back_in_seconds_or_by_its_clock() {
        let read = |pairs: &[(HeaderName, &'static str)]| {
            let headers = pairs.iter().map(|(name, text)| (name.clone(), text.parse().unwrap()));
            come_back(&headers.collect())
        };
        let date = (DATE, "Fri, 20 Nov 2026 09:00:00 GMT");
        assert_eq!(read(&[(RETRY_AFTER, " 7 ")]), Some(Duration::from_secs(7)));
        let later = (RETRY_AFTER, "Fri, 20 Nov 2026 09:00:30 GMT");
        assert_eq!(read(&[later.clone(), date.clone()]), Some(Duration::from_secs(30)));
        assert_eq!(read(&[later]), None, "without a date it cannot be told");
        let earlier = (RETRY_AFTER, "Fri, 20 Nov 2026 08:00:00 GMT");
        assert_eq!(read(&[earlier, date]), Some(Duration::ZERO));
        assert_eq!(read(&[(RETRY_AFTER, "soon")]), None);
    }

    #[test]
    fn a_wait_is_obeyed_as_far_as_it_is_bearable() {
        let busy = |seconds| Miss::Status {
            status: StatusCode::TOO_MANY_REQUESTS,
            reply: String::new(),
            come_back: Some(Duration::from_secs(seconds)),
        };
        let planned = Some(Duration::from_secs(2));
        assert_eq!(busy(30).wait(planned), Some(Duration::from_secs(30)));
        assert_eq!(busy(0).wait(planned), planned);
        assert_eq!(busy(61).wait(planned), None);
        assert_eq!(busy(1).wait(None), None, "attempts are used up");
    }
}
