//! How the market has lately moved for and against each team, from its first prices to its last.
//!
//! Money tends to move the same way for the same team for some weeks. Each finished game with both prices moves its two
//! teams' drift by the change of `ln(P(home) / P(away))`, for the one and against the other; recent games count most.

use crate::{
    consensus::{Pick, opinion},
    growth::Moved,
    quotes::Quotes,
    ratings::Outcome,
    timeline::{History, last_states},
};

/// Weight of the last game.
const RATE: f64 = 0.3;
/// Share that survives between seasons.
const CARRY_OVER: f64 = 0.5;

/// A team's drift after some game.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Drift {
    value: f32,
    season: i32,
}

impl Drift {
    /// Returns the drift at a game of `season`, in logits.
    pub(crate) fn in_season(self, season: i32) -> f64 {
        let carried = if season > self.season { CARRY_OVER } else { 1.0 };
        carried * f64::from(self.value)
    }
}

/// Goes on from `before` through `later` outcomes, which are sorted by (time, game); a price counts when it was known
/// before its game's result.
pub(crate) fn walk(
    before: &History<Drift>,
    moved: &Moved,
    later: &[Outcome],
    quotes: &Quotes,
    teams: usize,
) -> History<Drift> {
    let mut events: Vec<(u32, i64, Drift)> = before.moved(moved).collect();
    let mut drifts = last_states(&events, teams);
    for outcome in later {
        let lead = |pick: Pick| {
            let [home, _, away] = opinion(quotes, outcome.game, outcome.time, pick, [1.0; 2]).moneyline?;
            (home > 0.0 && away > 0.0).then(|| (home / away).ln())
        };
        let closing = Pick::Closing { start: outcome.start };
        let (Some(first), Some(last)) = (lead(Pick::First), lead(closing)) else { continue };
        for (team, sign) in [(outcome.home, 1.0), (outcome.away, -1.0)] {
            let drift = &mut drifts[team as usize];
            let before = drift.in_season(outcome.season);
            let value = (before + RATE * (sign * (last - first) - before)) as f32;
            *drift = Drift { value, season: outcome.season };
            events.push((team, outcome.time, *drift));
        }
    }
    History::new(teams, events)
}
