//! One walk over all outcomes in the order in which they became known: Elo, attack and defence, form, league scale.
//!
//! Every state is kept with its instant, so a look-up as of any instant is a binary search and can see
//! nothing that became known at or after it.

use crate::{
    rows::NONE,
    timeline::History,
    walk::{Involvement, LeagueState, TeamState},
};

/// Number of values that describe an outcome.
pub(crate) const OUTCOME_WIDTH: usize = 9;

/// A final result, as the graph keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// When it became known.
    pub(crate) time: i64,
    pub(crate) game: u32,
    pub(crate) league: u32,
    pub(crate) home: u32,
    pub(crate) away: u32,
    pub(crate) season: i32,
    pub(crate) start: i64,
    pub(crate) home_score: u16,
    pub(crate) away_score: u16,
    /// As known by `time`.
    pub(crate) neutral: bool,
    /// Venue, home coach, away coach, home player, away player, referee, as known by `time`.
    pub(crate) involved: [u32; 6],
}

impl Outcome {
    pub(crate) fn margin(&self) -> f64 {
        f64::from(self.home_score) - f64::from(self.away_score)
    }

    pub(crate) fn total(&self) -> f64 {
        f64::from(self.home_score) + f64::from(self.away_score)
    }
}

/// Which history an involved name belongs to, in the order of [`Outcome::involved`], and whose side it is on.
const INVOLVED: [(usize, f64); 6] = [(0, 1.0), (1, 1.0), (1, -1.0), (2, 1.0), (2, -1.0), (3, 1.0)];

/// Everything the walk learnt, by instant.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ratings {
    pub(crate) leagues: History<LeagueState>,
    pub(crate) teams: History<TeamState>,
    /// Venues, coaches, players, referees.
    pub(crate) involved: [History<Involvement>; 4],
    /// `[outcomes, OUTCOME_WIDTH]`.
    pub(crate) outcomes: Vec<f32>,
}

/// How many nodes there are: leagues, teams, and venues, coaches, players, referees.
pub(crate) struct Counts {
    pub(crate) leagues: usize,
    pub(crate) teams: usize,
    pub(crate) involved: [usize; 4],
}

impl Ratings {
    /// Walks the outcomes, which are sorted by (time, game).
    pub(crate) fn walk(outcomes: &[Outcome], counts: &Counts) -> Self {
        let mut leagues = vec![LeagueState::default(); counts.leagues];
        let mut teams = vec![TeamState::default(); counts.teams];
        let mut involved = counts.involved.map(|count| vec![Involvement::default(); count]);
        let mut league_events = Vec::with_capacity(outcomes.len());
        let mut team_events = Vec::with_capacity(2 * outcomes.len());
        let mut involved_events: [Vec<_>; 4] = Default::default();
        let mut vectors = Vec::with_capacity(OUTCOME_WIDTH * outcomes.len());
        for outcome in outcomes {
            let league = &mut leagues[outcome.league as usize];
            let home = teams[outcome.home as usize].in_season(outcome.season);
            let away = teams[outcome.away as usize].in_season(outcome.season);
            let before = *league;
            league.add(outcome.margin(), outcome.total());
            // A league's first game sets its scale, so it surprises nobody.
            let scale = if before.is_new() { *league } else { before };
            let expected = scale.expect(&home, &away, outcome.neutral);
            let surprise = league.surprise(&expected, outcome);
            vectors.extend(vector(league, &home, &away, outcome, &surprise));
            league_events.push((outcome.league, outcome.time, *league));
            for (node, state) in [
                (outcome.home, home.after(outcome, &expected, &surprise, 1.0)),
                (outcome.away, away.after(outcome, &expected, &surprise, -1.0)),
            ] {
                teams[node as usize] = state;
                team_events.push((node, outcome.time, state));
            }
            for (&node, (kind, side)) in outcome.involved.iter().zip(INVOLVED) {
                if node != NONE {
                    let state = &mut involved[kind][node as usize];
                    state.add(side * surprise.margin, surprise.total, outcome.start);
                    involved_events[kind].push((node, outcome.time, *state));
                }
            }
        }
        let mut kinds = counts.involved.into_iter();
        Self {
            leagues: History::new(counts.leagues, league_events),
            teams: History::new(counts.teams, team_events),
            involved: involved_events.map(|events| History::new(kinds.next().unwrap_or(0), events)),
            outcomes: vectors,
        }
    }
}

/// How far an outcome was from what was expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Surprise {
    /// Home's share (1, ½, 0) minus the Elo expectation.
    pub(crate) share: f64,
    /// Margin minus expected margin, in the league's standard deviations.
    pub(crate) margin: f64,
    /// Total minus expected total, in the league's standard deviations.
    pub(crate) total: f64,
}

/// The outcome's features, in the order of `features::columns`; `league` has this game in it already.
fn vector(
    league: &LeagueState,
    home: &TeamState,
    away: &TeamState,
    outcome: &Outcome,
    surprise: &Surprise,
) -> [f32; OUTCOME_WIDTH] {
    [
        outcome.margin() / league.margin_sd(),
        (outcome.total() - league.mean_total()) / league.total_sd(),
        surprise.share,
        surprise.margin,
        surprise.total,
        home.elo_scaled(),
        away.elo_scaled(),
        f64::from(u8::from(outcome.neutral)),
        f64::from(u8::from(outcome.home_score == outcome.away_score)),
    ]
    .map(crate::features::bounded)
}
