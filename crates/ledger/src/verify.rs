//! Does every number of a ledger follow from the others?
//!
//! # Example
//! ```
//! use ledger::Ledger;
//! assert_eq!(Ledger::parse("").unwrap().verify().unwrap().rows, 0);
//! ```

use std::{collections::BTreeMap, fmt::Display};

use market::Money;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::Serialize;

use crate::{
    Entry, Event, Ledger, Mode, Outcome, clv,
    entry::{Ending, Terms},
    read::line_of,
    settle::BY_HAND,
};

/// What was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Events.
    pub rows: usize,
    /// Bets placed.
    pub bets: usize,
    /// Bets without an ending.
    pub open: usize,
}

/// The first number that does not follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {line}, event `{event_id}`, column {column}: found {found}, but {expected} follows from the rows before"
)]
pub struct Mismatch {
    /// Line counted from 1.
    pub line: u64,
    /// The event.
    pub event_id: String,
    /// The column.
    pub column: &'static str,
    /// What stands there.
    pub found: String,
    /// What should stand there.
    pub expected: String,
}

impl Ledger {
    /// Recomputes every grade, profit, closing line value and balance, and compares the terms of each event with those placed.
    ///
    /// The balance before a mode's first event is taken as written.
    pub fn verify(&self) -> Result<Verified, Mismatch> {
        let mut balances: BTreeMap<Mode, Money> = BTreeMap::new();
        let mut endings: FxHashMap<&str, &Entry> = FxHashMap::default();
        let mut open = 0;
        for (index, entry) in self.entries().iter().enumerate() {
            let check = Check { line: line_of(index), entry };
            let before = balances.get(&entry.mode).copied().unwrap_or(entry.balance - entry.effect());
            match entry.event {
                Event::Placed => {
                    open += 1;
                    check.same("pnl", entry.pnl, Money::ZERO)?;
                }
                Event::Deposit | Event::Withdrawal => check.same("pnl", entry.pnl, Money::ZERO)?,
                Event::Settled | Event::Voided => {
                    open -= 1;
                    if self.revision(&entry.bet_id) > 0 {
                        endings.insert(&entry.bet_id, entry);
                    }
                }
                Event::Corrected => {
                    open += 1;
                    if let Some(old) = endings.remove(entry.bet_id.as_str()) {
                        check.same("pnl", entry.pnl, -old.pnl)?;
                    }
                }
            }
            check.same("balance", entry.balance, before + entry.effect())?;
            balances.insert(entry.mode, entry.balance);
        }
        self.entries().par_iter().enumerate().try_for_each(|(index, entry)| self.one(index, entry))?;
        Ok(Verified { rows: self.entries().len(), bets: self.bets().count(), open })
    }

    /// Checks what follows from the bet as placed alone: its terms, grade, profit and closing value.
    fn one(&self, index: usize, entry: &Entry) -> Result<(), Mismatch> {
        // Reading has refused endings of bets that were never placed.
        let Some((placed, _)) = self.bet(&entry.bet_id) else { return Ok(()) };
        let check = Check { line: line_of(index), entry };
        match entry.event {
            Event::Settled | Event::Voided => check.follows(placed).and_then(|()| check.ending()),
            Event::Corrected => check.follows(placed),
            Event::Placed | Event::Deposit | Event::Withdrawal => Ok(()),
        }
    }
}

struct Check<'a> {
    line: u64,
    entry: &'a Entry,
}

impl Check<'_> {
    fn same<T: PartialEq + Display + Copy>(
        &self,
        column: &'static str,
        found: T,
        expected: T,
    ) -> Result<(), Mismatch> {
        if found == expected { Ok(()) } else { Err(self.mismatch(column, &found, &expected)) }
    }

    fn mismatch(&self, column: &'static str, found: &dyn Display, expected: &dyn Display) -> Mismatch {
        let event_id = self.entry.event_id.clone();
        Mismatch {
            line: self.line,
            event_id,
            column,
            found: found.to_string(),
            expected: expected.to_string(),
        }
    }

    /// An event of a bet repeats what was placed.
    fn follows(&self, bet: &Entry) -> Result<(), Mismatch> {
        self.same("stake", self.entry.stake, bet.stake)?;
        self.same("mode", self.entry.mode, bet.mode)?;
        let (Some(ours), Some(theirs)) = (&self.entry.terms, &bet.terms) else { return Ok(()) };
        if ours == theirs {
            return Ok(());
        }
        let cells = |terms: &Terms| crate::row::encode(&Entry { terms: Some(terms.clone()), ..bet.clone() });
        let differing =
            cells(ours).into_iter().zip(cells(theirs)).zip(crate::row::COLUMNS).find(|((a, b), _)| a != b);
        differing.map_or(Ok(()), |((a, b), column)| Err(self.mismatch(column, &a, &b)))
    }

    fn ending(&self) -> Result<(), Mismatch> {
        let (Some(ending), Some(terms)) = (&self.entry.ending, &self.entry.terms) else { return Ok(()) };
        self.clv(ending, terms)?;
        if matches!(ending.outcome, Outcome::Void(_)) {
            self.same("event", self.entry.event, Event::Voided)?;
            return self.same("pnl", self.entry.pnl, Money::ZERO);
        }
        self.same("event", self.entry.event, Event::Settled)?;
        let profit = terms.rule.profit(self.entry.stake, terms.price, ending.outcome);
        self.same("pnl", self.entry.pnl, profit)?;
        if self.entry.run_id == BY_HAND {
            return Ok(());
        }
        match ending.scores {
            Some((home, away)) => {
                let expected = terms.rule.outcome(terms.selection, terms.points, home, away);
                let expected = expected.map_or("no grade", Outcome::as_str);
                self.same("grade", ending.outcome.as_str(), expected)
            }
            None => Err(self.mismatch("home_score", &"nothing", &"a score")),
        }
    }

    fn clv(&self, ending: &Ending, terms: &Terms) -> Result<(), Mismatch> {
        let expected = ending.close.and_then(|close| clv::clv(terms.price, terms.points, &close));
        let text = |value: Option<f64>| value.map_or_else(|| "nothing".to_owned(), |value| value.to_string());
        let columns = [
            ("price_clv", ending.clv.and_then(|clv| clv.price), expected.and_then(|clv| clv.price)),
            ("ev_clv", ending.clv.map(|clv| clv.expected_value), expected.map(|clv| clv.expected_value)),
            ("logit_clv", ending.clv.map(|clv| clv.logit), expected.map(|clv| clv.logit)),
        ];
        columns.into_iter().try_for_each(|(column, found, expected)| {
            // A logarithm may differ in its last bits from machine to machine.
            let same = match (found, expected) {
                (Some(found), Some(expected)) => (found - expected).abs() <= 1e-12,
                (None, None) => true,
                _ => false,
            };
            if same { Ok(()) } else { Err(self.mismatch(column, &text(found), &text(expected))) }
        })
    }
}
