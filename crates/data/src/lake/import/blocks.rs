//! Files as blocks of whole records, with their hash and on request their bytes, in one pass.

use std::{
    fmt::Write,
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use csv::{ByteRecord, ReaderBuilder, Terminator};
use flate2::bufread::MultiGzDecoder;
use market::Name;
use memchr::{memchr, memrchr};
use ring::digest::{Context, SHA256};

use super::layout::Layout;
use crate::DataError;

/// Bytes of a block, unless a single record is longer.
const BLOCK: usize = 1 << 20;
/// Bytes of the longest record; beyond, a quote was opened and never closed.
const LONGEST: usize = 16 << 20;

/// Whole records of one file.
#[derive(Debug)]
pub(super) struct Block {
    /// Counted over all files.
    pub(super) number: u32,
    pub(super) bytes: Vec<u8>,
    /// Where the records begin, behind a header.
    pub(super) from: usize,
    /// Whether a quote stands somewhere, so that commas and line ends may belong to cells.
    pub(super) quoted: bool,
    pub(super) layout: Arc<Layout>,
}

/// A file that was read to its end.
#[derive(Debug)]
pub(super) struct InputFile {
    pub(super) name: String,
    pub(super) sha256: Name,
    /// How many bytes it has.
    pub(super) bytes: u64,
    /// Its bytes, compressed, when they are to be kept.
    pub(super) raw: Option<PathBuf>,
    pub(super) extension: &'static str,
}

/// Reads a file in blocks until `send` says that no one takes them any more; the caller numbers them.
///
/// `progress` is called with the bytes of the file that were read so far.
pub(super) fn read(
    path: &Path,
    raw: Option<PathBuf>,
    progress: &dyn Fn(u64),
    mut send: impl FnMut(Block) -> bool,
) -> Result<InputFile, DataError> {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let failed = |cause| unreadable(path, cause);
    let mut input = Input::open(path, raw.as_deref()).map_err(failed)?;
    let (mut layout, mut carried) = (None, Vec::new());
    loop {
        let wanted = BLOCK.max(2 * carried.len());
        let mut bytes = Vec::with_capacity(wanted);
        bytes.append(&mut carried);
        let missing = (wanted - bytes.len()) as u64;
        (&mut input).take(missing).read_to_end(&mut bytes).map_err(failed)?;
        let last = bytes.len() < wanted;
        progress(input.tee().bytes);
        let Records { end, quoted, open } = records(&bytes);
        if (last && open) || bytes.len() - end > LONGEST {
            let problem = "has a row beyond 16 MiB or a quoted cell that does not end".to_owned();
            let advice = "close the quote, or download it again".to_owned();
            return Err(DataError::Payload { name, problem, advice });
        }
        if !last {
            carried.extend_from_slice(&bytes[end..]);
            bytes.truncate(end);
        }
        let from = if layout.is_none() { header(&name, &bytes, &mut layout)? } else { 0 };
        let Some(layout) = &layout else {
            if last {
                let advice = "download it again".to_owned();
                return Err(DataError::Payload { name, problem: "is empty".to_owned(), advice });
            }
            continue;
        };
        let empty = from == bytes.len();
        let block = Block { number: 0, bytes, from, quoted, layout: layout.clone() };
        if !empty && !send(block) || last {
            break;
        }
    }
    let extension = if matches!(input, Input::Gzip(_)) { "csv.gz" } else { "csv" };
    let (sha256, bytes) = input.finish().map_err(failed)?;
    Ok(InputFile { name, sha256, bytes, raw, extension })
}

/// Reads the first record that is not blank and returns where the next one begins.
fn header(name: &str, bytes: &[u8], layout: &mut Option<Arc<Layout>>) -> Result<usize, DataError> {
    let bom = bytes.strip_prefix(b"\xef\xbb\xbf").map_or(0, |_| 3);
    if bytes.trim_ascii_start().starts_with(b"<") {
        let advice = "check that the address names the file itself".to_owned();
        let problem = "is a web page, not a table".to_owned();
        return Err(DataError::Payload { name: name.to_owned(), problem, advice });
    }
    let mut reader = reader(&bytes[bom..]);
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).unwrap_or(false) {
        if !record.as_slice().trim_ascii().is_empty() {
            *layout = Some(Arc::new(Layout::read(name, &record)?));
            return Ok(bom + reader.position().byte() as usize);
        }
    }
    Ok(bytes.len())
}

/// Reads records that may hold quotes, each ended by a line feed.
pub(super) fn reader(bytes: &[u8]) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .terminator(Terminator::Any(b'\n'))
        .from_reader(bytes)
}

struct Records {
    /// Where the last whole record ends.
    end: usize,
    quoted: bool,
    /// Whether the bytes stop within a quoted cell.
    open: bool,
}

/// Finds whole records; a quote opens a cell only as its first character, as in the csv crate.
fn records(bytes: &[u8]) -> Records {
    let mut found = Records { end: 0, quoted: false, open: false };
    let mut from = 0;
    loop {
        let quote = memchr(b'"', &bytes[from..]).map(|at| from + at);
        if let Some(line_end) = memrchr(b'\n', &bytes[from..quote.unwrap_or(bytes.len())]) {
            found.end = from + line_end + 1;
        }
        let Some(quote) = quote else { return found };
        found.quoted = true;
        from = quote + 1;
        if quote > 0 && !matches!(bytes[quote - 1], b',' | b'\n') && !is_bom(&bytes[..quote]) {
            continue;
        }
        loop {
            let Some(close) = memchr(b'"', &bytes[from..]) else {
                found.open = true;
                return found;
            };
            from += close + 1;
            if bytes.get(from) != Some(&b'"') {
                break;
            }
            from += 1;
        }
    }
}

fn is_bom(bytes: &[u8]) -> bool {
    bytes == b"\xef\xbb\xbf"
}

/// A file, unpacked when it is packed.
#[derive(Debug)]
enum Input {
    Plain(Box<BufReader<Tee>>),
    Gzip(Box<MultiGzDecoder<BufReader<Tee>>>),
}

impl Input {
    fn open(path: &Path, raw: Option<&Path>) -> io::Result<Self> {
        let raw = raw.map(|raw| zstd::Encoder::new(BufWriter::new(File::create(raw)?), 0)).transpose()?;
        let tee = Tee { file: File::open(path)?, hash: Context::new(&SHA256), raw, bytes: 0 };
        let mut input = BufReader::with_capacity(256 << 10, tee);
        let packed = input.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        Ok(if packed {
            Self::Gzip(Box::new(MultiGzDecoder::new(input)))
        } else {
            Self::Plain(Box::new(input))
        })
    }

    fn tee(&self) -> &Tee {
        match self {
            Self::Plain(input) => input.get_ref(),
            Self::Gzip(input) => input.get_ref().get_ref(),
        }
    }

    /// Reads what a packed file may have behind its end and returns the hash and size of the whole file.
    fn finish(self) -> io::Result<(Name, u64)> {
        let mut tee = match self {
            Self::Plain(input) => input.into_inner(),
            Self::Gzip(input) => input.into_inner().into_inner(),
        };
        // Bytes in the buffer were hashed when they came into it.
        io::copy(&mut tee, &mut io::sink())?;
        if let Some(raw) = tee.raw {
            raw.finish()?.into_inner()?;
        }
        let hash = tee.hash.finish();
        let hexadecimal = hash.as_ref().iter().fold(String::new(), |mut text, byte| {
            _ = write!(text, "{byte:02x}");
            text
        });
        Ok((hexadecimal.as_str().into(), tee.bytes))
    }
}

impl Read for Input {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input) => input.read(bytes),
            Self::Gzip(input) => input.read(bytes),
        }
    }
}

/// The file as it lies there, hashed and kept while it is read.
struct Tee {
    file: File,
    hash: Context,
    raw: Option<zstd::Encoder<'static, BufWriter<File>>>,
    bytes: u64,
}

impl std::fmt::Debug for Tee {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tee").field("file", &self.file).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Read for Tee {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(bytes)?;
        self.hash.update(&bytes[..read]);
        if let Some(raw) = &mut self.raw {
            io::Write::write_all(raw, &bytes[..read])?;
        }
        self.bytes += read as u64;
        Ok(read)
    }
}

fn unreadable(path: &Path, cause: io::Error) -> DataError {
    DataError::Location {
        location: path.display().to_string(),
        problem: "it cannot be read to its end".to_owned(),
        advice: "check the path, the right to read it and, of a .gz file, that it is whole".to_owned(),
        cause: Some(Box::new(cause)),
    }
}
