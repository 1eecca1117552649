//! A running `edge serve`, and what it answers.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::edge::Edge;

/// A running `edge serve`; killed with this value.
pub(crate) struct Serving {
    process: Child,
    pub(crate) address: String,
}

impl Serving {
    pub(crate) fn start(edge: &Edge, token: Option<&str>) -> Self {
        Self::start_with(edge, |command| {
            if let Some(token) = token {
                command.env("EDGE_SERVE_TOKEN", token);
            }
        })
    }

    /// Starts it with more of an environment.
    pub(crate) fn start_with(edge: &Edge, prepare: impl FnOnce(&mut Command)) -> Self {
        let mut command = edge.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        prepare(&mut command);
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("serving on http://")).unwrap();
        let address = line.split("http://").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        // What else it says must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address }
    }

    /// The whole answer, head and body.
    pub(crate) fn get(&self, path: &str, header: &str) -> String {
        self.ask(&format!("GET {path}"), header, "")
    }

    /// The status and the JSON of an answer.
    pub(crate) fn json(&self, request: &str, body: &str) -> (u16, Value) {
        let header = "content-type: application/json\r\n";
        let answer = self.ask(request, header, body);
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        (status, serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}")))
    }

    /// Asks until the answer has this status; returns it.
    pub(crate) fn until(&self, status: u16, request: &str) -> Value {
        let began = Instant::now();
        loop {
            let (had, answer) = self.json(request, "");
            if had == status {
                return answer;
            }
            assert!(began.elapsed() < Duration::from_mins(2), "{request} stays at {had}: {answer}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn ask(&self, request: &str, header: &str, body: &str) -> String {
        let (address, length) = (&self.address, body.len());
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "{request} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{header}\r\n{body}"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
