//! The connection to a node: whether it answers, and when it is tried again.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use openssh::Session;

use super::{
    journal::Entry,
    node::{Node, NodeError, NodeState},
};

/// A node that was silent for longer is asked whether it is there before it gets a job.
const FRESH: Duration = Duration::from_secs(5);
/// First pause between two tries to reach a node.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// A node and the connection to it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) node: Node,
    pub(super) session: Option<Arc<Session>>,
    /// Counts connections, so that a late complaint about an old one is not held against the new one.
    pub(super) generation: u64,
    /// A connection is being made, or a question is under way.
    pub(super) busy: bool,
    /// An output is on its way back.
    pub(super) fetching: bool,
    /// When it answered last; none since it failed.
    pub(super) heard: Option<Instant>,
    pub(super) error: Option<NodeError>,
    pub(super) silent_since: Option<Instant>,
    pub(super) failures: u32,
    pub(super) next_try: Instant,
    pub(super) next_look: Instant,
}

impl Link {
    pub(super) fn new(node: Node) -> Self {
        let now = Instant::now();
        Self {
            node,
            session: None,
            generation: 0,
            busy: false,
            fetching: false,
            heard: None,
            error: None,
            silent_since: None,
            failures: 0,
            next_try: now,
            next_look: now,
        }
    }

    pub(super) fn state(&self) -> NodeState {
        match (&self.error, self.heard) {
            (Some(error), _) => NodeState::Down(error.clone()),
            (None, Some(_)) => NodeState::Up,
            (None, None) => NodeState::Connecting,
        }
    }

    /// Tells whether the attempt is on this node.
    pub(super) fn keeps(&self, entry: &Entry) -> bool {
        self.node.label() == entry.node
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = Option<u32>> {
        self.node.slots().into_iter()
    }

    pub(super) fn is_fresh(&self) -> bool {
        self.session.is_some() && self.heard.is_some_and(|heard| heard.elapsed() < FRESH)
    }

    pub(super) fn answered(&mut self, pause: Duration) {
        let now = Instant::now();
        self.heard = Some(now);
        self.error = None;
        self.silent_since = None;
        self.failures = 0;
        self.next_look = now + pause;
    }

    pub(super) fn failed(&mut self, error: NodeError, longest_pause: Duration) {
        let now = Instant::now();
        // The first try comes at once: most often only the connection was cut.
        let pause = FIRST_PAUSE.saturating_mul(2u32.saturating_pow(self.failures.saturating_sub(1)));
        let pause = if self.failures == 0 && self.heard.is_some() { Duration::ZERO } else { pause };
        tracing::warn!(node = self.node.label(), %error, "a node does not answer");
        self.session = None;
        self.heard = None;
        self.error = Some(error);
        self.silent_since.get_or_insert(now);
        self.failures += 1;
        self.next_try = now + pause.min(longest_pause);
    }
}
