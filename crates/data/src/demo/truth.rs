//! What truly governs each game.

use std::fmt::Write as _;

use market::{GameId, LeagueId, ScoreForecast, Timestamp, prediction::InvalidDistribution};

use super::{header, names::HOMES, world};
use crate::{DataError, Payload};

/// The true chances of one game of the demo league.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// The game.
    pub game_id: GameId,
    /// Its scheduled start, UTC.
    pub start_time: Timestamp,
    /// Expected points of the home side in regular time.
    pub home_mean: f64,
    /// Expected points of the away side in regular time.
    pub away_mean: f64,
    /// Exact distributions of margin and total, overtime included.
    pub forecast: ScoreForecast,
}

impl Truth {
    /// Returns the probability that home wins given that somebody does.
    pub fn home_win(&self) -> f64 {
        self.forecast.moneyline_two_way()
    }
}

/// Returns the truth about every game in the schedule at `until`, by start.
pub(super) fn of(league: &LeagueId, seed: u64, until: Timestamp) -> Result<Vec<Truth>, DataError> {
    let unfit = |cause: InvalidDistribution| DataError::Encode {
        what: "the true chances of a game of the demo league".to_owned(),
        cause: Box::new(cause),
    };
    let truths = world::history(seed, until).into_iter().map(|game| {
        let (home, away) = (HOMES[game.meeting.home].team, HOMES[game.meeting.away].team);
        Ok(Truth {
            game_id: header(league, game.season, game.meeting.start, home, away).game_id.clone(),
            start_time: game.meeting.start,
            home_mean: game.means.home,
            away_mean: game.means.away,
            forecast: game.means.forecast().map_err(unfit)?,
        })
    });
    truths.collect()
}

/// Writes truths as a table: both means, from which all chances follow, and the chances most asked for.
pub(super) fn table(truths: &[Truth]) -> Payload {
    let mut text =
        "game_id,start_time,home_mean,away_mean,home_win,level,expected_margin,expected_total\n".to_owned();
    for truth in truths {
        let [_, level, _] = truth.forecast.moneyline_three_way();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{},{},{},{},{:.9},{:.9},{:.6},{:.6}",
            truth.game_id,
            truth.start_time,
            truth.home_mean,
            truth.away_mean,
            truth.home_win(),
            level,
            truth.forecast.margin.mean(),
            truth.forecast.total.mean()
        );
    }
    Payload::new("demo_truth.csv", "csv", text)
}
