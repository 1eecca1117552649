//! Why a study cannot be made, told or read.
//!
//! # Example
//! ```
//! use sweep::{Record, StudyError};
//! let error = Record::from_json(r#"{"format": 9}"#).unwrap_err();
//! assert!(matches!(error, StudyError::Format { found: 9, known: 1 }));
//! ```

use std::{io, path::PathBuf};

use crate::{OptionsError, Point};

/// Why a study cannot be made, told or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// The options cannot be followed.
    #[error("the sweep's options cannot be followed")]
    Options(#[from] OptionsError),
    /// A point to begin with lies outside of the space.
    #[error("the point {} to begin with lies outside of the space", json(.0))]
    Outside(Point),
    /// Nobody asked for this trial.
    #[error("nobody asked for trial {id}: there are {asked} trials")]
    Unknown {
        /// Number told.
        id: usize,
        /// Trials asked for.
        asked: usize,
    },
    /// The trial has ended otherwise.
    #[error("trial {id} has ended already, as {was}; another outcome of it, {told}, is refused")]
    Contradiction {
        /// Number told.
        id: usize,
        /// How it ended.
        was: &'static str,
        /// How it is said to have ended now.
        told: &'static str,
    },
    /// The outcome contradicts itself.
    #[error("the outcome of trial {id} is refused: {problem}")]
    Outcome {
        /// Number told.
        id: usize,
        /// What is wrong.
        problem: String,
    },
    /// The text is no study.
    #[error("this is no study")]
    Json(#[from] serde_json::Error),
    /// The study was written by a program that this one does not know.
    #[error("the study has format {found}; this program reads format {known}")]
    Format {
        /// Format of the file.
        found: u32,
        /// Format that is read.
        known: u32,
    },
    /// The trials do not follow from the space, the options and the results before them.
    #[error(
        "trial {trial} of the study does not follow from its space, its options and the results before it: {problem}; \
         the file was edited, or written by another version of this program. Begin a new study; this one can still \
         be read, and its best points carried over"
    )]
    Altered {
        /// Number of the trial.
        trial: usize,
        /// What differs.
        problem: String,
    },
    /// The file cannot be read.
    #[error("the study {} cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file cannot be written; what was there before still is.
    #[error("the study {} cannot be written; what was there before still is", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

pub(crate) fn json(point: &Point) -> String {
    serde_json::to_string(point).unwrap_or_default()
}
