//! Formulas against vectors that were computed elsewhere, and rules that hold for any input.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod rules;
mod vectors;
