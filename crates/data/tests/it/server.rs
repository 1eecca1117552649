//! A server on loopback that answers as a test tells it, and remembers what it was asked.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{Arc, Mutex},
};

pub(crate) struct Server {
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

/// An answer: status line, headers, body.
pub(crate) type Answer = (&'static str, String, String);

impl Server {
    /// Answers each request, given whole, for as long as the test runs.
    pub(crate) fn answering(answer: impl Fn(&str) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection = connection.unwrap();
                let mut request = [0; 8192];
                let length = connection.read(&mut request).unwrap_or(0);
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                noted.lock().unwrap().push(request.clone());
                let (status, headers, body) = answer(&request);
                let length = if status.starts_with("304") {
                    String::new()
                } else {
                    format!("content-length: {}\r\n", body.len())
                };
                let whole = format!("HTTP/1.1 {status}\r\nconnection: close\r\n{length}{headers}\r\n{body}");
                let _ = connection.write_all(whole.as_bytes());
            }
        });
        Self { address, asked }
    }

    /// What was asked so far, first lines only.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .map(|request| request.lines().next().unwrap_or_default().to_owned())
            .collect()
    }
}
