//! Where each page lives: every link is written here, and whoever wires the routes reads the same list.
//!
//! # Example
//! ```
//! use report::pages::Route;
//! let route = Route::Game(market::GameId::from_text("demo_2026-11-20_a_b"));
//! assert_eq!(route.to_string(), "/games/demo_2026-11-20_a_b");
//! assert_eq!(Route::parse("/games/demo_2026-11-20_a_b"), Some(route));
//! assert_eq!(Route::parse("/nowhere"), None);
//! ```

use std::fmt;

use jiff::civil::Date;
use market::GameId;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::input::Mode;

/// What may stand in a path as it is, by RFC 3986 the unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An address within the site, from its root.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Route {
    /// The latest slate.
    Today,
    /// The slate of a day.
    Slate(Date),
    /// A game.
    Game(GameId),
    /// The ledger in a mode, with a page of its settled bets, from 1.
    Ledger {
        /// Live or on paper.
        mode: Mode,
        /// Page of settled bets.
        page: usize,
    },
    /// The model.
    Model,
    /// The list of runs.
    Runs,
    /// A run.
    Run(String),
    /// The stored report of a day, as it was made.
    Report(Date),
    /// A static file; see [`Pages::assets`](crate::pages::Pages::assets).
    Asset(String),
}

impl Route {
    /// The paths as a router wants them; the ledger also takes the queries `mode` and `page`.
    pub const PATTERNS: [&str; 9] = [
        "/",
        "/slate/{date}",
        "/games/{game_id}",
        "/ledger",
        "/model",
        "/runs",
        "/runs/{run_id}",
        "/reports/{date}",
        "/assets/{name}",
    ];

    /// Reads an address that [`Display`](fmt::Display) wrote; a fragment is left aside. None for any other.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.split('#').next()?;
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let mut parts = path.strip_prefix('/')?.split('/');
        let route = match (parts.next()?, parts.next()) {
            ("", None) => Self::Today,
            ("model", None) => Self::Model,
            ("runs", None) => Self::Runs,
            ("ledger", None) => return ledger(query),
            ("slate", Some(date)) => Self::Slate(date.parse().ok()?),
            ("reports", Some(date)) => Self::Report(date.parse().ok()?),
            ("games", Some(id)) => Self::Game(GameId::from_text(&decoded(id)?)),
            ("runs", Some(id)) => Self::Run(decoded(id)?),
            ("assets", Some(name)) => Self::Asset(decoded(name)?),
            _ => return None,
        };
        (parts.next().is_none() && query.is_empty()).then_some(route)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
        match self {
            Self::Today => f.write_str("/"),
            Self::Slate(date) => write!(f, "/slate/{date}"),
            Self::Game(id) => write!(f, "/games/{}", encoded(id.as_str())),
            Self::Ledger { mode, page } => {
                let mode = (*mode == Mode::Paper).then(|| "mode=paper".to_owned());
                let page = (*page > 1).then(|| format!("page={page}"));
                let query: Vec<String> = mode.into_iter().chain(page).collect();
                let mark = if query.is_empty() { "" } else { "?" };
                write!(f, "/ledger{mark}{}", query.join("&"))
            }
            Self::Model => f.write_str("/model"),
            Self::Runs => f.write_str("/runs"),
            Self::Run(id) => write!(f, "/runs/{}", encoded(id)),
            Self::Report(date) => write!(f, "/reports/{date}"),
            Self::Asset(name) => write!(f, "/assets/{}", encoded(name)),
        }
    }
}

fn decoded(text: &str) -> Option<String> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    (!text.is_empty()).then(|| text.into_owned())
}

fn ledger(query: &str) -> Option<Route> {
    let (mut mode, mut page) = (Mode::Live, 1);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=')? {
            ("mode", "live") => mode = Mode::Live,
            ("mode", "paper") => mode = Mode::Paper,
            ("page", number) => page = number.parse().ok().filter(|number| *number > 0)?,
            _ => return None,
        }
    }
    Some(Route::Ledger { mode, page })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let day = jiff::civil::date(2026, 11, 20);
        let routes = [
            Route::Today,
            Route::Slate(day),
            Route::Game(GameId::from_text("x_2026_<b>/..\\?#&\"'Köln 🐐")),
            Route::Ledger { mode: Mode::Live, page: 1 },
            Route::Ledger { mode: Mode::Live, page: 3 },
            Route::Ledger { mode: Mode::Paper, page: 1 },
            Route::Ledger { mode: Mode::Paper, page: 2 },
            Route::Model,
            Route::Runs,
            Route::Run("2026-11-20 night".to_owned()),
            Route::Report(day),
            Route::Asset("edge.css".to_owned()),
        ];
        for route in routes {
            let text = route.to_string();
            assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~/?&=%".contains(c)), "{text}");
            assert_eq!(Route::parse(&text).as_ref(), Some(&route), "{text}");
        }
    }

    #[test]
    fn other_addresses_are_none_of_ours() {
        for text in
            ["", "x", "//x", "/games", "/games/", "/games/a/b", "/ledger?page=0", "/runs?x=1", "/slate/1"]
        {
            assert_eq!(Route::parse(text), None, "{text}");
        }
    }
}
