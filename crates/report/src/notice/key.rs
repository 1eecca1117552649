//! What makes two notices the same.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::format::hexadecimal;

/// Longest part that is kept as it is, in characters.
const LONGEST_PART: usize = 48;

/// Name of an episode, like `run-failed:2026-11-20:train`.
///
/// Made of letters, digits, `.`, `_`, `-` and `:` alone, so that it can stand in a header, in an HTML comment and in
/// the log; at most a few hundred characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NoticeKey(String);

impl NoticeKey {
    /// Joins `kind` and the parts that tell its episodes apart.
    pub(super) fn of(kind: &str, parts: &[&str]) -> Self {
        let parts = parts.iter().map(|part| plain(part));
        Self([kind.replace('_', "-")].into_iter().chain(parts).collect::<Vec<_>>().join(":"))
    }

    /// Returns the key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NoticeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Instants keep their look; any other part with odd characters is told apart by its hash.
fn plain(part: &str) -> String {
    let is_kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let mut kept = String::new();
    for character in part.chars().take(LONGEST_PART) {
        match character {
            character if is_kept(character) => kept.push(character),
            _ if kept.ends_with('-') => {}
            _ => kept.push('-'),
        }
    }
    if part.parse::<jiff::Timestamp>().is_ok() || (kept == part && !part.is_empty()) {
        return kept;
    }
    format!("{kept}.{}", hexadecimal(&Sha256::digest(part)[..6]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_parts_stay_readable() {
        let key = NoticeKey::of("run_late", &["report", "2026-11-20T09:00:00Z"]);
        assert_eq!(key.as_str(), "run-late:report:2026-11-20T09-00-00Z");
    }

    proptest::proptest! {
        #[test]
        fn a_key_is_safe_anywhere(part in ".*") {
            let key = NoticeKey::of("x", &[&part]);
            let is_safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':');
            proptest::prop_assert!(key.as_str().chars().all(is_safe) && key.as_str().len() < 80, "{key}");
        }

        #[test]
        fn other_parts_give_another_key(a in "[a-z/:<>. -]{0,60}", b in "[a-z/:<>. -]{0,60}") {
            proptest::prop_assert_eq!(NoticeKey::of("x", &[&a]) == NoticeKey::of("x", &[&b]), a == b);
        }
    }
}
