//! Games that nobody has scheduled: which teams exist as of an instant, and in which season they would meet.

use jiff::Timestamp;
use market::LeagueId;

use crate::{
    Graph, GraphError, NodeKind,
    graph::{Asked, Version},
    instant::nanos,
    rows::NONE,
};

impl Graph {
    /// Resolves a hypothetical game among the teams known strictly before `as_of`.
    pub(crate) fn hypothetical(
        &self,
        league: &LeagueId,
        home: &str,
        away: &str,
        start_time: Timestamp,
        as_of: Timestamp,
    ) -> Result<Asked, GraphError> {
        let (start, as_of) = (nanos(start_time), nanos(as_of));
        let index = self.league_index(league)?;
        let known: Vec<Version> =
            self.versions_before(as_of).filter(|version| version.league == index).collect();
        let nearest = known.iter().min_by_key(|version| (version.start.abs_diff(start), version.season));
        let fixture = Version {
            league: index,
            home: self.known_team(league, index, home, &known)?,
            away: self.known_team(league, index, away, &known)?,
            season: nearest.map_or(0, |version| version.season),
            start,
        };
        Ok(Asked { game: NONE, fixture, as_of })
    }

    fn league_index(&self, league: &LeagueId) -> Result<u32, GraphError> {
        let position = self.leagues().iter().position(|known| known.id == *league);
        position.map(|index| index as u32).ok_or_else(|| {
            let known: Vec<&str> = self.leagues().iter().map(|league| league.id.as_str()).collect();
            GraphError::UnknownLeague { league: league.to_string(), known: known.join(", ") }
        })
    }

    fn known_team(
        &self,
        league: &LeagueId,
        index: u32,
        team: &str,
        known: &[Version],
    ) -> Result<u32, GraphError> {
        let code = self.rows.code(team);
        let node = code.and_then(|code| self.nodes.find(NodeKind::Team, index, code));
        let seen = |node: u32| known.iter().any(|version| version.home == node || version.away == node);
        if let Some(node) = node.filter(|node| seen(*node)) {
            return Ok(node);
        }
        let mut nodes: Vec<u32> = known.iter().flat_map(|version| [version.home, version.away]).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let mut names: Vec<String> =
            nodes.into_iter().map(|node| self.node_name(NodeKind::Team, node as usize)).collect();
        names.sort_by_cached_key(|name| {
            strsim::damerau_levenshtein(&name.to_lowercase(), &team.to_lowercase())
        });
        names.truncate(3);
        Err(GraphError::UnknownTeam { team: team.to_owned(), league: league.to_string(), nearest: names })
    }
}
