//! Progress on stderr: bars on a terminal, plain lines otherwise.

use indicatif::{ProgressBar, ProgressStyle};

/// Returns a bar of `length` bytes; hidden when stderr is no terminal.
pub(crate) fn bytes(length: u64, what: &str) -> ProgressBar {
    let bar = bar(length, what);
    match ProgressStyle::with_template("{prefix:14} {bar:24} {bytes}/{total_bytes}  {elapsed} < {eta}") {
        Ok(style) => bar.with_style(style.progress_chars("━╸─")),
        Err(_) => bar,
    }
}

/// Returns a bar of `length` steps with elapsed and remaining time; hidden when stderr is no terminal.
pub(crate) fn bar(length: u64, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:14} {bar:24} {pos:>4}/{len} {msg}  {elapsed} < {eta}");
    let bar = ProgressBar::new(length).with_prefix(what.to_owned());
    match style {
        Ok(style) => bar.with_style(style.progress_chars("━╸─")),
        Err(_) => bar,
    }
}
