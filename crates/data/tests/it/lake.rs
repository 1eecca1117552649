//! What goes into the lake comes out of it, once, and not before its time.

use data::{FootballData, Lake, Leads, Location, Parsed, Pull, Snapshot, Source};
use market::{LeagueId, Timestamp};
use proptest::prelude::*;

use crate::support::{
    ByHand, SEASON, at, context, folder, football, game, lake, line, objects, result, write,
};

const UNTIL: &str = "2022-10-15T09:00:00Z";

fn filled(season: &str) -> (tempfile::TempDir, Lake, FootballData) {
    let folder = folder();
    let source = football(&write(&folder, "E0.csv", season));
    let lake = lake(&folder);
    lake.ingest(&source, at(UNTIL)).unwrap();
    (folder, lake, source)
}

#[test]
fn a_pull_reports_what_it_brought() {
    let folder = folder();
    let source = football(&write(&folder, "E0.csv", SEASON));
    let report = lake(&folder).ingest(&source, at(UNTIL)).unwrap();
    insta::assert_json_snapshot!(report, @r#"
    {
      "league": "epl",
      "source": "football_data",
      "payloads": 1,
      "new_payloads": 1,
      "rows_added": {
        "lines": 15,
        "results": 2,
        "context": 5
      },
      "already_known": 0,
      "corrected": 0,
      "refused": {},
      "findings": [],
      "newest_known_at": "2022-10-15T13:30:00Z"
    }
    "#);
}

#[test]
fn a_second_pull_of_the_same_bytes_adds_nothing() {
    let (_folder, lake, source) = filled(SEASON);
    let before = objects(&lake);
    let report = lake.ingest(&source, at("2022-10-16T09:00:00Z")).unwrap();
    assert_eq!((report.rows_added.total(), report.new_payloads, report.already_known), (0, 0, 22));
    assert_eq!(objects(&lake), before);
}

#[test]
fn a_file_that_has_grown_adds_only_its_new_rows() {
    let (folder, lake, source) = filled(SEASON);
    write(&folder, "E0.csv", SEASON.replace("Bournemouth,,,,", "Bournemouth,2,2,D,R Jones"));
    let report = lake.ingest(&source, at("2022-10-16T09:00:00Z")).unwrap();
    assert_eq!((report.rows_added.lines, report.rows_added.results, report.rows_added.context), (0, 1, 1));
    assert!(report.refused.is_empty(), "{:?}", report.refused);
    let league = source.league().clone();
    let snapshot = lake.snapshot(&[league], at("2022-10-17T09:00:00Z")).unwrap();
    assert_eq!((snapshot.lines.len(), snapshot.results.len(), snapshot.context.len()), (15, 3, 6));
}

#[test]
fn another_value_under_a_known_key_is_quarantined_and_the_first_stays() {
    let (folder, lake, source) = filled(SEASON);
    write(
        &folder,
        "E0.csv",
        SEASON.replace("3.1,3.4,2.3,", "3.2,3.4,2.3,").replace("Brighton,2,0,H", "Brighton,3,0,H"),
    );
    let report = lake.ingest(&source, at(UNTIL)).unwrap();
    assert_eq!((report.rows_added.total(), report.corrected), (1, 1));
    let day = jiff::civil::date(2022, 10, 15);
    let shown: Vec<String> = lake
        .quarantined(day, day)
        .unwrap()
        .iter()
        .map(|row| format!("{} {} {} | {}", row.payload, row.raw_ref.row, row.reason, row.text))
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    E0.csv 0 lines: the row contradicts one that is stored | epl_2022-10-14_brentford_brighton bet365 moneyline home at 3.2 on 2022-10-13T19:00:00Z
    ");
    let score = |as_of| {
        let snapshot = lake.snapshot(&[source.league().clone()], at(as_of)).unwrap();
        let of_game = |row: &&market::ResultRow| row.game.home.as_str() == "Brentford";
        snapshot.latest_results().into_iter().find(of_game).unwrap().home_score
    };
    // A correction counts from when it came, which the test's clock puts on 1 November.
    assert_eq!((score("2022-10-17T09:00:00Z"), score("2022-11-02T09:00:00Z")), (2, 3));
    assert_eq!(report.findings.len(), 1);
    insta::assert_snapshot!(report.findings[0], @"score_changed (warn): 1 results were changed, among them epl_2022-10-14_brentford_brighton 3:0 final [E0.csv]");
}

#[test]
fn a_correction_that_is_taken_back_is_one_more_correction_and_an_old_file_is_none() {
    let folder = folder();
    let league = |day: &str| {
        let store = data::Store::open(folder.path().join("store").to_str().unwrap()).unwrap();
        data::Lake::new(store).at(at(day))
    };
    let (first, second) = (SEASON.to_owned(), SEASON.replace("Brighton,2,0,H", "Brighton,3,0,H"));
    let third = format!("{first}\n");
    let source = football(&write(&folder, "E0.csv", &first));
    let mut corrected = Vec::new();
    for (day, season) in [
        ("2022-11-01T09:00:00Z", &first),
        ("2022-11-02T09:00:00Z", &second),
        ("2022-11-03T09:00:00Z", &first),
        ("2022-11-04T09:00:00Z", &third),
    ] {
        write(&folder, "E0.csv", season);
        corrected.push(league(day).ingest(&source, at(UNTIL)).unwrap().corrected);
    }
    assert_eq!(corrected, [0, 1, 0, 1]);
    let lake = league("2022-11-05T09:00:00Z");
    for marker in lake.store().list("data/ingested").unwrap() {
        lake.store().delete(&marker).unwrap();
    }
    for season in [&first, &second, &third] {
        write(&folder, "E0.csv", season);
        assert_eq!(lake.ingest(&source, at(UNTIL)).unwrap().rows_added.total(), 0);
    }
    let score = |as_of| lake.snapshot(&[source.league().clone()], at(as_of)).unwrap();
    let homes = |as_of| score(as_of).latest_results().iter().map(|row| row.home_score).collect::<Vec<_>>();
    assert!(homes("2022-11-02T10:00:00Z").contains(&3) && !homes("2022-11-04T10:00:00Z").contains(&3));
}

#[test]
fn tables_are_rebuilt_from_raw_without_a_gap() {
    let (folder, lake, source) = filled(SEASON);
    write(&folder, "E0.csv", SEASON.replace("Bournemouth,,,,", "Bournemouth,2,2,D,R Jones"));
    lake.ingest(&source, at("2022-10-16T09:00:00Z")).unwrap();
    let leagues = [source.league().clone()];
    let all = |lake: &Lake| {
        let Snapshot { lines, results, context, .. } =
            lake.snapshot(&leagues, at("2023-01-01T00:00:00Z")).unwrap();
        (lines, results, context)
    };
    let before = all(&lake);
    let names = data::Aliases::default();
    let reports = lake.rebuild(&[(&source, &names)]).unwrap();
    assert_eq!(
        (reports[0].payloads, reports[0].rows_added.total()),
        (2, before.0.len() + before.1.len() + before.2.len())
    );
    assert_eq!(all(&lake), before);
    assert!(lake.store().list("data/lines").unwrap().iter().all(|path| path.contains("/g1-")));
    assert_eq!(lake.ingest(&source, at("2022-10-16T09:00:00Z")).unwrap().rows_added.total(), 0);
    // Other assumptions are what a rebuild is for.
    let leads = Leads { line_lead: jiff::SignedDuration::from_hours(12), ..FootballData::LEADS };
    let path = folder.path().join("E0.csv");
    let other =
        FootballData::new(leagues[0].clone(), Location::new([path.to_str().unwrap()]), leads).unwrap();
    lake.rebuild(&[(&other, &names)]).unwrap();
    assert_ne!(all(&lake).0, before.0);
    assert_eq!(all(&lake).1, before.1);
}

#[test]
fn small_files_become_one_and_readers_see_the_same() {
    let folder = folder();
    let lake = lake(&folder);
    let leagues: Vec<_> = vec![football("x").league().clone()];
    let rows: Vec<&str> = SEASON.lines().collect();
    for count in 1..rows.len() {
        let path = write(&folder, "E0.csv", format!("{}\n", rows[..=count].join("\n")));
        lake.ingest(&football(&path), at(UNTIL)).unwrap();
    }
    let as_of = at("2023-01-01T00:00:00Z");
    let before = lake.snapshot(&leagues, as_of).unwrap();
    let files = lake.store().list("data/lines").unwrap();
    assert_eq!(files.len(), 3);
    // A merge that was killed before it deleted anything leaves every row twice.
    let spare: Vec<_> = files.iter().map(|path| (path, lake.store().get(path).unwrap())).collect();
    let done = lake.compact(&leagues[0], 1).unwrap();
    assert_eq!((done.partitions, done.files_after, done.doubled), (4, 4, 0));
    for (path, bytes) in &spare {
        lake.store().put(path, bytes).unwrap();
    }
    for _ in 0..2 {
        let after = lake.snapshot(&leagues, as_of).unwrap();
        assert_eq!(
            (after.lines, after.results, after.context),
            (before.lines.clone(), before.results.clone(), before.context.clone())
        );
        lake.compact(&leagues[0], 1).unwrap();
    }
    assert_eq!(lake.store().list("data/lines").unwrap().len(), 1);
    assert_eq!(
        lake.ingest(&football(&write(&folder, "E0.csv", SEASON)), at(UNTIL)).unwrap().rows_added.total(),
        0
    );
}

#[test]
fn a_row_is_hidden_at_its_own_moment() {
    let (_folder, lake, source) = filled(SEASON);
    let leagues = [source.league().clone()];
    let known_at = at("2022-10-14T21:00:00Z");
    let hidden = lake.snapshot(&leagues, known_at).unwrap();
    assert_eq!(hidden.results.len(), 0);
    let visible = lake.snapshot(&leagues, known_at + jiff::SignedDuration::from_nanos(1)).unwrap();
    assert_eq!(visible.results.len(), 1);
    assert_eq!(visible.results[0].known_at, known_at);
}

#[test]
fn rows_come_back_as_they_were() {
    let (_folder, lake, source) = filled(SEASON);
    let payload = &source.fetch(&Pull::new(at(UNTIL))).unwrap()[0];
    let snapshot = lake.snapshot(&[source.league().clone()], at("2023-01-01T00:00:00Z")).unwrap();
    let parsed = source.parse(payload, &snapshot.lines[0].raw_ref.payload).unwrap();
    let expected = Snapshot::new(snapshot.as_of, vec![], parsed.lines, parsed.results, parsed.context);
    assert_eq!(snapshot.lines, expected.lines);
    assert_eq!(snapshot.results, expected.results);
    assert_eq!(snapshot.context, expected.context);
}

#[test]
fn a_league_that_was_never_fetched_is_an_error_with_the_way_out() {
    let folder = folder();
    let league = FootballData::league("epl", "Europe/London").unwrap();
    let error = lake(&folder).snapshot(&[league], at(UNTIL)).unwrap_err();
    insta::assert_snapshot!(error, @"the store holds no row of league `epl`; run `edge fetch --league epl` first");
}

#[test]
fn a_date_before_all_rows_gives_an_empty_snapshot() {
    let (_folder, lake, source) = filled(SEASON);
    let snapshot = lake.snapshot(&[source.league().clone()], at("2001-01-01T00:00:00Z")).unwrap();
    assert!(snapshot.lines.is_empty() && snapshot.results.is_empty() && snapshot.context.is_empty());
}

#[test]
fn freshness_looks_no_further_than_the_as_of() {
    let (_folder, lake, source) = filled(SEASON);
    let fresh = lake.freshness(&[source.league().clone()], at(UNTIL)).unwrap();
    insta::assert_json_snapshot!(fresh, @r#"
    [
      {
        "league": "epl",
        "newest_line": "2022-10-14T18:55:00Z",
        "newest_result": "2022-10-14T21:00:00Z",
        "newest_context": "2022-10-14T11:30:00Z",
        "lines": 12,
        "results": 1
      }
    ]
    "#);
}

#[test]
fn other_assumptions_do_not_mix_with_the_rows_of_the_old_ones() {
    let (folder, lake, _) = filled(SEASON);
    let league = FootballData::league("epl", "Europe/London").unwrap();
    let leads = Leads { line_lead: jiff::SignedDuration::from_hours(12), ..FootballData::LEADS };
    let path = folder.path().join("E0.csv");
    let other = FootballData::new(league, Location::new([path.to_str().unwrap()]), leads).unwrap();
    let error = lake.ingest(&other, at(UNTIL)).unwrap_err().to_string();
    assert!(error.contains("line_lead=24h") && error.contains("line_lead=12h"), "{error}");
}

#[test]
fn leagues_and_partitions_have_their_contracts_names() {
    let (_folder, lake, source) = filled(SEASON);
    assert_eq!(lake.leagues().unwrap(), [source.league().clone()]);
    let shown: Vec<String> = objects(&lake).into_iter().map(|(path, _)| path).collect();
    insta::with_settings!({filters => vec![("[0-9a-f]{64}", "<sha256>"), ("-[0-9a-f]{16}", "-<settings>")]}, {
        insta::assert_snapshot!(shown.join("\n"), @r"
        data/context/league=epl/season=2022/<sha256>.parquet
        data/games/league=epl/season=2022/<sha256>.parquet
        data/ingested/football_data/epl/<sha256>-<settings>.json
        data/leagues/epl.json
        data/lines/league=epl/season=2022/<sha256>.parquet
        data/raw/football_data/2022-10-15/<sha256>.csv.zst
        data/received/football_data/epl/<sha256>.json
        data/results/league=epl/season=2022/<sha256>.parquet
        data/shapes/football_data/epl/494d97cea443fe3f.json
        ");
    });
}

#[test]
fn raw_bytes_are_kept_untouched() {
    let (_folder, lake, _) = filled(SEASON);
    let path = lake.store().list("data/raw").unwrap().remove(0);
    let bytes = zstd::decode_all(lake.store().get(&path).unwrap().as_slice()).unwrap();
    assert_eq!(bytes, SEASON.as_bytes());
}

fn instant() -> impl Strategy<Value = Timestamp> {
    (0_i64..200).prop_map(|step| at("2022-10-01T00:00:00Z") + jiff::SignedDuration::from_hours(step))
}

fn rows() -> impl Strategy<Value = Parsed> {
    let teams = ["Ajax", "Bath", "Cork", "Derby"];
    let one = (1_i8..9, 0_usize..4, 0_usize..3, 1.01_f64..20.0, instant(), instant(), instant());
    proptest::collection::vec(one, 0..40).prop_map(move |picks| {
        let mut parsed = Parsed::default();
        for (day, home, other, price, first, second, third) in picks {
            let game = game(day, teams[home], teams[(home + 1 + other) % 4]);
            parsed.lines.push(line(&game, price, first));
            parsed.results.push(result(&game, (day as u16, 1), second));
            parsed.context.push(context(&game, third));
        }
        parsed
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Rows at or after the cut do not exist for whoever asks as of the cut.
    #[test]
    fn a_cut_is_what_filtering_by_hand_leaves(mut parsed in rows(), as_of in instant()) {
        // The lake keeps the first of each key.
        let mut seen = std::collections::HashSet::new();
        parsed.lines.retain(|row| row.captured_at < row.game.start_time);
        parsed.lines.retain(|row| seen.insert((row.game.game_id.clone(), Some(row.captured_at), 0)));
        parsed.results.retain(|row| seen.insert((row.game.game_id.clone(), None, 1)));
        parsed.context.retain(|row| seen.insert((row.game.game_id.clone(), Some(row.known_at), 2)));
        let folder = folder();
        let (lake, source) = (lake(&folder), ByHand::new(parsed.clone(), "bytes"));
        lake.ingest(&source, as_of).unwrap();
        prop_assume!(!parsed.lines.is_empty());
        let cut = lake.snapshot(std::slice::from_ref(&source.league), as_of).unwrap();
        parsed.lines.retain(|row| row.captured_at < as_of);
        parsed.results.retain(|row| row.known_at < as_of);
        parsed.context.retain(|row| row.known_at < as_of);
        let expected = Snapshot::new(at("2030-01-01T00:00:00Z"), vec![source.league], parsed.lines, parsed.results, parsed.context);
        prop_assert_eq!(cut.lines, expected.lines);
        prop_assert_eq!(cut.results, expected.results);
        prop_assert_eq!(cut.context, expected.context);
    }
}

#[test]
fn a_row_of_every_league_id_is_found_again() {
    let folder = folder();
    let (lake, game) = (lake(&folder), game(1, "A", "B"));
    let parsed = Parsed { lines: vec![line(&game, 2.0, at("2022-10-01T09:00:00Z"))], ..Parsed::default() };
    let source = ByHand::new(parsed, "one");
    lake.ingest(&source, game.start_time).unwrap();
    assert_eq!(lake.leagues().unwrap()[0].id, LeagueId::new("hand").unwrap());
    assert_eq!(lake.snapshot(&lake.leagues().unwrap(), at("2023-01-01T00:00:00Z")).unwrap().lines.len(), 1);
}
