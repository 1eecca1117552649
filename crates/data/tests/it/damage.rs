//! Real files, damaged in every way that a download can be: an error that says what to do, or every row accounted for.

use std::{collections::BTreeSet, path::Path};

use csv::{ByteRecord, ReaderBuilder, WriterBuilder};
use data::{Espn, FootballData, Leads, Location, Nflverse, Parsed, Payload, Pull, Source, TheOddsApi};
use market::RawRef;
use rand::{Rng, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::{
    csv_real::by_columns,
    support::{at, real_data},
};

fn sources() -> [Box<dyn Source>; 4] {
    let nowhere = || Location::new(["nowhere.csv"]);
    let football = FootballData::league("epl", "Europe/London").unwrap();
    let leads: Leads = FootballData::LEADS;
    [
        Box::new(Nflverse::new(Nflverse::league("nfl").unwrap(), nowhere(), Nflverse::LEADS).unwrap()),
        Box::new(FootballData::new(football, nowhere(), leads).unwrap()),
        Box::new(by_columns::nfl()),
        Box::new(by_columns::baseball()),
    ]
}

type Sample = (Box<dyn Source>, Vec<u8>);

/// Two hundred rows of the NFL, one season of English football, and by their columns the NFL again and a week of baseball.
fn samples(test: &str) -> Option<[Sample; 4]> {
    let data = real_data(test)?;
    let nfl = std::fs::read(data.join("nfl/games_1999-2021.csv")).unwrap();
    let nfl = nfl.split_inclusive(|byte| *byte == b'\n');
    let (header, recent) = (nfl.clone().take(1), nfl.clone().skip(nfl.count() - 200));
    let nfl: Vec<u8> = header.chain(recent).flatten().copied().collect();
    let season = Pull::new(at("2023-01-01T00:00:00Z"))
        .location(&Location::new([newest_file(&data.join("soccer/E0"))]))
        .unwrap()
        .remove(0);
    let baseball = std::fs::read(data.join("mlb/games_2026-07-31_to_2026-08-07.csv")).unwrap();
    let [nflverse, football, nfl_by_columns, baseball_by_columns] = sources();
    Some([
        (nflverse, nfl.clone()),
        (football, season.bytes),
        (nfl_by_columns, nfl),
        (baseball_by_columns, baseball),
    ])
}

fn newest_file(folder: &Path) -> String {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.max().unwrap().display().to_string()
}

fn parse(source: &dyn Source, bytes: Vec<u8>) -> Result<Parsed, data::DataError> {
    let payload = Payload::new("damaged.csv", "csv", bytes);
    source.parse(&payload, &"damaged".into())
}

/// Asserts that a payload is refused with words, or that each of its rows is stored or refused; returns whether it was read.
#[track_caller]
fn accounted_for(source: &dyn Source, bytes: Vec<u8>, damage: &str) -> bool {
    let rows = rows(&bytes);
    let parsed = match parse(source, bytes) {
        Ok(parsed) => parsed,
        Err(error) => {
            assert!(error.to_string().contains("damaged.csv"), "{damage}: {error}");
            return false;
        }
    };
    let raw = |raw_ref: &RawRef| raw_ref.row;
    let mut seen: BTreeSet<u32> = parsed.refused.iter().map(|refused| refused.row).collect();
    seen.extend(parsed.lines.iter().map(|row| raw(&row.raw_ref)));
    seen.extend(parsed.results.iter().map(|row| raw(&row.raw_ref)));
    seen.extend(parsed.context.iter().map(|row| raw(&row.raw_ref)));
    let lost: Vec<&u32> = rows.difference(&seen).collect();
    assert!(lost.is_empty(), "{damage}: rows {lost:?} are neither stored nor refused");
    true
}

/// The numbers of the rows in which anything stands.
fn rows(bytes: &[u8]) -> BTreeSet<u32> {
    let stands = |record: &ByteRecord| record.iter().any(|cell| !cell.trim_ascii().is_empty());
    (0..)
        .zip(records(bytes).into_iter().skip(1))
        .filter(|(_, record)| stands(record))
        .map(|(row, _)| row)
        .collect()
}

fn records(bytes: &[u8]) -> Vec<ByteRecord> {
    let mut reader = ReaderBuilder::new().flexible(true).has_headers(false).from_reader(bytes);
    reader.byte_records().map(Result::unwrap).collect()
}

fn written(records: &[ByteRecord]) -> Vec<u8> {
    let mut writer = WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for record in records {
        writer.write_byte_record(record).unwrap();
    }
    writer.into_inner().unwrap()
}

/// Takes the columns in another order, some not at all, some twice.
fn with_columns(bytes: &[u8], order: &[usize]) -> Vec<u8> {
    let pick = |record: &ByteRecord| -> ByteRecord {
        order.iter().map(|column| record.get(*column).unwrap_or_default()).collect()
    };
    written(&records(bytes).iter().map(pick).collect::<Vec<_>>())
}

fn random() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(20_221_014)
}

#[test]
fn a_file_cut_anywhere_is_an_error_or_whole_rows() {
    let Some(samples) = samples("a_file_cut_anywhere_is_an_error_or_whole_rows") else { return };
    for (source, bytes) in samples {
        let cuts = (0..bytes.len()).step_by(1024).chain(bytes.len() - 300..bytes.len());
        let read = cuts
            .filter(|cut| accounted_for(source.as_ref(), bytes[..*cut].to_vec(), &format!("cut at {cut}")));
        let read = read.count();
        assert!(read > 0, "a cut at the end of a row leaves whole rows");
    }
}

#[test]
fn flipped_bytes_lose_no_row() {
    let Some(samples) = samples("flipped_bytes_lose_no_row") else { return };
    let mut random = random();
    for (source, bytes) in samples {
        for round in 0..60 {
            let mut flipped = bytes.clone();
            for _ in 0..20 {
                let place = random.random_range(0..flipped.len());
                // A quote or a line end would change which rows there are.
                if !b"\"\r\n".contains(&flipped[place]) {
                    flipped[place] = *b"0,x-\0\xe9 ~".get(random.random_range(0..8)).unwrap();
                }
            }
            accounted_for(source.as_ref(), flipped, &format!("round {round}"));
        }
    }
}

#[test]
fn columns_may_move_but_not_go_missing_unnoticed() {
    let Some(samples) = samples("columns_may_move_but_not_go_missing_unnoticed") else { return };
    let mut random = random();
    for (source, bytes) in samples {
        let whole = parse(source.as_ref(), bytes.clone()).unwrap();
        let columns = records(&bytes)[0].len();
        let mut order: Vec<usize> = (0..columns).collect();
        for _ in 0..5 {
            order.shuffle(&mut random);
            let moved = parse(source.as_ref(), with_columns(&bytes, &order)).unwrap();
            assert_eq!(moved.results, whole.results);
            assert_eq!(moved.refused.len(), whole.refused.len());
            assert_eq!(moved.lines.len(), whole.lines.len());
        }
        for column in 0..columns {
            let others: Vec<usize> = (0..columns).filter(|other| *other != column).collect();
            accounted_for(
                source.as_ref(),
                with_columns(&bytes, &others),
                &format!("without column {column}"),
            );
            let twice: Vec<usize> = (0..columns).chain([column]).collect();
            assert!(accounted_for(
                source.as_ref(),
                with_columns(&bytes, &twice),
                &format!("column {column} twice")
            ));
        }
    }
}

#[test]
fn marks_line_ends_and_strange_bytes_do_no_harm() {
    let Some(samples) = samples("marks_line_ends_and_strange_bytes_do_no_harm") else { return };
    for (source, bytes) in samples {
        let whole = parse(source.as_ref(), bytes.clone()).unwrap();
        let unix: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != b'\r').collect();
        let windows = String::from_utf8_lossy(&unix).replace('\n', "\r\n").into_bytes();
        let marked = [b"\xef\xbb\xbf".as_slice(), &unix].concat();
        for (same, damage) in [(unix.clone(), "LF"), (windows, "CRLF"), (marked, "a byte order mark")] {
            let parsed = parse(source.as_ref(), same).unwrap();
            assert_eq!(parsed.results.len(), whole.results.len(), "{damage}");
        }
        let long = [unix.as_slice(), &vec![b'x'; 10 * 1024 * 1024], b"\n"].concat();
        accounted_for(source.as_ref(), long, "a line of 10 MB");
        let quoted = [unix.as_slice(), b"\"a quote that never ends"].concat();
        accounted_for(source.as_ref(), quoted, "an open quote");
        accounted_for(source.as_ref(), [unix.as_slice(), b"\0\0\0\xff\xfe,,\n"].concat(), "NUL and Latin-1");
    }
}

/// Stored answers of both services, unpacked, with the source that reads them.
fn answers(test: &str) -> Option<Vec<Sample>> {
    let data = real_data(test)?;
    let pull = Pull::new(at("2026-09-01T00:00:00Z"));
    let of = |path: &str| {
        let place = Location::new([data.join(path).to_str().unwrap()]);
        pull.location(&place).unwrap().remove(0).bytes
    };
    let odds = |sport: &str| -> Box<dyn Source> {
        Box::new(TheOddsApi::new(TheOddsApi::league("odds", sport, None, None).unwrap(), sport).unwrap())
    };
    let espn = |sport: &str| -> Box<dyn Source> {
        Box::new(
            Espn::new(Espn::league("espn", sport, None, None).unwrap(), None, sport, Espn::LEADS).unwrap(),
        )
    };
    Some(vec![
        (odds("baseball_mlb"), of("mlb/odds_api_raw_2026/2026-08-05/open.json.gz")),
        (odds("basketball_wnba"), of("api-samples/fixtures/odds_api_historical_odds.json")),
        (odds("basketball_wnba"), of("api-samples/fixtures/odds_api_scores.json")),
        (espn("soccer/fifa.world"), of("api-samples/espn_scoreboard_soccer_full_day.json.gz")),
        (espn("football/nfl"), of("api-samples/espn_events/espn_event_nfl_scheduled_with_odds_2024.json")),
    ])
}

#[test]
fn an_answer_cut_anywhere_is_an_error() {
    let Some(answers) = answers("an_answer_cut_anywhere_is_an_error") else { return };
    for (source, bytes) in answers {
        let whole = bytes.trim_ascii_end().len();
        for cut in (0..whole).step_by(1024) {
            assert!(parse(source.as_ref(), bytes[..cut].to_vec()).is_err(), "{} cut at {cut}", source.id());
        }
        let marked = [b"\xef\xbb\xbf".as_slice(), &bytes].concat();
        assert_eq!(parse(source.as_ref(), marked).unwrap(), parse(source.as_ref(), bytes).unwrap());
    }
}

#[test]
fn flipped_bytes_of_an_answer_do_no_harm() {
    let Some(answers) = answers("flipped_bytes_of_an_answer_do_no_harm") else { return };
    let mut random = random();
    for (source, bytes) in answers {
        for _ in 0..40 {
            let mut flipped = bytes.clone();
            for _ in 0..random.random_range(1..10) {
                let place = random.random_range(0..flipped.len());
                flipped[place] = *b"0,x-\0\xe9 ~:\"{}[]".get(random.random_range(0..14)).unwrap();
            }
            // Whatever it makes of them, it neither panics nor takes a price that is none.
            if let Ok(parsed) = parse(source.as_ref(), flipped) {
                assert!(parsed.lines.iter().all(|row| row.price.decimal() > 1.0));
            }
        }
    }
}
