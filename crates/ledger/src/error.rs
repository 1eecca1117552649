//! Why a ledger cannot be read or an entry not be appended.
//!
//! # Example
//! ```
//! use ledger::Ledger;
//! let error = Ledger::parse("date,home,away\n").unwrap_err().to_string();
//! assert!(error.starts_with("line 1 is no ledger header: it begins with `date,home,away`"));
//! ```

use crate::row::COLUMNS;

/// Why a ledger cannot be read or an entry not be appended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The first line is not a ledger's.
    #[error(
        "line 1 is no ledger header: it begins with `{found}` instead of `{}`; the file is left as it is",
        COLUMNS[..4].join(",")
    )]
    Header {
        /// The beginning of the line.
        found: String,
    },
    /// A line is empty or no CSV.
    #[error("line {line} is no row of CSV; put the ledger's last copy back")]
    Csv {
        /// Line counted from 1.
        line: u64,
    },
    /// A row is not the one that was written there.
    #[error(
        "line {line} does not carry the seal that follows from it and the line before: a row was changed, removed, added or moved \
         here after it was written; put the ledger's last copy back, or accept the file as it is with `edge ledger reseal`"
    )]
    Seal {
        /// Line counted from 1.
        line: u64,
    },
    /// The end is missing, or it is another ledger.
    #[error(
        "the ledger has {found} rows, but once had {expected} and is not their continuation: rows at its end were lost or \
         changed; put its last copy back, or accept the file as it is with `edge ledger reseal`"
    )]
    Lost {
        /// Rows when it was last written.
        expected: usize,
        /// Rows now.
        found: usize,
    },
    /// A line has too few or too many cells, for instance because its writing was cut off.
    #[error(
        "line {line} has {found} cells instead of {expected}: it was cut off or edited; repair or remove that line"
    )]
    Columns {
        /// Line counted from 1.
        line: u64,
        /// Cells found.
        found: usize,
        /// Cells expected.
        expected: usize,
    },
    /// A cell does not hold what its column holds.
    #[error("line {line}, column {column}: `{found}` is not {expected}")]
    Cell {
        /// Line counted from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What the cell holds.
        found: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// A line contradicts the lines before it.
    #[error("line {line}, event `{event_id}`: {problem}")]
    History {
        /// Line counted from 1.
        line: u64,
        /// The event.
        event_id: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// An entry contradicts the ledger; nothing of its batch was appended.
    #[error("event `{event_id}` is not appended: {problem}")]
    Refused {
        /// The event.
        event_id: String,
        /// What is wrong.
        problem: &'static str,
    },
}
