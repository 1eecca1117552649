//! What the sources make of rows, right and wrong.

use data::{Location, Nflverse, Parsed, Source};
use market::{Market, Selection};

use crate::support::{SEASON, at, football, parse, parse_football, reasons};

const NFL: &str = "\
game_id,season,game_type,week,gameday,gametime,away_team,away_score,home_team,home_score,location,away_rest,home_rest,\
away_moneyline,home_moneyline,spread_line,away_spread_odds,home_spread_odds,total_line,under_odds,over_odds,roof,surface,\
temp,wind,away_qb_name,home_qb_name,away_coach,home_coach,referee,stadium
";

fn nfl(rows: &[&str]) -> Parsed {
    let source =
        Nflverse::new(Nflverse::league("nfl").unwrap(), Location::new(["x"]), Nflverse::LEADS).unwrap();
    parse(&source, &format!("{NFL}{}\n", rows.join("\n"))).unwrap()
}

const THURSDAY: &str = "2021_10_BAL_MIA,2021,REG,10,2021-11-11,20:20,BAL,10,MIA,22,Home,4,4,-335,270,-7.5,-105,-115,47,-110,-110,\
outdoors,grass,77,8,Lamar Jackson,Jacoby Brissett,John Harbaugh,Brian Flores,Clete Blakeman,Hard Rock Stadium";

#[test]
fn a_positive_spread_line_favours_the_home_side() {
    let parsed = nfl(&[THURSDAY]);
    let shown: Vec<String> = parsed
        .lines
        .iter()
        .map(|row| {
            let points = row.points.map(|points| points.to_string()).unwrap_or_default();
            format!(
                "{} {} {} {points} {} {} {}",
                row.book, row.market, row.selection, row.price, row.captured_at, row.is_closing
            )
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    consensus moneyline home  3.70 2021-11-11T01:20:00Z true
    consensus moneyline away  1.30 2021-11-11T01:20:00Z true
    consensus spread home 7.5 1.87 2021-11-11T01:20:00Z true
    consensus spread away -7.5 1.95 2021-11-11T01:20:00Z true
    consensus total over 47 1.91 2021-11-11T01:20:00Z true
    consensus total under 47 1.91 2021-11-11T01:20:00Z true
    ");
    assert_eq!(parsed.lines[0].game.game_id.as_str(), "nfl_2021-11-11_mia_bal");
}

#[test]
fn what_is_known_shortly_before_the_start_is_apart_from_the_schedule() {
    let parsed =
        nfl(&[THURSDAY, &THURSDAY.replace("outdoors", "closed").replace("2021-11-11", "2021-11-18")]);
    let [schedule, starters, movable, decided] = parsed.context.as_slice() else {
        panic!("{:?}", parsed.context)
    };
    assert_eq!(schedule.known_at, at("2021-11-05T01:20:00Z"));
    assert_eq!(schedule.home_coach.as_ref().unwrap().as_str(), "Brian Flores");
    assert_eq!((schedule.week, schedule.home_rest_days, schedule.neutral), (Some(10), Some(4), Some(false)));
    assert!(schedule.home_player.is_none() && schedule.referee.is_none());
    assert_eq!(starters.known_at, at("2021-11-11T23:50:00Z"));
    assert_eq!(starters.away_player.as_ref().unwrap().as_str(), "Lamar Jackson");
    assert!(starters.venue.is_none());
    assert_eq!((schedule.roof.as_ref().unwrap().as_str(), &movable.roof), ("outdoors", &None));
    assert_eq!(decided.roof.as_ref().unwrap().as_str(), "closed");
}

#[test]
fn a_result_is_known_when_the_game_is_over() {
    let parsed = nfl(&[THURSDAY, &THURSDAY.replace(",20:20,", ",,")]);
    assert_eq!(parsed.results[0].known_at, at("2021-11-12T05:20:00Z"));
    assert_eq!((parsed.results[0].home_score, parsed.results[0].away_score), (22, 10));
    // Without a time: 13:00 in New York, and the end of that day with the length of a game on top.
    assert_eq!(parsed.results[1].game.start_time, at("2021-11-11T18:00:00Z"));
    assert_eq!(parsed.results[1].known_at, at("2021-11-12T09:00:00Z"));
}

#[test]
fn no_price_is_invented_where_only_the_spread_is_known() {
    let old = THURSDAY.replace("-335,270,-7.5,-105,-115,47,-110,-110", ",,-7.5,,,47,,");
    let parsed = nfl(&[&old]);
    assert!(parsed.lines.is_empty() && parsed.refused.is_empty());
    assert_eq!(parsed.results.len(), 1);
}

#[test]
fn an_upcoming_game_has_lines_and_context_only() {
    let parsed = nfl(&[&THURSDAY.replace("BAL,10,MIA,22", "BAL,,MIA,")]);
    assert_eq!((parsed.lines.len(), parsed.context.len(), parsed.results.len()), (6, 2, 0));
}

#[test]
fn a_franchise_keeps_its_past_when_it_moves() {
    let parsed = nfl(&[&THURSDAY.replace("BAL,10", "OAK,10").replace("MIA,22", "SD,22")]);
    let game = &parsed.results[0].game;
    assert_eq!((game.home.as_str(), game.away.as_str()), ("LAC", "LV"));
}

#[test]
fn nfl_rows_that_cannot_be_right_are_refused_with_their_reason() {
    let parsed = nfl(&[
        &THURSDAY.replace("-335,270", "-124,134"),
        &THURSDAY.replace("-335,270", "-50,270"),
        &THURSDAY.replace("-7.5", "-7.3"),
        &THURSDAY.replace("2021-11-11", "2021-05-11"),
        &THURSDAY.replace("2021-11-11", "soon"),
        &THURSDAY.replace("20:20", "25:61"),
        &THURSDAY.replace("BAL,10", "MIA,10"),
        &THURSDAY.replace("MIA,22", "MIA,-22"),
        &THURSDAY.replace("MIA,22", "MIA,"),
        &THURSDAY.replace("-335,270", "-335,"),
    ]);
    assert_eq!(
        reasons(&parsed),
        [
            (0, "moneyline: the overround of a book's market is below -1 % or above 25 %"),
            (1, "moneyline: a price is no odds above 1"),
            (2, "spread: points are no multiple of a quarter"),
            (3, "the start lies outside the season"),
            (4, "the date is unreadable"),
            (5, "the time is unreadable"),
            (6, "both teams are the same"),
            (7, "a score is no number from 0 to 999"),
            (8, "one of the two scores is missing"),
            (9, "moneyline: a side of a book's market has no price"),
        ]
    );
    // A bad moneyline takes neither the other markets nor the result with it.
    assert_eq!(parsed.lines.iter().filter(|row| row.raw_ref.row == 0).count(), 4);
    assert!(parsed.results.iter().any(|row| row.raw_ref.row == 0));
    assert!(parsed.refused[0].text.starts_with("2021_10_BAL_MIA,2021,REG"));
}

#[test]
fn opening_and_closing_prices_of_each_book_are_told_apart() {
    let parsed = parse_football(SEASON).unwrap();
    let first: Vec<_> = parsed.lines.iter().filter(|row| row.raw_ref.row == 0).collect();
    assert_eq!(first.len(), 6);
    assert_eq!(
        (first[0].book.as_str(), first[0].captured_at, first[0].is_closing),
        ("bet365", at("2022-10-13T19:00:00Z"), false)
    );
    assert_eq!(
        (first[3].book.as_str(), first[3].captured_at, first[3].is_closing),
        ("pinnacle", at("2022-10-14T18:55:00Z"), true)
    );
    assert_eq!((first[4].selection, first[4].price.decimal()), (Selection::Draw, 3.45));
    assert_eq!(parsed.results[0].known_at, at("2022-10-14T21:00:00Z"));
    assert_eq!(parsed.results.len(), 2, "a fixture without a score has no result");
}

#[test]
fn handicaps_and_totals_have_their_own_points() {
    let text = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,B365>2.5,B365<2.5,AHh,PAHH,PAHA,B365AHH,B365AHA,B365AH\n\
        E0,15/08/09,Aston Villa,Wigan,0,2,1.9,1.9,-0.75,2.02,1.86,1.91,1.95,-1\n";
    let parsed = parse_football(text).unwrap();
    let shown: Vec<String> = parsed
        .lines
        .iter()
        .map(|row| {
            format!("{} {} {} {} {}", row.book, row.market, row.selection, row.points.unwrap(), row.price)
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    bet365 total over 2.5 1.90
    bet365 total under 2.5 1.90
    pinnacle spread home -0.75 2.02
    pinnacle spread away 0.75 1.86
    bet365 spread home -1 1.91
    bet365 spread away 1 1.95
    ");
    assert!(parsed.lines.iter().all(|row| row.market != Market::Moneyline));
    // Without a time: 15:00 in London, and the end of that day with the length of a game on top.
    assert_eq!(parsed.results[0].game.start_time, at("2009-08-15T14:00:00Z"));
    assert_eq!(parsed.results[0].known_at, at("2009-08-16T01:00:00Z"));
}

#[test]
fn marks_blank_rows_and_trailing_cells_do_no_harm() {
    let text = format!("\u{feff}{},,\n,,,,\n\n", SEASON.trim_end().replace("\nE0", ",,\nE0"));
    let (clean, noisy) = (parse_football(SEASON).unwrap(), parse_football(&text).unwrap());
    assert_eq!(clean, noisy);
}

#[test]
fn football_rows_that_cannot_be_right_are_refused_with_their_reason() {
    let row = "E0,14/10/2022,20:00,Brentford,Brighton,2,0,H,M Oliver,3.1,3.4,2.3,3.05,3.45,2.38";
    let header = SEASON.lines().next().unwrap();
    let rows = [
        row.replace("3.1,3.4,2.3,", "3.1,1,2.3,"),
        row.replace("3.1,3.4,2.3,", "3.1,,2.3,"),
        row.replace("3.1,3.4,2.3,", "31,3.4,2.3,"),
        row.replace("14/10/2022", "14/14/2022"),
        row.replace("Brighton", "Brentford"),
        row.replace("E0", "E1"),
        row.replace(",2,0,H", ",2,0,A"),
        row.replace(",2,0,H", ",x,0,H"),
    ];
    let parsed = parse_football(&format!("{header}\n{row}\n{}\n", rows.join("\n"))).unwrap();
    assert_eq!(
        reasons(&parsed),
        [
            (1, "moneyline: a price is no odds above 1"),
            (2, "moneyline: a side of a book's market has no price"),
            (3, "moneyline: the overround of a book's market is below -1 % or above 25 %"),
            (4, "the date is unreadable"),
            (5, "both teams are the same"),
            (6, "the row belongs to another division"),
            (7, "the result letter contradicts the score"),
            (8, "a score is no number from 0 to 999"),
        ]
    );
}

#[test]
fn assumptions_are_said_in_sentences() {
    insta::assert_snapshot!(football("x").assumptions().join("\n"), @r"
    prices of epl carry no time; each is taken as known 24 h before the start, a closing price 5 min before it
    fixtures of epl are taken as known 7 days, the referee 24 h before the start
    a result of epl is taken as known 2 h after the start; without a start time, 15:00 UK time is assumed and the result known 2 h after the end of the day
    ");
}
