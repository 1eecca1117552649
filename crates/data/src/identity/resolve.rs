//! From a source's games to the league's.

use std::sync::Arc;

use super::{
    Aliases, BTreeSet, Date, Event, Game, GameId, HashMap, HashSet, Known, NEAR, Name, Registry, Seen,
    SignedDuration, Timestamp, fold,
    rows::{apply, said, suggested},
    similar::likeness,
};
use crate::Parsed;

/// A name that differs less than this from one that fell silent in a running season is taken for its misspelling.
const RENAMED: f64 = 0.8;
/// Games of a season before a new name in it is looked at with suspicion.
const RUNNING: usize = 20;

/// What became of a payload's games.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    /// What the source said about each game, by the league's names, and the raw row that said it.
    pub(crate) seen: Vec<(Seen, u32)>,
    /// Names of teams that were not understood.
    pub(crate) unknown: BTreeSet<String>,
    /// Games that were seen at another start before.
    pub(crate) moved: HashSet<GameId>,
}

/// One source as it names games.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Speaker<'a> {
    pub(crate) source: &'a Name,
    /// Whether the league's teams bear this source's names.
    pub(crate) names_teams: bool,
    pub(crate) aliases: &'a Aliases,
}

/// A game as the source wrote it.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) game: Arc<Game>,
    pub(super) event: Event,
    pub(super) row: u32,
}

/// The league's game, or why it is not certain and what was said.
pub(super) type Outcome = Result<Arc<Game>, (&'static str, String)>;

impl Registry {
    /// Gives every row the game of the league that it speaks of; rows of which that is not certain are refused.
    pub(crate) fn resolve(&mut self, speaker: &Speaker<'_>, parsed: &mut Parsed) -> Resolved {
        let mut resolved = Resolved::default();
        let said = said(parsed);
        let present: HashSet<String> = said
            .values()
            .flat_map(|said| [fold(said.game.home.as_str()), fold(said.game.away.as_str())])
            .collect();
        let mut outcomes: HashMap<(Timestamp, GameId), Outcome> = HashMap::new();
        let mut waiting = Vec::new();
        let mut by_id: HashMap<GameId, usize> =
            self.games.iter().enumerate().map(|(index, game)| (game.id.clone(), index)).collect();
        for (key, said) in said {
            match self.teams_of(speaker, &said, &present, &mut resolved.unknown) {
                Err(refusal) => _ = outcomes.insert(key, Err(refusal)),
                Ok(teams) => waiting.push((key, said, teams)),
            }
        }
        // Who meets on the same date is certain, and leaves the fewer games to those who do not.
        for exact in [true, false] {
            for (key, said, (home, away)) in std::mem::take(&mut waiting) {
                let found = self.find(speaker, &said, &home, &away, exact);
                let outcome = match found {
                    Ok(None) if exact => {
                        waiting.push((key, said, (home, away)));
                        continue;
                    }
                    Err(refusal) => Err(refusal),
                    Ok(found) => {
                        Ok(self.take(speaker, &said, (home, away), found, &mut by_id, &mut resolved))
                    }
                };
                outcomes.insert(key, outcome);
            }
        }
        apply(parsed, &outcomes);
        resolved
    }

    fn teams_of(
        &self,
        speaker: &Speaker<'_>,
        said: &Said,
        present: &HashSet<String>,
        unknown: &mut BTreeSet<String>,
    ) -> Result<(Name, Name), (&'static str, String)> {
        let home = self.team(speaker, &said.game.home, said.game.season, present);
        let away = self.team(speaker, &said.game.away, said.game.season, present);
        let date = self.date(said.game.start_time);
        match (home, away) {
            (Some(home), Some(away)) if home == away => {
                Err(("both teams are the same", format!("{} and {}", said.game.home, said.game.away)))
            }
            (Some(home), Some(away)) => Ok((home, away)),
            (home, away) => {
                let mut lines = Vec::new();
                for (found, raw, other, is_home) in
                    [(&home, &said.game.home, &away, true), (&away, &said.game.away, &home, false)]
                {
                    if found.is_none() {
                        unknown.insert(raw.to_string());
                        let opponents = other
                            .as_ref()
                            .map(|other| self.opponents(other, date, !is_home))
                            .unwrap_or_default();
                        lines.push(suggested(raw, self.suggestion(raw.as_str(), &opponents)));
                    }
                }
                Err(("a team's name is unknown in this league", lines.join("; ")))
            }
        }
    }

    /// Returns the teams that meet a team on a date.
    fn opponents(&self, team: &Name, date: Date, at_home: bool) -> Vec<Name> {
        let on = |game: &&Known| game.starts.iter().any(|start| self.date(*start) == date);
        let mine = self.games.iter().filter(|game| *if at_home { &game.home } else { &game.away } == *team);
        mine.filter(on).map(|game| if at_home { game.away.clone() } else { game.home.clone() }).collect()
    }

    fn team(
        &self,
        speaker: &Speaker<'_>,
        raw: &Name,
        season: i32,
        present: &HashSet<String>,
    ) -> Option<Name> {
        if let Some(team) = speaker.aliases.team(speaker.source.as_str(), raw.as_str()) {
            return Some(team.clone());
        }
        if let Some(team) = self.teams.get(&fold(raw.as_str())) {
            return Some(team.clone());
        }
        (speaker.names_teams && !self.is_renamed(raw, season, present)).then(|| raw.clone())
    }

    /// Returns whether a new name in a running season looks like that of a team that this payload no longer names.
    fn is_renamed(&self, raw: &Name, season: i32, present: &HashSet<String>) -> bool {
        let games: Vec<&Known> = self.games.iter().filter(|game| game.season == season).collect();
        if games.len() < RUNNING {
            return false;
        }
        let teams: BTreeSet<&Name> = games.iter().flat_map(|game| [&game.home, &game.away]).collect();
        teams
            .into_iter()
            .filter(|team| !present.contains(&fold(team.as_str())))
            .any(|silent| likeness(raw.as_str(), silent.as_str()) >= RENAMED)
    }

    /// Finds the game that is meant: none when it is a new one, a refusal when that is not certain.
    fn find(
        &self,
        speaker: &Speaker<'_>,
        said: &Said,
        home: &Name,
        away: &Name,
        exact: bool,
    ) -> Result<Option<usize>, (&'static str, String)> {
        let start = said.game.start_time;
        let date = self.date(start);
        let event = said.event.id.as_ref();
        if let Some(index) = event.and_then(|event| self.events.get(&(speaker.source.clone(), event.clone())))
        {
            let same = self.games.get(*index).is_some_and(|game| (&game.home, &game.away) == (home, away));
            let told = || format!("{home} against {away} under an id that was another game's");
            return if same { Ok(Some(*index)) } else { Err(("the source's id is another game's", told())) };
        }
        let on_day = |game: &Known| game.starts.iter().any(|start| self.date(*start) == date);
        let free = |game: &Known| !game.is_claimed_by_another_event(speaker.source, event);
        let today: Vec<(usize, &Known)> =
            self.games_of(home, away).filter(|(_, game)| on_day(game)).collect();
        let open: Vec<(usize, &Known)> = today.iter().copied().filter(|(_, game)| free(game)).collect();
        if let Some(number) = said.event.number {
            return match today.iter().find(|(_, game)| game.number == number) {
                Some((index, game)) if free(game) => Ok(Some(*index)),
                Some(_) => Err((
                    "two of the source's games have the same teams, day and number",
                    format!("{home} against {away} on {date}, number {number}"),
                )),
                None => Ok(None),
            };
        }
        match open.as_slice() {
            [] => {}
            [(index, game)] if today.len() == 1 || game.distance(start) <= NEAR => return Ok(Some(*index)),
            several => {
                let near: Vec<_> = several.iter().filter(|(_, game)| game.distance(start) <= NEAR).collect();
                return match near.as_slice() {
                    [(index, _)] => Ok(Some(*index)),
                    _ => Err((
                        "which of the day's games of these teams is meant is not certain",
                        format!("{home} against {away} at {start}"),
                    )),
                };
            }
        }
        if exact || speaker.names_teams {
            return Ok(None);
        }
        if self.games_of(away, home).any(|(_, game)| on_day(game)) {
            return Err((
                "home and away stand the other way round in another source",
                format!("{home} against {away} on {date}"),
            ));
        }
        let beside = |game: &Known| {
            game.distance(start) <= SignedDuration::from_hours(36) && !game.is_seen_by(speaker.source)
        };
        if today.is_empty() && self.games_of(home, away).any(|(_, game)| beside(game)) {
            return Err((
                "the date differs by a day from that of another source",
                format!("{home} against {away} at {start}"),
            ));
        }
        Ok(None)
    }

    /// Notes what was said of a game and returns the game under the league's names.
    fn take(
        &mut self,
        speaker: &Speaker<'_>,
        said: &Said,
        (home, away): (Name, Name),
        found: Option<usize>,
        by_id: &mut HashMap<GameId, usize>,
        resolved: &mut Resolved,
    ) -> Arc<Game> {
        let start = said.game.start_time;
        let known = found.and_then(|index| self.games.get(index));
        let (id, season, number) = if let Some(known) = known {
            (known.id.clone(), known.season, known.number)
        } else {
            let today = self.date(start);
            let taken = |game: &Known| game.starts.iter().any(|start| self.date(*start) == today);
            let beside: Vec<u8> = self
                .games_of(&home, &away)
                .filter(|(_, game)| taken(game))
                .map(|(_, game)| game.number)
                .collect();
            let free = || (1..=u8::MAX).find(|number| !beside.contains(number)).unwrap_or(u8::MAX);
            let number = said.event.number.unwrap_or_else(free);
            (self.new_id(said, &home, &away, number), said.game.season, number)
        };
        if known.is_some_and(|game| game.is_seen_by(speaker.source) && !game.starts.contains(&start)) {
            resolved.moved.insert(id.clone());
        }
        let game = Game { league: self.league.clone(), game_id: id, season, start_time: start, home, away };
        let seen = Seen {
            id: game.game_id.clone(),
            season,
            home: game.home.clone(),
            away: game.away.clone(),
            start,
            number,
            source: speaker.source.clone(),
            event: said.event.id.clone(),
        };
        self.note(seen.clone(), by_id);
        resolved.seen.push((seen, said.row));
        if *said.game == game { said.game.clone() } else { Arc::new(game) }
    }

    fn new_id(&self, said: &Said, home: &Name, away: &Name, number: u8) -> GameId {
        let as_said = (home, away) == (&said.game.home, &said.game.away);
        if as_said && said.event == Event::default() && number == 1 {
            return said.game.game_id.clone();
        }
        let id = GameId::of(&self.league, self.date(said.game.start_time), home.as_str(), away.as_str());
        if number == 1 { id } else { GameId::from_text(&format!("{id}_{number}")) }
    }
}
