//! Who may ask: bearer tokens, their scopes, and how they are compared.
//!
//! Of all tokens but the one in the environment only the SHA-256 is known here. What a request presents is hashed and
//! compared with every one of them, in a time that tells nothing about which is right or how much of it.
//!
//! # Example
//! ```
//! use serve::{KnownToken, Scope};
//! let sha256 = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8";
//! let token = KnownToken::new("grafana", Scope::Read, sha256).unwrap();
//! assert_eq!((token.name(), token.scope()), ("grafana", Scope::Read));
//! assert!(KnownToken::new("grafana", Scope::Read, "password").is_err(), "the token itself is not taken");
//! ```

use std::{fmt, sync::Arc};

use axum::http::{HeaderMap, header::AUTHORIZATION};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

/// Longest token that is looked at.
const LONGEST: usize = 512;

/// Name in the log of who presents the token of the environment.
const PLAIN: &str = "default";

/// Name in the log of whoever asks where no token is wanted.
const ANYBODY: &str = "anybody";

type Sha256Bytes = [u8; 32];

/// A bearer token; never shown.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Takes the token; none when it is blank.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// Returns the value of the header that carries it.
    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

/// What a token allows; `Admin` includes `Read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Ask for answers, pages and counters.
    Read,
    /// Change something, such as reload the model.
    Admin,
}

/// Why an entry of the list of tokens cannot be used; never shows what was given as the hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The name is blank, too long, or would disturb a log.
    #[error("a token's name has 1 to 64 letters, digits, `-`, `_` or `.`")]
    Name,
    /// The hash is none.
    #[error("sha256 of the token `{0}` must have 64 hexadecimal digits: see `printf %s TOKEN | sha256sum`")]
    Hash(String),
}

/// A token of which only name, scope and hash are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownToken {
    name: Arc<str>,
    scope: Scope,
    sha256: Sha256Bytes,
}

impl KnownToken {
    /// Checks one entry; `sha256` is that of the token's bytes, in hexadecimal.
    pub fn new(name: &str, scope: Scope, sha256: &str) -> Result<Self, TokenError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !(1..=64).contains(&name.len()) || !name.bytes().all(is_plain) {
            return Err(TokenError::Name);
        }
        let sha256 = from_hex(sha256.trim()).ok_or_else(|| TokenError::Hash(name.to_owned()))?;
        Ok(Self { name: name.into(), scope, sha256 })
    }

    /// Returns the name, which the access log shows.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what it allows.
    pub fn scope(&self) -> Scope {
        self.scope
    }
}

/// Who asks, once the token is known to be right.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) name: Arc<str>,
    pub(crate) scope: Scope,
    /// Which token; the last one of equal hashes.
    pub(crate) index: u32,
}

/// All tokens of an endpoint.
#[derive(Debug, Clone)]
pub struct Keyring {
    tokens: Arc<[KnownToken]>,
    anybody: Arc<str>,
}

impl Keyring {
    /// Puts the token of the environment, which may do all, beside those that are known by their hash.
    pub fn new(plain: Option<&Token>, known: &[KnownToken]) -> Self {
        let plain = plain.map(|token| KnownToken {
            name: PLAIN.into(),
            scope: Scope::Admin,
            sha256: Sha256::digest(token.0.as_bytes()).into(),
        });
        Self { tokens: plain.into_iter().chain(known.iter().cloned()).collect(), anybody: ANYBODY.into() }
    }

    /// Tells whether anybody may ask.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Finds out who asks: anybody where no token is wanted, nobody when none of them is presented.
    pub(crate) fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        if self.is_empty() {
            return Some(Caller { name: self.anybody.clone(), scope: Scope::Admin, index: 0 });
        }
        let given = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, credentials) = given.split_once(' ')?;
        let credentials = credentials.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return self.find(credentials);
        }
        // What a browser sends: the token is the password, whatever the user's name.
        let login = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(credentials).ok())??;
        self.find(std::str::from_utf8(&login).ok()?.split_once(':')?.1)
    }

    /// Compares with every token, whichever is right.
    fn find(&self, given: &str) -> Option<Caller> {
        if given.len() > LONGEST {
            return None;
        }
        let given: Sha256Bytes = Sha256::digest(given.as_bytes()).into();
        let (mut found, mut at) = (Choice::from(0), 0_u32);
        for (index, token) in (0_u32..).zip(self.tokens.iter()) {
            let is_same = token.sha256.ct_eq(&given);
            at = u32::conditional_select(&at, &index, is_same);
            found |= is_same;
        }
        let token = bool::from(found).then(|| self.tokens.get(at as usize))??;
        Some(Caller { name: token.name.clone(), scope: token.scope, index: at })
    }
}

impl From<Option<Token>> for Keyring {
    fn from(token: Option<Token>) -> Self {
        Self::new(token.as_ref(), &[])
    }
}

fn from_hex(text: &str) -> Option<Sha256Bytes> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(token: &str) -> String {
        format!("{:x}", Sha256::digest(token.as_bytes()))
    }

    fn asked(keyring: &Keyring, header: &str) -> Option<(String, Scope)> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, header.parse().unwrap())]);
        keyring.caller(&headers).map(|caller| (caller.name.to_string(), caller.scope))
    }

    #[test]
    fn a_token_is_never_shown_and_never_blank() {
        assert!(Token::new(" \n").is_none());
        assert_eq!(format!("{:?}", Token::new("s3cret\n").unwrap()), "Token(..)");
        let keyring = Keyring::new(Token::new("s3cret").as_ref(), &[]);
        assert!(!format!("{keyring:?}").contains("s3cret"));
    }

    #[test]
    fn each_of_several_tokens_is_told_from_the_others() {
        let known = [("reader", Scope::Read, "one"), ("boss", Scope::Admin, "two")]
            .map(|(name, scope, token)| KnownToken::new(name, scope, &hex(token)).unwrap());
        let keyring = Keyring::new(Token::new("s3cret\n").as_ref(), &known);
        assert_eq!(asked(&keyring, "Bearer one"), Some(("reader".to_owned(), Scope::Read)));
        assert_eq!(asked(&keyring, "bearer  two "), Some(("boss".to_owned(), Scope::Admin)));
        assert_eq!(asked(&keyring, "Bearer s3cret"), Some(("default".to_owned(), Scope::Admin)));
        let basic = format!("Basic {}", STANDARD.encode("me:one"));
        assert_eq!(asked(&keyring, &basic), Some(("reader".to_owned(), Scope::Read)));
        for wrong in ["Bearer", "Bearer ", "Bearer on", "Bearer One", "one", "Basic one", "Digest one"] {
            assert_eq!(asked(&keyring, wrong), None, "{wrong}");
        }
        assert_eq!(asked(&keyring, &format!("Bearer {}", "x".repeat(LONGEST + 1))), None);
        assert_eq!(asked(&keyring, &format!("Bearer {}", hex("one"))), None, "the hash is no token");
        assert!(keyring.caller(&HeaderMap::new()).is_none());
    }

    #[test]
    fn an_entry_that_cannot_be_used_is_refused_without_showing_it() {
        let digits = "0".repeat(62);
        for wrong in ["s3cret".to_owned(), format!("+f{digits}"), format!("é{digits}")] {
            let error = KnownToken::new("x", Scope::Read, &wrong).unwrap_err();
            assert!(!error.to_string().contains(&wrong), "{error}");
        }
        assert_eq!(KnownToken::new("a b", Scope::Read, &hex("x")), Err(TokenError::Name));
    }
}
