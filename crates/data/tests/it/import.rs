//! Large files into the lake: every row is accounted for, whatever stands in it and whenever the import stops.

use std::{
    collections::{BTreeMap, HashSet},
    io::Write,
    path::PathBuf,
};

use data::{ImportReport, ImportSettings, Lake, League};
use flate2::{Compression, write::GzEncoder};
use market::{LeagueId, LineRow, Timestamp};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::support::{at, folder, lake, objects, write};

const HEADER: &str = "league,game_id,season,start_time,home,away,book,market,selection,points,price,captured_at,is_closing,source";
const AT: &str = "2024-05-01T12:00:00Z";

fn import(lake: &Lake, paths: &[&str]) -> ImportReport {
    let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
    let report = lake.import(&paths, &ImportSettings::new(at(AT)), &|_| {}).unwrap();
    let refused: u64 = report.refused.values().sum();
    assert_eq!(report.rows, report.stored + report.duplicates + report.already_known + refused, "{report:?}");
    report
}

fn lines(lake: &Lake) -> Vec<LineRow> {
    lake.snapshot(&lake.leagues().unwrap(), Timestamp::MAX).unwrap().lines
}

fn quarantined(lake: &Lake) -> Vec<(u32, String, String)> {
    let date = jiff::civil::date(2024, 5, 1);
    let rows = lake.quarantined(date, date).unwrap();
    rows.into_iter().map(|row| (row.raw_ref.row, row.reason, row.text)).collect()
}

/// A row that differs by its number in book, points and instant.
fn row(number: i64) -> String {
    let (game, second) = (number % 7, 1_700_000_000 - number);
    let season = 2020 + game % 2;
    format!(
        "l{},g{game},{season},1700006400,Home {game},Away {game},book{},total,over,{}.5,1.91,{second},true,feed",
        game % 3,
        number % 5,
        number % 9
    )
}

fn table(rows: impl IntoIterator<Item = String>) -> String {
    let mut text = HEADER.to_owned() + "\n";
    for row in rows {
        text = text + &row + "\n";
    }
    text
}

#[test]
fn a_snapshot_reads_back_what_was_imported() {
    let folder = folder();
    let text = format!(
        "{HEADER}\n\
         nfl,g1,2021,1636680000,MIA,BAL,pin,spread,home,-3.5,1.91,1636600000,true,feed\n\
         nfl,g1,2021,2021-11-12T01:20:00Z,MIA,BAL,\"Bet, \"\"now\"\"\",moneyline,away,,2.5,2021-11-11T03:06:41+00:00,0,feed\n"
    );
    let lake = lake(&folder);
    let report = import(&lake, &[&write(&folder, "a.csv", text)]);
    assert_eq!((report.rows, report.stored, report.files_written), (2, 2, 1));
    assert_eq!(report.leagues, [LeagueId::new("nfl").unwrap()]);
    let lines = lines(&lake);
    let described: Vec<String> = lines
        .iter()
        .map(|line| {
            let LineRow { game, book, market, selection, points, price, captured_at, is_closing, source, raw_ref } = line;
            let points = points.map(|points| points.to_string());
            format!(
                "{}@{} {} {book} {market} {selection} {points:?} {price} {captured_at} {is_closing} {source} #{}",
                game.home, game.away, game.start_time, raw_ref.row
            )
        })
        .collect();
    insta::assert_snapshot!(described.join("\n"), @r#"
    MIA@BAL 2021-11-12T01:20:00Z pin spread home Some("-3.5") 1.91 2021-11-11T03:06:40Z true feed #0
    MIA@BAL 2021-11-12T01:20:00Z Bet, "now" moneyline away None 2.50 2021-11-11T03:06:41Z false feed #1
    "#);
    assert_eq!(lake.leagues().unwrap()[0].time_zone, "UTC");
    let raw = lake.store().list("data/raw/import/2024-05-01").unwrap();
    assert_eq!(raw, [format!("data/raw/import/2024-05-01/{}.csv.zst", lines[0].raw_ref.payload)]);
}

#[test]
fn the_columns_are_those_of_every_other_file() {
    let folder = folder();
    let (imported, pulled) =
        (lake(&folder), Lake::new(crate::support::lake(&self::folder()).store().clone()));
    import(&imported, &[&write(&folder, "a.csv", table([row(1)]))]);
    let source = crate::support::football(&write(&folder, "E0.csv", crate::support::SEASON));
    pulled.ingest(&source, at("2022-10-15T09:00:00Z")).unwrap();
    let schema = |lake: &Lake| {
        let path = lake.store().list("data/lines").unwrap().remove(0);
        let bytes = bytes::Bytes::from(lake.store().get(&path).unwrap());
        let file = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        file.schema().clone()
    };
    assert_eq!(schema(&imported), schema(&pulled));
}

#[test]
fn a_second_import_adds_nothing() {
    let folder = folder();
    let bad = "x\n,,,\n".to_owned();
    let file = write(&folder, "a.csv", table((0..500).map(row)) + &bad);
    let lake = lake(&folder);
    let first = import(&lake, &[&file, &file]);
    assert_eq!((first.rows, first.stored, first.duplicates), (1004, 500, 500));
    let whole = objects(&lake);
    let second = import(&lake, &[&file]);
    assert_eq!((second.stored, second.already_known, second.files_written), (0, 500, 0));
    assert_eq!(objects(&lake), whole);
    let more = import(&lake, &[&write(&folder, "b.csv", table((490..510).map(row)))]);
    assert_eq!((more.stored, more.already_known), (10, 10));
    assert_eq!(lines(&lake).len(), 510);
}

#[test]
fn an_import_killed_after_any_file_recovers() {
    let folder = folder();
    let file = write(&folder, "a.csv", table((0..60).map(row)) + "no row\n");
    let lake = lake(&folder);
    import(&lake, &[&file]);
    let whole = objects(&lake);
    assert!(whole.len() > 9, "{}", whole.len());
    for kept in 0..whole.len() {
        for (path, _) in &whole[kept..] {
            lake.store().delete(path).unwrap();
        }
        import(&lake, &[&file]);
        assert_eq!(objects(&lake), whole, "killed after {kept} writes");
    }
}

#[test]
fn a_packed_file_gives_the_same_rows() {
    let folder = folder();
    let text = table((0..40_000).map(row));
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let lake = lake(&folder);
    let report = import(&lake, &[&write(&folder, "a.csv.gz", &packed)]);
    assert_eq!((report.rows, report.stored), (40_000, 40_000));
    assert_eq!(import(&lake, &[&write(&folder, "a.csv", text)]).already_known, 40_000);
    let mut rows: Vec<u32> = lines(&lake).iter().map(|line| line.raw_ref.row).collect();
    rows.sort_unstable();
    assert!(rows.into_iter().eq(0..40_000), "each row is numbered across blocks");
    let cut = write(&folder, "cut.csv.gz", &packed[..packed.len() / 2]);
    assert!(lake.import(&[cut.into()], &ImportSettings::new(at(AT)), &|_| {}).is_err());
}

#[test]
fn what_is_no_table_is_named_before_anything_is_written() {
    let folder = folder();
    let lake = lake(&folder);
    let message = |text: &str| {
        let good = write(&folder, "good.csv", table([row(1)]));
        let paths = [good.into(), write(&folder, "bad.csv", text).into()];
        lake.import(&paths, &ImportSettings::new(at(AT)), &|_| {}).unwrap_err().to_string()
    };
    insta::assert_snapshot!(message(&HEADER.replace("book,", "").replace("price", "odds")), @"cannot read `bad.csv`: columns `book`, `price` are missing; take a file in the line row layout");
    insta::assert_snapshot!(message("\n \r\n"), @"cannot read `bad.csv`: it is empty; download it again");
    insta::assert_snapshot!(message("<html>"), @"cannot read `bad.csv`: it is a web page, not a table; check that the address names the file itself");
    insta::assert_snapshot!(message(&format!("{HEADER}\n\"l1,")), @"cannot read `bad.csv`: it has a row beyond 16 MiB or a quoted cell that does not end; close the quote, or download it again");
    assert_eq!(objects(&lake), []);
    let none = lake.import(&[folder.path().join("none.csv")], &ImportSettings::new(at(AT)), &|_| {});
    assert!(none.unwrap_err().to_string().contains("none.csv"));
}

#[test]
fn a_refused_row_says_why() {
    let folder = folder();
    let good = "nfl,g,2021,1636680000,A,B,pin,spread,home,-3.5,1.91,1636600000,true,feed";
    let bad = [
        good.replace("1.91", "1.0"),
        good.replace("1.91", "evens"),
        good.replace("nfl", "NFL"),
        good.replace("2021", "last"),
        good.replace("1636680000", "soon"),
        good.replace(",A,", ",,"),
        good.replace("spread", "corners"),
        good.replace("home", "both"),
        good.replace("home", "over"),
        good.replace("-3.5", "-3.3"),
        good.replace("-3.5", ""),
        good.replace("spread", "moneyline"),
        good.replace("1636600000", ""),
        good.replace("1636600000", "1636680000"),
        good.replace("true", "maybe"),
        good.replace(",feed", ""),
    ];
    let lake = lake(&folder);
    let report = import(&lake, &[&write(&folder, "a.csv", table(bad))]);
    assert_eq!((report.rows, report.refused.len(), report.leagues.len()), (16, 16, 0));
    let said: Vec<String> =
        quarantined(&lake).into_iter().map(|row| format!("{} {} | {}", row.0, row.1, row.2)).collect();
    insta::assert_snapshot!(said.join("\n"), @"
    0 a price is no odds above 1 | nfl,g,2021,1636680000,A,B,pin,spread,home,-3.5,1.0,1636600000,true,feed
    1 the price is unreadable | nfl,g,2021,1636680000,A,B,pin,spread,home,-3.5,evens,1636600000,true,feed
    3 the season is no year | nfl,g,last,1636680000,A,B,pin,spread,home,-3.5,1.91,1636600000,true,feed
    4 the start time is unreadable | nfl,g,2021,soon,A,B,pin,spread,home,-3.5,1.91,1636600000,true,feed
    5 a game id, team, book or source is empty or unreadable | nfl,g,2021,1636680000,,B,pin,spread,home,-3.5,1.91,1636600000,true,feed
    6 the market is unknown | nfl,g,2021,1636680000,A,B,pin,corners,home,-3.5,1.91,1636600000,true,feed
    7 the selection is unknown | nfl,g,2021,1636680000,A,B,pin,spread,both,-3.5,1.91,1636600000,true,feed
    8 the selection does not belong to the market | nfl,g,2021,1636680000,A,B,pin,spread,over,-3.5,1.91,1636600000,true,feed
    9 points are no multiple of a quarter | nfl,g,2021,1636680000,A,B,pin,spread,home,-3.3,1.91,1636600000,true,feed
    10 a price stands without its points | nfl,g,2021,1636680000,A,B,pin,spread,home,,1.91,1636600000,true,feed
    11 a moneyline has points | nfl,g,2021,1636680000,A,B,pin,moneyline,home,-3.5,1.91,1636600000,true,feed
    12 the capture time is unreadable | nfl,g,2021,1636680000,A,B,pin,spread,home,-3.5,1.91,,true,feed
    13 the price was captured at or after the start | nfl,g,2021,1636680000,A,B,pin,spread,home,-3.5,1.91,1636680000,true,feed
    14 is_closing is neither true nor false | nfl,g,2021,1636680000,A,B,pin,spread,home,-3.5,1.91,1636600000,maybe,feed
    2 the league is no id of lower-case letters, digits and dashes | NFL,g,2021,1636680000,A,B,pin,spread,home,-3.5,1.91,1636600000,true,feed
    15 the row has another number of cells than the header | nfl,g,2021,1636680000,A,B,pin,spread,home,-3.5,1.91,1636600000,true
    ");
}

#[test]
fn a_league_is_as_described_or_stays_as_it_was() {
    let folder = folder();
    let lake = lake(&folder);
    let league =
        League { id: LeagueId::new("l1").unwrap(), three_way: true, time_zone: "Europe/London".into() };
    let settings =
        ImportSettings { leagues: vec![league.clone()], keep_raw: false, ..ImportSettings::new(at(AT)) };
    let file = PathBuf::from(write(&folder, "a.csv", table((0..9).map(row))));
    let bytes = std::cell::Cell::new(0);
    lake.import(std::slice::from_ref(&file), &settings, &|read| bytes.set(read)).unwrap();
    assert_eq!(bytes.get(), std::fs::metadata(&file).unwrap().len());
    import(&lake, &[file.to_str().unwrap()]);
    assert_eq!(lake.leagues().unwrap()[1], league);
    assert!(!lake.leagues().unwrap()[0].three_way);
}

/// A written row, what it is in the end, and how it is set.
#[derive(Debug, Clone)]
struct Written {
    number: i64,
    bad: bool,
    quoted: bool,
    blank_before: bool,
}

fn written() -> impl Strategy<Value = Written> {
    (0_i64..40, prop::bool::weighted(0.2), any::<bool>(), prop::bool::weighted(0.2))
        .prop_map(|(number, bad, quoted, blank_before)| Written { number, bad, quoted, blank_before })
}

/// Columns in another order, cells in quotes, blank lines, and lines that end in one of two ways.
fn set(rows: &[Written], quotes: bool, reverse: bool, line_end: &str) -> String {
    let order = |cells: Vec<&str>| {
        let cells = if reverse { cells.into_iter().rev().collect() } else { cells };
        cells.join(",")
    };
    let mut text = order(HEADER.split(',').collect());
    for Written { number, bad, quoted, blank_before } in rows {
        let row = row(*number).replace("1.91", if *bad { "0.5" } else { "1.91" });
        let cells: Vec<String> = row.split(',').map(str::to_owned).collect();
        let cell =
            |cell: &String| if quotes && *quoted { format!("\"{cell}\"") } else { format!(" {cell} ") };
        let cells: Vec<String> = cells.iter().map(cell).collect();
        text += line_end;
        if *blank_before {
            text += line_end;
        }
        text += &order(cells.iter().map(String::as_str).collect());
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_row_is_accounted_for(
        files in prop::collection::vec((prop::collection::vec(written(), 0..60), any::<bool>(), any::<bool>(), any::<bool>()), 1..4),
    ) {
        let folder: TempDir = folder();
        let lake = lake(&folder);
        let mut paths = Vec::new();
        let (mut seen, mut first, mut duplicates, mut refused) = (HashSet::new(), BTreeMap::new(), 0, 0);
        for (index, (rows, quotes, reverse, crlf)) in files.iter().enumerate() {
            let line_end = if *crlf { "\r\n" } else { "\n" };
            paths.push(write(&folder, &format!("{index}.csv"), set(rows, *quotes, *reverse, line_end)));
            for (place, row) in rows.iter().enumerate() {
                if row.bad {
                    refused += 1;
                } else if seen.insert(row.number) {
                    first.insert(1_700_000_000 - row.number, place as u32);
                } else {
                    duplicates += 1;
                }
            }
        }
        let report = import(&lake, &paths.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(report.rows, files.iter().map(|file| file.0.len() as u64).sum::<u64>());
        prop_assert_eq!((report.stored, report.duplicates), (seen.len() as u64, duplicates));
        prop_assert_eq!(report.refused.values().sum::<u64>(), refused);
        let lines = if seen.is_empty() { Vec::new() } else { lines(&lake) };
        let stored: BTreeMap<i64, u32> = lines.iter().map(|line| (line.captured_at.as_second(), line.raw_ref.row)).collect();
        prop_assert_eq!(stored, first);
        let again = import(&lake, &paths.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!((again.stored, again.already_known), (0, seen.len() as u64));
    }
}
