//! Games that nobody has scheduled: which teams, venues and key players exist as of an instant, and in which season they
//! would meet.
//!
//! # Example
//! ```
//! use data::Snapshot;
//! use graph::{Graph, GraphError, hypothetical::Meeting};
//! use market::LeagueId;
//! let as_of = "2021-11-11T09:00:00Z".parse().unwrap();
//! let graph = Graph::build(&Snapshot::new(as_of, vec![], vec![], vec![], vec![]));
//! let league = LeagueId::new("nfl").unwrap();
//! let meeting = Meeting { venue: Some("Wembley Stadium"), ..Meeting::new(&league, "MIA", "BAL", as_of) };
//! assert!(matches!(graph.hypothetical(&meeting, as_of), Err(GraphError::UnknownLeague { .. })));
//! ```

use std::collections::BTreeSet;

use jiff::Timestamp;
use market::{LeagueId, Name};

use crate::{
    Asked, Graph, GraphError, NodeKind, Relation, asked::Supposed, graph::Version, instant::nanos,
    ratings::Outcome, rows::NONE,
};

/// Names that an error suggests.
const SUGGESTED: usize = 3;

/// Two teams that meet, whether anybody scheduled it or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meeting<'a> {
    /// Their league.
    pub league: &'a LeagueId,
    /// Home team.
    pub home: &'a str,
    /// Away team.
    pub away: &'a str,
    /// Start.
    pub start_time: Timestamp,
    /// Where; the home team's last venue at home when absent.
    pub venue: Option<&'a str>,
    /// Key players of either team who do not play.
    pub out: &'a [Name],
}

impl<'a> Meeting<'a> {
    /// Describes a meeting at the home team's own venue with everybody there.
    pub fn new(league: &'a LeagueId, home: &'a str, away: &'a str, start_time: Timestamp) -> Self {
        Self { league, home, away, start_time, venue: None, out: &[] }
    }
}

impl Graph {
    /// Looks at a game that need not exist among the teams, venues and key players known strictly before `as_of`.
    ///
    /// - Its season is that of the league's known game nearest to the start; it has no lines, coaches or referee.
    /// - It is played at the venue named, else where the home team was last at home in a finished game; in a league without
    ///   venues nowhere. Nobody is at home at a venue where the home team, whose own is known, has never been at home nor
    ///   is due to be.
    /// - Each side's key player is the one of its last finished game of which one is known, leaving aside those `out`; where
    ///   all are out, a newcomer; in a league without key players nobody.
    ///
    /// Venue and key players count as stated at the as-of, so their edges have the age 0.
    ///
    /// # Errors
    /// When the league, a team, the venue or a player who is out is not known by then; the error names the nearest ones.
    pub fn hypothetical(&self, meeting: &Meeting<'_>, as_of: Timestamp) -> Result<Asked, GraphError> {
        let (start, as_of) = (nanos(meeting.start_time), nanos(as_of));
        let league = self.league_index(meeting.league)?;
        let team = |name: &str| self.known_team(meeting.league, league, name, as_of);
        let fixture = Version {
            league,
            home: team(meeting.home)?,
            away: team(meeting.away)?,
            season: self.calendar.season(league, start, as_of).unwrap_or(0),
            start,
        };
        let mut asked = Asked { game: NONE, fixture, as_of, supposed: Supposed::default() };
        asked.supposed.venue = match meeting.venue {
            None => self.home_venues(&asked).next(),
            Some(venue) => Some(self.known_venue(meeting.league, league, venue, as_of)?),
        };
        asked.supposed.neutral = self.is_away_from_home(&asked);
        let out = self.known_players(&asked, meeting.out)?;
        asked.supposed.starters = [0, 1].map(|side| self.starter(&asked, side, &out));
        Ok(asked)
    }

    fn league_index(&self, league: &LeagueId) -> Result<u32, GraphError> {
        let position = self.leagues().iter().position(|known| known.id == *league);
        position.map(|index| index as u32).ok_or_else(|| {
            let known: Vec<&str> = self.leagues().iter().map(|league| league.id.as_str()).collect();
            GraphError::UnknownLeague { league: league.to_string(), known: known.join(", ") }
        })
    }

    /// Returns the league's games as known strictly before `as_of`, each with its latest header.
    fn known_games(&self, league: u32, as_of: i64) -> impl Iterator<Item = (u32, &Version)> {
        let versions = (0..self.games.len() as u32)
            .filter_map(move |game| Some((game, self.versions.before(game, as_of)?)));
        versions.filter(move |(_, version)| version.league == league)
    }

    fn known_team(&self, league: &LeagueId, index: u32, team: &str, as_of: i64) -> Result<u32, GraphError> {
        let code = self.rows.code(team);
        let node = code.and_then(|code| self.nodes.find(NodeKind::Team, index, code));
        // A team that has played is known; all games are gone through only for one that has not.
        if let Some(node) = node.filter(|node| self.ratings.teams.before(*node, as_of).is_some()) {
            return Ok(node);
        }
        let teams = self.known_games(index, as_of).flat_map(|(_, version)| [version.home, version.away]);
        let known: BTreeSet<u32> = teams.collect();
        node.filter(|node| known.contains(node)).ok_or_else(|| GraphError::UnknownTeam {
            team: team.to_owned(),
            league: league.to_string(),
            nearest: nearest(
                team,
                known.into_iter().map(|node| self.node_name(NodeKind::Team, node as usize)),
            ),
        })
    }

    fn known_venue(&self, league: &LeagueId, index: u32, venue: &str, as_of: i64) -> Result<u32, GraphError> {
        let code = self.rows.code(venue);
        let node = code.and_then(|code| self.nodes.find(NodeKind::Venue, index, code));
        let played = |node: &u32| !self.relation(Relation::VenueOutcome).before(*node, as_of).1.is_empty();
        if let Some(node) = node.filter(played) {
            return Ok(node);
        }
        let stated = |game: u32| self.relation(Relation::PlayedAt).before(game, as_of).1;
        let known: BTreeSet<u32> =
            self.known_games(index, as_of).flat_map(|(game, _)| stated(game).iter().copied()).collect();
        node.filter(|node| known.contains(node)).ok_or_else(|| GraphError::UnknownVenue {
            venue: venue.to_owned(),
            league: league.to_string(),
            nearest: nearest(
                venue,
                known.into_iter().map(|node| self.node_name(NodeKind::Venue, node as usize)),
            ),
        })
    }

    /// Returns where the home team was at home in finished games, the most recent first.
    fn home_venues(&self, asked: &Asked) -> impl Iterator<Item = u32> {
        let (_, games) = self.relation(Relation::TeamHomeOutcome).before(asked.fixture.home, asked.as_of);
        let outcomes = games.iter().rev().map(|outcome| &self.outcomes[*outcome as usize]);
        let at_home = outcomes.filter(|outcome| !outcome.neutral);
        at_home.map(|outcome: &Outcome| outcome.involved[0]).filter(|venue| *venue != NONE)
    }

    /// Whether the home team's own venues are known and the game is at none of them.
    fn is_away_from_home(&self, asked: &Asked) -> bool {
        let Some(venue) = asked.supposed.venue else { return false };
        let mut own = self.home_venues(asked).peekable();
        if own.peek().is_none() || own.any(|own| own == venue) {
            return false;
        }
        let is_due = |(game, version): (u32, &Version)| {
            let at = self.relation(Relation::PlayedAt).latest(game, asked.as_of);
            let neutral = self.numbers[0].latest(game, asked.as_of);
            version.home == asked.fixture.home
                && at.is_some_and(|(_, at)| at == venue)
                && neutral.is_none_or(|(_, neutral)| neutral != 1)
        };
        !self.known_games(asked.fixture.league, asked.as_of).any(is_due)
    }
}

/// Returns the few names nearest to what was asked by edit distance, nearest first.
pub(crate) fn nearest(asked: &str, known: impl Iterator<Item = String>) -> Vec<String> {
    let asked = asked.to_lowercase();
    let mut names: Vec<String> = known.collect();
    names.sort_by_cached_key(|name| strsim::damerau_levenshtein(&name.to_lowercase(), &asked));
    names.truncate(SUGGESTED);
    names
}
