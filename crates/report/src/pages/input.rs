//! The facts that the pages state: plain values, nothing formatted, no page looks anything up.
//!
//! Whoever serves the pages fills them from the store. Lists are shown in the order given unless a field
//! says otherwise; what is absent is told on the page with the command that makes it.
//!
//! # Example
//! ```
//! use report::pages::input::Site;
//! let site: Site = serde_json::from_str(
//!     r#"{"title":"Edge","time_zone":"Europe/Berlin","currency":"EUR","now":"2026-11-20T09:00:00Z"}"#).unwrap();
//! assert_eq!(site.title, "Edge");
//! ```

mod game;
mod ledger;
mod model;
mod problem;
mod runs;
mod slate;

pub use game::{
    GamePage, JudgedQuote, Neighbourhood, OutcomeProbability, PriceHistory, Quote, ShownEdge, ShownNode,
    Variant,
};
pub use ledger::{LedgerPage, OpenBet};
pub use model::{Decision, ModelPage, Promotion};
pub use problem::ProblemPage;
pub use runs::{RunPage, RunSummary, RunVerdict, RunsPage, TaskEvidence, TaskRow, TaskState};
pub use slate::SlatePage;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What every page says at its edge, and how it writes instants and amounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Name of the site, first word of the header and last of every page's title.
    pub title: String,
    /// IANA name of the zone in which every instant is shown.
    pub time_zone: String,
    /// ISO 4217 code of the bankroll's currency.
    pub currency: String,
    /// BCP 47 tag of the [`Locale`](crate::Locale) in which everything is written; the house's own when empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub locale: String,
    /// When the page was asked for, UTC; ages are counted back from here.
    pub now: Timestamp,
}
