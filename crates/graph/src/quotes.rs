//! Line nodes: each book's quotes on each market of a game, complete and free of margin, looked up as of an instant.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use market::{
    Market, Selection,
    no_vig::{Method, no_vig},
};

use crate::{
    growth::Moved,
    rows::LineRecord,
    timeline::{History, last_states, offsets},
};

/// One book's complete quote on a market: every selection priced at the same points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quote {
    pub(crate) time: i64,
    /// Home handicap or total in quarter points; 0 for the moneyline.
    pub(crate) quarters: i32,
    /// No-vig probabilities of home (over), draw (0 in two-way markets), away (under).
    pub(crate) fair: [f64; 3],
    pub(crate) overround: f64,
    pub(crate) closing: bool,
}

impl Quote {
    pub(crate) fn points(&self) -> f64 {
        f64::from(self.quarters) / 4.0
    }
}

/// A line node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Line {
    pub(crate) game: u32,
    pub(crate) market: Market,
    /// Book node.
    pub(crate) book: u32,
}

/// What a book has shown so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct BookState {
    pub(crate) quotes: u32,
    pub(crate) overround_sum: f64,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Quotes {
    /// Sorted, hence grouped by game.
    pub(crate) lines: Vec<Line>,
    of_game: Vec<u32>,
    offsets: Vec<u32>,
    states: Vec<Quote>,
    pub(crate) books: History<BookState>,
}

impl Quotes {
    /// Works in the rows from `first` on, which became known at or after `since`; `line` tells the node of a row, the
    /// counts are of games and books.
    ///
    /// A line with a later row is replayed from its first one, since a side keeps its last price; the others only move.
    pub(crate) fn grown(
        &self,
        rows: &[LineRecord],
        (first, since): (usize, i64),
        line: impl Fn(&LineRecord) -> Line,
        [games, books]: [usize; 2],
        [moved_games, moved_books]: [&Moved; 2],
    ) -> Self {
        let touched: HashSet<Line> = rows[first..].iter().map(&line).collect();
        let mut keyed: Vec<(Line, &LineRecord)> =
            rows.iter().map(|row| (line(row), row)).filter(|(line, _)| touched.contains(line)).collect();
        keyed.sort_by(|(a, x), (b, y)| {
            (a, x.time, x.selection, x.points)
                .cmp(&(b, y.time, y.selection, y.points))
                .then(x.price.total_cmp(&y.price))
        });
        let mut fair = FairCache::default();
        let mut replayed: Vec<Quote> = Vec::new();
        let mut ranges: Vec<(Line, Range<usize>)> = Vec::new();
        for group in keyed.chunk_by(|a, b| a.0 == b.0) {
            let from = replayed.len();
            replayed.extend(complete_quotes(group, &mut fair));
            ranges.push((group[0].0, from..replayed.len()));
        }
        let moved =
            |line: &Line| Line { game: moved_games.of(line.game), book: moved_books.of(line.book), ..*line };
        let untouched = self.lines.iter().zip(0u32..).map(|(line, old)| (moved(line), self.all(old)));
        let mut merged: Vec<(Line, &[Quote])> =
            untouched.filter(|(line, _)| !touched.contains(line)).collect();
        merged.extend(ranges.into_iter().map(|(line, range)| (line, &replayed[range])));
        merged.retain(|(_, quotes)| !quotes.is_empty());
        merged.sort_by_key(|(line, _)| *line);
        let (mut lines, mut quotes, mut line_of) = (Vec::new(), Vec::new(), Vec::new());
        for (line, found) in merged {
            line_of.resize(line_of.len() + found.len(), lines.len() as u32);
            quotes.extend_from_slice(found);
            lines.push(line);
        }
        let before = self.books.moved(moved_books).collect();
        let books = book_histories(before, books, since, &lines, &line_of, &quotes);
        Self {
            of_game: offsets(games, lines.iter().map(|line| line.game)),
            offsets: offsets(lines.len(), line_of.into_iter()),
            lines,
            states: quotes,
            books,
        }
    }

    /// Returns the line nodes of a game.
    pub(crate) fn of_game(&self, game: u32) -> Range<u32> {
        self.of_game[game as usize]..self.of_game[game as usize + 1]
    }

    /// Returns a line's quotes strictly before `as_of`, oldest first.
    pub(crate) fn before(&self, line: u32, as_of: i64) -> &[Quote] {
        let all = self.all(line);
        &all[..all.partition_point(|quote| quote.time < as_of)]
    }

    /// Returns all quotes of a line, oldest first.
    pub(crate) fn all(&self, line: u32) -> &[Quote] {
        &self.states[self.offsets[line as usize] as usize..self.offsets[line as usize + 1] as usize]
    }
}

/// Replays one line's rows: after each instant, of the points that it touched the complete and most even
/// market is the quote. A side that was not quoted anew keeps its last price at the same points.
fn complete_quotes(rows: &[(Line, &LineRecord)], fair: &mut FairCache) -> Vec<Quote> {
    let mut standing: Vec<(i32, [f64; 3])> = Vec::new();
    let mut quotes = Vec::new();
    for instant in rows.chunk_by(|a, b| a.1.time == b.1.time) {
        let mut touched: Vec<i32> = Vec::new();
        for (_, row) in instant {
            let quarters = shared_quarters(row);
            let place = standing.iter().position(|known| known.0 == quarters).unwrap_or_else(|| {
                standing.push((quarters, [0.0; 3]));
                standing.len() - 1
            });
            standing[place].1[side(row.selection)] = row.price;
            touched.push(quarters);
        }
        let closing = instant.iter().any(|(_, row)| row.closing);
        let complete =
            standing.iter().filter(|known| touched.contains(&known.0)).filter_map(|&(quarters, prices)| {
                let (probabilities, overround) = fair.of(prices)?;
                Some(Quote { time: instant[0].1.time, quarters, fair: probabilities, overround, closing })
            });
        quotes.extend(
            complete.min_by(|a, b| uneven(a).total_cmp(&uneven(b)).then(a.quarters.cmp(&b.quarters))),
        );
    }
    quotes
}

fn uneven(quote: &Quote) -> f64 {
    (quote.fair[0] - quote.fair[2]).abs()
}

/// Returns the points under which both sides meet, in quarters.
fn shared_quarters(row: &LineRecord) -> i32 {
    let quarters = row.points.unwrap_or(0);
    if row.selection == Selection::Away { -quarters } else { quarters }
}

fn side(selection: Selection) -> usize {
    match selection {
        Selection::Home | Selection::Over => 0,
        Selection::Draw => 1,
        Selection::Away | Selection::Under => 2,
    }
}

/// Fair probabilities and overround by prices; the same few prices come back thousands of times.
#[derive(Default)]
struct FairCache(HashMap<[u64; 3], Option<([f64; 3], f64)>>);

impl FairCache {
    fn of(&mut self, prices: [f64; 3]) -> Option<([f64; 3], f64)> {
        *self.0.entry(prices.map(f64::to_bits)).or_insert_with(|| fair(prices))
    }
}

/// Takes the margin out as [`market::consensus`] does: power method, odds ratio for an underround.
fn fair([home, draw, away]: [f64; 3]) -> Option<([f64; 3], f64)> {
    let three_way = draw > 0.0;
    let odds = if three_way { vec![home, draw, away] } else { vec![home, away] };
    let fair = no_vig(&odds, Method::Power).or_else(|_| no_vig(&odds, Method::OddsRatio)).ok()?;
    let p = fair.probabilities;
    Some((if three_way { [p[0], p[1], p[2]] } else { [p[0], 0.0, p[1]] }, fair.overround))
}

/// Goes on from the events `before` with the quotes known at or after `since`.
fn book_histories(
    before: Vec<(u32, i64, BookState)>,
    books: usize,
    since: i64,
    lines: &[Line],
    line_of: &[u32],
    quotes: &[Quote],
) -> History<BookState> {
    let mut order: Vec<usize> = (0..quotes.len()).filter(|i| quotes[*i].time >= since).collect();
    order.sort_by_key(|&i| (quotes[i].time, line_of[i]));
    let mut states = last_states(&before, books);
    let mut events = before;
    events.reserve(order.len());
    for i in order {
        let book = lines[line_of[i] as usize].book;
        let state = &mut states[book as usize];
        state.quotes += 1;
        state.overround_sum += quotes[i].overround;
        events.push((book, quotes[i].time, *state));
    }
    History::new(books, events)
}
