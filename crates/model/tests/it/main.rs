//! Behaviour of training, files and predictions on a small made-up world.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod backtest;
mod demo_league;
mod look_ahead;
mod parity;
mod predicting;
mod training;
mod what_if;
mod world;
