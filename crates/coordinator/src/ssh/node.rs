//! Which machines there are, how one is reached, and why it is not.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use openssh::{ControlPersist, KnownHosts, Session, SessionBuilder};
use serde::{Deserialize, Serialize};

use super::SshError;

/// A machine that is reached by ssh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Host, `user@host`, or an alias of the ssh configuration.
    pub name: String,
    /// Port; that of the ssh configuration when absent.
    #[serde(default)]
    pub port: Option<u16>,
    /// GPUs to share out, one job on each at a time; none makes the node one slot without a GPU.
    #[serde(default)]
    pub gpus: Vec<u32>,
    /// Absolute path of the work folder on the node; jobs start there unless they say otherwise.
    pub folder: String,
    /// The private key, and the only one to be offered; those of the ssh configuration when absent.
    #[serde(default)]
    pub identity_file: Option<PathBuf>,
    /// The file of known host keys; those of the ssh configuration when absent.
    #[serde(default)]
    pub known_hosts_file: Option<PathBuf>,
}

impl Node {
    /// Builds a node without GPUs that is reached as the ssh configuration says.
    pub fn new(name: impl Into<String>, folder: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            port: None,
            gpus: Vec::new(),
            folder: folder.into(),
            identity_file: None,
            known_hosts_file: None,
        }
    }

    /// Replaces the port.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Replaces the GPUs.
    #[must_use]
    pub fn gpus(mut self, gpus: impl IntoIterator<Item = u32>) -> Self {
        self.gpus = gpus.into_iter().collect();
        self
    }

    /// Replaces the private key.
    #[must_use]
    pub fn identity_file(mut self, path: impl AsRef<Path>) -> Self {
        self.identity_file = Some(path.as_ref().to_owned());
        self
    }

    /// Replaces the file of known host keys.
    #[must_use]
    pub fn known_hosts_file(mut self, path: impl AsRef<Path>) -> Self {
        self.known_hosts_file = Some(path.as_ref().to_owned());
        self
    }

    /// What tells it from the other nodes: the name, with the port where one is given.
    pub fn label(&self) -> String {
        self.port.map_or_else(|| self.name.clone(), |port| format!("{}:{port}", self.name))
    }

    /// One entry for each job that it runs at a time.
    pub(super) fn slots(&self) -> Vec<Option<u32>> {
        if self.gpus.is_empty() { vec![None] } else { self.gpus.iter().copied().map(Some).collect() }
    }

    pub(super) fn check(&self) -> Result<(), SshError> {
        let refuse = |reason| Err(SshError::InvalidNode { node: self.label(), reason });
        let odd = |c: char| c.is_whitespace() || c.is_control();
        if self.name.is_empty() || self.name.starts_with('-') || self.name.contains(odd) {
            return refuse("the name must be a host, user@host or an alias");
        }
        if !self.folder.starts_with('/') || self.folder.contains(char::is_control) {
            return refuse("the folder must be an absolute path on the node");
        }
        let mut gpus = self.gpus.clone();
        gpus.sort_unstable();
        gpus.dedup();
        if gpus.len() != self.gpus.len() {
            return refuse("a GPU is listed twice");
        }
        Ok(())
    }

    /// Opens the one connection that everything on the node shares.
    pub(super) async fn connect(self, timeout: Duration) -> Result<Session, NodeError> {
        let mut builder = SessionBuilder::default();
        builder
            .known_hosts_check(KnownHosts::Strict)
            .connect_timeout(timeout)
            .server_alive_interval(Duration::from_secs(5))
            // A master whose executor was killed goes away by itself.
            .control_persist(IDLE.map_or(ControlPersist::Forever, ControlPersist::IdleFor))
            // Short, because the path of a socket may not be long.
            .control_directory(std::env::temp_dir());
        if let Some(port) = self.port {
            builder.port(port);
        }
        if let Some(path) = &self.identity_file {
            builder.keyfile(path);
        }
        if let Some(path) = &self.known_hosts_file {
            builder.user_known_hosts_file(path);
        }
        match tokio::time::timeout(timeout * 2, builder.connect(&self.name)).await {
            Ok(Ok(session)) => Ok(session),
            Ok(Err(error)) => Err(NodeError::of(&self.label(), &error)),
            Err(_) => {
                Err(NodeError::Unreachable { node: self.label(), said: "no answer in time".to_owned() })
            }
        }
    }
}

const IDLE: Option<std::num::NonZeroUsize> = std::num::NonZeroUsize::new(600);

/// Where a job wants to run; the empty one leaves both to the executor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Placement {
    /// Name or label of the node.
    pub node: Option<String>,
    /// The GPU.
    pub gpu: Option<u32>,
}

impl Placement {
    /// Wants any slot of a node.
    pub fn node(name: impl Into<String>) -> Self {
        Self { node: Some(name.into()), gpu: None }
    }

    /// Wants that GPU.
    #[must_use]
    pub fn gpu(mut self, gpu: u32) -> Self {
        self.gpu = Some(gpu);
        self
    }

    pub(super) fn allows(&self, node: &Node, gpu: Option<u32>) -> bool {
        self.node.as_ref().is_none_or(|wanted| *wanted == node.name || *wanted == node.label())
            && self.gpu.is_none_or(|wanted| gpu == Some(wanted))
    }
}

/// Why a node does not answer, as far as ssh's own words tell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// No connection, or one that broke; worth trying again.
    #[error("cannot reach node {node}: is it up, and its ssh server running? ssh said: {said}")]
    Unreachable {
        /// The node's label.
        node: String,
        /// What ssh said.
        said: String,
    },
    /// The node answers, but lets none of our keys in.
    #[error(
        "node {node} refuses the key: add its public half to authorized_keys there, or name another identity file; ssh said: {said}"
    )]
    KeyRefused {
        /// The node's label.
        node: String,
        /// What ssh said.
        said: String,
    },
    /// The node's host key is not the known one, or none is known.
    #[error(
        "the host key of node {node} is not the known one: compare it with the node's own, then correct the file of known hosts; ssh said: {said}"
    )]
    HostKey {
        /// The node's label.
        node: String,
        /// What ssh said.
        said: String,
    },
    /// The ssh program of this machine could not be run.
    #[error(
        "cannot run ssh to reach node {node}: install the OpenSSH client here, or check its configuration; the system said: {said}"
    )]
    NoClient {
        /// The node's label.
        node: String,
        /// What the system said.
        said: String,
    },
}

impl NodeError {
    fn of(node: &str, error: &openssh::Error) -> Self {
        let node = node.to_owned();
        if let openssh::Error::Connect(source) | openssh::Error::Ssh(source) = error
            && source.kind() == io::ErrorKind::NotFound
        {
            return Self::NoClient { node, said: source.to_string() };
        }
        let said = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
        Self::of_words(node, &said)
    }

    fn of_words(node: String, said: &str) -> Self {
        // The banner of a changed key is many lines long; its frame says nothing.
        let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.starts_with('@')).collect();
        let words = lines.join(" ");
        if said.contains("Host key verification failed") || said.contains("host key is known") {
            Self::HostKey { node, said: words }
        } else if said.contains("Permission denied (") || said.contains("Too many authentication failures") {
            Self::KeyRefused { node, said: words }
        } else {
            Self::Unreachable { node, said: words }
        }
    }

    /// Tells whether only a person can help.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Unreachable { .. })
    }
}

/// How a node is at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeState {
    /// Nothing was tried yet, or the first connection is being made.
    Connecting,
    /// It answers.
    Up,
    /// It does not; it is tried again with growing pauses.
    Down(NodeError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_ssh_tell_a_refusal_from_a_silence() {
        let of = |said| NodeError::of_words("n".into(), said);
        let key = of("root@n: Permission denied (publickey).");
        assert!(matches!(key, NodeError::KeyRefused { .. }) && key.is_refusal());
        let host = of("@@@@@\n@ WARNING @\nHost key verification failed.");
        assert_eq!(
            host,
            NodeError::HostKey { node: "n".into(), said: "Host key verification failed.".into() }
        );
        assert!(!of("connect to host n port 22: Connection refused").is_refusal());
        // The network's own "Permission denied" (a firewall) is not about a key.
        assert!(!of("connect to host n port 22: Permission denied").is_refusal());
    }

    #[test]
    fn a_name_that_ssh_would_take_for_an_option_is_refused() {
        assert!(Node::new("-oProxyCommand=x", "/srv/work").check().is_err());
        assert!(Node::new("node", "work").check().is_err());
        assert!(Node::new("node", "/srv/work").gpus([0, 0]).check().is_err());
        assert!(Node::new("user@node", "/srv/work").gpus([0, 1]).check().is_ok());
    }
}
