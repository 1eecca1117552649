//! The report as one message per recipient: plain text, HTML and the charts it shows.
//!
//! Same report, run, recipient and instant give the same bytes, so a mail that was written twice is still
//! one mail: it carries the same Message-ID.
//!
//! # Example
//! ```
//! let data = serde_json::from_str(include_str!("../examples/sample.json")).unwrap();
//! let envelope = report::Envelope {
//!     from: "Edge <edge@example.org>".into(),
//!     to: "reader@example.org".into(),
//!     run_id: "2026-11-20".into(),
//!     sent_at: "2026-11-20T08:00:00Z".parse().unwrap(),
//!     unsubscribe: None,
//! };
//! let message = report::Message::compose(&report::render(&data).unwrap(), &envelope).unwrap();
//! assert!(message.message_id().ends_with("@example.org>"));
//! assert!(String::from_utf8(message.eml()).unwrap().contains("Content-ID: <bankroll>"));
//! ```

use std::time::SystemTime;

use jiff::Timestamp;
use lettre::message::{
    Attachment as Part, Mailbox, MultiPart, SinglePart,
    header::{ContentType, HeaderName, HeaderValue},
};
use sha2::{Digest, Sha256};

use crate::{
    format::hexadecimal,
    signing::{Signing, SigningError},
    smtp::MailError,
    templates::Rendered,
};

/// From whom to whom, and for which run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Sender: `edge@example.org` or `Edge <edge@example.org>`.
    pub from: String,
    /// The one recipient.
    pub to: String,
    /// The run whose report it is. A repeat must carry the same id, since the Message-ID follows from it.
    pub run_id: String,
    /// Date of the message, UTC.
    pub sent_at: Timestamp,
    /// Where to unsubscribe, a `mailto:` or `https:` address; a mail to the sender when absent.
    pub unsubscribe: Option<String>,
}

/// A message ready to be sent or stored.
#[derive(Debug, Clone)]
pub struct Message {
    id: String,
    recipient: String,
    sent_at: Timestamp,
    pub(crate) inner: lettre::Message,
}

impl Message {
    /// Writes the message.
    ///
    /// # Errors
    /// An address that is none.
    pub fn compose(rendered: &Rendered, envelope: &Envelope) -> Result<Self, MailError> {
        let from = mailbox(&envelope.from)?;
        let to = mailbox(&envelope.to)?;
        let digest = digest(&envelope.run_id, to.email.as_ref());
        let message_id = format!("<{digest}@{}>", from.email.domain());
        let sender = || format!("mailto:{}?subject=unsubscribe", from.email);
        let unsubscribe = envelope.unsubscribe.clone().unwrap_or_else(sender);
        let recipient = to.email.to_string();
        let inner = lettre::Message::builder()
            .message_id(Some(message_id.clone()))
            .date(SystemTime::from(envelope.sent_at))
            .raw_header(header("List-Unsubscribe", format!("<{}>", single_line(&unsubscribe))))
            .raw_header(header("Auto-Submitted", "auto-generated".to_owned()))
            .from(from)
            .to(to)
            .subject(single_line(&rendered.subject))
            .multipart(body(rendered, &digest)?)
            .map_err(|error| MailError::Compose(Box::new(error)))?;
        Ok(Self { id: message_id, recipient, sent_at: envelope.sent_at, inner })
    }

    /// Adds a DKIM signature; the sender's domain should be the signing one or below it.
    pub fn signed(mut self, signing: &Signing) -> Result<Self, SigningError> {
        let value = signing.header(&self.eml(), self.sent_at)?;
        let name = HeaderName::new_from_ascii_str("DKIM-Signature");
        // Every part of the value was made here of names, digits and base64, and is folded already.
        let header = HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value);
        self.inner.headers_mut().insert_raw(header);
        Ok(self)
    }

    /// Returns the Message-ID with its angle brackets.
    pub fn message_id(&self) -> &str {
        &self.id
    }

    /// Returns the recipient's bare address.
    pub fn recipient(&self) -> &str {
        &self.recipient
    }

    /// Returns the bytes of an `.eml` file.
    pub fn eml(&self) -> Vec<u8> {
        self.inner.formatted()
    }
}

/// Returns the address alone, without the name before it.
///
/// # Errors
/// An address that is none.
pub fn bare_address(text: &str) -> Result<String, MailError> {
    Ok(mailbox(text)?.email.to_string())
}

fn mailbox(text: &str) -> Result<Mailbox, MailError> {
    text.trim().parse().map_err(|_| MailError::Address(single_line(text)))
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

fn single_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// 32 hexadecimal digits that stand for this run and recipient.
fn digest(run_id: &str, recipient: &str) -> String {
    let hash = Sha256::digest(format!("{run_id}\n{}", recipient.to_lowercase()));
    hexadecimal(&hash[..16])
}

/// Text beside (HTML with its pictures); boundaries are derived, not random.
fn body(rendered: &Rendered, digest: &str) -> Result<MultiPart, MailError> {
    let mut related = MultiPart::related()
        .boundary(format!("related-{digest}"))
        .singlepart(SinglePart::html(rendered.mail_html.clone()));
    for picture in &rendered.attachments {
        let content_type =
            ContentType::parse(picture.content_type).map_err(|error| MailError::Compose(Box::new(error)))?;
        let part = Part::new_inline_with_name(picture.content_id.clone(), picture.file_name.clone());
        related = related.singlepart(part.body(picture.bytes.clone(), content_type));
    }
    let text = SinglePart::plain(rendered.text.clone());
    Ok(MultiPart::alternative().boundary(format!("alternative-{digest}")).singlepart(text).multipart(related))
}
