//! A sweep gives the same answer whoever runs its trials.

use std::path::Path;

use crate::{edge::Edge, sshd::Fleet};

const SWEEP: [&str; 9] =
    ["sweep", "--date", "2026-03-02", "--trials", "2", "--epochs", "1", "--smoke-test", "--json"];

/// Everything but how long it took.
fn found(edge: &Edge, more: &[&str]) -> serde_json::Value {
    let answer = edge.run(&[&SWEEP[..], more].concat()).done();
    let mut swept: serde_json::Value = serde_json::from_str(&answer).unwrap();
    for trial in swept["trials"].as_array_mut().unwrap() {
        trial[1]["seconds"] = serde_json::Value::Null;
    }
    swept
}

#[test]
fn what_would_be_sent_to_ray_is_printed_whole() {
    let edge = Edge::with("");
    let printed = edge.run(&[&SWEEP[..], &["--workers", "ray", "--dry-run"]].concat()).done();
    let requests: Vec<serde_json::Value> = serde_json::from_str(&printed).unwrap();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1]["submission_id"], "runs-dry-run-trials-trial-1-a1");
    let entry_point = requests[0]["entrypoint"].as_str().unwrap();
    assert!(entry_point.contains("trial --spec") && entry_point.contains("\"epochs\":1"), "{entry_point}");
    assert!(!edge.path("edge-store/runs/dry-run").exists(), "nothing was begun");
}

#[test]
fn workers_that_are_not_there_are_named_with_the_way_out() {
    let edge = Edge::with("[sweep.ray]\naddress = \"http://127.0.0.1:9\"\n");
    edge.run(&["fetch"]).done();
    edge.run(&[&SWEEP[..], &["--workers", "ssh"]].concat()).refused(2, &["[[sweep.ssh.nodes]]"]);
    edge.run(&[&SWEEP[..], &["--workers", "ray"]].concat()).refused(1, &["127.0.0.1:9", "head"]);
}

#[test]
fn a_node_finds_what_this_machine_finds() {
    let edge = Edge::with("");
    let Some(fleet) = Fleet::start(1) else { return };
    edge.run(&["fetch"]).done();
    let here = found(&edge, &[]);
    let node = fleet.node(0);
    let settings = serde_json::json!({"sweep": {"ssh": {"nodes": [node]}}});
    edge.write("edge.toml", toml::to_string(&settings).unwrap().as_bytes());
    std::fs::remove_dir_all(edge.path("edge-store/runs")).unwrap();
    assert_eq!(found(&edge, &["--workers", "ssh"]), here);
    assert!(Path::new(&node.folder).join("trial-0/attempt-1/.done").exists(), "it ran there");
}
