//! Errors as RFC 9457 problem documents.
//!
//! # Example
//! ```
//! use serve::{Problem, ProblemKind};
//! let problem = Problem::new(ProblemKind::UnknownGame, "no game `epl_x` is known");
//! assert_eq!(problem.status, 404);
//! assert_eq!(problem.kind, "urn:edge:problem:unknown-game");
//! ```

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use market::PredictError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::SCHEMA_VERSION;

/// What went wrong, as a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The request cannot be read.
    BadRequest,
    /// No token, or a wrong one.
    Unauthorised,
    /// The token does not allow this, or the page that asks is another site's.
    Forbidden,
    /// Nothing lives at this path.
    UnknownRoute,
    /// The game is not in the store.
    UnknownGame,
    /// The path exists, but not with this method.
    MethodNotAllowed,
    /// The body is too large.
    TooLarge,
    /// Path and query are too long.
    UriTooLong,
    /// The body is not declared as JSON.
    NotJson,
    /// The request can be read, but asks for something that cannot be.
    Invalid,
    /// The team has never played in the league.
    UnknownTeam,
    /// The request names a host that is not answered here.
    Misdirected,
    /// The caller asks too often.
    TooManyRequests,
    /// The league has no such venue.
    UnknownVenue,
    /// Neither team has such a key player.
    UnknownPlayer,
    /// The model failed.
    Internal,
    /// No model is loaded, or its data is too old.
    NotReady,
    /// The answer took too long.
    TimedOut,
    /// Too much waits already.
    Overloaded,
    /// What there is to be loaded cannot be used.
    ReloadRefused,
}

impl ProblemKind {
    /// Returns the kind that is nearest to a status.
    pub(crate) fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthorised,
            StatusCode::FORBIDDEN => Self::Forbidden,
            StatusCode::NOT_FOUND => Self::UnknownRoute,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::NotJson,
            StatusCode::UNPROCESSABLE_ENTITY => Self::Invalid,
            StatusCode::SERVICE_UNAVAILABLE => Self::NotReady,
            status if status.is_client_error() => Self::BadRequest,
            _ => Self::Internal,
        }
    }

    /// Returns status, last part of the type, and title.
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "bad-request", "The request cannot be read"),
            Self::Unauthorised => {
                (StatusCode::UNAUTHORIZED, "unauthorised", "A valid bearer token is needed")
            }
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "This may not be asked"),
            Self::UnknownRoute => (StatusCode::NOT_FOUND, "unknown-route", "Nothing lives at this path"),
            Self::UnknownGame => (StatusCode::NOT_FOUND, "unknown-game", "The game is not known"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "The path does not take this method")
            }
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large"),
            Self::UriTooLong => (StatusCode::URI_TOO_LONG, "uri-too-long", "The address is too long"),
            Self::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json", "The body must be JSON"),
            Self::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The request cannot be answered"),
            Self::UnknownTeam => (StatusCode::UNPROCESSABLE_ENTITY, "unknown-team", "The team is not known"),
            Self::UnknownVenue => {
                (StatusCode::UNPROCESSABLE_ENTITY, "unknown-venue", "The venue is not known")
            }
            Self::UnknownPlayer => {
                (StatusCode::UNPROCESSABLE_ENTITY, "unknown-player", "The key player is not known")
            }
            Self::Misdirected => {
                (StatusCode::MISDIRECTED_REQUEST, "misdirected", "This host is not answered here")
            }
            Self::TooManyRequests => {
                (StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "There were too many requests")
            }
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "The model failed"),
            Self::NotReady => (StatusCode::SERVICE_UNAVAILABLE, "not-ready", "The endpoint is not ready"),
            Self::TimedOut => (StatusCode::SERVICE_UNAVAILABLE, "timed-out", "The answer took too long"),
            Self::Overloaded => {
                (StatusCode::SERVICE_UNAVAILABLE, "overloaded", "The endpoint has too much to do")
            }
            Self::ReloadRefused => (StatusCode::CONFLICT, "reload-refused", "Nothing newer was loaded"),
        }
    }
}

/// A problem document, `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What kind of problem, stable: `urn:edge:problem:...`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong with this request, and the way out.
    pub detail: String,
    /// The path asked.
    #[serde(default)]
    pub instance: String,
    /// The request's id, as in the header `x-request-id`.
    #[serde(default)]
    pub request_id: String,
    /// What could have been meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<String>,
    /// Version of this schema.
    #[serde(default)]
    pub schema_version: String,
}

impl Problem {
    /// Builds a problem; path and request id are filled in on the way out.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        let (status, name, title) = kind.parts();
        Self {
            kind: format!("urn:edge:problem:{name}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            instance: String::new(),
            request_id: String::new(),
            suggestions: Vec::new(),
            schema_version: SCHEMA_VERSION.to_owned(),
        }
    }

    /// `names` are what could have been meant, with commas between them.
    fn suggesting(kind: ProblemKind, detail: String, names: &str) -> Self {
        let suggestions = names.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect();
        Self { suggestions, ..Self::new(kind, detail) }
    }
}

/// Boxed, because a document is large beside most answers.
pub(crate) fn problem(kind: ProblemKind, detail: impl Into<String>) -> Box<Problem> {
    Box::new(Problem::new(kind, detail))
}

/// Leaves the document beside an empty answer; the gate renders it, because only it knows path and id.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Box<Problem> {
    fn into_response(self) -> Response {
        (*self).into_response()
    }
}

impl From<PredictError> for Problem {
    fn from(error: PredictError) -> Self {
        let text = error.to_string();
        match error {
            PredictError::UnknownGame(_) => Self::new(ProblemKind::UnknownGame, text),
            PredictError::UnknownTeam { suggestion, .. } => {
                Self::suggesting(ProblemKind::UnknownTeam, text, &suggestion)
            }
            PredictError::UnknownVenue { suggestion, .. } => {
                Self::suggesting(ProblemKind::UnknownVenue, text, &suggestion)
            }
            PredictError::UnknownPlayer { suggestion, .. } => {
                Self::suggesting(ProblemKind::UnknownPlayer, text, &suggestion)
            }
            PredictError::Ambiguous(_) => Self::new(ProblemKind::Invalid, text),
            // The cause may name files and shapes; it belongs in the log, not on the network.
            other => {
                tracing::error!(error = &other as &dyn std::error::Error, "a prediction failed");
                Self::new(
                    ProblemKind::Internal,
                    "the model failed on this request; the server's log has the cause",
                )
            }
        }
    }
}
