//! The ledger as a file: appended to and nothing else, so that a crash at any byte loses and doubles nothing.
//!
//! Rows go to the end in one write that is flushed to the disk before it counts. A last line that a crash cut off was never
//! acknowledged: it is cut away before the next row is written. Beside `ledger.csv` lies `ledger.head.json` with the
//! last seal, which shows when rows at the end are missing.
//!
//! # Example
//! ```
//! use ledger::{Entry, Event, LedgerFile, Mode, Night};
//! let folder = std::env::temp_dir().join(format!("ledger-file-{}", std::process::id()));
//! let night = Night { date: "2021-11-11".parse().unwrap(), as_of: "2021-11-11T09:00:00Z".parse().unwrap(),
//!     run_id: "run-1".into(), recorded_at: "2021-11-11T09:03:00Z".parse().unwrap() };
//! let deposit = Entry::cash(&night, Event::Deposit, Mode::Live, "50.00".parse().unwrap(), "november");
//! let mut file = LedgerFile::open(&folder.join("ledger.csv")).unwrap();
//! assert_eq!(file.append(vec![deposit.clone()], "1000.00".parse().unwrap()).unwrap(), 1);
//! let mut again = LedgerFile::open(&folder.join("ledger.csv")).unwrap();
//! assert_eq!(again.append(vec![deposit], "1000.00".parse().unwrap()).unwrap(), 0);
//! # std::fs::remove_dir_all(folder).unwrap();
//! ```

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use market::Money;

use crate::{Entry, Head, Ledger, LedgerError};

/// Why a ledger's file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerFileError {
    /// What stands in it is not understood.
    #[error("cannot read {}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: LedgerError,
    },
    /// The file holds bytes that are no text.
    #[error("{} is no text; put its last copy back", path.display())]
    NoText {
        /// The file.
        path: PathBuf,
    },
    /// The file became shorter while it was in use.
    #[error("{} was {expected} bytes long and is {found} now: somebody else has cut it; nothing was written", path.display())]
    Shrunk {
        /// The file.
        path: PathBuf,
        /// Bytes read.
        expected: u64,
        /// Bytes found.
        found: u64,
    },
    /// The system refused.
    #[error("cannot {what} {}; nothing was lost: check that the disk is there, writable and not full", path.display())]
    System {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// A ledger and the file that it lives in.
#[derive(Debug)]
pub struct LedgerFile {
    path: PathBuf,
    ledger: Ledger,
    /// Bytes of the file that the ledger stands for.
    end: u64,
    /// Whether the last row lacks its line end.
    unfinished: bool,
    /// Bytes of a row that was cut off while it was written.
    torn: u64,
}

impl LedgerFile {
    /// Reads the file at `path`; an absent one is an empty ledger.
    ///
    /// # Errors
    /// [`LedgerFileError::Content`] when a row is not understood, a seal does not hold, or the end is missing.
    pub fn open(path: &Path) -> Result<Self, LedgerFileError> {
        let mut file =
            Self { path: path.to_owned(), ledger: Ledger::default(), end: 0, unfinished: false, torn: 0 };
        // The head first: whoever appends meanwhile writes rows before it, so that it is never ahead of what is read.
        let head = file.head()?;
        file.take(&file.bytes()?)?;
        if let Some(head) = head {
            file.ledger.follows(&head).map_err(|source| file.content(source))?;
        }
        Ok(file)
    }

    /// Takes the file as it is, whatever its seals say, and seals it anew; returns where the file as it was is kept.
    ///
    /// # Errors
    /// [`LedgerFileError::Content`] when a row is not understood: then nothing is changed.
    pub fn reseal(path: &Path) -> Result<PathBuf, LedgerFileError> {
        let mut file =
            Self { path: path.to_owned(), ledger: Ledger::default(), end: 0, unfinished: false, torn: 0 };
        let _alone = file.lock()?;
        let text = String::from_utf8(file.bytes()?).map_err(|_| file.no_text())?;
        file.ledger = Ledger::parse_ignoring_seals(&text).map_err(|source| file.content(source))?;
        let kept = file.write_anew()?;
        file.write_head()?;
        Ok(kept)
    }

    /// Returns what stands in the file.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Returns the bytes of a last line that was cut off while it was written; the next append takes them away.
    pub fn torn(&self) -> u64 {
        self.torn
    }

    /// Appends what is not there yet and returns how many events were new; what others have appended meanwhile is read
    /// first.
    ///
    /// # Errors
    /// When the system refuses, the file is cut back to what it was; when an entry contradicts the history, nothing is
    /// written. Either way the same call may be made again.
    pub fn append(&mut self, entries: Vec<Entry>, starting: Money) -> Result<usize, LedgerFileError> {
        let _alone = self.lock()?;
        let mut file = self.open_to_write()?;
        self.catch_up(&mut file)?;
        let count = self.ledger.entries().len();
        let added = self.ledger.append(entries, starting).map_err(|source| self.content(source))?;
        let whole = self.torn == 0 && !self.unfinished;
        if added.is_empty() && (whole || self.ledger.was_unsealed()) {
            return Ok(0);
        }
        let written = if self.ledger.was_unsealed() {
            self.write_anew().map(|_| ())
        } else {
            self.write(&mut file, count, &added)
        };
        if let Err(error) = written {
            self.ledger.forget_after(count);
            return Err(error);
        }
        self.write_head()?;
        Ok(self.ledger.entries().len() - count)
    }

    /// Takes what stands in the file from `end` on.
    fn take(&mut self, mut bytes: &[u8]) -> Result<(), LedgerFileError> {
        if let (true, [b'\n', rest @ ..]) = (self.unfinished, bytes) {
            (bytes, self.end, self.unfinished) = (rest, self.end + 1, false);
        }
        let complete = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let (rows, fragment) = bytes.split_at(complete);
        let rows = std::str::from_utf8(rows).map_err(|_| self.no_text())?;
        if !rows.is_empty() {
            self.ledger.catch_up(rows).map_err(|source| self.content(source))?;
            self.end += rows.len() as u64;
        }
        self.torn = 0;
        // An editor may have taken the last line end away from a whole row; a crash leaves a piece of one.
        let whole = std::str::from_utf8(fragment)
            .is_ok_and(|row| !row.is_empty() && self.ledger.catch_up(row).is_ok());
        if whole {
            (self.end, self.unfinished) = (self.end + fragment.len() as u64, true);
        } else {
            self.torn = fragment.len() as u64;
        }
        Ok(())
    }

    fn catch_up(&mut self, file: &mut File) -> Result<(), LedgerFileError> {
        let length = file.metadata().map_err(|error| self.system("read", error))?.len();
        if length < self.end {
            return Err(LedgerFileError::Shrunk {
                path: self.path.clone(),
                expected: self.end,
                found: length,
            });
        }
        let mut bytes = Vec::new();
        let read = file.seek(SeekFrom::Start(self.end)).and_then(|_| file.read_to_end(&mut bytes));
        read.map_err(|error| self.system("read", error))?;
        self.take(&bytes)
    }

    /// Writes rows behind those that are there; a file without a row is begun anew.
    fn write(&mut self, file: &mut File, count: usize, rows: &str) -> Result<(), LedgerFileError> {
        let start = if count == 0 { 0 } else { self.end };
        let line_end = if self.unfinished && count > 0 { "\n" } else { "" };
        let text = format!("{line_end}{rows}");
        let written = file
            .set_len(start)
            .and_then(|()| file.seek(SeekFrom::Start(start)))
            .and_then(|_| file.write_all(text.as_bytes()))
            .and_then(|()| file.sync_data())
            .and_then(|()| if count == 0 { File::open(self.folder())?.sync_all() } else { Ok(()) });
        if let Err(error) = written {
            // Should this fail too, the next append cuts the piece away.
            let _cut = file.set_len(start).and_then(|()| file.sync_data());
            return Err(self.system("write", error));
        }
        (self.end, self.unfinished, self.torn) = (start + text.len() as u64, false, 0);
        self.ledger.now_sealed();
        Ok(())
    }

    /// Keeps the file as it was under another name, and writes the whole with seals in its place.
    fn write_anew(&mut self) -> Result<PathBuf, LedgerFileError> {
        let mut number = 1;
        let mut kept = self.beside("before_1.csv");
        while kept.exists() {
            number += 1;
            kept = self.beside(&format!("before_{number}.csv"));
        }
        let text = self.ledger.text();
        fs::copy(&self.path, &kept).map_err(|error| self.system("copy", error))?;
        self.replace(&self.path, text.as_bytes())?;
        self.ledger.now_sealed();
        (self.end, self.unfinished, self.torn) = (text.len() as u64, false, 0);
        Ok(kept)
    }

    fn head(&self) -> Result<Option<Head>, LedgerFileError> {
        match fs::read(self.beside(HEAD)) {
            // A head that is not readable proves nothing; the next append writes it anew.
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.system("read the head of", error)),
        }
    }

    fn write_head(&self) -> Result<(), LedgerFileError> {
        let head = self.ledger.head().and_then(|head| serde_json::to_vec(&head).ok());
        head.map_or(Ok(()), |head| self.replace(&self.beside(HEAD), &head))
    }

    /// Replaces a file as a whole or not at all.
    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), LedgerFileError> {
        let new = path.with_extension("new");
        let written = File::create(&new)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_data()))
            .and_then(|()| fs::rename(&new, path))
            .and_then(|()| File::open(self.folder())?.sync_all());
        written.map_err(|error| {
            let _gone = fs::remove_file(&new);
            self.system("write", error)
        })
    }

    fn beside(&self, extension: &str) -> PathBuf {
        self.path.with_extension(extension)
    }

    fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// Holds the folder, so that one process at a time writes; waits for it.
    fn lock(&self) -> Result<File, LedgerFileError> {
        let held = fs::create_dir_all(self.folder())
            .and_then(|()| File::open(self.folder()))
            .and_then(|folder| folder.lock().map(|()| folder));
        held.map_err(|error| self.system("lock", error))
    }

    fn open_to_write(&self) -> Result<File, LedgerFileError> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&self.path);
        file.map_err(|error| self.system("open", error))
    }

    fn bytes(&self) -> Result<Vec<u8>, LedgerFileError> {
        match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            read => read.map_err(|error| self.system("read", error)),
        }
    }

    fn content(&self, source: LedgerError) -> LedgerFileError {
        LedgerFileError::Content { path: self.path.clone(), source }
    }

    fn no_text(&self) -> LedgerFileError {
        LedgerFileError::NoText { path: self.path.clone() }
    }

    fn system(&self, what: &'static str, source: io::Error) -> LedgerFileError {
        LedgerFileError::System { what, path: self.path.clone(), source }
    }
}

/// Extension of the file that holds the last seal.
const HEAD: &str = "head.json";
