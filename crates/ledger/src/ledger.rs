//! What has happened so far, and what may be appended: the append-only book as text and as state.
//!
//! Reading refuses a file that is not wholly understood or whose seals do not hold, so nothing is lost by writing to it.
//! Appending skips an event that is already there, so a night run twice is a night run once.
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
//! assert_eq!(Ledger::parse(&ledger.text()).unwrap().bankroll(starting, Mode::Live).balance.to_string(), "1050.00");
//! ```

use std::collections::BTreeMap;

use jiff::SignedDuration;
use market::{Date, Money, Timestamp};
use rustc_hash::FxHashMap;

use crate::{
    Entry, Event, LedgerError, Mode,
    entry::is_event_id,
    read::{self, Rows},
    row::{self, COLUMNS, Layout},
    seal::{Head, Seal},
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
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
    /// One per entry; the last is the head of the chain.
    seals: Vec<Seal>,
    /// How the lines of the text that was read are laid out; none before a header was read.
    layout: Option<Layout>,
    state: State,
}

impl PartialEq for Ledger {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries && self.seals == other.seals
    }
}

/// What follows from the entries.
#[derive(Debug, Clone, Default)]
struct State {
    known: FxHashMap<String, Known>,
    placed: Vec<usize>,
    balances: BTreeMap<Mode, Money>,
}

#[derive(Debug, Clone)]
enum Known {
    Bet { placed: usize, ending: Option<usize>, revision: u32 },
    Cash,
}

impl Ledger {
    /// Reads a ledger and checks every seal; an empty text is an empty ledger.
    ///
    /// Ledgers of the first version had no seals: they are read as they are, and tell so by
    /// [`was_unsealed`](Self::was_unsealed).
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        Self::of(read::rows(text, true)?)
    }

    /// Reads a ledger whatever its seals say, and seals it anew.
    pub fn parse_ignoring_seals(text: &str) -> Result<Self, LedgerError> {
        Self::of(read::rows(text, false)?)
    }

    fn of(rows: Rows) -> Result<Self, LedgerError> {
        let mut ledger = Self::default();
        ledger.extend(rows)?;
        Ok(ledger)
    }

    /// Takes rows that others have appended to the same file; they begin with a header only when this is empty.
    pub(crate) fn catch_up(&mut self, text: &str) -> Result<(), LedgerError> {
        let rows = match &self.layout {
            None => read::rows(text, true)?,
            Some(layout) => read::rows_after(text, layout, self.head_seal(), self.entries.len())?,
        };
        self.extend(rows)
    }

    fn extend(&mut self, rows: Rows) -> Result<(), LedgerError> {
        self.layout = rows.layout.or(self.layout.take());
        let count = rows.chunks.iter().map(Vec::len).sum();
        self.entries.reserve(count);
        self.seals.reserve(count);
        self.state.known.reserve(count / 2);
        for (entry, seal) in rows.chunks.into_iter().flatten() {
            let line = read::line_of(self.entries.len());
            if let Err(problem) = self.state.apply(&entry, self.entries.len()) {
                return Err(LedgerError::History { line, event_id: entry.event_id, problem });
            }
            self.entries.push(entry);
            self.seals.extend(seal);
        }
        if !rows.sealed {
            self.seal_the_rest();
        }
        Ok(())
    }

    fn seal_the_rest(&mut self) {
        let mut seal = self.head_seal();
        for entry in &self.entries[self.seals.len()..] {
            seal = seal.then(&row::write_line(&row::encode(entry)));
            self.seals.push(seal);
        }
    }

    fn head_seal(&self) -> Seal {
        self.seals.last().copied().unwrap_or_else(|| Seal::of_header(&header()))
    }

    /// Returns the whole text, header first; empty while nothing has happened.
    pub fn text(&self) -> String {
        self.text_from(0)
    }

    fn text_from(&self, first: usize) -> String {
        let mut text = if first == 0 && !self.entries.is_empty() { header() + "\n" } else { String::new() };
        for (entry, seal) in self.entries.iter().zip(&self.seals).skip(first) {
            text += &row::write_line(&row::encode(entry));
            text.push(',');
            text += &seal.to_string();
            text.push('\n');
        }
        text
    }

    /// Returns every event in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns where the ledger ends; none while nothing has happened.
    pub fn head(&self) -> Option<Head> {
        self.seals.last().map(|seal| Head { rows: self.seals.len(), seal: *seal })
    }

    /// Tells whether the text came without seals; the next append must then write the whole anew.
    pub fn was_unsealed(&self) -> bool {
        self.layout.as_ref().is_some_and(|layout| !layout.is_sealed())
    }

    /// The text was written anew, with seals.
    pub(crate) fn now_sealed(&mut self) {
        self.layout = Some(Layout::current());
    }

    /// Checks that the ledger goes on from where it ended when `head` was written.
    ///
    /// # Errors
    /// [`LedgerError::Lost`] when it is shorter, or another one.
    pub fn follows(&self, head: &Head) -> Result<(), LedgerError> {
        let here = head.rows.checked_sub(1).and_then(|last| self.seals.get(last));
        if here == Some(&head.seal) && !self.was_unsealed() {
            Ok(())
        } else {
            Err(LedgerError::Lost { expected: head.rows, found: self.seals.len() })
        }
    }

    /// Appends what is not there yet, with its balance, and returns the new text (the header too, when it is the first).
    ///
    /// `starting` is a mode's balance before its first event; later the file itself says it. All or nothing: when one
    /// entry contradicts the history, none is appended.
    pub fn append(&mut self, entries: Vec<Entry>, starting: Money) -> Result<String, LedgerError> {
        self.append_from(entries, |_| starting)
    }

    /// Returns the ledger as if only the entries that are `visible` had been written.
    ///
    /// Each mode begins with what it had before its first entry of all, whatever the settings say by now.
    pub fn view(&self, visible: impl Fn(&Entry) -> bool, starting: Money) -> Result<Self, LedgerError> {
        let first = |mode| self.entries.iter().find(|entry| entry.mode == mode);
        let before = |mode| first(mode).map_or(starting, |entry| entry.balance - entry.effect());
        let mut view = Self::default();
        view.append_from(self.entries.iter().filter(|entry| visible(entry)).cloned().collect(), before)?;
        Ok(view)
    }

    fn append_from(
        &mut self,
        entries: Vec<Entry>,
        starting: impl Fn(Mode) -> Money,
    ) -> Result<String, LedgerError> {
        let count = self.entries.len();
        for entry in entries {
            if self.state.has(&entry) {
                continue;
            }
            let before = starting(entry.mode);
            if let Err(refused) = self.append_one(entry, before) {
                self.forget_after(count);
                return Err(refused);
            }
        }
        self.seal_the_rest();
        Ok(self.text_from(count))
    }

    fn append_one(&mut self, mut entry: Entry, starting: Money) -> Result<(), LedgerError> {
        let before = self.state.balances.get(&entry.mode).copied().unwrap_or(starting);
        entry.balance = before + entry.effect();
        let event_id = entry.event_id.clone();
        self.take(entry).map_err(|problem| LedgerError::Refused { event_id, problem })
    }

    /// Takes entries back that were appended after the first `count`.
    pub(crate) fn forget_after(&mut self, count: usize) {
        self.seals.truncate(count);
        let kept: Vec<Entry> = self.entries.drain(..).take(count).collect();
        self.state = State::default();
        for entry in kept {
            // They were taken before, in the same order, so that none is refused now.
            let _taken = self.take(entry);
        }
    }

    fn take(&mut self, entry: Entry) -> Result<(), &'static str> {
        self.state.apply(&entry, self.entries.len())?;
        self.entries.push(entry);
        Ok(())
    }

    /// Returns each bet as placed, with its ending if it has one, in the order placed.
    pub fn bets(&self) -> impl Iterator<Item = (&Entry, Option<&Entry>)> {
        self.state.placed.iter().filter_map(|index| self.bet(&self.entries[*index].bet_id))
    }

    /// Returns a bet as placed, with its ending if it has one.
    pub fn bet(&self, bet_id: &str) -> Option<(&Entry, Option<&Entry>)> {
        match self.state.known.get(bet_id)? {
            Known::Bet { placed, ending, .. } => {
                Some((&self.entries[*placed], ending.map(|ending| &self.entries[ending])))
            }
            Known::Cash => None,
        }
    }

    /// Returns the bets that have no ending yet, in the order placed.
    pub fn open_bets(&self) -> Vec<&Entry> {
        self.bets().filter(|(_, ending)| ending.is_none()).map(|(placed, _)| placed).collect()
    }

    /// Returns the open bets whose game should have ended long ago: three days after the rule's hours for moved games.
    ///
    /// Their game has no result under its id, as after a move to a date that its source does not connect with it.
    pub fn overdue(&self, as_of: Timestamp) -> Vec<&Entry> {
        let late = |bet: &&Entry| {
            bet.terms.as_ref().is_some_and(|terms| {
                as_of.duration_since(terms.start_time) > terms.rule.moved_within() + OVERDUE_AFTER
            })
        };
        self.open_bets().into_iter().filter(late).collect()
    }

    /// Returns how often the bet was corrected.
    pub(crate) fn revision(&self, bet_id: &str) -> u32 {
        match self.state.known.get(bet_id) {
            Some(Known::Bet { revision, .. }) => *revision,
            _ => 0,
        }
    }

    pub(crate) fn balance(&self, mode: Mode) -> Option<Money> {
        self.state.balances.get(&mode).copied()
    }
}

/// A result that is not there so long after it could have been will not come by itself.
const OVERDUE_AFTER: SignedDuration = SignedDuration::from_hours(72);

/// Returns the first line of a ledger, without its line end.
fn header() -> String {
    COLUMNS.join(",")
}

impl State {
    /// Tells whether the same event is there already.
    fn has(&self, entry: &Entry) -> bool {
        match (self.known.get(&entry.bet_id), entry.event) {
            (None, _) | (Some(Known::Bet { .. }), Event::Deposit | Event::Withdrawal) => false,
            (Some(Known::Cash), event) => matches!(event, Event::Deposit | Event::Withdrawal),
            (Some(Known::Bet { .. }), Event::Placed) => true,
            (Some(Known::Bet { revision, .. }), Event::Corrected) => {
                entry.revision().is_some_and(|of_entry| of_entry < *revision)
            }
            (Some(Known::Bet { revision, ending, .. }), Event::Settled | Event::Voided) => {
                let until = revision + u32::from(ending.is_some());
                entry.revision().is_some_and(|of_entry| of_entry < until)
            }
        }
    }

    fn apply(&mut self, entry: &Entry, index: usize) -> Result<(), &'static str> {
        let revision = match self.known.get(&entry.bet_id) {
            Some(Known::Bet { revision, .. }) => *revision,
            _ => 0,
        };
        if !is_event_id(&entry.event_id, &entry.bet_id, entry.event, revision) {
            return Err("its event id does not follow from bet, event and earlier corrections");
        }
        let ended = matches!(entry.event, Event::Settled | Event::Voided | Event::Corrected);
        if entry.ending.is_some() != ended {
            return Err("an ending belongs to settled, voided and corrected bets, and to nothing else");
        }
        if entry.stake <= Money::ZERO {
            return Err("the stake or amount must be above zero");
        }
        self.advance(entry, index)?;
        self.balances.insert(entry.mode, entry.balance);
        Ok(())
    }

    fn advance(&mut self, entry: &Entry, index: usize) -> Result<(), &'static str> {
        match (entry.event, self.known.get_mut(&entry.bet_id)) {
            (Event::Deposit | Event::Withdrawal, None) => {
                self.known.insert(entry.bet_id.clone(), Known::Cash);
            }
            (Event::Placed, None) if entry.terms.is_some() => {
                let bet = Known::Bet { placed: index, ending: None, revision: 0 };
                self.known.insert(entry.bet_id.clone(), bet);
                self.placed.push(index);
            }
            (Event::Settled | Event::Voided, Some(Known::Bet { ending: ending @ None, .. })) => {
                *ending = Some(index);
            }
            (Event::Corrected, Some(Known::Bet { ending: ending @ Some(_), revision, .. })) => {
                *ending = None;
                *revision += 1;
            }
            (Event::Settled | Event::Voided, Some(Known::Bet { .. })) => {
                return Err("the bet has ended already");
            }
            (Event::Corrected, Some(Known::Bet { .. })) => return Err("the bet has no ending to correct"),
            (Event::Settled | Event::Voided | Event::Corrected, _) => return Err("no such bet was placed"),
            (Event::Placed, None) => return Err("a placed bet needs its terms"),
            (Event::Placed | Event::Deposit | Event::Withdrawal, Some(_)) => {
                return Err("the same event is there already, or its id is taken");
            }
        }
        Ok(())
    }
}
