//! Dixon and Coles (1997): scores of both sides as Poisson counts with attack, defence and home advantage, a correction
//! of the four lowest scores, and games that count less the longer ago they are.
//!
//! `ln λ = level + home + attack(home) - defence(away)`, `ln μ = level + attack(away) - defence(home)`. Fitted by maximum
//! likelihood again for every week of games, from the results known before the week's first decision.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::{examples::Example, newton::minimise, poisson::poisson_masses, tilt::outcome_of};

/// Decay of a game's weight per day, after the paper's half-week unit: half after a year.
const DECAY_PER_DAY: f64 = 0.0019;
const MEMORY_DAYS: f64 = 3.0 * 365.0;
/// Fewer past games give no forecast.
const FEWEST_GAMES: usize = 100;
/// Keeps a team that was seen once near the others.
const RIDGE: f64 = 1e-3;
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A finished game as the likelihood sees it.
struct Match {
    home: usize,
    away: usize,
    goals: [f64; 2],
    weight: f64,
}

/// Attack of each team, then defence of each, then level, home advantage and the low scores' dependence.
#[derive(Debug, Clone, PartialEq)]
struct Strengths {
    teams: BTreeMap<u32, usize>,
    at: Vec<f64>,
}

/// Forecasts home, draw and away of each test game; `teams` tells a game's home and away node.
///
/// A team without a game in the last three years gets the league's shares of outcomes.
pub(crate) fn dixon_coles(
    all: &[Example],
    test: &[Example],
    teams: &dyn Fn(usize) -> (u32, u32),
) -> Vec<Option<[f64; 3]>> {
    let mut order: Vec<usize> = (0..test.len()).collect();
    order.sort_by_key(|i| test[*i].as_of);
    let mut forecasts = vec![None; test.len()];
    let mut last: Option<Strengths> = None;
    let mut at = 0;
    while at < order.len() {
        let begin = test[order[at]].as_of;
        let end = begin.checked_add(WEEK).unwrap_or(Timestamp::MAX);
        let week: Vec<usize> = order[at..].iter().copied().take_while(|i| test[*i].as_of < end).collect();
        at += week.len();
        let past: Vec<&Example> =
            all.iter().filter(|e| e.result_known_at < begin && age(e, begin) <= MEMORY_DAYS).collect();
        if past.len() < FEWEST_GAMES {
            continue;
        }
        let Some(fitted) = fit(&past, begin, teams, last.as_ref()) else { continue };
        let mut shares = [0.0; 3];
        for example in &past {
            shares[outcome_of(example.margin)] += 1.0 / past.len() as f64;
        }
        for i in week {
            forecasts[i] = Some(fitted.outcome(teams(test[i].game)).unwrap_or(shares));
        }
        last = Some(fitted);
    }
    forecasts
}

fn age(example: &Example, at: Timestamp) -> f64 {
    at.duration_since(example.start).as_secs_f64() / 86_400.0
}

fn fit(
    past: &[&Example],
    at: Timestamp,
    teams: &dyn Fn(usize) -> (u32, u32),
    last: Option<&Strengths>,
) -> Option<Strengths> {
    let mut index = BTreeMap::new();
    for example in past {
        let (home, away) = teams(example.game);
        for team in [home, away] {
            let next = index.len();
            index.entry(team).or_insert(next);
        }
    }
    let matches: Vec<Match> = past
        .iter()
        .map(|example| {
            let (home, away) = teams(example.game);
            Match {
                home: index[&home],
                away: index[&away],
                goals: [
                    f64::from(example.total + example.margin) / 2.0,
                    f64::from(example.total - example.margin) / 2.0,
                ],
                weight: (-DECAY_PER_DAY * age(example, at)).exp(),
            }
        })
        .collect();
    let n = index.len();
    let games: f64 = matches.iter().map(|m| m.weight).sum();
    let goals: f64 = matches.iter().map(|m| m.weight * (m.goals[0] + m.goals[1]) / 2.0).sum();
    let mut start = vec![0.0; 2 * n + 3];
    start[2 * n] = (goals / games).max(0.05).ln();
    if let Some(last) = last {
        let before = last.teams.len();
        for (team, place) in &index {
            if let Some(old) = last.teams.get(team) {
                start[*place] = last.at[*old];
                start[n + place] = last.at[before + old];
            }
        }
        start[2 * n..].copy_from_slice(&last.at[2 * before..]);
    }
    let found = minimise(&|at| gradient(at, n, &matches), &start)?;
    Some(Strengths { teams: index, at: found.at })
}

/// Gradient of the negative weighted log-likelihood with its small penalty.
fn gradient(at: &[f64], n: usize, matches: &[Match]) -> Vec<f64> {
    let mut slope: Vec<f64> = at.iter().map(|x| RIDGE * x).collect();
    slope[2 * n] = 0.0;
    let (level, advantage, rho) = (at[2 * n], at[2 * n + 1], at[2 * n + 2]);
    for m in matches {
        let home = (level + advantage + at[m.home] - at[n + m.away]).exp();
        let away = (level + at[m.away] - at[n + m.home]).exp();
        let [x, y] = m.goals;
        let (correction, by_home, by_away, by_rho) = low_scores(x, y, home, away, rho);
        let correction = correction.max(1e-6);
        let up_home = m.weight * (x - home + by_home * home / correction);
        let up_away = m.weight * (y - away + by_away * away / correction);
        slope[m.home] -= up_home;
        slope[n + m.away] += up_home;
        slope[m.away] -= up_away;
        slope[n + m.home] += up_away;
        slope[2 * n] -= up_home + up_away;
        slope[2 * n + 1] -= up_home;
        slope[2 * n + 2] -= m.weight * by_rho / correction;
    }
    slope
}

/// The paper's τ with its derivatives by λ, μ and ρ.
fn low_scores(x: f64, y: f64, home: f64, away: f64, rho: f64) -> (f64, f64, f64, f64) {
    if x > 1.0 || y > 1.0 {
        return (1.0, 0.0, 0.0, 0.0);
    }
    match (x > 0.5, y > 0.5) {
        (false, false) => (1.0 - home * away * rho, -away * rho, -home * rho, -home * away),
        (false, true) => (1.0 + home * rho, rho, 0.0, home),
        (true, false) => (1.0 + away * rho, 0.0, rho, away),
        (true, true) => (1.0 - rho, 0.0, 0.0, -1.0),
    }
}

impl Strengths {
    /// Returns home, draw and away; none for a team that was not seen.
    fn outcome(&self, (home, away): (u32, u32)) -> Option<[f64; 3]> {
        let n = self.teams.len();
        let (home, away) = (*self.teams.get(&home)?, *self.teams.get(&away)?);
        let at = &self.at;
        let (level, advantage, rho) = (at[2 * n], at[2 * n + 1], at[2 * n + 2]);
        let means =
            [(level + advantage + at[home] - at[n + away]).exp(), (level + at[away] - at[n + home]).exp()];
        let masses = means.map(poisson_masses);
        let mut outcome = [0.0; 3];
        for (x, p) in masses[0].iter().enumerate() {
            for (y, q) in masses[1].iter().enumerate() {
                let (correction, ..) = low_scores(x as f64, y as f64, means[0], means[1], rho);
                outcome[outcome_of(x as i32 - y as i32)] += p * q * correction.max(0.0);
            }
        }
        let sum: f64 = outcome.iter().sum();
        Some(outcome.map(|p| p / sum))
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// A league of ten teams whose strengths rise by number, three rounds of everybody against everybody.
    fn season(random: &mut ChaCha8Rng) -> (Vec<Example>, Vec<(u32, u32)>) {
        let (mut examples, mut teams) = (Vec::new(), Vec::new());
        let mut goals = |mean: f64| {
            let (mut left, mut count) = (random.random::<f64>(), 0);
            let mut p = (-mean).exp();
            while left > p && count < 15 {
                left -= p;
                count += 1;
                p *= mean / f64::from(count);
            }
            count
        };
        for round in 0..3 {
            for (home, away) in (0..10u32).flat_map(|h| (0..10u32).map(move |a| (h, a))) {
                if home == away {
                    continue;
                }
                let strength = |team: u32| (f64::from(team) - 4.5) * 0.08;
                let x = goals((0.2 + 0.25 + strength(home) - strength(away)).exp());
                let y = goals((0.2 + strength(away) - strength(home)).exp());
                let day = i64::from(round) * 120 + examples.len() as i64 % 90;
                let start = Timestamp::from_second(86_400 * (10_000 + day)).unwrap();
                examples.push(Example {
                    game: teams.len(),
                    league: 0,
                    as_of: start - SignedDuration::from_hours(6),
                    start,
                    result_known_at: start + SignedDuration::from_hours(2),
                    margin: x - y,
                    total: x + y,
                    games_known: 20,
                });
                teams.push((home, away));
            }
        }
        (examples, teams)
    }

    #[test]
    fn planted_strengths_are_found() {
        let (examples, teams) = season(&mut ChaCha8Rng::seed_from_u64(3));
        let past: Vec<&Example> = examples.iter().collect();
        let at = Timestamp::from_second(86_400 * 10_400).unwrap();
        let found = fit(&past, at, &|game| teams[game], None).unwrap();
        let n = found.teams.len();
        assert!((found.at[2 * n + 1] - 0.25).abs() < 0.15, "home advantage {}", found.at[2 * n + 1]);
        let attack = |team: u32| found.at[found.teams[&team]];
        assert!(attack(9) > attack(0) + 0.3, "the strongest attack is told from the weakest");
        let slope = gradient(&found.at, n, &[]);
        assert!(slope.iter().all(|s| s.abs() < 1e-2), "only the penalty is left");
    }

    #[test]
    fn the_gradient_is_that_of_the_likelihood() {
        let matches = [
            Match { home: 0, away: 1, goals: [1.0, 0.0], weight: 0.7 },
            Match { home: 1, away: 0, goals: [0.0, 0.0], weight: 1.0 },
        ];
        let at = [0.1, -0.2, 0.05, 0.3, 0.2, 0.25, 0.08];
        let loss = |at: &[f64]| -> f64 {
            let penalty: f64 =
                at.iter().enumerate().filter(|(i, _)| *i != 4).map(|(_, x)| 0.5 * RIDGE * x * x).sum();
            let of = |m: &Match| {
                let home = (at[4] + at[5] + at[m.home] - at[2 + m.away]).exp();
                let away = (at[4] + at[m.away] - at[2 + m.home]).exp();
                let (correction, ..) = low_scores(m.goals[0], m.goals[1], home, away, at[6]);
                m.weight * (m.goals[0] * home.ln() - home + m.goals[1] * away.ln() - away + correction.ln())
            };
            penalty - matches.iter().map(of).sum::<f64>()
        };
        let slope = gradient(&at, 2, &matches);
        for (i, slope) in slope.iter().enumerate() {
            let (mut up, mut down) = (at, at);
            up[i] += 1e-6;
            down[i] -= 1e-6;
            let by_hand = (loss(&up) - loss(&down)) / 2e-6;
            assert!((slope - by_hand).abs() < 1e-6, "{i}: {slope} for {by_hand}");
        }
    }

    #[test]
    fn each_week_is_forecast_from_the_weeks_before() {
        let (examples, teams) = season(&mut ChaCha8Rng::seed_from_u64(4));
        let test: Vec<Example> = examples[200..].to_vec();
        let before = dixon_coles(&examples, &test, &|game| teams[game]);
        assert!(before.iter().all(Option::is_some));
        let mut changed = examples.clone();
        let last = changed.iter_mut().max_by_key(|e| e.result_known_at).unwrap();
        (last.margin, last.total) = (9, 9);
        assert_eq!(
            before,
            dixon_coles(&changed, &test, &|game| teams[game]),
            "the last result reaches no forecast"
        );
        let sum = before[0].unwrap().iter().sum::<f64>();
        assert!((sum - 1.0).abs() < 1e-12);
    }
}
