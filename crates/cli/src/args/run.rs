//! What can be typed after `edge run`.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum RunCommand {
    /// List the runs, the last first
    List(RunListArgs),
    /// Show one run: its tasks, what failed and why, what it made
    Show(RunShowArgs),
    /// Go on with a night that was cut short or failed in part; what is done is kept
    Resume(RunResumeArgs),
    /// Ask a running night to stop after the tasks at work
    Cancel(RunCancelArgs),
    /// Do one task of a night again, and with it what depends on its result
    Retry(RunRetryArgs),
    /// Allow a task that removes something to do what it asked for
    Approve(RunApproveArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RunListArgs {
    /// Only the last N
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) last: usize,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunShowArgs {
    /// The run, as `edge run list` prints it [default: the last one]
    pub(crate) run: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunResumeArgs {
    /// The run [default: the last one]
    pub(crate) run: Option<String>,
    /// Print the run's tasks as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunCancelArgs {
    /// The run [default: the one that is running]
    pub(crate) run: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RunRetryArgs {
    /// The task
    pub(crate) task: String,
    /// Its run [default: the last one]
    #[arg(long)]
    pub(crate) run: Option<String>,
    /// Print the run's tasks as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunApproveArgs {
    /// The task that asks; `edge run show` says what for
    pub(crate) task: String,
    /// Its run [default: the last one]
    #[arg(long)]
    pub(crate) run: Option<String>,
    /// Print the run's tasks as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
