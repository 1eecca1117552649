//! `edge run` as a person uses it after a night: look, stop, go on, do a task again; and nights that are made up for.

use std::process::Stdio;

use crate::edge::{Edge, SMALL};

const DATE: &str = "2026-03-02";

fn states(edge: &Edge) -> Vec<(String, String, u64)> {
    let shown = edge.run(&["run", "show", "--json"]).done();
    let record: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let of = |task: &serde_json::Value| {
        let text = |key: &str| task[key].as_str().unwrap().to_owned();
        (text("id"), text("state"), task["attempts"].as_u64().unwrap())
    };
    record["tasks"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn a_night_is_listed_shown_and_a_task_of_it_done_again() {
    let edge = Edge::with(&format!("{SMALL}\n[night]\nkeep_runs_days = 30\n"));
    assert!(edge.run(&["run", "list"]).stderr.contains("no run yet"));
    edge.run(&["run", "show"]).refused(2, &["edge run list"]);
    let old = "edge-store/runs/2025-01-01-090000Z";
    let at = "2025-01-01T09:00:00Z";
    edge.write(
        &format!("{old}/night.json"),
        format!("{{\"date\": \"2025-01-01\", \"as_of\": \"{at}\", \"dry_run\": false}}").as_bytes(),
    );
    let record = format!(
        "{{\"run_id\": \"2025-01-01-090000Z\", \"started_at\": \"{at}\", \"ended_at\": \"{at}\", \"tasks\": []}}"
    );
    edge.write(&format!("{old}/state.json"), record.as_bytes());

    let night = edge.run(&["nightly", "--date", DATE, "--dry-run"]);
    assert!(night.stderr.contains("edge run approve tidy --run 2026-03-02-090000Z"), "{}", night.stderr);
    night.done();
    assert!(edge.path(old).exists(), "nobody has said yes");
    edge.run(&["run", "approve", "predict"]).refused(2, &["waits for no approval"]);
    let lapsed = edge.run(&["run", "approve", "tidy", "--run", "2025-01-01-090000Z"]);
    lapsed.refused(2, &["2026-03-02-090000Z has been since"]);
    edge.run(&["run", "approve", "tidy"]).done();
    assert!(!edge.path(old).exists());
    let listed = edge.run(&["run", "list"]).done();
    assert!(listed.contains("2026-03-02-090000Z") && listed.contains("done"), "{listed}");
    assert!(listed.lines().all(|line| line.chars().count() <= 80), "{listed}");
    let shown = edge.run(&["run", "show"]);
    assert!(shown.stdout.lines().all(|line| line.chars().count() <= 80), "{}", shown.stdout);
    assert!(states(&edge).iter().all(|(_, state, attempts)| state == "done" && *attempts == 1));
    edge.run(&["run", "cancel"]).refused(2, &["edge run list"]);
    edge.run(&["run", "cancel", "2026-03-02-090000Z"]).refused(2, &["not running"]);
    edge.run(&["run", "retry", "brew"]).refused(2, &["brew", "fetch-demo"]);
    edge.run(&["run", "retry", "predict"]).done();
    for (task, state, attempts) in states(&edge) {
        assert_eq!((state.as_str(), attempts), ("done", if task == "predict" { 2 } else { 1 }), "{task}");
    }
    let page = std::fs::read_to_string(edge.path("edge-store/runs/HQ.md")).unwrap();
    assert!(page.starts_with("# HQ") && page.contains("| report | report | done"), "{page}");
}

#[test]
fn a_night_is_stopped_from_another_terminal_and_goes_on() {
    let edge = Edge::with(SMALL);
    let mut night = edge.command(&["nightly", "--date", DATE, "--dry-run"]);
    let mut night = night.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Until the run is there, there is nothing to stop.
    while edge.run(&["run", "cancel"]).code != Some(0) {
        assert!(night.try_wait().unwrap().is_none(), "the night ended before it could be stopped");
    }
    assert_eq!(night.wait().unwrap().code(), Some(1));
    assert!(states(&edge).iter().any(|(_, state, _)| state == "cancelled"));
    edge.run(&["run", "resume"]).done();
    assert!(states(&edge).iter().all(|(_, state, _)| state == "done"));
}

#[test]
fn past_nights_are_made_up_for_in_order_and_once() {
    let edge = Edge::with(SMALL);
    edge.run(&["nightly", "--date", "2026-03-03", "--dry-run"]).done();
    let missed = ["nightly", "--from", "2026-03-02", "--to", "2026-03-03"];
    let made_up = edge.run(&missed);
    assert!(made_up.stderr.contains("night of 2026-03-03 is done"), "{}", made_up.stderr);
    made_up.done();
    assert!(edge.path("edge-store/reports/daily_report_2026-03-02.html").exists());
    let ledger = edge.run(&["ledger", "show", "--json"]).done();
    assert!(!ledger.contains("\"live\""), "what nobody bet then is no bet now");
    assert!(!edge.path("edge-store/reports/daily_report_2026-03-02.eml").exists(), "and nobody is told");
    let again = edge.run(&missed);
    assert_eq!(again.stderr.matches("is done").count(), 2, "{}", again.stderr);
    edge.run(&["nightly", "--from", "2026-03-03", "--to", "2026-03-02"]).refused(2, &["after"]);
    assert_eq!(edge.run(&["nightly", "--from", "2026-03-03"]).code, Some(2));
}

#[test]
fn a_champion_is_rolled_back_and_put_in_again() {
    let edge = Edge::with(SMALL);
    assert!(edge.run(&["model", "list"]).stderr.contains("no model yet"));
    edge.run(&["model", "rollback"]).refused(2, &["edge train"]);
    edge.run(&["fetch"]).done();
    for date in ["2026-03-02", "2026-03-03"] {
        edge.run(&["train", "--date", date]).done();
    }
    let listed = || -> serde_json::Value {
        serde_json::from_str(&edge.run(&["model", "list", "--json"]).done()).unwrap()
    };
    let version =
        |decision: usize| listed()["decisions"][decision]["challenger"].as_str().unwrap().to_owned();
    let (first, second) = (version(0), version(1));
    let best = || -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(edge.path("edge-store/models/best.json")).unwrap()).unwrap()
    };
    if listed()["champion"] != second {
        edge.run(&["model", "promote", &second]).done();
    }
    edge.run(&["model", "promote", &second]).refused(2, &["already"]);
    assert!(edge.run(&["model", "rollback"]).stderr.contains(&first));
    assert_eq!((&listed()["champion"], &best()["version"]), (&first.clone().into(), &first.clone().into()));
    edge.run(&["model", "rollback"]).refused(2, &["first champion"]);
    edge.run(&["model", "promote", &second]).done();
    assert_eq!(listed()["champion"], second);
    edge.run(&["model", "promote", "../x"]).refused(2, &["../x"]);
    let shown = edge.run(&["model", "list"]).done();
    assert!(
        shown.contains("hand, in place of")
            && shown.matches('★').count() == 1
            && shown.lines().all(|line| line.chars().count() <= 80),
        "{shown}"
    );
}
