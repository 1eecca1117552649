//! Why rows could not be fetched, read, stored or found again.
//!
//! # Example
//! ```
//! use data::DataError;
//! let error = DataError::Payload { name: "E0.csv".into(), problem: "is empty".into(), advice: "download it again".into() };
//! assert_eq!(error.to_string(), "cannot read `E0.csv`: it is empty; download it again");
//! ```

use std::error::Error;

/// Why data could not be fetched, read, stored or found again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file, folder, glob or URL gave nothing usable.
    #[error("cannot fetch `{location}`: {problem}; {advice}")]
    Location {
        /// The location as configured.
        location: String,
        /// What went wrong.
        problem: String,
        /// The way out.
        advice: String,
        /// The cause, when another library reported it.
        #[source]
        cause: Option<Box<dyn Error + Send + Sync>>,
    },
    /// A payload as a whole is not what its source promises (HTML, empty, truncated, ...).
    #[error("cannot read `{name}`: it {problem}; {advice}")]
    Payload {
        /// File name of the payload.
        name: String,
        /// What is wrong with it, as a predicate: `is empty`.
        problem: String,
        /// The way out.
        advice: String,
    },
    /// A payload lacks columns without which no game can be read.
    #[error("cannot read `{name}`: column{} {} missing; take a file in the {layout} layout", if columns.len() == 1 { "" } else { "s" }, listed(columns))]
    MissingColumns {
        /// File name of the payload.
        name: String,
        /// The columns that are missing, in the layout's order.
        columns: Vec<String>,
        /// The layout that was expected.
        layout: String,
    },
    /// The store refused a read or a write.
    #[error("cannot {action} `{path}` in the store {root}: {advice}")]
    Store {
        /// What was attempted: `read`, `write`, ...
        action: &'static str,
        /// The object.
        path: String,
        /// The store.
        root: String,
        /// What to do about it.
        advice: String,
        /// The cause.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    /// The store itself cannot be opened.
    #[error("cannot open the store `{root}`: {problem}")]
    Open {
        /// Folder or URL as configured.
        root: String,
        /// What is wrong, and the way out.
        problem: String,
        /// The cause, when another library reported it.
        #[source]
        cause: Option<Box<dyn Error + Send + Sync>>,
    },
    /// An object of the store does not hold what its name promises.
    #[error("cannot decode `{path}`: {problem}; delete it and fetch again")]
    Corrupt {
        /// The object.
        path: String,
        /// What is wrong.
        problem: String,
        /// The cause, when another library reported it.
        #[source]
        cause: Option<Box<dyn Error + Send + Sync>>,
    },
    /// Nothing is stored for a league.
    #[error("the store holds no row of league `{0}`; run `edge fetch --league {0}` first")]
    UnknownLeague(String),
    /// Rows could not be encoded for the store.
    #[error("cannot encode {what}")]
    Encode {
        /// What was to be encoded.
        what: String,
        /// The cause.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    /// A setting of a source makes no sense.
    #[error("{0}")]
    Setting(String),
}

fn listed(columns: &[String]) -> String {
    let quoted: Vec<String> = columns.iter().map(|column| format!("`{column}`")).collect();
    format!("{} {}", quoted.join(", "), if columns.len() == 1 { "is" } else { "are" })
}
