//! A web server on loopback that answers as a test tells it, and remembers what it was sent; and the occasions.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use report::{
    Retry,
    notice::{Channel, Notice, NoticeLog, Occasion, Outcome, TaskFailure, tell},
};

/// A request, whole.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Method and path.
    pub(crate) line: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The request as a text that is the same on every machine and in every version.
    pub(crate) fn shown(&self) -> String {
        let mut text = self.line.clone() + "\n";
        for (name, value) in &self.headers {
            let value = match name.as_str() {
                "host" => "(loopback)",
                "user-agent" => value.split('/').next().unwrap(),
                _ => value,
            };
            text.extend([name, ": ", value, "\n"]);
        }
        text + "\n" + &pretty(&self.body)
    }
}

/// Indents JSON without changing the order of its keys.
fn pretty(body: &str) -> String {
    let (mut text, mut depth, mut is_quoted, mut before) = (String::new(), 0_usize, false, ' ');
    for character in body.chars() {
        is_quoted ^= character == '"' && before != '\\';
        if !is_quoted && matches!(character, '}' | ']') {
            depth -= 1;
            text.extend(["\n", &"  ".repeat(depth)]);
        }
        text.push(character);
        if !is_quoted && matches!(character, '{' | '[' | ',') {
            depth += usize::from(character != ',');
            text.extend(["\n", &"  ".repeat(depth)]);
        }
        before = if before == '\\' { ' ' } else { character };
    }
    text
}

/// What the server does with one request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Status line, further headers (each with its line end), body.
    Say(&'static str, &'static str, String),
    /// Takes the request and never says a word.
    Hang,
    /// Takes the request and drops the connection.
    Drop,
}

pub(crate) fn say(status: &'static str, body: &str) -> Reply {
    Reply::Say(status, "", body.to_owned())
}

pub(crate) struct Server {
    /// `http://127.0.0.1:port`.
    pub(crate) address: String,
    had: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers each request, given with how many came before it, for as long as the test runs.
    pub(crate) fn answering(answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let had = Arc::new(Mutex::new(Vec::new()));
        let (noted, answer) = (Arc::clone(&had), Arc::new(answer));
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                // One that hangs must not hold up the others.
                thread::spawn(move || converse(&connection.unwrap(), &noted, &*answer));
            }
        });
        Self { address, had }
    }

    /// What it was sent so far.
    pub(crate) fn had(&self) -> Vec<Request> {
        self.had.lock().unwrap().clone()
    }
}

fn converse(stream: &TcpStream, noted: &Mutex<Vec<Request>>, answer: &dyn Fn(&Request, usize) -> Reply) {
    let Some(request) = read(stream) else { return };
    let before = {
        let mut noted = noted.lock().unwrap();
        noted.push(request.clone());
        noted.len() - 1
    };
    match answer(&request, before) {
        Reply::Say(status, headers, body) => {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
            );
            let mut out = stream;
            out.write_all((head + &body).as_bytes()).ok();
        }
        // Longer than any client here waits.
        Reply::Hang => thread::sleep(Duration::from_secs(20)),
        Reply::Drop => {}
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    Some(Request { line, headers, body: String::from_utf8(body).unwrap() })
}

pub(crate) const QUICK: Retry =
    Retry { attempts: 3, first_pause: Duration::from_millis(5), timeout: Duration::from_secs(10) };

pub(crate) fn at() -> Timestamp {
    "2026-11-20T09:00:00Z".parse().unwrap()
}

pub(crate) fn notices(occasions: &[Occasion]) -> Vec<Notice> {
    occasions.iter().map(|occasion| occasion.notice(at(), &TimeZone::UTC)).collect()
}

pub(crate) fn slack(server: &Server) -> Channel {
    Channel::slack(&format!("{}/services/T012/B345/s3cretpath", server.address)).unwrap()
}

pub(crate) fn webhook(server: &Server) -> Channel {
    Channel::webhook(&format!("{}/edge?key=s3cretquery", server.address), Some("s3cretsign")).unwrap()
}

pub(crate) fn github(server: &Server) -> Channel {
    Channel::github("desk/edge", "s3crettoken", Some(&server.address)).unwrap()
}

/// Tells with an empty log that lies nowhere.
pub(crate) fn tell_all(channels: &[Channel], notices: &[Notice], retry: &Retry) -> Vec<Outcome> {
    tell(channels, notices, &mut NoticeLog::default(), retry, at, |_| Ok::<_, std::io::Error>(()))
}

pub(crate) fn run_failed(run_id: &str, tasks: &[(&str, &str)], reported: bool) -> Occasion {
    let failure =
        |(task, error): &(&str, &str)| TaskFailure { task: (*task).to_owned(), error: (*error).to_owned() };
    Occasion::RunFailed {
        run_id: run_id.to_owned(),
        date: "2026-11-20".parse().unwrap(),
        tasks: tasks.iter().map(failure).collect(),
        reported,
    }
}

pub(crate) fn frozen(newest_line: Option<&str>) -> Occasion {
    Occasion::FeedFrozen {
        league: market::LeagueId::new("epl").unwrap(),
        newest_line: newest_line.map(|text| text.parse().unwrap()),
        as_of: at(),
    }
}

/// One of each kind.
pub(crate) fn occasions() -> Vec<Occasion> {
    vec![
        Occasion::NewChampion {
            version: "2026-11-20-4f1c".into(),
            sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
            log_loss_gain: Some(0.0031),
            since: at(),
        },
        Occasion::ChampionRolledBack {
            version: "2026-11-13-77aa".into(),
            from: "2026-11-20-4f1c".into(),
            since: at(),
        },
        run_failed(
            "2026-11-20",
            &[("sweep", "no worker answered"), ("train", "out of memory at epoch 3")],
            true,
        ),
        run_failed("2026-11-20", &[("report", "no space left on device")], false),
        Occasion::RunLate {
            job: "report".into(),
            due: "2026-11-20T06:30:00Z".parse().unwrap(),
            late_minutes: 150,
        },
        Occasion::DrawdownLimit {
            drawdown: 0.234,
            limit: 0.2,
            bankroll: "766.00".parse().unwrap(),
            currency: "EUR".into(),
            peak: "2026-10-12".parse().unwrap(),
        },
        frozen(Some("2026-11-17T20:45:00Z")),
        frozen(None),
    ]
}
