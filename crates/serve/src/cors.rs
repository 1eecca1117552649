//! Pages of other sites that may read answers in a browser; none unless listed.
//!
//! # Example
//! ```
//! use serve::Origin;
//! assert!(Origin::new("https://desk.example:8443").is_ok());
//! let error = Origin::new("*").unwrap_err();
//! assert!(error.to_string().contains("https://desk.example"), "each site is named");
//! ```

use std::time::Duration;

use axum::http::{
    HeaderName, HeaderValue, Method, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER},
};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// The text is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no origin: write scheme, host and port without a path, such as https://desk.example")]
pub struct InvalidOrigin(String);

/// A site, as browsers name it: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(HeaderValue);

impl Origin {
    /// Checks the text.
    pub fn new(text: &str) -> Result<Self, InvalidOrigin> {
        let invalid = || InvalidOrigin(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(invalid());
        };
        // Browsers send lower case and nothing more.
        let written = format!("{scheme}://{authority}").to_ascii_lowercase();
        let is_web = matches!(scheme, "http" | "https");
        if !is_web || written != text || authority.as_str().contains('@') {
            return Err(invalid());
        }
        Ok(Self(HeaderValue::try_from(text).map_err(|_| invalid())?))
    }

    pub(crate) fn is(&self, header: &HeaderValue) -> bool {
        self.0 == header
    }
}

/// Answers preflights and lets the listed pages read answers; the real request still needs its token.
pub(crate) fn layer(origins: &[Origin]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let origins = origins.iter().map(|origin| origin.0.clone());
    let named = ["x-request-id", "x-schema-version", "x-model-version", "x-as-of"];
    let shown = named.map(HeaderName::from_static).into_iter().chain([RETRY_AFTER]);
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, HeaderName::from_static("x-request-id")])
        .expose_headers(shown.collect::<Vec<_>>())
        .max_age(Duration::from_hours(1));
    Some(layer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_browser_sends_is_an_origin() {
        for right in ["http://localhost:3000", "https://desk.example", "http://[::1]:80"] {
            assert!(Origin::new(right).is_ok(), "{right}");
        }
        for wrong in [
            "*",
            "null",
            "",
            "desk.example",
            "https://desk.example/",
            "https://Desk.example",
            "ftp://desk.example",
            "https://me@desk.example",
            "https://desk.example/page",
        ] {
            assert!(Origin::new(wrong).is_err(), "{wrong}");
        }
    }
}
