//! Dates of the layout in all their forms, and the season that a date belongs to.

use std::collections::BTreeMap;

use jiff::civil::Date;

/// A season goes on past June when games follow each other this closely (2019/20 ended in August).
const LONGEST_PAUSE_DAYS: i32 = 21;
/// Payloads smaller than this are too small to call a season in them a mistyped year.
const ROWS_TO_JUDGE: usize = 100;

/// Reads `dd/mm/yy`, `dd/mm/yyyy` and `yyyy-m-d`.
pub(super) fn date(text: &str) -> Option<Date> {
    let parts: Vec<i16> =
        text.split(['/', '-', '.']).map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    let &[first, month, last] = parts.as_slice() else { return None };
    let (year, day) = if first >= 1000 { (first, last) } else { (full_year(last)?, first) };
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
