//! Where Ray is, what every job of a run wants of it, and how patient one is.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use super::{RayError, client::Client};
use crate::task::hex_sha256;

/// A secret that the head wants from everybody who talks to it; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct RayToken(String);

impl RayToken {
    /// Wraps the secret, without the line end that files have.
    pub fn new(secret: impl AsRef<str>) -> Self {
        Self(secret.as_ref().trim().to_owned())
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RayToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RayToken(hidden)")
    }
}

/// What a [`RayExecutor`](super::RayExecutor) has to know.
#[derive(Debug, Clone, PartialEq)]
pub struct RaySettings {
    /// The dashboard, such as `http://127.0.0.1:8265`. It is reached directly, never through a proxy.
    pub address: String,
    /// The cluster's token, if it has one. It protects nothing on the way: use https or a tunnel.
    pub token: Option<RayToken>,
    /// The first part of all submission ids: letters, digits, `-` and `_`, at most 64.
    pub run: String,
    /// Most submissions in flight at once (at least 1); what the cluster can start at once, or less.
    ///
    /// Ray gives up on a job that waits longer than 15 minutes, so the rest waits here.
    pub slots: usize,
    /// Folder of all outputs, at the same path here and on every worker.
    pub root: PathBuf,
    /// Custom resources that each job takes, by name.
    pub custom_resources: BTreeMap<String, f64>,
    /// Labels that a job's node must have.
    pub label_selector: BTreeMap<String, String>,
    /// Package that each job is started in, such as [`RaySettings::upload`] returns.
    pub working_dir: Option<String>,
    /// Pause between two questions to Ray, however often one polls.
    pub poll_every: Duration,
    /// How long an attempt that Ray has lost sight of may still show that it worked on and ended well.
    pub grace: Duration,
    /// How long Ray may be out of reach before the attempts in flight count as lost.
    pub lost_after: Duration,
}

impl RaySettings {
    /// Builds settings for one job at a time; the rest are fields.
    pub fn new(address: impl Into<String>, run: impl Into<String>, root: impl Into<PathBuf>) -> Self {
        Self {
            address: address.into(),
            token: None,
            run: run.into(),
            slots: 1,
            root: root.into(),
            custom_resources: BTreeMap::new(),
            label_selector: BTreeMap::new(),
            working_dir: None,
            poll_every: Duration::from_secs(1),
            grace: Duration::from_mins(2),
            lost_after: Duration::from_mins(10),
        }
    }

    /// Hands a zip archive to the head and returns what to set [`Self::working_dir`] to.
    ///
    /// The head forgets it when it restarts, and some minutes after the last job that used it.
    pub fn upload(&self, zip: Vec<u8>) -> Result<String, RayError> {
        let name = format!("_ray_pkg_{}.zip", &hex_sha256(&zip)[..32]);
        Client::new(self)?.upload(&name, zip)?;
        Ok(format!("gcs://{name}"))
    }
}
