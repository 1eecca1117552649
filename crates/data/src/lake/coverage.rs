//! What is in the lake: per league and season, how much, from which books, from when to when, and where it has gaps.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use market::{GameId, GameStatus, LeagueId, Name};
use serde::{Deserialize, Serialize};

use super::{Lake, partitions::season_of};
use crate::{DataError, Finding, League, Level, Snapshot, source::quote::time_zone};

/// A pause between two days of games that is worth a word, when most are much shorter.
const GAP_DAYS: i32 = 21;
/// After this long a game should have a result.
const OVERDUE: SignedDuration = SignedDuration::from_hours(36);
/// Games further back are no longer waited for.
const WAITED_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What the lake holds of one season.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeasonCoverage {
    /// The year in which the season began.
    pub season: i32,
    /// Games that any row speaks of.
    pub games: usize,
    /// Games with a final result.
    pub results: usize,
    /// Games with at least one price.
    pub priced: usize,
    /// Prices.
    pub lines: usize,
    /// Prices by book.
    pub books: BTreeMap<String, usize>,
    /// When the first price was captured.
    pub first_capture: Option<Timestamp>,
    /// When the last price was captured.
    pub last_capture: Option<Timestamp>,
    /// When the newest result became known.
    pub last_result: Option<Timestamp>,
    /// Days of games between which more than three weeks lie: the last before and the first after.
    pub gaps: Vec<(Date, Date)>,
    /// Files of the season's lines.
    pub files: usize,
}

/// What the lake holds of one league.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The league.
    pub league: LeagueId,
    /// Seasons, oldest first.
    pub seasons: Vec<SeasonCoverage>,
}

impl Lake {
    /// Describes what is held of a league with `known_at < as_of`, one season in memory at a time.
    pub fn coverage(&self, league: &League, as_of: Timestamp) -> Result<Coverage, DataError> {
        let tables = self.tables(&league.id);
        let mut files: BTreeMap<i32, usize> = BTreeMap::new();
        for kind in ["lines", "results", "context"] {
            for path in tables.files(&tables.folder(kind))? {
                if let Some(season) = season_of(&path) {
                    *files.entry(season).or_default() += usize::from(kind == "lines");
                }
            }
        }
        let zone = time_zone(&league.time_zone)?;
        let mut seasons = Vec::new();
        for (season, files) in files {
            let snapshot = self.season(league, season, as_of)?;
            seasons.extend(described(season, &snapshot, &zone, files));
        }
        Ok(Coverage { league: league.id.clone(), seasons })
    }

    /// Warns when games that are long over have no result: a feed that froze, or a fetch that no longer runs.
    pub fn overdue(&self, league: &League, now: Timestamp) -> Result<Option<Finding>, DataError> {
        if !self.holds(&league.id)? {
            return Ok(None);
        }
        let year = i32::from(now.to_zoned(TimeZone::UTC).year());
        let mut waiting: BTreeMap<GameId, Timestamp> = BTreeMap::new();
        for season in year - 1..=year {
            let Snapshot { lines, results, context, .. } = self.season(league, season, now)?;
            let of_lines = lines.iter().map(|row| &row.game);
            for game in of_lines.chain(context.iter().map(|row| &row.game)) {
                let age = now.duration_since(game.start_time);
                if age > OVERDUE && age < WAITED_FOR {
                    waiting.insert(game.game_id.clone(), game.start_time);
                } else {
                    waiting.remove(&game.game_id);
                }
            }
            for row in &results {
                waiting.remove(&row.game.game_id);
            }
        }
        let Some((first, _)) = waiting.iter().min_by_key(|(_, start)| **start) else { return Ok(None) };
        let says =
            format!("{} games of the last 30 days have no result, the first is {first}", waiting.len());
        let mut finding = Finding::new("overdue", Level::Warn, says);
        finding.league = league.id.to_string();
        Ok(Some(finding))
    }
}

fn described(season: i32, snapshot: &Snapshot, zone: &TimeZone, files: usize) -> Option<SeasonCoverage> {
    let Snapshot { lines, results, context, .. } = snapshot;
    let of_lines = lines.iter().map(|row| &row.game);
    let of_results = results.iter().map(|row| &row.game);
    let mut games = BTreeSet::new();
    let mut days = BTreeSet::new();
    for game in of_lines.chain(of_results).chain(context.iter().map(|row| &row.game)) {
        games.insert(&game.game_id);
        days.insert(game.start_time.to_zoned(zone.clone()).date());
    }
    let mut books: BTreeMap<&Name, usize> = BTreeMap::new();
    for row in lines {
        *books.entry(&row.book).or_default() += 1;
    }
    let days: Vec<Date> = days.into_iter().collect();
    let is_gap = |pair: &[Date]| pair[0].until(pair[1]).is_ok_and(|pause| pause.get_days() > GAP_DAYS);
    (!games.is_empty()).then(|| SeasonCoverage {
        season,
        games: games.len(),
        results: snapshot.latest_results().into_iter().filter(|row| row.status == GameStatus::Final).count(),
        priced: lines.iter().map(|row| &row.game.game_id).collect::<BTreeSet<_>>().len(),
        lines: lines.len(),
        books: books.into_iter().map(|(book, count)| (book.to_string(), count)).collect(),
        first_capture: lines.first().map(|row| row.captured_at),
        last_capture: lines.last().map(|row| row.captured_at),
        last_result: results.last().map(|row| row.known_at),
        gaps: days.windows(2).filter(|pair| is_gap(pair)).map(|pair| (pair[0], pair[1])).collect(),
        files,
    })
}
