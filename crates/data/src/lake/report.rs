//! What a pull brought.

use std::collections::BTreeMap;

use market::{LeagueId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Finding, Parsed};

/// How many rows of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// Prices.
    pub lines: usize,
    /// Results.
    pub results: usize,
    /// Context rows.
    pub context: usize,
}

impl RowCounts {
    /// Returns the rows of all kinds.
    pub fn total(&self) -> usize {
        self.lines + self.results + self.context
    }

    pub(super) fn of(parsed: &Parsed) -> Self {
        Self { lines: parsed.lines.len(), results: parsed.results.len(), context: parsed.context.len() }
    }
}

/// What one pull brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestReport {
    /// The league.
    pub league: LeagueId,
    /// The source's id.
    pub source: String,
    /// Payloads fetched.
    pub payloads: usize,
    /// Payloads never seen before.
    pub new_payloads: usize,
    /// Rows that the lake did not hold, corrections among them.
    pub rows_added: RowCounts,
    /// Rows that it held with the same value.
    pub already_known: usize,
    /// Rows that took the place of others from now on.
    pub corrected: usize,
    /// Rows refused in the new payloads, by reason.
    pub refused: BTreeMap<String, usize>,
    /// Contracts that the feed broke.
    pub findings: Vec<Finding>,
    /// The newest `known_at` in the pulled payloads; after the pull's instant when a file holds a whole season.
    pub newest_known_at: Option<Timestamp>,
}
