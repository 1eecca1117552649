//! How a game is scored: eleven drives a side, touchdowns and field goals, overtime when level.
//!
//! The same few numbers give both a drawn score and the exact distributions, so the truth beside the data is exact.

use market::{Distribution, ScoreForecast, prediction::InvalidDistribution};
use rand::Rng;

/// Drives of each side.
const DRIVES: usize = 11;
/// Most points that a drive can bring.
const MOST_PER_DRIVE: usize = 8;
/// Share of a side's points that come from touchdowns.
const TOUCHDOWN_SHARE: f64 = 0.77;
/// Points after a touchdown with its try, and how often; 7.0 on average.
const TOUCHDOWNS: [(usize, f64); 3] = [(6, 0.05), (7, 0.90), (8, 0.05)];
/// Points of the score that ends overtime, and how often.
const OVERTIME: [(usize, f64); 2] = [(3, 0.6), (6, 0.4)];
/// Chance that overtime brings no score and the game ends level.
const STAYS_LEVEL: f64 = 0.1;

/// Expected points of both sides in regular time: all that decides a game's distributions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Means {
    pub(super) home: f64,
    pub(super) away: f64,
}

impl Means {
    /// Keeps both means where drives can reach them.
    pub(super) fn new(home: f64, away: f64) -> Self {
        Self { home: home.clamp(4.0, 48.0), away: away.clamp(4.0, 48.0) }
    }

    /// Builds from the expected margin and total.
    pub(super) fn of_margin_and_total(margin: f64, total: f64) -> Self {
        Self::new(f64::midpoint(total, margin), f64::midpoint(total, -margin))
    }

    pub(super) fn margin(self) -> f64 {
        self.home - self.away
    }

    pub(super) fn total(self) -> f64 {
        self.home + self.away
    }

    /// Chance that the home side scores first in overtime.
    fn home_share(self) -> f64 {
        self.home / (self.home + self.away)
    }

    /// Plays the game.
    pub(super) fn play(self, rng: &mut impl Rng) -> (u16, u16) {
        let (mut home, mut away) = (play_side(self.home, rng), play_side(self.away, rng));
        if home == away && !rng.random_bool(STAYS_LEVEL) {
            let winner = if rng.random_bool(self.home_share()) { &mut home } else { &mut away };
            *winner += draw(&OVERTIME, rng);
        }
        (home as u16, away as u16)
    }

    /// Returns the exact masses of margin (from `-offset`) and total (from 0).
    pub(super) fn masses(self) -> Masses {
        let (home, away) = (side(self.home), side(self.away));
        let reach = DRIVES * MOST_PER_DRIVE + MOST_PER_DRIVE;
        let mut margin = vec![0.0; 2 * reach + 1];
        let mut total = vec![0.0; 2 * reach + 1];
        for (h, p) in home.iter().enumerate().filter(|(_, p)| **p > 0.0) {
            for (a, q) in away.iter().enumerate() {
                margin[reach + h - a] += p * q;
                total[h + a] += p * q;
            }
        }
        for (score, level) in home.iter().zip(&away).map(|(p, q)| p * q).enumerate() {
            let decided = level * (1.0 - STAYS_LEVEL);
            margin[reach] -= decided;
            total[2 * score] -= decided;
            for (points, share) in OVERTIME {
                margin[reach + points] += decided * share * self.home_share();
                margin[reach - points] += decided * share * (1.0 - self.home_share());
                total[2 * score + points] += decided * share;
            }
        }
        Masses { offset: reach, margin, total }
    }

    /// Returns the exact distributions of margin and total.
    pub(super) fn forecast(self) -> Result<ScoreForecast, InvalidDistribution> {
        let masses = self.masses();
        Ok(ScoreForecast {
            margin: trimmed(-(masses.offset as u32).cast_signed(), masses.margin)?,
            total: trimmed(0, masses.total)?,
        })
    }
}

/// Probabilities of every margin and every total.
#[derive(Debug, Clone)]
pub(super) struct Masses {
    /// Index of margin 0.
    pub(super) offset: usize,
    pub(super) margin: Vec<f64>,
    pub(super) total: Vec<f64>,
}

/// Cuts away both ends where nothing is likely to one in a billion, and clears what rounding left below zero.
fn trimmed(first: i32, mut mass: Vec<f64>) -> Result<Distribution, InvalidDistribution> {
    let likely = |p: &f64| *p > 1e-9;
    let start = mass.iter().position(likely).unwrap_or(0);
    let end = mass.iter().rposition(likely).map_or(mass.len(), |last| last + 1);
    mass.truncate(end);
    let kept = mass.split_off(start).into_iter().map(|p| p.max(0.0)).collect();
    Distribution::new(first + (start as u32).cast_signed(), kept)
}

/// Chances of a touchdown and of a field goal in one drive of a side that scores `mean` points in all.
fn drive(mean: f64) -> (f64, f64) {
    let points = mean / DRIVES as f64;
    (TOUCHDOWN_SHARE * points / 7.0, (1.0 - TOUCHDOWN_SHARE) * points / 3.0)
}

fn play_side(mean: f64, rng: &mut impl Rng) -> usize {
    let (touchdown, field_goal) = drive(mean);
    let mut score = 0;
    for _ in 0..DRIVES {
        let luck: f64 = rng.random();
        if luck < touchdown {
            score += draw(&TOUCHDOWNS, rng);
        } else if luck < touchdown + field_goal {
            score += 3;
        }
    }
    score
}

fn draw<const N: usize>(table: &[(usize, f64); N], rng: &mut impl Rng) -> usize {
    let mut luck: f64 = rng.random();
    for (points, share) in table {
        luck -= share;
        if luck < 0.0 {
            return *points;
        }
    }
    table[N - 1].0
}

/// Returns the probability of each score of one side.
fn side(mean: f64) -> Vec<f64> {
    let (touchdown, field_goal) = drive(mean);
    let mut kernel = vec![(0, 1.0 - touchdown - field_goal), (3, field_goal)];
    kernel.extend(TOUCHDOWNS.map(|(points, share)| (points, share * touchdown)));
    let mut mass = vec![0.0; DRIVES * MOST_PER_DRIVE + 1];
    mass[0] = 1.0;
    for played in 0..DRIVES {
        let mut next = vec![0.0; mass.len()];
        for (score, p) in mass.iter().enumerate().take(played * MOST_PER_DRIVE + 1) {
            for (points, q) in &kernel {
                next[score + points] += p * q;
            }
        }
        mass = next;
    }
    // What is left out here is less than rounding costs.
    mass.truncate(mass.iter().rposition(|p| *p > 1e-14).map_or(mass.len(), |last| last + 1));
    mass
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn drawn_scores_follow_the_exact_distributions() {
        let means = Means::new(25.0, 20.0);
        let forecast = means.forecast().unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let games = 20_000;
        let scores: Vec<(u16, u16)> = (0..games).map(|_| means.play(&mut rng)).collect();
        let share = |test: &dyn Fn(i32, i32) -> bool| {
            let hits = scores.iter().filter(|(h, a)| test(i32::from(*h), i32::from(*a))).count();
            hits as f64 / f64::from(games)
        };
        let [home, level, _] = forecast.moneyline_three_way();
        // Four standard errors of a share of 20,000 are at most 0.0142.
        assert!((share(&|h, a| h > a) - home).abs() < 0.0142);
        assert!((share(&|h, a| h == a) - level).abs() < 0.003);
        for margin in [-3, 3, 7] {
            assert!((share(&|h, a| h - a == margin) - forecast.margin.probability(margin)).abs() < 0.008);
        }
        assert!((share(&|h, a| h + a == 44) - forecast.total.probability(44)).abs() < 0.006);
    }

    #[test]
    fn margins_have_key_numbers_and_level_games_are_rare() {
        let margin = Means::new(23.0, 23.0).forecast().unwrap().margin;
        assert!(margin.probability(3) > 1.3 * margin.probability(2));
        assert!(margin.probability(7) > 1.3 * margin.probability(8));
        assert!(margin.probability(0) < 0.01);
    }

    #[test]
    fn the_means_are_those_asked_for_but_for_overtime() {
        let forecast = Means::of_margin_and_total(6.0, 44.0).forecast().unwrap();
        // Overtime adds about 4 points to one game in twenty.
        assert!((forecast.margin.mean() - 6.0).abs() < 0.1, "{}", forecast.margin.mean());
        assert!((forecast.total.mean() - 44.0).abs() < 0.3, "{}", forecast.total.mean());
        assert!((12.0..15.0).contains(&forecast.margin.standard_deviation()));
    }
}
