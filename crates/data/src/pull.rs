//! One pull: files from disk, answers from servers, several at a time and only when they are new.
//!
//! What a server sent before is remembered by address with its `ETag` and `Last-Modified`; when it says that nothing
//! changed, the stored bytes stand in for the answer. Keys travel in the address, so errors show addresses without them.
//!
//! # Example
//! ```
//! use data::{Location, Pull, Request};
//! let folder = tempfile::tempdir().unwrap();
//! std::fs::write(folder.path().join("games.csv"), "season,gameday\n").unwrap();
//! let pull = Pull::new("2021-11-11T09:00:00Z".parse().unwrap());
//! let payloads = pull.location(&Location::new([folder.path().to_str().unwrap()])).unwrap();
//! assert_eq!(payloads[0].name, "games.csv");
//!
//! let request = Request::new("odds.json", "https://api.example/v4/odds?regions=us").secret("apiKey", "1234");
//! assert!(!format!("{request:?}").contains("1234"));
//! ```

use std::fmt;

use futures::{StreamExt, TryStreamExt, stream};
use market::Timestamp;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    DataError, Location, Payload, Store,
    blocking::Blocking,
    http::{self, Allowance, Answer, HttpError, Patience, Validators},
    location::{self, files, problem, read_file, without_secrets},
};

/// Requests under way at one time.
const AT_ONCE: usize = 4;

/// A pull of one source at one instant.
#[derive(Debug)]
pub struct Pull<'a> {
    /// The instant for which rows are wanted.
    pub until: Timestamp,
    /// Where earlier answers are remembered.
    memory: Option<&'a Store>,
    patience: Patience,
}

/// A question to a server.
#[derive(Clone)]
pub struct Request {
    name: String,
    address: String,
    secret: Option<(String, String)>,
}

/// An answer, and what it leaves of a metered allowance.
#[derive(Debug)]
pub struct Answered {
    /// What was sent, or the stored bytes when nothing changed.
    pub payload: Payload,
    /// Requests left, where the server says so.
    pub remaining: Option<u64>,
}

/// The address of a payload and what its server said about the version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    key: String,
    validators: Validators,
}

/// What is kept of an address.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    validators: Validators,
    /// Where the bytes lie in the store.
    raw: String,
    received_at: Timestamp,
}

impl Request {
    /// Builds a request whose answer is kept under a file name with an extension.
    pub fn new(name: impl Into<String>, address: impl Into<String>) -> Self {
        Self { name: name.into(), address: address.into(), secret: None }
    }

    /// Adds a key to the address's query, where it is never shown.
    #[must_use]
    pub fn secret(mut self, parameter: &str, value: &str) -> Self {
        self.secret = Some((parameter.to_owned(), value.to_owned()));
        self
    }

    fn url(&self) -> Result<Url, DataError> {
        let mut url = Url::parse(&self.address).map_err(|cause| {
            problem(&self.address, "the URL cannot be read", "check the address", Some(Box::new(cause)))
        })?;
        if let Some((parameter, value)) = &self.secret {
            url.query_pairs_mut().append_pair(parameter, value);
        }
        Ok(url)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<'a> Pull<'a> {
    /// Pulls without a memory: every answer is sent whole.
    pub fn new(until: Timestamp) -> Self {
        Self { until, memory: None, patience: Patience::default() }
    }

    /// Pulls on condition that answers are other than those in the store.
    pub(crate) fn remembering(until: Timestamp, store: &'a Store) -> Self {
        Self { memory: Some(store), ..Self::new(until) }
    }

    /// Pulls every payload of a location in the order of its entries, the files of a folder or glob sorted by name.
    ///
    /// An entry that gives nothing is an error, so that a misspelt path cannot pass for a quiet night.
    pub fn location(&self, location: &Location) -> Result<Vec<Payload>, DataError> {
        let entries = location.entries();
        if entries.is_empty() {
            return Err(problem("path", "no path is configured", "name a file, folder, glob or URL", None));
        }
        let requests: Vec<Request> = entries
            .iter()
            .filter(|entry| Location::is_url(entry))
            .map(|entry| Request::new(file_name(entry), entry))
            .collect();
        let mut answers = self.ask_all(&requests)?.into_iter();
        let mut payloads = Vec::new();
        for entry in entries {
            if Location::is_url(entry) {
                payloads.extend(answers.next().map(|answered| answered.payload));
            } else {
                for path in files(entry)? {
                    payloads.push(read_file(&path)?);
                }
            }
        }
        Ok(payloads)
    }

    /// Asks one server one thing.
    pub fn ask(&self, request: &Request) -> Result<Answered, DataError> {
        let answers = self.ask_all(std::slice::from_ref(request))?;
        answers.into_iter().next().ok_or_else(|| broken(&request.address, std::io::Error::other("no answer")))
    }

    /// Asks several things, at most four at a time; the answers are in the order of the requests.
    pub fn ask_all(&self, requests: &[Request]) -> Result<Vec<Answered>, DataError> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let had = requests.iter().map(|request| self.had(request)).collect::<Result<Vec<_>, _>>()?;
        let asking = stream::iter(requests.iter().zip(had))
            .map(|(request, had)| self.answer(request, had))
            .buffered(AT_ONCE)
            .try_collect::<Vec<_>>();
        let blocking = Blocking::new().map_err(|cause| broken(&requests[0].address, cause))?;
        blocking.run(asking).map_err(|cause| broken(&requests[0].address, cause))?
    }

    async fn answer(
        &self,
        request: &Request,
        had: Option<(Validators, Payload)>,
    ) -> Result<Answered, DataError> {
        let url = request.url()?;
        let shown = without_secrets(&url);
        let failed = |error: HttpError| problem(&shown, error.to_string(), error.advice(), error.cause());
        let validators = had.as_ref().map(|(validators, _)| validators);
        let answer = http::get(&url, validators, &self.patience).await.map_err(failed)?;
        let (payload, Allowance { remaining }) = match (answer, had) {
            (Answer::Unchanged { allowance }, Some((_, payload))) => (payload, allowance),
            (Answer::Unchanged { allowance }, None) => {
                return Err(problem(
                    &shown,
                    format!("the server sent nothing ({allowance:?})"),
                    "check the address",
                    None,
                ));
            }
            (Answer::Body { bytes, validators, allowance }, _) => {
                let mut payload = location::payload(&shown, &request.name, bytes)?;
                payload.received_at = Some(http::now());
                payload.origin = Some(Origin { key: key(&url), validators });
                (payload, allowance)
            }
        };
        Ok(Answered { payload, remaining })
    }

    /// Returns what an address sent before, when its bytes are still there.
    fn had(&self, request: &Request) -> Result<Option<(Validators, Payload)>, DataError> {
        let Some(store) = self.memory else { return Ok(None) };
        let key = key(&request.url()?);
        let Some(bytes) = store.try_get(&key)? else { return Ok(None) };
        // What cannot be read is asked for anew, and then overwritten.
        let Ok(Remembered { validators, raw, received_at }) = serde_json::from_slice(&bytes) else {
            return Ok(None);
        };
        let Some(packed) = store.try_get(&raw)? else { return Ok(None) };
        let Ok(bytes) = zstd::decode_all(packed.as_slice()) else { return Ok(None) };
        let mut payload = location::payload(&raw, &request.name, bytes)?;
        payload.received_at = Some(received_at);
        Ok(Some((validators, payload)))
    }
}

impl Origin {
    /// Remembers the version whose bytes now lie at `raw`; a server that names no version is asked whole each time.
    pub(crate) fn remember(&self, store: &Store, raw: &str, received_at: Timestamp) -> Result<(), DataError> {
        if self.validators == Validators::default() {
            return Ok(());
        }
        let remembered = Remembered { validators: self.validators.clone(), raw: raw.to_owned(), received_at };
        let bytes = serde_json::to_vec_pretty(&remembered)
            .map_err(|cause| DataError::Encode { what: format!("`{}`", self.key), cause: Box::new(cause) })?;
        store.put(&self.key, &bytes)
    }
}

/// Returns where an address is remembered; a hash gives no key away.
fn key(url: &Url) -> String {
    format!("data/http/{:x}.json", Sha256::digest(url.as_str()))
}

/// Returns the last part of an address's path.
fn file_name(address: &str) -> String {
    let url = Url::parse(address).ok();
    let name = url.as_ref().and_then(|url| url.path_segments()?.next_back());
    name.filter(|name| !name.is_empty()).unwrap_or("download.csv").to_owned()
}

fn broken(address: &str, cause: std::io::Error) -> DataError {
    let shown = Url::parse(address).map_or_else(|_| address.to_owned(), |url| without_secrets(&url));
    let advice = "check the address and the network, then run again";
    problem(&shown, "the download broke off", advice, Some(Box::new(cause)))
}

#[cfg(test)]
mod tests;
