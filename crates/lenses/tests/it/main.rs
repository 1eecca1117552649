//! What a user of the crate relies on: the worked example, the laws of the aggregate, the words of the reasons.

mod laws;
mod quotes;
mod reasons;
mod worked_example;
