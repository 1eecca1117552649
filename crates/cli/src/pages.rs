//! The pages of `edge serve`: facts from the store and the runs, rendered anew for each request.

mod ledger;
mod model;
mod runs;
mod slate;

use std::sync::Arc;

use anyhow::Context as _;
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use report::pages::{CONTENT_SECURITY_POLICY, Pages, Route, input::ProblemPage};

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

/// Returns the routes, without any protection of their own.
///
/// # Errors
/// The user's own templates have a mistake, named with file and line.
pub(crate) fn router(context: &Arc<Context>) -> anyhow::Result<Router> {
    let own =
        context.settings.report.templates.as_ref().map(|folder| std::path::Path::new(folder).join("pages"));
    let pages = match own.filter(|folder| folder.is_dir()) {
        Some(folder) => Pages::with_overrides(&folder)?,
        None => Pages::built_in()?,
    };
    let desk = Arc::new(Desk { context: Arc::clone(context), pages });
    let routes = Route::PATTERNS.iter().fold(Router::new(), |routes, path| routes.route(path, get(answer)));
    Ok(routes.with_state(desk))
}

async fn answer(State(desk): State<Arc<Desk>>, uri: Uri) -> Response {
    let address = uri.path_and_query().map_or("/", |address| address.as_str()).to_owned();
    let work = tokio::task::spawn_blocking(move || desk.answer(&address));
    work.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

impl Desk {
    fn answer(&self, address: &str) -> Response {
        let found = match Route::parse(address) {
            Some(Route::Asset(_)) => return self.asset(address),
            Some(Route::Report(date)) => match self
                .context
                .store()
                .and_then(|store| Ok(store.try_get(&Key::Report(date).to_string())?))
            {
                Ok(Some(page)) => return html(StatusCode::OK, page, OF_A_REPORT),
                Ok(None) => Ok(Err(no_report(date))),
                Err(error) => Err(error),
            },
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
        match found {
            Ok(Ok(page)) => html(StatusCode::OK, page, CONTENT_SECURITY_POLICY),
            Ok(Err(missing)) => self.problem(StatusCode::NOT_FOUND, missing),
            Err(error) => {
                tracing::error!(address, error = format!("{error:#}"), "a page cannot be shown");
                let detail = format!("{error:#}.");
                let title = "This page cannot be shown";
                let command = Some("edge doctor".to_owned());
                self.problem(StatusCode::INTERNAL_SERVER_ERROR, Missing { title, detail, command })
            }
        }
    }

    fn problem(&self, status: StatusCode, missing: Missing) -> Response {
        let Missing { title, detail, command } = missing;
        let site = night::site(&self.context, wall_clock());
        let page = ProblemPage { site, status: status.as_u16(), title: title.to_owned(), detail, command };
        match self.pages.problem(&page) {
            Ok(page) => html(status, page, CONTENT_SECURITY_POLICY),
            Err(_) => status.into_response(),
        }
    }

    fn asset(&self, address: &str) -> Response {
        let Some(asset) = self.pages.assets().iter().find(|asset| asset.path == address) else {
            return StatusCode::NOT_FOUND.into_response();
        };
        let headers = [
            (header::CONTENT_TYPE, asset.content_type),
            // Its name changes with its content.
            (header::CACHE_CONTROL, "private, max-age=31536000, immutable"),
        ];
        (headers, asset.bytes.clone()).into_response()
    }

    /// Reads a JSON object of the store; none where there is none.
    fn read<T: serde::de::DeserializeOwned>(&self, key: &Key<'_>) -> anyhow::Result<Option<T>> {
        let bytes = self.context.store()?.try_get(&key.to_string())?;
        let read = bytes.map(|bytes| serde_json::from_slice(&bytes));
        read.transpose().with_context(|| format!("{key} is not whole"))
    }
}

fn no_report(date: jiff::civil::Date) -> Missing {
    Missing {
        title: "No report of that day",
        detail: format!("No night has reported on {date}."),
        command: Some(format!("edge nightly --date {date}")),
    }
}

fn html(status: StatusCode, page: impl Into<Body>, policy: &'static str) -> Response {
    let headers: [(HeaderName, HeaderValue); 4] = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (status, headers, page.into()).into_response()
}
