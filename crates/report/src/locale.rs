//! In whose way numbers, amounts, days and instants are written.
//!
//! Without a tag, and for `en`, that is the house's own way, [`format`](mod@crate::format): days before months, a clock of
//! 24 hours. For every other tag it is the way of that language and country after the Unicode consortium's
//! data; only the calendar is Gregorian everywhere, as the dates of files and games are. A minus is a real
//! minus and an instant does not break, in every way of writing.
//!
//! What is drawn in a chart has Latin digits, since the font of the charts has no others.
//!
//! # Example
//! ```
//! use report::locale::Locale;
//! let german = Locale::new("de-DE").unwrap();
//! assert_eq!(german.signed_percent(0.0412, 1), "+4,1\u{a0}%");
//! assert_eq!(german.money("-1234.50".parse().unwrap(), "EUR"), "−1.234,50\u{a0}€");
//! assert_eq!(german.long_day("2026-11-20".parse().unwrap()), "Freitag, 20. November 2026");
//! assert_eq!(Locale::default().money("-1234.50".parse().unwrap(), "EUR"), "−€1,234.50");
//! let error = Locale::new("deutsch (Berlin)").unwrap_err();
//! assert_eq!(error.to_string(), "`deutsch (Berlin)` is no locale: write a language tag such as en, en-GB, de-DE or ja-JP");
//! ```

mod cldr;
pub(crate) mod currency;

use std::sync::Arc;

use fluent_bundle::FluentArgs;
use icu_locale_core::Locale as Tag;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use market::{Market, Money, Points, Price, Selection};

use crate::{format, words::Language};
use cldr::Cldr;

/// What stands for a value that is not there.
pub(crate) const DASH: &str = "–";

/// A way of writing numbers, amounts, days and instants.
#[derive(Debug, Clone, Default)]
pub struct Locale {
    tag: String,
    language: Language,
    /// None for the house's own way.
    cldr: Option<Arc<Cldr>>,
}

/// Why a tag names no locale.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocaleError {
    /// It is not written as a language tag.
    #[error("`{0}` is no locale: write a language tag such as en, en-GB, de-DE or ja-JP")]
    Tag(String),
    /// It is well written, but nothing is known of its language.
    #[error(
        "nothing is known of the language of locale `{0}`: write a tag such as en, en-GB, de-DE or ja-JP"
    )]
    Unknown(String),
}

impl Locale {
    /// Takes the locale of a BCP 47 tag, such as `en-GB`; the house's own for `en` and for no text at all.
    ///
    /// # Errors
    /// A text that is no tag, or a tag whose language has no data.
    pub fn new(tag: &str) -> Result<Self, LocaleError> {
        let text = tag.trim();
        if text.is_empty() || text.eq_ignore_ascii_case("en") {
            return Ok(Self::default());
        }
        let parsed: Tag = text.parse().map_err(|_| LocaleError::Tag(format::name(tag)))?;
        let cldr = Cldr::new(&parsed).ok_or_else(|| LocaleError::Unknown(parsed.to_string()))?;
        let language = Language::of(parsed.id.language.as_str());
        Ok(Self { tag: parsed.to_string(), language, cldr: Some(Arc::new(cldr)) })
    }

    /// Returns the tag in its usual spelling, `en` for the house's own way.
    pub fn tag(&self) -> &str {
        if self.tag.is_empty() { "en" } else { &self.tag }
    }

    /// Returns the language in which the report's words are written: that of the locale where there is a
    /// catalogue for it, else English.
    pub fn language(&self) -> &'static str {
        self.language.tag()
    }

    pub(crate) fn catalogue(&self) -> Language {
        self.language
    }

    /// Keeps the way of writing numbers and days, with English words.
    pub(crate) fn in_english(self) -> Self {
        Self { language: Language::English, ..self }
    }

    /// Says a message of the catalogue.
    pub(crate) fn say(&self, key: &str) -> String {
        self.say_with(key, &[])
    }

    /// Says a message of the catalogue with texts in it.
    pub(crate) fn say_with(&self, key: &str, values: &[(&str, &str)]) -> String {
        let values: FluentArgs<'_> = values.iter().copied().collect();
        self.language.say(key, &values).unwrap_or_else(|| key.to_owned())
    }

    /// Writes a number with `decimals` digits after the decimal sign; one that is not finite is `n/a`.
    pub fn number(&self, value: f64, decimals: usize) -> String {
        self.digits(format::number(value, decimals))
    }

    /// Writes a number with its sign; zero after rounding has none.
    pub fn signed(&self, value: f64, decimals: usize) -> String {
        self.digits(format::signed(value, decimals))
    }

    /// Writes a share as per cent.
    pub fn percent(&self, share: f64, decimals: usize) -> String {
        match &self.cldr {
            Some(cldr) => localised(format::number(100.0 * share, decimals), |text| cldr.percent(text)),
            None => format::percent(share, decimals),
        }
    }

    /// Writes a share as per cent with its sign.
    pub fn signed_percent(&self, share: f64, decimals: usize) -> String {
        match &self.cldr {
            Some(cldr) => localised(format::signed(100.0 * share, decimals), |text| cldr.percent(text)),
            None => format::signed_percent(share, decimals),
        }
    }

    /// Writes an interval of shares as per cent, `47.2–55.9 %`.
    pub fn percent_interval(&self, (low, high): (f64, f64), decimals: usize) -> String {
        let number = |share: f64| self.number(100.0 * share, decimals);
        // The sign stands once, on the side where this locale has it.
        self.percent(high, decimals).replacen(&number(high), &format!("{}–{}", number(low), number(high)), 1)
    }

    /// Writes an interval of signed shares as per cent, `−1.2 to +5.9 %`.
    pub fn signed_percent_interval(&self, interval: (f64, f64), decimals: usize) -> String {
        let Some(_) = &self.cldr else { return format::signed_percent_interval(interval, decimals) };
        let (low, high) = interval;
        let (low, high) = (self.signed_percent(low, decimals), self.signed_percent(high, decimals));
        self.say_with("interval-to", &[("low", &low), ("high", &high)])
    }

    /// Writes an amount with its currency, with as many decimals as ISO 4217 gives it.
    pub fn money(&self, amount: Money, currency: &str) -> String {
        match &self.cldr {
            Some(cldr) => cldr.money(&currency::plain(amount, currency), currency),
            None => format::money(amount, currency),
        }
    }

    /// Writes a profit: an amount with its sign, zero without.
    pub fn profit(&self, amount: Money, currency: &str) -> String {
        let Some(cldr) = &self.cldr else { return format::profit(amount, currency) };
        let plain = currency::plain(amount, currency);
        let is_gain = amount > Money::ZERO && plain.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
        cldr.money(&if is_gain { format!("+{plain}") } else { plain }, currency)
    }

    /// Writes a count with its groups of digits.
    pub fn count(&self, value: usize) -> String {
        match &self.cldr {
            Some(cldr) => localised(value.to_string(), |text| cldr.number(text)),
            None => format::count(value),
        }
    }

    /// Writes a count with its noun: `1 game`, `12 games`.
    pub fn counted(&self, value: usize, noun: &str) -> String {
        let mut values = FluentArgs::new();
        values.set("n", value as i64);
        let of_catalogue = self.language.say(&format!("noun-{noun}"), &values);
        let other = || format!("{noun}{}", if value == 1 { "" } else { "s" });
        format!("{}\u{a0}{}", self.count(value), of_catalogue.unwrap_or_else(other))
    }

    /// Writes how long before `now` an instant lies: `12 min`, `3 h`, `4 d`; the future counts as now.
    pub fn age(&self, instant: Timestamp, now: Timestamp) -> String {
        let minutes = now.duration_since(instant).as_secs().max(0) / 60;
        match minutes {
            0..60 => self.unit(minutes, "minute"),
            60..2880 => self.unit((minutes as f64 / 60.0).round_ties_even() as i64, "hour"),
            _ => self.unit(minutes / 1440, "day"),
        }
    }

    fn unit(&self, value: i64, unit: &str) -> String {
        let mut values = FluentArgs::new();
        values.set("n", value);
        let unit = self.language.say(&format!("noun-{unit}"), &values).unwrap_or_default();
        format!("{}\u{a0}{unit}", self.digits(value.to_string()))
    }

    /// Writes decimal odds, as the books of that country show them.
    pub fn price(&self, price: Price) -> String {
        self.digits(price.to_string())
    }

    /// Writes an instant as `Fri 20 Nov 20:45` in `zone`.
    pub fn near(&self, instant: Timestamp, zone: &TimeZone) -> String {
        let house = || format::local_time(instant, zone);
        self.cldr.as_ref().map_or_else(house, |cldr| cldr.near(instant.to_zoned(zone.clone()).datetime()))
    }

    /// Writes an instant with its year, as `20 Nov 2026 20:45`, in `zone`.
    pub fn dated(&self, instant: Timestamp, zone: &TimeZone) -> String {
        let house = || format::local_instant(instant, zone);
        self.cldr.as_ref().map_or_else(house, |cldr| cldr.dated(instant.to_zoned(zone.clone()).datetime()))
    }

    /// Writes a day as `20 Nov 2026`.
    pub fn day(&self, date: Date) -> String {
        self.date(date, "%-d %b %Y", Cldr::day)
    }

    /// Writes a day as `20 November 2026`.
    pub fn full_day(&self, date: Date) -> String {
        self.date(date, "%-d %B %Y", Cldr::full_day)
    }

    /// Writes a day as `Fri 20 Nov 2026`.
    pub fn week_day(&self, date: Date) -> String {
        self.date(date, "%a %-d %b %Y", Cldr::week_day)
    }

    /// Writes a day as `Friday 20 November 2026`.
    pub fn long_day(&self, date: Date) -> String {
        self.date(date, "%A %-d %B %Y", Cldr::long_day)
    }

    fn date(&self, date: Date, house: &str, cldr: impl Fn(&Cldr, Date) -> String) -> String {
        self.cldr.as_ref().map_or_else(|| date.strftime(house).to_string(), |way| cldr(way, date))
    }

    /// Writes a number for a chart's axis, in Latin digits.
    pub(crate) fn drawn(&self, value: f64, decimals: usize) -> String {
        let text = format::number(value, decimals);
        let Some(cldr) = &self.cldr else { return text };
        localised(text, |text| cldr.drawn(text))
    }

    /// Writes a day for a chart's axis, in letters and digits that the chart's font has.
    pub(crate) fn drawn_day(&self, date: Date) -> String {
        self.date(date, "%-d %b", Cldr::drawn_day)
    }

    /// Writes a selection in words: `Leeds to win`, `Leeds −0.75`, `Over 2.5`.
    pub fn selection(
        &self,
        home: &str,
        away: &str,
        market: Market,
        selection: Selection,
        points: Option<Points>,
    ) -> String {
        let total = || points.map_or_else(String::new, |points| self.points(points));
        let side = match selection {
            Selection::Home => home,
            Selection::Away => away,
            Selection::Draw => return self.say("selection-draw"),
            Selection::Over => return self.say_with("selection-over", &[("points", &total())]),
            Selection::Under => return self.say_with("selection-under", &[("points", &total())]),
        };
        match (market, points) {
            (Market::Spread, Some(points)) => format!("{side} {}", self.handicap(points)),
            _ => self.say_with("selection-win", &[("side", side)]),
        }
    }

    /// Writes points: those of a total, or a margin.
    pub(crate) fn points(&self, points: Points) -> String {
        self.digits(points.to_string().replace('-', "−"))
    }

    fn handicap(&self, points: Points) -> String {
        match points.quarters() {
            1.. => self.digits(format!("+{points}")),
            0 => "±0".to_owned(),
            ..0 => self.points(points),
        }
    }

    fn digits(&self, text: String) -> String {
        match &self.cldr {
            Some(cldr) => localised(text, |text| cldr.number(text)),
            None => text,
        }
    }
}

/// Rewrites a plain number; what is none stays as it is.
fn localised(text: String, rewrite: impl Fn(&str) -> Option<String>) -> String {
    rewrite(&text.replace('−', "-")).unwrap_or(text)
}

#[cfg(test)]
mod tests;
