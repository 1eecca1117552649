//! What was known before one instant: the only form in which rows reach features, graph and model.
//!
//! # Example
//! ```
//! use data::Snapshot;
//! let as_of = "2021-11-11T09:00:00Z".parse().unwrap();
//! let snapshot = Snapshot::new(as_of, vec![], vec![], vec![], vec![]);
//! assert!(snapshot.lines.is_empty());
//! ```

use std::collections::HashSet;

use market::{ContextRow, LeagueId, LineRow, ResultRow, Timestamp};
use serde::{Deserialize, Serialize};

/// A league as its source describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct League {
    /// Its id.
    pub id: LeagueId,
    /// Whether the draw is an outcome that is bet on.
    pub three_way: bool,
    /// IANA time zone, for display and for a game's date.
    pub time_zone: String,
}

/// Every row with `known_at < as_of`, in a fixed order and each once.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The instant of the cut.
    pub as_of: Timestamp,
    /// The leagues, by id.
    pub leagues: Vec<League>,
    /// Prices, oldest first.
    pub lines: Vec<LineRow>,
    /// Results, oldest first; a correction follows what it corrects.
    pub results: Vec<ResultRow>,
    /// Context, oldest first.
    pub context: Vec<ContextRow>,
}

/// How fresh a league's rows are as of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freshness {
    /// The league.
    pub league: LeagueId,
    /// When the newest price became known.
    pub newest_line: Option<Timestamp>,
    /// When the newest result became known.
    pub newest_result: Option<Timestamp>,
    /// When the newest context row became known.
    pub newest_context: Option<Timestamp>,
    /// Prices.
    pub lines: usize,
    /// Results.
    pub results: usize,
}

impl Snapshot {
    /// Drops whatever was not known before `as_of` and sorts the rest, so that the order of reading cannot matter.
    ///
    /// A price that two files hold counts once; of two values for it the lower stays. A result that was corrected stays
    /// beside its correction, since whoever looks from an earlier instant saw only the first.
    pub fn new(
        as_of: Timestamp,
        mut leagues: Vec<League>,
        mut lines: Vec<LineRow>,
        mut results: Vec<ResultRow>,
        mut context: Vec<ContextRow>,
    ) -> Self {
        leagues.sort_by(|a, b| a.id.cmp(&b.id));
        lines.retain(|row| row.known_at() < as_of);
        results.retain(|row| row.known_at < as_of);
        context.retain(|row| row.known_at < as_of);
        let line_key =
            |row: &LineRow| (row.known_at(), row.market, row.selection, row.points, row.is_closing);
        lines.sort_by(|a, b| {
            line_key(a)
                .cmp(&line_key(b))
                .then_with(|| a.game.game_id.cmp(&b.game.game_id))
                .then_with(|| a.book.cmp(&b.book))
                .then_with(|| a.price.decimal().total_cmp(&b.price.decimal()))
                .then_with(|| a.raw_ref.cmp(&b.raw_ref))
        });
        results.sort_by(|a, b| {
            (a.known_at, &a.game.game_id, &a.raw_ref).cmp(&(b.known_at, &b.game.game_id, &b.raw_ref))
        });
        context.sort_by(|a, b| {
            (a.known_at, &a.game.game_id, &a.raw_ref).cmp(&(b.known_at, &b.game.game_id, &b.raw_ref))
        });
        lines.dedup_by(|a, b| {
            line_key(a) == line_key(b) && a.game.game_id == b.game.game_id && a.book == b.book
        });
        context.dedup();
        results.dedup();
        Self { as_of, leagues, lines, results, context }
    }

    /// Returns the latest result of each game, oldest first: what a bet is settled by.
    pub fn latest_results(&self) -> Vec<&ResultRow> {
        let mut seen = HashSet::new();
        let mut latest: Vec<&ResultRow> =
            self.results.iter().rev().filter(|row| seen.insert(&row.game.game_id)).collect();
        latest.reverse();
        latest
    }

    /// Returns what was known before the earlier of `as_of` and the snapshot's own.
    pub fn before(&self, as_of: Timestamp) -> Self {
        Self::new(
            as_of.min(self.as_of),
            self.leagues.clone(),
            self.lines.clone(),
            self.results.clone(),
            self.context.clone(),
        )
    }

    /// Returns the rows that became known at `from` or later.
    ///
    /// # Example
    /// ```
    /// use data::Snapshot;
    /// let as_of = "2021-11-11T09:00:00Z".parse().unwrap();
    /// let snapshot = Snapshot::new(as_of, vec![], vec![], vec![], vec![]);
    /// assert!(snapshot.since(as_of).results.is_empty());
    /// ```
    #[must_use]
    pub fn since(&self, from: Timestamp) -> Self {
        let mut later = self.clone();
        later.lines.retain(|row| row.known_at() >= from);
        later.results.retain(|row| row.known_at >= from);
        later.context.retain(|row| row.known_at >= from);
        later
    }

    /// Returns how fresh each league is, by id.
    pub fn freshness(&self) -> Vec<Freshness> {
        let of = |league: &League| {
            let lines = || self.lines.iter().filter(|row| row.game.league == league.id);
            let results = || self.results.iter().filter(|row| row.game.league == league.id);
            let mut context = self.context.iter().filter(|row| row.game.league == league.id);
            // Rows are sorted by the instant from which they were known.
            Freshness {
                league: league.id.clone(),
                newest_line: lines().next_back().map(LineRow::known_at),
                newest_result: results().next_back().map(|row| row.known_at),
                newest_context: context.next_back().map(|row| row.known_at),
                lines: lines().count(),
                results: results().count(),
            }
        };
        self.leagues.iter().map(of).collect()
    }
}
