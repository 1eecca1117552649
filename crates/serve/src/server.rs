//! Listening and stopping.
//!
//! # Example
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use serve::{App, ServeError, Serving, Settings, listen, run};
//! let settings = Settings { listen: "127.0.0.1:0".parse().unwrap(), ..Settings::default() };
//! let listener = listen(&settings).await.unwrap();
//! let taken = Settings { listen: listener.local_addr().unwrap(), ..settings.clone() };
//! assert!(matches!(listen(&taken).await, Err(ServeError::PortInUse { .. })));
//! let app = App::new(Serving::empty("no model yet"), settings, || "2024-05-01T00:00:00Z".parse().unwrap());
//! run(listener, app, std::future::ready(())).await.unwrap(); // asked to stop at once
//! # });
//! ```

use std::{future::Future, io, net::SocketAddr};

use axum::Router;
use tokio::net::TcpListener;

use crate::{App, Settings, router};

/// Why the endpoint does not listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Another process has the port.
    #[error(
        "cannot listen on {address}: the port is in use; stop the other process or choose another with `--listen`"
    )]
    PortInUse {
        /// Where.
        address: SocketAddr,
    },
    /// Everybody could ask.
    #[error("refusing to listen on {address} without a token: set EDGE_SERVE_TOKEN, or listen on 127.0.0.1")]
    PublicWithoutToken {
        /// Where.
        address: SocketAddr,
    },
    /// The system refused the address.
    #[error("cannot listen on {address}: choose another address with `--listen`")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// The listener broke while serving.
    #[error("the endpoint stopped unexpectedly")]
    Stopped(#[source] io::Error),
}

/// Opens the port, after checking that nobody unknown could ask.
pub async fn listen(settings: &Settings) -> Result<TcpListener, ServeError> {
    let address = settings.listen;
    if settings.token.is_none() && !address.ip().to_canonical().is_loopback() {
        return Err(ServeError::PublicWithoutToken { address });
    }
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::PortInUse { address },
        _ => ServeError::Listen { address, source },
    })
}

/// Serves until `stop` resolves, then lets requests that have begun end (each within its time limit).
pub async fn run(
    listener: TcpListener,
    app: App,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    run_router(listener, router(app), stop).await
}

/// Serves what [`router_with`](crate::router_with) built; see [`run`].
pub async fn run_router(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    axum::serve(listener, router).with_graceful_shutdown(stop).await.map_err(ServeError::Stopped)
}
