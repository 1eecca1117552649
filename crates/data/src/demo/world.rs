//! The history of the league: one endless course of events per seed, from the world's first Monday on.
//!
//! Every week draws from its own stream of random numbers and builds on the week before, so the world seen from one
//! date and from the next agree on all that lies before both.

use jiff::{SignedDuration, Timestamp};
use market::Name;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{
    calendar::{self, Calendar, Meeting},
    grounds::{self, Ground},
    names::{HOMES, NEUTRAL_VENUE, REFEREES, TEAMS},
    people::{self, Person, Register, Team},
    play::Means,
};

/// How long before its start a game stands in the schedule.
pub(super) const ANNOUNCED: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Seasons that a feed shows, the current one included.
const SEASONS: i32 = 6;
/// Points of a side of average strength.
pub(super) const AVERAGE_POINTS: f64 = 22.5;
/// The world ends here (2100), so that no date asks for an endless simulation.
const LAST_INSTANT: Timestamp = Timestamp::constant(4_102_444_800, 0);

/// Returns the random numbers of one `purpose` and `index`, independent of all others.
pub(super) fn stream(seed: u64, purpose: &str, index: u64) -> ChaCha8Rng {
    // FNV-1a: short, and the same on every machine.
    let hash = purpose.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ hash);
    rng.set_stream(index);
    rng
}

/// A game with everything about it, the hidden truth included.
#[derive(Debug, Clone)]
pub(super) struct DemoGame {
    pub(super) meeting: Meeting,
    pub(super) season: i32,
    pub(super) week: u16,
    pub(super) neutral: bool,
    pub(super) venue: &'static str,
    pub(super) roof: &'static str,
    pub(super) surface: &'static str,
    pub(super) referee: &'static str,
    pub(super) coaches: [Name; 2],
    pub(super) players: [Name; 2],
    pub(super) means: Means,
    pub(super) score: (u16, u16),
    /// Called off at the ground: it was priced, but has no score.
    pub(super) cancelled: bool,
    /// When its result is known.
    pub(super) ends: Timestamp,
    pub(super) opinion: Opinion,
}

impl DemoGame {
    /// When the game enters the schedule.
    pub(super) fn announced(&self) -> Timestamp {
        self.meeting.start - ANNOUNCED
    }
}

/// Where the betting market errs about a game: in points, to be added to the truth.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opinion {
    /// Wrong beliefs about both teams, which last for weeks.
    pub(super) teams_margin: f64,
    pub(super) teams_total: f64,
    /// Effects that nobody at the books has measured well: grounds, rest, referees.
    pub(super) blind_margin: f64,
    pub(super) blind_total: f64,
    /// Injuries that were no news yet when the market opened.
    pub(super) injury_margin: f64,
}

/// Returns the games in the schedule at `until`, by start: those of six seasons, the current one included.
pub(super) fn history(seed: u64, until: Timestamp) -> Vec<DemoGame> {
    let until = until.min(LAST_INSTANT);
    let current = (until.as_second() - calendar::instant(0, 0).as_second()).div_euclid(7 * 24 * 3600);
    let first_season = calendar::season(current.max(0)) - SEASONS + 1;
    let mut world = World::new(seed);
    let mut games = Vec::new();
    let mut week = 0;
    while calendar::instant(7 * week, 0) - ANNOUNCED < until {
        let played = world.week(week);
        if calendar::season(week) >= first_season {
            games.extend(played.into_iter().filter(|game| game.announced() < until));
        }
        week += 1;
    }
    games
}

/// Everything that changes from week to week.
struct World {
    seed: u64,
    calendar: Calendar,
    teams: Vec<Team>,
    /// Coaches without a team, who may be hired again.
    free_coaches: Vec<Person>,
    /// People born so far.
    born: u32,
    grounds: [Ground; TEAMS],
    referees: [f64; REFEREES.len()],
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = stream(seed, "founding", 0);
        let mut born = 0;
        let teams = (0..TEAMS).map(|_| Team::found(seed, &mut born, &mut rng)).collect();
        Self {
            seed,
            calendar: Calendar::new(seed),
            teams,
            free_coaches: Vec::new(),
            born,
            grounds: grounds::grounds(&mut rng),
            referees: grounds::referees(&mut rng),
        }
    }

    fn week(&mut self, week: i64) -> Vec<DemoGame> {
        let mut rng = stream(self.seed, "week", week as u64);
        let mut register =
            Register { seed: self.seed, born: &mut self.born, free_coaches: &mut self.free_coaches };
        if week > 0 && calendar::season(week) != calendar::season(week - 1) {
            people::winter(week, &mut self.teams, &mut register, &mut rng);
        }
        for team in &mut self.teams {
            team.begin_week(week, &mut rng);
        }
        let games: Vec<DemoGame> =
            self.calendar.schedule(week).into_iter().map(|meeting| self.game(week, meeting)).collect();
        for game in &games {
            let margin = f64::from(game.score.0) - f64::from(game.score.1);
            self.teams[game.meeting.home].remember(margin);
            self.teams[game.meeting.away].remember(-margin);
        }
        let mut register =
            Register { seed: self.seed, born: &mut self.born, free_coaches: &mut self.free_coaches };
        for team in &mut self.teams {
            team.end_week(week, &mut register, &mut rng);
        }
        games
    }

    fn game(&self, week: i64, meeting: Meeting) -> DemoGame {
        let mut rng = stream(self.seed, "play", meeting.number);
        let neutral = rng.random_bool(0.03);
        let home_ground = HOMES[meeting.home];
        let referee = rng.random_range(0..REFEREES.len());
        let (means, opinion) = self.forces(&meeting, neutral, self.referees[referee]);
        let (home, away) = (&self.teams[meeting.home], &self.teams[meeting.away]);
        let score = means.play(&mut rng);
        DemoGame {
            meeting,
            season: calendar::season(week),
            week: calendar::week_of_season(week),
            neutral,
            venue: if neutral { NEUTRAL_VENUE } else { home_ground.venue },
            roof: if neutral { "closed" } else { home_ground.roof },
            surface: if neutral { "turf" } else { home_ground.surface },
            referee: REFEREES[referee],
            coaches: [home.coach.name.clone(), away.coach.name.clone()],
            players: [home.fielded().name.clone(), away.fielded().name.clone()],
            means,
            score,
            cancelled: rng.random_bool(0.004),
            ends: meeting.start + SignedDuration::from_mins(rng.random_range(150..200)),
            opinion,
        }
    }

    /// Returns what the game truly depends on, and where the market errs about it.
    fn forces(&self, meeting: &Meeting, neutral: bool, referee: f64) -> (Means, Opinion) {
        let (home, away) = (&self.teams[meeting.home], &self.teams[meeting.away]);
        let ground = if neutral { grounds::NEUTRAL } else { self.grounds[meeting.home] };
        let rest = grounds::rest_effect(meeting.home_rest) - grounds::rest_effect(meeting.away_rest);
        let (edge, pace) = (ground.advantage + rest, ground.total + referee);
        let means = Means::new(
            AVERAGE_POINTS + home.attacking() - away.defending() + f64::midpoint(edge, pace),
            AVERAGE_POINTS + away.attacking() - home.defending() + f64::midpoint(-edge, pace),
        );
        let unmeasured = if neutral { 0.0 } else { ground.advantage - grounds::USUAL_ADVANTAGE };
        let opinion = Opinion {
            teams_margin: home.market_error - away.market_error,
            teams_total: home.market_total_error + away.market_total_error,
            blind_margin: -0.45 * unmeasured - 0.4 * rest,
            blind_total: -0.5 * pace,
            injury_margin: home.unnoticed_loss() - away.unnoticed_loss(),
        };
        (means, opinion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_is_a_function_of_its_seed() {
        let until = calendar::instant(400, 0);
        let line = |seed| history(seed, until).iter().map(|game| game.score).collect::<Vec<_>>();
        assert_eq!(line(1), line(1));
        assert_ne!(line(1), line(2));
    }

    #[test]
    fn nothing_exists_before_the_first_schedule_and_the_last_instant_ends_the_world() {
        assert!(history(1, calendar::instant(-7, 0)).is_empty());
        assert!(history(1, Timestamp::MIN).is_empty());
        let last = history(1, Timestamp::MAX);
        assert!(last.iter().all(|game| game.announced() < LAST_INSTANT));
    }
}
