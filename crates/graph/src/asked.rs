//! A game as it is asked about: known or hypothetical, as of an instant, with what the question itself supposes.

use jiff::Timestamp;
use market::Name;

use crate::{
    Graph, GraphError, Relation, Seed,
    graph::Version,
    instant::{nanos, timestamp},
    rows::NONE,
    strength::PlayerStrength,
    walk::{LeagueState, Side},
};

/// A game, known or hypothetical, together with the instant from which it is looked at.
///
/// It comes from [`Graph::ask`] or [`Graph::hypothetical`] and is understood only by the graph that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// [`NONE`] for a hypothetical game.
    pub(crate) game: u32,
    pub(crate) fixture: Version,
    pub(crate) as_of: i64,
    pub(crate) supposed: Supposed,
}

impl Asked {
    /// Returns the game's season; that of the league's nearest game where it is hypothetical.
    pub fn season(&self) -> i32 {
        self.fixture.season
    }

    /// Returns the instant from which the game is looked at; never after its own result became known.
    pub fn as_of(&self) -> Timestamp {
        timestamp(self.as_of)
    }
}

/// What a question says beside the rows, or against them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Supposed {
    /// Where a hypothetical game is played.
    pub(crate) venue: Option<u32>,
    /// Whether nobody is at home in a hypothetical game.
    pub(crate) neutral: bool,
    /// Home's key player and away's.
    pub(crate) starters: [Starter; 2],
}

/// Who is a side's key player.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Starter {
    /// Who is stated; before that for the ratings whoever started the last game, if anybody is known.
    #[default]
    AsStated,
    /// This one.
    Named(u32),
    /// Somebody who has never started: all that are known are out.
    Newcomer,
}

impl Starter {
    /// Returns the player, where it is one that the question names.
    pub(crate) fn named(self) -> Option<u32> {
        match self {
            Self::Named(player) => Some(player),
            Self::AsStated | Self::Newcomer => None,
        }
    }
}

impl Graph {
    /// Looks at a known game in which the key players `out` do not play.
    ///
    /// A side whose stated key player, or before one is stated the one of its last game, is out gets the one who did so
    /// most recently for the team and is not; a newcomer where there is none. A side of which nobody is out stays as it is.
    /// Only what was known strictly before the seed's as-of counts.
    ///
    /// # Errors
    /// When one of `out` has neither started nor been named to start for either team by then.
    pub fn ask(&self, seed: Seed, out: &[Name]) -> Result<Asked, GraphError> {
        let mut asked = self.asked(seed.game, seed.as_of);
        if out.is_empty() {
            return Ok(asked);
        }
        let due = [0, 1].map(|side| self.due(&asked, side));
        let out = self.known_players(&asked, out)?;
        for (side, due) in due.into_iter().enumerate() {
            if due.is_some_and(|player| out.contains(&player)) {
                asked.supposed.starters[side] = self.starter(&asked, side, &out);
            }
        }
        Ok(asked)
    }

    /// Looks at a game as of an instant, which is never after its own result became known: nothing that
    /// follows from a seed's own outcome can then be seen.
    pub(crate) fn asked(&self, game: usize, as_of: Timestamp) -> Asked {
        let outcome = self.fixtures[game].outcome;
        let result = if outcome == NONE { i64::MAX } else { self.outcomes[outcome as usize].time };
        let as_of = nanos(as_of).min(result);
        let versions = self.versions.until(game as u32, i64::MAX);
        let visible = self.versions.until(game as u32, as_of);
        let fixture = *visible.last().unwrap_or(&versions[0]);
        Asked { game: game as u32, fixture, as_of, supposed: Supposed::default() }
    }

    /// Returns both sides as of the question, brought to the game's season and start.
    ///
    /// A side whose key player is not stated yet is taken to start whoever started its last game.
    pub(crate) fn sides(&self, asked: &Asked, league: &LeagueState) -> [Side; 2] {
        let Version { season, start, .. } = asked.fixture;
        [0, 1].map(|side| {
            let state = self.ratings.teams.before(asked.team(side), asked.as_of).copied().unwrap_or_default();
            let player = match asked.supposed.starters[side] {
                Starter::AsStated => self.stated_or(asked, side, state.starter),
                Starter::Named(player) => Some(player),
                Starter::Newcomer => Some(NONE),
            };
            let worth = |player: u32| {
                let known = self.ratings.players_before(player, asked.as_of).copied();
                known.unwrap_or_else(PlayerStrength::default).at(season, start)
            };
            Side { state: state.at(season, start, league), player: player.map(worth) }
        })
    }

    /// Returns the key player that a side would start by the rows alone.
    fn due(&self, asked: &Asked, side: usize) -> Option<u32> {
        let state = self.ratings.teams.before(asked.team(side), asked.as_of);
        self.stated_or(asked, side, state.map_or(NONE, |state| state.starter))
    }

    fn stated_or(&self, asked: &Asked, side: usize, last: u32) -> Option<u32> {
        let relation = [Relation::HomePlayer, Relation::AwayPlayer][side];
        let stated =
            (asked.game != NONE).then(|| self.relation(relation).latest(asked.game, asked.as_of)).flatten();
        stated.map(|(_, player)| player).or((last != NONE).then_some(last))
    }
}

impl Asked {
    /// Returns the team of a side: 0 home, 1 away.
    pub(crate) fn team(&self, side: usize) -> u32 {
        [self.fixture.home, self.fixture.away][side]
    }
}
