//! One game from several sources becomes one game: names of teams, ids of sources, two games on a day, moved starts.
//!
//! The source that came first gives the teams their names. A name of another source is understood when it is written
//! alike (case, accents and punctuation aside) or when the league's alias table says whose it is. Nothing is guessed:
//! a game of which the teams or the date are not certain is refused, with the line that would make them certain.
//!
//! | what two sources say | what becomes of it |
//! |---|---|
//! | same teams, same date in the league's time zone | one game |
//! | an id of the source that was seen before, at another time | the same game, moved; it keeps its id |
//! | same teams twice on a day | two games, told apart by the source's number, its own ids, or the nearest start |
//! | same teams, a day apart | refused: either may have moved |
//! | home and away the other way round | refused |
//! | a name that nobody knows | refused, with the most likely team as a suggestion |
//!
//! # Example
//! ```
//! let aliases = data::Aliases::parse("name,team\nManchester United,Man United\n").unwrap();
//! assert_eq!(aliases.len(), 1);
//! assert!(data::Aliases::parse("from,to\n").unwrap_err().to_string().contains("name,team"));
//! ```

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use market::{Game, GameId, LeagueId, Name};

use crate::{DataError, Event, League, source::quote::time_zone};

mod aliases;
mod resolve;
mod rows;
mod similar;

pub use aliases::Aliases;
pub(crate) use resolve::{Resolved, Speaker};

/// Of two unnumbered games on a day, the one that starts this near is meant.
const NEAR: SignedDuration = SignedDuration::from_hours(3);

/// The games and teams of a league, as one source's payload meets them.
#[derive(Debug)]
pub(crate) struct Registry {
    league: LeagueId,
    zone: TimeZone,
    teams: HashMap<String, Name>,
    games: Vec<Known>,
    pairs: HashMap<(Name, Name), Vec<usize>>,
    events: HashMap<(Name, Name), usize>,
}

/// A game that was seen before.
#[derive(Debug)]
struct Known {
    id: GameId,
    season: i32,
    home: Name,
    away: Name,
    number: u8,
    starts: BTreeSet<Timestamp>,
    /// Sources that spoke of it, with their own ids.
    seen_by: HashSet<(Name, Option<Name>)>,
}

/// One source's word about a game, by the league's names.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) id: GameId,
    pub(crate) season: i32,
    pub(crate) home: Name,
    pub(crate) away: Name,
    pub(crate) start: Timestamp,
    pub(crate) number: u8,
    pub(crate) source: Name,
    pub(crate) event: Option<Name>,
}

impl Registry {
    /// Begins with what the lake knows of the league.
    pub(crate) fn new(league: &League, seen: impl IntoIterator<Item = Seen>) -> Result<Self, DataError> {
        let mut registry = Self {
            league: league.id.clone(),
            zone: time_zone(&league.time_zone)?,
            teams: HashMap::new(),
            games: Vec::new(),
            pairs: HashMap::new(),
            events: HashMap::new(),
        };
        let mut by_id = HashMap::new();
        for seen in seen {
            registry.note(seen, &mut by_id);
        }
        Ok(registry)
    }

    fn note(&mut self, seen: Seen, by_id: &mut HashMap<GameId, usize>) {
        for team in [&seen.home, &seen.away] {
            self.teams.entry(fold(team.as_str())).or_insert_with(|| team.clone());
        }
        let index = *by_id.entry(seen.id.clone()).or_insert_with(|| {
            let pair = (seen.home.clone(), seen.away.clone());
            self.pairs.entry(pair).or_default().push(self.games.len());
            self.games.push(Known {
                id: seen.id.clone(),
                season: seen.season,
                home: seen.home.clone(),
                away: seen.away.clone(),
                number: seen.number,
                starts: BTreeSet::new(),
                seen_by: HashSet::new(),
            });
            self.games.len() - 1
        });
        if let Some(event) = &seen.event {
            self.events.entry((seen.source.clone(), event.clone())).or_insert(index);
        }
        if let Some(game) = self.games.get_mut(index) {
            game.starts.insert(seen.start);
            game.seen_by.insert((seen.source, seen.event));
        }
    }

    fn date(&self, start: Timestamp) -> Date {
        start.to_zoned(self.zone.clone()).date()
    }

    fn games_of(&self, home: &Name, away: &Name) -> impl Iterator<Item = (usize, &Known)> {
        let indices = self.pairs.get(&(home.clone(), away.clone())).map(Vec::as_slice).unwrap_or_default();
        indices.iter().filter_map(|index| Some((*index, self.games.get(*index)?)))
    }
}

impl Known {
    fn is_claimed_by_another_event(&self, source: &Name, event: Option<&Name>) -> bool {
        self.seen_by.iter().any(|(by, known)| by == source && known.is_some() && known.as_ref() != event)
    }

    fn is_seen_by(&self, source: &Name) -> bool {
        self.seen_by.iter().any(|(by, _)| by == source)
    }

    fn distance(&self, start: Timestamp) -> SignedDuration {
        self.starts.iter().map(|known| known.duration_since(start).abs()).min().unwrap_or(SignedDuration::MAX)
    }
}

/// Writes a name so that case, accents and punctuation make no difference.
fn fold(name: &str) -> String {
    let folded = slug::slugify(name);
    if folded.is_empty() { name.to_owned() } else { folded }
}
