//! What later rows do to a graph that is there: new names and games shift indices, but never the order of two old ones.

use crate::{
    GraphError,
    instant::timestamp,
    rows::{Header, NONE, Rows},
};

/// Where each old index went; ascending.
#[derive(Debug, Default)]
pub(crate) struct Moved(Vec<u32>);

impl Moved {
    /// Finds the `old` entries in a table that holds all of them.
    pub(crate) fn between<T>(old: impl Iterator<Item = T>, place: impl Fn(T) -> Option<usize>) -> Self {
        Self(old.map(|entry| place(entry).map_or(NONE, |index| index as u32)).collect())
    }

    /// Leaves `count` entries where they are.
    pub(crate) fn nowhere(count: usize) -> Self {
        Self((0..count as u32).collect())
    }

    /// Returns the new index; [`NONE`] stays what it is.
    pub(crate) fn of(&self, index: u32) -> u32 {
        if index == NONE { NONE } else { self.0[index as usize] }
    }
}

/// How rows came to those of a graph: the first new ones, and where the old codes went.
#[derive(Debug, Default)]
pub(crate) struct Growth {
    pub(crate) names: Moved,
    /// Rows that were there before.
    pub(crate) lines: usize,
    pub(crate) results: usize,
    pub(crate) context: usize,
}

impl Rows {
    /// Adds rows that became known at or after this table's as-of.
    ///
    /// # Errors
    /// When a row was known earlier, or the leagues are listed differently: a graph of both would then look different
    /// from one that was built at once.
    pub(crate) fn grow(&mut self, mut later: Self) -> Result<Growth, GraphError> {
        self.check_later(&later)?;
        let names = merged(&self.names, &later.names);
        let in_names = |name| names.binary_search(&name).ok();
        let moved_names = [&*self, &later].map(|rows| Moved::between(rows.names.iter().cloned(), in_names));
        let unlisted =
            later.leagues.iter().filter(|league| self.leagues.iter().all(|known| known.id != league.id));
        let leagues: Vec<_> = self.leagues.iter().chain(unlisted).cloned().collect();
        let in_leagues = |id| leagues.iter().position(|league| league.id == id);
        let moved_leagues = Moved::between(later.leagues.iter().map(|league| league.id.clone()), in_leagues);
        recode(&mut self.headers, &moved_names[0], |league| league);
        recode(&mut later.headers, &moved_names[1], |league| moved_leagues.of(league));
        let headers = merged(&self.headers, &later.headers);
        let in_headers = |header| headers.binary_search(&header).ok();
        let moved_headers =
            [&*self, &later].map(|rows| Moved::between(rows.headers.iter().copied(), in_headers));
        self.recode_rows(&moved_names[0], &moved_headers[0]);
        later.recode_rows(&moved_names[1], &moved_headers[1]);
        let counts = (self.lines.len(), self.results.len(), self.context.len());
        self.lines.append(&mut later.lines);
        self.results.append(&mut later.results);
        self.context.append(&mut later.context);
        (self.as_of, self.names, self.leagues, self.headers) = (later.as_of, names, leagues, headers);
        let [names, _] = moved_names;
        Ok(Growth { names, lines: counts.0, results: counts.1, context: counts.2 })
    }

    fn check_later(&self, later: &Self) -> Result<(), GraphError> {
        let listed = |rows: &Self| rows.leagues.get(..rows.listed).map(<[_]>::to_vec);
        if listed(self) != listed(later) {
            return Err(GraphError::OtherLeagues);
        }
        let lines = later.lines.iter().map(|row| row.time);
        let results = later.results.iter().map(|row| row.time);
        let context = later.context.iter().map(|row| row.time);
        let first = lines.chain(results).chain(context).min().map(timestamp);
        match first.filter(|first| *first < self.as_of) {
            Some(known_at) => Err(GraphError::NotLater { known_at, as_of: self.as_of }),
            None if later.as_of < self.as_of => {
                Err(GraphError::NotLater { known_at: later.as_of, as_of: self.as_of })
            }
            None => Ok(()),
        }
    }

    fn recode_rows(&mut self, names: &Moved, headers: &Moved) {
        for row in &mut self.lines {
            (row.header, row.book) = (headers.of(row.header), names.of(row.book));
        }
        self.results.iter_mut().for_each(|row| row.header = headers.of(row.header));
        for row in &mut self.context {
            row.header = headers.of(row.header);
            row.names = row.names.map(|name| names.of(name));
        }
    }
}

fn recode(headers: &mut [Header], names: &Moved, league: impl Fn(u32) -> u32) {
    for header in headers {
        header.league = league(header.league);
        (header.game_id, header.home, header.away) =
            (names.of(header.game_id), names.of(header.home), names.of(header.away));
    }
}

/// Merges two sorted tables; what both hold counts once.
fn merged<T: Ord + Clone>(one: &[T], other: &[T]) -> Vec<T> {
    let mut both: Vec<T> = one.iter().chain(other).cloned().collect();
    both.sort();
    both.dedup();
    both
}
