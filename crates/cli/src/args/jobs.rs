//! What can be typed after `edge jobs`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum JobsCommand {
    /// Run the scripts of a jobs file on the nodes of `[[sweep.ssh.nodes]]`, one at a time per GPU
    Run(JobsRunArgs),
}

#[derive(Debug, Args)]
#[command(
    after_help = "The file is JSON: [{\"job_id\": \"a\", \"script\": \"train.sh\", \"args\": [\"--out\", \"a\"], \"node\": \"gpu-1\", \"gpu_id\": 0}, ...].
A script lies in the node's folder. It has succeeded when it ended with 0 and left a file `.done` in $EDGE_OUTPUT, its own
output folder. Running the same file again goes on with what is not done."
)]
pub(crate) struct JobsRunArgs {
    /// The jobs
    #[arg(long, value_name = "FILE")]
    pub(crate) jobs_file: PathBuf,
    /// Where the results are gathered, a folder per job
    #[arg(long, value_name = "FOLDER", default_value = "jobs-output")]
    pub(crate) output_dir: PathBuf,
    /// Leave the paths after --out, --output, --output-dir and -o as they are, instead of putting them into the output folder
    #[arg(long)]
    pub(crate) preserve_paths: bool,
    /// Print what would run where
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
