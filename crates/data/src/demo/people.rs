//! Teams and the people who make them: coaches come and go, key players get hurt, move and retire.

use market::Name;
use rand::{Rng, seq::SliceRandom};
use rand_distr::StandardNormal;

use super::names;

/// Standard deviations in points of margin.
const LINE_UP_SD: f64 = 3.3;
const PLAYER_SD: f64 = 2.6;
const COACH_SD: f64 = 1.2;
const MARKET_ERROR_SD: f64 = 1.6;
/// What of a line-up's strength stays from week to week, and over the winter.
const WEEKLY_MEMORY: f64 = 0.997;
const WINTER_MEMORY: f64 = 0.9;
/// What of the market's error about a team stays from week to week.
const MARKET_MEMORY: f64 = 0.85;
/// How far a backup stands below an average starter.
const BACKUP_DEFICIT: f64 = 4.5;
/// Chance that a fit starter gets hurt in a week's training.
const INJURY: f64 = 0.035;

/// A coach or key player.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) name: Name,
    strength: f64,
}

/// Where people come from.
pub(super) struct Register<'a> {
    pub(super) seed: u64,
    pub(super) born: &'a mut u32,
    pub(super) free_coaches: &'a mut Vec<Person>,
}

impl Register<'_> {
    fn newcomer(&mut self, strength: f64) -> Person {
        newcomer(self.seed, self.born, strength)
    }

    /// Hires somebody for `old`, who becomes free: a free coach, or one who never coached.
    fn replace_coach(&mut self, old: Person, rng: &mut impl Rng) -> Person {
        let hired = if self.free_coaches.is_empty() || rng.random_bool(0.6) {
            self.newcomer(COACH_SD * normal(rng))
        } else {
            self.free_coaches.swap_remove(rng.random_range(0..self.free_coaches.len()))
        };
        self.free_coaches.push(old);
        hired
    }
}

fn newcomer(seed: u64, born: &mut u32, strength: f64) -> Person {
    let name = names::person(seed, *born).as_str().into();
    *born += 1;
    Person { name, strength }
}

fn normal(rng: &mut impl Rng) -> f64 {
    rng.sample(StandardNormal)
}

/// Takes one step of a process with standard deviation `sd` that keeps `memory` of its value.
fn step(value: &mut f64, memory: f64, sd: f64, rng: &mut impl Rng) {
    *value = memory * *value + sd * (1.0 - memory * memory).sqrt() * normal(rng);
}

/// One team's changing state; strengths are points of margin against an average opponent.
#[derive(Debug, Clone)]
pub(super) struct Team {
    attack: f64,
    defence: f64,
    starter: Person,
    backup: Person,
    /// First week in which the starter is fit again.
    fit_from: i64,
    hurt_this_week: bool,
    /// Whether the market opened before it heard of this week's injury.
    unnoticed: bool,
    pub(super) coach: Person,
    /// A coach already hired, with the first week in charge.
    next_coach: Option<(i64, Person)>,
    /// Recent margins, faded.
    form: f64,
    week: i64,
    pub(super) market_error: f64,
    pub(super) market_total_error: f64,
}

impl Team {
    pub(super) fn found(seed: u64, born: &mut u32, rng: &mut impl Rng) -> Self {
        Self {
            attack: LINE_UP_SD * normal(rng),
            defence: LINE_UP_SD * normal(rng),
            starter: newcomer(seed, born, PLAYER_SD * normal(rng)),
            backup: newcomer(seed, born, normal(rng) - BACKUP_DEFICIT),
            fit_from: 0,
            hurt_this_week: false,
            unnoticed: false,
            coach: newcomer(seed, born, COACH_SD * normal(rng)),
            next_coach: None,
            form: 0.0,
            week: 0,
            market_error: MARKET_ERROR_SD * normal(rng),
            market_total_error: MARKET_ERROR_SD * normal(rng),
        }
    }

    /// The key player who starts this week.
    pub(super) fn fielded(&self) -> &Person {
        if self.week < self.fit_from { &self.backup } else { &self.starter }
    }

    /// What the side adds to its own expected points.
    pub(super) fn attacking(&self) -> f64 {
        self.attack + 0.75 * self.fielded().strength + 0.5 * self.coach.strength
    }

    /// What the side takes from the opponent's expected points.
    pub(super) fn defending(&self) -> f64 {
        self.defence + 0.25 * self.fielded().strength + 0.5 * self.coach.strength
    }

    /// By how many points the opening market overrates the side, because an injury was no news yet.
    pub(super) fn unnoticed_loss(&self) -> f64 {
        if self.hurt_this_week && self.unnoticed { self.starter.strength - self.backup.strength } else { 0.0 }
    }

    pub(super) fn begin_week(&mut self, week: i64, rng: &mut impl Rng) {
        self.week = week;
        step(&mut self.attack, WEEKLY_MEMORY, LINE_UP_SD, rng);
        step(&mut self.defence, WEEKLY_MEMORY, LINE_UP_SD, rng);
        step(&mut self.market_error, MARKET_MEMORY, MARKET_ERROR_SD, rng);
        step(&mut self.market_total_error, MARKET_MEMORY, MARKET_ERROR_SD, rng);
        if let Some((_, coach)) = self.next_coach.take_if(|(from, _)| *from <= week) {
            self.coach = coach;
        }
        self.hurt_this_week = week >= self.fit_from && rng.random_bool(INJURY);
        self.unnoticed = rng.random_bool(0.6);
        if self.hurt_this_week {
            self.fit_from = week + rng.random_range(2..=8);
        }
    }

    /// Notes the margin of this week's game.
    pub(super) fn remember(&mut self, margin: f64) {
        self.form = 0.8 * self.form + 0.2 * margin;
    }

    /// Replaces the coach now and then, sooner after bad results.
    ///
    /// The new one takes over two weeks later, so that each schedule names the coaches before it depends on a result.
    pub(super) fn end_week(&mut self, week: i64, register: &mut Register<'_>, rng: &mut impl Rng) {
        let chance = if self.form < -6.0 { 0.025 } else { 0.004 };
        if rng.random_bool(chance) && self.next_coach.is_none() {
            let hired = register.replace_coach(self.coach.clone(), rng);
            self.next_coach = Some((week + 2, hired));
            self.form = 0.0;
        }
    }
}

/// Passes the winter before `week`: strengths move toward the average, players move and retire, coaches change.
///
/// A coach hired in winter takes over in the season's second week, for the same reason as in [`Team::end_week`].
pub(super) fn winter(week: i64, teams: &mut [Team], register: &mut Register<'_>, rng: &mut impl Rng) {
    for team in teams.iter_mut() {
        step(&mut team.attack, WINTER_MEMORY, LINE_UP_SD, rng);
        step(&mut team.defence, WINTER_MEMORY, LINE_UP_SD, rng);
        if rng.random_bool(0.08) {
            team.starter = register.newcomer(PLAYER_SD * normal(rng));
            team.fit_from = 0;
        }
        if rng.random_bool(0.15) {
            team.backup = register.newcomer(normal(rng) - BACKUP_DEFICIT);
        }
        if rng.random_bool(0.12) && team.next_coach.is_none() {
            let hired = register.replace_coach(team.coach.clone(), rng);
            team.next_coach = Some((week + 1, hired));
        }
    }
    let mut order: Vec<usize> = (0..teams.len()).collect();
    order.shuffle(rng);
    for pair in order.chunks_exact(2).take(3) {
        let (one, other) = (pair[0], pair[1]);
        let (starter, fit_from) = (teams[one].starter.clone(), teams[one].fit_from);
        teams[one].starter = std::mem::replace(&mut teams[other].starter, starter);
        teams[one].fit_from = std::mem::replace(&mut teams[other].fit_from, fit_from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::world::stream;

    fn teams(count: usize, born: &mut u32) -> Vec<Team> {
        let mut rng = stream(3, "test", 0);
        (0..count).map(|_| Team::found(3, born, &mut rng)).collect()
    }

    #[test]
    fn a_hurt_starter_is_replaced_by_a_clearly_weaker_backup() {
        let mut born = 0;
        let mut gap = 0.0;
        for mut team in teams(200, &mut born) {
            let fit = team.attacking() + team.defending();
            team.fit_from = 5;
            gap += fit - team.attacking() - team.defending();
        }
        // The mean gap is the deficit, with a standard error of 2.8 / sqrt(200) = 0.2.
        assert!((gap / 200.0 - BACKUP_DEFICIT).abs() < 0.7, "{}", gap / 200.0);
    }

    #[test]
    fn a_new_coach_takes_over_two_weeks_after_the_change() {
        let mut born = 0;
        let mut free_coaches = Vec::new();
        let mut rng = stream(3, "test", 1);
        let mut team = teams(1, &mut born).remove(0);
        let old = team.coach.name.clone();
        let mut week = 0;
        while team.next_coach.is_none() {
            week += 1;
            team.begin_week(week, &mut rng);
            let mut register = Register { seed: 3, born: &mut born, free_coaches: &mut free_coaches };
            team.end_week(week, &mut register, &mut rng);
        }
        team.begin_week(week + 1, &mut rng);
        assert_eq!(team.coach.name, old);
        team.begin_week(week + 2, &mut rng);
        assert_ne!(team.coach.name, old);
        assert_eq!(free_coaches[0].name, old);
    }
}
