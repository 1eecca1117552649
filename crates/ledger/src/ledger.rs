//! What has happened so far, and what may be appended: the append-only book as text and as state.
//!
//! Reading refuses a file that is not wholly understood, so nothing is lost by writing over it. Appending skips an event
//! that is already there, so a night run twice is a night run once.
//!
//! # Example
//! ```
//! use ledger::{Entry, Event, Ledger, Mode, Night};
//! let night = Night { date: "2021-11-11".parse().unwrap(), as_of: "2021-11-11T09:00:00Z".parse().unwrap(),
//!     run_id: "run-1".into(), recorded_at: "2021-11-11T09:03:00Z".parse().unwrap() };
//! let deposit = Entry::cash(&night, Event::Deposit, Mode::Live, "50.00".parse().unwrap(), "november");
//! let starting = "1000.00".parse().unwrap();
//! let mut ledger = Ledger::parse("").unwrap();
//! let first = ledger.append(vec![deposit.clone()], starting).unwrap();
//! assert!(first.starts_with("date,game_id,stake,pnl,event,"));
//! assert_eq!(ledger.append(vec![deposit], starting).unwrap(), "", "the same event again adds nothing");
//! assert_eq!(Ledger::parse(ledger.text()).unwrap().bankroll(starting, Mode::Live).balance.to_string(), "1050.00");
//! ```

use std::collections::{BTreeMap, BTreeSet};

use market::{Date, Money, Timestamp};

use crate::{
    Entry, Event, LedgerError, Mode,
    entry::event_id,
    row::{COLUMNS, decode, encode},
};

/// The run that writes: every entry of it carries these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Night {
    /// Date of the report.
    pub date: Date,
    /// Nothing known at or after this instant is used.
    pub as_of: Timestamp,
    /// The run.
    pub run_id: String,
    /// The clock, read once by the caller.
    pub recorded_at: Timestamp,
}

/// Every event so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    text: String,
    entries: Vec<Entry>,
    lines: Vec<u64>,
    next_line: u64,
    state: State,
}

/// What follows from the entries.
#[derive(Debug, Clone, Default, PartialEq)]
struct State {
    bets: BTreeMap<String, Bet>,
    placed: Vec<usize>,
    event_ids: BTreeSet<String>,
    balances: BTreeMap<Mode, Money>,
}

#[derive(Debug, Clone, PartialEq)]
struct Bet {
    placed: usize,
    ending: Option<usize>,
    revision: u32,
}

impl Ledger {
    /// Reads a ledger; an empty text is an empty ledger.
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        let mut ledger = Self { text: text.to_owned(), next_line: line_after(text), ..Self::default() };
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        for (index, record) in reader.records().enumerate() {
            let record = record.map_err(|error| {
                let line = error.position().map_or(1, csv::Position::line);
                LedgerError::Csv { line, source: Box::new(error) }
            })?;
            if index == 0 {
                if record.iter().ne(COLUMNS) {
                    let found = record.iter().take(4).collect::<Vec<_>>().join(",");
                    return Err(LedgerError::Header { found });
                }
                continue;
            }
            let line = record.position().map_or(0, csv::Position::line);
            let entry = decode(&record, line)?;
            let event_id = entry.event_id.clone();
            ledger.take(entry, line).map_err(|problem| LedgerError::History { line, event_id, problem })?;
        }
        Ok(ledger)
    }

    /// Returns the whole text, header first; empty while nothing has happened.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns every event in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the events with their line in the text, counted from 1.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (u64, &Entry)> {
        self.lines.iter().copied().zip(&self.entries)
    }

    /// Appends what is not there yet, with its balance, and returns the new text (the header too, when it is the first).
    ///
    /// `starting` is a mode's balance before its first event; later the file itself says it. All or nothing: when one
    /// entry contradicts the history, none is appended.
    pub fn append(&mut self, entries: Vec<Entry>, starting: Money) -> Result<String, LedgerError> {
        let (count, length) = (self.entries.len(), self.text.len());
        for entry in entries {
            if self.state.event_ids.contains(&entry.event_id) {
                continue;
            }
            if let Err(refused) = self.append_one(entry, starting) {
                self.forget_after(count, length);
                return Err(refused);
            }
        }
        Ok(self.text[length..].to_owned())
    }

    fn append_one(&mut self, mut entry: Entry, starting: Money) -> Result<(), LedgerError> {
        let before = self.state.balances.get(&entry.mode).copied().unwrap_or(starting);
        entry.balance = before + entry.effect();
        let event_id = entry.event_id.clone();
        let mut text = String::new();
        if self.text.is_empty() {
            text += &write_line(&COLUMNS);
        } else if !self.text.ends_with('\n') {
            text.push('\n');
        }
        let line = if self.text.is_empty() { 2 } else { self.next_line };
        let row = write_line(&encode(&entry));
        self.take(entry, line).map_err(|problem| LedgerError::Refused { event_id, problem })?;
        self.next_line = line + row.matches('\n').count() as u64;
        text += &row;
        self.text += &text;
        Ok(())
    }

    fn forget_after(&mut self, count: usize, length: usize) {
        self.text.truncate(length);
        self.next_line = line_after(&self.text);
        self.lines.truncate(count);
        let kept: Vec<Entry> = self.entries.drain(..).take(count).collect();
        let lines = std::mem::take(&mut self.lines);
        self.state = State::default();
        for (entry, line) in kept.into_iter().zip(lines) {
            // They were taken before, in the same order, so that none is refused now.
            let _taken = self.take(entry, line);
        }
    }

    fn take(&mut self, entry: Entry, line: u64) -> Result<(), &'static str> {
        self.state.apply(&entry, self.entries.len())?;
        self.entries.push(entry);
        self.lines.push(line);
        Ok(())
    }

    /// Returns each bet as placed, with its ending if it has one, in the order placed.
    pub fn bets(&self) -> impl Iterator<Item = (&Entry, Option<&Entry>)> {
        self.state.placed.iter().map(|index| {
            let placed = &self.entries[*index];
            let ending = self.state.bets.get(&placed.bet_id).and_then(|bet| bet.ending);
            (placed, ending.map(|ending| &self.entries[ending]))
        })
    }

    /// Returns the bets that have no ending yet, in the order placed.
    pub fn open_bets(&self) -> Vec<&Entry> {
        self.bets().filter(|(_, ending)| ending.is_none()).map(|(placed, _)| placed).collect()
    }

    /// Returns how often the bet was corrected.
    pub(crate) fn revision(&self, bet_id: &str) -> u32 {
        self.state.bets.get(bet_id).map_or(0, |bet| bet.revision)
    }

    pub(crate) fn balance(&self, mode: Mode) -> Option<Money> {
        self.state.balances.get(&mode).copied()
    }
}

impl State {
    fn apply(&mut self, entry: &Entry, index: usize) -> Result<(), &'static str> {
        let known = self.bets.get(&entry.bet_id);
        let revision = known.map_or(0, |bet| bet.revision);
        if entry.event_id != event_id(&entry.bet_id, entry.event, revision) {
            return Err("its event id does not follow from bet, event and earlier corrections");
        }
        if self.event_ids.contains(&entry.event_id) {
            return Err("the same event is there already");
        }
        let ended = matches!(entry.event, Event::Settled | Event::Voided | Event::Corrected);
        if entry.ending.is_some() != ended {
            return Err("an ending belongs to settled, voided and corrected bets, and to nothing else");
        }
        if entry.stake <= Money::ZERO {
            return Err("the stake or amount must be above zero");
        }
        self.advance(entry, index)?;
        self.event_ids.insert(entry.event_id.clone());
        self.balances.insert(entry.mode, entry.balance);
        Ok(())
    }

    fn advance(&mut self, entry: &Entry, index: usize) -> Result<(), &'static str> {
        match (entry.event, self.bets.get_mut(&entry.bet_id)) {
            (Event::Deposit | Event::Withdrawal, None) => {}
            (Event::Placed, None) if entry.terms.is_some() => {
                self.bets.insert(entry.bet_id.clone(), Bet { placed: index, ending: None, revision: 0 });
                self.placed.push(index);
            }
            (Event::Settled | Event::Voided, Some(bet)) if bet.ending.is_none() => bet.ending = Some(index),
            (Event::Corrected, Some(bet)) if bet.ending.is_some() => {
                bet.ending = None;
                bet.revision += 1;
            }
            (Event::Settled | Event::Voided, Some(_)) => return Err("the bet has ended already"),
            (Event::Corrected, Some(_)) => return Err("the bet has no ending to correct"),
            (Event::Settled | Event::Voided | Event::Corrected, None) => {
                return Err("no such bet was placed");
            }
            (Event::Placed, None) => return Err("a placed bet needs its terms"),
            (Event::Placed | Event::Deposit | Event::Withdrawal, Some(_)) => {
                return Err("the bet's id is taken already");
            }
        }
        Ok(())
    }
}

/// Returns the line, counted from 1, at which the next row begins.
fn line_after(text: &str) -> u64 {
    let unfinished = !text.is_empty() && !text.ends_with('\n');
    text.matches('\n').count() as u64 + 1 + u64::from(unfinished)
}

fn write_line(cells: &[impl AsRef<str>]) -> String {
    let mut line = String::new();
    for (i, cell) in cells.iter().enumerate() {
        if i > 0 {
            line.push(',');
        }
        let cell = cell.as_ref();
        if cell.contains([',', '"', '\n', '\r']) {
            line.push('"');
            line += &cell.replace('"', "\"\"");
            line.push('"');
        } else {
            line += cell;
        }
    }
    line.push('\n');
    line
}
