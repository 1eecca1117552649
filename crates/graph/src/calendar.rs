//! Which season a game would belong to: every league's games by start, as known at any instant.

use crate::{graph::Version, timeline::History};

/// One version of a game's header and when it was the latest known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    league: u32,
    start: i64,
    season: i32,
    /// Known strictly after this instant,
    since: i64,
    /// and not replaced strictly before that one.
    until: i64,
}

impl Entry {
    fn is_visible(&self, as_of: i64) -> bool {
        self.since < as_of && as_of <= self.until
    }
}

/// Versions of all games, sorted by league and start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Calendar(Vec<Entry>);

impl Calendar {
    pub(crate) fn new(versions: &History<Version>) -> Self {
        let entry = |(since, until, version): (i64, i64, &Version)| Entry {
            league: version.league,
            start: version.start,
            season: version.season,
            since,
            until,
        };
        let mut entries: Vec<Entry> = versions.spans().map(entry).collect();
        entries.sort_unstable();
        Self(entries)
    }

    /// Returns the season of the league's game nearest to `start` among those known strictly before `as_of`, the earlier
    /// season of two as near; none without a game.
    pub(crate) fn season(&self, league: u32, start: i64, as_of: i64) -> Option<i32> {
        let end = self.0.partition_point(|entry| entry.league <= league);
        let of = &self.0[self.0.partition_point(|entry| entry.league < league)..end];
        let is_visible = |entry: &&Entry| entry.is_visible(as_of);
        let distance = |entry: &Entry| entry.start.abs_diff(start);
        let (earlier, later) = of.split_at(of.partition_point(|entry| entry.start < start));
        let back = earlier.iter().rev().find(is_visible).map_or(u64::MAX, distance);
        let forth = later.iter().take_while(|entry| distance(entry) <= back).find(is_visible);
        let nearest = forth.map_or(back, distance);
        let at = |instant: i64| {
            let from = of.partition_point(|entry| entry.start < instant);
            let there = of[from..].iter().take_while(move |entry| entry.start == instant);
            there.filter(is_visible).map(|entry| entry.season).min()
        };
        let both = [start.checked_sub_unsigned(nearest), start.checked_add_unsigned(nearest)];
        both.into_iter().flatten().filter_map(at).min()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn history(events: Vec<(u32, i64, (u32, i64, i32))>) -> History<Version> {
        let version = |(league, start, season)| Version { league, home: 0, away: 1, season, start };
        History::new(8, events.into_iter().map(|(game, time, of)| (game, time, version(of))).collect())
    }

    proptest! {
        #[test]
        fn the_nearest_game_is_the_one_that_a_search_through_all_finds(
            events in prop::collection::vec((0..8u32, 0..9i64, (0..2u32, 0..30i64, 2019..2022i32)), 0..40),
            league in 0..3u32,
            start in -5..40i64,
            as_of in 0..11i64,
        ) {
            let versions = history(events);
            let latest = (0..8).filter_map(|game| versions.before(game, as_of));
            let nearest = latest.filter(|version| version.league == league)
                .min_by_key(|version| (version.start.abs_diff(start), version.season));
            let found = Calendar::new(&versions).season(league, start, as_of);
            prop_assert_eq!(found, nearest.map(|version| version.season));
        }
    }
}
