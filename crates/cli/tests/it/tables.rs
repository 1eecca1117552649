//! What people see in a terminal of 80 columns.

use crate::edge::{Edge, SMALL};

#[track_caller]
fn assert_fits(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
}

#[test]
fn help_fits_and_lists_the_commands() {
    let help = Edge::with("").run(&["--help"]).done();
    assert_fits(&help);
    assert!(!help.contains("trial "), "what a worker runs is hidden");
    insta::assert_snapshot!(help);
}

#[test]
fn a_mocked_game_prints_its_table() {
    let edge = Edge::with(SMALL);
    let table = edge.run(&["predict", "game", "--test", "--date", "2026-03-02"]).done();
    assert_fits(&table);
    insta::assert_snapshot!(table);
    assert!(!edge.path("edge-store/reports/ledger.csv").exists(), "without --dry-run nothing is written");
}

#[test]
fn a_mocked_game_with_a_dry_run_appends_its_paper_row_once() {
    let edge = Edge::with(SMALL);
    for _ in 0..2 {
        edge.run(&["predict", "game", "--test", "--dry-run", "--date", "2026-03-02"]).done();
    }
    let ledger = String::from_utf8(edge.files()["reports/ledger.csv"].clone()).unwrap();
    assert_eq!(ledger.lines().count(), 2, "{ledger}");
    assert!(ledger.lines().nth(1).unwrap().contains(",paper,"), "{ledger}");
}

#[test]
fn the_demo_nights_tables_fit() {
    let edge = Edge::with(SMALL);
    edge.run(&["nightly", "--date", "2026-03-02"]).done();
    for arguments in [
        &["doctor"][..],
        &["fetch"],
        &["data"],
        &["data", "--league", "demo"],
        &["data", "names"],
        &["data", "compact"],
        &["fetch", "--replay"],
        &["graph", "build", "--date", "2026-03-02"],
        &["predict", "slate", "--date", "2026-03-02"],
        &["ledger", "show"],
        &["schedule", "--dry-run"],
        &["sweep", "--dry-run", "--date", "2026-03-02"],
    ] {
        assert_fits(&edge.run(arguments).done());
    }
    let slate = edge.run(&["predict", "slate", "--date", "2026-03-02", "--json"]).done();
    let slate: serde_json::Value = serde_json::from_str(&slate).unwrap();
    let game = slate["games"][0]["game"]["game_id"].as_str().unwrap();
    assert_fits(&edge.run(&["predict", "game", game, "--date", "2026-03-02"]).done());
    assert_fits(&edge.run(&["graph", "show", game, "--date", "2026-03-02"]).done());
}
