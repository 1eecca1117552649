//! How a night is stopped: at ctrl-c or SIGTERM nothing new begins, and it ends when the tasks at work have ended.

use coordinator::{CancelFlag, Stop};
use tokio::runtime::{Builder, Runtime};

use crate::context::say;

/// Listens to signals for as long as it lives.
#[derive(Debug)]
pub(crate) struct Listening {
    _runtime: Runtime,
}

/// Raises `flag` at the first signal, and ends the process at the second: a night that is cut short goes on all the same.
pub(crate) fn park_on_signals(flag: CancelFlag, what: &'static str) -> Option<Listening> {
    let listen = || -> std::io::Result<Listening> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let stop = Stop::new();
        runtime.block_on(async { stop.ask_on_signals() })?;
        runtime.spawn(async move {
            stop.asked().await;
            say(&format!("edge: stopping {what}; once more stops at once"));
            flag.raise();
            stop.asked_at_once().await;
            end_now();
        });
        Ok(Listening { _runtime: runtime })
    };
    let listening = listen();
    if let Err(error) = &listening {
        tracing::warn!(%error, "cannot listen for signals: a stopped night dies, and goes on when it is run again");
    }
    listening.ok()
}

#[expect(clippy::exit, reason = "somebody asked twice, and the tasks at work cannot be asked")]
fn end_now() {
    std::process::exit(130);
}
