//! Leaves of a document that promises nothing: any of them may be missing, null, or of another type.

use std::io::{self, Write};

use market::Timestamp;
use serde_json::Value;

use crate::{DataError, Payload};

/// Longer texts are no names, scores or prices.
const LONGEST: usize = 200;
/// Bytes that suffice for the 500 characters kept of a refused row.
const HEAD: usize = 2_000;

/// Reads a payload as JSON, or says why it is none; `what` names what was expected.
pub(crate) fn read(payload: &Payload, what: &str) -> Result<Value, DataError> {
    let bytes = payload.bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&payload.bytes).trim_ascii();
    if bytes.is_empty() {
        return Err(refused(payload, "is empty", "download it again"));
    }
    if bytes.starts_with(b"<") {
        let problem = format!("is a web page, not {what}");
        return Err(refused(payload, problem, "check that the address names the API"));
    }
    serde_json::from_slice(bytes)
        .map_err(|error| refused(payload, format!("is no JSON ({error})"), "download it again"))
}

/// Refuses a payload as a whole.
pub(crate) fn refused(payload: &Payload, problem: impl Into<String>, advice: &str) -> DataError {
    DataError::Payload { name: payload.name.clone(), problem: problem.into(), advice: advice.to_owned() }
}

/// Returns a text or a number as text, without surrounding blanks.
pub(crate) fn text(value: &Value, pointer: &str) -> Option<String> {
    match value.pointer(pointer)? {
        Value::String(text) if text.len() <= LONGEST => Some(text.trim()),
        Value::Number(number) => return Some(number.to_string()),
        _ => None,
    }
    .filter(|text| !text.is_empty())
    .map(str::to_owned)
}

/// Returns a whole number, whether it is written as a number or as text.
pub(crate) fn number(value: &Value, pointer: &str) -> Option<i64> {
    text(value, pointer).as_deref().and_then(crate::source::quote::whole)
}

/// Returns a yes or no.
pub(crate) fn yes(value: &Value, pointer: &str) -> Option<bool> {
    value.pointer(pointer).and_then(Value::as_bool)
}

/// Returns an instant written as RFC 3339.
pub(crate) fn instant(value: &Value, pointer: &str) -> Option<Timestamp> {
    text(value, pointer)?.parse().ok()
}

/// Returns the elements of a list; none for anything else.
pub(crate) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Writes the beginning of a value, however large the value is.
pub(crate) fn head(value: &Value) -> String {
    let mut head = Head(Vec::new());
    // Fails when the head is full.
    let _ = serde_json::to_writer(&mut head, value);
    String::from_utf8_lossy(&head.0).into_owned()
}

struct Head(Vec<u8>);

impl Write for Head {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(HEAD.saturating_sub(self.0.len()));
        self.0.extend(bytes.iter().take(taken));
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_and_numbers_are_the_same_and_nothing_else_is() {
        let value = json!({"a": " 7 ", "b": 7, "c": null, "d": [7], "e": "", "f": "x".repeat(201), "g": 7.0});
        assert_eq!(
            (number(&value, "/a"), number(&value, "/b"), number(&value, "/g")),
            (Some(7), Some(7), Some(7))
        );
        for pointer in ["/c", "/d", "/e", "/f", "/missing", "/a/b"] {
            assert_eq!(text(&value, pointer), None, "{pointer}");
        }
    }

    #[test]
    fn the_head_of_a_huge_value_is_short() {
        assert_eq!(head(&json!({"a": [1, null]})), r#"{"a":[1,null]}"#);
        assert_eq!(head(&json!("x".repeat(1_000_000))).len(), HEAD);
    }
}
