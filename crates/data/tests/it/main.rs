//! Behaviour of the data crate as its callers see it.

mod crash;
mod inputs;
mod lake;
mod real;
mod sources;
mod support;
