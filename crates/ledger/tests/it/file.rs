//! The ledger on disk: crashes at any byte, several writers, edits by hand, files of the first version.

use std::{fmt::Write as _, fs, path::Path};

use ledger::{Entry, Event, Head, Ledger, LedgerFile, LedgerFileError, Mode, row::COLUMNS};
use market::{Money, Selection};
use rand::{Rng as _, SeedableRng as _};

use crate::book::{night, placed, result};

fn money(text: &str) -> Money {
    text.parse().unwrap()
}

fn bets(numbers: std::ops::Range<usize>) -> Vec<Entry> {
    numbers.map(|number| placed(number, Selection::Home, None, 1.95, "5.00")).collect()
}

fn append(path: &Path, entries: Vec<Entry>) -> usize {
    LedgerFile::open(path).unwrap().append(entries, money("1000.00")).unwrap()
}

/// Twelve bets placed and eight of them settled, as a night writes them: placed first, settled later.
fn history() -> (Vec<Entry>, Vec<Entry>) {
    let placed = bets(0..12);
    let mut book = Ledger::default();
    book.append(placed.clone(), money("1000.00")).unwrap();
    let results: Vec<_> = (0..8).map(|number| result(number, 2, u16::try_from(number).unwrap())).collect();
    let settled = book.settle(&results, |_| None, &night(12));
    (placed, settled)
}

#[test]
fn a_write_that_is_killed_at_any_byte_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.csv");
    let (placed, settled) = history();
    append(&path, placed.clone());
    let before = fs::read(&path).unwrap();
    let head = fs::read(folder.path().join("ledger.head.json")).unwrap();
    append(&path, settled.clone());
    let whole = fs::read(&path).unwrap();
    let last = fs::read(folder.path().join("ledger.head.json")).unwrap();
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    for case in 0..400 {
        // The first half dies while it writes the endings, the second while it writes the very first rows.
        let from = if case < 200 { before.len() } else { 0 };
        let cut = random.random_range(from..=whole.len());
        fs::write(&path, &whole[..cut]).unwrap();
        if case < 200 {
            fs::write(folder.path().join("ledger.head.json"), &head).unwrap();
        } else {
            let _absent = fs::remove_file(folder.path().join("ledger.head.json"));
        }
        let mut file = LedgerFile::open(&path).unwrap_or_else(|error| panic!("cut at {cut}: {error:?}"));
        file.append(placed.clone(), money("1000.00")).unwrap();
        file.append(settled.clone(), money("1000.00")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole, "cut at {cut}");
        assert_eq!(fs::read(folder.path().join("ledger.head.json")).unwrap(), last, "cut at {cut}");
    }
}

#[test]
fn many_writers_at_once_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reports").join("ledger.csv");
    std::thread::scope(|threads| {
        for writer in 0..8 {
            let path = &path;
            threads.spawn(move || {
                // Every writer has opened before most others write, and each bet is written by two of them.
                let mut file = LedgerFile::open(path).unwrap();
                for number in 0..10 {
                    let bet = bets(number * 4 + writer / 2..number * 4 + writer / 2 + 1);
                    file.append(bet, money("1000.00")).unwrap();
                }
            });
        }
    });
    let file = LedgerFile::open(&path).unwrap();
    let mut ids: Vec<&str> = file.ledger().entries().iter().map(|entry| entry.bet_id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), file.ledger().entries().len()), (40, 40));
    file.ledger().verify().unwrap();
}

#[test]
fn whatever_is_done_to_the_file_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.csv");
    let (placed, settled) = history();
    append(&path, placed);
    append(&path, settled);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let without = |gone: usize| -> String {
        let kept: Vec<&str> =
            lines.iter().enumerate().filter(|(i, _)| *i != gone).map(|(_, line)| *line).collect();
        kept.join("\n") + "\n"
    };
    let mut swapped = lines.clone();
    swapped.swap(3, 4);
    let mut shown = String::new();
    for (name, edited) in [
        ("a row taken away", without(5)),
        ("the last row taken away", without(20)),
        ("the last row taken away and half of another", text[..text.len() - 900].to_owned()),
        ("two rows swapped", swapped.join("\n") + "\n"),
        ("a row twice", format!("{text}{}\n", lines[20])),
        ("a price changed", text.replacen(",1.95,", ",2.95,", 1)),
        ("an empty line", text.replacen('\n', "\n\n", 1)),
        ("everything taken away", String::new()),
        ("everything but the header taken away", format!("{}\n", lines[0])),
    ] {
        fs::write(&path, edited).unwrap();
        let error = LedgerFile::open(&path).unwrap_err();
        let LedgerFileError::Content { source, .. } = error else { panic!("{name}: {error}") };
        writeln!(shown, "{name}: {source}").unwrap();
    }
    insta::assert_snapshot!(shown);
    // A copy put back heals it; a last line end that an editor took away is no harm, nor are its line ends.
    for harmless in [text.clone(), text.trim_end().to_owned(), text.replace('\n', "\r\n")] {
        fs::write(&path, harmless).unwrap();
        let mut file = LedgerFile::open(&path).unwrap();
        assert_eq!((file.ledger().entries().len(), file.torn()), (20, 0));
        file.append(bets(20..21), money("1000.00")).unwrap();
        assert_eq!(LedgerFile::open(&path).unwrap().ledger().entries().len(), 21);
        fs::remove_file(folder.path().join("ledger.head.json")).unwrap();
    }
}

#[test]
fn a_file_that_a_person_accepts_is_sealed_anew_and_kept_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.csv");
    append(&path, bets(0..3));
    let edited = fs::read_to_string(&path).unwrap().replacen(",north,", ",south,", 1);
    fs::write(&path, &edited).unwrap();
    let kept = LedgerFile::reseal(&path).unwrap();
    assert_eq!(fs::read_to_string(kept).unwrap(), edited);
    let file = LedgerFile::open(&path).unwrap();
    assert_eq!(file.ledger().entries()[0].terms.as_ref().unwrap().book.as_str(), "south");
    append(&path, bets(3..4));
}

#[test]
fn a_ledger_of_the_first_version_is_read_and_sealed_when_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.csv");
    let (placed, settled) = history();
    append(&path, placed);
    append(&path, settled);
    let now = LedgerFile::open(&path).unwrap().ledger().clone();
    let added = ["growth_added", "closing_points", "price_clv", "logit_clv", "seal"];
    let kept = |line: &str| {
        let cells = line.split(',').zip(COLUMNS).filter(|(_, column)| !added.contains(column));
        cells
            .map(|(cell, _)| {
                cell.replace("moneyline;tie=push;overtime=counts;moved=24h", "moneyline-tie-push-1")
            })
            .collect::<Vec<_>>()
            .join(",")
    };
    let text: Vec<String> = now.text().lines().map(kept).collect();
    for ending in ["\n", ""] {
        fs::write(&path, text.join("\n") + ending).unwrap();
        let _absent = fs::remove_file(folder.path().join("ledger.head.json"));
        let mut file = LedgerFile::open(&path).unwrap();
        assert!(file.ledger().was_unsealed());
        assert_eq!(file.ledger().entries().len(), 20);
        assert_eq!(file.append(bets(0..12), money("1000.00")).unwrap(), 0, "nothing new, nothing written");
        assert_eq!(file.append(bets(12..14), money("1000.00")).unwrap(), 2);
        let again = LedgerFile::open(&path).unwrap();
        assert!(!again.ledger().was_unsealed());
        assert_eq!(again.ledger().entries().len(), 22);
        again.ledger().verify().unwrap();
    }
    assert_eq!(
        fs::read_to_string(folder.path().join("ledger.before_1.csv")).unwrap(),
        text.join("\n") + "\n"
    );
    assert!(folder.path().join("ledger.before_2.csv").exists());
}

#[test]
fn the_head_says_where_the_ledger_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.csv");
    append(&path, bets(0..2));
    let head: Head =
        serde_json::from_slice(&fs::read(folder.path().join("ledger.head.json")).unwrap()).unwrap();
    let file = LedgerFile::open(&path).unwrap();
    assert_eq!(file.ledger().head(), Some(head));
    assert!(fs::read_to_string(&path).unwrap().trim_end().ends_with(&head.seal.to_string()));
}

#[test]
fn a_contradiction_or_a_refusal_of_the_system_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.csv");
    append(&path, bets(0..2));
    let before = fs::read(&path).unwrap();
    let mut file = LedgerFile::open(&path).unwrap();
    let mut empty = bets(5..6);
    empty[0].stake = Money::ZERO;
    assert!(file.append([bets(4..5), empty].concat(), money("1000.00")).is_err());
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(file.append(bets(4..5), money("1000.00")).unwrap(), 1, "and the same file goes on");
    let blocked = folder.path().join("a-file");
    fs::write(&blocked, "").unwrap();
    let refused = LedgerFile::open(&blocked.join("ledger.csv")).map(|_| ());
    assert!(matches!(refused, Err(LedgerFileError::System { .. })), "{refused:?}");
    fs::write(&path, [0xff, 0xfe, b'\n']).unwrap();
    assert!(matches!(LedgerFile::open(&path), Err(LedgerFileError::NoText { .. })));
}

#[test]
fn a_file_that_shrinks_under_ones_hands_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.csv");
    append(&path, bets(0..2));
    let mut file = LedgerFile::open(&path).unwrap();
    let text = fs::read(&path).unwrap();
    fs::write(&path, &text[..text.len() - 10]).unwrap();
    let refused = file.append(bets(2..3), money("1000.00")).unwrap_err();
    assert!(matches!(refused, LedgerFileError::Shrunk { .. }), "{refused}");
    assert_eq!(fs::read(&path).unwrap().len(), text.len() - 10);
}

#[test]
fn money_in_is_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.csv");
    let deposit = || Entry::cash(&night(11), Event::Deposit, Mode::Live, money("50.00"), "november");
    assert_eq!(append(&path, vec![deposit(), deposit()]), 1);
    assert_eq!(append(&path, vec![deposit()]), 0);
}

#[test]
fn parquet_holds_what_the_file_holds() {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::RowAccessor as _;

    let (placed, settled) = history();
    let mut ledger = Ledger::default();
    ledger.append([placed, settled].concat(), money("1000.00")).unwrap();
    let bytes = ledger::export::parquet(&ledger).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.parquet");
    fs::write(&path, bytes).unwrap();
    let reader = SerializedFileReader::new(fs::File::open(&path).unwrap()).unwrap();
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), ledger.entries().len());
    let column = |name: &str| COLUMNS.iter().position(|column| *column == name).unwrap();
    for (row, entry) in rows.iter().zip(ledger.entries()) {
        assert_eq!(row.get_string(column("bet_id")).unwrap(), &entry.bet_id);
        let price = entry.terms.as_ref().unwrap().price.decimal();
        assert!((row.get_double(column("price")).unwrap() - price).abs() < 1e-12);
        let (_, stake) = row.get_column_iter().nth(column("stake")).unwrap();
        assert_eq!(stake.to_string(), entry.stake.to_string());
        let (_, date) = row.get_column_iter().next().unwrap();
        assert!(date.to_string().starts_with(&entry.date.to_string()), "{date}");
    }
}
