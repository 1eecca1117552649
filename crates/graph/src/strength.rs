//! Attack and defence of teams, and the worth of their key players, learnt from scores alone.
//!
//! A Gaussian filter in units of the league's own standard deviation of one side's score: home is expected to score
//! `mean + advantage / 2 + attack(home) - defence(away) + player(home)`, and each score moves every part of its expectation
//! by the part's share of the variance (a Kalman filter with a diagonal covariance; Kalman 1960). How fast strengths drift
//! differs between sports, so several filters of different speed run side by side, and each league weighs them by how well
//! they forecast its margins so far (Bayesian model averaging).
//!
//! All constants were chosen on seasons before 2015 (NFL) and 2017 (football).

use crate::instant::days;

/// How fast a filter lets strengths drift.
#[derive(Debug, Clone, Copy)]
struct Speed {
    /// Share of a strength that survives between seasons.
    carry: f32,
    /// Variance added between seasons.
    per_season: f32,
    /// Variance added per day within one.
    per_day: f32,
}

const fn speed(carry: f32, per_season: f32, per_day: f32) -> Speed {
    Speed { carry, per_season, per_day }
}

/// From leagues in which a new season starts almost anew to those in which strength lasts.
const SPEEDS: [Speed; 6] = [
    speed(0.65, 0.07, 2e-4),
    speed(0.65, 0.03, 4e-5),
    speed(0.8, 0.03, 4e-5),
    speed(0.9, 0.03, 4e-5),
    speed(0.98, 0.03, 4e-5),
    speed(0.98, 0.012, 1.2e-5),
];
const COPIES: usize = SPEEDS.len();

/// Variance of one side's score around its expectation.
const NOISE: f64 = 0.9;
/// A team of a league's first season.
const FOUNDER_VARIANCE: f32 = 0.12;
/// A team that joins later is weaker than those it joins.
const NEWCOMER: f32 = -0.1;
const NEWCOMER_VARIANCE: f32 = 0.06;
/// Share of a team's distance to a newcomer that survives each season that it was away.
const AWAY: f32 = 0.75;
/// A player who has never started, and what becomes of him.
const NEW_PLAYER: f32 = -0.35;
const NEW_PLAYER_VARIANCE: f32 = 0.15;
const PLAYER_CARRY: f32 = 0.85;
const PLAYER_PER_SEASON: f32 = 0.02;
const PLAYER_PER_DAY: f32 = 0.001 / 7.0;
/// The league's mean score and home margin, and how they drift per day.
const MEAN_VARIANCE: f32 = 0.05;
const MEAN_PER_DAY: f32 = 1e-6;
const ADVANTAGE: f32 = 0.27;
const ADVANTAGE_VARIANCE: f32 = 0.02;
const ADVANTAGE_PER_DAY: f32 = 5e-6;
/// A league's break adds no more drift than so many days.
const LONGEST_BREAK: f64 = 100.0;
/// Memory of the scale: a game's weight falls by this with each later one.
const SCALE_MEMORY: f64 = 0.999;
/// Games' worth of belief in the scale that the first score suggests.
const SCALE_PRIOR: f64 = 20.0;
/// Scores below this many points are expected of nobody.
const LEAST_SCORE: f64 = 0.35;

/// One strength in one filter.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Estimate {
    mean: f32,
    variance: f32,
}

impl Estimate {
    const fn new(mean: f32, variance: f32) -> Self {
        Self { mean, variance }
    }

    /// Moves by a share of `error`, whose variance is `whole`; `weight` is the derivative of the expectation.
    fn learn(&mut self, weight: f64, error: f64, whole: f64) {
        let gain = weight * f64::from(self.variance) / whole;
        self.mean += (gain * error) as f32;
        self.variance -= (gain * weight * f64::from(self.variance)) as f32;
    }

    fn between_seasons(&mut self, carry: f32, added: f32) {
        self.mean *= carry;
        self.variance = self.variance * carry * carry + added;
    }
}

/// When something was last seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    season: i32,
    start: i64,
}

/// A team after some game.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct TeamStrength {
    attack: [Estimate; COPIES],
    defence: [Estimate; COPIES],
    seen: Option<Seen>,
}

impl TeamStrength {
    /// Lets time pass until a game of `season` that starts at `start`.
    pub(crate) fn at(mut self, season: i32, start: i64, league: &LeagueStrength) -> Self {
        let founder = league.first_season.is_none_or(|first| season <= first);
        match self.seen {
            None => {
                let (mean, variance) =
                    if founder { (0.0, FOUNDER_VARIANCE) } else { (NEWCOMER, NEWCOMER_VARIANCE) };
                self.attack = [Estimate::new(mean, variance); COPIES];
                self.defence = self.attack;
            }
            Some(seen) if season > seen.season => {
                let left = AWAY.powi((season - seen.season - 1).min(100));
                for copies in [&mut self.attack, &mut self.defence] {
                    for (estimate, speed) in copies.iter_mut().zip(SPEEDS) {
                        estimate.between_seasons(speed.carry, speed.per_season);
                        if left < 1.0 {
                            let variance = estimate.variance.min(NEWCOMER_VARIANCE);
                            estimate.mean = NEWCOMER + left * (estimate.mean - NEWCOMER);
                            estimate.variance = NEWCOMER_VARIANCE + left * (variance - NEWCOMER_VARIANCE);
                        }
                    }
                }
            }
            Some(seen) => {
                let passed = days(seen.start, start).max(0.0) as f32;
                for copies in [&mut self.attack, &mut self.defence] {
                    for (estimate, speed) in copies.iter_mut().zip(SPEEDS) {
                        estimate.variance += speed.per_day * passed;
                    }
                }
            }
        }
        self.seen = Some(Seen { season, start });
        self
    }

    /// Returns attack and defence above the league's mean and their joint standard deviation, in standard deviations of
    /// a score, as the league weighs the filters.
    pub(crate) fn described(&self, league: &LeagueStrength) -> [f64; 3] {
        let weights = league.weights();
        let mean = |copies: &[Estimate; COPIES]| weigh(&weights, |k| f64::from(copies[k].mean));
        let variance =
            weigh(&weights, |k| f64::from(self.attack[k].variance) + f64::from(self.defence[k].variance));
        [mean(&self.attack), mean(&self.defence), variance.sqrt()]
    }
}

/// A key player after some game.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct PlayerStrength {
    worth: [Estimate; COPIES],
    seen: Option<Seen>,
}

impl PlayerStrength {
    /// Lets time pass until a game of `season` that starts at `start`.
    pub(crate) fn at(mut self, season: i32, start: i64) -> Self {
        match self.seen {
            None => self.worth = [Estimate::new(NEW_PLAYER, NEW_PLAYER_VARIANCE); COPIES],
            Some(seen) if season > seen.season => {
                self.worth
                    .iter_mut()
                    .for_each(|worth| worth.between_seasons(PLAYER_CARRY, PLAYER_PER_SEASON));
            }
            Some(seen) => {
                let passed = days(seen.start, start).max(0.0) as f32;
                self.worth.iter_mut().for_each(|worth| worth.variance += PLAYER_PER_DAY * passed);
            }
        }
        self.seen = Some(Seen { season, start });
        self
    }

    /// Returns the player's worth in standard deviations of a score.
    pub(crate) fn described(&self, league: &LeagueStrength) -> f64 {
        weigh(&league.weights(), |k| f64::from(self.worth[k].mean))
    }
}

/// A league after some game: its scale, mean score and home advantage, and what each filter has earned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LeagueStrength {
    weight: f64,
    squares: f64,
    mean: [Estimate; COPIES],
    advantage: [Estimate; COPIES],
    /// Log-likelihood of the margins so far.
    score: [f64; COPIES],
    first_season: Option<i32>,
    last: Option<i64>,
}

impl Default for LeagueStrength {
    fn default() -> Self {
        Self {
            weight: 0.0,
            squares: 0.0,
            mean: [Estimate::default(); COPIES],
            advantage: [Estimate::new(ADVANTAGE, ADVANTAGE_VARIANCE); COPIES],
            score: [0.0; COPIES],
            first_season: None,
            last: None,
        }
    }
}

/// One side of a game: its team and its key player, where one is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SideStrength {
    pub(crate) team: TeamStrength,
    pub(crate) player: Option<PlayerStrength>,
}

/// What the filters together expect of a game.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct ExpectedScore {
    /// Expected margin in its own standard deviations, the uncertainty of all strengths included.
    pub(crate) margin_z: f64,
    /// Expected points.
    pub(crate) home: f64,
    pub(crate) away: f64,
    /// Mean of the logarithms of `max(points, 0.35)`, softly.
    pub(crate) log_home: f64,
    pub(crate) log_away: f64,
    /// Standard deviation of the expected margin itself, in standard deviations of a score.
    pub(crate) uncertainty: f64,
}

impl LeagueStrength {
    /// Returns the standard deviation of one side's score in points.
    pub(crate) fn scale(&self) -> f64 {
        if self.weight > 0.0 { (self.squares / self.weight).sqrt() } else { 1.0 }
    }

    /// Lets time pass until a game that starts at `start`, whose scores set the scale of a league without any.
    pub(crate) fn at(mut self, season: i32, start: i64, scores: [f64; 2]) -> Self {
        if self.weight == 0.0 {
            // Counts vary by about their root; leagues of many points by less, which the first games tell.
            let mean = f64::midpoint(scores[0], scores[1]).max(1.0);
            self.weight = SCALE_PRIOR;
            self.squares = SCALE_PRIOR * (1.3 * mean).max(0.2 * mean * mean);
            self.mean = [Estimate::new((mean / self.scale()) as f32, MEAN_VARIANCE); COPIES];
            self.first_season = Some(season);
        }
        if let Some(last) = self.last {
            let passed = days(last, start).clamp(0.0, LONGEST_BREAK) as f32;
            self.mean.iter_mut().for_each(|mean| mean.variance += MEAN_PER_DAY * passed);
            self.advantage.iter_mut().for_each(|advantage| advantage.variance += ADVANTAGE_PER_DAY * passed);
        }
        self.last = Some(self.last.map_or(start, |last| last.max(start)));
        self
    }

    /// Expects a game between two sides, both brought to its start.
    pub(crate) fn expect(&self, sides: &[SideStrength; 2], neutral: bool) -> ExpectedScore {
        let scale = self.scale();
        let weights = self.weights();
        let mut expected = ExpectedScore::default();
        let mut variance = 0.0;
        for (k, weight) in weights.into_iter().enumerate() {
            let [home, away] = [0, 1].map(|side| self.side(k, sides, side, neutral).0);
            let whole = Self::margin_variance(k, sides);
            expected.margin_z += weight * (home - away) / whole.sqrt();
            expected.home += weight * home * scale;
            expected.away += weight * away * scale;
            expected.log_home += weight * log_points(home * scale);
            expected.log_away += weight * log_points(away * scale);
            variance += weight * (whole - 2.0 * NOISE);
        }
        expected.uncertainty = variance.sqrt();
        expected
    }

    /// Learns from a finished game; both sides and the league were brought to its start.
    pub(crate) fn learn(&mut self, sides: &mut [SideStrength; 2], scores: [f64; 2], neutral: bool) {
        let scale = self.scale();
        for k in 0..COPIES {
            let [home, away] = [0, 1].map(|side| self.side(k, sides, side, neutral).0);
            let variance = Self::margin_variance(k, sides);
            let surprise = (scores[0] - scores[1]) / scale - (home - away);
            self.score[k] -= 0.5 * (variance.ln() + surprise * surprise / variance);
            for (side, score) in scores.into_iter().enumerate() {
                let (expected, variance) = self.side(k, sides, side, neutral);
                let error = score / scale - expected;
                let at_home = at_home(side, neutral);
                sides[side].team.attack[k].learn(1.0, error, variance);
                sides[1 - side].team.defence[k].learn(-1.0, error, variance);
                if let Some(player) = &mut sides[side].player {
                    player.worth[k].learn(1.0, error, variance);
                }
                self.mean[k].learn(1.0, error, variance);
                self.advantage[k].learn(at_home, error, variance);
            }
        }
        let mean = weigh(&self.weights(), |k| f64::from(self.mean[k].mean)) * scale;
        for score in scores {
            self.weight = SCALE_MEMORY * self.weight + 1.0;
            self.squares = SCALE_MEMORY * self.squares + (score - mean).powi(2);
        }
    }

    /// Returns one side's expected score in one filter, in standard deviations, with the variance of the score around it.
    fn side(&self, k: usize, sides: &[SideStrength; 2], side: usize, neutral: bool) -> (f64, f64) {
        let (own, other) = (&sides[side], &sides[1 - side]);
        let at_home = at_home(side, neutral);
        let (attack, defence) = (own.team.attack[k], other.team.defence[k]);
        let player = own.player.map_or(Estimate::default(), |player| player.worth[k]);
        let mean = f64::from(self.mean[k].mean)
            + at_home * f64::from(self.advantage[k].mean)
            + f64::from(attack.mean)
            - f64::from(defence.mean)
            + f64::from(player.mean);
        let variance = NOISE
            + f64::from(attack.variance)
            + f64::from(defence.variance)
            + f64::from(player.variance)
            + f64::from(self.mean[k].variance)
            + at_home * at_home * f64::from(self.advantage[k].variance);
        (mean, variance)
    }

    fn margin_variance(k: usize, sides: &[SideStrength; 2]) -> f64 {
        let of_side = |side: &SideStrength| {
            f64::from(side.team.attack[k].variance)
                + f64::from(side.team.defence[k].variance)
                + side.player.map_or(0.0, |player| f64::from(player.worth[k].variance))
        };
        2.0 * NOISE + of_side(&sides[0]) + of_side(&sides[1])
    }

    /// Returns the weight of each filter; they sum to 1.
    fn weights(&self) -> [f64; COPIES] {
        let best = self.score.into_iter().fold(f64::NEG_INFINITY, f64::max);
        let weights = self.score.map(|score| (score - best).exp());
        let sum: f64 = weights.iter().sum();
        weights.map(|weight| weight / sum)
    }
}

/// Half of the home advantage falls to each side.
fn at_home(side: usize, neutral: bool) -> f64 {
    match (neutral, side) {
        (true, _) => 0.0,
        (false, 0) => 0.5,
        (false, _) => -0.5,
    }
}

fn weigh(weights: &[f64; COPIES], value: impl Fn(usize) -> f64) -> f64 {
    weights.iter().enumerate().map(|(k, weight)| weight * value(k)).sum()
}

fn log_points(points: f64) -> f64 {
    (points.max(0.0).powi(2) + LEAST_SCORE * LEAST_SCORE).sqrt().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000_000;

    fn side(team: TeamStrength) -> SideStrength {
        SideStrength { team, player: None }
    }

    /// Plays rounds between a strong and a weak team.
    fn play(games: i64, scores: [f64; 2]) -> (LeagueStrength, [TeamStrength; 2]) {
        let mut league = LeagueStrength::default();
        let mut teams = [TeamStrength::default(); 2];
        for game in 0..games {
            league = league.at(2020, game * 7 * DAY, scores);
            // At home in turn, so that the lead is no home advantage.
            let order = if game % 2 == 0 { [0, 1] } else { [1, 0] };
            let mut sides = order.map(|team| side(teams[team].at(2020, game * 7 * DAY, &league)));
            league.learn(&mut sides, order.map(|team| scores[team]), false);
            for (place, team) in order.into_iter().enumerate() {
                teams[team] = sides[place].team;
            }
        }
        (league, teams)
    }

    #[test]
    fn who_keeps_winning_is_expected_to_win() {
        let (league, teams) = play(30, [3.0, 1.0]);
        let next = 30 * 7 * DAY;
        let sides = [1, 0].map(|team| side(teams[team].at(2020, next, &league)));
        let expected = league.expect(&sides, true);
        assert!(expected.margin_z < -0.3, "{expected:?}");
        assert!(expected.away > 2.2 && expected.home < 1.6, "{expected:?}");
        assert!(teams.iter().all(|team| team.attack.iter().all(|a| a.variance > 0.0)));
    }

    #[test]
    fn a_score_moves_each_part_by_its_share_of_the_variance() {
        let mut estimate = Estimate::new(0.1, 0.2);
        estimate.learn(1.0, 0.5, 1.0);
        assert!((estimate.mean - 0.2).abs() < 1e-6 && (estimate.variance - 0.16).abs() < 1e-6);
        let mut halved = Estimate::new(0.0, 0.2);
        halved.learn(-0.5, 1.0, 1.0);
        assert!((halved.mean + 0.1).abs() < 1e-6 && (halved.variance - 0.19).abs() < 1e-6);
    }

    #[test]
    fn time_makes_less_certain_and_a_season_away_makes_a_newcomer() {
        let (league, teams) = play(10, [2.0, 0.0]);
        let strong = teams[0];
        let later = strong.at(2020, 100 * 7 * DAY, &league);
        assert!(later.attack[0].variance > strong.attack[0].variance);
        assert!((later.attack[0].mean - strong.attack[0].mean).abs() < 1e-9);
        let back = strong.at(2029, 500 * 7 * DAY, &league);
        assert!((back.attack[5].mean - NEWCOMER).abs() < 0.05, "{:?}", back.attack[5]);
        let promoted = TeamStrength::default().at(2021, 0, &league);
        assert!(promoted.attack.iter().all(|a| (a.mean - NEWCOMER).abs() < 1e-9));
        let founder = TeamStrength::default().at(2020, 0, &league);
        assert!(founder.attack.iter().all(|a| a.mean == 0.0));
    }

    #[test]
    fn a_player_carries_his_worth_to_another_team() {
        let mut league = LeagueStrength::default();
        let mut player = PlayerStrength::default();
        for game in 0..40 {
            league = league.at(2020, game * 7 * DAY, [24.0, 14.0]);
            let fresh = || side(TeamStrength::default().at(2020, game * 7 * DAY, &league));
            let mut sides = [fresh(), fresh()];
            sides[0].player = Some(player.at(2020, game * 7 * DAY));
            league.learn(&mut sides, [24.0, 14.0], true);
            player = sides[0].player.unwrap();
        }
        assert!(player.described(&league) > 0.1, "{player:?}");
        let aged = player.at(2021, 60 * 7 * DAY);
        assert!((aged.worth[0].mean - PLAYER_CARRY * player.worth[0].mean).abs() < 1e-6);
    }

    #[test]
    fn the_filter_that_forecasts_best_weighs_most() {
        let mut league = LeagueStrength::default();
        assert!((league.weights()[0] - 1.0 / 6.0).abs() < 1e-12);
        league.score[3] = 4.0;
        let weights = league.weights();
        assert!(weights[3] > 0.9 && (weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
