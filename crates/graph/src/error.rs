//! What can go wrong when a graph is asked or read back.

use jiff::Timestamp;

/// Why a question to the graph has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// No such league is in the snapshot.
    #[error("no league `{league}` is known; known are: {known}")]
    UnknownLeague {
        /// As asked.
        league: String,
        /// Comma-separated ids.
        known: String,
    },
    /// No such team has been seen in the league.
    #[error("no team `{team}` is known in {league}; nearest: {}", nearest.join(", "))]
    UnknownTeam {
        /// As asked.
        team: String,
        /// Where.
        league: String,
        /// Up to three nearest names by edit distance, nearest first.
        nearest: Vec<String>,
    },
    /// No such venue is known in the league.
    #[error("no venue `{venue}` is known in {league}; nearest: {}", nearest.join(", "))]
    UnknownVenue {
        /// As asked.
        venue: String,
        /// Where.
        league: String,
        /// Up to three nearest names by edit distance, nearest first.
        nearest: Vec<String>,
    },
    /// No such key player is known of either team.
    #[error("no key player `{player}` is known of {teams}; nearest: {}", nearest.join(", "))]
    UnknownPlayer {
        /// As asked.
        player: String,
        /// Both teams.
        teams: String,
        /// Up to three nearest names by edit distance, nearest first.
        nearest: Vec<String>,
    },
    /// Rows to be added were known before the graph's own instant, so it should have held them already.
    #[error("rows of {known_at} cannot be added to a graph as of {as_of}: build the graph anew")]
    NotLater {
        /// Instant of the first such row.
        known_at: Timestamp,
        /// The graph's.
        as_of: Timestamp,
    },
    /// Rows to be added come with other leagues than the graph's.
    #[error("the rows' leagues are not the graph's: build the graph anew")]
    OtherLeagues,
    /// A stored graph misses a column or has it in another type.
    #[error("the stored graph has no column `{column}` of type {expected}: build the graph anew")]
    Column {
        /// Name of the column.
        column: String,
        /// Type that was looked for.
        expected: &'static str,
    },
    /// A stored graph's columns do not fit together.
    #[error("the stored graph is damaged: {0}; build the graph anew")]
    Damaged(String),
    /// A stored graph's header is no JSON of the expected form.
    #[error("the stored graph's header cannot be read; build the graph anew")]
    Header(#[source] serde_json::Error),
}
