//! Pieces of text: what comes from outside is set between backticks, and a line is taken apart again by them.

use crate::format::shorten;

/// Longest text from outside that a notice shows whole, in characters.
const LONGEST_QUOTE: usize = 300;

/// Longest title, in characters.
const LONGEST_TITLE: usize = 120;

/// Sets a text from outside between backticks: on one line, without control characters and backticks of its own.
pub(super) fn quoted(text: &str) -> String {
    let text = shorten(text, LONGEST_QUOTE).replace('`', "'");
    if text.is_empty() { "`(nothing)`".to_owned() } else { format!("`{text}`") }
}

/// Returns `text` as part of a command that people copy into a shell, or `placeholder` when it is no plain word.
pub(super) fn argument<'a>(text: &'a str, placeholder: &'a str) -> &'a str {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let is_word = text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(is_plain);
    if is_word && text.len() <= LONGEST_QUOTE { text } else { placeholder }
}

/// Makes a title of one line out of `text`.
pub(super) fn title(text: &str) -> String {
    shorten(text, LONGEST_TITLE).replace('`', "'")
}

/// A stretch of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Our own words.
    Words(&'a str),
    /// What stood between backticks: a name or text from outside, or a command.
    Quote(&'a str),
}

/// Takes a line of a notice apart.
pub(super) fn pieces(line: &str) -> impl Iterator<Item = Piece<'_>> {
    let piece = |(index, text)| if index % 2 == 0 { Piece::Words(text) } else { Piece::Quote(text) };
    line.split('`').enumerate().map(piece).filter(|piece| *piece != Piece::Words(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_holds_plain_words_only() {
        assert_eq!(argument("2026-11-20_b.1", "RUN"), "2026-11-20_b.1");
        for hostile in ["x; rm -rf .", "$(id)", "--force", "", "a b", "é"] {
            assert_eq!(argument(hostile, "RUN"), "RUN", "{hostile}");
        }
    }

    #[test]
    fn a_text_from_outside_stays_one_quote() {
        for hostile in ["a`b` c", "``", "", "two\nlines\u{202e}", "<!channel>"] {
            let line = format!("Step {} failed", quoted(hostile));
            let quotes = pieces(&line).filter(|piece| matches!(piece, Piece::Quote(_))).count();
            assert_eq!(quotes, 1, "{line}");
            assert!(!line.contains(['\n', '\u{202e}']));
        }
    }
}
