//! Rows of all partitions in one file on disk, so that memory does not grow with their number.

use std::{
    fs::File,
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::cells::Kind;

/// Bytes that a partition gathers before they are written.
const CHUNK: usize = 128 << 10;
/// Bytes that all partitions of one writer hold at most.
const HELD: usize = 16 << 20;

/// A checked row; texts and headers are numbers of [`Numbering`](super::names::Numbering).
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) captured_at: i64,
    pub(super) price: f64,
    /// Place in the input: the block, and which row of it.
    pub(super) block: u32,
    pub(super) index: u32,
    pub(super) header: u32,
    pub(super) book: u32,
    pub(super) source: u32,
    pub(super) points: i16,
    pub(super) kind: Kind,
    pub(super) is_closing: bool,
}

impl Row {
    /// Size on disk.
    const BYTES: usize = 40;

    fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&self.captured_at.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.price.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.block.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.index.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.header.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.book.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.source.to_le_bytes());
        bytes[36..38].copy_from_slice(&self.points.to_le_bytes());
        bytes[38] = self.kind.0;
        bytes[39] = self.is_closing.into();
        bytes
    }

    fn decode(bytes: &[u8; Self::BYTES]) -> Self {
        let four = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let eight = |at: usize| u64::from(four(at)) | u64::from(four(at + 4)) << 32;
        Self {
            captured_at: eight(0) as i64,
            price: f64::from_bits(eight(8)),
            block: four(16),
            index: four(20),
            header: four(24),
            book: four(28),
            source: four(32),
            points: i16::from_le_bytes([bytes[36], bytes[37]]),
            kind: Kind(bytes[38]),
            is_closing: bytes[39] != 0,
        }
    }
}

/// Takes rows in any order.
#[derive(Debug)]
pub(super) struct SpillWriter {
    path: PathBuf,
    file: BufWriter<File>,
    written: u64,
    held: usize,
    partitions: Vec<Held>,
}

#[derive(Debug, Default)]
struct Held {
    bytes: Vec<u8>,
    chunks: Vec<Chunk>,
}

#[derive(Debug, Clone, Copy)]
struct Chunk {
    at: u64,
    bytes: usize,
}

impl SpillWriter {
    pub(super) fn create(path: PathBuf) -> io::Result<Self> {
        let file = BufWriter::with_capacity(256 << 10, File::create(&path)?);
        Ok(Self { path, file, written: 0, held: 0, partitions: Vec::new() })
    }

    pub(super) fn push(&mut self, partition: u32, row: &Row) -> io::Result<()> {
        let partition = partition as usize;
        if self.partitions.len() <= partition {
            self.partitions.resize_with(partition + 1, Held::default);
        }
        let held = &mut self.partitions[partition].bytes;
        held.extend_from_slice(&row.encode());
        self.held += Row::BYTES;
        if held.len() + Row::BYTES > CHUNK {
            return self.write(partition);
        }
        if self.held > HELD {
            return (0..self.partitions.len()).try_for_each(|partition| self.write(partition));
        }
        Ok(())
    }

    /// Writes the rest and returns what can be read.
    pub(super) fn finish(mut self) -> io::Result<Spill> {
        (0..self.partitions.len()).try_for_each(|partition| self.write(partition))?;
        self.file.flush()?;
        let chunks = self.partitions.into_iter().map(|held| held.chunks).collect();
        Ok(Spill { path: self.path, chunks })
    }

    fn write(&mut self, partition: usize) -> io::Result<()> {
        let Held { bytes, chunks } = &mut self.partitions[partition];
        if bytes.is_empty() {
            return Ok(());
        }
        self.file.write_all(bytes)?;
        chunks.push(Chunk { at: self.written, bytes: bytes.len() });
        self.written += bytes.len() as u64;
        self.held -= bytes.len();
        bytes.clear();
        Ok(())
    }
}

/// Rows on disk, by partition.
#[derive(Debug)]
pub(super) struct Spill {
    path: PathBuf,
    chunks: Vec<Vec<Chunk>>,
}

impl Spill {
    /// Returns the file that holds the rows.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns how many rows a partition has.
    pub(super) fn rows(&self, partition: u32) -> usize {
        self.of(partition).iter().map(|chunk| chunk.bytes / Row::BYTES).sum()
    }

    /// Visits a partition's rows.
    pub(super) fn read(
        &self,
        partition: u32,
        mut visit: impl FnMut(Row) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut bytes = Vec::new();
        let mut file = File::open(&self.path)?;
        for chunk in self.of(partition) {
            bytes.resize(chunk.bytes, 0);
            file.seek(SeekFrom::Start(chunk.at))?;
            file.read_exact(&mut bytes)?;
            let (rows, _) = bytes.as_chunks();
            rows.iter().try_for_each(|row| visit(Row::decode(row)))?;
        }
        Ok(())
    }

    fn of(&self, partition: u32) -> &[Chunk] {
        self.chunks.get(partition as usize).map_or(&[], Vec::as_slice)
    }
}
