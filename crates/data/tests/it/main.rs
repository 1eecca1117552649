//! Behaviour of the data crate as its callers see it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a failed unwrap is a failed test, and a figure or a skip must be seen"
)]

mod conformance;
mod contracts;
mod crash;
mod csv_file;
mod csv_real;
mod damage;
mod espn;
mod extra;
mod identity;
mod import;
mod index;
mod inputs;
mod lake;
mod mlb;
mod real;
mod server;
mod sources;
mod support;
mod the_odds_api;
mod web;
