//! Refused rows on disk until it is known of which file and row they are.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::PathBuf,
};

/// Characters of a refused row that are kept, in bytes.
const TEXT: usize = 500;

/// Why a row was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    Cells,
    League,
    Season,
    Start,
    Name,
    Market,
    Selection,
    Mismatch,
    Points,
    NoPoints,
    MoneylinePoints,
    PriceUnreadable,
    Price,
    Captured,
    InPlay,
    Closing,
}

impl Reason {
    const ALL: [Self; 16] = [
        Self::Cells,
        Self::League,
        Self::Season,
        Self::Start,
        Self::Name,
        Self::Market,
        Self::Selection,
        Self::Mismatch,
        Self::Points,
        Self::NoPoints,
        Self::MoneylinePoints,
        Self::PriceUnreadable,
        Self::Price,
        Self::Captured,
        Self::InPlay,
        Self::Closing,
    ];

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Cells => "the row has another number of cells than the header",
            Self::League => "the league is no id of lower-case letters, digits and dashes",
            Self::Season => "the season is no year",
            Self::Start => "the start time is unreadable",
            Self::Name => "a game id, team, book or source is empty or unreadable",
            Self::Market => "the market is unknown",
            Self::Selection => "the selection is unknown",
            Self::Mismatch => "the selection does not belong to the market",
            Self::Points => "points are no multiple of a quarter",
            Self::NoPoints => "a price stands without its points",
            Self::MoneylinePoints => "a moneyline has points",
            Self::PriceUnreadable => "the price is unreadable",
            Self::Price => "a price is no odds above 1",
            Self::Captured => "the capture time is unreadable",
            Self::InPlay => "the price was captured at or after the start",
            Self::Closing => "is_closing is neither true nor false",
        }
    }
}

/// A refused row as it is read back.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Row within its block.
    pub(super) row: u32,
    pub(super) reason: Reason,
    /// The league, when the cell is a league's id.
    pub(super) league: Option<String>,
    pub(super) text: String,
}

/// Takes the refusals of one worker, block by block.
#[derive(Debug)]
pub(super) struct RefusalWriter {
    path: PathBuf,
    file: BufWriter<File>,
    written: u64,
}

impl RefusalWriter {
    pub(super) fn create(path: PathBuf) -> io::Result<Self> {
        Ok(Self { file: BufWriter::new(File::create(&path)?), path, written: 0 })
    }

    /// Returns how many bytes were written.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    pub(super) fn push(&mut self, row: u32, reason: Reason, league: &[u8], text: &[u8]) -> io::Result<()> {
        let league = if league.len() > 255 { &[] } else { league };
        let text = &text[..text.len().min(TEXT)];
        self.file.write_all(&row.to_le_bytes())?;
        self.file.write_all(&[reason as u8, league.len() as u8])?;
        self.file.write_all(&(text.len() as u16).to_le_bytes())?;
        self.file.write_all(league)?;
        self.file.write_all(text)?;
        self.written += 8 + (league.len() + text.len()) as u64;
        Ok(())
    }

    /// Flushes and returns what can be read.
    pub(super) fn finish(mut self) -> io::Result<Refusals> {
        self.file.flush()?;
        Ok(Refusals(self.path))
    }
}

/// The refusals of one worker on disk.
#[derive(Debug)]
pub(super) struct Refusals(PathBuf);

impl Refusals {
    /// Visits the `count` refusals from a byte on.
    pub(super) fn read(&self, at: u64, count: u32, mut visit: impl FnMut(Refusal)) -> io::Result<()> {
        let mut file = File::open(&self.0)?;
        file.seek(SeekFrom::Start(at))?;
        let mut file = BufReader::new(file);
        for _ in 0..count {
            let mut head = [0; 8];
            file.read_exact(&mut head)?;
            let [a, b, c, d, reason, league_bytes, low, high] = head;
            let mut cells = vec![0; usize::from(league_bytes) + usize::from(u16::from_le_bytes([low, high]))];
            file.read_exact(&mut cells)?;
            let (league, text) = cells.split_at(league_bytes.into());
            visit(Refusal {
                row: u32::from_le_bytes([a, b, c, d]),
                reason: Reason::ALL[usize::from(reason) % Reason::ALL.len()],
                league: (!league.is_empty()).then(|| String::from_utf8_lossy(league).into_owned()),
                text: String::from_utf8_lossy(text).into_owned(),
            });
        }
        Ok(())
    }
}
