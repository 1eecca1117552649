//! Page, mail and text from the facts, through templates that a user may replace one by one.
//!
//! # Example
//! ```
//! let data: report::ReportData = serde_json::from_str(include_str!("../examples/sample.json")).unwrap();
//! let rendered = report::render(&data).unwrap();
//! assert_eq!(rendered.subject, "Daily Edge Report 2026-11-20 · 3 edges");
//! assert!(rendered.html.contains("3\u{a0}edges tonight, 4.1\u{a0}% of bankroll at risk"));
//! assert!(rendered.text.contains("3 edges tonight, 4.1 % of bankroll at risk"));
//! assert_eq!(rendered.attachments.len(), 2);
//! ```

use std::{
    io,
    path::{Path, PathBuf},
};

use jiff::tz::TimeZone;
use tera::{Context, ErrorKind, Tera};

use crate::{
    chart::{ChartError, Charts},
    format, headline,
    input::{Mode, ReportData},
    layout,
    view::{Limits, View},
};

/// Longest mail body in bytes; a well-known mail program clips what is longer than 102 kB.
pub const LONGEST_MAIL: usize = 100_000;

const EMBEDDED: [(&str, &str); 6] = [
    ("parts.html", include_str!("../templates/parts.html")),
    ("picks.html", include_str!("../templates/picks.html")),
    ("report.css", include_str!("../templates/report.css")),
    ("report.html", include_str!("../templates/report.html")),
    ("report.txt", include_str!("../templates/report.txt")),
    ("tables.html", include_str!("../templates/tables.html")),
];

const PAGE: Limits = Limits { cards: 20, rows: usize::MAX, list: usize::MAX };

/// From generous to spare; the first that keeps the mail short enough is taken.
const MAIL: [Limits; 4] = [
    Limits { cards: 12, rows: 60, list: 40 },
    Limits { cards: 8, rows: 30, list: 20 },
    Limits { cards: 5, rows: 15, list: 10 },
    Limits { cards: 2, rows: 5, list: 4 },
];

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The zone is not in the time zone database.
    #[error("`{0}` is no time zone: write an IANA name such as Europe/Berlin")]
    TimeZone(String, #[source] jiff::Error),
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

/// A finished report in every form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Subject of the mail.
    pub subject: String,
    /// The self-contained page.
    pub html: String,
    /// The mail's HTML part, at most [`LONGEST_MAIL`] bytes; charts by content-id.
    pub mail_html: String,
    /// The same in plain text.
    pub text: String,
    /// Pictures that the mail refers to.
    pub attachments: Vec<Attachment>,
}

/// A picture of the mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Name by which the HTML refers to it, without `cid:`.
    pub content_id: String,
    /// Name for saving.
    pub file_name: String,
    /// `image/png`.
    pub content_type: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Renders with the built-in templates.
///
/// # Errors
/// A time zone that does not exist.
pub fn render(data: &ReportData) -> Result<Rendered, ReportError> {
    Templates::built_in()?.render(data)
}

/// Parsed templates.
#[derive(Debug)]
pub struct Templates {
    tera: Tera,
    folder: Option<PathBuf>,
    replaced: Vec<String>,
}

impl Templates {
    /// Takes the built-in templates.
    pub fn built_in() -> Result<Self, ReportError> {
        Self::parse(EMBEDDED.map(|(name, text)| (name, text.to_owned())).to_vec(), None, Vec::new())
    }

    /// Takes the built-in templates, each replaced by the file of its name in `folder` where there is one.
    pub fn with_overrides(folder: &Path) -> Result<Self, ReportError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| ReportError::Folder { path, source }
        };
        let mut sources = EMBEDDED.map(|(name, text)| (name, text.to_owned())).to_vec();
        let mut replaced = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
            let path = entry.map_err(unreadable(folder))?.path();
            let extension = path.extension().and_then(|text| text.to_str()).unwrap_or_default();
            if !["html", "txt", "css"].contains(&extension) {
                continue;
            }
            let slot =
                sources.iter_mut().find(|(name, _)| path.file_name().is_some_and(|file| file == *name));
            let Some((name, text)) = slot else {
                let known = EMBEDDED.map(|(name, _)| name).join(", ");
                return Err(ReportError::UnknownTemplate { path, known });
            };
            *text = std::fs::read_to_string(&path).map_err(unreadable(&path))?;
            replaced.push((*name).to_owned());
        }
        Self::parse(sources, Some(folder.to_owned()), replaced)
    }

    fn parse(
        sources: Vec<(&'static str, String)>,
        folder: Option<PathBuf>,
        replaced: Vec<String>,
    ) -> Result<Self, ReportError> {
        let mut templates = Self { tera: Tera::new(), folder, replaced };
        layout::register_padding(&mut templates.tera);
        let parsed = templates.tera.add_raw_templates(sources);
        parsed.map_err(|error| templates.place(error))?;
        Ok(templates)
    }

    /// Renders the page, the mail and the text.
    pub fn render(&self, data: &ReportData) -> Result<Rendered, ReportError> {
        let zone = TimeZone::get(&data.time_zone)
            .map_err(|error| ReportError::TimeZone(data.time_zone.clone(), error))?;
        let charts = Charts::draw(data)?;
        let page = |limits| View::new(data, &zone, limits);
        Ok(Rendered {
            subject: subject(data),
            html: layout::compact(&self.file("report.html", &page(PAGE).with_charts(&charts, false))?),
            mail_html: self.mail(|limits| page(limits).with_charts(&charts, true))?,
            text: layout::plain(&self.file("report.txt", &page(PAGE))?),
            attachments: charts.iter().map(attachment).collect(),
        })
    }

    fn mail(&self, view: impl Fn(Limits) -> View) -> Result<String, ReportError> {
        let mut bytes = 0;
        for limits in MAIL {
            let html = layout::compact(&self.file("report.html", &view(limits))?);
            if html.len() <= LONGEST_MAIL {
                return Ok(html);
            }
            bytes = html.len();
        }
        Err(ReportError::TooLong { bytes })
    }

    fn file(&self, name: &str, view: &View) -> Result<String, ReportError> {
        let context = Context::from_serialize(view).map_err(|error| self.place(error))?;
        self.tera.render(name, &context).map_err(|error| self.place(error))
    }

    /// Names file and line of a template's mistake.
    fn place(&self, error: tera::Error) -> ReportError {
        let (ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report)) = error.kind() else {
            return ReportError::Render(Box::new(error));
        };
        let name = report.filename();
        let own = self.folder.as_ref().filter(|_| self.replaced.iter().any(|replaced| replaced == name));
        let file = own.map_or_else(|| name.to_owned(), |folder| folder.join(name).display().to_string());
        ReportError::Template { file, line: report.span().start_line, message: report.message().to_owned() }
    }
}

fn subject(data: &ReportData) -> String {
    let paper = if data.mode == Mode::Paper { " · paper" } else { "" };
    format!("{} {} · {}{paper}", format::name(&data.title), data.date, headline::subject_words(data))
}

fn attachment(chart: &crate::chart::Chart) -> Attachment {
    Attachment {
        content_id: chart.content_id.to_owned(),
        file_name: format!("{}.png", chart.content_id),
        content_type: "image/png",
        bytes: chart.png.clone(),
    }
}
