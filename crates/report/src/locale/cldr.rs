//! Numbers, amounts and days after the Unicode consortium's data.

use std::fmt::Display;

use icu_calendar::{Date as IcuDate, Gregorian};
use icu_datetime::{
    FixedCalendarDateTimeFormatter as Formatter,
    fieldsets::{MD, MDE, MDET, YMD, YMDE, YMDT},
    input::{DateTime as IcuDateTime, Time},
};
use icu_decimal::{
    DecimalFormatter, DecimalFormatterPreferences, input::Decimal, options::DecimalFormatterOptions,
};
use icu_experimental::dimension::{
    currency::{
        CurrencyType,
        formatter::{CurrencyFormatter, CurrencyFormatterPreferences},
        options::CurrencyFormatterOptions,
    },
    percent::{formatter::PercentFormatter, options::PercentFormatterOptions},
};
use icu_locale_core::{Locale as Tag, locale, preferences::extensions::unicode::keywords::NumberingSystem};
use jiff::civil::{Date, DateTime};

use super::currency;

/// What a language without data of its own would write of [`KNOWN_DAY`].
const ROOT: Tag = locale!("und");

const KNOWN_DAY: Date = Date::constant(2026, 11, 20);

/// The formatters of one locale.
#[derive(Debug)]
pub(super) struct Cldr {
    decimal: DecimalFormatter,
    latin: DecimalFormatter,
    percent: PercentFormatter<DecimalFormatter>,
    currency: CurrencyFormatterPreferences,
    near: Formatter<Gregorian, MDET>,
    dated: Formatter<Gregorian, YMDT>,
    day: Formatter<Gregorian, YMD>,
    full_day: Formatter<Gregorian, YMD>,
    week_day: Formatter<Gregorian, YMDE>,
    long_day: Formatter<Gregorian, YMDE>,
    drawn_day: Formatter<Gregorian, MD>,
}

impl Cldr {
    /// Loads the data of a locale; none when there is none for its language.
    pub(super) fn new(tag: &Tag) -> Option<Self> {
        let way = Self::load(tag)?;
        (way.long_day(KNOWN_DAY) != root_day()?).then_some(way)
    }

    fn load(tag: &Tag) -> Option<Self> {
        let latin = NumberingSystem::try_from(icu_locale_core::extensions::unicode::value!("latn")).ok();
        let mut in_latin = DecimalFormatterPreferences::from(tag);
        in_latin.numbering_system = latin;
        let mut days_in_latin = icu_datetime::DateTimeFormatterPreferences::from(tag);
        days_in_latin.numbering_system = latin;
        let plain = DecimalFormatterOptions::default();
        Some(Self {
            decimal: DecimalFormatter::try_new(tag.into(), plain).ok()?,
            latin: DecimalFormatter::try_new(in_latin, plain).ok()?,
            percent: PercentFormatter::try_new(tag.into(), PercentFormatterOptions::default()).ok()?,
            currency: tag.into(),
            near: Formatter::try_new(tag.into(), MDE::medium().with_time_hm()).ok()?,
            dated: Formatter::try_new(tag.into(), YMD::medium().with_time_hm()).ok()?,
            day: Formatter::try_new(tag.into(), YMD::medium()).ok()?,
            full_day: Formatter::try_new(tag.into(), YMD::long()).ok()?,
            week_day: Formatter::try_new(tag.into(), YMDE::medium()).ok()?,
            long_day: Formatter::try_new(tag.into(), YMDE::long()).ok()?,
            drawn_day: Formatter::try_new(days_in_latin, MD::short()).ok()?,
        })
    }

    /// Rewrites a plain number; none when it is no number.
    pub(super) fn number(&self, plain: &str) -> Option<String> {
        signed(plain, |value| self.decimal.format(value).to_string())
    }

    /// Rewrites a plain number in Latin digits.
    pub(super) fn drawn(&self, plain: &str) -> Option<String> {
        signed(plain, |value| self.latin.format(value).to_string())
    }

    /// Rewrites a plain number of per cent.
    pub(super) fn percent(&self, plain: &str) -> Option<String> {
        signed(plain, |value| self.percent.format(value).to_string())
    }

    /// Rewrites a plain amount; a code that cannot be one stands behind the number.
    pub(super) fn money(&self, plain: &str, code: &str) -> String {
        let bare = || format!("{}\u{a0}{code}", self.number(plain).unwrap_or_else(|| plain.to_owned()));
        self.amount(plain, code).unwrap_or_else(bare)
    }

    fn amount(&self, plain: &str, code: &str) -> Option<String> {
        let kind = CurrencyType::try_from_str(code).ok()?;
        let formatter =
            CurrencyFormatter::try_new_symbol(self.currency, kind, CurrencyFormatterOptions::default())
                .ok()?;
        let write = |value: &Decimal| formatter.format_fixed_decimal(value).to_string();
        let digits_of_one = write(&Decimal::from(1)).chars().filter(|c| c.is_numeric()).count();
        if digits_of_one == 1 + currency::decimals(code) {
            return signed(plain, write);
        }
        // The data leave out coins that the law still knows; the number is then put in by itself.
        let digits = plain.trim_start_matches(['+', '-']);
        let number = self.number(digits)?;
        let sign = plain.strip_suffix(digits)?;
        signed(&format!("{sign}1"), |one| with_number(&write(one), &number))
    }

    /// Writes `Fri 20 Nov 20:45`.
    pub(super) fn near(&self, at: DateTime) -> String {
        written(icu(at).map(|at| self.near.format(&at)), at).replace(' ', "\u{a0}")
    }

    /// Writes `20 Nov 2026 20:45`.
    pub(super) fn dated(&self, at: DateTime) -> String {
        written(icu(at).map(|at| self.dated.format(&at)), at)
    }

    /// Writes `20 Nov 2026`.
    pub(super) fn day(&self, date: Date) -> String {
        written(icu_date(date).map(|day| self.day.format(&day)), date)
    }

    /// Writes `20 November 2026`.
    pub(super) fn full_day(&self, date: Date) -> String {
        written(icu_date(date).map(|day| self.full_day.format(&day)), date)
    }

    /// Writes `Fri 20 Nov 2026`.
    pub(super) fn week_day(&self, date: Date) -> String {
        written(icu_date(date).map(|day| self.week_day.format(&day)), date)
    }

    /// Writes `Friday 20 November 2026`.
    pub(super) fn long_day(&self, date: Date) -> String {
        written(icu_date(date).map(|day| self.long_day.format(&day)), date)
    }

    /// Writes `20.11.` in Latin digits.
    pub(super) fn drawn_day(&self, date: Date) -> String {
        written(icu_date(date).map(|day| self.drawn_day.format(&day)), date)
    }
}

fn root_day() -> Option<String> {
    Cldr::load(&ROOT).map(|root| root.long_day(KNOWN_DAY))
}

/// Writes a plain number with its sign: a gain as a loss of the same size is written, with a plus.
fn signed(plain: &str, write: impl Fn(&Decimal) -> String) -> Option<String> {
    let is_gain = plain.starts_with('+');
    let value = if is_gain { plain.replacen('+', "-", 1) } else { plain.to_owned() };
    let text = write(&value.parse().ok()?).replace('-', "−");
    Some(if is_gain { text.replacen('−', "+", 1) } else { text })
}

/// Puts `number` in the place of the number in `text`.
fn with_number(text: &str, number: &str) -> String {
    let digits = || text.char_indices().filter(|(_, letter)| letter.is_numeric());
    let first = digits().next().map(|(start, _)| start);
    let end = digits().next_back().map(|(start, letter)| start + letter.len_utf8());
    let around = first.zip(end).and_then(|(first, end)| Some((text.get(..first)?, text.get(end..)?)));
    around.map_or_else(|| text.to_owned(), |(before, after)| format!("{before}{number}{after}"))
}

fn icu_date(date: Date) -> Option<IcuDate<Gregorian>> {
    IcuDate::try_new_gregorian(date.year().into(), date.month() as u8, date.day() as u8).ok()
}

fn icu(at: DateTime) -> Option<IcuDateTime<Gregorian>> {
    let time = Time::try_new(at.hour() as u8, at.minute() as u8, 0, 0).ok()?;
    Some(IcuDateTime { date: icu_date(at.date())?, time })
}

/// Takes what was written, or the form that machines use.
fn written(text: Option<impl Display>, otherwise: impl Display) -> String {
    text.map_or_else(|| otherwise.to_string(), |text| text.to_string())
}
