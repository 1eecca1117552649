//! A head that does what the test says, for what a real one does only on bad days.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
};

use serde_json::{Value, json};

pub(super) struct FakeRay {
    pub(super) address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
pub(super) struct State {
    /// Closes every connection unheard.
    pub(super) down: bool,
    pub(super) cut_before_submit: bool,
    pub(super) cut_after_submit: bool,
    pub(super) token: Option<String>,
    pub(super) version: String,
    jobs: Vec<Value>,
    stopped: Vec<String>,
}

impl FakeRay {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { version: version("first"), ..State::default() }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let _ = answer(&connection.unwrap(), &shared);
            }
        });
        Self { address, state }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Forgets everything, as a head does.
    pub(super) fn restart(&self) {
        let mut state = self.state();
        state.version = version("second");
        state.jobs.clear();
    }

    /// Changes fields of a job.
    pub(super) fn set(&self, id: &str, fields: &Value) {
        let mut state = self.state();
        let job = state.jobs.iter_mut().find(|job| job["submission_id"] == id).unwrap();
        for (name, value) in fields.as_object().unwrap() {
            job[name] = value.clone();
        }
    }

    pub(super) fn submitted(&self) -> Vec<String> {
        self.state().jobs.iter().map(|job| job["submission_id"].as_str().unwrap().to_owned()).collect()
    }

    pub(super) fn stopped(&self) -> Vec<String> {
        let mut stopped = self.state().stopped.clone();
        stopped.dedup();
        stopped
    }
}

fn version(session: &str) -> String {
    json!({"version": "4", "ray_version": "2.60.0", "ray_commit": "00", "session_name": session}).to_string()
}

fn answer(mut connection: &TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_owned());
    }
    let header = |name: &str| {
        let found = head
            .iter()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_owned())
    };
    let mut body = vec![0; header("content-length").map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body)?;
    let mut state = state.lock().unwrap();
    if state.down {
        return Ok(());
    }
    let words: Vec<_> = head.first().map(|line| line.split(' ').collect()).unwrap_or_default();
    let (status, text) = match (&state.token, header("authorization")) {
        (Some(_), None) => (401, "Unauthorized: Missing authentication token".to_owned()),
        (Some(token), Some(given)) if given != format!("Bearer {token}") => {
            (403, "Forbidden: Invalid authentication token".to_owned())
        }
        _ => match route(&mut state, words[0], words[1], &body) {
            Some(answer) => answer,
            None => return Ok(()),
        },
    };
    write!(
        connection,
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    )
}

fn route(state: &mut State, method: &str, path: &str, body: &[u8]) -> Option<(u16, String)> {
    let id = path.trim_start_matches("/api/jobs/").trim_end_matches("/stop").to_owned();
    let known = state.jobs.iter().find(|job| job["submission_id"] == id.as_str()).cloned();
    Some(match (method, path) {
        ("GET", "/api/version") => (200, state.version.clone()),
        ("GET", "/api/jobs/") => (200, json!(state.jobs).to_string()),
        ("GET", "/api/v0/nodes") => {
            let node = json!({"state": "ALIVE", "resources_total": {"CPU": 2.0}});
            (200, json!({"data": {"result": {"result": [node]}}}).to_string())
        }
        ("POST", "/api/jobs/") => {
            if state.cut_before_submit {
                return None;
            }
            let request: Value = serde_json::from_slice(body).unwrap();
            let id = &request["submission_id"];
            if state.jobs.iter().any(|job| job["submission_id"] == *id) {
                let said = format!(
                    "Traceback:\n  x\nValueError: Job with submission_id {id} already exists. Please use"
                );
                return Some((500, said));
            }
            let job = json!({"type": "SUBMISSION", "submission_id": id, "status": "PENDING", "entrypoint": "",
                "metadata": request["metadata"]});
            state.jobs.push(job);
            if state.cut_after_submit {
                return None;
            }
            (200, json!({"submission_id": id}).to_string())
        }
        ("POST", _) if known.is_some() => {
            state.stopped.push(id);
            (200, json!({"stopped": true}).to_string())
        }
        ("GET", _) if known.is_some() => (200, known.unwrap_or_default().to_string()),
        _ => (404, "not found".to_owned()),
    })
}
