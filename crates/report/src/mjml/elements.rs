//! Elements of MJML: whether each is known and closed by its own closing tag.

use super::Fault;

const KNOWN: [&str; 33] = [
    "mj-accordion",
    "mj-accordion-element",
    "mj-accordion-text",
    "mj-accordion-title",
    "mj-all",
    "mj-attributes",
    "mj-body",
    "mj-breakpoint",
    "mj-button",
    "mj-carousel",
    "mj-carousel-image",
    "mj-class",
    "mj-column",
    "mj-divider",
    "mj-font",
    "mj-group",
    "mj-head",
    "mj-hero",
    "mj-image",
    "mj-include",
    "mj-navbar",
    "mj-navbar-link",
    "mj-preview",
    "mj-raw",
    "mj-section",
    "mj-social",
    "mj-social-element",
    "mj-spacer",
    "mj-style",
    "mj-table",
    "mj-text",
    "mj-title",
    "mj-wrapper",
];

/// Looks at every tag whose name begins with `mj`; text from outside has none, since it is escaped.
pub(super) fn check(mjml: &str) -> Result<(), Fault> {
    let mut open: Vec<&str> = Vec::new();
    for tag in mjml.split('<').skip(1) {
        let (closes, rest) = tag.strip_prefix('/').map_or((false, tag), |rest| (true, rest));
        let name = rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).next().unwrap_or_default();
        if !(name == "mjml" || name.starts_with("mj-")) {
            continue;
        }
        if name != "mjml" && !KNOWN.contains(&name) {
            let message = format!("there is no element `<{name}>` in MJML");
            return Err(Fault { message, near: vec![format!("<{name}")] });
        }
        if closes {
            close(&mut open, name)?;
        } else if !rest.split('>').next().unwrap_or_default().ends_with('/') {
            open.push(name);
        }
    }
    open.last().map_or(Ok(()), |name| {
        Err(Fault { message: format!("`<{name}>` is never closed"), near: vec![format!("<{name}")] })
    })
}

fn close(open: &mut Vec<&str>, name: &str) -> Result<(), Fault> {
    match open.pop() {
        Some(opened) if opened == name => Ok(()),
        Some(opened) => {
            let message = format!("`<{opened}>` is closed by `</{name}>`");
            Err(Fault { message, near: vec![format!("</{name}"), format!("<{opened}")] })
        }
        None => {
            Err(Fault { message: format!("`</{name}>` closes nothing"), near: vec![format!("</{name}")] })
        }
    }
}
