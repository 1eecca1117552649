//! The Daily Edge Report: what people read with their coffee, as a page, as a mail, as plain text.
//!
//! It is handed facts ([`ReportData`]) and turns them into [`Rendered`] bytes; it reads no store, asks no
//! clock and decides nothing. Same facts, same bytes.
//!
//! | module | question it answers |
//! |---|---|
//! | [`input`] | which facts does a report state? |
//! | [`headline`](mod@headline) | what is the night in one sentence? |
//! | [`format`](mod@format) | how does the house write a number, an amount or an instant? |
//! | [`locale`] | and how does the reader's country? |
//! | [`chart`] | how do the bankroll and the calibration look? |
//! | [`templates`] | page, mail and text from the facts; which templates may a user replace? |
//! | [`pages`] | what does `edge serve` show in a browser? |
//! | [`mail`] | how does the report become one message per recipient? |
//! | [`signing`] | how does the recipient see that the mail is ours? |
//! | [`smtp`] | how does a message reach the server, and what if not? |
//! | [`send_log`] | has this recipient had this report already? |
//! | [`notice`] | what cannot wait for the report, and who has been told? |

pub mod backtest;
pub mod chart;
pub mod format;
pub mod headline;
pub mod input;
mod layout;
pub mod locale;
pub mod mail;
mod mjml;
pub mod notice;
pub mod pages;
pub mod send_log;
pub mod signing;
pub mod smtp;
pub mod templates;
mod view;
mod words;

pub use headline::headline;
pub use input::ReportData;
pub use locale::{Locale, LocaleError};
pub use mail::{Envelope, Message};
pub use send_log::{Delivery, SendKey, SendLog};
pub use smtp::{MailError, Retry, SmtpUrl, send};
pub use templates::{Attachment, Rendered, ReportError, Templates, render};
