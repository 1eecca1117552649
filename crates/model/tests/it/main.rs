//! Behaviour of training, files and predictions on a small made-up world.

mod demo_league;
mod look_ahead;
mod predicting;
mod training;
mod world;
