//! What a reader sees, and what reaches the reader.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod browser;
#[path = "../../examples/pages/facts.rs"]
mod facts;
mod fixture;
mod hostile;
mod locale;
mod mail;
#[expect(dead_code, reason = "the command line's tests use more of it")]
mod mailbox;
mod notice_dedup;
mod notice_harm;
mod notice_posts;
mod notice_server;
mod notice_trouble;
mod page;
mod pages;
mod pages_hostile;
mod sample;
mod signing;
mod smtp;
mod templates;
