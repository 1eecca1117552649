//! A server of our own that misbehaves in every way that a socket allows.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use super::*;
use crate::blocking::Blocking;

const BODY: &str = "Div,Date\nE0,2022-10-14\n";

pub(crate) fn whole(status: &str, headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}", body.len())
        .into_bytes()
}

fn good() -> Vec<u8> {
    whole("200 OK", "", BODY)
}

/// What the server does with one connection.
#[derive(Clone)]
pub(crate) enum Act {
    Say(Vec<u8>),
    /// Says the bytes, then holds the line in silence.
    Hang(Vec<u8>),
}

pub(crate) struct Server {
    pub(crate) url: Url,
    asked: Arc<AtomicUsize>,
}

impl Server {
    /// Plays the acts one per connection; the last one again and again.
    pub(crate) fn playing(acts: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/E0.csv?apiKey=secret", listener.local_addr().unwrap()).parse().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let turn = counted.fetch_add(1, Ordering::SeqCst);
                let act = acts[turn.min(acts.len() - 1)].clone();
                thread::spawn(move || play(connection.unwrap(), act));
            }
        });
        Self { url, asked }
    }

    fn saying(answers: Vec<Vec<u8>>) -> Self {
        Self::playing(answers.into_iter().map(Act::Say).collect())
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn play(mut connection: TcpStream, act: Act) {
    let mut request = [0; 4096];
    let _ = connection.read(&mut request);
    match act {
        Act::Say(bytes) => drop(connection.write_all(&bytes)),
        Act::Hang(bytes) => {
            let _ = connection.write_all(&bytes);
            let _ = connection.flush();
            thread::sleep(Duration::from_secs(5));
        }
    }
}

pub(crate) fn brief() -> Patience {
    Patience {
        // Long enough for a busy machine to answer, since only tests of silence wait for it.
        connect: Duration::from_secs(10),
        silence: Duration::from_secs(2),
        whole: Duration::from_mins(1),
        attempts: 3,
        first_wait: Duration::from_millis(10),
        max_bytes: 64 * 1024,
    }
}

fn pulled(server: &Server, patience: &Patience) -> Result<String, HttpError> {
    match Blocking::new().unwrap().run(get(&server.url, None, patience)).unwrap()? {
        Answer::Body { bytes, .. } => Ok(String::from_utf8(bytes).unwrap()),
        Answer::Unchanged { .. } => panic!("nothing was asked on condition"),
    }
}

#[test]
fn what_may_pass_is_tried_again() {
    for first in [
        whole("500 Internal Server Error", "", "oops"),
        whole("502 Bad Gateway", "", "<html>"),
        whole("503 Service Unavailable", "", ""),
        whole("504 Gateway Timeout", "", ""),
        whole("408 Request Timeout", "", ""),
        whole("425 Too Early", "", ""),
        whole("429 Too Many Requests", "", ""),
        b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nDiv,Da".to_vec(),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nDiv,D\r\nzz\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\ncontent-encoding: gzip\r\n\r\nnot gzip!".to_vec(),
        b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(),
        Vec::new(),
    ] {
        let told = String::from_utf8_lossy(&first).into_owned();
        let server = Server::saying(vec![first, good()]);
        assert_eq!(pulled(&server, &brief()).unwrap(), BODY, "{told}");
        assert_eq!(server.asked(), 2, "{told}");
    }
}

#[test]
fn silence_is_cut_short_and_tried_again() {
    let partly = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nDiv".to_vec();
    for silent in [Act::Hang(Vec::new()), Act::Hang(partly)] {
        let server = Server::playing(vec![silent, Act::Say(good())]);
        assert_eq!(pulled(&server, &brief()).unwrap(), BODY);
    }
}

#[test]
fn what_will_not_pass_is_asked_for_once() {
    for (answer, named) in [
        (whole("400 Bad Request", "", ""), "400"),
        (whole("401 Unauthorized", "", ""), "401"),
        (whole("403 Forbidden", "", ""), "403"),
        (whole("404 Not Found", "", ""), "404"),
        (whole("410 Gone", "", ""), "410"),
        (whole("418 I'm a teapot", "", ""), "418"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 900000\r\n\r\nDiv".to_vec(), "larger than"),
        (whole("200 OK", "", &"x".repeat(70_000)), "larger than"),
    ] {
        let server = Server::saying(vec![answer, good()]);
        let error = pulled(&server, &brief()).unwrap_err();
        assert!(error.to_string().contains(named), "{error}");
        assert_eq!(server.asked(), 1, "{named}");
    }
}

#[test]
fn a_body_without_a_length_is_cut_at_the_limit() {
    let mut endless = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    endless.extend(vec![b'x'; 200_000]);
    let error = pulled(&Server::saying(vec![endless]), &brief()).unwrap_err();
    assert!(matches!(error, HttpError::TooLarge { .. }), "{error}");
}

#[test]
fn a_redirect_is_followed_and_a_circle_is_not() {
    let server = Server::saying(vec![whole("302 Found", "location: /elsewhere.csv\r\n", ""), good()]);
    assert_eq!(pulled(&server, &brief()).unwrap(), BODY);
    let circle = Server::saying(vec![whole("302 Found", "location: /E0.csv\r\n", "")]);
    let error = pulled(&circle, &brief()).unwrap_err();
    assert!(matches!(error, HttpError::RedirectLoop), "{error}");
}

#[test]
fn an_asked_for_wait_is_kept() {
    let busy = whole("429 Too Many Requests", "retry-after: 1\r\n", "");
    let server = Server::saying(vec![busy, good()]);
    let begun = Instant::now();
    assert_eq!(pulled(&server, &brief()).unwrap(), BODY);
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[test]
fn a_wait_beyond_the_whole_limit_ends_in_an_error_in_time() {
    let busy = whole("503 Service Unavailable", "retry-after: Wed, 21 Oct 2099 07:28:00 GMT\r\n", "");
    let server = Server::saying(vec![busy]);
    let patience = Patience { whole: Duration::from_millis(400), ..brief() };
    let begun = Instant::now();
    let error = pulled(&server, &patience).unwrap_err();
    assert!(matches!(error, HttpError::OutOfTime { .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_mins(1));
}

#[test]
fn attempts_end() {
    let server = Server::saying(vec![whole("503 Service Unavailable", "", "")]);
    let error = pulled(&server, &brief()).unwrap_err();
    assert!(matches!(error, HttpError::Status { .. }) && error.advice().contains("later"), "{error}");
    assert_eq!(server.asked(), 3);
    let breaking = Server::saying(vec![b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\nDiv,Da".to_vec()]);
    let error = pulled(&breaking, &brief()).unwrap_err();
    assert_eq!(error.to_string(), "the answer broke off");
    assert_eq!(breaking.asked(), 3);
}

#[test]
fn nobody_listening_is_said_without_the_key() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url: Url = format!("http://{}/?apiKey=secret", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let patience = Patience { attempts: 2, ..brief() };
    let error = Blocking::new().unwrap().run(get(&url, None, &patience)).unwrap().unwrap_err();
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    assert!(told.contains("no connection") && !told.contains("secret"), "{told}");
}
