//! Pages for people beside the answers for programs: whoever has pages says at which paths, and writes them.
//!
//! # Example
//! ```
//! use serve::{App, Page, Serving, Settings, pages_router, router_with};
//! let pages = pages_router(["/", "/games/{id}"], |address| Page::html(200, format!("<p>{address}</p>")));
//! let app = App::new(Serving::empty("no model yet"), Settings::default(), || "2024-05-01T00:00:00Z".parse().unwrap());
//! let endpoint = router_with(app, pages);
//! ```

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, Uri, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};

/// What is answered at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Status; 500 when it is none of HTTP's.
    pub status: u16,
    /// Headers; the names in lower case.
    pub headers: Vec<(&'static str, &'static str)>,
    /// The bytes.
    pub body: Vec<u8>,
}

impl Page {
    /// Builds a page of HTML without further headers.
    pub fn html(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type", "text/html; charset=utf-8")], body: body.into() }
    }
}

type Answer = Arc<dyn Fn(&str) -> Page + Send + Sync>;

/// Returns routes to `answer`, which is given path and query, on a thread that may block.
///
/// `paths` are written as axum wants them: `/games/{game_id}`.
pub fn pages_router<'a>(
    paths: impl IntoIterator<Item = &'a str>,
    answer: impl Fn(&str) -> Page + Send + Sync + 'static,
) -> Router {
    let routes = paths.into_iter().fold(Router::new(), |routes, path| routes.route(path, get(show)));
    routes.with_state(Arc::new(answer) as Answer)
}

async fn show(State(answer): State<Answer>, uri: Uri) -> Response {
    let address = uri.path_and_query().map_or("/", |address| address.as_str()).to_owned();
    let page = tokio::task::spawn_blocking(move || answer(&address)).await;
    page.map_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response(), Page::into_response)
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.body).into_response();
        response.headers_mut().remove(CONTENT_TYPE);
        for (name, value) in self.headers {
            response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        response
    }
}
