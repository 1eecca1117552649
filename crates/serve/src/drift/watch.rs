//! The forecasts that are compared: the first ones of the model that serves, and its last ones, per league.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

use market::{Game, LeagueId};

use super::{FEWEST, Stability, stability};

/// Most games on either side, per league; the oldest go first.
const MOST: usize = 1000;
/// Most leagues; further ones are not watched.
const LEAGUES: usize = 64;

/// Remembers forecasts and compares them.
#[derive(Debug, Default)]
pub(crate) struct Drift {
    leagues: Mutex<BTreeMap<LeagueId, Watch>>,
    hasher: RandomState,
}

impl Drift {
    /// Forgets everything: another model answers.
    pub(crate) fn reset(&self) {
        self.lock().clear();
    }

    /// Takes a forecast that the model began with.
    pub(crate) fn refer(&self, game: &Game, home: f64) {
        let id = self.hasher.hash_one(&game.game_id);
        if let Some(watch) = watch(&mut self.lock(), &game.league) {
            watch.reference.put(id, home);
        }
    }

    /// Takes a forecast; says whether its league is watched.
    ///
    /// A game that was seen before only has its probability replaced. While the reference is too small, new games
    /// make it larger and are not compared with it.
    pub(crate) fn see(&self, game: &Game, home: f64) -> bool {
        let id = self.hasher.hash_one(&game.game_id);
        let mut leagues = self.lock();
        let Some(watch) = watch(&mut leagues, &game.league) else { return false };
        watch.side().put(id, home);
        true
    }

    /// Returns every league with the number of its recent games, and the comparison where there are games enough.
    pub(crate) fn read(&self) -> Vec<(LeagueId, usize, Option<Stability>)> {
        // Copied out, so that no forecast waits for the sorting.
        let read = |(league, watch): (&LeagueId, &Watch)| {
            (league.clone(), watch.reference.probabilities(), watch.recent.probabilities())
        };
        let copied: Vec<_> = self.lock().iter().map(read).collect();
        let compare = |(league, reference, recent): (LeagueId, Vec<f64>, Vec<f64>)| {
            (league, recent.len(), stability(&reference, &recent))
        };
        copied.into_iter().map(compare).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<LeagueId, Watch>> {
        self.leagues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the league's watch, a new one while there is room.
fn watch<'a>(leagues: &'a mut BTreeMap<LeagueId, Watch>, league: &LeagueId) -> Option<&'a mut Watch> {
    if !leagues.contains_key(league) {
        if leagues.len() == LEAGUES {
            return None;
        }
        leagues.insert(league.clone(), Watch::default());
    }
    leagues.get_mut(league)
}

#[derive(Debug, Default)]
struct Watch {
    reference: Games,
    recent: Games,
}

impl Watch {
    /// Returns where a forecast belongs.
    fn side(&mut self) -> &mut Games {
        if self.reference.order.len() < FEWEST { &mut self.reference } else { &mut self.recent }
    }
}

/// The last probability of each of the last games.
#[derive(Debug, Default)]
struct Games {
    order: VecDeque<u64>,
    by_game: HashMap<u64, f64>,
}

impl Games {
    fn put(&mut self, game: u64, probability: f64) {
        if self.by_game.insert(game, probability).is_some() {
            return;
        }
        self.order.push_back(game);
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_game.remove(&oldest);
        }
    }

    fn probabilities(&self) -> Vec<f64> {
        self.by_game.values().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn game(league: &str, number: usize) -> Game {
        let league = LeagueId::new(league).unwrap();
        let date = "2024-05-01".parse().unwrap();
        Game::new(&league, 2024, Timestamp::UNIX_EPOCH, date, &format!("h{number}"), "away").as_ref().clone()
    }

    fn spread(number: usize) -> f64 {
        (number % 97) as f64 / 97.0
    }

    #[test]
    fn the_first_games_are_the_reference_when_none_was_given() {
        let drift = Drift::default();
        for number in 0..FEWEST + FEWEST - 1 {
            assert!(drift.see(&game("demo", number), spread(number)));
        }
        assert!(matches!(drift.read()[..], [(_, 99, None)]));
        drift.see(&game("demo", 1000), 0.5);
        let [(_, 100, Some(found))] = drift.read()[..] else { panic!("{:?}", drift.read()) };
        assert!(found.index < found.by_chance, "{found:?}");
    }

    #[test]
    fn a_reference_that_was_given_is_kept_and_a_game_counts_once() {
        let drift = Drift::default();
        (0..200).for_each(|number| drift.refer(&game("demo", number), spread(number)));
        for _ in 0..50 {
            (0..120).for_each(|number| assert!(drift.see(&game("demo", number), 0.9)));
        }
        let [(_, 120, Some(found))] = drift.read()[..] else { panic!("{:?}", drift.read()) };
        assert!(found.index > 1.0 && found.index > found.by_chance, "{found:?}");
        drift.reset();
        assert_eq!(drift.read(), []);
    }

    #[test]
    fn neither_games_nor_leagues_grow_without_end() {
        let drift = Drift::default();
        (0..3 * MOST).for_each(|number| assert!(drift.see(&game("demo", number), 0.5)));
        assert_eq!(drift.read()[0].1, MOST);
        let watched = (0..2 * LEAGUES).filter(|number| drift.see(&game(&format!("l{number}"), 0), 0.5));
        assert_eq!(watched.count(), LEAGUES - 1);
        assert!(drift.see(&game("demo", 1), 0.5), "those that are watched stay");
    }
}
