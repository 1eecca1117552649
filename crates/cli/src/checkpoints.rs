//! Checkpoints of a training as files of one folder.

use std::{
    error::Error,
    io::{self, Write},
    path::{Path, PathBuf},
};

use model::Checkpoints;

/// A folder of checkpoints, made when the first one comes.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(folder: impl AsRef<Path>) -> Self {
        Self(folder.as_ref().to_path_buf())
    }

    /// Removes it; a training that is over needs none.
    pub(crate) fn remove(&self) {
        // One that stays costs room and nothing else: its name belongs to this training alone.
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

impl Folder {
    /// Writes whole or not at all, whoever else keeps the same checkpoint meanwhile.
    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        std::fs::create_dir_all(&self.0)?;
        let part = self.0.join(format!("{name}.{}.part", std::process::id()));
        let mut file = std::fs::File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        std::fs::rename(part, self.0.join(name))
    }
}

impl Checkpoints for Folder {
    fn load(&self, name: &str) -> Option<Vec<u8>> {
        std::fs::read(self.0.join(name)).ok()
    }

    fn save(&self, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error + Send + Sync>> {
        match self.write(name, bytes) {
            // The same training beside this one, left behind by a command that was killed, has just ended and tidied up.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(self.write(name, bytes)?),
            written => Ok(written?),
        }
    }
}
