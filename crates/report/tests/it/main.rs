//! What a reader sees, and what reaches the reader.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests may panic, and a skip must be visible")]

mod fixture;
mod hostile;
mod mail;
mod page;
mod smtp;
mod templates;
