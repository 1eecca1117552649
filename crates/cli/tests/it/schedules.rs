//! `edge schedule` as a process: what it shows, what it runs, how it stops.

use std::{
    fs::File,
    io::{Read, Write},
    net::TcpStream,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::edge::{Edge, SMALL};

/// Far more than any of this takes on a loaded machine.
const LONG: Duration = Duration::from_mins(5);

/// A schedule at work, and what it said so far.
struct Running<'a> {
    edge: &'a Edge,
    process: Child,
}

impl<'a> Running<'a> {
    fn start(edge: &'a Edge) -> Self {
        let mut command = edge.command(&["schedule", "--listen", "127.0.0.1:0"]);
        let said = File::create(edge.path("said.txt")).unwrap();
        Self { edge, process: command.stdout(Stdio::null()).stderr(said).spawn().unwrap() }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.edge.path("said.txt")).unwrap()
    }

    /// Waits until `is_so`, and fails when the process ends before or that takes absurdly long.
    #[track_caller]
    fn wait_until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(begun.elapsed() < LONG, "never: {what}\n{}", self.said());
            assert!(self.process.try_wait().unwrap().is_none(), "it ended before: {what}\n{}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Asks `/healthz`; returns the status and the body.
    fn health(&self) -> (u16, Value) {
        let said = self.said();
        let line = said.lines().find_map(|line| line.strip_prefix("edge: health at http://")).unwrap();
        let mut stream = TcpStream::connect(line.trim_end_matches("/healthz")).unwrap();
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Waits for the end and returns the exit code.
    #[track_caller]
    fn end(&mut self) -> Option<i32> {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code();
            }
            assert!(begun.elapsed() < LONG, "it does not end\n{}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // So that a failed test leaves nothing behind; one that ended is no longer there.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn journal(edge: &Edge) -> Value {
    serde_json::from_slice(&std::fs::read(edge.path("edge-store/runs/schedule.json")).unwrap()).unwrap()
}

#[test]
fn the_table_and_the_json_tell_what_comes_next() {
    let edge = Edge::with("[schedule]\ntime_zone = \"Europe/Berlin\"\ntrain = \"\"\n");
    let table = edge.run(&["schedule", "--dry-run"]).done();
    assert!(table.contains("nightly") && table.contains("never") && !table.contains("train"), "{table}");
    let report: Value = serde_json::from_str(&edge.run(&["schedule", "--dry-run", "--json"]).done()).unwrap();
    let jobs = report["jobs"].as_array().unwrap();
    let told: Vec<_> = jobs.iter().map(|job| (job["name"].as_str(), job["cron"].as_str())).collect();
    assert_eq!(told, [(Some("fetch"), Some("0 */4 * * *")), (Some("nightly"), Some("0 9 * * *"))]);
    assert!(jobs.iter().all(|job| job["zone"] == "Europe/Berlin" && job["next"].is_string()), "{report}");
    assert!(!edge.path("edge-store/runs/schedule.json").exists(), "showing changes nothing");
}

#[test]
fn what_cannot_be_scheduled_is_refused_in_one_line() {
    let edge = Edge::with("[schedule]\nreport = \"at nine\"\n");
    edge.run(&["schedule", "--dry-run"]).refused(2, &["at nine", "cron"]);
    let edge = Edge::with("[schedule]\ngrace = \"-1h\"\n");
    edge.run(&["schedule", "--dry-run"]).refused(2, &["schedule.grace"]);
    let edge = Edge::with("");
    edge.run(&["schedule", "--listen", "here"]).refused(2, &["here", "127.0.0.1:8001"]);
    edge.run(&["schedule", "--listen", "0.0.0.0:0"]).refused(2, &["EDGE_SERVE_TOKEN"]);
}

#[test]
fn a_schedule_runs_its_jobs_tells_its_health_keeps_others_out_and_stops() {
    let edge = Edge::with("[schedule]\nfetch = \"* * * * * *\"\ntrain = \"\"\nreport = \"\"\n");
    let mut running = Running::start(&edge);
    running.wait_until("a fetch is done", |running| running.said().contains("edge: fetch ended after"));
    let (status, health) = running.health();
    assert_eq!((status, health["status"].as_str()), (200, Some("up")), "{health}");
    assert_eq!(health["problems"], serde_json::json!([]), "{health}");
    assert_eq!(health["jobs"][0]["name"], "fetch");
    assert!(health["jobs"][0]["last"]["due"].is_string(), "{health}");

    let second = edge.run(&["schedule"]);
    let holder = format!("process {}", running.process.id());
    second.refused(1, &["another schedule", &holder]);

    running.send(Signal::TERM);
    assert_eq!(running.end(), Some(0), "{}", running.said());
    assert!(running.said().contains("edge: the schedule has stopped"), "{}", running.said());
    let last = journal(&edge)["fetch"]["last"].clone();
    assert!(last["ended_at"].is_string() && last["outcome"]["ending"].is_string(), "{last}");
    assert!(edge.run(&["data", "--json"]).done().contains("demo"), "and what was fetched is there");
}

#[test]
fn a_night_that_is_stopped_parks_and_is_owed() {
    let settings =
        "[schedule]\nfetch = \"\"\ntrain = \"\"\nreport = \"* * * * * *\"\nstop_within = \"10m\"\n";
    let edge = Edge::with(&format!("{SMALL}{settings}"));
    let mut running = Running::start(&edge);
    let is_driven = |running: &Running<'_>| {
        let runs = running.edge.run(&["run", "list", "--json"]);
        runs.code == Some(0) && runs.stdout.contains("\"is_driven\": true")
    };
    running.wait_until("a night is under way", is_driven);
    running.send(Signal::TERM);
    assert_eq!(running.end(), Some(0), "{}", running.said());
    let last = journal(&edge)["nightly"]["last"].clone();
    assert_eq!(last["outcome"]["ending"], "stopped", "{last}\n{}", running.said());
    assert_eq!(last["outcome"]["detail"], "exit code 1", "it was not killed\n{}", running.said());
    let runs = edge.run(&["run", "list", "--json"]).done();
    assert!(runs.contains("\"cancelled\""), "{runs}");
}
