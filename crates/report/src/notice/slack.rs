//! A notice for Slack's incoming webhooks: Block Kit, and a plain text for where blocks are not shown.
//!
//! `&`, `<` and `>` are escaped everywhere, so that no text becomes a link, a mention or `<!channel>`.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::{
    Notice,
    text::{Piece, pieces},
};
use crate::format::local_instant;

/// Longest header that Slack takes, in characters.
const LONGEST_HEADER: usize = 150;

#[derive(Debug, Serialize)]
pub(super) struct Message {
    text: String,
    blocks: Vec<Block>,
    unfurl_links: bool,
    unfurl_media: bool,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Header { text: Text },
    Section { text: Text },
    Context { elements: [Text; 1] },
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Text {
    PlainText {
        text: String,
        emoji: bool,
    },
    /// `verbatim`: names and addresses in it do not become links.
    Mrkdwn {
        text: String,
        verbatim: bool,
    },
}

/// Writes the message.
pub(super) fn message(notice: &Notice) -> Message {
    let header = Text::PlainText { text: escaped(&notice.title, LONGEST_HEADER), emoji: false };
    let sections = notice.body.iter().map(|line| Block::Section { text: mrkdwn(markup(line)) });
    let at = local_instant(notice.at, &TimeZone::UTC);
    let origin = format!("Edge · {} · {at} UTC", notice.severity.as_str());
    let mut blocks = vec![Block::Header { text: header }];
    blocks.extend(sections);
    blocks.push(Block::Context { elements: [mrkdwn(escaped(&origin, usize::MAX))] });
    Message {
        text: format!("Edge: {}", escaped(&notice.title, usize::MAX)),
        blocks,
        unfurl_links: false,
        unfurl_media: false,
    }
}

fn mrkdwn(text: String) -> Text {
    Text::Mrkdwn { text, verbatim: true }
}

/// Escapes a line; what stands between backticks becomes code, where nothing is marked up.
fn markup(line: &str) -> String {
    let piece = |piece| match piece {
        Piece::Words(text) => escaped(text, usize::MAX),
        Piece::Quote(text) => format!("`{}`", escaped(text, usize::MAX)),
    };
    pieces(line).map(piece).collect()
}

/// Escapes `text`, and ends it with an ellipsis when it gets longer than `longest` characters.
fn escaped(text: &str, longest: usize) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut length = 0;
    for character in text.chars() {
        let piece = match character {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            character => character.to_string(),
        };
        length += piece.chars().count();
        if length >= longest {
            return escaped + "…";
        }
        escaped += &piece;
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_is_never_cut_in_two() {
        for longest in 1..40 {
            let text = escaped("a<b>&c".repeat(9).as_str(), longest);
            assert!(text.chars().count() <= longest);
            let whole = text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "");
            assert!(!whole.contains(['&', ';', '<', '>']), "{text}");
        }
    }
}
