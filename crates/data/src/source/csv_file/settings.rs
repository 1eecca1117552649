//! How a file is to be read, and what is refused before any file is.

use std::borrow::Cow;

use jiff::{
    SignedDuration,
    civil::{Date, Time, date},
    fmt::strtime::{self, BrokenDownTime},
};
use market::{Points, Price};
use serde::{Deserialize, Serialize};

use super::{super::quote, Columns};
use crate::DataError;

/// How prices are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OddsFormat {
    /// `1.91`.
    #[default]
    Decimal,
    /// `-110`.
    American,
    /// `10/11`.
    Fractional,
}

/// How a file is to be read.
///
/// # Example
/// ```
/// use data::{CsvSettings, OddsFormat};
/// let settings: CsvSettings = serde_json::from_str(r#"{"odds": "american", "columns": {"home": "team1"}}"#).unwrap();
/// assert_eq!((settings.odds, settings.delimiter), (OddsFormat::American, ','));
/// assert!(serde_json::from_str::<CsvSettings>(r#"{"columns": {"hom": "team1"}}"#).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CsvSettings {
    /// Which column says what.
    pub columns: Columns,
    /// How prices are written.
    pub odds: OddsFormat,
    /// How dates are written, like `%d/%m/%Y`; `yyyy-mm-dd` when absent.
    pub date_format: Option<String>,
    /// What separates columns: `,`, `;`, `|` or a tab.
    pub delimiter: char,
    /// Whose prices they are where no column says it; `consensus` when absent.
    pub book: Option<String>,
    /// Whether a positive spread means that the home side is favoured.
    pub home_favoured_positive: bool,
    /// Month in which a season begins where no column states the season; 1 for calendar years.
    pub season_starts: u8,
    /// How long a game lasts before its result counts as known.
    pub game_lasts: SignedDuration,
}

impl Default for CsvSettings {
    fn default() -> Self {
        Self {
            columns: Columns::default(),
            odds: OddsFormat::default(),
            date_format: None,
            delimiter: ',',
            book: None,
            home_favoured_positive: false,
            season_starts: 7,
            game_lasts: SignedDuration::from_hours(4),
        }
    }
}

impl CsvSettings {
    /// Refuses settings that no file could be read with, naming the key.
    pub(super) fn check(&self, three_way: bool) -> Result<(), DataError> {
        self.check_columns(three_way).map_err(DataError::Setting)?;
        self.check_values().map_err(DataError::Setting)
    }

    fn check_columns(&self, three_way: bool) -> Result<(), String> {
        if let Some((key, _)) =
            self.columns.set().find(|(_, column)| column.trim() != *column || column.is_empty())
        {
            return Err(format!("columns.{key} is blank or has blanks around it; name a column of the file"));
        }
        let has = |key: &str| self.columns.set().any(|(set, _)| set == key);
        if let Some(key) = ["home", "away"].into_iter().find(|key| !has(key)) {
            return Err(format!("columns.{key} is missing; name the column of the {key} team"));
        }
        if !has("date") && !has("start") {
            return Err(
                "columns.date is missing; name the column of the day, or columns.start for an instant"
                    .to_owned(),
            );
        }
        if has("time") && !has("date") {
            return Err("columns.time needs columns.date, the day to which the time belongs".to_owned());
        }
        if has("draw_price") && !three_way {
            return Err(
                "columns.draw_price is set, but the league is two-way; set three_way or take it away"
                    .to_owned(),
            );
        }
        let together: [&[&str]; 4] = [
            &["home_score", "away_score"],
            if three_way {
                &["home_price", "draw_price", "away_price"]
            } else {
                &["home_price", "away_price"]
            },
            &["spread", "spread_home_price", "spread_away_price"],
            &["total", "over_price", "under_price"],
        ];
        for keys in together {
            let (Some(given), Some(lacking)) =
                (keys.iter().find(|key| has(key)), keys.iter().find(|key| !has(key)))
            else {
                continue;
            };
            return Err(format!("columns.{given} needs columns.{lacking}; name both or none"));
        }
        if has("status") && !has("home_score") {
            return Err("columns.status needs columns.home_score and columns.away_score".to_owned());
        }
        if let Some(key) =
            ["book", "captured_at"].into_iter().find(|key| has(key)).filter(|_| !self.has_prices())
        {
            return Err(format!("columns.{key} is set, but no price is; name the columns of the prices"));
        }
        Ok(())
    }

    fn check_values(&self) -> Result<(), String> {
        if !matches!(self.delimiter, ',' | ';' | '|' | '\t') {
            return Err(format!(
                "delimiter is {:?}, but must be a comma, semicolon, bar or tab",
                self.delimiter
            ));
        }
        if !(1..=12).contains(&self.season_starts) {
            return Err(format!("season_starts is {}, but must be a month from 1 to 12", self.season_starts));
        }
        if !self.game_lasts.is_positive() || self.game_lasts > SignedDuration::from_hours(24 * 7) {
            return Err(format!("game_lasts is {:#}, but must lie between 0 h and 7 days", self.game_lasts));
        }
        if self.book.as_deref().is_some_and(|book| book.trim().is_empty()) {
            return Err("book is blank; name the book or take the key away".to_owned());
        }
        let sample = date(2021, 11, 23);
        let reads = |format: &str| {
            let written = strtime::format(format, sample.at(20, 20, 0, 0)).ok()?;
            Some(self.day(&written)?.0 == sample)
        };
        match self.date_format.as_deref() {
            Some(format) if reads(format) != Some(true) => {
                Err(format!("date_format `{format}` does not give one day; write it like `%d/%m/%Y`"))
            }
            _ => Ok(()),
        }
    }

    /// Returns whether any price is read.
    pub(super) fn has_prices(&self) -> bool {
        let Columns { home_price, spread, total, .. } = &self.columns;
        [home_price, spread, total].into_iter().any(Option::is_some)
    }

    /// Reads a day, and the time where the format of dates has one.
    pub(super) fn day(&self, text: &str) -> Option<(Date, Option<Time>)> {
        let Some(format) = &self.date_format else { return Some((text.parse().ok()?, None)) };
        let parts = BrokenDownTime::parse(format, text).ok()?;
        let time = if parts.hour().is_some() { Some(parts.to_time().ok()?) } else { None };
        Some((parts.to_date().ok()?, time))
    }

    /// Reads a price.
    pub(super) fn price(&self, text: &str) -> Option<Price> {
        let even = ["even", "evens", "ev", "evs"].iter().any(|even| text.eq_ignore_ascii_case(even));
        match self.odds {
            OddsFormat::Decimal => quote::decimal(&self.number(text)),
            _ if even => Price::new(2.0).ok(),
            OddsFormat::American => quote::american(&self.number(text)),
            OddsFormat::Fractional => Price::from_fractional(text).ok(),
        }
    }

    /// Reads points.
    pub(super) fn points(&self, text: &str) -> Option<Points> {
        quote::points(&self.number(text))
    }

    /// Files that do not separate by commas may write decimals with them.
    fn number<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.delimiter == ',' { Cow::Borrowed(text) } else { Cow::Owned(text.replace(',', ".")) }
    }

    /// Returns the text by which a change of settings is noticed.
    pub(super) fn text(&self) -> String {
        let Self {
            columns,
            odds,
            date_format,
            delimiter,
            book,
            home_favoured_positive,
            season_starts,
            game_lasts,
        } = self;
        let columns: Vec<String> = columns.set().map(|(key, column)| format!("{key}={column:?}")).collect();
        format!(
            "columns[{}] odds={odds:?} date_format={:?} delimiter={delimiter:?} book={:?} home_favoured_positive={home_favoured_positive} season_starts={season_starts} game_lasts={game_lasts:#}",
            columns.join(" "),
            date_format.as_deref().unwrap_or_default(),
            book.as_deref().unwrap_or_default(),
        )
    }
}
