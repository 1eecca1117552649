//! DKIM (RFC 6376 and 8463): by it the recipient's server sees that a mail is the domain's own and unchanged.
//!
//! The cryptography is ring's. The signature says the message's own date, not the clock's, so that a repeat is the
//! same mail to the last byte; both canonical forms are `relaxed`.
//!
//! # Example
//! ```
//! use report::signing::{Signing, SigningError};
//! let error = Signing::new("edge", "example.org", "no key at all").unwrap_err();
//! assert_eq!(error.to_string(), "the DKIM key cannot be used: it is no PEM file");
//! ```

mod canonical;
mod pem;

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use sha2::{Digest, Sha256};

/// Headers that are signed, where the message has them.
const SIGNED: [&str; 9] = [
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "list-unsubscribe",
    "auto-submitted",
    "mime-version",
    "content-type",
];

/// Why mails cannot be signed. No message ever shows the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// Selector or domain is no name of the DNS.
    #[error("`{0}` is no name of the DNS: write a selector such as edge and a domain such as example.org")]
    Name(String),
    /// The key cannot be used.
    #[error("the DKIM key cannot be used: {0}")]
    Key(&'static str),
    /// The key was fine and yet did not sign.
    #[error("the DKIM key did not sign the message")]
    Sign,
}

enum Key {
    Rsa(Box<RsaKeyPair>),
    Ed25519(Ed25519KeyPair),
}

/// Who signs: the domain, the selector under which its public key stands in the DNS, and the private key.
pub struct Signing {
    selector: String,
    domain: String,
    key: Key,
}

impl Signing {
    /// Reads the key from PEM: RSA of 2048 bits or more (PKCS#8 or PKCS#1), or Ed25519 (PKCS#8), not encrypted.
    pub fn new(selector: &str, domain: &str, pem: &str) -> Result<Self, SigningError> {
        let key = pem::key(pem).map_err(SigningError::Key)?;
        Ok(Self { selector: dns_name(selector)?, domain: dns_name(domain)?, key })
    }

    /// Returns the name at which the DNS must hold the public key.
    pub fn record_name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }

    /// Writes the value of the `DKIM-Signature` header of a message, folded.
    pub(crate) fn header(&self, message: &[u8], at: Timestamp) -> Result<String, SigningError> {
        let (head, body) = canonical::split(message);
        let names: Vec<&str> =
            SIGNED.into_iter().filter(|name| head.iter().any(|(n, _)| n == name)).collect();
        let algorithm = match self.key {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        };
        let unsigned = format!(
            "v=1; a={algorithm}; c=relaxed/relaxed; d={}; s={};\r\n t={}; h={};\r\n bh={};\r\n b=",
            self.domain,
            self.selector,
            at.as_second(),
            names.join(":"),
            STANDARD.encode(Sha256::digest(canonical::body(body)))
        );
        let signed = canonical::head(&head, &names) + "dkim-signature:" + &canonical::value(&unsigned);
        let signature = STANDARD.encode(self.sign(signed.as_bytes())?);
        // Base64 is ASCII, so that every cut is between characters.
        let lines: Vec<&str> =
            (0..signature.len()).step_by(72).map(|at| &signature[at..signature.len().min(at + 72)]).collect();
        Ok(unsigned + &lines.join("\r\n "))
    }

    fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, SigningError> {
        match &self.key {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), bytes, &mut signature)
                    .map_err(|_| SigningError::Sign)?;
                Ok(signature)
            }
            Key::Ed25519(key) => Ok(key.sign(&Sha256::digest(bytes)).as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signing").field(&self.record_name()).finish()
    }
}

fn dns_name(name: &str) -> Result<String, SigningError> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let is_name = name.len() <= 253 && name.split('.').all(is_label);
    if is_name { Ok(name.to_lowercase()) } else { Err(SigningError::Name(name.escape_debug().to_string())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_add_a_tag_is_refused() {
        for name in ["", "a b", "x;d=other.org", "a..b", "edge\r\nBcc: x"] {
            assert!(matches!(dns_name(name), Err(SigningError::Name(_))), "{name}");
        }
        assert_eq!(dns_name("Mail.Example.ORG").unwrap(), "mail.example.org");
    }
}
