//! Open connections: how many, how long they may be silent, and how they end.
//!
//! # Example
//! ```
//! use std::time::Duration;
//! use serve::Connections;
//! let small = Connections { most: 64, ..Connections::default() };
//! assert_eq!(small.head_time_out, Duration::from_secs(10), "the first request must be there by then");
//! ```

use std::{
    io::{self, Write as _},
    net::{Shutdown, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
};

use crate::{
    conversation::{self, Phase},
    descriptors,
    guard::Peer,
    server::Listener,
    tls::Tls,
};

/// How often the certificate's files are looked at.
const CERTIFICATE_EVERY: Duration = Duration::from_secs(30);

/// How long nothing is accepted after the system had no more descriptors.
const BREATH: Duration = Duration::from_millis(50);

/// How long cut connections may take to go away.
const CUT_WITHIN: Duration = Duration::from_secs(5);

/// What a connection is told that finds no room.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
content-length: 156\r\nretry-after: 1\r\nconnection: close\r\n\r\n\
{\"type\":\"urn:edge:problem:too-many-connections\",\"title\":\"There are too many connections\",\"status\":503,\
\"detail\":\"come back in a second\",\"schema_version\":\"1\"}";

/// Limits of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connections {
    /// Most at once; fewer where the system allows fewer open files. One more is told 503, or closed under TLS.
    pub most: usize,
    /// Longest time from the opening of a connection to its first whole request head.
    pub head_time_out: Duration,
    /// A connection without a new request for as long is closed, at the latest after twice the time.
    pub idle_time_out: Duration,
    /// Longest time that requests which have begun may take once the endpoint is asked to stop.
    pub stop_within: Duration,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            most: 4096,
            head_time_out: Duration::from_secs(10),
            idle_time_out: Duration::from_mins(1),
            stop_within: Duration::from_secs(30),
        }
    }
}

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) router: Router,
    pub(crate) protocol: Builder<TokioExecutor>,
    pub(crate) limits: Connections,
    pub(crate) tls: Option<Tls>,
}

/// Accepts connections until `stop` resolves, lets what has begun end, and cuts the rest at the deadline.
pub(crate) async fn serve(listener: Listener, router: Router, stop: impl Future<Output = ()>) {
    let Listener { tcp, tls, connections: limits } = listener;
    let most = u32::try_from(descriptors::room_for(limits.most.max(1))).unwrap_or(u32::MAX);
    let slots = Arc::new(Semaphore::new(most as usize));
    let (phase, watched) = watch::channel(Phase::Open);
    let shared = Arc::new(Shared { router, protocol: protocol(), limits, tls });
    let accepting = accept_all(&tcp, &shared, &slots, &watched);
    tokio::select! {
        () = stop => {}
        () = accepting => {}
        () = renew_certificate(&shared) => {}
    }
    drop(tcp);
    phase.send_replace(Phase::Stopping);
    if tokio::time::timeout(limits.stop_within, slots.acquire_many(most)).await.is_err() {
        let left = most as usize - slots.available_permits();
        tracing::warn!(left, within_s = limits.stop_within.as_secs(), "connections that did not end are cut");
        phase.send_replace(Phase::Cut);
        // A task that does not look up by then is left to the runtime.
        let _ = tokio::time::timeout(CUT_WITHIN, slots.acquire_many(most)).await;
    }
}

/// HTTP/1.1 and HTTP/2; silence is watched per connection, so the protocols' own clocks are off.
fn protocol() -> Builder<TokioExecutor> {
    let mut protocol = Builder::new(TokioExecutor::new());
    protocol.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(64 * 1024);
    protocol
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(128)
        .max_header_list_size(16 * 1024)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    protocol
}

async fn accept_all(
    tcp: &TcpListener,
    shared: &Arc<Shared>,
    slots: &Arc<Semaphore>,
    phase: &watch::Receiver<Phase>,
) {
    loop {
        let (stream, address) = accept(tcp).await;
        let Ok(slot) = slots.clone().try_acquire_owned() else {
            turn_away(stream, shared.tls.is_some());
            continue;
        };
        tokio::spawn(begin(shared.clone(), stream, address, phase.clone(), slot));
    }
}

/// Waits for the next connection; without descriptors it waits for some to come free rather than spin or end.
async fn accept(tcp: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut is_said = false;
    loop {
        match tcp.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_gone(&error) => {}
            Err(error) => {
                if !std::mem::replace(&mut is_said, true) {
                    tracing::warn!(%error, "no connection can be accepted; trying again");
                }
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

/// The other end went away before it was accepted.
fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Says that there is no room, as far as that is possible without waiting.
fn turn_away(stream: TcpStream, is_tls: bool) {
    let Ok(mut stream) = stream.into_std() else { return };
    if !is_tls && stream.write_all(FULL).is_ok() {
        let _ = stream.shutdown(Shutdown::Write);
    }
}

async fn begin(
    shared: Arc<Shared>,
    stream: TcpStream,
    address: SocketAddr,
    phase: watch::Receiver<Phase>,
    _slot: OwnedSemaphorePermit,
) {
    // An answer is one write; it must not wait for the acknowledgement of another.
    let _ = stream.set_nodelay(true);
    let peer = Peer { address, is_tls: shared.tls.is_some() };
    let Some(tls) = &shared.tls else { return conversation::hold(&shared, stream, peer, phase).await };
    let mut stopping = phase.clone();
    let agreed = tokio::select! {
        agreed = tokio::time::timeout(shared.limits.head_time_out, tls.acceptor().accept(stream)) => agreed,
        _ = stopping.changed() => return,
    };
    match agreed {
        Ok(Ok(stream)) => conversation::hold(&shared, stream, peer, phase).await,
        Ok(Err(error)) => tracing::debug!(%error, "a connection did not agree on TLS"),
        Err(_) => tracing::debug!("a connection took too long to agree on TLS"),
    }
}

async fn renew_certificate(shared: &Arc<Shared>) {
    if shared.tls.is_none() {
        return std::future::pending().await;
    }
    loop {
        tokio::time::sleep(CERTIFICATE_EVERY).await;
        let holder = shared.clone();
        let read = tokio::task::spawn_blocking(move || holder.tls.as_ref().map(Tls::refresh));
        match read.await {
            Ok(Some(Ok(true))) => tracing::info!("the changed certificate is used from now on"),
            Ok(Some(Err(error))) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "the changed certificate cannot be used; the old one stays");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_is_one_whole_answer() {
        let text = std::str::from_utf8(FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
        let problem: crate::Problem = serde_json::from_str(body).unwrap();
        assert_eq!((problem.status, problem.schema_version.as_str()), (503, crate::SCHEMA_VERSION));
    }
}
