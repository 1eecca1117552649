//! Contracts on prices: which lines of one payload cannot be what they say.

use std::collections::{BTreeMap, BTreeSet};

use market::{GameId, LineRow, Market, Name, Points, Selection, Timestamp};

/// Returns the indices of the lines that break a contract.
type FindBroken = fn(&[LineRow]) -> Vec<usize>;

/// Name, reason, and the function that finds the lines that break it.
pub(super) const CONTRACTS: [(&str, &str, FindBroken); 4] = [
    ("in_play", "the price is in-play", in_play),
    ("constant_column", "every game has the same value", constant_column),
    ("swapped_sides", "the sides are swapped against the other books", swapped_sides),
    ("spread_sign", "the handicap contradicts the moneyline of the same book", spread_sign),
];

/// Room for rounding and for prices that were not taken at one instant.
const SIGN_TOLERANCE: f64 = 0.1;
/// Games without which one value for all proves nothing.
const CONSTANT_OVER: usize = 30;
/// Books beside the suspected one.
const OTHER_BOOKS: usize = 3;
/// How far a book must stray from the others, and how near it must come once its sides change places.
const STRAYS: f64 = 0.25;
const AGREES: f64 = 0.10;

/// One book's market of one game at one instant.
type Quote<'a> = (&'a GameId, &'a Name, Timestamp, bool);

fn in_play(lines: &[LineRow]) -> Vec<usize> {
    let is_late = |(index, row): (usize, &LineRow)| (row.captured_at >= row.game.start_time).then_some(index);
    lines.iter().enumerate().filter_map(is_late).collect()
}

/// What one book says of one market in all games of a payload.
#[derive(Default)]
struct OneColumn<'a> {
    games: BTreeSet<&'a GameId>,
    values: BTreeSet<u64>,
    indices: Vec<usize>,
}

/// Finds a spread or a moneyline that is the same in every game of a book.
fn constant_column(lines: &[LineRow]) -> Vec<usize> {
    let mut columns: BTreeMap<(&Name, Market, bool), OneColumn<'_>> = BTreeMap::new();
    for (index, row) in lines.iter().enumerate() {
        let column = columns.entry((&row.book, row.market, row.is_closing)).or_default();
        column.indices.push(index);
        let value = match (row.market, row.selection) {
            (Market::Moneyline, Selection::Home) => row.price.decimal().to_bits(),
            (Market::Spread, Selection::Home) => {
                row.points.map_or(0, |points| u64::from(points.quarters().cast_unsigned()))
            }
            _ => continue,
        };
        column.games.insert(&row.game.game_id);
        column.values.insert(value);
    }
    let is_broken = |column: &OneColumn<'_>| column.games.len() >= CONSTANT_OVER && column.values.len() == 1;
    columns.into_values().filter(is_broken).flat_map(|column| column.indices).collect()
}

/// Finds moneylines that stray from the other books until home and away change places.
fn swapped_sides(lines: &[LineRow]) -> Vec<usize> {
    let quotes = chances(lines, Market::Moneyline);
    let mut of_game: BTreeMap<(&GameId, bool), Vec<_>> = BTreeMap::new();
    for (quote, (home, away)) in &quotes {
        of_game.entry((quote.0, quote.3)).or_default().push((*quote, *home, *away));
    }
    let mut swapped = BTreeSet::new();
    for all in of_game.values() {
        for (quote, home, away) in all {
            let others: Vec<f64> =
                all.iter().filter(|other| other.0.1 != quote.1).map(|other| other.1).collect();
            let count: BTreeSet<&Name> =
                all.iter().map(|other| other.0.1).filter(|book| *book != quote.1).collect();
            if count.len() < OTHER_BOOKS {
                continue;
            }
            let usual = median(others);
            if (home - usual).abs() > STRAYS && (away - usual).abs() < AGREES {
                swapped.insert(*quote);
            }
        }
    }
    indices_of(lines, Market::Moneyline, &swapped)
}

/// Finds handicaps that are harder to cover than winning although points are given, or easier although they are taken.
fn spread_sign(lines: &[LineRow]) -> Vec<usize> {
    let moneylines = chances(lines, Market::Moneyline);
    let drawn: BTreeSet<&GameId> =
        lines.iter().filter(|row| row.selection == Selection::Draw).map(|row| &row.game.game_id).collect();
    let mut points: BTreeMap<Quote<'_>, BTreeSet<i32>> = BTreeMap::new();
    let mut covers: BTreeMap<(Quote<'_>, i32), [Option<f64>; 2]> = BTreeMap::new();
    for row in lines.iter().filter(|row| row.market == Market::Spread) {
        let Some(own) = row.points else { continue };
        let (home, side) =
            if row.selection == Selection::Home { (own.quarters(), 0) } else { (-own.quarters(), 1) };
        points.entry(quote(row)).or_default().insert(home);
        covers.entry((quote(row), home)).or_default()[side] = Some(row.price.implied());
    }
    let mut broken = BTreeSet::new();
    for ((quote, home_points), sides) in covers {
        let (Some(&(win, _)), [Some(home), Some(away)]) = (moneylines.get(&quote), sides) else { continue };
        // A quarter of a point returns half of the stake on a draw, so that it cannot be compared with a win.
        if home_points == 0 || (drawn.contains(quote.0) && home_points.abs() < 2) {
            continue;
        }
        let cover = home / (home + away);
        let contradicts =
            if home_points > 0 { cover < win - SIGN_TOLERANCE } else { cover > win + SIGN_TOLERANCE };
        if contradicts {
            broken.insert((quote, home_points));
        }
    }
    let is_broken = |row: &LineRow| {
        let own = row.points.map(Points::quarters).unwrap_or_default();
        let home = if row.selection == Selection::Home { own } else { -own };
        row.market == Market::Spread && broken.contains(&(quote(row), home))
    };
    lines.iter().enumerate().filter_map(|(index, row)| is_broken(row).then_some(index)).collect()
}

/// Returns the no-vig chances of home and away by book and instant, for markets of which all sides are there.
fn chances(lines: &[LineRow], market: Market) -> BTreeMap<Quote<'_>, (f64, f64)> {
    let mut sides: BTreeMap<Quote<'_>, (Option<f64>, Option<f64>, f64)> = BTreeMap::new();
    for row in lines.iter().filter(|row| row.market == market) {
        let (home, away, sum) = sides.entry(quote(row)).or_default();
        let implied = row.price.implied();
        *sum += implied;
        match row.selection {
            Selection::Home => *home = Some(implied),
            Selection::Away => *away = Some(implied),
            Selection::Draw | Selection::Over | Selection::Under => {}
        }
    }
    let whole = |(quote, (home, away, sum)): (_, (Option<f64>, Option<f64>, f64))| {
        Some((quote, (home? / sum, away? / sum)))
    };
    sides.into_iter().filter_map(whole).collect()
}

fn indices_of(lines: &[LineRow], market: Market, quotes: &BTreeSet<Quote<'_>>) -> Vec<usize> {
    let wanted = |row: &LineRow| row.market == market && quotes.contains(&quote(row));
    lines.iter().enumerate().filter_map(|(index, row)| wanted(row).then_some(index)).collect()
}

fn quote(row: &LineRow) -> Quote<'_> {
    (&row.game.game_id, &row.book, row.captured_at, row.is_closing)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
