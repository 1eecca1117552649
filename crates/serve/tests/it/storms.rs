//! Callers that mean no good: slow ones, large ones, too many of them.

use std::time::Duration;

use axum::{Router, routing};
use serve::{Connections, Serving, Settings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    SLOW_BEGUN, serving,
    wire::{Running, one_answer, rest, status},
};

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";

fn limited(connections: Connections) -> Settings {
    Settings { connections, ..Settings::default() }
}

async fn start(settings: Settings) -> Running {
    Running::start(serving(), settings, Router::new()).await
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_while_others_are_served() {
    let head_time_out = Duration::from_millis(400);
    let running = start(limited(Connections { head_time_out, ..Connections::default() })).await;
    let mut silent = running.connect().await;
    let mut half_http2 = running.connect().await;
    half_http2.write_all(b"PRI * HTTP/2.0\r\n").await.unwrap();
    let mut dripping = running.connect().await;
    dripping.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n").await.unwrap();
    let drip = async {
        while dripping.write_all(b"x-more: 1\r\n").await.is_ok() {
            assert_eq!(status(&running.get("/healthz", "").await), 200, "others are served meanwhile");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(crate::wire::PATIENCE, drip).await.unwrap();
    assert_eq!(rest(&mut silent).await, "");
    assert_eq!(rest(&mut half_http2).await, "");
    running.stop().await;
}

#[tokio::test]
async fn a_connection_that_has_gone_silent_is_closed() {
    let idle_time_out = Duration::from_millis(200);
    let running = start(limited(Connections {
        idle_time_out,
        head_time_out: Duration::from_millis(200),
        ..Connections::default()
    }))
    .await;
    let mut kept = running.connect().await;
    for _ in 0..5 {
        kept.write_all(HEALTH).await.unwrap();
        assert_eq!(status(&one_answer(&mut kept).await), 200, "kept while it is used");
    }
    assert_eq!(rest(&mut kept).await, "");
    running.stop().await;
}

#[tokio::test]
async fn a_body_that_never_ends_is_answered_within_the_time_limit() {
    let running = start(Settings { time_out: Duration::from_millis(400), ..Settings::default() }).await;
    let mut slow = running.connect().await;
    let head = "POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{";
    slow.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(status(&running.get("/v1/model", "").await), 200);
    let answer = rest(&mut slow).await;
    assert!(status(&answer) == 503 && answer.contains("urn:edge:problem:timed-out"), "{answer}");
    assert!(answer.contains("retry-after: 1"), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_unread() {
    let running = start(Settings::default()).await;
    let head = |length: &str| {
        format!(
            "POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{length}\r\n\r\n"
        )
    };
    // Not one byte of it is sent.
    let answer = running.say(head("content-length: 10485760").as_bytes()).await;
    assert!(status(&answer) == 413 && answer.contains("urn:edge:problem:too-large"), "{answer}");
    // Without a length it is read up to the limit; the answer may be lost to those who go on sending.
    let mut stream = running.connect().await;
    stream.write_all(head("transfer-encoding: chunked").as_bytes()).await.unwrap();
    let chunk = [b"10000\r\n", vec![b' '; 0x10000].as_slice(), b"\r\n"].concat();
    let (mut reader, mut writer) = stream.split();
    let send = async {
        for sent in 0..160 {
            if writer.write_all(&chunk).await.is_err() {
                return sent;
            }
        }
        160
    };
    let read = async {
        let mut answer = vec![0; 4096];
        let length = reader.read(&mut answer).await.unwrap_or(0);
        String::from_utf8_lossy(&answer[..length]).into_owned()
    };
    let (sent, answer) = tokio::join!(send, read);
    assert!(answer.is_empty() || status(&answer) == 413, "{answer}");
    assert!(sent < 160, "the server stopped reading");
    assert_eq!(status(&running.get("/healthz", "").await), 200);
    running.stop().await;
}

#[tokio::test]
async fn nonsense_on_the_wire_is_refused_and_others_are_served() {
    let running = start(Settings::default()).await;
    let many = "x-more: 1\r\n".repeat(200);
    let long =
        format!("GET /{} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", "x".repeat(20_000));
    for (bytes, wanted) in [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 no TLS here".to_vec(), &[400][..]),
        (b"GET /\x00 HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec(), &[400]),
        (b"GET /v1/model HTTP/1.1\r\nhost: \xff\xfe\r\nconnection: close\r\n\r\n".to_vec(), &[421]),
        (b"GET /v1/model HTTP/9.9\r\n\r\n".to_vec(), &[400, 505]),
        (b"POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n".to_vec(), &[400]),
        (b"POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx".to_vec(), &[400]),
        (format!("GET / HTTP/1.1\r\nhost: localhost\r\n{many}\r\n").into_bytes(), &[431]),
        (long.into_bytes(), &[414]),
        (b"GET /v1/../../etc/passwd HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".to_vec(), &[404]),
        (b"GET //v1//model HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".to_vec(), &[404]),
        (b"GET http://evil.example/v1/model HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".to_vec(), &[421]),
    ] {
        let answer = running.say(&bytes).await;
        assert!(wanted.contains(&status(&answer)), "{}: {answer}", String::from_utf8_lossy(&bytes[..40.min(bytes.len())]));
    }
    assert_eq!(status(&running.get("/v1/model", "").await), 200);
    running.stop().await;
}

#[tokio::test]
async fn one_connection_too_many_is_told_so_and_earlier_ones_go_on() {
    let running = start(limited(Connections { most: 2, ..Connections::default() })).await;
    let (mut first, mut second) = (running.connect().await, running.connect().await);
    for stream in [&mut first, &mut second] {
        stream.write_all(HEALTH).await.unwrap();
        assert_eq!(status(&one_answer(stream).await), 200);
    }
    let refused = rest(&mut running.connect().await).await;
    assert!(status(&refused) == 503 && refused.contains("too-many-connections"), "{refused}");
    first.write_all(HEALTH).await.unwrap();
    assert_eq!(status(&one_answer(&mut first).await), 200);
    drop(second);
    // Its room is free as soon as the server has seen it go.
    let free = async { while status(&running.get("/healthz", "").await) != 200 {} };
    tokio::time::timeout(crate::wire::PATIENCE, free).await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn idle_connections_and_half_heads_do_not_hold_up_the_end() {
    let stop_within = Duration::from_secs(30);
    let running = start(limited(Connections { stop_within, ..Connections::default() })).await;
    let mut idle = running.connect().await;
    idle.write_all(HEALTH).await.unwrap();
    one_answer(&mut idle).await;
    let mut half = running.connect().await;
    half.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    let began = tokio::time::Instant::now();
    running.stop().await;
    assert!(began.elapsed() < stop_within, "without the deadline");
    assert_eq!(rest(&mut idle).await, "");
}

#[tokio::test]
async fn at_the_deadline_the_rest_is_cut() {
    let settings = limited(Connections { stop_within: Duration::from_millis(100), ..Connections::default() });
    let forever = Router::new().route("/forever", routing::get(std::future::pending::<()>));
    let running = Running::start(Serving::empty("none"), settings, forever).await;
    let mut waiting = running.connect().await;
    waiting.write_all(b"GET /forever HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    // Another answer on a later connection shows that the first is being worked on or soon will be.
    assert_eq!(status(&running.get("/healthz", "").await), 200);
    running.stop().await;
    assert_eq!(rest(&mut waiting).await, "");
}

#[tokio::test]
async fn what_has_begun_is_answered_over_the_end() {
    let running = start(Settings::default()).await;
    let mut slow = running.connect().await;
    let body = r#"{"games": [{"home": "Slow", "away": "B"}]}"#;
    let head = "POST /v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json";
    let request = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    slow.write_all(request.as_bytes()).await.unwrap();
    while !SLOW_BEGUN.load(std::sync::atomic::Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.stop().await;
    let answer = rest(&mut slow).await;
    assert!(status(&answer) == 200 && answer.contains("connection: close"), "{answer}");
}

/// Opens so many connections that say nothing or half of something, and serves another client all the while.
async fn storm(count: usize, most: usize) -> usize {
    let running =
        start(limited(Connections { most, head_time_out: crate::wire::PATIENCE, ..Connections::default() }))
            .await;
    let mut kept = running.connect().await;
    kept.write_all(HEALTH).await.unwrap();
    assert_eq!(status(&one_answer(&mut kept).await), 200);
    let mut open: Vec<TcpStream> = Vec::new();
    for index in 0..count {
        let Ok(mut stream) = TcpStream::connect(running.address).await else { break };
        if index % 2 == 0 {
            let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nhost:").await;
        }
        open.push(stream);
        if index % 500 == 0 {
            kept.write_all(HEALTH).await.unwrap();
            assert_eq!(status(&one_answer(&mut kept).await), 200, "after {index} connections");
        }
    }
    kept.write_all(HEALTH).await.unwrap();
    assert_eq!(status(&one_answer(&mut kept).await), 200);
    let opened = open.len();
    drop(open);
    let free = async { while status(&running.get("/healthz", "").await) != 200 {} };
    tokio::time::timeout(crate::wire::PATIENCE, free).await.unwrap();
    running.stop().await;
    opened
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_connections_within_the_limit() {
    assert_eq!(storm(2000, 4096).await, 2000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_connections_beyond_the_limit() {
    assert_eq!(storm(2000, 100).await, 2000);
}

/// Both ends are in this process, which needs a descriptor for each client and for each connection that finds room.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_ten_thousand_connections() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    let wanted = 10_000 + 4096 + 500;
    if maximum.is_some_and(|maximum| maximum < wanted) {
        return skip(&format!("10,000 connections want {wanted} open files, the system allows {maximum:?}"));
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).unwrap();
    assert_eq!(storm(10_000, 4096).await, 10_000);
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn skip(why: &str) {
    assert!(std::env::var_os("EDGE_TEST_ALL").is_none(), "{why}");
    eprintln!("skipped: {why}");
}

/// The process runs out of descriptors while it serves: nothing ends, nothing spins, and it goes on afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_descriptors_the_endpoint_waits() {
    let running = start(Settings::default()).await;
    let mut kept = running.connect().await;
    kept.write_all(HEALTH).await.unwrap();
    assert_eq!(status(&one_answer(&mut kept).await), 200);
    lower_the_limit();
    let mut clients = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_secs(5), TcpStream::connect(running.address)).await
    {
        clients.push(stream);
    }
    kept.write_all(HEALTH).await.unwrap();
    assert_eq!(status(&one_answer(&mut kept).await), 200, "those who are in are served");
    drop(clients);
    let mut free = running.connect().await;
    free.write_all(HEALTH).await.unwrap();
    assert_eq!(status(&one_answer(&mut free).await), 200);
    running.stop().await;
}

/// Leaves this process 200 descriptors; every test has a process of its own.
fn lower_the_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(200), maximum }).unwrap();
}
