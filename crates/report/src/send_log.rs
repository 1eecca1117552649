//! Who has had which report: one mail per date and recipient, also after a crash.
//!
//! Pure: the caller reads the text, asks, writes the text before sending and again afterwards. Between the
//! two a crash leaves an attempt without an end ([`Delivery::Interrupted`]); the mail is then sent again
//! under the same Message-ID.
//!
//! # Example
//! ```
//! use report::{Delivery, SendKey, SendLog};
//! let key = SendKey::new("2026-11-20".parse().unwrap(), "Reader@example.org", "ab12");
//! let at = "2026-11-20T08:00:00Z".parse().unwrap();
//! let mut log = SendLog::parse("").unwrap();
//! assert_eq!(log.delivery(&key), Delivery::Never);
//! log.begin(&key, "<id@example.org>", at);
//! assert_eq!(log.delivery(&key), Delivery::Interrupted);
//! log.finish(&key, "<id@example.org>", at);
//! let log = SendLog::parse(&log.to_text()).unwrap();
//! assert_eq!(log.delivery(&key), Delivery::Sent);
//! ```

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{format::hexadecimal, templates::Rendered};

/// A line of the log that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line} of the send log cannot be read; correct or remove it")]
pub struct SendLogError {
    line: usize,
    #[source]
    source: serde_json::Error,
}

/// What makes a mail one and the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SendKey {
    /// The report's date.
    pub date: Date,
    /// Bare address in lower case.
    pub recipient: String,
    /// sha256 of the report, hexadecimal.
    pub report_sha256: String,
}

impl SendKey {
    /// Builds a key; addresses that differ only in case are the same.
    pub fn new(date: Date, recipient: &str, report_sha256: &str) -> Self {
        Self { date, recipient: recipient.trim().to_lowercase(), report_sha256: report_sha256.to_owned() }
    }

    /// Tells whether the mail goes to this bare address.
    pub fn is_to(&self, address: &str) -> bool {
        self.recipient == address.trim().to_lowercase()
    }

    /// Builds the key of a rendered report.
    pub fn of(date: Date, recipient: &str, rendered: &Rendered) -> Self {
        let hash = Sha256::new()
            .chain_update(&rendered.subject)
            .chain_update("\0")
            .chain_update(&rendered.mail_html)
            .chain_update("\0")
            .chain_update(&rendered.text)
            .finalize();
        Self::new(date, recipient, &hexadecimal(&hash))
    }
}

/// What the log knows of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Nobody tried.
    Never,
    /// It was tried, and no success is known: send it.
    Interrupted,
    /// This very report was sent: do not send it again.
    Sent,
    /// Another version of the date's report was sent: do not send unless asked to.
    SentInAnotherVersion,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Attempted,
    Sent,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    key: SendKey,
    message_id: String,
    state: State,
    at: Timestamp,
}

/// The log: JSON lines, oldest first, only ever appended to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SendLog {
    entries: Vec<Entry>,
}

impl SendLog {
    /// Reads the log's text; a torn last line, left by a crash while appending, counts as not written.
    pub fn parse(text: &str) -> Result<Self, SendLogError> {
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let lines = whole.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
        let entry = |(text, line)| serde_json::from_str(text).map_err(|source| SendLogError { line, source });
        Ok(Self { entries: lines.map(entry).collect::<Result<_, _>>()? })
    }

    /// Writes the whole log.
    pub fn to_text(&self) -> String {
        // An entry is plain text and dates, which JSON can always write.
        let lines = self.entries.iter().filter_map(|entry| serde_json::to_string(entry).ok());
        lines.map(|line| line + "\n").collect()
    }

    /// Says whether `key` has been sent.
    pub fn delivery(&self, key: &SendKey) -> Delivery {
        let same_mail = |entry: &&Entry| entry.key.date == key.date && entry.key.recipient == key.recipient;
        let mails = || self.entries.iter().filter(same_mail);
        let mut sent = mails().filter(|entry| entry.state == State::Sent).peekable();
        if sent.peek().is_some() {
            let this = sent.any(|entry| entry.key.report_sha256 == key.report_sha256);
            return if this { Delivery::Sent } else { Delivery::SentInAnotherVersion };
        }
        if mails().next().is_some() { Delivery::Interrupted } else { Delivery::Never }
    }

    /// Notes that a mail is about to be sent; to be stored before it is.
    pub fn begin(&mut self, key: &SendKey, message_id: &str, at: Timestamp) {
        self.push(key, message_id, State::Attempted, at);
    }

    /// Notes that the server has taken the mail.
    pub fn finish(&mut self, key: &SendKey, message_id: &str, at: Timestamp) {
        self.push(key, message_id, State::Sent, at);
    }

    /// Returns the Message-ID of the first attempt for this date and recipient, which a repeat must carry.
    pub fn message_id(&self, key: &SendKey) -> Option<&str> {
        let first = self.entries.iter().find(|e| e.key.date == key.date && e.key.recipient == key.recipient);
        first.map(|entry| entry.message_id.as_str())
    }

    /// Returns what was begun for a report of `since` or later and never sent, by date and recipient.
    ///
    /// Of several versions of a date's report it is the one tried last; a mail of which any version arrived is
    /// not among them. A repeat carries the Message-ID of [`SendLog::message_id`].
    pub fn unsent(&self, since: Date) -> Vec<SendKey> {
        let mut newest: BTreeMap<(Date, &str), &SendKey> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.key.date >= since) {
            newest.insert((entry.key.date, &entry.key.recipient), &entry.key);
        }
        newest.into_values().filter(|key| self.delivery(key) == Delivery::Interrupted).cloned().collect()
    }

    fn push(&mut self, key: &SendKey, message_id: &str, state: State, at: Timestamp) {
        self.entries.push(Entry { key: key.clone(), message_id: message_id.to_owned(), state, at });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(hash: &str) -> SendKey {
        SendKey::new("2026-11-20".parse().unwrap(), "reader@example.org", hash)
    }

    fn at() -> Timestamp {
        "2026-11-20T08:00:00Z".parse().unwrap()
    }

    #[test]
    fn another_version_of_a_sent_report_is_known_as_such() {
        let mut log = SendLog::default();
        log.finish(&key("old"), "<1@x>", at());
        assert_eq!(log.delivery(&key("new")), Delivery::SentInAnotherVersion);
        log.begin(&key("new"), "<1@x>", at());
        assert_eq!(log.delivery(&key("old")), Delivery::Sent);
        assert!(log.unsent(Date::MIN).is_empty());
    }

    #[test]
    fn a_torn_last_line_counts_as_not_written() {
        let mut log = SendLog::default();
        log.begin(&key("a"), "<1@x>", at());
        let begun = log.to_text();
        log.finish(&key("a"), "<1@x>", at());
        let whole = log.to_text();
        for end in begun.len()..whole.len() {
            let torn = SendLog::parse(&whole[..end]).unwrap();
            assert_eq!(torn.delivery(&key("a")), Delivery::Interrupted, "cut at {end}");
            assert_eq!(torn.unsent(Date::MIN), [key("a")]);
            assert_eq!(torn.message_id(&key("a")), Some("<1@x>"));
        }
        assert_eq!(SendLog::parse(&whole).unwrap().delivery(&key("a")), Delivery::Sent);
    }

    #[test]
    fn what_never_went_out_is_found_again_in_its_newest_version() {
        let key =
            |date: &str, recipient: &str, hash: &str| SendKey::new(date.parse().unwrap(), recipient, hash);
        let mut log = SendLog::default();
        log.begin(&key("2026-11-18", "a@x.org", "old"), "<0@x>", at());
        log.begin(&key("2026-11-20", "b@x.org", "first"), "<1@x>", at());
        log.begin(&key("2026-11-19", "a@x.org", "zz"), "<2@x>", at());
        log.begin(&key("2026-11-20", "b@x.org", "again"), "<1@x>", at());
        log.begin(&key("2026-11-20", "a@x.org", "first"), "<3@x>", at());
        log.finish(&key("2026-11-20", "a@x.org", "again"), "<3@x>", at());
        let newest = [key("2026-11-19", "a@x.org", "zz"), key("2026-11-20", "b@x.org", "again")];
        assert_eq!(log.unsent("2026-11-19".parse().unwrap()), newest);
        assert_eq!(log.unsent(Date::MIN).len(), 3);
        log.finish(&newest[1], "<1@x>", at());
        assert_eq!(log.unsent("2026-11-19".parse().unwrap()), newest[..1]);
        assert!(log.unsent("2026-11-21".parse().unwrap()).is_empty());
    }

    #[test]
    fn a_spoilt_line_is_named() {
        let error = SendLog::parse("\nnonsense\n").unwrap_err();
        assert_eq!(error.to_string(), "line 2 of the send log cannot be read; correct or remove it");
    }
}
