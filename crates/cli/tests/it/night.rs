//! A night run twice, and a night killed at random instants, end in the same state.

use std::{collections::BTreeMap, process::Stdio, thread::sleep, time::Duration};

use rand::Rng;

use crate::edge::{Edge, SMALL};

const DATE: &str = "2026-03-02";

/// The store's files with what the wall clock wrote taken out.
fn state(edge: &Edge) -> BTreeMap<String, String> {
    edge.files()
        .into_iter()
        .map(|(path, bytes)| {
            let text = if path.ends_with("ledger.csv") {
                without_columns(&bytes, &["recorded_at", "run_id"])
            } else if path.ends_with("promotions.jsonl") || path.ends_with("sent.jsonl") {
                String::from_utf8_lossy(&bytes).lines().count().to_string()
            } else if path.starts_with("data/received/") {
                // When a file was read first is the clock's word.
                let text = String::from_utf8_lossy(&bytes);
                text.lines().filter(|line| !line.contains("received_at")).collect()
            } else {
                format!("{} bytes, {:x}", bytes.len(), checksum(&bytes))
            };
            (path, text)
        })
        .collect()
}

fn without_columns(bytes: &[u8], dropped: &[&str]) -> String {
    let mut reader = csv::Reader::from_reader(bytes);
    let kept: Vec<usize> = reader
        .headers()
        .unwrap()
        .iter()
        .enumerate()
        .filter(|(_, head)| !dropped.contains(head))
        .map(|(index, _)| index)
        .collect();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        kept.iter().map(|index| row[*index].to_owned()).collect::<Vec<_>>().join(",")
    });
    rows.collect::<Vec<_>>().join("\n")
}

/// FNV-1a, enough to tell files apart in a test's message.
fn checksum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[track_caller]
fn assert_same(expected: &BTreeMap<String, String>, got: &BTreeMap<String, String>, when: &str) {
    for (path, text) in expected {
        assert_eq!(got.get(path), Some(text), "{when}: {path}");
    }
    let extra: Vec<_> = got.keys().filter(|path| !expected.contains_key(*path)).collect();
    assert!(extra.is_empty(), "{when}: {extra:?}");
}

#[test]
fn a_night_ends_in_a_report_and_a_second_run_adds_nothing() {
    let edge = Edge::with(SMALL);
    edge.run(&["nightly", "--date", DATE]).done();
    let first = state(&edge);
    assert!(first.contains_key(&format!("reports/daily_report_{DATE}.html")));
    assert!(first.contains_key("models/best.pt"));
    // What a promotion leaves that was cut off between the weights and their card.
    edge.write("edge-store/models/best.pt", b"weights of a challenger");
    edge.run(&["nightly", "--date", DATE]).done();
    assert_same(&first, &state(&edge), "after the second run");
    edge.run(&["ledger", "verify"]).done();
}

/// How many kills a night must bear: a few, or as many as `EDGE_TEST_KILLS` says.
#[expect(clippy::disallowed_methods, reason = "a test that takes an hour is asked for")]
fn kills() -> usize {
    std::env::var("EDGE_TEST_KILLS").map_or(10, |count| count.parse().unwrap())
}

#[test]
fn a_night_killed_at_random_instants_and_resumed_ends_like_one_that_was_not() {
    let begun = std::time::Instant::now();
    let whole = Edge::with(SMALL);
    whole.run(&["nightly", "--date", DATE]).done();
    let length = begun.elapsed();
    let expected = state(&whole);

    let mut instants = rand::rng();
    let (mut left, mut struck) = (kills(), BTreeMap::<String, usize>::new());
    while left > 0 {
        let cut = Edge::with(SMALL);
        let mut waits = Vec::new();
        while left > 0 {
            let mut night = cut.command(&["nightly", "--date", DATE, "--resume"]);
            let mut process = night.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            waits.push(length.mul_f64(instants.random_range(0.0..0.5)));
            sleep(waits[waits.len() - 1]);
            if process.try_wait().unwrap().is_some() {
                break;
            }
            process.kill().unwrap();
            process.wait().unwrap();
            left -= 1;
            for task in at_work(&cut) {
                *struck.entry(task).or_default() += 1;
            }
        }
        cut.run(&["nightly", "--date", DATE, "--resume"]).done();
        assert_same(&expected, &state(&cut), &format!("killed after {waits:?}"));
    }
    println!("{} kills struck {struck:?}", kills());
}

/// The tasks that were at work when the night was killed; before the first there is nothing to read.
fn at_work(edge: &Edge) -> Vec<String> {
    let Ok(bytes) = std::fs::read(edge.path(&format!("edge-store/runs/{DATE}-090000Z/state.json"))) else {
        return vec!["the beginning".to_owned()];
    };
    let record: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let running = record["tasks"].as_array().unwrap().iter().filter(|task| task["state"] == "running");
    running.map(|task| task["id"].as_str().unwrap().to_owned()).collect()
}

/// A bet of 10.00 at 2.00 on the home side of the night's first game, as an earlier run would have left it.
fn bet_on_the_first_game(edge: &Edge) -> ledger::Ledger {
    let slate = edge.run(&["predict", "slate", "--date", DATE, "--json"]).done();
    let slate: serde_json::Value = serde_json::from_str(&slate).unwrap();
    let game: market::Game = serde_json::from_value(slate["games"][0]["game"].clone()).unwrap();
    let as_of = format!("{DATE}T09:00:00Z").parse().unwrap();
    let night = ledger::Night {
        date: DATE.parse().unwrap(),
        as_of,
        run_id: "by-hand".to_owned(),
        recorded_at: as_of,
    };
    let line = market::LineRow {
        game: game.into(),
        book: "Meridian".into(),
        market: market::Market::Moneyline,
        selection: market::Selection::Home,
        points: None,
        price: market::Price::new(2.0).unwrap(),
        captured_at: as_of,
        is_closing: false,
        source: "by-hand".into(),
        raw_ref: market::RawRef { payload: "by-hand".into(), row: 0 },
    };
    let rule = ledger::SettlementRule::of(market::Market::Moneyline, false);
    let terms = ledger::entry::Terms::by_hand(&line, rule);
    let bet = ledger::Entry::placed(&night, ledger::Mode::Live, "10.00".parse().unwrap(), terms);
    let mut book = ledger::Ledger::default();
    book.append(vec![bet], "1000.00".parse().unwrap()).unwrap();
    book
}

#[test]
fn a_later_night_settles_an_open_bet_once_and_reports_it() {
    let edge = Edge::with(SMALL);
    edge.run(&["nightly", "--date", DATE]).done();
    std::fs::write(edge.path("edge-store/reports/ledger.csv"), bet_on_the_first_game(&edge).text()).unwrap();
    edge.run(&["nightly", "--date", "2026-03-03"]).done();
    edge.run(&["ledger", "settle", "--date", "2026-03-03"]).done();
    edge.run(&["ledger", "verify"]).done();
    let text = String::from_utf8(edge.files()["reports/ledger.csv"].clone()).unwrap();
    assert!(text.starts_with("date,game_id,stake,pnl,"), "{text}");
    let book = ledger::Ledger::parse(&text).unwrap();
    let endings: Vec<_> = book.bets().filter_map(|(_, ending)| ending).collect();
    assert_eq!(endings.len(), 1, "{text}");
    assert!(["10.00", "-10.00", "0.00"].contains(&endings[0].pnl.to_string().as_str()), "{text}");
    assert!(endings[0].ending.unwrap().clv.is_some(), "the demo league has closing prices: {text}");
    let report = String::from_utf8(edge.files()["reports/daily_report_2026-03-03.html"].clone()).unwrap();
    assert!(report.contains("Meridian"), "the report tells what was settled");
}

#[test]
fn a_dry_run_writes_paper_bets_and_no_mail() {
    let edge = Edge::with(SMALL);
    edge.run(&["nightly", "--date", DATE, "--dry-run"]).done();
    let files = edge.files();
    assert!(files.keys().all(|path| !path.contains(".eml")), "{:?}", files.keys());
    let ledger = files.get("reports/ledger.csv").map(|bytes| String::from_utf8(bytes.clone()).unwrap());
    assert!(!ledger.unwrap_or_default().contains(",live,"));
}

#[test]
fn a_night_whose_source_is_gone_still_reports_with_what_it_has() {
    let edge = Edge::with(SMALL);
    edge.run(&["nightly", "--date", DATE]).done();
    let broken = format!(
        "[[league]]\nid = \"demo\"\nsource = \"demo\"\n[[league]]\nid = \"gone\"\nsource = \"nflverse\"\npath = \"gone.csv\"\n{SMALL}"
    );
    edge.write("edge.toml", broken.as_bytes());
    let answer = edge.run(&["nightly", "--date", "2026-03-03", "--json"]);
    assert_eq!(answer.code, Some(3), "{}", answer.stderr);
    let report = String::from_utf8(edge.files()["reports/daily_report_2026-03-03.html"].clone()).unwrap();
    assert!(report.contains("gone.csv"), "the report names what failed");
}

#[test]
fn a_night_whose_training_fails_reports_with_the_champion_and_says_so() {
    let edge = Edge::with(SMALL);
    edge.run(&["nightly", "--date", DATE, "--dry-run"]).done();
    // Where there is no GPU, neither a trial nor a training begins.
    edge.write("edge.toml", SMALL.replace("[model]", "[model]\ndevice = \"cuda\"").as_bytes());
    let night = edge.run(&["nightly", "--date", "2026-03-03", "--dry-run"]);
    assert_eq!(night.code, Some(3), "{}", night.stderr);
    assert!(night.stderr.contains("not done: sweep, train, promote"), "{}", night.stderr);
    let report = edge.path("edge-store/reports/daily_report_2026-03-03.html");
    let report = std::fs::read_to_string(report).unwrap();
    assert!(report.contains("the champion of an earlier night") && report.contains("sees no GPU"));
}

#[test]
fn an_earlier_night_uses_the_champion_of_its_time_and_leaves_the_live_one() {
    let edge = Edge::with(SMALL);
    edge.run(&["nightly", "--date", "2026-03-03"]).done();
    let live = edge.files()["models/best.json"].clone();
    edge.run(&["nightly", "--date", DATE]).done();
    assert_eq!(edge.files()["models/best.json"], live, "the later night's champion stays live");
    let refused = edge.run(&["predict", "slate", "--date", "2026-03-01"]);
    refused.refused(1, &["no model was trained", "edge train --date"]);
    // A card that was spoilt is written again from the log of promotions.
    edge.write("edge-store/models/best.json", b"{");
    assert_eq!(edge.run(&["doctor"]).code, Some(1));
    edge.run(&["train", "--date", "2026-03-03"]).done();
    assert_eq!(edge.files()["models/best.json"], live);
    assert_eq!(edge.run(&["doctor"]).code, Some(0));
}

#[test]
fn a_champion_is_brought_up_to_date() {
    let edge = Edge::with(SMALL);
    edge.run(&["train", "--update", "--date", DATE]).refused(1, &["no champion", "edge train"]);
    edge.run(&["nightly", "--date", DATE]).done();
    edge.run(&["train", "--update", "--date", DATE]).refused(1, &["no champion", "edge train"]);
    edge.run(&["fetch", "--until", "2026-03-05"]).done();
    let update = ["train", "--update", "--date", "2026-03-05", "--json", "--profile"];
    let json = |text: String| serde_json::from_str::<serde_json::Value>(&text).unwrap();
    let first = json(edge.run(&update).done());
    assert_eq!(first["decision"]["promoted"], true, "{first}");
    assert!(first["decision"]["why"].as_str().unwrap().contains("brought up to date"), "{first}");
    let spans = first["profile"]["spans"].as_array().unwrap();
    assert!(spans.iter().any(|span| span["name"] == "pass messages forward"), "{first}");
    let again = json(edge.run(&update).done());
    assert_eq!(again["card"], first["card"], "from the same champion to the same bytes");
    edge.run(&["predict", "slate", "--date", "2026-03-05"]).done();
    assert_eq!(edge.run(&["doctor"]).code, Some(0));
}

#[test]
fn two_teams_that_play_tonight_are_predicted_as_their_scheduled_game() {
    let edge = Edge::with(SMALL);
    edge.run(&["nightly", "--date", DATE]).done();
    let slate = edge.run(&["predict", "slate", "--date", DATE, "--json"]).done();
    let slate: serde_json::Value = serde_json::from_str(&slate).unwrap();
    let game = &slate["games"][0]["game"];
    let team = |side: &str| game[side].as_str().unwrap().to_owned();
    let by_id = edge.run(&["predict", "game", &team("game_id"), "--date", DATE, "--json"]).done();
    let by_teams =
        ["predict", "game", "--home", &team("home"), "--away", &team("away"), "--date", DATE, "--json"];
    assert_eq!(edge.run(&by_teams).done(), by_id);
    for (flag, name, what) in [("--venue", "Nowhere", "no venue"), ("--out", "Nobody", "no key player")] {
        edge.run(&[&by_teams[..], &[flag, name]].concat()).refused(1, &[what, name]);
    }
    let explained = edge.run(&["predict", "game", &team("game_id"), "--date", DATE, "--explain"]).done();
    assert!(explained.contains("In this league: home sides win"), "{explained}");
    assert!(explained.lines().all(|line| line.chars().count() <= 80), "{explained}");
    let json = edge.run(&["predict", "game", &team("game_id"), "--date", DATE, "--explain", "--json"]).done();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let steps = json["explanation"]["steps"].as_array().unwrap();
    let said =
        json["moneyline"]["home"].as_f64().unwrap() / (1.0 - json["moneyline"]["draw"].as_f64().unwrap());
    let three_way = steps.last().unwrap()["home"].as_f64().unwrap();
    let either = [said, json["moneyline"]["home"].as_f64().unwrap()];
    assert!(either.iter().any(|home| (home - three_way).abs() < 1e-5), "{json}");
}

#[test]
fn a_fetch_of_some_games_is_completed_by_a_fetch_of_all() {
    let edge = Edge::with(SMALL);
    let whole = Edge::with(SMALL);
    edge.run(&["fetch", "--until", DATE, "--since", "2025-01-01"]).done();
    edge.run(&["fetch", "--until", DATE]).done();
    whole.run(&["fetch", "--until", DATE]).done();
    let count = |edge: &Edge| edge.run(&["graph", "build", "--date", DATE, "--json"]).done();
    let nodes = |text: String| serde_json::from_str::<serde_json::Value>(&text).unwrap()["nodes"].clone();
    assert_eq!(nodes(count(&edge)), nodes(count(&whole)));
}

fn lock(edge: &Edge, name: &str) -> coordinator::Lock {
    let path = edge.path("edge-store/runs/.locks").join(name);
    coordinator::Lock::try_take(&path, jiff::Timestamp::UNIX_EPOCH).unwrap()
}

#[test]
fn a_second_night_in_the_same_store_is_refused_while_one_is_under_way() {
    let edge = Edge::with(SMALL);
    let under_way = lock(&edge, "night");
    edge.run(&["nightly", "--date", DATE]).refused(1, &["a night is under way", "process"]);
    assert!(edge.files().is_empty(), "{:?}", edge.files().keys());
    drop(under_way);
}

#[test]
fn whoever_changes_the_ledger_waits_for_the_other_and_loses_nothing() {
    let edge = Edge::with(SMALL);
    edge.run(&["nightly", "--date", DATE]).done();
    edge.run(&["fetch", "--until", "2026-03-03"]).done();
    let bet = bet_on_the_first_game(&edge);
    let book = edge.path("edge-store/reports/ledger.csv");
    let other = lock(&edge, "ledger");
    let mut settle = edge.command(&["ledger", "settle", "--date", "2026-03-03"]);
    let mut settle = settle.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    sleep(Duration::from_secs(1));
    assert!(settle.try_wait().unwrap().is_none(), "it did not wait");
    std::fs::write(&book, bet.text()).unwrap();
    drop(other);
    assert!(settle.wait().unwrap().success());
    let book = ledger::Ledger::parse(&std::fs::read_to_string(&book).unwrap()).unwrap();
    let events: Vec<_> = book.entries().iter().map(|entry| entry.event).collect();
    assert_eq!(events, [ledger::Event::Placed, ledger::Event::Settled]);
}
