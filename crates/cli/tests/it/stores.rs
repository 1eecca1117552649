//! The same lake in a folder and in a bucket, however often a writer is killed and however many write at once.

use std::{
    fmt::Write,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::edge::Edge;

/// An S3-compatible server of its own; gone with the test.
pub(crate) struct Bucket {
    server: Child,
    address: String,
}

impl Drop for Bucket {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Bucket {
    /// Starts the server, or says that a test is skipped.
    #[expect(clippy::disallowed_methods, reason = "whether a skip is a failure is a matter of the machine")]
    #[expect(clippy::print_stderr, reason = "a skip must be seen")]
    pub(crate) fn start(test: &str) -> Option<Self> {
        let there = Command::new("python3").args(["-c", "import moto.server"]).stderr(Stdio::null()).status();
        if !there.is_ok_and(|status| status.success()) {
            assert!(
                std::env::var("EDGE_TEST_ALL").map_or(true, |all| all != "1"),
                "EDGE_TEST_ALL is set, but python3 has no moto; install moto[server]"
            );
            eprintln!("skipped: {test} needs an S3-compatible server; pip install 'moto[server]'");
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Command::new("python3")
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let bucket = Self { server, address: format!("127.0.0.1:{port}") };
        let waited = Instant::now();
        while TcpStream::connect(&bucket.address).is_err() {
            assert!(waited.elapsed() < Duration::from_mins(1), "the S3 server does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        bucket.create("edge");
        Some(bucket)
    }

    fn create(&self, name: &str) {
        self.put(name, b"");
    }

    /// Makes a bucket, or an object of one; the server wants a signature, but does not look whether it is right.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        use std::io::{Read, Write};
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (host, length) = (&self.address, bytes.len());
        let head = format!(
            "PUT /{name} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\nconnection: close\r\n\
             authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, \
             SignedHeaders=host, Signature=0\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), bytes].concat()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    pub(crate) fn reach(&self, command: &mut Command) {
        command
            .env("AWS_ENDPOINT_URL", format!("http://{}", self.address))
            .env("AWS_ALLOW_HTTP", "true")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test");
    }
}

/// One small season of a league with five books' worth of columns.
fn season(year: i32) -> String {
    let teams = ["Ajax", "Bath", "Cork", "Derby", "Elche", "Forli"];
    let mut rng = ChaCha8Rng::seed_from_u64(year.unsigned_abs().into());
    let mut text =
        String::from("Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,B365H,B365D,B365A,PSCH,PSCD,PSCA\n");
    let mut day = jiff::civil::date(year as i16, 8, 10);
    for (home, name) in teams.iter().enumerate() {
        for (away, other) in teams.iter().enumerate().filter(|(away, _)| *away != home) {
            let (scored, conceded) = (rng.random_range(0..5), rng.random_range(0..5));
            let extra = f64::from(rng.random_range(0..20)) / 100.0;
            let home_price = 2.2 + extra + (home + away) as f64 / 100.0;
            let date = day.strftime("%d/%m/%Y");
            writeln!(
                text,
                "X,{date},15:00,{name},{other},{scored},{conceded},{home_price:.2},3.40,3.30,{:.2},3.45,3.35",
                home_price - 0.02
            )
            .unwrap();
            day = day.tomorrow().unwrap();
        }
    }
    text
}

/// A desk with the league's files, and its store.
struct Desk<'a> {
    edge: Edge,
    store: String,
    bucket: Option<&'a Bucket>,
}

impl<'a> Desk<'a> {
    fn new(name: &str, bucket: Option<&'a Bucket>) -> Self {
        let edge = Edge::with("[[league]]\nid = \"x\"\nsource = \"football_data\"\npath = \"files\"\n");
        std::fs::create_dir(edge.path("files")).unwrap();
        let store = match bucket {
            Some(_) => format!("s3://edge/{name}"),
            None => "edge-store".to_owned(),
        };
        Self { edge, store, bucket }
    }

    fn bring(&self, year: i32) {
        self.edge.write(&format!("files/{year}.csv"), season(year).as_bytes());
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut all = vec!["--store", &self.store];
        all.extend(arguments);
        let mut command = self.edge.command(&all);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(bucket) = self.bucket {
            bucket.reach(&mut command);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> String {
        crate::edge::Answer::from(self.command(arguments).output().unwrap()).done()
    }

    /// Everything in the lake, as other tools get it.
    fn lake(&self) -> Vec<String> {
        ["lines", "results", "context"]
            .iter()
            .map(|rows| {
                self.run(&["data", "export", &format!("{rows}.csv"), "--rows", rows]);
                std::fs::read_to_string(self.edge.path(&format!("{rows}.csv"))).unwrap()
            })
            .collect()
    }
}

/// Brings a season, starts a fetch and kills it somewhere, as often as there are seasons; then lets one come to its end.
fn killed_again_and_again(desk: &Desk<'_>, years: std::ops::Range<i32>) {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let started = Instant::now();
    desk.bring(years.start);
    desk.run(&["fetch"]);
    let mut usual = started.elapsed();
    let mut killed = 0;
    for year in years {
        desk.bring(year);
        let mut fetch = desk.command(&["fetch"]).spawn().unwrap();
        let (started, wait) = (Instant::now(), usual.mul_f64(rng.random_range(0.0..1.1)));
        while started.elapsed() < wait {
            if fetch.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        if fetch.try_wait().unwrap().is_none() {
            fetch.kill().unwrap();
            killed += 1;
        } else {
            usual = usual.min(started.elapsed());
        }
        fetch.wait().unwrap();
    }
    assert!(killed >= 25, "only {killed} fetches were killed before their end");
    desk.run(&["fetch"]);
}

const YEARS: std::ops::Range<i32> = 1960..2010;

fn undisturbed() -> Vec<String> {
    let desk = Desk::new("", None);
    for year in YEARS {
        desk.bring(year);
    }
    desk.run(&["fetch"]);
    desk.lake()
}

#[test]
fn a_folder_whose_writer_is_killed_fifty_times_loses_and_doubles_nothing() {
    let desk = Desk::new("", None);
    killed_again_and_again(&desk, YEARS);
    assert!(desk.lake() == undisturbed(), "the rows differ from those of an undisturbed fetch");
}

#[test]
fn a_bucket_whose_writer_is_killed_fifty_times_loses_and_doubles_nothing() {
    let Some(bucket) = Bucket::start("a_bucket_whose_writer_is_killed_fifty_times") else { return };
    let desk = Desk::new("killed", Some(&bucket));
    killed_again_and_again(&desk, YEARS);
    let whole = undisturbed();
    assert!(desk.lake() == whole, "the rows differ from those of an undisturbed fetch");
    // Merged, they are the same rows in fewer files.
    desk.run(&["data", "compact"]);
    assert!(desk.lake() == whole, "merging changed the rows");
}

#[test]
fn two_writers_into_one_bucket_double_nothing() {
    let Some(bucket) = Bucket::start("two_writers_into_one_bucket_double_nothing") else { return };
    let years = 1990..1998;
    let desks = [Desk::new("shared", Some(&bucket)), Desk::new("shared", Some(&bucket))];
    let alone = Desk::new("", None);
    for year in years {
        for desk in &desks {
            desk.bring(year);
        }
        alone.bring(year);
        let both: Vec<_> = desks.iter().map(|desk| desk.command(&["fetch"]).spawn().unwrap()).collect();
        for fetch in both {
            crate::edge::Answer::from(fetch.wait_with_output().unwrap()).done();
        }
    }
    alone.run(&["fetch"]);
    assert!(desks[0].lake() == alone.lake(), "two writers made other rows than one");
}
