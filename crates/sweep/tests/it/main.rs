//! What holds for every space, every result and every order in which results arrive.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod simulation;

mod determinism;
mod refusal;
mod sampling;
mod table;
mod warm_start;
