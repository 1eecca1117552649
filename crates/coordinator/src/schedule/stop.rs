//! How a schedule and its jobs are asked to stop: gently, then at once.

use std::{io, sync::Arc};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    None,
    Gently,
    AtOnce,
}

/// A wish to stop, shared by all who have a copy: the first one is gentle, the second one is not.
///
/// # Example
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let stop = coordinator::Stop::new();
/// assert!(!stop.is_asked());
/// stop.ask();
/// stop.asked().await;
/// stop.ask();
/// stop.asked_at_once().await;
/// # });
/// ```
#[derive(Debug, Clone)]
pub struct Stop(Arc<watch::Sender<Urgency>>);

impl Stop {
    /// Builds a wish that nobody has yet.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Urgency::None)))
    }

    /// Asks to stop gently; when that was asked before, at once.
    pub fn ask(&self) {
        self.0.send_modify(|urgency| {
            *urgency = if *urgency == Urgency::None { Urgency::Gently } else { Urgency::AtOnce };
        });
    }

    /// Tells whether anybody asked.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow() > Urgency::None
    }

    /// Resolves once somebody asked.
    pub async fn asked(&self) {
        self.reached(Urgency::Gently).await;
    }

    /// Resolves once somebody asked twice.
    pub async fn asked_at_once(&self) {
        self.reached(Urgency::AtOnce).await;
    }

    async fn reached(&self, urgency: Urgency) {
        // The sender lives as long as this copy, so waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|now| *now >= urgency).await;
    }

    /// Asks at each ctrl-c and SIGTERM that the process gets from now on, while the runtime lives.
    ///
    /// # Errors
    /// When the system refuses a signal handler.
    pub fn ask_on_signals(&self) -> io::Result<()> {
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let stop = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    Some(()) = terminate.recv() => stop.ask(),
                    Some(()) = interrupt.recv() => stop.ask(),
                    else => break,
                }
            }
        });
        Ok(())
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

/// Resolves when the process is asked to end: ctrl-c or SIGTERM.
///
/// # Errors
/// When the system refuses a signal handler.
pub async fn until_asked_to_stop() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminate.recv() => Ok(()),
    }
}
