//! Rows by hand, read by a mapping of their columns.

use data::{CsvFile, DataError, Location, Parsed, Source};
use market::GameStatus;

use crate::support::{at, folder, lake, parse, reasons, write};

/// Every price of a game, one row per book and instant.
const PRICED: &str = r#"{"columns": {"date": "day", "time": "at", "home": "home", "away": "away", "home_score": "hs",
    "away_score": "as", "status": "state", "home_price": "1", "draw_price": "X", "away_price": "2", "spread": "ah",
    "spread_home_price": "ah1", "spread_away_price": "ah2", "total": "line", "over_price": "over",
    "under_price": "under", "book": "bookie", "captured_at": "seen", "event": "id", "number": "no"}}"#;
const HEADER: &str = "id,no,day,at,home,away,hs,as,state,bookie,seen,1,X,2,ah,ah1,ah2,line,over,under";
const ROW: &str = "77,,2022-10-14,20:00,Brentford,Brighton,2,0,FT,one,2022-10-14T09:00:00Z,3.1,3.4,2.3,0.25,1.95,1.95,2.5,1.9,1.96";

fn try_new(settings: &str, three_way: bool) -> Result<CsvFile, DataError> {
    let league = CsvFile::league("epl", three_way, "Europe/London")?;
    CsvFile::new(league, Location::new(["x"]), serde_json::from_str(settings).unwrap(), CsvFile::LEADS)
}

fn priced(rows: &[&str]) -> Parsed {
    parse(&try_new(PRICED, true).unwrap(), &format!("{HEADER}\n{}\n", rows.join("\n"))).unwrap()
}

pub(crate) fn shown(parsed: &Parsed) -> String {
    let line = |row: &market::LineRow| {
        let points = row.points.map(|points| points.to_string()).unwrap_or_default();
        let at = row.captured_at;
        format!(
            "{} {} {} {points} {} {at} {}",
            row.book, row.market, row.selection, row.price, row.is_closing
        )
    };
    parsed.lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_row_gives_prices_result_and_schedule() {
    let other = ROW.replace("one,2022-10-14T09:00:00Z,3.1", "two,1665748800,3.2");
    let parsed = priced(&[ROW, &other]);
    assert_eq!(reasons(&parsed), []);
    insta::assert_snapshot!(shown(&parsed), @r"
    one moneyline home  3.10 2022-10-14T09:00:00Z false
    one moneyline draw  3.40 2022-10-14T09:00:00Z false
    one moneyline away  2.30 2022-10-14T09:00:00Z false
    one spread home 0.25 1.95 2022-10-14T09:00:00Z false
    one spread away -0.25 1.95 2022-10-14T09:00:00Z false
    one total over 2.5 1.90 2022-10-14T09:00:00Z false
    one total under 2.5 1.96 2022-10-14T09:00:00Z false
    two moneyline home  3.20 2022-10-14T12:00:00Z false
    two moneyline draw  3.40 2022-10-14T12:00:00Z false
    two moneyline away  2.30 2022-10-14T12:00:00Z false
    two spread home 0.25 1.95 2022-10-14T12:00:00Z false
    two spread away -0.25 1.95 2022-10-14T12:00:00Z false
    two total over 2.5 1.90 2022-10-14T12:00:00Z false
    two total under 2.5 1.96 2022-10-14T12:00:00Z false
    ");
    let game = &parsed.results[0].game;
    assert_eq!(
        (game.game_id.as_str(), game.season, game.start_time),
        ("csv:77", 2022, at("2022-10-14T19:00:00Z"))
    );
    assert_eq!(parsed.results[0].known_at, at("2022-10-14T23:00:00Z"));
    assert_eq!(parsed.context[0].known_at, at("2022-10-07T19:00:00Z"));
    assert_eq!(parsed.events[&game.game_id].id.as_ref().unwrap().as_str(), "77");
}

#[test]
fn prices_without_time_and_book_are_assumed_to_be_one_books() {
    let settings = r#"{"odds": "fractional", "delimiter": ";", "date_format": "%d.%m.%Y %H:%M", "book": "corner",
        "columns": {"date": "Datum", "home": "Heim", "away": "Gast", "home_price": "1", "draw_price": "X", "away_price": "2"}}"#;
    let source = try_new(settings, true).unwrap();
    let text = "Datum;Heim;Gast;1;X;2\n14.10.2022 20:00;Köln;Mainz;evens;5/2;11/4\n";
    insta::assert_snapshot!(shown(&parse(&source, text).unwrap()), @r"
    corner moneyline home  2.00 2022-10-13T19:00:00Z true
    corner moneyline draw  3.50 2022-10-13T19:00:00Z true
    corner moneyline away  3.75 2022-10-13T19:00:00Z true
    ");
    insta::assert_snapshot!(source.assumptions().join("\n"), @r"
    prices of epl carry no time; each is taken as known 24 h before the start, and as the closing price
    prices of epl name no book; all are taken as those of corner
    fixture, venue, coaches and round of epl are taken as known 7 days before the start
    a result of epl is taken as known 4 h after the start; without a start time, 13:00 in Europe/London is assumed and the result known 4 h after the end of the day
    a season of epl is taken to begin with month 7 of the year
    ");
    insta::assert_snapshot!(source.settings(), @r#"columns[date="Datum" home="Heim" away="Gast" home_price="1" draw_price="X" away_price="2"] odds=Fractional date_format="%d.%m.%Y %H:%M" delimiter=';' book="corner" home_favoured_positive=false season_starts=7 game_lasts=4h three_way=true time_zone=Europe/London line_lead=24h closing_lead=5m schedule_lead=168h starters_lead=1h 30m"#);
}

#[test]
fn commas_may_be_decimal_where_they_separate_nothing() {
    let settings = r#"{"delimiter": ";", "columns": {"date": "d", "home": "h", "away": "a", "spread": "s",
        "spread_home_price": "1", "spread_away_price": "2"}}"#;
    let parsed =
        parse(&try_new(settings, true).unwrap(), "d;h;a;s;1;2\n2022-10-14;x;y;-0,75;1,91;1,95\n").unwrap();
    insta::assert_snapshot!(shown(&parsed), @r"
    consensus spread home -0.75 1.91 2022-10-13T12:00:00Z true
    consensus spread away 0.75 1.95 2022-10-13T12:00:00Z true
    ");
}

#[test]
fn states_decide_whether_there_is_a_result() {
    let state = |state: &str| ROW.replace(",FT,", &format!(",{state},"));
    let rows =
        ["Postponed", "canceled", "SUSPENDED", "", "scheduled", "Live", "Final/OT", "eaten"].map(state);
    let parsed = priced(&rows.each_ref().map(String::as_str));
    let results: Vec<_> = parsed.results.iter().map(|row| (row.status, row.home_score)).collect();
    assert_eq!(
        results,
        [
            (GameStatus::Postponed, 0),
            (GameStatus::Cancelled, 0),
            (GameStatus::Abandoned, 0),
            (GameStatus::Final, 2)
        ]
    );
    assert_eq!(reasons(&parsed), [(7, "the status is unknown")]);
    assert_eq!(parsed.context.len(), 8);
}

#[test]
fn two_games_of_a_day_are_told_apart() {
    let second = ROW.replace("77,,", ",2,");
    let parsed = priced(&[&ROW.replace("77,,", ",1,"), &second, &ROW.replace("77,,", "78,2,")]);
    let ids: Vec<_> = parsed.results.iter().map(|row| row.game.game_id.as_str()).collect();
    assert_eq!(
        ids,
        ["epl_2022-10-14_brentford_brighton", "csv:epl_2022-10-14_brentford_brighton-2", "csv:78"]
    );
    let numbers: Vec<_> = parsed.results.iter().map(|row| parsed.events[&row.game.game_id].number).collect();
    assert_eq!(numbers, [Some(1), Some(2), Some(2)]);
}

#[test]
fn rows_that_cannot_be_right_are_refused_with_their_reason() {
    let rows = [
        ROW.replace("T09:00:00Z", "T19:00:00Z"),
        ROW.replace("2022-10-14T09:00:00Z", "noon"),
        ROW.replace("2022-10-14T09:00:00Z", ""),
        ROW.replace(",one,", ",,"),
        ROW.replace("3.1,3.4,2.3", "3.1,,2.3"),
        ROW.replace("0.25,1.95", ",1.95"),
        ROW.replace("2.5,1.9,", "2.4,1.9,"),
        ROW.replace("2022-10-14,20:00", "14/10/2022,20:00"),
        ROW.replace("20:00", "25:00"),
        ROW.replace("Brighton", ""),
        ROW.replace("Brighton", "Brentford"),
        ROW.replace(",2,0,FT", ",2,,FT"),
        ROW.replace(",2,0,FT", ",,,FT"),
        ROW.replace("77,,", "77,0,"),
    ];
    let parsed = priced(&rows.each_ref().map(String::as_str));
    let shown: Vec<String> = reasons(&parsed).iter().map(|(row, reason)| format!("{row} {reason}")).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    0 the price is in-play
    1 the time of the price is unreadable
    2 a price stands without its time
    3 a price stands without its book
    4 moneyline: a side of a book's market has no price
    5 spread: a price stands without its points
    6 total: points are no multiple of a quarter
    7 the date is unreadable
    8 the time is unreadable
    9 a team is missing
    10 both teams are the same
    11 one of the two scores is missing
    12 a finished game has no score
    13 the game's number is unreadable
    ");
}

#[test]
fn a_game_without_a_time_starts_at_noon_of_its_league_and_ends_with_the_day() {
    let parsed = priced(&[&ROW.replace("20:00", "")]);
    assert_eq!(parsed.results[0].game.start_time, at("2022-10-14T12:00:00Z"));
    assert_eq!(parsed.results[0].known_at, at("2022-10-15T03:00:00Z"));
}

#[test]
fn an_instant_goes_before_a_date_that_it_may_not_contradict() {
    let settings = r#"{"season_starts": 1, "columns": {"start": "s", "date": "d", "home": "h", "away": "a", "neutral": "n"}}"#;
    let text = "s,d,h,a,n\n2022-01-14T01:00:00+02:00,2022-01-14,x,y,1\n1642118400,2022-02-14,x,y,0\n,2022-03-01,x,y,maybe\nsoon,2022-03-01,x,y,\n";
    let parsed = parse(&try_new(settings, true).unwrap(), text).unwrap();
    assert_eq!(
        reasons(&parsed),
        [
            (1, "the start contradicts the date"),
            (2, "the neutral ground is neither yes nor no"),
            (3, "the start is unreadable")
        ]
    );
    let games: Vec<_> = parsed.context.iter().map(|row| (row.game.game_id.as_str(), row.neutral)).collect();
    assert_eq!(games, [("epl_2022-01-13_x_y", Some(true)), ("epl_2022-03-01_x_y", None)]);
}

#[test]
fn settings_that_read_no_file_are_refused_by_key() {
    let with = |columns: &str| format!(r#"{{"columns": {{"home": "h", "away": "a", {columns}}}}}"#);
    let dated = |more: &str| format!(r#"{{{more} "columns": {{"home": "h", "away": "a", "date": "d"}}}}"#);
    let settings = [
        "{}".to_owned(),
        with(r#""venue": "v""#),
        with(r#""start": "s", "time": "t""#),
        with(r#""date": "d", "home_score": "s""#),
        with(r#""date": "d", "home_price": "1", "away_price": "2""#),
        with(r#""date": "d", "spread_home_price": "1", "spread_away_price": "2""#),
        with(r#""date": "d", "status": "s""#),
        with(r#""date": "d", "captured_at": "c""#),
        with(r#""date": " d""#),
        dated(r#""delimiter": "x","#),
        dated(r#""season_starts": 13,"#),
        dated(r#""game_lasts": "0s","#),
        dated(r#""book": " ","#),
        dated(r#""date_format": "%d/%m","#),
        dated(r#""date_format": "%Q","#),
    ];
    let mut messages: Vec<String> =
        settings.iter().map(|settings| try_new(settings, true).unwrap_err().to_string()).collect();
    messages.push(try_new(PRICED, false).unwrap_err().to_string());
    insta::assert_snapshot!(messages.join("\n"), @r"
    columns.home is missing; name the column of the home team
    columns.date is missing; name the column of the day, or columns.start for an instant
    columns.time needs columns.date, the day to which the time belongs
    columns.home_score needs columns.away_score; name both or none
    columns.home_price needs columns.draw_price; name both or none
    columns.spread_home_price needs columns.spread; name both or none
    columns.status needs columns.home_score and columns.away_score
    columns.captured_at is set, but no price is; name the columns of the prices
    columns.date is blank or has blanks around it; name a column of the file
    delimiter is 'x', but must be a comma, semicolon, bar or tab
    season_starts is 13, but must be a month from 1 to 12
    game_lasts is 0s, but must lie between 0 h and 7 days
    book is blank; name the book or take the key away
    date_format `%d/%m` does not give one day; write it like `%d/%m/%Y`
    date_format `%Q` does not give one day; write it like `%d/%m/%Y`
    columns.draw_price is set, but the league is two-way; set three_way or take it away
    ");
}

#[test]
fn a_column_that_a_file_lacks_is_named() {
    let error =
        parse(&try_new(PRICED, true).unwrap(), &HEADER.replace("bookie", "maker").replace(",X,", ","))
            .unwrap_err();
    insta::assert_snapshot!(error, @"cannot read `season.csv`: columns `X`, `bookie` are missing; take a file in the configured [league.csv.columns] layout");
}

#[test]
fn rows_of_one_game_are_stored_once() {
    let folder = folder();
    let path = write(&folder, "games.csv", format!("{HEADER}\n{ROW}\n{}\n", ROW.replace("one", "two")));
    let league = CsvFile::league("epl", true, "Europe/London").unwrap();
    let settings = serde_json::from_str(PRICED).unwrap();
    let source = CsvFile::new(league, Location::new([path]), settings, CsvFile::LEADS).unwrap();
    let report = lake(&folder).ingest(&source, at("2022-10-14T12:00:00Z")).unwrap();
    assert_eq!((report.rows_added.lines, report.rows_added.results, report.rows_added.context), (14, 1, 1));
    assert!(report.refused.is_empty());
}
