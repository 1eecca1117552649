//! White space of the finished texts: columns in the plain text, nothing superfluous in the page.

use tera::{Kwargs, State, Tera, TeraResult};
use unicode_width::UnicodeWidthStr;

/// Registers `left(width)` and `right(width)`, which pad a text to a column of the plain-text part.
pub(crate) fn register_padding(tera: &mut Tera) {
    tera.register_filter("left", |text: String, options: Kwargs, _: &State<'_>| -> TeraResult<String> {
        let width: usize = options.must_get("width")?;
        Ok(format!("{text}{}", gap(&text, width)))
    });
    tera.register_filter("right", |text: String, options: Kwargs, _: &State<'_>| -> TeraResult<String> {
        let width: usize = options.must_get("width")?;
        Ok(format!("{}{text}", gap(&text, width)))
    });
}

/// What a text lacks to `width` columns; some letters take two of them, and some none.
fn gap(text: &str, width: usize) -> String {
    " ".repeat(width.saturating_sub(text.width()))
}

/// Drops indentation and empty lines, which a browser does not show.
pub(crate) fn compact(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    for line in html.lines().map(str::trim).filter(|line| !line.is_empty()) {
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// Makes plain text plain: typographic spaces and minus signs become ASCII, no line ends in a space, and
/// never is more than one line empty.
pub(crate) fn plain(text: &str) -> String {
    let text = text.replace(['\u{a0}', '\u{202f}'], " ").replace('−', "-");
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        if !(line.is_empty() && lines.last().is_none_or(|last| last.is_empty())) {
            lines.push(line);
        }
    }
    lines.join("\n").trim_end().to_owned() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_has_no_typographic_traps() {
        assert_eq!(plain("\n\n−1.0\u{a0}%  \n\n\n\nb\n\n"), "-1.0 %\n\nb\n");
    }

    #[test]
    fn a_letter_of_double_width_takes_two_columns() {
        assert_eq!((gap("￥12", 6), gap("€12", 6)), ("  ".to_owned(), "   ".to_owned()));
        assert_eq!(gap("too long", 3), "");
    }

    #[test]
    fn a_page_keeps_its_lines_and_loses_its_indentation() {
        assert_eq!(compact("  <p>\n\n    a b\n  </p>"), "<p>\na b\n</p>\n");
    }
}
