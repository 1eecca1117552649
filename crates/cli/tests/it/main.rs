//! The binary as people and cron use it.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod backtest;
mod bad_input;
mod edge;
mod endpoint;
mod ledger;
mod mail;
#[path = "../../../report/tests/it/mailbox.rs"]
#[expect(dead_code, reason = "the report's tests use more of it")]
mod mailbox;
mod names;
mod night;
#[path = "../../../report/tests/it/notice_server.rs"]
#[expect(dead_code, reason = "the report's tests use more of it")]
mod notice_server;
mod pages;
mod real_data;
mod runs;
mod schedules;
mod serving;
#[path = "../../../coordinator/tests/it/sshd.rs"]
#[expect(dead_code, reason = "the coordinator's tests use more of it")]
mod sshd;
mod stores;
mod tables;
mod telemetry;
mod workers;
