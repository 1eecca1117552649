//! What `edge backtest` can be told.

use clap::{Args, ValueEnum};
use model::backtest::Cadence;

/// How often the model is trained again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Refit {
    /// Before each season
    Season,
    /// Before each month with games
    Month,
    /// Before each week with games
    Week,
}

impl From<Refit> for Cadence {
    fn from(refit: Refit) -> Self {
        match refit {
            Refit::Season => Self::Season,
            Refit::Month => Self::Month,
            Refit::Week => Self::Week,
        }
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "Each fold is trained on what was known before its first decision, and each of its games is forecast
as of its own decision. A run that was cut short goes on where it stopped; the same question finds
the folds that are there."
)]
pub(crate) struct BacktestArgs {
    /// The league; its rows must have been fetched
    #[arg(long, value_name = "LEAGUE")]
    pub(crate) league: String,
    /// First season, by the year in which it began
    #[arg(long, value_name = "SEASON")]
    pub(crate) from: i32,
    /// Last season
    #[arg(long, value_name = "SEASON")]
    pub(crate) to: i32,
    /// Train and score no variant that sees prices
    #[arg(long)]
    pub(crate) no_market: bool,
    /// How often the model is trained again
    #[arg(long, value_enum, default_value_t = Refit::Season)]
    pub(crate) refit: Refit,
    /// Where the page with the plots goes [default: under reports in the store]
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<std::path::PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
