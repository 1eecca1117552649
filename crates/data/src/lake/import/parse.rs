//! From blocks to checked rows on disk; one worker per thread.

use std::{
    io,
    path::Path,
    sync::{Mutex, PoisonError, mpsc::Receiver},
};

use csv::ByteRecord;
use market::LeagueId;
use memchr::{memchr, memchr_iter};
use rustc_hash::FxHashMap;

use super::{
    blocks::{self, Block},
    cells::{self, Kind},
    layout::Layout,
    names::Numbering,
    refusal::{Reason, RefusalWriter, Refusals},
    spill::{Row, Spill, SpillWriter},
};

/// Headers or texts that a worker remembers before it asks for all of them anew.
const REMEMBERED: usize = 1 << 16;

/// What a worker found in a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockRows {
    pub(super) block: u32,
    pub(super) rows: u32,
    pub(super) refused: u32,
    /// Where its refusals begin.
    pub(super) refusals_at: u64,
}

/// All that a worker found.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) spill: Spill,
    pub(super) refusals: Refusals,
    pub(super) blocks: Vec<BlockRows>,
}

/// A header that was read before.
#[derive(Debug, Clone, Copy)]
struct Known {
    header: u32,
    partition: u32,
    start_time: i64,
}

#[derive(Debug)]
pub(super) struct Worker<'a> {
    numbering: &'a Numbering,
    headers: FxHashMap<Box<[u8]>, Known>,
    texts: FxHashMap<Box<[u8]>, u32>,
    spill: SpillWriter,
    refusals: RefusalWriter,
    blocks: Vec<BlockRows>,
    /// Key of a header in the making.
    key: Vec<u8>,
}

/// Where a row's cells stand in its bytes.
type Bounds = [(usize, usize)];

impl<'a> Worker<'a> {
    pub(super) fn new(numbering: &'a Numbering, scratch: &Path, number: usize) -> io::Result<Self> {
        Ok(Self {
            numbering,
            headers: FxHashMap::default(),
            texts: FxHashMap::default(),
            spill: SpillWriter::create(scratch.join(format!("rows-{number}")))?,
            refusals: RefusalWriter::create(scratch.join(format!("refused-{number}")))?,
            blocks: Vec::new(),
            key: Vec::new(),
        })
    }

    /// Takes blocks until there are no more.
    pub(super) fn run(mut self, blocks: &Mutex<Receiver<Block>>) -> io::Result<Parsed> {
        loop {
            let next = blocks.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(block) = next else { break };
            self.take_block(&block)?;
        }
        Ok(Parsed { spill: self.spill.finish()?, refusals: self.refusals.finish()?, blocks: self.blocks })
    }

    fn take_block(&mut self, block: &Block) -> io::Result<()> {
        let refusals_at = self.refusals.written();
        let mut found = BlockRows { block: block.number, rows: 0, refused: 0, refusals_at };
        let bytes = &block.bytes[block.from..];
        if block.quoted {
            self.take_quoted(bytes, &block.layout, &mut found)?;
        } else {
            self.take_plain(bytes, &block.layout, &mut found)?;
        }
        self.blocks.push(found);
        Ok(())
    }

    fn take_plain(&mut self, mut bytes: &[u8], layout: &Layout, found: &mut BlockRows) -> io::Result<()> {
        let mut bounds = Vec::with_capacity(layout.width);
        while !bytes.is_empty() {
            let end = memchr(b'\n', bytes).unwrap_or(bytes.len());
            let line = &bytes[..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            bytes = bytes.get(end + 1..).unwrap_or_default();
            if line.is_empty() {
                continue;
            }
            bounds.clear();
            let mut start = 0;
            for comma in memchr_iter(b',', line) {
                bounds.push((start, comma));
                start = comma + 1;
            }
            bounds.push((start, line.len()));
            self.take_row(line, &bounds, layout, found)?;
        }
        Ok(())
    }

    fn take_quoted(&mut self, bytes: &[u8], layout: &Layout, found: &mut BlockRows) -> io::Result<()> {
        let mut reader = blocks::reader(bytes);
        let (mut record, mut bounds) = (ByteRecord::new(), Vec::new());
        while reader.read_byte_record(&mut record).map_err(io::Error::other)? {
            let row = record.as_slice();
            if record.len() == 1 && matches!(row, b"" | b"\r") {
                continue;
            }
            bounds.clear();
            bounds.extend((0..record.len()).filter_map(|cell| record.range(cell)).map(|r| (r.start, r.end)));
            if let Some((start, end)) = bounds.last_mut() {
                *end -= usize::from(row[*start..*end].ends_with(b"\r"));
            }
            self.take_row(row, &bounds, layout, found)?;
        }
        Ok(())
    }

    fn take_row(
        &mut self,
        bytes: &[u8],
        bounds: &Bounds,
        layout: &Layout,
        found: &mut BlockRows,
    ) -> io::Result<()> {
        let number = found.rows;
        found.rows += 1;
        let cells = Cells { bytes, bounds, layout };
        match self.read(cells) {
            Ok((partition, row)) => {
                self.spill.push(partition, &Row { block: found.block, index: number, ..row })
            }
            Err(reason) => {
                found.refused += 1;
                let whole = bounds.len() == layout.width;
                let league = if whole { cells.at(LEAGUE) } else { &[] };
                let league = if league_id(league).is_some() { league } else { &[] };
                let text: Vec<&[u8]> = bounds.iter().map(|(start, end)| &bytes[*start..*end]).collect();
                self.refusals.push(number, reason, league, &text.join(&b','))
            }
        }
    }

    fn read(&mut self, cells: Cells<'_>) -> Result<(u32, Row), Reason> {
        if cells.bounds.len() != cells.layout.width {
            return Err(Reason::Cells);
        }
        let Known { header, partition, start_time } = self.header(cells)?;
        let kind = Kind::read(cells.at(MARKET), cells.at(SELECTION))?;
        let points = cells::points(cells.at(POINTS), kind.market())?;
        let price = cells::price(cells.at(PRICE))?;
        let captured_at = cells::instant(cells.at(CAPTURED_AT)).ok_or(Reason::Captured)?;
        if captured_at >= start_time {
            return Err(Reason::InPlay);
        }
        let is_closing = cells::flag(cells.at(IS_CLOSING)).ok_or(Reason::Closing)?;
        let (book, source) = (self.text(cells.at(BOOK))?, self.text(cells.at(SOURCE))?);
        let row =
            Row { captured_at, price, block: 0, index: 0, header, book, source, points, kind, is_closing };
        Ok((partition, row))
    }

    fn header(&mut self, cells: Cells<'_>) -> Result<Known, Reason> {
        self.key.clear();
        for column in [LEAGUE, GAME_ID, SEASON, START_TIME, HOME, AWAY] {
            let cell = cells.at(column);
            self.key.extend_from_slice(&(cell.len() as u32).to_le_bytes());
            self.key.extend_from_slice(cell);
        }
        if let Some(known) = self.headers.get(self.key.as_slice()) {
            return Ok(*known);
        }
        let league = league_id(cells.at(LEAGUE)).ok_or(Reason::League)?;
        let season = cells::whole(cells.at(SEASON)).and_then(|year| i32::try_from(year).ok());
        let season = season.ok_or(Reason::Season)?;
        let start_time = cells::instant(cells.at(START_TIME)).ok_or(Reason::Start)?;
        let (game, home, away) = (name(cells.at(GAME_ID))?, name(cells.at(HOME))?, name(cells.at(AWAY))?);
        let (header, partition) =
            self.numbering.header([league.as_str(), game, home, away], season, start_time);
        let known = Known { header, partition, start_time };
        remember(&mut self.headers, &self.key, known);
        Ok(known)
    }

    fn text(&mut self, cell: &[u8]) -> Result<u32, Reason> {
        if let Some(known) = self.texts.get(cell) {
            return Ok(*known);
        }
        let number = self.numbering.text(name(cell)?);
        remember(&mut self.texts, cell, number);
        Ok(number)
    }
}

/// The cells of one row, by column.
#[derive(Debug, Clone, Copy)]
struct Cells<'a> {
    bytes: &'a [u8],
    bounds: &'a Bounds,
    layout: &'a Layout,
}

impl<'a> Cells<'a> {
    fn at(&self, column: usize) -> &'a [u8] {
        let (start, end) = self.bounds[self.layout.places[column]];
        self.bytes[start..end].trim_ascii()
    }
}

// Columns by their place in `layout::COLUMNS`.
const LEAGUE: usize = 0;
const GAME_ID: usize = 1;
const SEASON: usize = 2;
const START_TIME: usize = 3;
const HOME: usize = 4;
const AWAY: usize = 5;
const BOOK: usize = 6;
const MARKET: usize = 7;
const SELECTION: usize = 8;
const POINTS: usize = 9;
const PRICE: usize = 10;
const CAPTURED_AT: usize = 11;
const IS_CLOSING: usize = 12;
const SOURCE: usize = 13;

fn league_id(cell: &[u8]) -> Option<LeagueId> {
    LeagueId::new(std::str::from_utf8(cell).ok()?).ok()
}

fn name(cell: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(cell).ok().filter(|name| !name.is_empty()).ok_or(Reason::Name)
}

/// Remembers a value; a worker that met too many different keys begins anew.
fn remember<T>(known: &mut FxHashMap<Box<[u8]>, T>, key: &[u8], value: T) {
    if known.len() >= REMEMBERED {
        known.clear();
    }
    known.insert(key.into(), value);
}
