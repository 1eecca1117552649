//! How a message reaches the server: TLS or loopback, time-outs, retries, and errors that keep secrets.
//!
//! # Example
//! ```
//! use report::SmtpUrl;
//! let url = SmtpUrl::parse("smtps://edge:s3cret@mail.example.org").unwrap();
//! assert_eq!(url.to_string(), "smtps://mail.example.org");
//! assert!(!format!("{url:?}").contains("s3cret"));
//! assert!(SmtpUrl::parse("smtp://mail.example.org").is_err(), "never in the clear over a network");
//! ```

use std::{error::Error, fmt, net::IpAddr, time::Duration};

use lettre::{
    SmtpTransport, Transport,
    transport::smtp::{
        self,
        client::{Certificate, Tls, TlsParameters, TlsParametersBuilder},
    },
};

use crate::mail::Message;

/// Why a mail was not sent. No message ever shows a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailError {
    /// The address of the server cannot be used.
    #[error("SMTP_URL for {server} cannot be used: {reason}")]
    Url {
        /// Server as far as it could be read.
        server: String,
        /// What is wrong and what to write instead.
        reason: &'static str,
    },
    /// Not a mail address.
    #[error("`{0}` is no mail address: write name@example.org or Name <name@example.org>")]
    Address(String),
    /// The message could not be written.
    #[error("cannot write the message")]
    Compose(#[source] Box<dyn Error + Send + Sync>),
    /// The server said no for good; trying again later will not help.
    #[error("{server} refused the mail to {recipient}: {reply}")]
    Refused {
        /// Server, without its login.
        server: String,
        /// To whom.
        recipient: String,
        /// Its words.
        reply: String,
    },
    /// The server could not be reached or put the mail off; a later run may succeed.
    #[error(
        "{server} did not take the mail to {recipient} in {attempts} attempts: {reply}; it goes out at the next run"
    )]
    PutOff {
        /// Server, without its login.
        server: String,
        /// To whom.
        recipient: String,
        /// Attempts made.
        attempts: u32,
        /// What went wrong in the last of them.
        reply: String,
    },
}

/// Where mail goes: `smtps://user:password@host`, `smtp://host?tls=required`, or plain `smtp://` on loopback.
#[derive(Clone)]
pub struct SmtpUrl {
    url: String,
    /// Scheme, host and port: all that may be shown.
    shown: String,
    secrets: Vec<String>,
    /// Certificates to trust beside the usual ones.
    roots: Vec<Certificate>,
}

impl SmtpUrl {
    /// Reads and checks the address; characters with a meaning in an address are percent-encoded in it.
    pub fn parse(url: &str) -> Result<Self, MailError> {
        let url = url.trim();
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (login, server) = authority.rsplit_once('@').unwrap_or(("", authority));
        let shown = format!("{scheme}://{server}");
        let wrong = |reason| MailError::Url { server: server.to_owned(), reason };
        match scheme {
            "smtps" => {}
            "smtp" if requires_tls(url) || is_loopback(host(server)) => {}
            "smtp" => return Err(wrong("it would travel in the clear; write smtps:// or add ?tls=required")),
            _ => return Err(wrong("it must begin with smtps:// or smtp://")),
        }
        let secrets = secrets(login);
        let parsed = Self { url: url.to_owned(), shown, secrets, roots: Vec::new() };
        // What lettre says of a bad address may repeat it, so its words are left out.
        parsed
            .transport(Duration::from_secs(1))
            .map_err(|_| wrong("it cannot be read; write smtps://user:password@host:465"))?;
        Ok(parsed)
    }

    /// Trusts the certificate authorities of a PEM file too, for a server of one's own.
    ///
    /// # Errors
    /// A text that holds no certificate.
    pub fn trusting(mut self, pem: &str) -> Result<Self, MailError> {
        let marker = "-----END CERTIFICATE-----";
        let wrong = || MailError::Url {
            server: self.shown.clone(),
            reason: "the file of SMTP_CA_FILE holds no certificate in PEM form",
        };
        let texts = pem.split_inclusive(marker).filter(|text| text.ends_with(marker));
        let roots = texts.map(|text| Certificate::from_pem(text.as_bytes()).map_err(|_| wrong()));
        let roots = roots.collect::<Result<Vec<_>, _>>()?;
        if roots.is_empty() {
            return Err(wrong());
        }
        self.roots.extend(roots);
        Ok(self)
    }

    fn transport(&self, timeout: Duration) -> Result<SmtpTransport, smtp::Error> {
        let transport = SmtpTransport::from_url(&self.url)?.timeout(Some(timeout));
        let (scheme, server) = self.shown.split_once("://").unwrap_or_default();
        let in_the_clear = scheme == "smtp" && !requires_tls(&self.url);
        if self.roots.is_empty() || in_the_clear {
            return Ok(transport.build());
        }
        let parameters = TlsParameters::builder(host(server).to_owned());
        let parameters = self
            .roots
            .iter()
            .cloned()
            .fold(parameters, TlsParametersBuilder::add_root_certificate)
            .build()?;
        let tls = if scheme == "smtps" { Tls::Wrapper(parameters) } else { Tls::Required(parameters) };
        Ok(transport.tls(tls).build())
    }

    /// Removes login and password from a text.
    fn redact(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

impl fmt::Display for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SmtpUrl").field(&self.shown).finish()
    }
}

fn host(server: &str) -> &str {
    match server.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => server.split(':').next().unwrap_or_default(),
    }
}

fn requires_tls(url: &str) -> bool {
    url.split_once('?').is_some_and(|(_, query)| query.split('&').any(|pair| pair == "tls=required"))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The password as written and as sent (plain and in base64), longest first.
fn secrets(login: &str) -> Vec<String> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let Some((user, password)) = login.split_once(':') else { return Vec::new() };
    let (user, plain) = (percent_decoded(user), percent_decoded(password));
    let encoded = [format!("\0{user}\0{plain}"), plain.clone()].map(|text| STANDARD.encode(text));
    let mut secrets = vec![password.to_owned(), plain];
    secrets.extend(encoded);
    secrets.retain(|secret| !secret.is_empty());
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let code = code.filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// How long to wait and how often to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all, at least one.
    pub attempts: u32,
    /// Pause before the second attempt; each further one waits twice as long.
    pub first_pause: Duration,
    /// Longest silence of the server within an attempt.
    pub timeout: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: 4, first_pause: Duration::from_secs(5), timeout: Duration::from_secs(30) }
    }
}

/// Sends one message and blocks until the server has taken it or all attempts are used up.
///
/// A connection lost after the data leaves open whether the server took the mail. It is tried again under
/// the same Message-ID, by which servers and mail programs know a repeat.
pub fn send(url: &SmtpUrl, message: &Message, retry: &Retry) -> Result<(), MailError> {
    let transport = url.transport(retry.timeout).map_err(|error| put_off(url, message, 0, &error))?;
    let attempts = retry.attempts.max(1);
    let mut pause = retry.first_pause;
    for attempt in 1.. {
        let Err(error) = transport.send(&message.inner) else { return Ok(()) };
        if error.is_permanent() {
            let (server, recipient) = (url.to_string(), message.recipient().to_owned());
            return Err(MailError::Refused { server, recipient, reply: words(url, &error) });
        }
        let is_hopeless = error.is_tls() || error.is_client();
        if attempt >= attempts || is_hopeless {
            return Err(put_off(url, message, attempt, &error));
        }
        std::thread::sleep(pause);
        pause = pause.saturating_mul(2);
    }
    Ok(())
}

fn put_off(url: &SmtpUrl, message: &Message, attempts: u32, error: &smtp::Error) -> MailError {
    let (server, recipient) = (url.to_string(), message.recipient().to_owned());
    MailError::PutOff { server, recipient, attempts, reply: words(url, error) }
}

/// The error with its causes in one line, without secrets.
fn words(url: &SmtpUrl, error: &smtp::Error) -> String {
    let mut words = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !words.iter().any(|word| word.contains(&text)) {
            words.push(text);
        }
        source = cause.source();
    }
    let line: String =
        url.redact(&words.join(": ")).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_mail_stays_on_this_machine() {
        for good in [
            "smtp://localhost:2525",
            "smtp://127.0.0.9",
            "smtp://[::1]:25",
            "smtp://mail.example.org?tls=required",
            "smtps://u:p@mail.example.org:465/edge.example.org",
        ] {
            assert!(SmtpUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "smtp://mail.example.org",
            "smtp://mail.example.org?tls=opportunistic",
            "smtp://localhost.example.org",
            "smtp://u:localhost@10.0.0.1",
            "http://localhost",
            "mail.example.org",
            "smtps://",
            "",
        ] {
            assert!(SmtpUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_error_never_shows_the_password() {
        for url in [
            "smtp://edge:hunter%202@mail.example.org",
            "edge:hunter%202@host",
            "smtps://edge:hunter%202@[bad",
        ] {
            let error = SmtpUrl::parse(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter"), "{error:?}");
        }
        let url = SmtpUrl::parse("smtps://edge:hunter%202@mail.example.org").unwrap();
        assert_eq!(
            url.redact("said hunter 2 and hunter%202 and AGVkZ2UAaHVudGVyIDI="),
            "said *** and *** and ***"
        );
    }
}
