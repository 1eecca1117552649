//! The canonical forms `relaxed` of RFC 6376, section 3.4: what a server on the way may change does not count.

/// Splits a message into its headers (name in lower case, value with its folds) and its body.
pub(super) fn split(message: &[u8]) -> (Vec<(String, String)>, &[u8]) {
    let end = message.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap_or(message.len());
    let head = String::from_utf8_lossy(&message[..end]);
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n") {
        if let (true, Some((_, value))) = (line.starts_with([' ', '\t']), headers.last_mut()) {
            value.push_str("\r\n");
            value.push_str(line);
        } else {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            headers.push((name.trim().to_lowercase(), value.to_owned()));
        }
    }
    (headers, message.get(end + 4..).unwrap_or_default())
}

/// Writes the named headers, a line each; every name stands for one header.
pub(super) fn head(headers: &[(String, String)], names: &[&str]) -> String {
    let found = names.iter().filter_map(|name| headers.iter().rfind(|(n, _)| n == name));
    found.flat_map(|(name, text)| [name.clone(), ":".to_owned(), value(text), "\r\n".to_owned()]).collect()
}

/// Unfolds a header's value, and makes one space of each run of white space.
pub(super) fn value(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// Makes one space of each run of white space, none at the end of a line, and no empty line at the end.
pub(super) fn body(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len());
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line).trim_ascii_end();
        for (at, byte) in line.iter().enumerate() {
            let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
            if !is_space(byte) {
                text.push(*byte);
            } else if at == 0 || !is_space(&line[at - 1]) {
                text.push(b' ');
            }
        }
        text.extend(b"\r\n");
    }
    while text.ends_with(b"\r\n\r\n") {
        text.truncate(text.len() - 2);
    }
    if text == b"\r\n" { Vec::new() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard_comes_out_as_printed_there() {
        let message = b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n";
        let (headers, rest) = split(message);
        assert_eq!(head(&headers, &["a", "b"]), "a:X\r\nb:Y Z\r\n");
        assert_eq!(body(rest), b" C\r\nD E\r\n");
        assert_eq!(body(b""), b"");
        assert_eq!(body(b"\r\n\r\n"), b"");
        assert_eq!(body(b"no end"), b"no end\r\n");
    }
}
