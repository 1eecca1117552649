//! Seasons as files state them.

use jiff::civil::Date;

/// Reads the year in which a season began from `2012/2013`, `2012-13` or `2012`.
pub(crate) fn stated(text: &str) -> Option<i32> {
    let first = text.split(['/', '-']).next()?.trim();
    first.parse().ok().filter(|season| (1850..=2200).contains(season))
}

/// Returns whether a day can lie in the season that began in a year; some run into the next one's winter.
pub(crate) fn lies_in(day: Date, season: i32) -> bool {
    (season..=season + 1).contains(&i32::from(day.year()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stated_season_is_the_year_in_which_it_began() {
        for text in ["2012/2013", "2012-13", "2012", " 2012 / 2013"] {
            assert_eq!(stated(text), Some(2012), "{text}");
        }
        for text in ["", "/2013", "12/13", "last", "20122013"] {
            assert_eq!(stated(text), None, "{text}");
        }
        assert!(lies_in(jiff::civil::date(2021, 2, 25), 2020));
        assert!(!lies_in(jiff::civil::date(2019, 12, 31), 2020));
    }
}
