//! Facts of the page shown in place of one that is not there.

use serde::{Deserialize, Serialize};

use super::Site;

/// Why there is no such page, and what would make one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProblemPage {
    /// The site.
    pub site: Site,
    /// HTTP status that goes with it.
    pub status: u16,
    /// What is missing, as a heading: `No game of that name`.
    pub title: String,
    /// More about it, a sentence or two.
    pub detail: String,
    /// Command that helps; none when no command does.
    pub command: Option<String>,
}
