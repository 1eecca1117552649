//! The states that one outcome moves on to the next, and how.
//!
//! Elo after the well-known NFL rating of 538: K = 20 times `ln(max(|margin|, 1) + 1)`, damped when the
//! favourite won, a third of the way back to 1500 between seasons; the home advantage is the league's own.
//! What scores are expected comes from [`strength`](crate::strength).

use crate::{
    instant::days,
    ratings::{Outcome, Surprise},
    rows::NONE,
    strength::{ExpectedScore, LeagueStrength, PlayerStrength, SideStrength, TeamStrength},
};

const ELO_START: f64 = 1500.0;
const ELO_K: f64 = 20.0;
/// Share of a rating's distance to the mean that survives between seasons.
const CARRY_OVER: f64 = 2.0 / 3.0;
/// Weight of the last game in a form.
const FORM_RATE: f64 = 0.2;
/// Weight of a league's game falls by this for each later game: a memory of about 700 games.
const LEAGUE_MEMORY: f64 = 0.999;
/// Games' worth of belief in the prior scale and home advantage.
const SCALE_PRIOR: f64 = 5.0;
const HOME_PRIOR: f64 = 30.0;
const HOME_SHARE: f64 = 0.57;

/// Decayed sums over a league's games: its scale of scores.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct LeagueState {
    weight: f64,
    margin: f64,
    margin_squared: f64,
    total: f64,
    total_squared: f64,
    share: f64,
    draws: f64,
    pub(crate) strength: LeagueStrength,
}

impl LeagueState {
    pub(crate) fn add(&mut self, margin: f64, total: f64) {
        let add = |sum: &mut f64, value: f64| *sum = *sum * LEAGUE_MEMORY + value;
        add(&mut self.weight, 1.0);
        add(&mut self.margin, margin);
        add(&mut self.margin_squared, margin * margin);
        add(&mut self.total, total);
        add(&mut self.total_squared, total * total);
        add(&mut self.share, share(margin));
        add(&mut self.draws, f64::from(u8::from(margin == 0.0)));
    }

    pub(crate) fn is_new(&self) -> bool {
        self.weight == 0.0
    }

    fn mean(&self, sum: f64) -> f64 {
        if self.weight > 0.0 { sum / self.weight } else { 0.0 }
    }

    pub(crate) fn mean_margin(&self) -> f64 {
        self.mean(self.margin)
    }

    pub(crate) fn mean_total(&self) -> f64 {
        self.mean(self.total)
    }

    pub(crate) fn draw_rate(&self) -> f64 {
        self.mean(self.draws)
    }

    /// Standard deviation of margins; begins at the root of the mean total, as for counts.
    pub(crate) fn margin_sd(&self) -> f64 {
        self.sd(self.margin, self.margin_squared)
    }

    /// Standard deviation of totals.
    pub(crate) fn total_sd(&self) -> f64 {
        self.sd(self.total, self.total_squared)
    }

    fn sd(&self, sum: f64, squared: f64) -> f64 {
        let prior = self.mean_total().max(1.0) * SCALE_PRIOR;
        let spread = (squared - sum * self.mean(sum)).max(0.0);
        ((prior + spread) / (SCALE_PRIOR + self.weight)).sqrt()
    }

    /// Home advantage in rating points, from the share of points that home sides take.
    pub(crate) fn home_advantage(&self) -> f64 {
        let share = (self.share + HOME_PRIOR * HOME_SHARE) / (self.weight + HOME_PRIOR);
        400.0 * (share / (1.0 - share)).log10()
    }

    /// Expects a game between two sides, which were brought to its season and start.
    pub(crate) fn expect(&self, sides: &[Side; 2], neutral: bool) -> Expected {
        let at_home = if neutral { 0.0 } else { 1.0 };
        let [home, away] = sides;
        Expected {
            elo_difference: home.state.elo - away.state.elo + at_home * self.home_advantage(),
            score: self.strength.expect(&sides.map(|side| side.strength()), neutral),
        }
    }

    pub(crate) fn surprise(&self, expected: &Expected, outcome: &Outcome) -> Surprise {
        Surprise {
            share: share(outcome.margin()) - expected.share(),
            margin: (outcome.margin() - expected.margin()) / self.margin_sd(),
            total: (outcome.total() - expected.total()) / self.total_sd(),
        }
    }
}

fn share(margin: f64) -> f64 {
    if margin > 0.0 {
        1.0
    } else if margin < 0.0 {
        0.0
    } else {
        0.5
    }
}

/// One side of a game: its team's state and its key player, where one is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Side {
    pub(crate) state: TeamState,
    pub(crate) player: Option<PlayerStrength>,
}

impl Side {
    pub(crate) fn strength(&self) -> SideStrength {
        SideStrength { team: self.state.strength, player: self.player }
    }
}

/// What the ratings expect of a game.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Expected {
    /// Rating points, home advantage included.
    pub(crate) elo_difference: f64,
    pub(crate) score: ExpectedScore,
}

impl Expected {
    pub(crate) fn margin(&self) -> f64 {
        self.score.home - self.score.away
    }

    pub(crate) fn total(&self) -> f64 {
        self.score.home + self.score.away
    }

    /// Home's expected share of the win.
    fn share(&self) -> f64 {
        1.0 / (1.0 + 10f64.powf(-self.elo_difference / 400.0))
    }
}

/// A team after some game.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TeamState {
    pub(crate) elo: f64,
    pub(crate) strength: TeamStrength,
    /// Its key player in the last game of which one is known, or [`NONE`].
    pub(crate) starter: u32,
    /// Decayed margin surprise in league standard deviations.
    pub(crate) form: f64,
    pub(crate) games: u32,
    pub(crate) season: i32,
    pub(crate) season_games: u32,
    /// Start of the last game.
    pub(crate) start: i64,
}

impl Default for TeamState {
    fn default() -> Self {
        Self {
            elo: ELO_START,
            strength: TeamStrength::default(),
            starter: NONE,
            form: 0.0,
            games: 0,
            season: i32::MIN,
            season_games: 0,
            start: 0,
        }
    }
}

impl TeamState {
    /// Brings every rating to a game of `season` that starts at `start`.
    pub(crate) fn at(mut self, season: i32, start: i64, league: &LeagueState) -> Self {
        self.strength = self.strength.at(season, start, &league.strength);
        self.in_season(season)
    }

    /// Carries the ratings over when `season` is later than the last game's.
    fn in_season(self, season: i32) -> Self {
        if self.games == 0 || season <= self.season {
            return self;
        }
        Self {
            elo: ELO_START + CARRY_OVER * (self.elo - ELO_START),
            form: CARRY_OVER * self.form,
            season_games: 0,
            season,
            ..self
        }
    }

    /// Learns from a game; `side` is 1 for the home side, -1 for the away side.
    pub(crate) fn after(
        self,
        outcome: &Outcome,
        expected: &Expected,
        surprise: &Surprise,
        side: f64,
    ) -> Self {
        let winner_ahead = outcome.margin().signum() * expected.elo_difference;
        let damping = if outcome.margin() == 0.0 { 1.0 } else { 2.2 / (2.2 + 0.001 * winner_ahead).max(0.5) };
        let weight = (outcome.margin().abs().max(1.0) + 1.0).ln() * damping;
        let player = outcome.involved[if side > 0.0 { 3 } else { 4 }];
        Self {
            elo: self.elo + side * ELO_K * weight * surprise.share,
            strength: self.strength,
            starter: if player == NONE { self.starter } else { player },
            form: (1.0 - FORM_RATE) * self.form + FORM_RATE * side * surprise.margin,
            games: self.games + 1,
            season: outcome.season,
            season_games: self.season_games + 1,
            start: outcome.start,
        }
    }

    /// Rating above 1500 in units of 200 points.
    pub(crate) fn elo_scaled(&self) -> f64 {
        (self.elo - ELO_START) / 200.0
    }

    /// Days from the last game's start to `instant`, if there was one.
    pub(crate) fn days_since(&self, instant: i64) -> Option<f64> {
        (self.games > 0).then(|| days(self.start, instant).max(0.0))
    }
}

/// A venue, coach, player or referee after some game.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Involvement {
    pub(crate) games: u32,
    /// Decayed margin surprise of the side it is on (home for venues and referees).
    pub(crate) margin: f64,
    /// Decayed total surprise.
    pub(crate) total: f64,
    pub(crate) start: i64,
}

impl Involvement {
    pub(crate) fn add(&mut self, margin: f64, total: f64, start: i64) {
        self.games += 1;
        self.margin += FORM_RATE * (margin - self.margin);
        self.total += FORM_RATE * (total - self.total);
        self.start = start;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_games_home_is_a_little_ahead() {
        let side = Side { state: TeamState::default(), player: None };
        let expected = LeagueState::default().expect(&[side; 2], false);
        assert!((expected.share() - HOME_SHARE).abs() < 1e-12, "the prior share and its rating agree");
        let neutral = LeagueState::default().expect(&[side; 2], true);
        assert!((neutral.share() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_rating_lead_gives_the_documented_share() {
        // Domain notes, section 6.7: +50 rating and +65 home make 0.6597079941.
        let expected = Expected { elo_difference: 115.0, score: ExpectedScore::default() };
        assert!((expected.share() - 0.659_707_994_1).abs() < 1e-9);
    }

    #[test]
    fn a_third_of_the_lead_is_lost_between_seasons() {
        let team = TeamState { elo: 1650.0, games: 3, season: 2020, season_games: 3, ..TeamState::default() };
        let next = team.in_season(2021);
        assert!((next.elo - 1600.0).abs() < 1e-9);
        assert_eq!((next.season_games, team.in_season(2020).season_games), (0, 3));
    }

    #[test]
    fn a_league_of_high_scores_has_a_wide_scale() {
        let mut league = LeagueState::default();
        for i in 0..200 {
            league.add(if i % 2 == 0 { 14.0 } else { -10.0 }, 44.0);
        }
        assert!((league.mean_margin() - 2.0).abs() < 0.1, "decay tilts the mean by a hair");
        assert!((league.margin_sd() - 12.0).abs() < 0.2, "200 games outweigh the prior of 5");
        assert!(league.total_sd() < 1.5, "only the prior is left");
    }
}
