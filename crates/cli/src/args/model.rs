//! What can be typed after `edge model`.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// List every model that was ever a challenger, and why it was promoted or not
    List(ModelListArgs),
    /// Make a model the champion by hand
    Promote(ModelPromoteArgs),
    /// Make the champion before this one the champion again
    Rollback,
}

#[derive(Debug, Args)]
pub(crate) struct ModelListArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ModelPromoteArgs {
    /// Its version, as `edge model list` prints it
    pub(crate) version: String,
}
