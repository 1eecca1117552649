//! Formulas against vectors that were computed elsewhere, and rules that hold for any input.

mod rules;
mod vectors;
