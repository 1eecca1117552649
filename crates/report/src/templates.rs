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

mod error;
pub(crate) mod sources;

pub use error::ReportError;

use std::path::Path;

use jiff::tz::TimeZone;

use crate::{
    chart::Charts,
    format, headline,
    input::{Mode, ReportData},
    layout,
    locale::Locale,
    mjml::{self, Fault},
    view::{Limits, View},
    words::Language,
};
use sources::{Embedded, Parsed, Sources};

/// Longest mail body in bytes; a well-known mail program clips what is longer than 102 kB.
pub const LONGEST_MAIL: usize = 100_000;

const EMBEDDED: [Embedded; 14] = [
    ("mail.css", include_str!("../templates/mail.css")),
    ("mail.mjml", include_str!("../templates/mail.mjml")),
    ("mail_inlined.css", include_str!("../templates/mail_inlined.css")),
    ("mail_parts.mjml", include_str!("../templates/mail_parts.mjml")),
    ("mail_picks.mjml", include_str!("../templates/mail_picks.mjml")),
    ("mail_tables.mjml", include_str!("../templates/mail_tables.mjml")),
    ("parts.html", include_str!("../templates/parts.html")),
    ("picks.html", include_str!("../templates/picks.html")),
    ("report.css", include_str!("../templates/report.css")),
    ("report.html", include_str!("../templates/report.html")),
    ("report.txt", include_str!("../templates/report.txt")),
    ("rows.html", include_str!("../templates/rows.html")),
    ("sentences.txt", include_str!("../templates/sentences.txt")),
    ("tables.html", include_str!("../templates/tables.html")),
];

/// Templates that write the mail's MJML.
const MAIL_PARTS: [&str; 7] = [
    "mail.mjml",
    "mail_parts.mjml",
    "mail_picks.mjml",
    "mail_tables.mjml",
    "mail.css",
    "mail_inlined.css",
    "rows.html",
];

const PAGE: Limits = Limits { cards: 20, rows: usize::MAX, list: usize::MAX };

/// From generous to spare; the first that keeps the mail short enough is taken.
const MAIL: [Limits; 6] = [
    Limits { cards: 12, rows: 60, list: 40 },
    Limits { cards: 10, rows: 40, list: 30 },
    Limits { cards: 8, rows: 30, list: 20 },
    Limits { cards: 5, rows: 20, list: 15 },
    Limits { cards: 3, rows: 12, list: 10 },
    Limits { cards: 2, rows: 5, list: 4 },
];

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

/// Parsed templates of page, mail and text.
#[derive(Debug)]
pub struct Templates(Parsed);

impl Templates {
    /// Takes the built-in templates.
    pub fn built_in() -> Result<Self, ReportError> {
        Sources::built_in(&EMBEDDED).parse().map(Self)
    }

    /// Takes the built-in templates, each replaced by the file of its name in `folder` where there is one.
    ///
    /// Folders within it are left alone: [`crate::pages::Pages`] has its own in `<folder>/pages`.
    ///
    /// # Errors
    /// A folder that cannot be read, a file of an unknown name, a mistake in a template with its file and line.
    pub fn with_overrides(folder: &Path) -> Result<Self, ReportError> {
        Sources::with_overrides(&EMBEDDED, folder)?.parse().map(Self)
    }

    /// Renders the page, the mail and the text.
    pub fn render(&self, data: &ReportData) -> Result<Rendered, ReportError> {
        let zone = TimeZone::get(&data.time_zone)
            .map_err(|error| ReportError::TimeZone(data.time_zone.clone(), error))?;
        let locale = Locale::new(&data.locale)?;
        let charts = Charts::draw(data, &locale)?;
        let language = locale.catalogue();
        let page = |limits| View::new(data, &locale, &zone, limits);
        Ok(Rendered {
            subject: subject(data, &locale),
            html: layout::compact(&self.file("report.html", &page(PAGE).with_charts(&charts), language)?),
            mail_html: self.mail(|limits| page(limits).with_charts(&charts), language)?,
            text: layout::plain(&self.file("report.txt", &page(PAGE), language)?),
            attachments: charts.iter().map(attachment).collect(),
        })
    }

    fn mail(&self, view: impl Fn(Limits) -> View, language: Language) -> Result<String, ReportError> {
        let mut bytes = 0;
        for limits in MAIL {
            let mjml = layout::compact(&self.file("mail.mjml", &view(limits), language)?);
            let html = layout::compact(&mjml::html(&mjml).map_err(|fault| self.place_in_mail(fault))?);
            if html.len() <= LONGEST_MAIL {
                return Ok(html);
            }
            bytes = html.len();
        }
        Err(ReportError::TooLong { bytes })
    }

    fn file(&self, name: &str, view: &View, language: Language) -> Result<String, ReportError> {
        self.0.render_in(language, name, view)
    }

    /// Names the template that wrote some faulty MJML: one of the user's own, since the built-in ones have no fault.
    fn place_in_mail(&self, fault: Fault) -> ReportError {
        let own = || self.0.own().iter().filter(|(name, _)| MAIL_PARTS.contains(name));
        let only = |near: &String| {
            let lines = own().flat_map(|(name, text)| text.lines().zip(1..).map(move |line| (name, line)));
            let mut hits = lines.filter(|(_, (line, _))| line.contains(near)).map(|(name, (_, n))| (name, n));
            hits.next().filter(|_| hits.next().is_none())
        };
        let place = fault.near.iter().find_map(only);
        let name = place.map(|(name, _)| name).or_else(|| own().map(|(name, _)| name).next());
        let file = self.0.path_of(name.map_or("mail.mjml", |name| *name));
        let line = place.map(|(_, line)| line);
        ReportError::Mjml { file, line, message: fault.message }
    }
}

fn subject(data: &ReportData, way: &Locale) -> String {
    let paper =
        if data.mode == Mode::Paper { format!(" · {}", way.say("subject-paper")) } else { String::new() };
    format!("{} {} · {}{paper}", format::name(&data.title), data.date, headline::subject_words(data, way))
}

fn attachment(chart: &crate::chart::Chart) -> Attachment {
    Attachment {
        content_id: chart.content_id.to_owned(),
        file_name: format!("{}.png", chart.content_id),
        content_type: "image/png",
        bytes: chart.png.clone(),
    }
}
