//! One walk over all outcomes in the order in which they became known: Elo, strengths, form, league scale.
//!
//! Every state is kept with its instant, so a look-up as of any instant is a binary search and can see
//! nothing that became known at or after it.

use crate::{
    NodeKind,
    growth::Moved,
    nodes::MovedNodes,
    rows::NONE,
    strength::PlayerStrength,
    timeline::{History, last_states},
    walk::{Involvement, LeagueState, Side, TeamState},
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

/// Where players stand among the involved kinds.
const PLAYERS: usize = 2;

/// Everything the walk learnt, by instant.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Ratings {
    pub(crate) leagues: History<LeagueState>,
    pub(crate) teams: History<TeamState>,
    /// Venues, coaches, players, referees.
    pub(crate) involved: [History<Involvement>; 4],
    /// What key players are worth to their side.
    pub(crate) players: History<PlayerStrength>,
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
    /// Goes on through `later` outcomes, which are sorted by (time, game).
    pub(crate) fn grown(&self, later: &[Outcome], counts: &Counts, moved: &MovedNodes) -> Self {
        let kinds = [NodeKind::Venue, NodeKind::Coach, NodeKind::Player, NodeKind::Referee];
        let moved = |kind: NodeKind| &moved.0[kind as usize];
        let mut league_events: Vec<_> = self.leagues.moved(&Moved::nowhere(counts.leagues)).collect();
        let starter =
            |state: TeamState| TeamState { starter: moved(NodeKind::Player).of(state.starter), ..state };
        let team_events = self.teams.moved(moved(NodeKind::Team));
        let mut team_events: Vec<_> =
            team_events.map(|(team, time, state)| (team, time, starter(state))).collect();
        let mut involved_events: [Vec<_>; 4] =
            std::array::from_fn(|i| self.involved[i].moved(moved(kinds[i])).collect());
        let mut player_events: Vec<_> = self.players.moved(moved(NodeKind::Player)).collect();
        let mut leagues = last_states(&league_events, counts.leagues);
        let mut teams = last_states(&team_events, counts.teams);
        let mut involved: [Vec<Involvement>; 4] =
            std::array::from_fn(|i| last_states(&involved_events[i], counts.involved[i]));
        let mut players = last_states(&player_events, counts.involved[PLAYERS]);
        let mut vectors = self.outcomes.clone();
        for outcome in later {
            let league = &mut leagues[outcome.league as usize];
            let scores = [f64::from(outcome.home_score), f64::from(outcome.away_score)];
            let before = *league;
            league.add(outcome.margin(), outcome.total());
            league.strength = league.strength.at(outcome.season, outcome.start, scores);
            let involved_players = [outcome.involved[3], outcome.involved[4]];
            let nodes = [outcome.home, outcome.away];
            let sides = [0, 1].map(|side| Side {
                state: teams[nodes[side] as usize].at(outcome.season, outcome.start, league),
                player: players
                    .get(involved_players[side] as usize)
                    .map(|player| player.at(outcome.season, outcome.start)),
            });
            // A league's first game sets its scale, so it surprises nobody.
            let mut scale = if before.is_new() { *league } else { before };
            scale.strength = league.strength;
            let expected = scale.expect(&sides, outcome.neutral);
            let surprise = league.surprise(&expected, outcome);
            vectors.extend(vector(league, &sides, outcome, &surprise));
            let mut learnt = sides.map(|side| side.strength());
            league.strength.learn(&mut learnt, scores, outcome.neutral);
            league_events.push((outcome.league, outcome.time, *league));
            for side in [0, 1] {
                let sign = if side == 0 { 1.0 } else { -1.0 };
                let mut state = sides[side].state.after(outcome, &expected, &surprise, sign);
                state.strength = learnt[side].team;
                teams[nodes[side] as usize] = state;
                team_events.push((nodes[side], outcome.time, state));
                if let Some(player) = learnt[side].player {
                    players[involved_players[side] as usize] = player;
                    player_events.push((involved_players[side], outcome.time, player));
                }
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
            players: History::new(counts.involved[PLAYERS], player_events),
            outcomes: vectors,
        }
    }
}

impl Ratings {
    /// Returns a key player's state; none for [`NONE`] and for who has not played.
    pub(crate) fn players_before(&self, player: u32, as_of: i64) -> Option<&PlayerStrength> {
        (player != NONE).then(|| self.players.before(player, as_of)).flatten()
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
    sides: &[Side; 2],
    outcome: &Outcome,
    surprise: &Surprise,
) -> [f32; OUTCOME_WIDTH] {
    [
        outcome.margin() / league.margin_sd(),
        (outcome.total() - league.mean_total()) / league.total_sd(),
        surprise.share,
        surprise.margin,
        surprise.total,
        sides[0].state.elo_scaled(),
        sides[1].state.elo_scaled(),
        f64::from(u8::from(outcome.neutral)),
        f64::from(u8::from(outcome.home_score == outcome.away_score)),
    ]
    .map(crate::features::bounded)
}
