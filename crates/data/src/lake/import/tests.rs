use market::{LineRow, Timestamp};

use super::*;
use crate::Store;

const HEADER: &str = "league,game_id,season,start_time,home,away,book,market,selection,points,price,captured_at,is_closing,source\n";

/// Rows of one partition at few instants, each twice, and one of them very often.
fn table() -> String {
    let row = |number: i32| {
        let (game, second) = (number % 90, 1_600_000_000 + number / 400);
        format!("nfl,g{game},2021,1636680000,A,B,b{number},total,under,41.5,1.91,{second},false,feed\n")
    };
    let rows = (0..2_000).chain(0..2_000).chain([5; 3_000]);
    HEADER.to_owned() + &rows.map(row).collect::<String>()
}

fn lines(lake: &Lake) -> Vec<LineRow> {
    lake.snapshot(&lake.leagues().unwrap(), Timestamp::MAX).unwrap().lines
}

#[test]
fn a_partition_beyond_memory_is_written_in_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.csv");
    std::fs::write(&file, table()).unwrap();
    let files = [file];
    let settings = ImportSettings::new("2024-01-01T00:00:00Z".parse().unwrap());
    let lake = |name: &str| Lake::new(Store::open(folder.path().join(name).to_str().unwrap()).unwrap());
    let (whole, pieces) = (lake("whole"), lake("pieces"));
    let first = whole.import(&files, &settings, &|_| {}).unwrap();
    assert_eq!((first.stored, first.duplicates, first.files_written), (2_000, 5_000, 1));

    let split = pieces.import_by(300, &files, &settings, &|_| {}).unwrap();
    assert_eq!((split.stored, split.duplicates), (2_000, 5_000));
    assert!(split.files_written > 5, "{split:?}");
    assert_eq!(lines(&whole), lines(&pieces));

    let lost = pieces.store().list("data/lines").unwrap().remove(3);
    pieces.store().delete(&lost).unwrap();
    let again = pieces.import_by(300, &files, &settings, &|_| {}).unwrap();
    assert!(again.stored > 0 && again.already_known > 1_000, "{again:?}");
    assert_eq!(lines(&whole), lines(&pieces));
    let nothing = whole.import_by(300, &files, &settings, &|_| {}).unwrap();
    assert_eq!((nothing.stored, nothing.already_known), (0, 2_000));
}
