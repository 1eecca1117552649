//! Which quotes may be bet on at all, and why not the others.
//!
//! A candidate is one quote of one book: its points and its price come from the same row.
//!
//! # Example
//! ```
//! use jiff::{SignedDuration, Timestamp};
//! use lenses::{Candidate, Refusal};
//! # use market::*;
//! # let start: Timestamp = "2021-11-12T01:20:00Z".parse().unwrap();
//! # let line = LineRow { game: Game::new(&LeagueId::new("nfl").unwrap(), 2021, start, "2021-11-11".parse().unwrap(), "MIA", "BAL"),
//! #     book: "north".into(), market: Market::Moneyline, selection: Selection::Home, points: None,
//! #     price: Price::new(2.1).unwrap(), captured_at: "2021-11-11T08:00:00Z".parse().unwrap(), is_closing: false,
//! #     source: "demo".into(), raw_ref: RawRef { payload: "ab".into(), row: 0 } };
//! let nine: Timestamp = "2021-11-11T09:00:00Z".parse().unwrap();
//! let day = SignedDuration::from_hours(24);
//! assert!(Candidate::new(&line, nine, day).is_ok());
//! assert!(matches!(Candidate::new(&line, start, day), Err(Refusal::InPlay { .. })));
//! ```

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use market::{GameId, GradeProbabilities, LineRow, Market, Points, Selection, consensus::latest_quotes};

/// A quote that was takeable at the as-of.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    line: LineRow,
    as_of: Timestamp,
}

/// Why a quote is no candidate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Nothing captured at or after the as-of may be seen.
    #[error("the price was captured at {captured_at}, not before the decision at {as_of}")]
    NotYetKnown {
        /// When the price stood there.
        captured_at: Timestamp,
        /// When the decision is made.
        as_of: Timestamp,
    },
    /// The game has begun, or had when the price was captured.
    #[error("the game began at {start_time}: the price is in play")]
    InPlay {
        /// Scheduled start.
        start_time: Timestamp,
    },
    /// The price may be suspended or gone: nobody has seen it for too long.
    #[error(
        "the price was last seen {age_hours} hours ago, more than {max_age_hours} allowed: it may be suspended or gone"
    )]
    Stale {
        /// Whole hours since the capture.
        age_hours: i64,
        /// Whole hours allowed.
        max_age_hours: i64,
    },
    /// The same book has moved to other points since.
    #[error("the book has moved on to other points since")]
    Superseded,
    /// A quote of this market needs points, or must not have any.
    #[error("the quote's points do not fit its market")]
    Malformed,
}

impl Candidate {
    /// Checks that `line` could be taken at `as_of` and is not older than `max_age`.
    pub fn new(line: &LineRow, as_of: Timestamp, max_age: SignedDuration) -> Result<Self, Refusal> {
        let (captured_at, start_time) = (line.captured_at, line.game.start_time);
        let age = as_of.duration_since(captured_at);
        if captured_at >= as_of {
            return Err(Refusal::NotYetKnown { captured_at, as_of });
        }
        if as_of >= start_time {
            return Err(Refusal::InPlay { start_time });
        }
        if age > max_age {
            return Err(Refusal::Stale { age_hours: age.as_hours(), max_age_hours: max_age.as_hours() });
        }
        if line.points.is_some() == (line.market == Market::Moneyline) {
            return Err(Refusal::Malformed);
        }
        Ok(Self { line: line.clone(), as_of })
    }

    /// Returns the quote.
    pub fn line(&self) -> &LineRow {
        &self.line
    }

    /// Returns the instant of the decision.
    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// Returns hours from the decision to the start.
    pub fn hours_to_start(&self) -> f64 {
        self.line.game.start_time.duration_since(self.as_of).as_secs_f64() / 3600.0
    }

    /// Returns the expected net return of a stake of 1 under `grades`: the edge against this price.
    pub fn edge(&self, grades: &GradeProbabilities) -> f64 {
        grades.expected_net(self.line.price)
    }
}

/// The quotes of a slate, sorted into what may be bet on and what not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Quotes {
    /// Takeable quotes by game, book, market, selection, points.
    pub candidates: Vec<Candidate>,
    /// The others that were the last of their book, with the reason.
    pub refused: Vec<(LineRow, Refusal)>,
}

impl Quotes {
    /// Takes the last quote of each book on each selection visible at `as_of`.
    ///
    /// A book that quotes several points of one selection at one instant offers them all; points that it had
    /// before are superseded.
    pub fn at(lines: &[LineRow], as_of: Timestamp, max_age: SignedDuration) -> Self {
        let latest = latest_quotes(lines, as_of);
        let mut newest: BTreeMap<_, Timestamp> = BTreeMap::new();
        for line in &latest {
            let seen = newest.entry(side(line)).or_insert(line.captured_at);
            *seen = line.captured_at.max(*seen);
        }
        let mut quotes = Self::default();
        for line in latest {
            let superseded = newest.get(&side(line)).is_some_and(|last| line.captured_at < *last);
            let checked =
                if superseded { Err(Refusal::Superseded) } else { Candidate::new(line, as_of, max_age) };
            match checked {
                Ok(candidate) => quotes.candidates.push(candidate),
                Err(refusal) => quotes.refused.push((line.clone(), refusal)),
            }
        }
        quotes
    }

    /// Returns the best-priced candidate per game, market, selection and points; the first book at equal prices.
    pub fn best(&self) -> Vec<&Candidate> {
        let mut best: BTreeMap<(&GameId, Market, Selection, Option<Points>), &Candidate> = BTreeMap::new();
        for candidate in &self.candidates {
            let line = &candidate.line;
            let key = (&line.game.game_id, line.market, line.selection, line.points);
            let held = best.entry(key).or_insert(candidate);
            if line.price > held.line.price {
                *held = candidate;
            }
        }
        best.into_values().collect()
    }
}

fn side(line: &LineRow) -> (&GameId, &str, Market, Selection) {
    (&line.game.game_id, line.book.as_str(), line.market, line.selection)
}
