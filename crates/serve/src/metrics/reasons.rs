//! Closed sets of labels, so that no request can invent one.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

/// Why a request was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The queue of the model is full.
    Overloaded,
    /// The caller asks too often.
    RateLimited,
    /// No token, or a wrong one.
    Unauthorised,
    /// A token that may not do this.
    Forbidden,
    /// The body is too large.
    TooLarge,
    /// No answer in time.
    TimedOut,
    /// No model is loaded.
    NotReady,
    /// Too many connections, or one that sends too slowly.
    Connection,
}

impl Refusal {
    pub(super) const ALL: [Self; 8] = [
        Self::Overloaded,
        Self::RateLimited,
        Self::Unauthorised,
        Self::Forbidden,
        Self::TooLarge,
        Self::TimedOut,
        Self::NotReady,
        Self::Connection,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Overloaded => "overloaded",
            Self::RateLimited => "rate_limited",
            Self::Unauthorised => "unauthorised",
            Self::Forbidden => "forbidden",
            Self::TooLarge => "too_large",
            Self::TimedOut => "timed_out",
            Self::NotReady => "not_ready",
            Self::Connection => "connection",
        }
    }
}

impl EncodeLabelValue for Refusal {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        self.as_str().encode(encoder)
    }
}

/// How a reload ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reload {
    /// The new model answers.
    Done,
    /// It was bad; the old one goes on.
    Refused,
}

impl EncodeLabelValue for Reload {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        match self {
            Self::Done => "ok",
            Self::Refused => "refused",
        }
        .encode(encoder)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RefusedLabels {
    pub(super) reason: Refusal,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ReloadLabels {
    pub(super) outcome: Reload,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct CacheLabels {
    pub(super) result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct LeagueLabels {
    pub(super) league: String,
}
