//! Dates of the layout in all their forms, and the season that a date belongs to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

/// A season goes on past June when games follow each other this closely (2019/20 ended in August).
const LONGEST_PAUSE_DAYS: i32 = 21;
/// Payloads smaller than this are too small to call a season in them a mistyped year.
const ROWS_TO_JUDGE: usize = 100;

/// Reads a payload's dates: `dd/mm/yy`, `dd/mm/yyyy` and `yyyy-m-d`.
///
/// Parts of 2000 and 2001 were mangled by a program that took `27/01/01` for the first of January 2027 and wrote
/// `2027-1-1`. They give themselves away by many years that share at most two days of the month, and are turned back.
pub(super) fn dates(texts: &[Option<&str>]) -> Vec<Option<Date>> {
    let parts: Vec<_> = texts.iter().map(|text| text.and_then(parts)).collect();
    let year_first = || parts.iter().flatten().filter(|part| is_year(part[0]));
    let years: BTreeSet<i16> = year_first().map(|part| part[0]).collect();
    let days: BTreeSet<i16> = year_first().map(|part| part[2]).collect();
    let mangled = years.len() > 2 && days.len() <= 2;
    let read = |part: [i16; 3]| match part {
        [year, month, day] if is_year(year) && mangled => civil(full_year(day)?, month, year % 100),
        [year, month, day] if is_year(year) => civil(year, month, day),
        [day, month, year] => civil(full_year(year)?, month, day),
    };
    parts.into_iter().map(|part| part.and_then(read)).collect()
}

fn parts(text: &str) -> Option<[i16; 3]> {
    let parts: Vec<i16> =
        text.split(['/', '-', '.']).map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    parts.try_into().ok()
}

fn is_year(part: i16) -> bool {
    part >= 1000
}

fn civil(year: i16, month: i16, day: i16) -> Option<Date> {
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn full_year(year: i16) -> Option<i16> {
    match year {
        0..70 => Some(2000 + year),
        70..100 => Some(1900 + year),
        1800..2200 => Some(year),
        _ => None,
    }
}

/// Returns for each date the year in which its season began.
///
/// Seasons run from July to June, longer when games go on without a pause. A season that holds less than a hundredth
/// of the payload is a mistyped year, unless the payload holds several seasons and it is the newest.
pub(super) fn seasons<'a>(days: &[Result<Date, &'a str>]) -> Vec<Result<(Date, i32), &'a str>> {
    let mut games: BTreeMap<Date, usize> = BTreeMap::new();
    for day in days.iter().flatten() {
        *games.entry(*day).or_default() += 1;
    }
    let mut season_of: BTreeMap<Date, i32> = BTreeMap::new();
    let mut previous: Option<(Date, i32)> = None;
    for day in games.keys() {
        let cut = i32::from(day.year()) - i32::from(day.month() < 7);
        let season = match previous {
            Some((before, season)) if (7..=8).contains(&day.month()) && follows(before, *day) => season,
            _ => cut,
        };
        season_of.insert(*day, season);
        previous = Some((*day, season));
    }
    let mut sizes: BTreeMap<i32, usize> = BTreeMap::new();
    for (day, count) in &games {
        *sizes.entry(season_of[day]).or_default() += count;
    }
    let total: usize = sizes.values().sum();
    let newest = sizes.last_key_value().map(|(season, _)| *season);
    let mistyped = |season: i32| {
        total >= ROWS_TO_JUDGE && sizes[&season] * 100 < total && !(sizes.len() > 2 && newest == Some(season))
    };
    days.iter()
        .map(|day| match *day {
            Ok(day) if mistyped(season_of[&day]) => Err("the start lies outside the season"),
            Ok(day) => Ok((day, season_of[&day])),
            Err(reason) => Err(reason),
        })
        .collect()
}

fn follows(before: Date, day: Date) -> bool {
    before.until(day).is_ok_and(|span| span.get_days() <= LONGEST_PAUSE_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Option<Date> {
        dates(&[Some(text)])[0]
    }

    #[test]
    fn dates_that_a_program_mangled_are_turned_back() {
        let mangled = ["16/12/00", "2027-1-1", "1931-3-1", "2004-2-1"].map(Some);
        let expected = [(2000, 12, 16), (2001, 1, 27), (2001, 3, 31), (2001, 2, 4)];
        assert_eq!(
            dates(&mangled),
            expected.map(|(year, month, day)| Some(jiff::civil::date(year, month, day)))
        );
        let sound = ["2001-1-27", "2001-2-4", "2002-3-31"].map(Some);
        let expected = [(2001, 1, 27), (2001, 2, 4), (2002, 3, 31)];
        assert_eq!(
            dates(&sound),
            expected.map(|(year, month, day)| Some(jiff::civil::date(year, month, day)))
        );
    }

    #[test]
    fn every_form_of_a_date_is_read() {
        for text in ["09/01/05", "9/1/2005", "2005-01-09", "2005-1-9"] {
            assert_eq!(date(text), Some(jiff::civil::date(2005, 1, 9)), "{text}");
        }
        assert_eq!(date("14/08/93"), Some(jiff::civil::date(1993, 8, 14)));
        for text in ["", "31/02/2020", "yesterday", "1/2", "1/2/3/4", "01/01/500"] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    fn seasons_of(texts: &[&str]) -> Vec<i32> {
        let days: Vec<_> = texts.iter().map(|text| date(text).ok_or("unreadable")).collect();
        seasons(&days).into_iter().map(|season| season.unwrap().1).collect()
    }

    #[test]
    fn a_season_that_runs_late_stays_one_season() {
        let days = [
            "2019-08-09",
            "2020-03-09",
            "2020-06-17",
            "2020-06-30",
            "2020-07-16",
            "2020-07-26",
            "2020-09-12",
        ];
        assert_eq!(seasons_of(&days), [2019, 2019, 2019, 2019, 2019, 2019, 2020]);
    }

    #[test]
    fn a_mistyped_year_is_refused() {
        let mut days: Vec<_> = (0..200)
            .map(|day| Ok(jiff::civil::date(2022, 8, 1).saturating_add(jiff::Span::new().days(day))))
            .collect();
        days.push(Ok(jiff::civil::date(2012, 10, 14)));
        let seasons = seasons(&days);
        assert_eq!(seasons[200], Err("the start lies outside the season"));
        assert!(seasons[..200].iter().all(Result::is_ok));
    }
}
