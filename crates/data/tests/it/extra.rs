//! The extra and the fixtures layouts of football-data.co.uk, and its averages over books.

use data::{Parsed, source::football_data::AVERAGE};

use crate::support::{at, football, parse, parse_football, reasons};

const EXTRA: &str =
    "Country,League,Season,Date,Time,Home,Away,HG,AG,Res,PH,PD,PA,MaxH,MaxD,MaxA,AvgH,AvgD,AvgA\n";
const NEWER: &str = "Country,League,Season,Date,Time,Home,Away,HG,AG,Res,PSCH,PSCD,PSCA,MaxCH,MaxCD,MaxCA,AvgCH,AvgCD,AvgCA,BFECH,BFECD,BFECA\n";
const FIXTURES: &str = "\
Div,Date,Time,HomeTeam,AwayTeam,Referee,B365H,B365D,B365A,AvgH,AvgD,AvgA
E0,15/10/2022,15:00,Fulham,Bournemouth,A Taylor,1.8,3.6,4.5,1.82,3.55,4.4
D1,15/10/2022,14:30,Mainz,Koeln,,2.3,3.4,3.1,,,
E0,16/10/2022,14:00,Leeds,Arsenal,,5.5,4.2,1.6,,,
";

fn shown(parsed: &Parsed) -> Vec<String> {
    let line = |row: &market::LineRow| {
        let closing = if row.is_closing { "closing" } else { "open" };
        format!(
            "{} {} {} {} {closing} {}",
            row.raw_ref.row, row.book, row.selection, row.price, row.captured_at
        )
    };
    parsed.lines.iter().map(line).collect()
}

#[test]
fn an_extra_file_holds_many_seasons_and_closing_prices() {
    let rows = "\
Brazil,Serie A,2012,20/05/2012,20:00,Palmeiras,Portuguesa,1,1,D,1.75,3.86,5.25,1.76,3.87,5.31,1.69,3.5,4.9
Brazil,Serie A ,2020,26/02/2021,00:30,Sao Paulo,Flamengo RJ,2,1,H,,,,2.6,3.6,3.1,2.5,3.4,2.9
Brazil,Serie A,2022/2023,10/04/2022,,Avai,America MG,,,,2.6,3.1,3.05,,,,,,
";
    let parsed = parse_football(&format!("{EXTRA}{rows}")).unwrap();
    assert_eq!(reasons(&parsed), []);
    insta::assert_snapshot!(shown(&parsed).join("\n"), @r"
    0 pinnacle home 1.75 closing 2012-05-20T18:55:00Z
    0 pinnacle draw 3.86 closing 2012-05-20T18:55:00Z
    0 pinnacle away 5.25 closing 2012-05-20T18:55:00Z
    0 average home 1.69 closing 2012-05-20T18:55:00Z
    0 average draw 3.50 closing 2012-05-20T18:55:00Z
    0 average away 4.90 closing 2012-05-20T18:55:00Z
    1 average home 2.50 closing 2021-02-26T00:25:00Z
    1 average draw 3.40 closing 2021-02-26T00:25:00Z
    1 average away 2.90 closing 2021-02-26T00:25:00Z
    2 pinnacle home 2.60 closing 2022-04-10T13:55:00Z
    2 pinnacle draw 3.10 closing 2022-04-10T13:55:00Z
    2 pinnacle away 3.05 closing 2022-04-10T13:55:00Z
    ");
    let seasons: Vec<i32> = parsed.context.iter().map(|row| row.game.season).collect();
    assert_eq!(seasons, [2012, 2020, 2022]);
    assert_eq!(parsed.results.len(), 2, "a row without scores is a game to come");
    // 00:30 in the UK.
    assert_eq!(parsed.results[1].game.start_time, at("2021-02-26T00:30:00Z"));
}

#[test]
fn newer_extra_files_name_their_closing_prices() {
    let row = "USA,MLS,2024,22/02/2024,01:00,Inter Miami,Real Salt Lake,2,0,H,1.6,4.5,5,1.66,4.7,5.5,1.6,4.4,5,1.65,4.6,5.4\n";
    let parsed = parse_football(&format!("{NEWER}{row}")).unwrap();
    let books: Vec<&str> = parsed.lines.iter().step_by(3).map(|row| row.book.as_str()).collect();
    assert_eq!(books, ["pinnacle", AVERAGE, "betfair_exchange"]);
    assert!(parsed.lines.iter().all(|row| row.is_closing));
}

#[test]
fn of_two_columns_of_one_closing_price_the_one_that_says_so_counts() {
    let header = EXTRA.replace("MaxH,MaxD,MaxA", "PSCH,PSCD,PSCA");
    let rows = "\
Japan,J-League,2023,17/02/2023,10:00,Kawasaki,Yokohama,1,2,A,2.7,3.4,2.6,2.8,3.5,2.5,,,
Japan,J-League,2023,18/02/2023,05:00,Kashima,Kyoto,2,0,H,2.1,3.3,3.6,,,,,,
";
    let parsed = parse_football(&format!("{header}{rows}")).unwrap();
    let home: Vec<String> = parsed.lines.iter().step_by(3).map(|row| row.price.to_string()).collect();
    assert_eq!(home, ["2.80", "2.10"]);
}

#[test]
fn extra_rows_that_cannot_be_right_are_refused_with_their_reason() {
    let row = "Brazil,Serie A,2012,20/05/2012,20:00,Palmeiras,Portuguesa,1,1,D,1.75,3.86,5.25,,,,,,";
    let rows = [
        row.replace(",2012,", ",,"),
        row.replace(",2012,", ",last,"),
        row.replace("20/05/2012", "20/05/2010"),
        row.replace("20/05/2012", "20/15/2012"),
        row.replace(",1,1,D", ",1,1,H"),
        row.replace("Portuguesa", "Palmeiras"),
    ];
    let parsed = parse_football(&format!("{EXTRA}{}\n", rows.join("\n"))).unwrap();
    assert_eq!(
        reasons(&parsed),
        [
            (0, "the season is no year"),
            (1, "the season is no year"),
            (2, "the start lies outside the season"),
            (3, "the date is unreadable"),
            (4, "the result letter contradicts the score"),
            (5, "both teams are the same"),
        ]
    );
}

#[test]
fn a_league_of_an_extra_file_is_chosen_by_its_name() {
    let row = "Argentina,Superliga,2019/2020,26/07/2019,23:00,Patronato,Huracan,1,1,D,2.6,3,3.1,,,,,,";
    let text = format!("{EXTRA}{row}\n{}\n", row.replace("Superliga", "Copa"));
    assert_eq!(parse_football(&text).unwrap().results.len(), 2);
    let chosen = parse(&football("unused").division("Copa"), &text).unwrap();
    assert_eq!((chosen.results.len(), chosen.refused.len()), (1, 0));
    assert_eq!(chosen.results[0].raw_ref.row, 1);
}

#[test]
fn of_fixtures_only_the_configured_division_is_read() {
    let parsed = parse(&football("unused").division("E0"), FIXTURES).unwrap();
    assert_eq!(reasons(&parsed), []);
    assert_eq!((parsed.results.len(), parsed.lines.len()), (0, 9));
    let homes: Vec<_> = parsed.context.iter().map(|row| (row.game.home.as_str(), row.game.season)).collect();
    assert_eq!(homes, [("Fulham", 2022), ("Fulham", 2022), ("Leeds", 2022)], "schedule and referee");
    assert!(parsed.lines.iter().all(|row| !row.is_closing));
    // Without a choice the first row decides, and no row goes unaccounted for.
    let parsed = parse_football(FIXTURES).unwrap();
    assert_eq!(reasons(&parsed), [(1, "the row belongs to another division")]);
}

#[test]
fn a_season_without_its_scores_is_no_list_of_fixtures() {
    let season = FIXTURES.replace(",Referee,", ",FTR,");
    let error = parse_football(&season).unwrap_err();
    insta::assert_snapshot!(error, @"cannot read `season.csv`: columns `FTHG`, `FTAG` are missing; take a file in the football-data.co.uk main layout");
    let error = parse_football(&EXTRA.replace("Season,", "")).unwrap_err();
    insta::assert_snapshot!(error, @"cannot read `season.csv`: column `Season` is missing; take a file in the football-data.co.uk extra layout");
}

#[test]
fn averages_over_books_are_a_book_and_best_prices_are_not() {
    let text = "Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,BbMxH,BbMxD,BbMxA,BbAvH,BbAvD,BbAvA,BbMx>2.5,BbMx<2.5,BbAv>2.5,BbAv<2.5,BbAHh,BbMxAHH,BbMxAHA,BbAvAHH,BbAvAHA\n\
        E0,16/08/14,Arsenal,Crystal Palace,2,1,1.3,6.5,15,1.25,6,12.5,1.6,2.6,1.55,2.45,-1.5,1.91,2.05,1.86,2.02\n";
    let parsed = parse_football(text).unwrap();
    let shown: Vec<String> = parsed
        .lines
        .iter()
        .map(|row| {
            let points = row.points.map(|points| points.to_string()).unwrap_or_default();
            format!("{} {} {} {points} {}", row.book, row.market, row.selection, row.price)
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    average moneyline home  1.25
    average moneyline draw  6.00
    average moneyline away  12.50
    average total over 2.5 1.55
    average total under 2.5 2.45
    average spread home -1.5 1.86
    average spread away 1.5 2.02
    ");
}
