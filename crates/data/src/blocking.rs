//! A private runtime, so that nothing outside of this crate's insides is asynchronous.

use std::{future::Future, io, time::Duration};

use tokio::runtime::{Builder, Handle, Runtime};

/// Runs futures to their end on the calling thread, or on a fresh one when the caller is itself asynchronous.
#[derive(Debug)]
pub(crate) struct Blocking(Option<Runtime>);

impl Blocking {
    pub(crate) fn new() -> io::Result<Self> {
        Builder::new_current_thread().enable_all().build().map(|runtime| Self(Some(runtime)))
    }

    pub(crate) fn run<T: Send>(&self, future: impl Future<Output = T> + Send) -> io::Result<T> {
        let runtime = self.0.as_ref().ok_or_else(|| io::Error::other("the private runtime is gone"))?;
        if Handle::try_current().is_err() {
            return Ok(runtime.block_on(future));
        }
        std::thread::scope(|scope| scope.spawn(|| runtime.block_on(future)).join())
            .map_err(|_| io::Error::other("the private runtime panicked"))
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        // Dropping a runtime waits for its threads, which is forbidden within another runtime.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_timeout(Duration::ZERO);
        }
    }
}
