//! What a reader sees, and what reaches the reader.

mod fixture;
mod hostile;
mod mail;
mod page;
mod smtp;
mod templates;
