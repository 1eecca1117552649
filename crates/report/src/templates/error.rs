//! Why a report could not be made, with the file to open and what to do about it.

use std::{io, path::PathBuf};

use super::LONGEST_MAIL;
use crate::{LocaleError, chart::ChartError};

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The zone is not in the time zone database.
    #[error("`{0}` is no time zone: write an IANA name such as Europe/Berlin")]
    TimeZone(String, #[source] jiff::Error),
    /// The locale is none.
    #[error(transparent)]
    Locale(#[from] LocaleError),
    /// A chart could not be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// A template has a mistake.
    #[error(
        "template {file}, line {line}: {message}; correct it, or remove the file to use the built-in one"
    )]
    Template {
        /// File, with its folder when it is the user's own.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// The mail's templates make MJML that cannot be read.
    #[error(
        "template {file}{}: {message}; correct it, or remove the file to use the built-in one",
        line.map_or_else(String::new, |line| format!(", line {line}"))
    )]
    Mjml {
        /// File, with its folder when it is the user's own.
        file: String,
        /// Line, from 1; none when several lines could have made it.
        line: Option<usize>,
        /// What is wrong, with the words that it is wrong in.
        message: String,
    },
    /// The user's folder has a template that no part of the report uses.
    #[error("no template is called {}; the names are {known}", path.display())]
    UnknownTemplate {
        /// The file.
        path: PathBuf,
        /// What there is.
        known: String,
    },
    /// The user's folder cannot be read.
    #[error("cannot read the templates in {}", path.display())]
    Folder {
        /// File or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Even the shortest mail is too long.
    #[error(
        "the mail is {bytes} bytes long after shortening, more than {LONGEST_MAIL}; shorten the templates"
    )]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The template library failed in a way that names no place.
    #[error("cannot render the report")]
    Render(#[source] Box<dyn std::error::Error + Send + Sync>),
}
