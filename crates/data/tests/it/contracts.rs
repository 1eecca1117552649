//! Each contract meets what happened to somebody, and lets pass what only looks like it.

use std::sync::Arc;

use data::{IngestReport, Lake, Parsed};
use market::{Game, LineRow, Market, Points, Price, Selection};

use crate::support::{ByHand, at, folder, football, game, lake, line, result, write};

const UNTIL: &str = "2022-10-31T09:00:00Z";

fn ingest(lake: &Lake, parsed: Parsed, bytes: &str) -> IngestReport {
    lake.ingest(&ByHand::new(parsed, bytes), at(UNTIL)).unwrap()
}

fn told(report: &IngestReport) -> String {
    let findings = report.findings.iter().map(ToString::to_string);
    let refused = report.refused.iter().map(|(reason, count)| format!("{count} refused: {reason}"));
    findings.chain(refused).collect::<Vec<_>>().join("\n")
}

/// One market of one book, home or over first.
fn market(
    game: &Arc<Game>,
    book: &str,
    market: Market,
    points: Option<f64>,
    prices: [f64; 2],
) -> Vec<LineRow> {
    let captured_at = game.start_time - jiff::SignedDuration::from_hours(5);
    let sides = if market == Market::Total {
        [Selection::Over, Selection::Under]
    } else {
        [Selection::Home, Selection::Away]
    };
    let side = |index: usize| {
        let own = points.map(|points| if index == 1 && market == Market::Spread { -points } else { points });
        LineRow {
            book: book.into(),
            market,
            selection: sides[index],
            points: own.and_then(Points::from_f64),
            price: Price::new(prices[index]).unwrap(),
            ..line(game, 2.0, captured_at)
        }
    };
    vec![side(0), side(1)]
}

/// Thirty-six games of nine days.
fn games() -> Vec<Arc<Game>> {
    let teams = ["Ajax", "Bath", "Cork", "Derby", "Elche", "Forli", "Genoa", "Hearts"];
    (1..=9)
        .flat_map(|day: i8| (0..4).map(move |slot: usize| game(day, teams[slot], teams[slot + 4])))
        .collect()
}

/// nflverse/nfldata#34: three games whose spread has the wrong sign, shown by fourteen to seventeen books.
#[test]
fn a_spread_with_the_wrong_sign_is_refused() {
    let folder = folder();
    let favourite = game(1, "Ajax", "Bath");
    let mut lines = market(&favourite, "a", Market::Moneyline, None, [1.4, 3.0]);
    lines.extend(market(&favourite, "a", Market::Spread, Some(6.5), [1.91, 1.91]));
    let sound = game(2, "Ajax", "Bath");
    lines.extend(market(&sound, "a", Market::Moneyline, None, [1.4, 3.0]));
    lines.extend(market(&sound, "a", Market::Spread, Some(-6.5), [1.91, 1.91]));
    // An alternative line that is priced as such is no contradiction.
    lines.extend(market(&sound, "b", Market::Moneyline, None, [1.4, 3.0]));
    lines.extend(market(&sound, "b", Market::Spread, Some(6.5), [1.15, 5.5]));
    let report = ingest(&lake(&folder), Parsed { lines, ..Parsed::default() }, "one");
    assert_eq!(report.rows_added.lines, 10);
    insta::assert_snapshot!(told(&report), @r"
    spread_sign (rows refused): 2 prices refused: the handicap contradicts the moneyline of the same book [hand.csv]
    1 refused: spread: the handicap contradicts the moneyline of the same book
    ");
}

/// hoopR#140: ESPN's basketball spreads were 2.5 in every game of three seasons.
#[test]
fn a_column_with_one_value_for_every_game_is_refused() {
    let folder = folder();
    let mut lines = Vec::new();
    for (index, game) in games().iter().enumerate() {
        lines.extend(market(game, "espn", Market::Spread, Some(2.5), [1.91, 1.91]));
        // A run line is 1.5 in every game, but not always on the same side.
        lines.extend(market(
            game,
            "run line",
            Market::Spread,
            Some(if index % 2 == 0 { 1.5 } else { -1.5 }),
            [1.91, 1.91],
        ));
        lines.extend(market(game, "goals", Market::Total, Some(2.5), [1.91, 1.91]));
    }
    let report = ingest(&lake(&folder), Parsed { lines, ..Parsed::default() }, "one");
    assert_eq!(report.rows_added.lines, 36 * 4);
    insta::assert_snapshot!(told(&report), @r"
    constant_column (rows refused): 72 prices refused: every game has the same value [hand.csv]
    36 refused: spread: every game has the same value
    ");
}

/// penaltyblog before 1.9.0: home and away of a column changed places.
#[test]
fn a_book_whose_sides_are_swapped_is_refused() {
    let folder = folder();
    let game = game(1, "Ajax", "Bath");
    let mut lines = Vec::new();
    for (book, prices) in [("a", [1.3, 3.8]), ("b", [1.32, 3.6]), ("c", [1.29, 3.9]), ("d", [3.7, 1.31])] {
        lines.extend(market(&game, book, Market::Moneyline, None, prices));
    }
    let report = ingest(&lake(&folder), Parsed { lines, ..Parsed::default() }, "one");
    insta::assert_snapshot!(told(&report), @r"
    swapped_sides (rows refused): 2 prices refused: the sides are swapped against the other books [hand.csv]
    1 refused: moneyline: the sides are swapped against the other books
    ");
}

/// The Odds API: one price in twenty of a sample was taken after the start.
#[test]
fn a_price_taken_after_the_start_is_refused() {
    let folder = folder();
    let game = game(1, "Ajax", "Bath");
    let lines = vec![line(&game, 2.0, game.start_time), line(&game, 2.1, at("2022-10-01T18:59:59Z"))];
    let report = ingest(&lake(&folder), Parsed { lines, ..Parsed::default() }, "one");
    assert_eq!(report.rows_added.lines, 1);
    insta::assert_snapshot!(told(&report), @r"
    in_play (rows refused): 1 prices refused: the price is in-play [hand.csv]
    1 refused: moneyline: the price is in-play
    ");
}

/// The football layout: some averages have an overround below -1 % or above 20 %.
#[test]
fn an_overround_out_of_range_is_refused() {
    let folder = folder();
    let season = "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,B365H,B365D,B365A\nE0,14/10/2022,20:00,Brentford,Brighton,2,0,1.1,1.4,2.3\n";
    let report = lake(&folder).ingest(&football(&write(&folder, "E0.csv", season)), at(UNTIL)).unwrap();
    insta::assert_snapshot!(told(&report), @"1 refused: moneyline: the overround of a book's market is below -1 % or above 25 %");
}

/// wnba-analytics-engine: names were rewritten upstream and the match rate fell to nothing, without an error.
#[test]
fn a_file_whose_names_match_nobody_is_refused_whole() {
    let folder = folder();
    let lake = lake(&folder);
    let results = games().iter().map(|game| result(game, (1, 0), at("2022-10-20T09:00:00Z"))).collect();
    ingest(&lake, Parsed { results, ..Parsed::default() }, "one");
    let strange = |name: &str| format!("Club {} of the Year", &name[..1]);
    let renamed = |row: &Arc<Game>| {
        Game::new(
            &row.league,
            2022,
            row.start_time,
            row.start_time.to_zoned(jiff::tz::TimeZone::UTC).date(),
            &strange(row.home.as_str()),
            &strange(row.away.as_str()),
        )
    };
    let mut lines: Vec<LineRow> = Vec::new();
    for (row, game) in (0_u32..).zip(games()) {
        let mut priced = market(&renamed(&game), "a", Market::Moneyline, None, [1.9, 1.9]);
        for line in &mut priced {
            line.raw_ref.row = row;
        }
        lines.extend(priced);
    }
    let other = ByHand::new(Parsed { lines, ..Parsed::default() }, "two").by("other");
    let report = lake.ingest(&other, at(UNTIL)).unwrap();
    assert_eq!(report.rows_added.lines, 0);
    insta::assert_snapshot!(told(&report), @r"
    unknown_names (file refused): 8 of 8 names match no team: Club A of the Year, Club B of the Year, Club C of the Year, ... [hand.csv]
    36 refused: a team's name is unknown in this league
    ");
}

/// `OddsHarvester`: pagination lost 84 % of a season; another season came under the same address (#71).
#[test]
fn a_file_that_shrinks_or_changes_its_season_is_noticed() {
    let folder = folder();
    let lake = lake(&folder);
    let results = |count: usize, year: i32| {
        let of = |game: &Arc<Game>| {
            let game = Arc::new(Game { season: year, ..(**game).clone() });
            result(&game, (1, 0), at("2022-10-20T09:00:00Z"))
        };
        Parsed { results: games().iter().take(count).map(of).collect(), ..Parsed::default() }
    };
    let first = ingest(&lake, results(36, 2022), "one");
    assert!(first.findings.is_empty(), "{:?}", first.findings);
    insta::assert_snapshot!(told(&ingest(&lake, results(6, 2022), "two")), @"fewer_games (warn): it holds 6 results of season 2022 and held 36 before [hand.csv]");
    insta::assert_snapshot!(told(&ingest(&lake, results(30, 2023), "three")).lines().next().unwrap(), @"fewer_games (warn): it holds 30 results of season 2022 and held 36 before [hand.csv]");
}

/// A scraper returned 16 % of a season with no error: whole pages of some teams were missing.
#[test]
fn teams_that_played_far_less_than_others_are_noticed() {
    let folder = folder();
    let teams = ["Ajax", "Bath", "Cork", "Derby", "Elche", "Forli", "Genoa", "Hearts"];
    let mut results = Vec::new();
    for day in 1..=28_i8 {
        for slot in 0..4 {
            let (home, away) = (teams[slot], teams[4 + (slot + day as usize) % 4]);
            if home != "Ajax" || day < 8 {
                results.push(result(&game(day, home, away), (1, 0), at("2022-10-30T09:00:00Z")));
            }
        }
    }
    let report = ingest(&lake(&folder), Parsed { results, ..Parsed::default() }, "one");
    insta::assert_snapshot!(told(&report), @"uneven_schedule (warn): Ajax has 7 results in season 2022, most teams have 23 [hand.csv]");
}

/// A final score that changes later is taken as a correction and said aloud.
#[test]
fn a_score_that_changes_after_the_end_is_noticed() {
    let folder = folder();
    let lake = lake(&folder);
    let game = game(1, "Ajax", "Bath");
    let of = |score| Parsed {
        results: vec![result(&game, score, at("2022-10-01T22:00:00Z"))],
        ..Parsed::default()
    };
    ingest(&lake, of((1, 0)), "one");
    insta::assert_snapshot!(told(&ingest(&lake, of((1, 1)), "two")), @"score_changed (warn): 1 results were changed, among them hand_2022-10-01_ajax_bath 1:1 final [hand.csv]");
    // Another source that says otherwise corrects nothing.
    let other = ByHand::new(of((4, 4)), "three").by("other");
    insta::assert_snapshot!(told(&lake.ingest(&other, at(UNTIL)).unwrap()), @"1 refused: results: the row contradicts one that is stored");
}

/// A second price for the same instant is a contradiction, of which the first stays.
#[test]
fn a_duplicate_with_another_value_is_refused() {
    let folder = folder();
    let game = game(1, "Ajax", "Bath");
    let early = at("2022-10-01T09:00:00Z");
    let lines = vec![line(&game, 2.0, early), line(&game, 2.0, early), line(&game, 2.2, early)];
    let report = ingest(&lake(&folder), Parsed { lines, ..Parsed::default() }, "one");
    assert_eq!((report.rows_added.lines, report.already_known), (1, 1));
    insta::assert_snapshot!(told(&report), @"1 refused: lines: the row contradicts one that is stored");
}
