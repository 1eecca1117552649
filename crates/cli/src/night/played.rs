//! What finished games tell beside who won: how often each team has played, and how margins and totals fall.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lenses::circle_of_competence::effective_games;
use market::{Distribution, GameId, GameStatus, LeagueId, Market, Name, ResultRow};

use super::segments::HALF_LIFE_DAYS;

/// Fewer finished games than this have no shape: then a bet whose points moved has no closing line value.
const LEAST_GAMES: usize = 200;

/// The results known so far; it grows as more become known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Played {
    leagues: BTreeMap<LeagueId, Scores>,
    teams: BTreeMap<LeagueId, BTreeMap<Name, Vec<(GameId, Timestamp)>>>,
    counted: BTreeMap<GameId, Option<(i32, i32)>>,
}

#[derive(Debug, Clone, Default)]
struct Scores {
    games: usize,
    margins: BTreeMap<i32, usize>,
    totals: BTreeMap<i32, usize>,
}

impl Played {
    /// Counts results in the order in which they became known.
    pub(crate) fn of<'a>(results: impl IntoIterator<Item = &'a ResultRow>) -> Self {
        let mut played = Self::default();
        results.into_iter().for_each(|result| played.add(result));
        played
    }

    /// Counts one more; a correction takes the place of what it corrects.
    pub(crate) fn add(&mut self, result: &ResultRow) {
        let game = &result.game;
        let score = (result.status == GameStatus::Final).then(|| (result.margin(), result.total()));
        let before = self.counted.insert(game.game_id.clone(), score);
        let scores = self.leagues.entry(game.league.clone()).or_default();
        if let Some((margin, total)) = before.flatten() {
            scores.games -= 1;
            remove(&mut scores.margins, margin);
            remove(&mut scores.totals, total);
        }
        if let Some((margin, total)) = score {
            scores.games += 1;
            *scores.margins.entry(margin).or_default() += 1;
            *scores.totals.entry(total).or_default() += 1;
        }
        let teams = self.teams.entry(game.league.clone()).or_default();
        for team in [&game.home, &game.away] {
            let of_team = teams.entry(team.clone()).or_default();
            if before.is_some() {
                of_team.retain(|(id, _)| *id != game.game_id);
            }
            of_team.push((game.game_id.clone(), game.start_time));
        }
    }

    /// Returns how many games of a team count at `as_of`, recent ones more.
    pub(crate) fn games_of(&self, league: &LeagueId, team: &Name, as_of: Timestamp) -> f64 {
        let of_team = self.teams.get(league).and_then(|teams| teams.get(team));
        let age = |(_, start): &(GameId, Timestamp)| as_of.duration_since(*start).as_secs_f64() / 86_400.0;
        of_team.map_or(0.0, |games| effective_games(games.iter().map(age), HALF_LIFE_DAYS))
    }

    /// Returns how the totals of a league fall, or for any other market its margins; none of fewer than 200 games.
    pub(crate) fn shape(&self, league: &LeagueId, market: Market) -> Option<Distribution> {
        let scores = self.leagues.get(league).filter(|scores| scores.games >= LEAST_GAMES)?;
        let counts = if market == Market::Total { &scores.totals } else { &scores.margins };
        let (first, last) = (*counts.keys().next()?, *counts.keys().last()?);
        let share = |value: i32| counts.get(&value).map_or(0.0, |count| *count as f64 / scores.games as f64);
        Distribution::new(first, (first..=last).map(share).collect()).ok()
    }
}

fn remove(counts: &mut BTreeMap<i32, usize>, value: i32) {
    if let Some(count) = counts.get_mut(&value) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&value);
        }
    }
}

#[cfg(test)]
mod tests {
    use market::{Game, RawRef};

    use super::*;

    fn result(index: u32, home_score: u16) -> ResultRow {
        let nfl = LeagueId::new("nfl").unwrap();
        let start = "2021-11-12T01:20:00Z".parse().unwrap();
        let home = format!("H{index}");
        ResultRow {
            game: Game::new(&nfl, 2021, start, "2021-11-11".parse().unwrap(), &home, "BAL"),
            home_score,
            away_score: 10,
            status: GameStatus::Final,
            known_at: "2021-11-12T05:00:00Z".parse().unwrap(),
            source: "test".into(),
            raw_ref: RawRef { payload: "ab".into(), row: 0 },
        }
    }

    #[test]
    fn a_correction_takes_the_place_of_what_it_corrects() {
        let league = LeagueId::new("nfl").unwrap();
        let mut played = Played::of(&(0..200).map(|index| result(index, 13)).collect::<Vec<_>>());
        let sure = played.shape(&league, Market::Spread).unwrap();
        assert_eq!(sure.iter().collect::<Vec<_>>(), [(3, 1.0)]);
        played.add(&result(7, 17));
        let shape = played.shape(&league, Market::Total).unwrap();
        assert!((shape.probability(27) - 1.0 / 200.0).abs() < 1e-12, "{shape:?}");
        let as_of = result(0, 0).game.start_time;
        assert!(
            (played.games_of(&league, &"BAL".into(), as_of) - 200.0).abs() < 1e-9,
            "no game counts twice"
        );
        assert!((played.games_of(&league, &"H7".into(), as_of) - 1.0).abs() < 1e-9);
        played.add(&ResultRow { status: GameStatus::Abandoned, ..result(7, 0) });
        assert_eq!(played.shape(&league, Market::Spread), None, "199 are too few");
    }
}
