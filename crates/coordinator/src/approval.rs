//! What removes something waits for a person, who approves it as it was asked.

use std::{fs, io, path::Path};

use crate::marker::write_whole;

const ASKED: &str = ".asks";
const APPROVED: &str = ".approved";

/// Leaves the question in a task's folder; a question with other inputs takes its place.
pub(crate) fn ask(folder: &Path, fingerprint: &str) -> io::Result<()> {
    write_whole(&folder.join(ASKED), fingerprint.as_bytes(), true)
}

/// Tells whether exactly this was approved.
pub(crate) fn is_given(folder: &Path, fingerprint: &str) -> bool {
    fs::read(folder.join(APPROVED)).is_ok_and(|approved| approved == fingerprint.as_bytes())
}

/// Answers the question in a task's folder with yes; false when there is none.
pub(crate) fn give(folder: &Path) -> io::Result<bool> {
    match fs::rename(folder.join(ASKED), folder.join(APPROVED)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
