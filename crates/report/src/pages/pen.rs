//! How every page writes instants, games and tables alike.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use market::{Game, Market, Points, Selection};
use serde::Serialize;

use super::{Route, input::Site};
use crate::{
    ReportError, format,
    locale::Locale,
    view::{Limits, Style},
};

/// Longest sentence from outside that is shown whole, in characters.
pub(super) const LONGEST_SENTENCE: usize = 240;

/// An instant or a day, for machines and for people.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Moment {
    iso: String,
    text: String,
}

impl Moment {
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// A link.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Link {
    pub(super) href: String,
    pub(super) text: String,
    pub(super) is_current: bool,
}

/// A game as a row's first cell shows it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Fixture {
    href: String,
    home: String,
    away: String,
    league: String,
    starts: Moment,
}

/// Locale, zone and currency of a page, whose words are English, with the way to write in them.
pub(super) struct Pen<'a> {
    pub(super) site: &'a Site,
    pub(super) zone: TimeZone,
    pub(super) locale: Locale,
}

impl<'a> Pen<'a> {
    pub(super) fn new(site: &'a Site) -> Result<Self, ReportError> {
        let zone = TimeZone::get(&site.time_zone)
            .map_err(|error| ReportError::TimeZone(site.time_zone.clone(), error))?;
        Ok(Self { site, zone, locale: Locale::new(&site.locale)?.in_english() })
    }

    /// Returns the report's own way of writing, without limits on lists.
    pub(super) fn style(&self) -> Style<'_> {
        let limits = Limits { cards: usize::MAX, rows: 0, list: usize::MAX };
        Style { locale: &self.locale, zone: &self.zone, currency: &self.site.currency, limits }
    }

    /// Writes an instant by weekday, for what is near: `Fri 20 Nov 20:45`.
    pub(super) fn near(&self, instant: Timestamp) -> Moment {
        Moment { iso: iso(instant), text: self.locale.near(instant, &self.zone) }
    }

    /// Writes an instant with its year: `20 Nov 2026 20:45`.
    pub(super) fn dated(&self, instant: Timestamp) -> Moment {
        Moment { iso: iso(instant), text: self.locale.dated(instant, &self.zone) }
    }

    /// Writes how long ago an instant was: `12 min`.
    pub(super) fn ago(&self, instant: Timestamp) -> Moment {
        Moment { iso: iso(instant), text: self.locale.age(instant, self.site.now) }
    }

    pub(super) fn fixture(&self, game: &Game) -> Fixture {
        Fixture {
            href: Route::Game(game.game_id.clone()).to_string(),
            home: format::name(game.home.as_str()),
            away: format::name(game.away.as_str()),
            league: game.league.as_str().to_uppercase(),
            starts: self.near(game.start_time),
        }
    }

    pub(super) fn money(&self, amount: market::Money) -> String {
        self.locale.money(amount, &self.site.currency)
    }

    /// Writes a day: `Fri 20 Nov 2026`.
    pub(super) fn day(&self, date: Date) -> Moment {
        Moment { iso: date.to_string(), text: self.locale.week_day(date) }
    }

    /// Writes a day at full length: `Friday 20 November 2026`.
    pub(super) fn long_day(&self, date: Date) -> Moment {
        Moment { iso: date.to_string(), text: self.locale.long_day(date) }
    }

    /// Writes a selection of a game in words.
    pub(super) fn selection(
        &self,
        game: &Game,
        market: Market,
        side: Selection,
        points: Option<Points>,
    ) -> String {
        let (home, away) = (format::name(game.home.as_str()), format::name(game.away.as_str()));
        self.locale.selection(&home, &away, market, side, points)
    }
}

/// Writes a text from outside as one paragraph.
pub(super) fn sentence(text: &str) -> String {
    format::shorten(text, LONGEST_SENTENCE)
}

/// Seconds are enough; HTML knows no more than milliseconds.
fn iso(instant: Timestamp) -> String {
    format!("{}", instant.strftime("%Y-%m-%dT%H:%M:%SZ"))
}
