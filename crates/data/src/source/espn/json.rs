//! Leaves of a document that promises nothing: any of them may be missing, null, or of another type.

use std::io::{self, Write};

use serde_json::Value;

use crate::{DataError, Payload};

/// Longer texts are no names, scores or prices.
const LONGEST: usize = 200;
/// Bytes that suffice for the 500 characters kept of a refused row.
const HEAD: usize = 2_000;

/// Returns the events of a scoreboard, of a bare list, or a single one.
pub(super) fn events(payload: &Payload) -> Result<Vec<Value>, DataError> {
    let refused = |problem: String, advice: &str| DataError::Payload {
        name: payload.name.clone(),
        problem,
        advice: advice.to_owned(),
    };
    let bytes = payload.bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&payload.bytes).trim_ascii();
    if bytes.is_empty() {
        return Err(refused("is empty".to_owned(), "download it again"));
    }
    if bytes.starts_with(b"<") {
        let problem = "is a web page, not an ESPN scoreboard".to_owned();
        return Err(refused(problem, "check that the address names the API"));
    }
    let document = serde_json::from_slice(bytes)
        .map_err(|error| refused(format!("is no JSON ({error})"), "download it again"))?;
    match document {
        Value::Array(events) => Ok(events),
        Value::Object(mut object) => match object.remove("events") {
            Some(Value::Array(events)) => Ok(events),
            None if object.contains_key("competitions") => Ok(vec![Value::Object(object)]),
            _ => Err(refused("is no ESPN scoreboard".to_owned(), "check that it holds a list of `events`")),
        },
        _ => Err(refused("is no ESPN scoreboard".to_owned(), "check that it holds a list of `events`")),
    }
}

/// Returns a text or a number as text, without surrounding blanks.
pub(super) fn text(value: &Value, pointer: &str) -> Option<String> {
    match value.pointer(pointer)? {
        Value::String(text) if text.len() <= LONGEST => Some(text.trim()),
        Value::Number(number) => return Some(number.to_string()),
        _ => None,
    }
    .filter(|text| !text.is_empty())
    .map(str::to_owned)
}

/// Returns a whole number, whether it is written as a number or as text.
pub(super) fn number(value: &Value, pointer: &str) -> Option<i64> {
    text(value, pointer).as_deref().and_then(crate::source::quote::whole)
}

/// Returns a yes or no.
pub(super) fn yes(value: &Value, pointer: &str) -> Option<bool> {
    value.pointer(pointer).and_then(Value::as_bool)
}

/// Returns the elements of a list; none for anything else.
pub(super) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Writes the beginning of a value, however large the value is.
pub(super) fn head(value: &Value) -> String {
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
