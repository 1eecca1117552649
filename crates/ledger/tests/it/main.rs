//! What a user of the crate relies on: the vectors of the domain notes, the laws of money, the file that people open.

mod book;
mod bookkeeping;
mod laws;
mod vectors;
