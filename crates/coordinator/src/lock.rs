//! A file that at most one holder has at a time, between processes and between threads of one.
//!
//! The system lets go of the lock when its holder drops it or dies, however it dies; a file left behind blocks nobody.
//! The lock holds among processes of one machine.
//!
//! # Example
//! ```
//! use coordinator::{Lock, LockError};
//! let path = std::env::temp_dir().join(format!("coordinator-lock-{}", std::process::id()));
//! let now = "2024-05-01T00:00:00Z".parse().unwrap();
//! let mine = Lock::try_take(&path, now).unwrap();
//! assert!(matches!(Lock::try_take(&path, now), Err(LockError::Held { .. })));
//! drop(mine);
//! assert!(Lock::take(&path, now).is_ok());
//! # std::fs::remove_file(&path).unwrap();
//! ```

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;

/// A lock that is only looked at is free again in less.
const PAUSE: Duration = Duration::from_millis(5);
const TRIES: usize = 10;

/// Why a lock was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Somebody else has it.
    #[error("{} is held by {owner}: wait for it to end, or stop it", path.display())]
    Held {
        /// The file.
        path: PathBuf,
        /// What the holder wrote about itself.
        owner: String,
    },
    /// The file could not be opened, locked or written.
    #[error("cannot lock {}: check that the disk is there, writable and not full", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// A lock that is held as long as this value lives.
#[derive(Debug)]
#[must_use = "the lock is let go when it is dropped"]
pub struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // What stays of a process that was killed is told apart by the lock itself.
        let _ = self.file.set_len(0);
    }
}

impl Lock {
    /// Takes the lock at `path`, whose folder is created when absent, or says who has it.
    ///
    /// # Errors
    /// [`LockError::Held`] while another holder lives.
    pub fn try_take(path: &Path, now: Timestamp) -> Result<Self, LockError> {
        let mut file = open(path)?;
        let mut tried = file.try_lock();
        for _ in 0..TRIES {
            if !matches!(tried, Err(TryLockError::WouldBlock)) {
                break;
            }
            std::thread::sleep(PAUSE);
            tried = file.try_lock();
        }
        match tried {
            Ok(()) => Self::signed(file, path, now),
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                let told = file.read_to_string(&mut owner).is_ok() && !owner.trim().is_empty();
                let owner = if told { owner.trim() } else { "another process" };
                Err(LockError::Held { path: path.to_owned(), owner: owner.to_owned() })
            }
            Err(TryLockError::Error(source)) => Err(failed(path)(source)),
        }
    }

    /// Takes the lock at `path`, waiting for whoever has it; for work of a moment.
    pub fn take(path: &Path, now: Timestamp) -> Result<Self, LockError> {
        let file = open(path)?;
        file.lock().map_err(failed(path))?;
        Self::signed(file, path, now)
    }

    /// Returns what the holder of the lock at `path` wrote about itself; none while nobody holds it.
    pub fn holder(path: &Path) -> Option<String> {
        let mut file = File::open(path).ok()?;
        let mut owner = String::new();
        file.read_to_string(&mut owner).ok()?;
        // Whoever lets go leaves nothing written; then nobody's way is crossed.
        if owner.is_empty() {
            return None;
        }
        // A shared lock is given back as soon as it is had, and whoever wants the lock at this moment tries again.
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)).then_some(owner)
    }

    fn signed(mut file: File, path: &Path, now: Timestamp) -> Result<Self, LockError> {
        let owner = format!("process {} since {now}", std::process::id());
        let told =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(owner.as_bytes()));
        told.map_err(failed(path))?;
        Ok(Self { file })
    }
}

fn open(path: &Path) -> Result<File, LockError> {
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed(path))?;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).open(path).map_err(failed(path))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> LockError {
    let path = path.to_owned();
    move |source| LockError::File { path, source }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_file_left_by_a_dead_process_blocks_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        fs::write(&path, "process 1 since yesterday").unwrap();
        let _lock = Lock::try_take(&path, Timestamp::UNIX_EPOCH).unwrap();
        let owner = fs::read_to_string(&path).unwrap();
        assert_eq!(owner, format!("process {} since 1970-01-01T00:00:00Z", std::process::id()));
    }

    #[test]
    fn who_only_looks_keeps_nobody_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        assert_eq!(Lock::holder(&path), None, "no file, no holder");
        let looking = std::sync::atomic::AtomicBool::new(true);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while looking.load(Ordering::SeqCst) {
                    let _ = Lock::holder(&path);
                }
            });
            let taken = (0..200).all(|_| {
                let lock = Lock::try_take(&path, Timestamp::UNIX_EPOCH);
                lock.is_ok() && Lock::holder(&path).is_some_and(|holder| holder.contains("process"))
            });
            looking.store(false, Ordering::SeqCst);
            assert!(taken);
        });
        assert_eq!(Lock::holder(&path), None);
    }

    #[test]
    fn who_waits_comes_after_and_nobody_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let (lock, count) = (folder.path().join("locks/lock"), folder.path().join("count"));
        fs::write(&count, "0").unwrap();
        let inside = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let _lock = Lock::take(&lock, Timestamp::UNIX_EPOCH).unwrap();
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    let before: u32 = fs::read_to_string(&count).unwrap().parse().unwrap();
                    fs::write(&count, (before + 1).to_string()).unwrap();
                    inside.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(fs::read_to_string(&count).unwrap(), "8");
    }
}
