//! Why a channel was not told.

use std::error::Error;

/// Why a channel was not told; never shows a token, nor more of an address than its host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoticeError {
    /// A setting cannot be used.
    #[error("{setting} cannot be used: {reason}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What is wrong and what to write instead.
        reason: &'static str,
    },
    /// The HTTP library could not be set up.
    #[error("cannot set up the client for {channel}")]
    SetUp {
        /// The channel.
        channel: String,
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The server said no for good; it is asked again at the next run, after somebody has seen to it.
    #[error("{channel} ({host}) refused the notice with status {status}, {}: {reply}", advice(*.status))]
    Refused {
        /// The channel.
        channel: String,
        /// Host and port.
        host: String,
        /// HTTP status.
        status: u16,
        /// Its words, shortened and without secrets.
        reply: String,
    },
    /// Nobody answered, or the server was busy to the end; a later run may succeed.
    #[error(
        "{channel} ({host}) did not take the notice in {attempts} attempts: {reason}; it goes out at the next run"
    )]
    PutOff {
        /// The channel.
        channel: String,
        /// Host and port.
        host: String,
        /// Attempts made.
        attempts: u32,
        /// What went wrong in the last of them, without secrets.
        reason: String,
    },
    /// Somebody else answered.
    #[error("what answers at {host} does not speak GitHub's REST API: check the address of the API")]
    NotGitHub {
        /// Host and port.
        host: String,
    },
    /// The channel did not answer an earlier notice, so this one was not tried.
    #[error("{channel} did not answer before: the notice was not tried, and goes out at the next run")]
    NotTried {
        /// The channel.
        channel: String,
    },
    /// The log could not be written, and so nothing was sent.
    #[error("the notice log could not be written, so {channel} was not told: make it writable and run again")]
    Unlogged {
        /// The channel.
        channel: String,
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The channel was told, but that could not be noted.
    #[error("{channel} was told, but the notice log could not be written: the next run tells it again")]
    ToldUnlogged {
        /// The channel.
        channel: String,
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl NoticeError {
    /// Tells whether another notice to the same channel would meet the same fate.
    pub(super) fn closes_channel(&self) -> bool {
        matches!(self, Self::PutOff { .. } | Self::SetUp { .. } | Self::NotGitHub { .. })
    }
}

/// Says what to do about a status.
fn advice(status: u16) -> &'static str {
    match status {
        300..=399 => "a redirect, which is not followed (give the final address)",
        401 | 403 => "so check its token or address, and what it is allowed to do",
        404 | 410 => "so check that its address (or repository, and the token's access to it) still stands",
        _ => "so look at what it says",
    }
}
