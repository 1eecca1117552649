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
use tokio::net::{TcpListener, TcpSocket};

use crate::{
    App, Connections, Settings, connections, router,
    tls::{CertificateError, Tls},
};

/// Connections that the system keeps until they are accepted; it may allow fewer.
const BACKLOG: u32 = 4096;

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
    /// The certificate cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The listener broke while serving.
    #[error("the endpoint stopped unexpectedly")]
    Stopped(#[source] io::Error),
}

/// An open port with what belongs to it: certificate and limits of connections.
#[derive(Debug)]
pub struct Listener {
    pub(crate) tcp: TcpListener,
    pub(crate) tls: Option<Tls>,
    pub(crate) connections: Connections,
}

impl Listener {
    /// Opens the port, after checking that nobody unknown could ask and that the certificate can be used.
    pub async fn open(settings: &Settings) -> Result<Self, ServeError> {
        let address = settings.listen;
        if settings.keyring().is_empty() && !address.ip().to_canonical().is_loopback() {
            return Err(ServeError::PublicWithoutToken { address });
        }
        let files = settings.certificate.clone();
        let load = tokio::task::spawn_blocking(move || files.map(Tls::load).transpose());
        let tls = load.await.map_err(|error| ServeError::Stopped(error.into()))??;
        let tcp = bind(address).map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => ServeError::PortInUse { address },
            _ => ServeError::Listen { address, source },
        })?;
        Ok(Self { tcp, tls, connections: settings.connections })
    }

    /// Returns the address, with the port that the system chose where none was named.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Returns `https` with a certificate, else `http`.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Opens the port; see [`Listener::open`].
pub async fn listen(settings: &Settings) -> Result<Listener, ServeError> {
    Listener::open(settings).await
}

/// Serves until `stop` resolves, then lets requests that have begun end, within
/// [`stop_within`](Connections::stop_within).
pub async fn run(
    listener: Listener,
    app: App,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    run_router(listener, router(app), stop).await
}

/// Serves what [`router_with`](crate::router_with) built; see [`run`].
pub async fn run_router(
    listener: Listener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    connections::serve(listener, router, stop).await;
    Ok(())
}
