//! How the house writes numbers, amounts, names and instants; the same on the page and in the text.
//!
//! A reader's own country may write them otherwise: [`Locale`](crate::Locale) chooses.
//!
//! A number never breaks from its unit (no-break space) and a minus is a real minus; the text part turns
//! both into plain ASCII.
//!
//! # Example
//! ```
//! use report::format::{money, percent, signed_percent};
//! assert_eq!(percent(0.0412, 1), "4.1\u{a0}%");
//! assert_eq!(signed_percent(-0.0004, 1), "0.0\u{a0}%");
//! assert_eq!(money("-1234.50".parse().unwrap(), "EUR"), "−€1,234.50");
//! ```

use jiff::{Timestamp, tz::TimeZone};
use market::Money;

use crate::locale::currency;

/// Longest name that is shown whole, in characters.
pub const LONGEST_NAME: usize = 48;

const NOT_A_NUMBER: &str = "n/a";

/// Writes a number with `decimals` digits after the point; one that is not finite is `n/a`.
pub fn number(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return NOT_A_NUMBER.to_owned();
    }
    let digits = format!("{:.decimals$}", value.abs());
    let is_zero = digits.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if value < 0.0 && !is_zero { format!("−{digits}") } else { digits }
}

/// Writes a number with its sign; zero after rounding has none.
pub fn signed(value: f64, decimals: usize) -> String {
    let digits = number(value, decimals);
    let is_zero = digits.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if value > 0.0 && value.is_finite() && !is_zero { format!("+{digits}") } else { digits }
}

/// Writes a share as per cent.
pub fn percent(share: f64, decimals: usize) -> String {
    with_unit(number(100.0 * share, decimals))
}

/// Writes a share as per cent with its sign.
pub fn signed_percent(share: f64, decimals: usize) -> String {
    with_unit(signed(100.0 * share, decimals))
}

fn with_unit(digits: String) -> String {
    if digits == NOT_A_NUMBER { digits } else { format!("{digits}\u{a0}%") }
}

/// Writes an interval of shares as per cent, `47.2–55.9 %`.
pub fn percent_interval((low, high): (f64, f64), decimals: usize) -> String {
    format!("{}–{}", number(100.0 * low, decimals), percent(high, decimals))
}

/// Writes an interval of signed shares as per cent, `−1.2 to +5.9 %`.
pub fn signed_percent_interval((low, high): (f64, f64), decimals: usize) -> String {
    format!("{} to {}", signed(100.0 * low, decimals), signed_percent(high, decimals))
}

/// Writes an amount with thousands separators and its currency: a sign where there is a common one, else
/// the ISO code; with as many decimals as ISO 4217 gives it.
pub fn money(amount: Money, currency: &str) -> String {
    let text = currency::plain(amount, currency);
    let (minus, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("−", digits));
    let (whole, point, cents) = digits.split_once('.').map_or((digits, "", ""), |(w, c)| (w, ".", c));
    let digits = format!("{}{point}{cents}", thousands(whole));
    match currency {
        "EUR" => format!("{minus}€{digits}"),
        "USD" => format!("{minus}${digits}"),
        "GBP" => format!("{minus}£{digits}"),
        "JPY" => format!("{minus}¥{digits}"),
        code => format!("{minus}{digits}\u{a0}{code}"),
    }
}

/// Writes a profit: an amount with its sign, zero without.
pub fn profit(amount: Money, currency: &str) -> String {
    let is_gain = currency::plain(amount, currency).bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    let plus = if is_gain && amount > Money::ZERO { "+" } else { "" };
    format!("{plus}{}", money(amount, currency))
}

/// Writes a count with thousands separators.
pub fn count(value: usize) -> String {
    thousands(&value.to_string())
}

/// Writes a count with its noun: `1 game`, `12 games`.
pub fn counted(value: usize, noun: &str) -> String {
    let ending = if value == 1 { "" } else { "s" };
    format!("{}\u{a0}{noun}{ending}", count(value))
}

fn thousands(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes an instant as `Fri 20 Nov 20:45` in `zone`.
pub fn local_time(instant: Timestamp, zone: &TimeZone) -> String {
    instant.to_zoned(zone.clone()).strftime("%a\u{a0}%-d\u{a0}%b\u{a0}%H:%M").to_string()
}

/// Writes an instant with its year, as `20 Nov 2026 20:45`, in `zone`.
pub fn local_instant(instant: Timestamp, zone: &TimeZone) -> String {
    instant.to_zoned(zone.clone()).strftime("%-d %b %Y %H:%M").to_string()
}

/// Writes bytes as lower-case hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// Makes a name from outside fit for one line: control and direction-override characters go, white space
/// becomes one space, and what is longer than [`LONGEST_NAME`] ends in an ellipsis.
pub fn name(text: &str) -> String {
    shorten(text, LONGEST_NAME)
}

/// Makes a sentence from outside fit for one paragraph, at most `longest` characters; see [`name`].
pub fn shorten(text: &str, longest: usize) -> String {
    let visible: String =
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| is_visible(*c)).collect();
    let text = visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if text.chars().count() <= longest {
        return text;
    }
    let kept: String = text.chars().take(longest.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

fn is_visible(character: char) -> bool {
    let overrides =
        matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    !character.is_control() && !overrides && character != '\u{feff}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_none_says_so() {
        assert_eq!(percent(f64::NAN, 1), "n/a");
        assert_eq!(signed(f64::INFINITY, 2), "n/a");
        assert_eq!(signed(0.001, 2), "0.00");
        assert_eq!(signed(-0.001, 2), "0.00");
    }

    #[test]
    fn a_currency_without_decimals_has_none() {
        let amount = |text: &str| text.parse::<Money>().unwrap();
        assert_eq!(money(amount("1234567.50"), "JPY"), "¥1,234,568");
        assert_eq!(money(amount("-0.20"), "JPY"), "¥0");
        assert_eq!(money(amount("999.99"), "CHF"), "999.99\u{a0}CHF");
        assert_eq!(money(amount("12.34"), "KWD"), "12.340\u{a0}KWD");
        assert_eq!(profit(amount("0.00"), "USD"), "$0.00");
        assert_eq!(profit(amount("0.20"), "JPY"), "¥0");
    }

    #[test]
    fn a_name_keeps_to_one_line_and_cannot_turn_the_text_around() {
        assert_eq!(name("A\u{202e}B\nC\t D"), "AB C D");
        assert_eq!(name(&"x".repeat(80)).chars().count(), LONGEST_NAME);
        assert_eq!(name("Köln 🐐"), "Köln 🐐");
    }

    proptest::proptest! {
        #[test]
        fn a_rounded_number_reads_back_within_half_a_unit(value in -1e6_f64..1e6) {
            let back: f64 = signed(value, 2).replace('−', "-").parse().unwrap();
            // Half of the last digit shown, plus what the float itself cannot hold.
            proptest::prop_assert!((back - value).abs() <= 0.005 + 1e-9);
        }

        #[test]
        fn any_name_stays_on_one_line(text in ".*") {
            let shown = name(&text);
            proptest::prop_assert!(shown.chars().count() <= LONGEST_NAME);
            proptest::prop_assert!(!shown.chars().any(char::is_control));
        }
    }
}
