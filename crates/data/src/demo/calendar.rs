//! Who meets whom, when: ten games a week, every night of the year, four teams resting.
//!
//! Weeks are numbered from the world's first Monday. Nothing here depends on a result, so a week's schedule can be
//! published before the week that precedes it is played.

use jiff::{SignedDuration, Timestamp, civil::Date};
use rand::{Rng, seq::SliceRandom};

use super::{names::TEAMS, world::stream};

/// Games of a week.
pub(super) const GAMES_PER_WEEK: usize = 10;
/// Weeks in which every team rests once.
const CYCLE: i64 = 6;
const BYES: usize = TEAMS - 2 * GAMES_PER_WEEK;
const _: () = assert!(CYCLE as usize * BYES == TEAMS);
/// Weekday (0 = Monday) and minute of the day (UTC) of each game of a week.
const SLOTS: [(i64, i64); GAMES_PER_WEEK] = [
    (0, 19 * 60),
    (1, 19 * 60),
    (2, 19 * 60),
    (3, 19 * 60),
    (4, 19 * 60 + 30),
    (5, 15 * 60),
    (5, 17 * 60 + 30),
    (5, 20 * 60),
    (6, 16 * 60),
    (6, 19 * 60),
];

const FIRST_MIDNIGHT: Timestamp = Timestamp::constant(946_857_600, 0);
const FIRST_MONDAY: Date = jiff::civil::date(2000, 1, 3);

/// Returns the instant `minute` minutes after the start of `day`, counted from the world's first Monday.
pub(super) fn instant(day: i64, minute: i64) -> Timestamp {
    FIRST_MIDNIGHT + SignedDuration::from_mins(day * 24 * 60 + minute)
}

/// Returns the date of `day`.
pub(super) fn date(day: i64) -> Date {
    FIRST_MONDAY.saturating_add(SignedDuration::from_hours(24 * day))
}

/// Returns the season of a week: the year of its Monday.
pub(super) fn season(week: i64) -> i32 {
    i32::from(date(7 * week).year())
}

/// Returns the week of the season, from 1.
pub(super) fn week_of_season(week: i64) -> u16 {
    (i64::from(date(7 * week).day_of_year() - 1) / 7 + 1) as u16
}

/// A meeting of two teams at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meeting {
    /// Counted over the whole history, in the order of starts.
    pub(super) number: u64,
    pub(super) day: i64,
    pub(super) start: Timestamp,
    pub(super) home: usize,
    pub(super) away: usize,
    pub(super) home_rest: i64,
    pub(super) away_rest: i64,
}

/// What earlier weeks left behind for the next schedule.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    seed: u64,
    last_day: [i64; TEAMS],
    home_surplus: [i32; TEAMS],
}

impl Calendar {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, last_day: [-7; TEAMS], home_surplus: [0; TEAMS] }
    }

    /// Returns the games of `week`, by start; weeks are asked for in order.
    pub(super) fn schedule(&mut self, week: i64) -> Vec<Meeting> {
        let mut rng = stream(self.seed, "schedule", week as u64);
        let mut pairs = self.pairs(week, &mut rng);
        // Who played late in the last week plays late in this one, so that rest stays near seven days.
        pairs.sort_by(|a, b| a.2.total_cmp(&b.2));
        let meetings: Vec<Meeting> = (0..)
            .zip(pairs)
            .zip(SLOTS)
            .map(|((slot, pair), at)| self.meeting(week, slot, pair, at))
            .collect();
        for meeting in &meetings {
            for (team, surplus) in [(meeting.home, 1), (meeting.away, -1)] {
                self.last_day[team] = meeting.day;
                self.home_surplus[team] += surplus;
            }
        }
        meetings
    }

    fn pairs(&self, week: i64, rng: &mut impl Rng) -> Vec<(usize, usize, f64)> {
        let mut order: Vec<usize> = (0..TEAMS).collect();
        order.shuffle(&mut stream(self.seed, "byes", (week / CYCLE) as u64));
        let resting = (week % CYCLE) as usize * BYES;
        order.drain(resting..resting + BYES);
        order.shuffle(rng);
        let mut pairs = Vec::with_capacity(GAMES_PER_WEEK);
        for pair in order.chunks_exact(2) {
            let last = self.last_day[pair[0]].max(self.last_day[pair[1]]);
            pairs.push((pair[0], pair[1], last as f64 + rng.random_range(0.0..3.0)));
        }
        pairs
    }

    fn meeting(&self, week: i64, slot: u64, (a, b, _): (usize, usize, f64), at: (i64, i64)) -> Meeting {
        // Whoever was at home less often is at home; the lower number on a tie, which evens out as it goes.
        let (home, away) = if self.home_surplus[a] <= self.home_surplus[b] { (a, b) } else { (b, a) };
        let day = 7 * week + at.0;
        Meeting {
            number: week as u64 * GAMES_PER_WEEK as u64 + slot,
            day,
            start: instant(day, at.1),
            home,
            away,
            home_rest: day - self.last_day[home],
            away_rest: day - self.last_day[away],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weeks(count: i64) -> Vec<Vec<Meeting>> {
        let mut calendar = Calendar::new(11);
        (0..count).map(|week| calendar.schedule(week)).collect()
    }

    #[test]
    fn no_team_plays_twice_a_week_and_all_rest_once_a_cycle() {
        for cycle in weeks(12).chunks(CYCLE as usize) {
            let mut played = [0; TEAMS];
            for week in cycle {
                let mut this_week = [0; TEAMS];
                week.iter().flat_map(|m| [m.home, m.away]).for_each(|team| this_week[team] += 1);
                assert!(this_week.iter().all(|count| *count <= 1));
                (0..TEAMS).for_each(|team| played[team] += this_week[team]);
            }
            assert_eq!(played, [CYCLE - 1; TEAMS]);
        }
    }

    #[test]
    fn every_night_has_a_game_and_rest_is_never_below_two_days() {
        let meetings: Vec<Meeting> = weeks(120).into_iter().flatten().collect();
        for day in 0..7 * 120 {
            assert!((1..=6).contains(&meetings.iter().filter(|m| m.day == day).count()), "day {day}");
        }
        let shortest = meetings.iter().flat_map(|m| [m.home_rest, m.away_rest]).min().unwrap();
        assert!(shortest >= 2, "{shortest}");
    }

    #[test]
    fn home_games_are_shared_evenly() {
        let mut surplus = [0_i32; TEAMS];
        for meeting in weeks(52).into_iter().flatten() {
            surplus[meeting.home] += 1;
            surplus[meeting.away] -= 1;
        }
        assert!(surplus.iter().all(|s| s.abs() <= 4), "{surplus:?}");
    }

    #[test]
    fn a_week_belongs_to_the_year_of_its_monday() {
        assert_eq!((season(0), week_of_season(0)), (2000, 1));
        assert_eq!(date(7).to_string(), "2000-01-10");
        assert_eq!(instant(0, 0).to_string(), "2000-01-03T00:00:00Z");
    }
}
