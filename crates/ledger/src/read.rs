//! From the text of a ledger to its entries, checked seal by seal; on all cores, since each row names the seal before it.

use csv::StringRecord;
use rayon::prelude::*;

use crate::{
    Entry, LedgerError,
    row::{Layout, Names, decode},
    seal::Seal,
};

/// Rows that one core reads at a time.
const CHUNK: usize = 4096;

/// Rows with their seals, where they have any.
pub(crate) type Chunk = Vec<(Entry, Option<Seal>)>;

/// What stands in a ledger's text.
pub(crate) struct Rows {
    /// In order, as they were read.
    pub(crate) chunks: Vec<Chunk>,
    /// Whether they carry seals that were asked for.
    pub(crate) sealed: bool,
    /// How the lines are laid out; none of a text without a header.
    pub(crate) layout: Option<Layout>,
}

/// Returns the line, counted from 1, of the row with this index: a row is a line, and the header is the first.
pub(crate) fn line_of(index: usize) -> u64 {
    index as u64 + 2
}

/// Reads a whole ledger, its header first.
pub(crate) fn rows(text: &str, with_seals: bool) -> Result<Rows, LedgerError> {
    let (header, body) = text.split_once('\n').unwrap_or((text, ""));
    let header = header.trim_end_matches('\r');
    if text.is_empty() {
        return Ok(Rows { chunks: Vec::new(), sealed: true, layout: None });
    }
    let not_a_header = || LedgerError::Header { found: header.chars().take(60).collect() };
    let layout = record_of(header).and_then(|cells| Layout::of(&cells)).ok_or_else(not_a_header)?;
    let seal = (with_seals && layout.is_sealed()).then(|| Seal::of_header(header));
    rows_of(body, layout, seal, 0)
}

/// Reads rows that follow a row with this seal; `before` rows stand before them.
pub(crate) fn rows_after(
    text: &str,
    layout: &Layout,
    seal: Seal,
    before: usize,
) -> Result<Rows, LedgerError> {
    rows_of(text, layout.clone(), layout.is_sealed().then_some(seal), before)
}

fn rows_of(body: &str, layout: Layout, seal: Option<Seal>, before: usize) -> Result<Rows, LedgerError> {
    let lines: Vec<&str> = body.lines().collect();
    let chunks: Vec<Result<Chunk, LedgerError>> = lines
        .par_chunks(CHUNK)
        .enumerate()
        .map(|(number, chunk)| {
            let first = number * CHUNK;
            // A broken seal before this chunk is that chunk's to report; the rows here are judged by what it claims.
            let earlier = match first.checked_sub(1) {
                Some(last) => seal.and_then(|_| Seal::parse(sealed(lines[last])?.1)),
                None => seal,
            };
            read_chunk(chunk, &layout, earlier, seal.is_some(), before + first)
        })
        .collect();
    let chunks = chunks.into_iter().collect::<Result<_, _>>()?;
    Ok(Rows { chunks, sealed: seal.is_some(), layout: Some(layout) })
}

fn read_chunk(
    lines: &[&str],
    layout: &Layout,
    mut seal: Option<Seal>,
    is_sealed: bool,
    before: usize,
) -> Result<Chunk, LedgerError> {
    let mut rows = Vec::with_capacity(lines.len());
    let mut names = Names::default();
    for (index, text) in lines.iter().enumerate() {
        let line = line_of(before + index);
        // Hardly a row has quotes; without them a comma is a comma.
        let entry = if text.contains('"') {
            let record = record_of(text).ok_or(LedgerError::Csv { line })?;
            decode(record.iter(), line, layout, &mut names)?
        } else if text.is_empty() {
            return Err(LedgerError::Csv { line });
        } else {
            decode(text.split(','), line, layout, &mut names)?
        };
        if is_sealed {
            let (row, claimed) = sealed(text).ok_or(LedgerError::Seal { line })?;
            let holds =
                seal.map(|before| before.then(row)).filter(|seal| Seal::parse(claimed) == Some(*seal));
            seal = Some(holds.ok_or(LedgerError::Seal { line })?);
        }
        rows.push((entry, seal));
    }
    Ok(rows)
}

/// Splits a line into what is sealed and its seal.
fn sealed(line: &str) -> Option<(&str, &str)> {
    line.rsplit_once(',')
}

/// Reads one line as CSV; none when it is not exactly one record.
fn record_of(line: &str) -> Option<StringRecord> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line.as_bytes());
    let mut record = StringRecord::new();
    // A quote that is left open would be taken for text with line ends.
    let whole = line.matches('"').count().is_multiple_of(2);
    (whole && reader.read_record(&mut record).ok()?).then_some(record)
}
