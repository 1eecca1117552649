//! What a user of the crate relies on: the vectors of the domain notes, the laws of money, the file that people open.

#![expect(clippy::unwrap_used, reason = "a test's helper fails the test by panicking")]

mod book;
mod bookkeeping;
mod file;
mod laws;
mod penaltyblog;
mod vectors;
