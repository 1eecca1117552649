//! Bad input ends in one line that names the thing and the way out; nothing is half-written.

use std::{io::Write, net::TcpListener};

use crate::edge::{Edge, SMALL};

fn epl(path: &str) -> Edge {
    Edge::with(&format!("[[league]]\nid = \"epl\"\nsource = \"football_data\"\npath = \"{path}\"\n{SMALL}"))
}

const HEADER: &str = "Div,Date,Time,HomeTeam,AwayTeam,FTHG,FTAG,B365H,B365D,B365A\n";

#[test]
fn an_unknown_key_is_named_with_its_line() {
    Edge::with("store = \"s\"\nbankrol = \"10\"\n")
        .run(&["doctor"])
        .refused(2, &["edge.toml line 2", "bankrol"]);
}

#[test]
fn a_missing_settings_file_is_named() {
    Edge::with("").run(&["--config", "nowhere.toml", "doctor"]).refused(2, &["nowhere.toml"]);
}

#[test]
fn a_league_whose_files_are_not_there_is_named() {
    epl("no/such/E0.csv").run(&["fetch"]).refused(1, &["no/such/E0.csv"]);
}

#[test]
fn a_league_that_was_never_fetched_is_named() {
    let edge = epl("E0.csv");
    edge.run(&["graph", "build"]).refused(1, &["epl", "edge fetch"]);
}

#[test]
fn html_instead_of_csv_is_refused_whole() {
    let edge = epl("E0.csv");
    edge.write("E0.csv", b"<!DOCTYPE html><html><body>403 Forbidden</body></html>");
    edge.run(&["fetch"]).refused(1, &["E0.csv", "web page"]);
    assert!(edge.files().keys().all(|file| !file.ends_with(".parquet")), "{:?}", edge.files().keys());
}

#[test]
fn a_truncated_download_is_refused_whole() {
    let edge = epl("E0.csv.gz");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    for day in 10..30 {
        let row = format!("E0,{day}/09/2022,20:00,Team {day},Other {day},1,0,2.1,3.4,3.6\n");
        encoder.write_all(if day == 10 { HEADER } else { "" }.as_bytes()).unwrap();
        encoder.write_all(row.as_bytes()).unwrap();
    }
    let whole = encoder.finish().unwrap();
    edge.write("E0.csv.gz", &whole[..whole.len() / 2]);
    edge.run(&["fetch"]).refused(1, &["E0.csv.gz"]);
    assert!(edge.files().keys().all(|file| !file.ends_with(".parquet")));
}

#[test]
fn a_season_with_missing_columns_is_named_with_them() {
    let edge = epl("E0.csv");
    edge.write("E0.csv", b"Div,Date,HomeTeam,FTHG\nE0,14/10/2022,Brentford,2\n");
    edge.run(&["fetch"]).refused(1, &["E0.csv", "AwayTeam"]);
}

#[test]
fn one_broken_league_leaves_the_other_and_says_so() {
    let edge = Edge::with(&format!(
        "[[league]]\nid = \"demo\"\nsource = \"demo\"\n[[league]]\nid = \"epl\"\nsource = \"football_data\"\npath = \"x.csv\"\n{SMALL}"
    ));
    let answer = edge.run(&["fetch"]);
    assert_eq!(answer.code, Some(3), "{}", answer.stderr);
    assert!(answer.stdout.contains("demo") && answer.stderr.contains("x.csv"));
}

#[test]
fn a_broken_contract_stands_in_the_record_the_report_and_the_doctor() {
    let edge = Edge::with(&format!(
        "[[league]]\nid = \"demo\"\nsource = \"demo\"\n[[league]]\nid = \"epl\"\nsource = \"football_data\"\npath = \"files\"\n{SMALL}"
    ));
    std::fs::create_dir(edge.path("files")).unwrap();
    let season = format!("{HEADER}E0,14/10/2022,20:00,Brentford,Brighton,2,0,3.1,3.4,2.3\n");
    edge.write("files/E0.csv", season.as_bytes());
    edge.write("files/E0_next.csv", b"<html>maintenance</html>");
    let fetched = edge.run(&["fetch"]);
    assert_eq!(fetched.code, Some(3), "{}", fetched.stderr);
    assert!(fetched.stderr.contains("unreadable (file refused)"), "{}", fetched.stderr);
    let doctor = edge.run(&["doctor"]);
    assert_eq!(doctor.code, Some(1), "{}", doctor.stdout);
    assert!(doctor.stdout.contains("unreadable"), "{}", doctor.stdout);
    let night = edge.run(&["nightly", "--json"]);
    let record: serde_json::Value = serde_json::from_str(&night.stdout).unwrap();
    assert!(record.to_string().contains("unreadable (file refused)"), "{record}");
    let files = edge.files();
    let page = |path: &&String| {
        path.contains("daily_report_")
            && std::path::Path::new(path).extension().is_some_and(|kind| kind == "html")
    };
    let page = &files[files.keys().find(page).unwrap()];
    assert!(String::from_utf8_lossy(page).contains("E0_next.csv"), "the report names the file");
}

#[test]
fn a_date_before_all_data_says_that_nothing_is_known() {
    let edge = epl("E0.csv");
    edge.write(
        "E0.csv",
        format!("{HEADER}E0,14/10/2022,20:00,Brentford,Brighton,2,0,3.1,3.4,2.3\n").as_bytes(),
    );
    edge.run(&["fetch"]).done();
    edge.run(&["train", "--date", "1990-01-01"]).refused(1, &["1990"]);
}

#[test]
fn a_date_that_lies_ahead_is_wrong_usage() {
    Edge::with(SMALL).run(&["nightly", "--date", "2199-01-01"]).refused(2, &["2199-01-01"]);
}

#[test]
fn a_port_in_use_is_named() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap().to_string();
    Edge::with(SMALL).run(&["serve", "--listen", &address]).refused(1, &[&address]);
}

#[test]
fn a_public_address_without_a_token_is_refused() {
    Edge::with(SMALL).run(&["serve", "--listen", "0.0.0.0:0"]).refused(2, &["EDGE_SERVE_TOKEN"]);
}

#[test]
fn a_store_that_cannot_be_written_is_named() {
    // A file where the folder should be fails for every user, root included.
    let edge = Edge::with(&format!("store = \"taken\"\n{SMALL}"));
    edge.write("taken", b"not a folder");
    edge.run(&["fetch"]).refused(1, &["taken"]);
}

#[test]
fn a_corrupt_model_is_named_with_what_to_run() {
    let edge = Edge::with(SMALL);
    edge.run(&["nightly", "--date", "2026-03-02"]).done();
    std::fs::write(edge.path("edge-store/models/best.pt"), b"not a model").unwrap();
    edge.run(&["predict", "slate", "--date", "2026-03-02"]).refused(1, &["best.pt", "edge train"]);
}

#[test]
fn an_unknown_game_is_named() {
    let edge = Edge::with(SMALL);
    edge.run(&["nightly", "--date", "2026-03-02"]).done();
    edge.run(&["predict", "game", "demo_2026-03-02_nobody_noone"])
        .refused(1, &["demo_2026-03-02_nobody_noone"]);
    edge.run(&["predict", "game", "--home", "Nobody", "--away", "Noone"]).refused(1, &["Nobody"]);
}
