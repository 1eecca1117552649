//! The pages that `edge serve` shows: slate, game, ledger, model, runs; facts in, HTML out.
//!
//! A page works without JavaScript, asks nobody outside, and fits [`CONTENT_SECURITY_POLICY`]: no inline
//! script, no inline style. Stylesheet, script and icon are [`Pages::assets`]. Same facts, same bytes.
//!
//! | module | question it answers |
//! |---|---|
//! | [`input`] | which facts does each page state? |
//! | `route` | where does each page live, and how is it linked to? |
//! | `assets` | which files go with the pages? |
//! | `slate` ... `problem` | how are the facts of that page written? |
//!
//! # Example
//! ```
//! use report::pages::{Pages, input::{ProblemPage, Site}};
//! let pages = Pages::built_in().unwrap();
//! let site = Site { title: "Edge".into(), time_zone: "UTC".into(), currency: "EUR".into(), locale: "en".into(),
//!     now: "2026-11-20T09:00:00Z".parse().unwrap() };
//! let html = pages.problem(&ProblemPage { site, status: 404, title: "No such game".into(),
//!     detail: "The store knows no game of that id.".into(), command: Some("edge fetch".into()) }).unwrap();
//! assert!(html.contains("<h1>No such game</h1>") && html.contains("<code>edge fetch</code>"));
//! assert!(html.contains(&pages.assets()[0].path));
//! ```

mod assets;
mod frame;
mod game;
pub mod input;
mod ledger;
mod model;
mod pen;
mod problem;
mod route;
mod runs;
mod slate;

pub use assets::Asset;
pub use route::Route;

use std::path::Path;

use serde::Serialize;

use crate::{
    ReportError, layout,
    templates::sources::{Embedded, Parsed, Sources},
};
use assets::Assets;
use frame::{Frame, Framed, Place};
use input::{GamePage, LedgerPage, ModelPage, ProblemPage, RunPage, RunVerdict, RunsPage, Site, SlatePage};
use pen::Pen;

/// The header `content-security-policy` under which every page works.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
     img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../templates/pages/", $name)))),*]
    };
}

const EMBEDDED: [Embedded; 15] = embedded![
    "base.html",
    "edge.css",
    "edge.js",
    "edge.svg",
    "forecast.html",
    "game.html",
    "graph.html",
    "ledger.html",
    "model.html",
    "pieces.html",
    "prices.html",
    "problem.html",
    "run.html",
    "runs.html",
    "slate.html",
];

/// Parsed templates of the pages, with the files that go with them.
#[derive(Debug)]
pub struct Pages {
    templates: Parsed,
    assets: Assets,
}

impl Pages {
    /// Takes the built-in templates.
    pub fn built_in() -> Result<Self, ReportError> {
        Self::of(Sources::built_in(&EMBEDDED))
    }

    /// Takes the built-in templates, each replaced by the file of its name in `<folder>/pages` where there is one.
    ///
    /// `folder` is the one of [`crate::Templates::with_overrides`], whose own files lie beside `pages`. Without a folder
    /// `pages` nothing is replaced.
    ///
    /// # Errors
    /// A folder that cannot be read, a file of an unknown name, a mistake in a template with its file and line.
    pub fn with_overrides(folder: &Path) -> Result<Self, ReportError> {
        let pages = folder.join("pages");
        if folder.is_dir() && !pages.exists() {
            return Self::built_in();
        }
        let read_from = if folder.is_dir() { &pages } else { folder };
        Self::of(Sources::with_overrides(&EMBEDDED, read_from)?)
    }

    fn of(mut sources: Sources) -> Result<Self, ReportError> {
        let assets = Assets::take(&mut sources);
        Ok(Self { templates: sources.parse()?, assets })
    }

    /// Returns stylesheet, script and icon; their names change with their content.
    pub fn assets(&self) -> &[Asset] {
        self.assets.all()
    }

    /// Writes a day's slate.
    pub fn slate(&self, page: &SlatePage) -> Result<String, ReportError> {
        let pen = Pen::new(&page.site)?;
        let title = format!("Slate of {}", pen.locale.full_day(page.date));
        self.write("slate.html", &title, Place::Slate, &pen, slate::view(page, &pen), false)
    }

    /// Writes a game.
    pub fn game(&self, page: &GamePage) -> Result<String, ReportError> {
        let pen = Pen::new(&page.site)?;
        let title = format!("{} v {}", page.game.home, page.game.away);
        // What a price was seen before is the night's look at it, not the reader's.
        let then = Site { now: page.as_of, ..page.site.clone() };
        let then = Pen::new(&then)?;
        self.write("game.html", &title, Place::Slate, &pen, game::view(page, &then)?, false)
    }

    /// Writes the ledger.
    pub fn ledger(&self, page: &LedgerPage) -> Result<String, ReportError> {
        let pen = Pen::new(&page.site)?;
        let title = ledger::title(page);
        self.write("ledger.html", &title, Place::Ledger, &pen, ledger::view(page, &pen)?, false)
    }

    /// Writes the model.
    pub fn model(&self, page: &ModelPage) -> Result<String, ReportError> {
        let pen = Pen::new(&page.site)?;
        self.write("model.html", "Model", Place::Model, &pen, model::view(page, &pen)?, false)
    }

    /// Writes the list of runs.
    pub fn runs(&self, page: &RunsPage) -> Result<String, ReportError> {
        let pen = Pen::new(&page.site)?;
        let is_live = page.runs.iter().any(|run| run.verdict == RunVerdict::Running);
        self.write("runs.html", "Runs", Place::Runs, &pen, runs::list(page, &pen), is_live)
    }

    /// Writes a run.
    pub fn run(&self, page: &RunPage) -> Result<String, ReportError> {
        let pen = Pen::new(&page.site)?;
        let is_live = page.run.verdict == RunVerdict::Running;
        let title = format!("Run {}", page.run.run_id);
        self.write("run.html", &title, Place::Runs, &pen, runs::view(page, &pen), is_live)
    }

    /// Writes what is shown in place of a page that is not there.
    pub fn problem(&self, page: &ProblemPage) -> Result<String, ReportError> {
        let pen = Pen::new(&page.site)?;
        self.write("problem.html", &page.title, Place::Nowhere, &pen, problem::view(page), false)
    }

    fn write(
        &self,
        template: &str,
        title: &str,
        place: Place,
        pen: &Pen<'_>,
        page: impl Serialize,
        is_live: bool,
    ) -> Result<String, ReportError> {
        let frame = Frame::new(title, place, pen, &self.assets).live(is_live);
        Ok(layout::compact(&self.templates.render(template, &Framed { frame, page })?))
    }
}
