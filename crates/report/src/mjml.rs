//! From MJML to HTML that mail programs understand: nested tables, Outlook's conditional ones, inlined CSS.
//!
//! The renderer takes an unknown element for HTML and does not look which element a closing tag closes, so both are
//! checked here first. It fetches nothing: it is built without loaders, and knows no web fonts.

mod elements;

use std::collections::HashMap;

use mrml::prelude::{
    parser::{Error as ParseError, Span},
    render::RenderOptions,
};

/// What is wrong with some MJML.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// In words.
    pub(crate) message: String,
    /// The words at fault, the likeliest first, to find them again in the template that wrote them.
    pub(crate) near: Vec<String>,
}

/// Renders MJML; the same text gives the same bytes.
pub(crate) fn html(mjml: &str) -> Result<String, Fault> {
    elements::check(mjml)?;
    let mjml = with_references(mjml);
    let parsed = mrml::parse(&mjml).map_err(|error| misread(&mjml, &error))?;
    if let Some(warning) = parsed.warnings.first() {
        let near = excerpt(&mjml, warning.span);
        return Err(Fault { message: format!("{} `{near}`", warning.kind), near: vec![near] });
    }
    let options = RenderOptions { fonts: HashMap::new(), ..RenderOptions::default() };
    let rendered = parsed.element.render(&options);
    rendered.map_err(|error| Fault { message: error.to_string(), near: Vec::new() })
}

fn misread(mjml: &str, error: &ParseError) -> Fault {
    let (what, near) = match error {
        ParseError::UnexpectedElement { position, .. } => ("unexpected element", excerpt(mjml, *position)),
        ParseError::UnexpectedToken { position, .. } => ("unexpected text", excerpt(mjml, *position)),
        ParseError::InvalidAttribute { position, .. } => ("invalid attribute", excerpt(mjml, *position)),
        ParseError::InvalidFormat { position, .. } => ("invalid format", excerpt(mjml, *position)),
        ParseError::MissingAttribute { name, position, .. } => {
            let near = excerpt(mjml, *position);
            return Fault { message: format!("attribute {name} is missing in `{near}`"), near: vec![near] };
        }
        ParseError::IncludeLoaderError { position, .. } => {
            ("mj-include reads no files here, use {% include %}", excerpt(mjml, *position))
        }
        ParseError::ParserError { source, .. } => {
            let line = mjml.lines().nth((source.pos().row as usize).saturating_sub(1)).unwrap_or_default();
            ("not well-formed", line.trim().to_owned())
        }
        ParseError::EndOfStream { .. } => ("it ends too early", String::new()),
        ParseError::NoRootNode => ("it has no mjml element", String::new()),
        ParseError::SizeLimit { .. } => ("it is too long", String::new()),
    };
    let quoted = if near.is_empty() { String::new() } else { format!(" at `{near}`") };
    let near = Some(near).filter(|near| !near.is_empty()).into_iter().collect();
    Fault { message: format!("{what}{quoted}"), near }
}

/// Returns the first line of what the parser points at.
fn excerpt(mjml: &str, span: Span) -> String {
    let text = mjml.get(span.start..span.end).unwrap_or_default();
    text.lines().next().unwrap_or_default().trim().to_owned()
}

/// Writes what is not plain ASCII as character references, which mean the same to every reader of HTML.
///
/// The renderer writes attributes with Rust's own quoting, which would turn a narrow space or a backslash into an
/// escape sequence of Rust. Style sheets know no references and stay as they are.
fn with_references(mjml: &str) -> String {
    let mut text = String::with_capacity(mjml.len() + mjml.len() / 8);
    let mut rest = mjml;
    while let Some(start) = rest.find("<mj-style") {
        let length = rest[start..].find("</mj-style>").unwrap_or(rest.len() - start);
        refer(&rest[..start], &mut text);
        text.push_str(&rest[start..start + length]);
        rest = &rest[start + length..];
    }
    refer(rest, &mut text);
    text
}

fn refer(plain: &str, text: &mut String) {
    for c in plain.chars() {
        match c {
            '\\' | '\u{7f}'.. => text.extend(["&#", &u32::from(c).to_string(), ";"]),
            _ => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(body: &str) -> String {
        format!(
            "<mjml><mj-head><mj-style inline=\"inline\">.a{{color:red}}</mj-style></mj-head><mj-body><mj-section><mj-column>\n{body}\n</mj-column></mj-section></mj-body></mjml>"
        )
    }

    #[test]
    fn style_is_inlined_and_outlook_gets_its_tables() {
        let html = html(&mail("<mj-text><p class=\"a\">x</p></mj-text>")).unwrap();
        assert!(html.contains("<p class=\"a\" style=\"color: red;\">x</p>"), "{html}");
        assert!(html.contains("<!--[if mso | IE]>") && html.contains("width:600px"), "{html}");
    }

    #[test]
    fn what_is_not_ascii_is_the_same_afterwards_in_text_and_attribute() {
        let odd = "5\u{a0}% \\ 'é' \u{202f}\u{301}א🐐";
        let html = html(&mail(&format!("<mj-image src=\"cid:a\" alt=\"{odd}\"/><mj-text>{odd}</mj-text>")));
        let page = scraper::Html::parse_document(&html.unwrap());
        let image = scraper::Selector::parse("img").unwrap();
        assert_eq!(page.select(&image).next().unwrap().value().attr("alt"), Some(odd));
        assert!(page.root_element().text().any(|text| text == odd));
    }

    #[test]
    fn no_font_is_fetched() {
        let html = html(&mail("<mj-text font-family=\"Roboto\">x</mj-text>")).unwrap();
        assert!(!html.contains("https:") && !html.contains("<link") && !html.contains("@import"), "{html}");
    }

    #[test]
    fn a_mistake_is_told_with_its_words() {
        let told = |mjml: &str| html(mjml).unwrap_err().message;
        assert_eq!(told(&mail("<mj-tabel></mj-tabel>")), "there is no element `<mj-tabel>` in MJML");
        assert_eq!(told(&mail("<mj-text>x")), "`<mj-text>` is closed by `</mj-column>`");
        assert_eq!(told(&mail("</mj-text>")), "`<mj-column>` is closed by `</mj-text>`");
        assert_eq!(told("<mjml><mj-body>"), "`<mj-body>` is never closed");
        assert_eq!(told("nothing"), "not well-formed at `nothing`");
        assert_eq!(
            told(&mail("<mj-include path=\"secret\"/>")),
            "mj-include reads no files here, use {% include %} at `mj-include`"
        );
        assert!(told(&mail("<mj-text <b></mj-text>")).starts_with("not well-formed at `<mj-text <b>"));
    }
}
