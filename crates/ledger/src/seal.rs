//! Each row carries the hash of itself and of all rows before it, so that nothing can be changed or taken away unseen.
//!
//! A seal is BLAKE3 over the seal before, a comma, and the row's own text; before the first row stands the hash of the header.
//! The last seal is also kept beside the file (and told in every report), for a chain alone does not show that its end was cut
//! off.
//!
//! # Example
//! ```
//! use ledger::seal::Seal;
//! let header = Seal::of_header("date,game_id");
//! let first = header.then("2021-11-11,nfl_2021-11-11_mia_bal");
//! assert_eq!(Seal::parse(&first.to_string()), Some(first));
//! assert_ne!(header.then("2021-11-12,nfl_2021-11-11_mia_bal"), first);
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

/// Hash of a row and of everything before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Seal([u8; 32]);

impl Seal {
    /// Returns the seal that stands before the first row.
    pub fn of_header(header: &str) -> Self {
        Self(blake3::hash(header.as_bytes()).into())
    }

    /// Returns the seal of the next row, given its text without its own seal.
    #[must_use]
    pub fn then(self, row: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.to_string().as_bytes()).update(b",").update(row.as_bytes());
        Self(hasher.finalize().into())
    }

    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        let mut seal = [0; 32];
        for (byte, pair) in seal.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = 16 * digit(pair[0])? + digit(pair[1])?;
        }
        (digits.len() == 64).then_some(Self(seal))
    }
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        f.pad(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl TryFrom<String> for Seal {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("`{text}` is no seal of 64 hexadecimal digits"))
    }
}

impl From<Seal> for String {
    fn from(seal: Seal) -> Self {
        seal.to_string()
    }
}

/// Where a ledger ended when it was last written: kept beside it, to show that no row is missing at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Rows, the header not counted.
    pub rows: usize,
    /// Seal of the last row.
    pub seal: Seal,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_sixty_four_digits() {
        let seal = Seal::of_header("x");
        assert_eq!(seal.to_string().len(), 64);
        for bad in ["", "ab", &"g".repeat(64), &"A".repeat(64), &"0".repeat(66)] {
            assert_eq!(Seal::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_order_of_rows_counts() {
        let header = Seal::of_header("x");
        assert_ne!(header.then("a").then("b"), header.then("b").then("a"));
        assert_ne!(header.then("a").then("b"), header.then("a,b"));
    }
}
