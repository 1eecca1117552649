//! Behaviour of the graph: what it may see, what it samples, what it shows.

#![expect(clippy::unwrap_used, reason = "what a test helper cannot unwrap is a failed test")]
#![expect(clippy::float_cmp, reason = "flags, padding and repeated sampling are exact to the bit")]
#![expect(clippy::print_stderr, reason = "a skipped test says so, and the real one says how quick it was")]

mod growth;
mod hypothetical;
mod look_ahead;
mod markets;
mod pictures;
mod real;
mod samples;
mod storage;
mod worlds;
