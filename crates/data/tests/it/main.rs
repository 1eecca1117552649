//! Behaviour of the data crate as its callers see it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a failed unwrap is a failed test, and a figure or a skip must be seen"
)]

mod crash;
mod damage;
mod import;
mod inputs;
mod lake;
mod real;
mod sources;
mod support;
