//! Arguments of `edge ledger`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use ledger::{Event, Mode, Outcome, RecordKey};
use market::{Market, Money};

use super::DoctorArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Print its rows, or totals by league, market, book or month
    Show(ShowArgs),
    /// Settle open bets whose results are known, or one by hand
    Settle(SettleArgs),
    /// Check every seal and recompute every number; name the first line that does not hold
    Verify(DoctorArgs),
    /// Take in bets that were placed by hand, from a CSV file
    Import(ImportArgs),
    /// Write it as Parquet
    Export(ExportArgs),
    /// Note money that was paid into the bankroll
    Deposit(CashArgs),
    /// Note money that was taken out of the bankroll
    Withdraw(CashArgs),
    /// Accept a file that was changed by hand: keep it as it is beside, and seal it anew
    Reseal,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Only the last rows; 0 for all
    #[arg(long, default_value_t = 30)]
    pub(crate) last: usize,
    /// Only this league
    #[arg(long)]
    pub(crate) league: Option<String>,
    /// Only this market: moneyline, spread or total
    #[arg(long, value_parser = |text: &str| Market::parse(text).ok_or("write moneyline, spread or total"))]
    pub(crate) market: Option<Market>,
    /// Only this bookmaker
    #[arg(long)]
    pub(crate) book: Option<String>,
    /// Only paper or only live bets
    #[arg(long, value_parser = |text: &str| Mode::parse(text).ok_or("write paper or live"))]
    pub(crate) mode: Option<Mode>,
    /// Only one kind of row: placed, settled, voided, corrected, deposit or withdrawal
    #[arg(long, value_parser = |text: &str| Event::parse(text).ok_or("write placed, settled, voided, corrected, deposit or withdrawal"))]
    pub(crate) event: Option<Event>,
    /// Only from this date on
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<Date>,
    /// Only up to this date
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<Date>,
    /// Only bets that have no ending yet
    #[arg(long)]
    pub(crate) open: bool,
    /// Totals instead of rows
    #[arg(long, value_name = "BY")]
    pub(crate) totals: Option<Totals>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What totals are grouped by.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Totals {
    League,
    Market,
    Book,
    Month,
}

impl From<Totals> for RecordKey {
    fn from(totals: Totals) -> Self {
        match totals {
            Totals::League => Self::League,
            Totals::Market => Self::Market,
            Totals::Book => Self::Book,
            Totals::Month => Self::Month,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct SettleArgs {
    /// With what was known on this night [default: now]
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<Date>,
    /// End this bet by hand, by its id as `edge ledger show --json` prints it; no result takes that back
    #[arg(long, value_name = "BET_ID", requires = "outcome")]
    pub(crate) bet: Option<String>,
    /// How it ended: `win`, `half_win`, `push`, `half_loss`, `loss`, `dead_heat`, `postponed`, `cancelled` or `abandoned`
    #[arg(long, requires = "bet", value_parser = |text: &str| Outcome::parse(text)
        .ok_or("write win, half_win, push, half_loss, loss, dead_heat, postponed, cancelled or abandoned"))]
    pub(crate) outcome: Option<Outcome>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// CSV with `date,league,home,away,market,selection,price,stake` and, if wanted,
    /// `points,book,start_time,mode,placed_at,outcome,score`
    pub(crate) file: PathBuf,
    /// Say what would be taken, and take nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Where to write it
    #[arg(default_value = "ledger.parquet")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CashArgs {
    /// The amount, for instance 250.00
    pub(crate) amount: Money,
    /// Tells movements of one day apart; the same one again adds nothing
    #[arg(long, default_value = "cash")]
    pub(crate) reference: String,
    /// Of the paper bankroll
    #[arg(long)]
    pub(crate) paper: bool,
}
