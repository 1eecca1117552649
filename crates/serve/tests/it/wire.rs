//! A server on loopback and what is said to it byte by byte.

use std::{net::SocketAddr, time::Duration};

use axum::Router;
use serve::{App, Listener, ServeError, Serving, Settings, router_with};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};

/// Longer than any machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A running endpoint.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), ServeError>>,
}

impl Running {
    /// Starts an endpoint on a free port, with routes of its own beside the usual ones.
    pub(crate) async fn start(serving: Serving, settings: Settings, routes: Router) -> Self {
        let settings = Settings { listen: "127.0.0.1:0".parse().unwrap(), ..settings };
        let listener = Listener::open(&settings).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = router_with(App::new(serving, settings, crate::as_of), routes);
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move { stopped.await.unwrap_or(()) };
        let server = tokio::spawn(serve::run_router(listener, router, stopped));
        Self { address, stop, server }
    }

    /// Asks it to stop and waits until it has.
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(PATIENCE, self.server).await.unwrap().unwrap().unwrap();
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes on a connection of their own and returns all that is answered until the server closes it.
    pub(crate) async fn say(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        // A server that has read enough may close while more is being sent.
        let _ = stream.write_all(bytes).await;
        rest(&mut stream).await
    }

    /// Asks a path, with further header lines, each with its line end.
    pub(crate) async fn get(&self, path: &str, headers: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n");
        self.say(request.as_bytes()).await
    }
}

/// Reads until the other end closes, however it does.
pub(crate) async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = async { while let Ok(1..) = stream.read_buf(&mut answer).await {} };
    tokio::time::timeout(PATIENCE, read).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads one answer with a length, and leaves the connection open.
pub(crate) async fn one_answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = async {
        loop {
            let text = String::from_utf8_lossy(&answer);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let head = head.to_ascii_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if body.len() >= length.unwrap().parse::<usize>().unwrap() {
                    return text.into_owned();
                }
            }
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "closed early");
        }
    };
    tokio::time::timeout(PATIENCE, read).await.unwrap()
}

/// Returns the status of an answer; 0 where there was none.
pub(crate) fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}
