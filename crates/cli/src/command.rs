//! One file per command: arguments in, a status out.

use std::sync::Arc;

use crate::{args::Command, context::Context, exit::Status};

mod backtest;
mod data;
mod doctor;
mod fetch;
mod graph;
mod init;
mod jobs;
mod ledger;
mod listening;
mod model;
mod nightly;
mod predict;
mod report;
mod run;
mod schedule;
mod serve;
mod sweep;
mod train;
pub(crate) mod trial;

/// Runs the command that was typed.
pub(crate) fn run(command: Command, context: &Arc<Context>) -> anyhow::Result<Status> {
    match command {
        Command::Init(args) => init::run(&args, context),
        Command::Doctor(args) => doctor::run(&args, context),
        Command::Fetch(args) => fetch::run(&args, context),
        Command::Data(args) => data::run(&args, context),
        Command::Graph(command) => graph::run(command, context),
        Command::Backtest(args) => backtest::run(&args, context),
        Command::Train(args) => train::run(&args, context),
        Command::Sweep(args) => sweep::run(&args, context),
        Command::Serve(args) => serve::run(&args, context),
        Command::Predict(command) => predict::run(command, context),
        Command::Ledger(command) => ledger::run(command, context),
        Command::Report(args) => report::run(&args, context),
        Command::Nightly(args) => nightly::run(&args, context),
        Command::Jobs(command) => jobs::run(command, context),
        Command::Model(command) => model::run(command, context),
        Command::Run(command) => run::run(command, context),
        Command::Schedule(args) => schedule::run(&args, context),
        Command::Trial(args) => trial::run(&args, context),
    }
}
