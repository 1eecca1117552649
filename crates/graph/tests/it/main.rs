//! Behaviour of the graph: what it may see, what it samples, what it shows.

mod look_ahead;
mod markets;
mod pictures;
mod samples;
mod storage;
mod worlds;
