//! What can be typed after `edge data`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Date;

const IMPORTED: &str = "Files with the columns league, game_id, season, start_time, home, away, book, market, selection, \
                        points, price, captured_at, is_closing, source; .gz is read as is";

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct DataArgs {
    #[command(subcommand)]
    pub(crate) command: Option<DataCommand>,
    #[command(flatten)]
    pub(crate) show: DataShowArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Write rows as CSV or Parquet for other tools
    Export(DataExportArgs),
    /// Take large CSV files of prices in the lake's own columns, past a source and its checks of names
    Import(DataImportArgs),
    /// List names that no team is known by, with the lines that would settle them
    Names(DataNamesArgs),
    /// Merge each season's small files into one
    Compact(DataCompactArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DataShowArgs {
    /// Only this league
    #[arg(long, value_name = "LEAGUE")]
    pub(crate) league: Option<String>,
    /// Draw the coverage into this SVG file
    #[arg(long, value_name = "FILE")]
    pub(crate) picture: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DataExportArgs {
    /// The file to write: .csv or .parquet
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Only this league
    #[arg(long, value_name = "LEAGUE")]
    pub(crate) league: Option<String>,
    /// Which rows
    #[arg(long, value_enum, default_value = "lines")]
    pub(crate) rows: ExportedRows,
    /// What was known when this day began [default: now]
    #[arg(long, value_name = "DATE")]
    pub(crate) as_of: Option<Date>,
}

#[derive(Debug, Args)]
pub(crate) struct DataImportArgs {
    #[arg(value_name = "FILE", required = true, help = IMPORTED)]
    pub(crate) files: Vec<PathBuf>,
    /// Keep no compressed copy of the files in the store
    #[arg(long)]
    pub(crate) no_raw: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum ExportedRows {
    /// Prices
    Lines,
    /// Results
    Results,
    /// Venue, starters, referee and the like
    Context,
}

#[derive(Debug, Args)]
pub(crate) struct DataNamesArgs {
    /// Only this league
    #[arg(long, value_name = "LEAGUE")]
    pub(crate) league: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DataCompactArgs {
    /// Only this league
    #[arg(long, value_name = "LEAGUE")]
    pub(crate) league: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}
