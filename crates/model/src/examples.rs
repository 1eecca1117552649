//! Finished games as training examples, cut in time: train, validation, held-out test.
//!
//! A game is looked at as of its decision time ([`Graph::decision_time`]). The cuts are instants, the same for all
//! leagues; a game whose result was not yet known when the next part's first decision was made is left out of its
//! part, so that nothing is learnt from what a later decision could not know.

use graph::Graph;
use jiff::Timestamp;

use crate::{ModelError, TrainSettings};

/// Fewer finished games than this are refused.
const FEWEST_GAMES: usize = 60;

/// Games of each side after which its ratings are believed.
const MATURE_GAMES: u32 = 10;

/// A finished game, as of the instant at which it would have been decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Example {
    /// Index in [`Graph::games`].
    pub(crate) game: usize,
    /// Index in [`Graph::leagues`].
    pub(crate) league: usize,
    pub(crate) as_of: Timestamp,
    pub(crate) start: Timestamp,
    pub(crate) result_known_at: Timestamp,
    pub(crate) margin: i32,
    pub(crate) total: i32,
    /// Finished games that were known of the side of which fewer were.
    pub(crate) games_known: u32,
}

impl Example {
    /// Returns league, margin and total.
    pub(crate) fn score(&self) -> (usize, i32, i32) {
        (self.league, self.margin, self.total)
    }
}

/// Examples in three parts, each by start.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Split {
    pub(crate) train: Vec<Example>,
    pub(crate) validation: Vec<Example>,
    pub(crate) test: Vec<Example>,
    /// Every example, those left out between the parts included.
    pub(crate) all: Vec<Example>,
}

/// Lists every finished game by start, then id.
pub(crate) fn examples(graph: &Graph) -> Vec<Example> {
    let mut examples: Vec<Example> = (0..graph.games().len())
        .filter_map(|game| {
            let (margin, total) = graph.target(game)?;
            let header = &graph.games()[game];
            Some(Example {
                game,
                league: graph.leagues().iter().position(|league| league.id == header.league)?,
                as_of: graph.decision_time(game),
                start: header.start_time,
                result_known_at: graph.result_known_at(game)?,
                margin,
                total,
                games_known: graph.games_known(game, graph.decision_time(game)),
            })
        })
        .collect();
    examples.sort_by_key(|example| (example.start, example.game));
    examples
}

/// Returns the games from which something can be learnt that holds for later ones: ratings of sides of which hardly a
/// game is known are too timid, and whoever learns from them to exaggerate does so ever after.
///
/// Where that would leave less than half, all of them.
pub(crate) fn mature(part: &[Example]) -> Vec<Example> {
    let kept: Vec<Example> = part.iter().filter(|e| e.games_known >= MATURE_GAMES).copied().collect();
    if 2 * kept.len() >= part.len() { kept } else { part.to_vec() }
}

impl Split {
    /// Cuts the examples of `graph` by the shares in `settings`.
    pub(crate) fn of(graph: &Graph, settings: &TrainSettings) -> Result<Self, ModelError> {
        Self::cut(examples(graph), settings)
    }

    fn cut(all: Vec<Example>, settings: &TrainSettings) -> Result<Self, ModelError> {
        if all.len() < FEWEST_GAMES {
            return Err(ModelError::TooFewGames { found: all.len(), needed: FEWEST_GAMES });
        }
        let n = all.len() as f64;
        let boundary = |share: f64| {
            let start = all[((n * share) as usize).min(all.len() - 1)].start;
            all.partition_point(|example| example.start < start)
        };
        let test_from = boundary(1.0 - settings.test_share);
        let validation_from = boundary(1.0 - settings.test_share - settings.validation_share);
        let known_before = |part: &[Example], next: &[Example]| -> Vec<Example> {
            let first_decision = next.iter().map(|example| example.as_of).min();
            let known = |e: &&Example| first_decision.is_none_or(|decision| e.result_known_at < decision);
            part.iter().filter(known).copied().collect()
        };
        let test = all[test_from..].to_vec();
        let validation = known_before(&all[validation_from..test_from], &test);
        let train = known_before(&all[..validation_from], &all[validation_from..]);
        if train.is_empty() || validation.is_empty() || test.is_empty() {
            return Err(ModelError::TooFewGames { found: train.len(), needed: FEWEST_GAMES });
        }
        Ok(Self { train, validation, test, all })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hourly(n: i64) -> Vec<Example> {
        let at = |hour: i64| Timestamp::from_second(hour * 3600).unwrap();
        let example = |i: i64| Example {
            game: i as usize,
            league: 0,
            as_of: at(i - 6),
            start: at(i),
            result_known_at: at(i + 3),
            margin: 1,
            total: 3,
            games_known: 20,
        };
        (0..n).map(example).collect()
    }

    #[test]
    fn parts_follow_one_another_and_no_result_reaches_over_a_cut() {
        let split = Split::cut(hourly(400), &TrainSettings::default()).unwrap();
        assert_eq!(split.test.len(), 60);
        assert_eq!(split.test[0].game, 340);
        for (part, next) in [(&split.train, &split.validation), (&split.validation, &split.test)] {
            let decision = next.iter().map(|e| e.as_of).min().unwrap();
            assert!(part.iter().all(|e| e.result_known_at < decision));
        }
        // The first test decision is at hour 334; results from hour 334 on belong to games from hour 331 on.
        assert_eq!(split.validation.last().unwrap().game, 330);
        assert_eq!(split.all.len(), 400);
    }

    #[test]
    fn sides_of_which_nothing_is_known_teach_nothing_unless_nearly_all_are_such() {
        let mut games = hourly(10);
        for game in &mut games[..4] {
            game.games_known = MATURE_GAMES - 1;
        }
        assert_eq!(mature(&games), games[4..]);
        for game in &mut games[4..6] {
            game.games_known = 0;
        }
        assert_eq!(mature(&games), games, "a league in its first months");
    }

    #[test]
    fn games_that_start_together_stay_together() {
        let mut games = hourly(100);
        for game in &mut games[80..90] {
            game.start = Timestamp::from_second(80 * 3600).unwrap();
        }
        let split = Split::cut(games, &TrainSettings::default()).unwrap();
        assert_eq!(split.test[0].game, 80, "the cut falls before the ten, not between them");
    }

    #[test]
    fn a_handful_of_games_is_refused() {
        let refused = Split::cut(hourly(20), &TrainSettings::default()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "20 finished games are too few to train on: at least 60 are needed; fetch more seasons"
        );
    }
}
