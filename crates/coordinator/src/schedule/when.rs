//! Instants given by a cron expression in an IANA time zone.

use std::fmt;

use chrono::FixedOffset;
use croner::{
    Cron,
    parser::{CronParser, Seconds},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::ScheduleError;

/// How far back the latest instant is looked for, in seconds, the likely case first.
const BACK: [i64; 5] = [60, 3600, 25 * 3600, 32 * 24 * 3600, 367 * 24 * 3600];

/// Instants given by a cron expression in a time zone.
///
/// When clocks change, an expression that names its hours keeps to them: an hour that does not exist is made up for at
/// the first moment after it, and one that comes twice counts once, the first time. One whose hours are `*` or `*/n`
/// follows the clock: it has no run in a missing hour, and one in each of the two.
///
/// # Example
/// ```
/// use coordinator::When;
/// let nine = When::parse("0 9 * * *", "Europe/Berlin").unwrap();
/// let friday = "2024-03-29T12:00:00Z".parse().unwrap();
/// let times: Vec<String> = nine.next_times(friday, 3).iter().map(ToString::to_string).collect();
/// // The clocks go forward on Sunday: 9 o'clock comes an hour earlier in UTC.
/// assert_eq!(times, ["2024-03-30T08:00:00Z", "2024-03-31T07:00:00Z", "2024-04-01T07:00:00Z"]);
/// ```
#[derive(Debug, Clone)]
pub struct When {
    expression: String,
    cron: Cron,
    zone_name: String,
    zone: TimeZone,
    /// Whether it names its hours.
    keeps_hours: bool,
}

impl When {
    /// Reads five fields (seconds are 0) or six (seconds first), and an IANA zone such as `Europe/Berlin`.
    pub fn parse(expression: &str, zone: &str) -> Result<Self, ScheduleError> {
        let refuse = |reason: String| ScheduleError::Expression { expression: expression.to_owned(), reason };
        let fields: Vec<&str> = expression.split_whitespace().collect();
        let (six, hours) = match fields[..] {
            [_, hours, _, _, _] => (format!("0 {expression}"), hours),
            [_, _, hours, _, _, _] => (expression.to_owned(), hours),
            _ => return Err(refuse(format!("{} fields", fields.len()))),
        };
        let parser = CronParser::builder().seconds(Seconds::Required).build();
        let cron = parser.parse(&six).map_err(|error| refuse(error.to_string()))?;
        let found = TimeZone::get(zone).map_err(|_| ScheduleError::Zone(zone.to_owned()))?;
        let zone_name = found.iana_name().unwrap_or(zone).to_owned();
        let keeps_hours = !hours.starts_with('*');
        Ok(Self { expression: expression.to_owned(), cron, zone_name, zone: found, keeps_hours })
    }

    /// Returns the first instant after `instant`; none when there never is one (30 February).
    pub fn next_after(&self, instant: Timestamp) -> Option<Timestamp> {
        let mut from = self.past_repeated_hour(instant.as_second() + 1)?;
        // Between two changes of the clock the wall clock runs straight, so that each stretch is searched by itself.
        loop {
            let at = Timestamp::from_second(from).ok()?;
            let offset = self.zone.to_offset(at).seconds();
            let local =
                chrono::DateTime::from_timestamp(from, 0)?.with_timezone(&FixedOffset::east_opt(offset)?);
            let found = self.cron.find_next_occurrence(&local, true).ok()?.timestamp();
            let change = self.zone.following(at).next().map(|change| change.timestamp().as_second());
            let Some(change) = change.filter(|change| found >= *change) else {
                return Timestamp::from_second(found).ok();
            };
            let skipped =
                i64::from(self.zone.to_offset(Timestamp::from_second(change).ok()?).seconds() - offset);
            if self.keeps_hours && found < change + skipped {
                return Timestamp::from_second(change).ok();
            }
            from = self.past_repeated_hour(change)?;
        }
    }

    /// Returns the first second, not before `second`, that does not show the time of an hour that had its turn before,
    /// where that matters.
    fn past_repeated_hour(&self, second: i64) -> Option<i64> {
        let after = Timestamp::from_second(second + 1).ok()?;
        let Some(change) = self.zone.preceding(after).next().filter(|_| self.keeps_hours) else {
            return Some(second);
        };
        let change = change.timestamp().as_second();
        let offset =
            |at: i64| Some(i64::from(self.zone.to_offset(Timestamp::from_second(at).ok()?).seconds()));
        let repeated = offset(change - 1)? - offset(change)?;
        Some(second.max(change + repeated.max(0)))
    }

    /// Returns the first `count` instants after `instant`, ascending.
    pub fn next_times(&self, instant: Timestamp, count: usize) -> Vec<Timestamp> {
        std::iter::successors(self.next_after(instant), |last| self.next_after(*last)).take(count).collect()
    }

    /// Returns the last instant after `after` that is not after `until`; none when there is none between them.
    ///
    /// # Example
    /// ```
    /// use coordinator::When;
    /// let hourly = When::parse("0 * * * *", "UTC").unwrap();
    /// let (noon, later) = ("2024-05-01T12:00:00Z".parse().unwrap(), "2024-05-01T15:30:00Z".parse().unwrap());
    /// assert_eq!(hourly.latest_between(noon, later), Some("2024-05-01T15:00:00Z".parse().unwrap()));
    /// assert_eq!(hourly.latest_between(noon, noon), None);
    /// ```
    pub fn latest_between(&self, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let first = self.next_after(after).filter(|first| *first <= until)?;
        let back =
            BACK.iter().filter_map(|seconds| until.checked_sub(SignedDuration::from_secs(*seconds)).ok());
        let mut near = back.take_while(|from| *from > first).filter_map(|from| self.next_after(from));
        let near = near.find(|near| *near <= until).unwrap_or(first);
        std::iter::successors(Some(near), |last| self.next_after(*last))
            .take_while(|due| *due <= until)
            .last()
    }

    /// Returns the expression as it was given.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// Returns the IANA name of the zone.
    pub fn zone(&self) -> &str {
        &self.zone_name
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.expression, self.zone())
    }
}
