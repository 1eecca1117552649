//! Who played the key role for a team, the most recent first, as of an instant.

use std::collections::BTreeSet;

use market::Name;

use crate::{
    Graph, GraphError, NodeKind, Relation,
    asked::{Asked, Starter},
    hypothetical::nearest,
    ratings::Outcome,
    rows::NONE,
};

/// Where both sides' key players stand in [`Outcome::involved`].
const PLAYERS: [usize; 2] = [3, 4];

impl Graph {
    /// Returns the key player of a side's last finished game who is not `out`; a newcomer where all known ones are.
    ///
    /// A team of which none is known starts whom the rows state, that is nobody in a hypothetical game.
    pub(crate) fn starter(&self, asked: &Asked, side: usize, out: &[u32]) -> Starter {
        let mut past = self.past_starters(asked.team(side), asked.as_of).peekable();
        let is_known = past.peek().is_some() || asked.game != NONE;
        match past.find(|player| !out.contains(player)) {
            Some(player) => Starter::Named(player),
            None if is_known => Starter::Newcomer,
            None => Starter::AsStated,
        }
    }

    /// Returns the players of these names.
    ///
    /// # Errors
    /// When one has neither started nor been named to start for either team before the as-of.
    pub(crate) fn known_players(&self, asked: &Asked, names: &[Name]) -> Result<Vec<u32>, GraphError> {
        let player = |name: &Name| {
            let code = self.rows.code(name.as_str())?;
            let node = self.nodes.find(NodeKind::Player, asked.fixture.league, code)?;
            let mut past =
                [0, 1].into_iter().flat_map(|side| self.past_starters(asked.team(side), asked.as_of));
            (past.any(|known| known == node) || self.named_starters(asked).contains(&node)).then_some(node)
        };
        names
            .iter()
            .map(|name| player(name).ok_or_else(|| self.unknown_player(asked, name.as_str())))
            .collect()
    }

    fn unknown_player(&self, asked: &Asked, player: &str) -> GraphError {
        let mut known = self.named_starters(asked);
        known.extend([0, 1].into_iter().flat_map(|side| self.past_starters(asked.team(side), asked.as_of)));
        let known = known.into_iter().map(|node| self.node_name(NodeKind::Player, node as usize));
        let [home, away] = [0, 1].map(|side| self.node_name(NodeKind::Team, asked.team(side) as usize));
        GraphError::UnknownPlayer {
            player: player.to_owned(),
            teams: format!("{home} or {away}"),
            nearest: nearest(player, known),
        }
    }

    /// Returns who was named to start for either team, in games that may not be finished yet: one pass over all games.
    fn named_starters(&self, asked: &Asked) -> BTreeSet<u32> {
        let teams = [asked.team(0), asked.team(1)];
        let mut named = BTreeSet::new();
        for game in 0..self.games.len() as u32 {
            let Some(version) = self.versions.before(game, asked.as_of) else { continue };
            let sides = [(version.home, Relation::HomePlayer), (version.away, Relation::AwayPlayer)];
            for (_, relation) in sides.into_iter().filter(|(team, _)| teams.contains(team)) {
                named.extend(self.relation(relation).before(game, asked.as_of).1);
            }
        }
        named
    }

    /// Returns the key players of a team's finished games, the most recent first, as often as they started.
    fn past_starters(&self, team: u32, as_of: i64) -> impl Iterator<Item = u32> {
        let starter = |(outcome, side): (&Outcome, usize)| outcome.involved[PLAYERS[side]];
        self.past_games(team, as_of).map(starter).filter(|player| *player != NONE)
    }

    /// Returns a team's finished games, the most recently known first, and which side it was on.
    fn past_games(&self, team: u32, as_of: i64) -> impl Iterator<Item = (&Outcome, usize)> {
        // Outcomes are numbered in the order in which they became known.
        let of = |relation: Relation| self.relation(relation).before(team, as_of).1.iter().rev().peekable();
        let (mut home, mut away) = (of(Relation::TeamHomeOutcome), of(Relation::TeamAwayOutcome));
        std::iter::from_fn(move || {
            let side = usize::from(home.peek() < away.peek());
            let outcome = if side == 0 { home.next() } else { away.next() }?;
            Some((&self.outcomes[*outcome as usize], side))
        })
    }
}
