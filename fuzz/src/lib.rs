//! What must hold of any bytes at all: a parser answers, and what it answers is possible.

use data::{Payload, Source};

/// Reads bytes and checks what every source promises.
pub fn read(source: &dyn Source, extension: &str, bytes: &[u8]) {
    let payload = Payload::new("fuzzed", extension, bytes);
    let Ok(parsed) = source.parse(&payload, &"hash".into()) else { return };
    assert_eq!(Ok(&parsed), source.parse(&payload, &"hash".into()).as_ref().map_err(|_| ()));
    for row in &parsed.lines {
        assert!(row.price.decimal() > 1.0 && row.price.decimal().is_finite());
        assert_ne!(row.game.home, row.game.away);
    }
    for row in &parsed.results {
        assert_ne!(row.game.home, row.game.away);
    }
    assert!(parsed.refused.iter().all(|row| !row.reason.is_empty() && row.text.chars().count() <= 500));
}
