//! Which of the site's layouts a payload has, and where its columns stand.

use super::super::table::Table;
use crate::{DataError, Payload};

/// A layout of football-data.co.uk, told by the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// One division and season, with results.
    Main,
    /// Games to come of many divisions: the main layout without results.
    Fixtures,
    /// All seasons of one country's league, with closing prices only.
    Extra,
}

const MAIN: [&str; 6] = ["Div", "Date", "HomeTeam|HT", "AwayTeam|AT", "FTHG|HG", "FTAG|AG"];
const FIXTURES: [&str; 4] = ["Div", "Date", "HomeTeam", "AwayTeam"];
const EXTRA: [&str; 7] = ["League", "Season", "Date", "HomeTeam|Home", "AwayTeam|Away", "FTHG|HG", "FTAG|AG"];
const RESULTS: [&str; 9] = ["FTHG", "FTAG", "FTR", "HG", "AG", "Res", "HTHG", "HTAG", "HTR"];

impl Layout {
    /// Reads a payload in the layout that its header shows; the columns are found by the main layout's names.
    pub(super) fn read(payload: &Payload) -> Result<(Table, Self), DataError> {
        let table = Table::open(payload, b',')?;
        let layout = Self::of(&table);
        let (name, required): (_, &[&str]) = match layout {
            Self::Main => ("football-data.co.uk main", &MAIN),
            Self::Fixtures => ("football-data.co.uk fixtures", &FIXTURES),
            Self::Extra => ("football-data.co.uk extra", &EXTRA),
        };
        Ok((table.with(payload, name, required)?, layout))
    }

    fn of(table: &Table) -> Self {
        let has = |column: &str| table.column(column).is_some();
        if !has("Div") && has("Country") && has("League") {
            Self::Extra
        } else if FIXTURES.into_iter().all(has) && !RESULTS.into_iter().any(has) {
            Self::Fixtures
        } else {
            Self::Main
        }
    }

    /// Returns the column that names a row's division.
    pub(super) fn division(self) -> &'static str {
        if self == Self::Extra { "League" } else { "Div" }
    }
}
