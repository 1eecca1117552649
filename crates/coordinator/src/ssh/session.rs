//! Questions over one connection, and outputs on their way back.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use openssh::{Session, Stdio};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::marker::MARKER;

use super::{journal::Entry, script};

/// More noise than this before an answer is no greeting any more.
const LONGEST_NOISE: usize = 1 << 20;
/// Noise after an answer is looked through so far for the answer's end.
const LONGEST_FAREWELL: u64 = 1 << 16;

/// Runs a script on the node and returns what it said, with the exit code of its last part.
///
/// The exit code of ssh is not looked at: 255 may mean anything, and a whole answer says all.
pub(super) async fn ask(
    session: &Session,
    work: &str,
    speak: &str,
    within: Duration,
) -> Result<(Vec<u8>, i32), String> {
    let token = script::token();
    let asked = tokio::time::timeout(within, async {
        let mut printed = Vec::new();
        let mut child = send(session, &script::framed(work, speak, &token)).await?;
        if let Some(stdout) = child.stdout() {
            stdout.read_to_end(&mut printed).await.map_err(|error| error.to_string())?;
        }
        let _ = child.wait().await;
        Ok::<_, String>(printed)
    });
    let printed = asked.await.map_err(|_| format!("no answer within {} s", within.as_secs_f64()))??;
    match script::unframed(&printed, &token) {
        Some((answer, code)) => Ok((answer.to_vec(), code)),
        None => Err(why(session).await),
    }
}

async fn send<'a>(session: &'a Session, script: &str) -> Result<openssh::Child<&'a Session>, String> {
    let mut command = session.raw_command("sh");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().await.map_err(|error| error.to_string())?;
    if let Some(mut stdin) = child.stdin().take() {
        // A node that hangs up is noticed by its missing answer.
        let _ = stdin.write_all(script.as_bytes()).await;
        let _ = stdin.shutdown().await;
    }
    Ok(child)
}

/// Asks the master connection what became of it.
async fn why(session: &Session) -> String {
    match session.check().await {
        Ok(()) => "the answer was cut short".to_owned(),
        Err(error) => {
            std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string)
        }
    }
}

/// Why an output is not here.
#[derive(Debug)]
pub(super) enum FetchError {
    /// The connection broke: it is worth trying again.
    Connection(String),
    /// Something that stays so.
    Final(String),
}

impl From<io::Error> for FetchError {
    fn from(error: io::Error) -> Self {
        Self::Final(error.to_string())
    }
}

/// Copies the log of an attempt and, with `output`, its output folder to this machine.
///
/// The folder becomes visible under its name at once and whole, so `.done` in it vouches for the rest.
pub(super) async fn fetch(
    session: Arc<Session>,
    entry: Entry,
    output: bool,
    root: PathBuf,
) -> Result<(), FetchError> {
    let job = root.join(&entry.spec.id);
    let name = format!("attempt-{}", entry.number);
    if output && job.join(&name).join(MARKER).exists() {
        // Fetched by an executor that was killed before it wrote that down.
        return Ok(());
    }
    let transit = job.join(format!("{name}.transit"));
    clear(&transit)?;
    fs::create_dir(&transit)?;
    let archive = transit.join("archive.tar");
    receive(&session, &script::archive(&entry, output), &archive).await?;
    let unpacked = tokio::task::spawn_blocking(move || unpack(&job, &name, &transit, &archive, output)).await;
    unpacked.map_err(|error| FetchError::Final(error.to_string()))?
}

/// Writes what the script says into a file, and cuts the marks off.
async fn receive(session: &Session, speak: &str, path: &Path) -> Result<(), FetchError> {
    let token = script::token();
    let mut child =
        send(session, &script::framed("", speak, &token)).await.map_err(FetchError::Connection)?;
    let Some(mut stdout) = child.stdout().take() else {
        return Err(FetchError::Connection("nothing can be read".to_owned()));
    };
    let mut file = tokio::fs::File::create(path).await?;
    let begin = script::begin_mark(&token);
    let mut before = Some(Vec::new());
    let mut chunk = vec![0; 1 << 16];
    loop {
        let count = stdout.read(&mut chunk).await.map_err(|e| FetchError::Connection(e.to_string()))?;
        if count == 0 {
            break;
        }
        let Some(noise) = &mut before else {
            file.write_all(&chunk[..count]).await?;
            continue;
        };
        noise.extend_from_slice(&chunk[..count]);
        if let Some(at) = script::find(noise, begin.as_bytes()) {
            file.write_all(&noise[at + begin.len()..]).await?;
            before = None;
        } else if noise.len() > LONGEST_NOISE {
            return Err(FetchError::Final("the node's shell greets without end".to_owned()));
        }
    }
    file.flush().await?;
    let _ = child.wait().await;
    match cut_end(path, &token)? {
        Some(0) => Ok(()),
        Some(code) => Err(FetchError::Final(format!("tar on the node ended with exit code {code}"))),
        None => Err(FetchError::Connection(why(session).await)),
    }
}

/// Cuts the end mark off a file and returns the exit code in it; none when the file is not whole.
fn cut_end(path: &Path, token: &str) -> io::Result<Option<i32>> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(LONGEST_FAREWELL);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let Some((at, code)) = script::ending(&tail, token) else { return Ok(None) };
    file.set_len(start + at as u64)?;
    Ok(Some(code))
}

fn unpack(job: &Path, name: &str, transit: &Path, archive: &Path, output: bool) -> Result<(), FetchError> {
    // The owner on the node means nothing here.
    let told = Command::new("tar").arg("-xof").arg(archive).arg("-C").arg(transit).output()?;
    if !told.status.success() {
        let said = String::from_utf8_lossy(&told.stderr).trim().to_owned();
        return Err(FetchError::Final(format!("cannot unpack the archive: {said}")));
    }
    let log = format!("{name}.log");
    fs::rename(transit.join(&log), job.join(&log))?;
    if output {
        let folder = transit.join(name);
        if !folder.join(MARKER).exists() {
            return Err(FetchError::Final("the copy has no `.done`".to_owned()));
        }
        make_durable(&folder)?;
        fs::rename(&folder, job.join(name))?;
        File::open(job)?.sync_all()?;
    }
    Ok(clear(transit)?)
}

/// Brings a folder with all that is in it to the disk.
fn make_durable(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            make_durable(&entry.path())?;
        } else if kind.is_file() {
            File::open(entry.path())?.sync_all()?;
        }
    }
    File::open(folder)?.sync_all()
}

fn clear(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_its_end_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("archive");
        fs::write(&path, "bytes\nend-7 0\n").unwrap();
        assert_eq!(cut_end(&path, "8").unwrap(), None);
        assert_eq!(cut_end(&path, "7").unwrap(), Some(0));
        assert_eq!(fs::read(&path).unwrap(), b"bytes\n");
        fs::write(&path, "bytesend-7 2").unwrap();
        assert_eq!(cut_end(&path, "7").unwrap(), None);
        fs::write(&path, "").unwrap();
        assert_eq!(cut_end(&path, "7").unwrap(), None);
    }
}
