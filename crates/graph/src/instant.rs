//! Instants as whole nanoseconds, so that "strictly before" is an exact comparison of integers.

use jiff::Timestamp;

const NANOS_PER_DAY: f64 = 86_400e9;

/// Returns nanoseconds since 1970; instants outside of 1677..2262 stop at the ends.
pub(crate) fn nanos(instant: Timestamp) -> i64 {
    let nanos = instant.as_nanosecond();
    i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

/// Returns the instant of [`nanos`]; every `i64` lies within the calendar's range.
pub(crate) fn timestamp(nanos: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanos)).unwrap_or_default()
}

/// Returns days from `from` to `to`, negative when `to` is earlier.
pub(crate) fn days(from: i64, to: i64) -> f64 {
    to.saturating_sub(from) as f64 / NANOS_PER_DAY
}
