//! When things became known, where a source does not say so: assumed leads before a game's start.
//!
//! # Example
//! ```
//! use data::{Leads, Nflverse};
//! let leads = Leads { line_lead: jiff::SignedDuration::from_hours(12), ..Nflverse::LEADS };
//! let start: market::Timestamp = "2021-11-12T01:20:00Z".parse().unwrap();
//! assert_eq!(leads.line(start).to_string(), "2021-11-11T13:20:00Z");
//! assert!(leads.check().is_ok());
//! ```

use jiff::SignedDuration;
use market::Timestamp;

use crate::DataError;

/// Assumed ages before the start of what a source gives without a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leads {
    /// Of prices that are no closing prices, or the only prices.
    pub line_lead: SignedDuration,
    /// Of closing prices, where the source has both.
    pub closing_lead: SignedDuration,
    /// Of the schedule: fixture, venue, coaches, rest days, week.
    pub schedule_lead: SignedDuration,
    /// Of starters and referee.
    pub starters_lead: SignedDuration,
}

impl Leads {
    /// Refuses leads below zero (known only after the start) and beyond a year.
    pub fn check(&self) -> Result<(), DataError> {
        let leads = [
            ("line_lead", self.line_lead),
            ("closing_lead", self.closing_lead),
            ("schedule_lead", self.schedule_lead),
            ("starters_lead", self.starters_lead),
        ];
        for (name, lead) in leads {
            if lead.is_negative() || lead > SignedDuration::from_hours(24 * 366) {
                let problem = format!("{name} is {lead:#}, but must lie between 0 h and a year");
                return Err(DataError::Setting(problem));
            }
        }
        if self.closing_lead > self.line_lead {
            let problem = "closing_lead is longer than line_lead, but the closing price comes last";
            return Err(DataError::Setting(problem.to_owned()));
        }
        Ok(())
    }

    /// Returns when a price without a time is taken as known.
    pub fn line(&self, start: Timestamp) -> Timestamp {
        before(start, self.line_lead)
    }

    /// Returns when a closing price is taken as known.
    pub fn closing(&self, start: Timestamp) -> Timestamp {
        before(start, self.closing_lead)
    }

    /// Returns when the schedule row is taken as known.
    pub fn schedule(&self, start: Timestamp) -> Timestamp {
        before(start, self.schedule_lead)
    }

    /// Returns when starters and referee are taken as known.
    pub fn starters(&self, start: Timestamp) -> Timestamp {
        before(start, self.starters_lead)
    }

    /// Returns the text by which a change of leads is noticed.
    pub(crate) fn settings(&self) -> String {
        format!(
            "line_lead={:#} closing_lead={:#} schedule_lead={:#} starters_lead={:#}",
            self.line_lead, self.closing_lead, self.schedule_lead, self.starters_lead
        )
    }
}

/// Says a lead in words: `24 h`, `90 min`, `7 days`.
pub(crate) fn in_words(lead: SignedDuration) -> String {
    match lead.as_secs() {
        seconds if seconds % 86_400 == 0 && seconds > 86_400 => format!("{} days", seconds / 86_400),
        seconds if seconds % 3_600 == 0 => format!("{} h", seconds / 3_600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

/// Leads are bounded by a year, so that only starts at the edge of time could not be represented; those stay as they are.
fn before(start: Timestamp, lead: SignedDuration) -> Timestamp {
    start.checked_sub(lead).unwrap_or(start)
}
