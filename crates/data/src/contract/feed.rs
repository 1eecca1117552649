//! Contracts on a payload as a whole, and on what became of it since the last one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use market::{Name, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Finding, Level, hours};
use crate::{Parsed, Refused, identity::Resolved};

/// Games without which a share proves nothing.
const FEW_GAMES: usize = 5;
/// Results of a season without which teams cannot be compared.
const MANY_RESULTS: usize = 80;
/// A price that has not been seen for so long while games are ahead.
const STALE: SignedDuration = SignedDuration::from_hours(24);

/// What a payload of a certain name held, to be compared with what it holds next time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    /// Games with a result, by season.
    results: BTreeMap<i32, usize>,
}

impl Shape {
    /// Counts what a payload holds.
    pub(crate) fn of(parsed: &Parsed) -> Self {
        let mut results = BTreeMap::new();
        for row in &parsed.results {
            *results.entry(row.game.season).or_default() += 1;
        }
        Self { results }
    }

    /// Keeps the larger of two counts, so that a file that shrank step by step is still compared with what it was.
    pub(crate) fn merge(&mut self, later: &Self) {
        for (season, count) in &later.results {
            let known = self.results.entry(*season).or_default();
            *known = (*known).max(*count);
        }
    }
}

/// Compares a file that grows through a season with what it held before, and its teams with each other.
pub(crate) fn check_shape(parsed: &Parsed, before: Option<&Shape>, now: &Shape) -> Vec<Finding> {
    let mut findings = Vec::new();
    let before = before.cloned().unwrap_or_default();
    let shared: Vec<i32> =
        now.results.keys().filter(|season| before.results.contains_key(season)).copied().collect();
    if shared.is_empty() && !before.results.is_empty() && !now.results.is_empty() {
        let list =
            |shape: &Shape| shape.results.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let says = format!("it holds season {} and held {} before", list(now), list(&before));
        findings.push(Finding::new("season_changed", Level::Warn, says));
    }
    for season in shared {
        let (had, has) = (before.results[&season], now.results[&season]);
        if has < had {
            let says = format!("it holds {has} results of season {season} and held {had} before");
            findings.push(Finding::new("fewer_games", Level::Warn, says));
        }
    }
    findings.extend(uneven(parsed));
    findings
}

/// Compares the teams of the newest season.
fn uneven(parsed: &Parsed) -> Option<Finding> {
    let season = parsed.results.iter().map(|row| row.game.season).max()?;
    let mut games: BTreeMap<&Name, usize> = BTreeMap::new();
    let mut count = 0;
    for row in parsed.results.iter().filter(|row| row.game.season == season) {
        count += 1;
        for team in [&row.game.home, &row.game.away] {
            *games.entry(team).or_default() += 1;
        }
    }
    let mut counts: Vec<usize> = games.values().copied().collect();
    counts.sort_unstable();
    let usual = *counts.get(counts.len() / 2)?;
    let (team, fewest) = games.into_iter().min_by_key(|(_, count)| *count)?;
    let is_uneven = count >= MANY_RESULTS && usual >= 10 && fewest * 10 < usual * 6;
    is_uneven.then(|| {
        let says = format!("{team} has {fewest} results in season {season}, most teams have {usual}");
        Finding::new("uneven_schedule", Level::Warn, says)
    })
}

/// Warns when a source still sends the prices of yesterday although games are ahead.
pub(crate) fn frozen(
    newest_line: Option<Timestamp>,
    newest_start: Option<Timestamp>,
    now: Timestamp,
) -> Option<Finding> {
    let (newest, start) = newest_line.zip(newest_start)?;
    let stale = start > now && now.duration_since(newest) > STALE;
    stale.then(|| {
        let says = format!("the newest price is {} h old although games are ahead", hours(newest, now));
        Finding::new("frozen", Level::Warn, says)
    })
}

/// Refuses the whole of a payload most of whose names mean nothing to the league.
pub(crate) fn refuse_file(parsed: &mut Parsed, resolved: &Resolved) -> Option<Finding> {
    let known: BTreeSet<&Name> =
        resolved.seen.iter().flat_map(|(seen, _)| [&seen.home, &seen.away]).collect();
    let (strange, all) = (resolved.unknown.len(), resolved.unknown.len() + known.len());
    let games = parsed.refused.iter().map(|row| row.row).collect::<BTreeSet<_>>().len();
    if strange * 2 <= all || games < FEW_GAMES {
        return None;
    }
    let reason = "most names in the file are unknown in this league";
    let lines = parsed.lines.drain(..).map(|row| (row.raw_ref.row, row.game));
    let results = parsed.results.drain(..).map(|row| (row.raw_ref.row, row.game));
    let context = parsed.context.drain(..).map(|row| (row.raw_ref.row, row.game));
    let rows: BTreeMap<u32, _> = lines.chain(results).chain(context).collect();
    parsed
        .refused
        .extend(rows.into_iter().map(|(row, game)| Refused::new(row, reason, game.game_id.as_str())));
    let names: Vec<&str> = resolved.unknown.iter().take(3).map(String::as_str).collect();
    let says = format!("{strange} of {all} names match no team: {}, ...", names.join(", "));
    Some(Finding::new("unknown_names", Level::File, says))
}
