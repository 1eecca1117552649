//! Which channel has been told what: one notice per channel and episode, also after a crash.
//!
//! Pure, like the send log of mails: the caller stores the text before something is posted and again afterwards.
//! A crash between the two leaves an attempt without an end, and the notice is posted again: at least once, under
//! the same key. In every other case it is posted at most once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::NoticeKey;

/// A line of the log that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the notice log cannot be read; correct or remove it")]
pub struct NoticeLogError {
    line: usize,
    #[source]
    source: serde_json::Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Attempted,
    Told,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    key: NoticeKey,
    channel: String,
    state: State,
    at: Timestamp,
}

/// The log: JSON lines, oldest first, only ever appended to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoticeLog {
    entries: Vec<Entry>,
}

impl NoticeLog {
    /// Reads the log's text; a torn last line, left by a crash while appending, counts as not written.
    pub fn parse(text: &str) -> Result<Self, NoticeLogError> {
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let lines = whole.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
        let entry =
            |(text, line)| serde_json::from_str(text).map_err(|source| NoticeLogError { line, source });
        Ok(Self { entries: lines.map(entry).collect::<Result<_, _>>()? })
    }

    /// Writes the whole log.
    pub fn to_text(&self) -> String {
        // An entry is plain text and instants, which JSON can always write.
        let lines = self.entries.iter().filter_map(|entry| serde_json::to_string(entry).ok());
        lines.map(|line| line + "\n").collect()
    }

    /// Tells whether the channel of that name has still to be told.
    pub fn is_due(&self, key: &NoticeKey, channel: &str) -> bool {
        let is_told =
            |entry: &Entry| entry.state == State::Told && entry.key == *key && entry.channel == channel;
        !self.entries.iter().any(is_told)
    }

    /// Notes that the channel is about to be told; to be stored before it is.
    pub fn begin(&mut self, key: &NoticeKey, channel: &str, at: Timestamp) {
        self.push(key, channel, State::Attempted, at);
    }

    /// Notes that the channel has taken the notice.
    pub fn finish(&mut self, key: &NoticeKey, channel: &str, at: Timestamp) {
        self.push(key, channel, State::Told, at);
    }

    fn push(&mut self, key: &NoticeKey, channel: &str, state: State, at: Timestamp) {
        self.entries.push(Entry { key: key.clone(), channel: channel.to_owned(), state, at });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> NoticeKey {
        NoticeKey::of("feed_frozen", &["epl", "none"])
    }

    #[test]
    fn a_torn_last_line_counts_as_not_written() {
        let at = "2026-11-20T08:00:00Z".parse().unwrap();
        let mut log = NoticeLog::default();
        log.begin(&key(), "slack", at);
        let begun = log.to_text();
        log.finish(&key(), "slack", at);
        let whole = log.to_text();
        for end in begun.len()..whole.len() {
            let torn = NoticeLog::parse(&whole[..end]).unwrap();
            assert!(torn.is_due(&key(), "slack"), "cut at {end}");
        }
        let read = NoticeLog::parse(&whole).unwrap();
        assert!(!read.is_due(&key(), "slack"));
        assert!(read.is_due(&key(), "webhook"), "each channel by itself");
    }

    #[test]
    fn a_spoilt_line_is_named() {
        let error = NoticeLog::parse("\nnonsense\n").unwrap_err();
        assert_eq!(error.to_string(), "line 2 of the notice log cannot be read; correct or remove it");
    }
}
