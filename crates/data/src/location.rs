//! Where inputs lie: a file, a folder, a glob, a URL, or several of them; `.gz` is read as is.
//!
//! # Example
//! ```
//! let folder = tempfile::tempdir().unwrap();
//! std::fs::write(folder.path().join("E0_2022-23.csv"), "Div,Date\n").unwrap();
//! let location = data::Location::new([format!("{}/E0_*.csv", folder.path().display())]);
//! let pull = data::Pull::new("2022-10-14T09:00:00Z".parse().unwrap());
//! let payloads = pull.location(&location).unwrap();
//! assert_eq!(payloads[0].name, "E0_2022-23.csv");
//! assert_eq!(payloads[0].extension, "csv");
//! ```

use std::{
    error::Error,
    io::Read,
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::{DataError, Payload};

/// Payloads beyond this are refused: no season of any source comes near it.
pub const MAX_PAYLOAD_BYTES: u64 = 512 * 1024 * 1024;

/// One or more places to fetch payloads from, in the order given.
///
/// In settings it is one text or a list of texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "OneOrMany")]
pub struct Location(Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl From<OneOrMany> for Location {
    fn from(given: OneOrMany) -> Self {
        match given {
            OneOrMany::One(entry) => Self(vec![entry]),
            OneOrMany::Many(entries) => Self(entries),
        }
    }
}

impl Location {
    /// Keeps the entries as they are; nothing is looked at before it is pulled.
    pub fn new(entries: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(entries.into_iter().map(Into::into).collect())
    }

    /// Returns the entries.
    pub fn entries(&self) -> &[String] {
        &self.0
    }

    /// Returns whether an entry lies on another machine.
    pub(crate) fn is_url(entry: &str) -> bool {
        entry.starts_with("http://") || entry.starts_with("https://")
    }
}

pub(crate) fn problem(
    location: &str,
    problem: impl Into<String>,
    advice: &str,
    cause: Option<Box<dyn Error + Send + Sync>>,
) -> DataError {
    DataError::Location {
        location: location.to_owned(),
        problem: problem.into(),
        advice: advice.to_owned(),
        cause,
    }
}

/// Returns the files that an entry of the file system stands for.
pub(crate) fn files(entry: &str) -> Result<Vec<PathBuf>, DataError> {
    let path = Path::new(entry);
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let found = if path.is_dir() { files_of_folder(entry)? } else { files_of_glob(entry)? };
    if found.is_empty() {
        let what = if path.is_dir() { "the folder holds no file" } else { "no such file" };
        return Err(problem(
            entry,
            what,
            "check the path; in edge.toml it counts from where that file lies",
            None,
        ));
    }
    Ok(found)
}

fn files_of_folder(entry: &str) -> Result<Vec<PathBuf>, DataError> {
    let unreadable = |cause: std::io::Error| {
        problem(entry, "the folder cannot be listed", "check its rights", Some(Box::new(cause)))
    };
    let mut found = Vec::new();
    for item in std::fs::read_dir(entry).map_err(unreadable)? {
        let path = item.map_err(unreadable)?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_file() && !hidden {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn files_of_glob(entry: &str) -> Result<Vec<PathBuf>, DataError> {
    let paths = glob::glob(entry).map_err(|cause| {
        problem(entry, "the pattern cannot be read", "use * and ? only", Some(Box::new(cause)))
    })?;
    let mut found = Vec::new();
    for path in paths {
        let path = path.map_err(|cause| {
            problem(entry, "a folder cannot be listed", "check its rights", Some(Box::new(cause)))
        })?;
        if path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

pub(crate) fn read_file(path: &Path) -> Result<Payload, DataError> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|cause| {
        problem(&shown, "the file cannot be read", "check its rights", Some(Box::new(cause)))
    })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    payload(&shown, &name, bytes)
}

/// Returns an address as it may be shown: keys travel as user, password or query.
pub(crate) fn without_secrets(url: &Url) -> String {
    let mut shown = url.clone();
    // Fails only for addresses that cannot carry them.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    if shown.query().is_some() {
        shown.set_query(Some("..."));
    }
    shown.to_string()
}

/// Unpacks `.gz` and names the payload by what is inside.
pub(crate) fn payload(location: &str, name: &str, bytes: Vec<u8>) -> Result<Payload, DataError> {
    let (name, bytes) = match name.strip_suffix(".gz") {
        // A server may have unpacked the file on the way.
        Some(inner) if bytes.starts_with(&[0x1f, 0x8b]) => (inner, gunzip(location, &bytes)?),
        Some(inner) => (inner, bytes),
        None => (name, bytes),
    };
    let extension = name.rsplit_once('.').map_or("csv", |(_, extension)| extension);
    let plain = !extension.is_empty() && extension.chars().all(|c| c.is_ascii_alphanumeric());
    let extension = if plain { extension.to_ascii_lowercase() } else { "csv".to_owned() };
    Ok(Payload::new(name, extension, bytes))
}

fn gunzip(location: &str, bytes: &[u8]) -> Result<Vec<u8>, DataError> {
    let mut unpacked = Vec::new();
    let mut decoder = MultiGzDecoder::new(bytes).take(MAX_PAYLOAD_BYTES + 1);
    decoder.read_to_end(&mut unpacked).map_err(|cause| {
        problem(location, "the gzip file is truncated or damaged", "download it again", Some(Box::new(cause)))
    })?;
    if unpacked.len() as u64 > MAX_PAYLOAD_BYTES {
        return Err(problem(
            location,
            "it unpacks to more than 512 MiB",
            "split the input into seasons",
            None,
        ));
    }
    Ok(unpacked)
}
