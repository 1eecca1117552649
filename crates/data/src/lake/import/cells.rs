//! Cells as numbers, instants and words, without allocation.

use market::{Market, Points, Price, Selection, Timestamp};

use super::refusal::Reason;

pub(super) const MARKETS: [Market; 3] = [Market::Moneyline, Market::Spread, Market::Total];
pub(super) const SELECTIONS: [Selection; 5] =
    [Selection::Home, Selection::Draw, Selection::Away, Selection::Over, Selection::Under];

/// Quarters of a row without points.
pub(super) const NO_POINTS: i16 = i16::MIN;

const NANOSECONDS: i64 = 1_000_000_000;

/// A market and a selection in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind(pub(super) u8);

impl Kind {
    /// Reads two cells that must fit each other.
    pub(super) fn read(market: &[u8], selection: &[u8]) -> Result<Self, Reason> {
        let market = MARKETS.iter().position(|known| known.as_str().as_bytes() == market);
        let selection = SELECTIONS.iter().position(|known| known.as_str().as_bytes() == selection);
        let (market, selection) = (market.ok_or(Reason::Market)?, selection.ok_or(Reason::Selection)?);
        let fits = match MARKETS[market] {
            Market::Moneyline => selection <= 2,
            Market::Spread => selection == 0 || selection == 2,
            Market::Total => selection > 2,
        };
        if fits { Ok(Self((market * SELECTIONS.len() + selection) as u8)) } else { Err(Reason::Mismatch) }
    }

    pub(super) fn market(self) -> Market {
        MARKETS[(usize::from(self.0) / SELECTIONS.len()).min(MARKETS.len() - 1)]
    }

    pub(super) fn selection(self) -> Selection {
        SELECTIONS[usize::from(self.0) % SELECTIONS.len()]
    }
}

/// Reads quarters of a point; an empty cell is none.
pub(super) fn points(cell: &[u8], market: Market) -> Result<i16, Reason> {
    match (cell.is_empty(), market == Market::Moneyline) {
        (true, true) => return Ok(NO_POINTS),
        (true, false) => return Err(Reason::NoPoints),
        (false, true) => return Err(Reason::MoneylinePoints),
        (false, false) => {}
    }
    let points = decimal(cell).and_then(Points::from_f64).ok_or(Reason::Points)?;
    i16::try_from(points.quarters()).map_err(|_| Reason::Points)
}

/// Reads decimal odds.
pub(super) fn price(cell: &[u8]) -> Result<f64, Reason> {
    let decimal = decimal(cell).ok_or(Reason::PriceUnreadable)?;
    Price::new(decimal).map(Price::decimal).map_err(|_| Reason::Price)
}

/// Reads `true`, `false`, `1` or `0`.
pub(super) fn flag(cell: &[u8]) -> Option<bool> {
    match cell {
        b"true" | b"True" | b"TRUE" | b"1" => Some(true),
        b"false" | b"False" | b"FALSE" | b"0" => Some(false),
        _ => None,
    }
}

/// Reads unix seconds or RFC 3339 as nanoseconds since 1970, within the years 1678 to 2261.
pub(super) fn instant(cell: &[u8]) -> Option<i64> {
    if let Some(seconds) = whole(cell) {
        return seconds.checked_mul(NANOSECONDS);
    }
    let instant: Timestamp = std::str::from_utf8(cell).ok()?.parse().ok()?;
    i64::try_from(instant.as_nanosecond()).ok()
}

/// Reads digits behind an optional sign.
pub(super) fn whole(cell: &[u8]) -> Option<i64> {
    let (negative, digits) = signed(cell);
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut number = 0;
    for digit in digits {
        number = number * 10 + i64::from(value(*digit)?);
    }
    Some(if negative { -number } else { number })
}

/// Reads a finite number to the nearest float.
pub(super) fn decimal(cell: &[u8]) -> Option<f64> {
    short_decimal(cell).or_else(|| {
        let number: f64 = std::str::from_utf8(cell).ok()?.parse().ok()?;
        number.is_finite().then_some(number)
    })
}

/// Up to 15 digits make an exact integer, and its quotient by an exact power of ten is the nearest float.
fn short_decimal(cell: &[u8]) -> Option<f64> {
    const POWERS: [f64; 16] =
        [1., 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let (negative, digits) = signed(cell);
    if digits.len() > 15 {
        return None;
    }
    let (mut number, mut digits_read, mut fraction) = (0_u64, 0, None);
    for byte in digits {
        if *byte == b'.' && fraction.is_none() {
            fraction = Some(digits_read);
            continue;
        }
        number = number * 10 + u64::from(value(*byte)?);
        digits_read += 1;
    }
    if digits_read == 0 {
        return None;
    }
    let number = number as f64 / POWERS[digits_read - fraction.unwrap_or(digits_read)];
    Some(if negative { -number } else { number })
}

fn signed(cell: &[u8]) -> (bool, &[u8]) {
    match cell.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, cell.strip_prefix(b"+").unwrap_or(cell)),
    }
}

fn value(digit: u8) -> Option<u8> {
    digit.is_ascii_digit().then_some(digit.wrapping_sub(b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_decimal_is_what_the_standard_library_reads(number: f64, short in -99_999_999_i32..99_999_999, places in 0_i32..8) {
            let short = f64::from(short) / 10_f64.powi(places);
            for number in [number, short] {
                let text = number.to_string();
                proptest::prop_assert_eq!(decimal(text.as_bytes()).map(f64::to_bits), text.parse().ok().filter(|number: &f64| number.is_finite()).map(f64::to_bits), "{}", text);
            }
        }
    }

    #[test]
    fn seconds_and_dates_are_the_same_instant() {
        assert_eq!(instant(b"1138448000"), instant(b"2006-01-28T11:33:20Z"));
        assert_eq!(instant(b"-5"), Some(-5 * NANOSECONDS));
        for bad in ["", "x", "99999999999999", "2006-01-28", "1.5", "9999-01-01T00:00:00Z"] {
            assert_eq!(instant(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn a_selection_must_fit_its_market() {
        let read = |market: &str, selection: &str| Kind::read(market.as_bytes(), selection.as_bytes());
        let draw = read("moneyline", "draw").unwrap();
        assert_eq!((draw.market(), draw.selection()), (Market::Moneyline, Selection::Draw));
        assert!(matches!(read("total", "home"), Err(Reason::Mismatch)));
        assert!(matches!(read("spread", "draw"), Err(Reason::Mismatch)));
        assert!(matches!(read("corner", "home"), Err(Reason::Market)));
        assert!(matches!(read("total", "both"), Err(Reason::Selection)));
    }
}
