//! One connection, from its first byte to its end.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use axum::extract::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
};
use tower::Service as _;

use crate::{connections::Shared, guard::Peer};

/// How long a connection that is being closed may be silent before it is cut.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// What the endpoint is doing, told to every connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Answering.
    Open,
    /// Ending what has begun.
    Stopping,
    /// Ending at once.
    Cut,
}

/// Requests of one connection.
#[derive(Debug, Default)]
struct Activity {
    begun: AtomicUsize,
    ended: AtomicUsize,
}

/// One request that has begun; it ends with this value, answered or given up.
struct Begun(Arc<Activity>);

impl Activity {
    fn begin(self: &Arc<Self>) -> Begun {
        self.begun.fetch_add(1, Relaxed);
        Begun(self.clone())
    }

    fn is_busy(&self) -> bool {
        self.begun.load(Relaxed) != self.ended.load(Relaxed)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Relaxed);
    }
}

/// Answers requests until the other end has enough, is silent for too long, or the endpoint stops.
///
/// Silence is: no request in work and none begun since the last look. An answer that nobody takes is silence too.
pub(crate) async fn hold<I>(shared: &Shared, io: I, peer: Peer, mut phase: watch::Receiver<Phase>)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = Arc::new(Activity::default());
    let answer = service_fn(|mut request: Request<Incoming>| {
        let begun = activity.begin();
        request.extensions_mut().insert(peer);
        let answered = shared.router.clone().call(request);
        async move {
            let answered = answered.await;
            drop(begun);
            answered
        }
    });
    let mut talk = pin!(shared.protocol.serve_connection(TokioIo::new(io), answer));
    let mut look = pin!(tokio::time::sleep(shared.limits.head_time_out));
    let (mut seen, mut is_closing) = (0, false);
    loop {
        tokio::select! {
            ended = talk.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error, "a connection ended early");
                }
                return;
            }
            told = phase.changed() => {
                let now = *phase.borrow_and_update();
                if told.is_err() || now == Phase::Cut {
                    return;
                }
                talk.as_mut().graceful_shutdown();
                (seen, is_closing) = (activity.begun.load(Relaxed), true);
                look.as_mut().reset(tokio::time::Instant::now() + LAST_WORDS);
            }
            () = look.as_mut() => {
                let begun = activity.begun.load(Relaxed);
                let is_silent = begun == seen && !activity.is_busy();
                if is_silent && (is_closing || begun == 0) {
                    return;
                }
                if is_silent {
                    talk.as_mut().graceful_shutdown();
                    is_closing = true;
                }
                seen = begun;
                let pause = if is_closing { LAST_WORDS } else { shared.limits.idle_time_out };
                look.as_mut().reset(tokio::time::Instant::now() + pause);
            }
        }
    }
}
