//! What can be typed. A doc comment here is the `--help` text.

mod backtest;
mod data;
mod jobs;
mod ledger;
mod model;
mod run;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::civil::Date;

use crate::settings::Workers;

/// Nightly engine for sports edges: lines and results in, an honest Daily Edge Report out.
#[derive(Debug, Parser)]
#[command(name = "edge", version, max_term_width = 100, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 done in part (what is missing is listed).
Tables go to stdout, progress and logs to stderr."
)]
pub(crate) struct Cli {
    /// Settings file [default: edge.toml in the working folder, when there is one]
    #[arg(long, global = true, value_name = "FILE", env = "EDGE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Store: a folder, s3://, gs:// or az:// (beats edge.toml)
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) store: Option<String>,
    /// Say more on stderr; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Write logs as JSON lines
    #[arg(long, global = true)]
    pub(crate) log_json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

pub(crate) use self::ledger::{CashArgs, ExportArgs, ImportArgs, LedgerCommand, SettleArgs, ShowArgs};
pub(crate) use backtest::BacktestArgs;
pub(crate) use data::{
    DataArgs, DataCommand, DataCompactArgs, DataExportArgs, DataImportArgs, DataNamesArgs, DataShowArgs,
    ExportedRows,
};

pub(crate) use jobs::{JobsCommand, JobsRunArgs};
pub(crate) use model::{ModelCommand, ModelListArgs};
pub(crate) use run::{
    RunApproveArgs, RunCancelArgs, RunCommand, RunListArgs, RunResumeArgs, RunRetryArgs, RunShowArgs,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write an edge.toml with every key commented
    Init(InitArgs),
    /// Tell what is there, what is missing, and what to do about it
    Doctor(DoctorArgs),
    /// Pull lines, results and context into the store
    Fetch(FetchArgs),
    /// Show, export, import or tidy what is in the store
    Data(DataArgs),
    /// Build or show the as-of graph
    #[command(subcommand)]
    Graph(GraphCommand),
    /// Train an ensemble and publish it when it is better
    Train(TrainArgs),
    /// Search hyper-parameters in separate trials
    Sweep(SweepArgs),
    /// Walk forward through past seasons: forecasts, bets and baselines with what was known then
    Backtest(BacktestArgs),
    /// Serve the best model over HTTP
    Serve(ServeArgs),
    /// Predict one game or tonight's slate
    #[command(subcommand)]
    Predict(PredictCommand),
    /// Show, settle, verify, import or export the ledger
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Write (and send) the Daily Edge Report
    Report(ReportArgs),
    /// Run the whole night: fetch, settle, train, predict, stake, report
    Nightly(NightlyArgs),
    /// List the models, promote one by hand, go back to the one before
    #[command(subcommand)]
    Model(ModelCommand),
    /// Run the scripts of a jobs file on other machines
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// List, show, resume or stop the runs of nights
    #[command(subcommand)]
    Run(RunCommand),
    /// Run fetches and nights by the clock until stopped
    Schedule(ScheduleArgs),
    /// Run one trial of a sweep
    #[command(hide = true)]
    Trial(TrialArgs),
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "write a whole number, at least 1".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Where to write it
    #[arg(default_value = "edge.toml")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    /// Only this league
    #[arg(long, value_name = "LEAGUE")]
    pub(crate) league: Option<String>,
    /// Take only games from this day on; a later fetch without it brings the others
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<Date>,
    /// Rebuild the tables from the raw bytes in the store, under today's settings, without asking any source
    #[arg(long, conflicts_with_all = ["since", "until"])]
    pub(crate) replay: bool,
    /// Ask the sources as of this day; a file that holds more is kept whole, and each night sees only its own past [default: now]
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<Date>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GraphCommand {
    /// Build the graph as of now or a past night and publish it
    Build(GraphBuildArgs),
    /// Show what a game's prediction is made from
    Show(GraphShowArgs),
    /// Write the meta-graph as DOT: which kinds connect through which relations
    Export(GraphExportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct GraphBuildArgs {
    /// As of this night [default: now]
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<Date>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GraphShowArgs {
    /// Game id, as `edge predict slate` prints it
    pub(crate) game: String,
    /// As of this night [default: the latest graph]
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<Date>,
    /// Write a picture to this file (.svg or .dot)
    #[arg(long, value_name = "FILE")]
    pub(crate) picture: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GraphExportArgs {
    /// Where to write the meta-graph (.dot)
    #[arg(default_value = "meta.dot")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct TrainArgs {
    /// As of this night [default: now]
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<Date>,
    /// Most passes over the training games
    #[arg(long, value_parser = at_least_one)]
    pub(crate) epochs: Option<usize>,
    /// auto, cpu or cuda
    #[arg(long)]
    pub(crate) device: Option<String>,
    /// Bring the champion up to date instead, under its own settings: its members go on for one pass over all games,
    /// which takes a fraction of the time; the scores stay those of its last whole training
    #[arg(long, conflicts_with_all = ["epochs", "smoke_test"])]
    pub(crate) update: bool,
    /// Tell where the time went
    #[arg(long)]
    pub(crate) profile: bool,
    /// Train a tiny network on a few games, to see that everything is in place; publishes nothing
    #[arg(long)]
    pub(crate) smoke_test: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SweepArgs {
    /// As of this night [default: now]
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<Date>,
    /// How many configurations to try
    #[arg(long, value_parser = at_least_one)]
    pub(crate) trials: Option<usize>,
    /// Most passes over the training games of each trial
    #[arg(long, value_parser = at_least_one)]
    pub(crate) epochs: Option<usize>,
    /// Who runs them
    #[arg(long, value_enum)]
    pub(crate) workers: Option<Workers>,
    /// Try tiny networks only, to see that the workers do their work
    #[arg(long)]
    pub(crate) smoke_test: bool,
    /// Print the trials (for Ray: the requests that would be sent), run none
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PredictCommand {
    /// Predict one game
    Game(PredictGameArgs),
    /// Predict every game of a night and look at it through the lenses
    Slate(PredictSlateArgs),
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct PredictGameArgs {
    /// Game id, as `edge predict slate` prints it
    #[arg(required_unless_present_any = ["home", "test"], conflicts_with_all = ["home", "away"])]
    pub(crate) game: Option<String>,
    /// Home team, for a game that need not exist
    #[arg(long, requires = "away")]
    pub(crate) home: Option<String>,
    /// Away team
    #[arg(long, requires = "home")]
    pub(crate) away: Option<String>,
    /// League of the teams, when several are configured
    #[arg(long)]
    pub(crate) league: Option<String>,
    /// Where the two teams meet [default: where the home team was last at home]
    #[arg(long, requires = "home", conflicts_with_all = ["game", "test"])]
    pub(crate) venue: Option<String>,
    /// Key player (quarterback, goalkeeper, pitcher) who does not play; may be repeated
    #[arg(long, value_name = "PLAYER", conflicts_with = "test")]
    pub(crate) out: Vec<String>,
    /// As of this night [default: now]
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<Date>,
    /// Answer from a mocked endpoint, to see the table without a model
    #[arg(long)]
    pub(crate) test: bool,
    /// Tell what carried the forecast: prices, ratings, features, neighbours in the graph
    #[arg(long, conflicts_with = "test")]
    pub(crate) explain: bool,
    /// Write a paper bet when the lenses pass; send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PredictSlateArgs {
    /// The night [default: now]
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<Date>,
    /// Write paper bets; send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The night [default: the last one that ran]
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<Date>,
    /// Send it by mail to `SMTP_TO`, or write an .eml when there is no server; nobody gets it twice
    #[arg(long)]
    pub(crate) send: bool,
    /// Send it to these addresses instead, with commas between them
    #[arg(long, value_name = "ADDRESSES", requires = "send")]
    pub(crate) to: Option<String>,
}

#[derive(Debug, Args, Clone)]
pub(crate) struct NightlyArgs {
    /// A past night: as of that day at report.at in the report's time zone [default: now]
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<Date>,
    /// Go on with the night that was cut short, keeping what is done
    #[arg(long)]
    pub(crate) resume: bool,
    /// Make up for past nights, one after the other from this day on, with paper bets and no mail; those that are done
    /// are passed over
    #[arg(long, value_name = "DATE", requires = "to", conflicts_with_all = ["date", "resume", "json"])]
    pub(crate) from: Option<Date>,
    /// The last of them
    #[arg(long, value_name = "DATE", requires = "from")]
    pub(crate) to: Option<Date>,
    /// Write paper bets, send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print the run's tasks as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ScheduleArgs {
    /// Print the next times, start nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Answer GET /healthz here, like 127.0.0.1:8001 (beats edge.toml)
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TrialArgs {
    /// What to run: JSON, or a file of it
    #[arg(long)]
    pub(crate) spec: String,
    /// Where the result and its `.done` marker go: a folder
    #[arg(long)]
    pub(crate) out: String,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_commands_hold_together() {
        super::Cli::command().debug_assert();
    }
}
