//! `edge backtest`: what it prints, that it can be cut short, and what it refuses.

use std::time::Duration;

use serde_json::Value;

use crate::edge::{Edge, SMALL};

const ASKED: [&str; 7] = ["backtest", "--league", "demo", "--from", "2024", "--to", "2025"];

fn fetched() -> Edge {
    let edge = Edge::with(SMALL);
    edge.run(&["fetch", "--until", "2026-03-02"]).done();
    edge
}

/// The answer without what the clock says.
fn answer(edge: &Edge) -> Value {
    let printed = edge.run(&[&ASKED[..], &["--json"]].concat()).done();
    let mut answer: Value = serde_json::from_str(&printed).unwrap();
    let object = answer.as_object_mut().unwrap();
    assert!(object.remove("as_of").is_some() && object.remove("seconds").is_some());
    answer
}

#[test]
fn a_backtest_answers_as_promised_and_answers_again_from_its_folds() {
    let edge = fetched();
    let first = answer(&edge);
    for (key, wanted) in [("league", Value::from("demo")), ("from", 2024.into()), ("to", 2025.into())] {
        assert_eq!(first[key], wanted);
    }
    let games = first["games"].as_u64().unwrap();
    assert!(games > 300, "{first}");
    let forecasts = first["forecasts"].as_array().unwrap();
    let names: Vec<&str> = forecasts.iter().map(|f| f["name"].as_str().unwrap()).collect();
    for name in ["home_rate", "elo", "opening_line", "closing_line", "linear", "hgt", "hgt_market"] {
        assert!(names.contains(&name), "{name} is missing in {names:?}");
    }
    for forecast in forecasts {
        assert_eq!(forecast["games"], games);
        for key in ["log_loss", "brier", "rps", "ece", "log_loss_minus_closing", "standard_error"] {
            assert!(forecast[key].is_f64() || forecast[key] == 0, "{key} of {forecast}");
        }
    }
    let loss = |name: &str| {
        let found = forecasts.iter().find(|f| f["name"] == name).unwrap();
        found["log_loss"].as_f64().unwrap()
    };
    assert!(loss("closing_line") < loss("hgt_market") + 0.02 && loss("hgt") < loss("home_rate"), "{first}");
    for key in [
        "count",
        "staked",
        "profit",
        "roi",
        "roi_interval_95",
        "mean_ev_clv",
        "ev_clv_interval_95",
        "max_drawdown",
    ] {
        assert!(first["bets"].get(key).is_some(), "{key} is missing");
    }
    let page = edge.files().remove("reports/backtest_demo_2024_2025.html").unwrap();
    assert!(String::from_utf8(page).unwrap().contains("Reliability of hgt"));

    let again = edge.run(&[&ASKED[..], &["--json"]].concat());
    assert!(again.stderr.contains("2 of 2 folds are done already"), "{}", again.stderr);
    assert_eq!(answer(&edge), first);
}

#[test]
fn a_backtest_that_was_killed_goes_on_and_ends_the_same() {
    let edge = fetched();
    let mut child = edge.command(&ASKED).stderr(std::process::Stdio::null()).spawn().unwrap();
    let folds = || {
        let all = walk(&edge.path("edge-store/runs/backtest"));
        all.iter().filter(|path| path.rsplit('/').next().is_some_and(|n| n.starts_with("fold-"))).count()
    };
    while folds() == 0 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(20));
    }
    // Its folds are processes of their own and end by themselves.
    child.kill().unwrap();
    child.wait().unwrap();
    assert!((1..=2).contains(&folds()));
    let resumed = answer(&edge);
    assert_eq!(resumed, answer(&fetched()), "as if it had never been killed");
}

fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path.to_string_lossy().into_owned());
        }
    }
    found
}

#[test]
fn questions_without_an_answer_say_why() {
    let edge = Edge::with(SMALL);
    edge.run(&["backtest", "--league", "demo", "--from", "2025", "--to", "2024"])
        .refused(2, &["--from 2025"]);
    edge.run(&ASKED).refused(1, &["edge fetch"]);
    edge.run(&["fetch", "--until", "2026-03-02"]).done();
    edge.run(&["backtest", "--league", "nfl", "--from", "2024", "--to", "2025"]).refused(1, &["nfl"]);
    edge.run(&["backtest", "--league", "demo", "--from", "1924", "--to", "1925"]).refused(1, &["1924"]);
}
