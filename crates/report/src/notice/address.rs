//! Where notices go, and the secrets for it: only the host is ever shown.

use std::{cmp::Reverse, fmt, net::IpAddr};

use percent_encoding::percent_decode_str;
use reqwest::Url;

use super::NoticeError;
use crate::format::shorten;

/// Shorter pieces of an address are no secrets: `v1`, `hook`.
const SHORTEST_SECRET: usize = 5;

/// Longest answer of a server that an error repeats, in characters.
const LONGEST_REPLY: usize = 200;

/// An address that is `https`, or plain `http` on loopback; its path, query and login are secrets.
#[derive(Clone)]
pub(super) struct Address {
    url: Url,
    shown: String,
}

impl Address {
    /// Reads and checks the value of `setting`.
    pub(super) fn parse(setting: &'static str, text: &str) -> Result<Self, NoticeError> {
        let wrong = |reason| NoticeError::Setting { setting, reason };
        let url = Url::parse(text.trim()).map_err(|_| wrong("it is no address; write https://..."))?;
        let host = url.host_str().unwrap_or_default();
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(host) => {}
            "http" => return Err(wrong("it would travel in the clear; write https://")),
            _ => return Err(wrong("it must begin with https://")),
        }
        let shown = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Self { url, shown })
    }

    /// Returns the whole address, secrets included.
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// Returns host and port: all that may be shown.
    pub(super) fn host(&self) -> &str {
        &self.shown
    }

    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(self.url.host_str().unwrap_or_default())
    }

    /// Returns what must not be repeated, as written and decoded.
    fn secrets(&self) -> Vec<String> {
        let url = &self.url;
        let mut secrets: Vec<String> = url.path_segments().into_iter().flatten().map(str::to_owned).collect();
        secrets.extend(url.query().into_iter().flat_map(|query| query.split(['&', '='])).map(str::to_owned));
        secrets.push(url.username().to_owned());
        secrets.retain(|secret| secret.len() >= SHORTEST_SECRET);
        secrets.extend(url.password().map(str::to_owned));
        secrets
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.shown).finish()
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// A token or key; never shown.
#[derive(Clone)]
pub(super) struct Secret(String);

impl Secret {
    /// Reads the value of `setting`.
    pub(super) fn new(setting: &'static str, text: &str) -> Result<Self, NoticeError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NoticeError::Setting { setting, reason: "it is empty; leave it out or fill it in" });
        }
        Ok(Self(text.to_owned()))
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Returns what a server said, on one line, shortened and without anything of `address` or `secret` in it.
pub(super) fn presentable(said: &str, address: &Address, secret: Option<&Secret>) -> String {
    let mut secrets = address.secrets();
    secrets.extend(secret.map(|secret| secret.reveal().to_owned()));
    let decoded: Vec<String> =
        secrets.iter().map(|text| percent_decode_str(text).decode_utf8_lossy().into_owned()).collect();
    secrets.extend(decoded);
    secrets.sort_by_key(|secret| Reverse(secret.len()));
    // What is not shown goes first, so that no secret comes together by its going.
    let line = shorten(said, usize::MAX);
    let redacted = secrets.iter().fold(line, |line, secret| line.replace(secret.as_str(), "***"));
    shorten(&redacted, LONGEST_REPLY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        for good in
            ["https://hooks.example.org/x", "http://localhost:1/x", "http://127.0.0.9", "http://[::1]:80/"]
        {
            assert!(Address::parse("X", good).is_ok(), "{good}");
        }
        for bad in [
            "http://hooks.example.org",
            "http://localhost.example.org",
            "http://user:localhost@10.0.0.1",
            "ftp://localhost",
            "hooks.example.org/services",
            "file:///etc/passwd",
            "",
        ] {
            assert!(Address::parse("X", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_the_host_is_shown() {
        for text in [
            "https://u:hunter%202@h.example.org/hunter2?key=hunter3",
            "hunter2",
            "http://hunter@h.example.org",
        ] {
            let shown = format!("{:?}", Address::parse("SLACK_WEBHOOK_URL", text));
            assert!(!shown.contains("hunter"), "{shown}");
        }
        assert_eq!(format!("{:?}", Secret::new("X", "hunter2").unwrap()), "Secret");
    }

    #[test]
    fn a_reply_is_repeated_without_secrets() {
        let address =
            Address::parse("X", "https://u:hunter%202@h.example.org/services/T0/B0long?key=query7").unwrap();
        let token = Secret::new("X", "t0ken").unwrap();
        let said = "no\n B0\u{0}long, hunter%202, hunter 2,\u{200e} query7 nor t0\u{7}ken; T0 is fine";
        assert_eq!(presentable(said, &address, Some(&token)), "no ***, ***, ***, *** nor ***; T0 is fine");
        assert_eq!(presentable(&"x".repeat(4000), &address, None).chars().count(), LONGEST_REPLY);
    }
}
