//! `edge`: a nightly engine for sports edges.

mod args;
mod checkpoints;
mod command;
mod context;
mod exit;
mod guard;
mod leagues;
mod logging;
mod night;
mod notices;
mod pages;
mod paths;
mod profile;
mod progress;
mod settings;
mod table;

use std::{process::ExitCode, sync::Arc};

use clap::Parser;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    let profile = matches!(&cli.command, args::Command::Train(args) if args.profile);
    let wanted = logging::Wanted { verbose: cli.verbose, json: cli.log_json, profile };
    let ended = context::Context::new(&cli).and_then(|context| {
        let _until_the_end = logging::start(wanted, &context.settings)?;
        command::run(cli.command, &Arc::new(context))
    });
    if let Err(error) = &ended {
        // A reader who went away (`edge ... | head`) is no failure of ours.
        if error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
        {
            return ExitCode::SUCCESS;
        }
        context::say(&format!("edge: {error:#}"));
    }
    exit::code(&ended)
}
