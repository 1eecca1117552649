//! The pages of `edge serve`: facts from the store and the runs, rendered anew for each request.

mod ledger;
mod model;
mod runs;
mod slate;

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use jiff::civil::Date;
use report::pages::{CONTENT_SECURITY_POLICY, Pages, Route, input::ProblemPage};
use serve::Page;

use crate::{
    context::{Context, wall_clock},
    night,
    paths::Key,
};

/// The stored report is one file with its style inside.
const OF_A_REPORT: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                           form-action 'none'; frame-ancestors 'none'";

/// What a page is made of.
struct Desk {
    context: Arc<Context>,
    pages: Pages,
}

/// What is missing, and what would make it.
struct Missing {
    title: &'static str,
    detail: String,
    command: Option<String>,
}

/// A page, or why there is none.
type Found = anyhow::Result<Result<String, Missing>>;

/// Returns what answers at the addresses of [`Route::PATTERNS`].
///
/// # Errors
/// The user's own templates have a mistake, named with file and line.
pub(crate) fn answers(
    context: &Arc<Context>,
) -> anyhow::Result<impl Fn(&str) -> Page + Send + Sync + 'static> {
    let pages = match &context.settings.report.templates {
        Some(folder) => Pages::with_overrides(Path::new(folder))?,
        None => Pages::built_in()?,
    };
    let desk = Desk { context: Arc::clone(context), pages };
    Ok(move |address: &str| desk.answer(address))
}

impl Desk {
    fn answer(&self, address: &str) -> Page {
        let found = match Route::parse(address) {
            Some(Route::Asset(_)) => return self.asset(address),
            Some(Route::Report(date)) => return self.report(date),
            Some(Route::Today) => self.slate(None),
            Some(Route::Slate(date)) => self.slate(Some(date)),
            Some(Route::Game(id)) => self.game(&id),
            Some(Route::Ledger { mode, page }) => self.ledger(mode, page),
            Some(Route::Model) => self.model(),
            Some(Route::Runs) => self.runs(),
            Some(Route::Run(id)) => self.run(&id),
            _ => Ok(Err(Missing {
                title: "No such page",
                detail: format!("There is nothing at {address}."),
                command: None,
            })),
        };
        self.shown(found)
    }

    fn shown(&self, found: Found) -> Page {
        match found {
            Ok(Ok(page)) => html(200, page, CONTENT_SECURITY_POLICY),
            Ok(Err(missing)) => self.problem(404, missing),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "a page cannot be shown");
                let (title, detail) = ("This page cannot be shown", format!("{error:#}."));
                self.problem(500, Missing { title, detail, command: Some("edge doctor".to_owned()) })
            }
        }
    }

    fn problem(&self, status: u16, missing: Missing) -> Page {
        let Missing { title, detail, command } = missing;
        let site = night::site(&self.context, wall_clock());
        let page = ProblemPage { site, status, title: title.to_owned(), detail, command };
        html(status, self.pages.problem(&page).unwrap_or_default(), CONTENT_SECURITY_POLICY)
    }

    /// The report as the night wrote it.
    fn report(&self, date: Date) -> Page {
        let stored =
            self.context.store().and_then(|store| Ok(store.try_get(&Key::Report(date).to_string())?));
        match stored {
            Ok(Some(page)) => html(200, page, OF_A_REPORT),
            Ok(None) => self.problem(
                404,
                Missing {
                    title: "No report of that day",
                    detail: format!("No night has reported on {date}."),
                    command: Some(format!("edge nightly --date {date}")),
                },
            ),
            Err(error) => self.shown(Err(error)),
        }
    }

    fn asset(&self, address: &str) -> Page {
        let Some(asset) = self.pages.assets().iter().find(|asset| asset.path == address) else {
            return Page { status: 404, headers: Vec::new(), body: Vec::new() };
        };
        // Its name changes with its content.
        let kept = ("cache-control", "private, max-age=31536000, immutable");
        Page {
            status: 200,
            headers: vec![("content-type", asset.content_type), kept],
            body: asset.bytes.clone(),
        }
    }

    /// Reads a JSON object of the store; none where there is none.
    fn read<T: serde::de::DeserializeOwned>(&self, key: &Key<'_>) -> anyhow::Result<Option<T>> {
        let bytes = self.context.store()?.try_get(&key.to_string())?;
        let read = bytes.map(|bytes| serde_json::from_slice(&bytes));
        read.transpose().with_context(|| format!("{key} is not whole"))
    }
}

fn html(status: u16, page: impl Into<Vec<u8>>, policy: &'static str) -> Page {
    let mut page = Page::html(status, page);
    page.headers.extend([
        ("content-security-policy", policy),
        ("cache-control", "private, no-cache"),
        ("referrer-policy", "no-referrer"),
    ]);
    page
}
