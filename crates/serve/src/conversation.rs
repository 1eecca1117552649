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
    let mut silence = Silence::default();
    loop {
        let is_last_call = tokio::select! {
            biased;
            ended = talk.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error, "a connection ended early");
                }
                return;
            }
            told = phase.changed() => {
                if told.is_err() || *phase.borrow_and_update() == Phase::Cut {
                    return;
                }
                silence.seen = activity.begun.load(Relaxed);
                true
            }
            () = look.as_mut() => match silence.judge(&activity) {
                Verdict::Cut => return,
                Verdict::Close => true,
                Verdict::Wait => false,
            },
        };
        if is_last_call {
            talk.as_mut().graceful_shutdown();
            silence.is_closing = true;
        }
        let pause = if silence.is_closing { LAST_WORDS } else { shared.limits.idle_time_out };
        look.as_mut().reset(tokio::time::Instant::now() + pause);
    }
}

/// What was seen of a connection at the last look.
#[derive(Debug, Default)]
struct Silence {
    seen: usize,
    is_closing: bool,
}

/// What is to become of a connection.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Wait,
    Close,
    Cut,
}

impl Silence {
    fn judge(&mut self, activity: &Activity) -> Verdict {
        let begun = activity.begun.load(Relaxed);
        if std::mem::replace(&mut self.seen, begun) != begun || activity.is_busy() {
            return Verdict::Wait;
        }
        if self.is_closing || begun == 0 { Verdict::Cut } else { Verdict::Close }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_silence_ends_a_connection() {
        let (activity, mut silence) = (Arc::new(Activity::default()), Silence::default());
        let first = activity.begin();
        assert_eq!(silence.judge(&activity), Verdict::Wait, "begun since the last look");
        assert_eq!(silence.judge(&activity), Verdict::Wait, "still in work");
        drop(first);
        assert_eq!(silence.judge(&activity), Verdict::Close);
        silence.is_closing = true;
        assert_eq!(silence.judge(&activity), Verdict::Cut);
        let unused = Activity::default();
        assert_eq!(
            Silence::default().judge(&unused),
            Verdict::Cut,
            "no request in all the time for the first"
        );
    }
}
