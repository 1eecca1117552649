//! A pull that is cut short anywhere and run again ends like one that was not.

use data::{Lake, Source};

use crate::support::{SEASON, at, folder, football, lake, objects, write};

const UNTIL: &str = "2022-10-15T09:00:00Z";

fn season_with_refusals() -> String {
    let mut season = SEASON.to_owned();
    season.push_str("E0,16/10/2022,14:00,Leeds,Leeds,1,0,H,,2,3,4,,,\n");
    season.push_str("E0,20/08/2023,14:00,Leeds,Everton,1,0,H,,2.1,3.4,3.6,,,\n");
    season
}

/// Every object that a pull writes, in the order in which it is written.
fn in_order_of_writing(lake: &Lake) -> Vec<String> {
    let steps = [
        "raw",
        "received",
        "leagues",
        "shapes",
        "games",
        "quarantine",
        "lines",
        "results",
        "context",
        "findings",
        "ingested",
    ];
    let objects = objects(lake);
    let of = |step: &str| {
        let prefix = format!("data/{step}/");
        objects
            .iter()
            .map(|(path, _)| path.clone())
            .filter(move |path| path.starts_with(&prefix))
            .collect::<Vec<_>>()
    };
    let paths: Vec<String> = steps.iter().flat_map(|step| of(step)).collect();
    assert_eq!(paths.len(), objects.len(), "every object belongs to a step");
    paths
}

#[test]
fn a_pull_killed_after_any_step_recovers() {
    let folder = folder();
    let source = football(&write(&folder, "E0.csv", season_with_refusals()));
    let lake = lake(&folder);
    lake.ingest(&source, at(UNTIL)).unwrap();
    let whole = objects(&lake);
    let paths = in_order_of_writing(&lake);
    assert!(paths.len() >= 10, "{paths:?}");
    for written in 0..paths.len() {
        for path in &paths[written..] {
            lake.store().delete(path).unwrap();
        }
        lake.ingest(&source, at(UNTIL)).unwrap();
        assert_eq!(objects(&lake), whole, "killed after {written} writes");
    }
}

#[test]
fn a_lost_marker_alone_adds_no_row() {
    let folder = folder();
    let source = football(&write(&folder, "E0.csv", season_with_refusals()));
    let lake = lake(&folder);
    let first = lake.ingest(&source, at(UNTIL)).unwrap();
    for marker in lake.store().list("data/ingested").unwrap() {
        lake.store().delete(&marker).unwrap();
    }
    let again = lake.ingest(&source, at("2022-10-20T09:00:00Z")).unwrap();
    assert_eq!(again.rows_added.total(), 0);
    assert_eq!(again.already_known, first.rows_added.total());
    let dates = (jiff::civil::date(2022, 10, 1), jiff::civil::date(2022, 10, 31));
    assert_eq!(lake.quarantined(dates.0, dates.1).unwrap().len(), 1, "a refusal counts once");
}

#[test]
fn an_unreadable_payload_is_a_finding_and_the_others_are_taken() {
    let folder = folder();
    write(&folder, "a.csv", SEASON);
    write(&folder, "b.csv", "<html>not today</html>");
    let source = football(folder.path().join("*.csv").to_str().unwrap());
    let lake = lake(&folder);
    let report = lake.ingest(&source, at(UNTIL)).unwrap();
    assert_eq!((report.payloads, report.new_payloads, report.rows_added.results), (2, 1, 2));
    let day = jiff::civil::date(2022, 10, 15);
    let told: Vec<String> = lake.findings(day, day).unwrap().iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @"unreadable (file refused): cannot read `b.csv`: it is a web page, not a table; check that the address names the file itself [b.csv]");
}

#[test]
fn a_pull_of_nothing_readable_is_an_error_that_keeps_the_bytes_as_evidence() {
    let folder = folder();
    let source = football(&write(&folder, "b.csv", "<html>not today</html>"));
    let lake = lake(&folder);
    assert!(lake.ingest(&source, at(UNTIL)).is_err());
    assert_eq!(lake.store().list("data/raw").unwrap().len(), 1);
    assert!(lake.leagues().unwrap().is_empty());
}

#[test]
fn a_rebuild_killed_after_any_step_recovers() {
    let folder = folder();
    let source = football(&write(&folder, "E0.csv", season_with_refusals()));
    let lake = lake(&folder);
    lake.ingest(&source, at(UNTIL)).unwrap();
    let before = objects(&lake);
    let (names, leagues) = (data::Aliases::default(), [source.league().clone()]);
    let rebuild = || lake.rebuild(&[(&source, &names)]).unwrap();
    let shown = || {
        let snapshot = lake.snapshot(&leagues, at("2030-01-01T00:00:00Z")).unwrap();
        (snapshot.lines, snapshot.results, snapshot.context)
    };
    let rows = shown();
    rebuild();
    assert!(shown() == rows, "an undisturbed rebuild shows other rows: {:#?}", (shown(), rows));
    let whole = objects(&lake);
    let is_new = |(path, _): &&(String, Vec<u8>)| !before.iter().any(|(old, _)| old == path);
    let mut written: Vec<_> = whole.iter().filter(is_new).collect();
    assert!(written.len() >= 6, "{written:?}");
    // Any one object may be all that a killed rebuild left, a marker without its rows among them.
    for _ in 0..written.len() {
        for (path, _) in objects(&lake) {
            lake.store().delete(&path).unwrap();
        }
        for (path, bytes) in before.iter().chain(written.iter().take(2).copied()) {
            lake.store().put(path, bytes).unwrap();
        }
        assert!(shown() == rows, "a rebuild that was cut short shows in the old tables");
        rebuild();
        assert!(shown() == rows, "rows are lost after {:?}", written[0].0);
        written.rotate_left(1);
    }
}
