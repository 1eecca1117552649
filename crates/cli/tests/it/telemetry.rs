//! Logs and traces of `edge serve`: the binary and its exporter are real, the collector is a loopback server that reads
//! what it is sent with the protocol's own types.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use prost::Message;
use rustix::process::{Pid, Signal, kill_process};

use crate::edge::Edge;

const PATIENCE: Duration = Duration::from_mins(2);
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// What one POST brought.
struct Received {
    path: String,
    headers: String,
    spans: ExportTraceServiceRequest,
}

/// A collector on loopback: its address, and what it receives.
fn collector() -> (String, Receiver<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, tell) = (BufReader::new(stream.unwrap()), tell.clone());
            thread::spawn(move || {
                while let Some(received) = receive(&mut stream) {
                    let _ = stream.get_mut().write_all(
                        b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n",
                    );
                    let _ = tell.send(received);
                }
            });
        }
    });
    (address, told)
}

fn receive(stream: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head_in_small = head.to_lowercase();
    let length = head_in_small.split("content-length: ").nth(1)?.split("\r\n").next()?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let path = head.split(' ').nth(1)?.to_owned();
    Some(Received { path, headers: head_in_small, spans: ExportTraceServiceRequest::decode(&*body).unwrap() })
}

/// A running endpoint without a model, and what it says on stderr.
struct Serving {
    process: Child,
    address: String,
    said: thread::JoinHandle<Vec<String>>,
}

impl Serving {
    fn start(edge: &Edge, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = edge.command(&[&["serve", "--listen", "127.0.0.1:0"], arguments].concat());
        command.envs(environment.iter().copied()).env("NO_PROXY", "127.0.0.1").env_remove("EDGE_LOG");
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("serving on http://")).unwrap();
        let address = line.split("http://").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        Self { process, address, said: thread::spawn(move || lines.collect()) }
    }

    fn get(&self, path: &str, header: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{header}\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Asks it to stop; returns what it said and how long it took.
    fn stop(mut self) -> (Vec<String>, Duration) {
        let began = Instant::now();
        let id = Pid::from_raw(i32::try_from(self.process.id()).unwrap()).unwrap();
        kill_process(id, Signal::TERM).unwrap();
        let status = self.process.wait().unwrap();
        assert!(status.success(), "{status}");
        (self.said.join().unwrap(), began.elapsed())
    }
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let pairs = (0..hexadecimal.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(&hexadecimal[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn a_request_continues_the_trace_of_its_caller_as_far_as_the_collector() {
    let (address, received) = collector();
    let edge =
        Edge::with(&format!("[telemetry]\notlp_endpoint = \"{address}\"\nservice_name = \"edge-test\"\n"));
    let serving = Serving::start(
        &edge,
        &["-v", "--log-json"],
        &[("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer s3cret")],
    );
    let parent = format!("traceparent: 00-{TRACE}-{PARENT}-01\r\nx-request-id: asked-1\r\n");
    assert!(serving.get("/healthz", &parent).starts_with("HTTP/1.1 200"));
    serving.get("/v1/slate", "traceparent: nonsense\r\n");
    // What is still waiting is sent at the end.
    let (said, _) = serving.stop();
    let received: Vec<Received> = received.try_iter().collect();
    assert!(!received.is_empty() && received.iter().all(|post| post.path == "/v1/traces"));
    assert!(received[0].headers.contains("authorization: bearer s3cret"), "{}", received[0].headers);
    let resources = received.iter().flat_map(|post| &post.spans.resource_spans);
    let spans: Vec<&Span> = resources
        .inspect(|spans| {
            let resource = spans.resource.as_ref().unwrap();
            assert_eq!(text(&resource.attributes, "service.name"), Some("edge-test"));
        })
        .flat_map(|spans| &spans.scope_spans)
        .flat_map(|scope| &scope.spans)
        .collect();
    let named =
        |name: &str| *spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{spans:#?}"));

    let healthz = named("GET /healthz");
    assert_eq!((&healthz.trace_id, &healthz.parent_span_id), (&bytes(TRACE), &bytes(PARENT)));
    assert_eq!(
        (text(&healthz.attributes, "http.route"), healthz.kind()),
        (Some("/healthz"), SpanKind::Server)
    );
    assert_eq!(text(&healthz.attributes, "request_id"), Some("asked-1"));

    let slate = named("GET /v1/slate");
    assert!(slate.parent_span_id.is_empty() && slate.trace_id != bytes(TRACE), "nobody's child");
    assert_eq!(slate.status.as_ref().unwrap().code(), StatusCode::Error, "503: there is no model");

    let shown =
        said.iter().any(|line| line.contains(TRACE) && line.contains("asked-1") && line.contains("answered"));
    assert!(shown, "{said:#?}");
    assert!(!said.iter().any(|line| line.contains("s3cret")), "{said:#?}");
}

#[test]
fn a_collector_that_never_answers_slows_and_stops_nothing() {
    // Takes connections and says nothing.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", mute.local_addr().unwrap());
    let edge = Edge::with("");
    let serving = Serving::start(&edge, &[], &[("EDGE_TELEMETRY_OTLP_ENDPOINT", &address)]);
    // More than the queue holds.
    for asked in 0..3000 {
        assert!(serving.get("/healthz", "").starts_with("HTTP/1.1 200"), "request {asked}");
    }
    let (_, took) = serving.stop();
    assert!(took < PATIENCE, "{took:?}");
    drop(mute);
    // One that is not there at all.
    let serving = Serving::start(&edge, &[], &[("EDGE_TELEMETRY_OTLP_ENDPOINT", &address)]);
    assert!(serving.get("/healthz", "").starts_with("HTTP/1.1 200"));
    assert!(serving.stop().1 < PATIENCE);
}

#[test]
fn json_logs_are_one_object_per_line_with_the_span_and_without_the_token() {
    let edge = Edge::with("[log]\nformat = \"json\"\n");
    let serving = Serving::start(&edge, &["-v"], &[("EDGE_SERVE_TOKEN", "s3cret-token")]);
    serving
        .get("/v1/slate?date=2026-03-02", "authorization: Bearer s3cret-token\r\nx-request-id: asked-2\r\n");
    serving.get("/v1/slate", "authorization: Bearer wr0ng-token\r\n");
    let (said, _) = serving.stop();
    assert!(!said.iter().any(|line| line.contains("s3cret") || line.contains("wr0ng")), "{said:#?}");
    // The others are sentences for people, which begin with the program's name.
    let logged = said.iter().filter(|line| !line.starts_with("edge: "));
    let logged: Vec<serde_json::Value> = logged
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let answered = logged.iter().find(|line| line["fields"]["request_id"] == "asked-2");
    let answered = answered.unwrap_or_else(|| panic!("{logged:#?}"));
    assert_eq!((&answered["level"], &answered["fields"]["status"]), (&"INFO".into(), &503.into()));
    assert_eq!(answered["span"]["http.route"], "/v1/slate");
    assert!(answered["target"].as_str().unwrap().starts_with("serve"));
    assert!(answered["timestamp"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    let edge = Edge::with("");
    let refused = |name: &str, value: &str| {
        edge.command(&["doctor"]).env(name, value).output().map(crate::edge::Answer::from).unwrap()
    };
    refused("EDGE_LOG_FORMAT", "xml").refused(2, &["EDGE_LOG_FORMAT", "xml"]);
    refused("EDGE_TELEMETRY_SAMPLE_RATIO", "2").refused(2, &["telemetry.sample_ratio", "2"]);
    let answer = refused("EDGE_TELEMETRY_OTLP_ENDPOINT", "http://me:s3cret@127.0.0.1:4318");
    answer.refused(2, &["OTEL_EXPORTER_OTLP_HEADERS"]);
    assert!(!answer.stderr.contains("s3cret"));
}
