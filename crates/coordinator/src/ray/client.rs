//! Speaks HTTP with the head, one call at a time.

use std::{error::Error, path::PathBuf, time::Duration};

use reqwest::{
    Method, StatusCode, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    redirect,
};
use serde::de::DeserializeOwned;
use tokio::runtime::{Builder, Runtime};

use super::{
    RaySettings,
    wire::{Head, JobDetails, Nodes, SubmitRequest},
};
use crate::LockError;

/// Longest part of a foreign text that is repeated in a message.
const TEXT_CHARS: usize = 300;

/// Why Ray could not be used; never shows the token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RayError {
    /// The address is none of a dashboard.
    #[error("{0} is no address of a Ray dashboard: write it like http://127.0.0.1:8265, without a password")]
    Address(String),
    /// The token cannot be sent.
    #[error("the token for Ray has characters that no header may hold: check where it was read from")]
    Token,
    /// The run cannot begin submission ids.
    #[error("run `{0}` cannot begin ids at Ray: use 1 to 64 letters, digits, `-` or `_`")]
    InvalidRun(String),
    /// The HTTP library could not be set up.
    #[error("cannot set up the client for Ray")]
    SetUp(#[source] Box<dyn Error + Send + Sync>),
    /// Nobody answered, or not to the end.
    #[error(
        "no answer from Ray at {address}: does the head run there, and can this machine reach its dashboard?"
    )]
    Unreachable {
        /// The dashboard.
        address: String,
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The head wants a token.
    #[error(
        "Ray at {address} wants a token: give the one that its head was started with (RAY_AUTH_TOKEN there)"
    )]
    MissingToken {
        /// The dashboard.
        address: String,
    },
    /// The head wants another token.
    #[error(
        "Ray at {address} refuses the token: give the one that its head was started with (RAY_AUTH_TOKEN there)"
    )]
    WrongToken {
        /// The dashboard.
        address: String,
    },
    /// Somebody else answered.
    #[error(
        "what answers at {address} does not speak Ray's Jobs API ({said}): give the address of the dashboard, often port 8265"
    )]
    NotRay {
        /// The address.
        address: String,
        /// What came back.
        said: String,
    },
    /// Ray said no.
    #[error("Ray at {address} answered {status}: {said}")]
    Refused {
        /// The dashboard.
        address: String,
        /// HTTP status.
        status: u16,
        /// What it said.
        said: String,
    },
    /// A file of the journal could not be read.
    #[error("cannot read the journal {}: remove it only if its job neither runs nor matters", path.display())]
    Journal {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: std::io::Error,
    },
    /// Another executor keeps its jobs there, or the folder cannot be used.
    #[error("cannot keep jobs under that root")]
    Root(#[source] LockError),
}

impl RayError {
    /// Tells whether the request surely never left this machine.
    pub(super) fn is_unsent(&self) -> bool {
        let Self::Unreachable { source, .. } = self else { return false };
        source.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_connect)
    }
}

/// What Ray made of a submission.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Submitted {
    Taken,
    /// A job of that id is there already.
    Duplicate,
}

#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    address: String,
    token: Option<String>,
    authorization: Option<HeaderValue>,
    runtime: Runtime,
}

impl Client {
    pub(super) fn new(settings: &RaySettings) -> Result<Self, RayError> {
        let address = check_address(&settings.address)?;
        let token = settings.token.as_ref().map(|token| token.reveal().to_owned());
        let authorization = token.as_ref().map(|token| {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| RayError::Token)?;
            value.set_sensitive(true);
            Ok(value)
        });
        let http = reqwest::Client::builder()
            .user_agent(concat!("coordinator/", env!("CARGO_PKG_VERSION"))) // Ray refuses what looks like a browser.
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(30))
            .redirect(redirect::Policy::none()) // The token is for this address alone.
            .no_proxy()
            // Nothing reads a kept connection between two calls, so its end would go unseen.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(|error| RayError::SetUp(Box::new(error)))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| RayError::SetUp(Box::new(error)))?;
        Ok(Self { http, address, token, authorization: authorization.transpose()?, runtime })
    }

    /// Asks which head this is.
    pub(super) fn head(&self) -> Result<Head, RayError> {
        self.get("/api/version")
    }

    /// Returns all jobs that the head knows.
    pub(super) fn jobs(&self) -> Result<Vec<JobDetails>, RayError> {
        self.get("/api/jobs/")
    }

    /// Returns one job; none when the head does not know it.
    pub(super) fn job(&self, submission_id: &str) -> Result<Option<JobDetails>, RayError> {
        match self.get(&format!("/api/jobs/{submission_id}")) {
            Err(RayError::Refused { status: 404, .. }) => Ok(None),
            answer => answer.map(Some),
        }
    }

    pub(super) fn nodes(&self) -> Result<Nodes, RayError> {
        self.get("/api/v0/nodes")
    }

    pub(super) fn submit(&self, submission: &SubmitRequest) -> Result<Submitted, RayError> {
        let body = serde_json::to_vec(submission).map_err(|error| RayError::SetUp(Box::new(error)))?;
        // Without its last slash this address is not found.
        match self.call(Method::POST, "/api/jobs/", Some(("application/json", body))) {
            Ok(_) => Ok(Submitted::Taken),
            Err(RayError::Refused { said, .. }) if said.contains("already exists") => {
                Ok(Submitted::Duplicate)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn stop(&self, submission_id: &str) -> Result<(), RayError> {
        self.call(Method::POST, &format!("/api/jobs/{submission_id}/stop"), None).map(drop)
    }

    pub(super) fn upload(&self, name: &str, zip: Vec<u8>) -> Result<(), RayError> {
        let body = Some(("application/octet-stream", zip));
        self.call(Method::PUT, &format!("/api/packages/gcs/{name}"), body).map(drop)
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, RayError> {
        let bytes = self.call(Method::GET, path, None)?;
        serde_json::from_slice(&bytes).map_err(|error| RayError::NotRay {
            address: self.address.clone(),
            said: format!("{path}: {error}"),
        })
    }

    fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, Vec<u8>)>,
    ) -> Result<Vec<u8>, RayError> {
        let mut request = self.http.request(method, format!("{}{path}", self.address));
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        if let Some((content_type, bytes)) = body {
            request = request.header(CONTENT_TYPE, content_type).body(bytes);
        }
        let answer = self.runtime.block_on(async {
            let answer = request.send().await?;
            Ok((answer.status(), answer.bytes().await?))
        });
        let address = self.address.clone();
        match answer {
            Ok((status, bytes)) if status.is_success() => Ok(bytes.into()),
            Ok((StatusCode::UNAUTHORIZED, _)) => Err(RayError::MissingToken { address }),
            Ok((StatusCode::FORBIDDEN, _)) => Err(RayError::WrongToken { address }),
            Ok((status, bytes)) => {
                let said = self.without_token(&gist(&String::from_utf8_lossy(&bytes)));
                Err(RayError::Refused { address, status: status.as_u16(), said })
            }
            Err(error) => {
                let source: reqwest::Error = error;
                Err(RayError::Unreachable { address, source: Box::new(source.without_url()) })
            }
        }
    }

    /// A server that repeats what it was sent shall not bring the token into our messages.
    fn without_token(&self, text: &str) -> String {
        match &self.token {
            Some(token) if !token.is_empty() => text.replace(token, "(token)"),
            _ => text.to_owned(),
        }
    }
}

fn check_address(address: &str) -> Result<String, RayError> {
    // What may hold a password is not repeated.
    let shown = if address.contains('@') { "what was given".to_owned() } else { format!("`{address}`") };
    let url = Url::parse(address).map_err(|_| RayError::Address(shown.clone()))?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if !plain || !matches!(url.scheme(), "http" | "https") || url.fragment().is_some() {
        return Err(RayError::Address(shown));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Returns what a person wants of a reply: the last line of a traceback, the first of anything else.
pub(super) fn gist(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = if text.contains("Traceback") { lines.next_back() } else { lines.next() };
    line.unwrap_or("nothing").chars().take(TEXT_CHARS).collect()
}
