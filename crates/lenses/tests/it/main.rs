//! What a user of the crate relies on: the worked example, the laws of the aggregate, the words of the reasons.

#![expect(clippy::unwrap_used, reason = "a test's helper fails the test by panicking")]

mod contradictions;
mod laws;
mod quotes;
mod reasons;
mod worked_example;
