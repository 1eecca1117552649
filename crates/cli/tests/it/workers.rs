//! A sweep gives the same answer whoever runs its trials.

use std::path::Path;

use crate::{edge::Edge, sshd::Fleet};

const SWEEP: [&str; 9] =
    ["sweep", "--date", "2026-03-02", "--trials", "2", "--epochs", "1", "--smoke-test", "--json"];

/// Everything but how long it took.
fn found(edge: &Edge, more: &[&str]) -> serde_json::Value {
    let answer = edge.run(&[&SWEEP[..], more].concat()).done();
    let mut swept: serde_json::Value = serde_json::from_str(&answer).unwrap();
    for trial in swept["study"]["trials"].as_array_mut().unwrap() {
        for passing in ["started", "ended"] {
            trial[passing] = serde_json::Value::Null;
        }
        trial["outcome"]["seconds"] = serde_json::Value::Null;
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

/// Cuts the only study of the store in half, as a full disk may.
fn cut_in_half(edge: &Edge) {
    let runs = std::fs::read_dir(edge.path("edge-store/runs")).unwrap();
    let study = runs.map(|run| run.unwrap().path().join("study.json")).find(|path| path.exists()).unwrap();
    let bytes = std::fs::read(&study).unwrap();
    std::fs::write(&study, &bytes[..bytes.len() / 2]).unwrap();
}

#[test]
fn a_node_finds_what_this_machine_finds() {
    let edge = Edge::with("");
    let Some(fleet) = Fleet::start(1) else { return };
    edge.run(&["fetch"]).done();
    let here = found(&edge, &[]);
    cut_in_half(&edge);
    assert_eq!(found(&edge, &[]), here, "the half of a study is set aside, and the sweep begins anew");
    let node = fleet.node(0);
    let settings = serde_json::json!({"sweep": {"ssh": {"nodes": [node]}}});
    edge.write("edge.toml", toml::to_string(&settings).unwrap().as_bytes());
    std::fs::remove_dir_all(edge.path("edge-store/runs")).unwrap();
    assert_eq!(found(&edge, &["--workers", "ssh"]), here);
    assert!(Path::new(&node.folder).join("trial-0/attempt-1/.done").exists(), "it ran there");
}

#[test]
fn the_jobs_of_a_file_run_on_their_nodes_and_bring_their_results() {
    let edge = Edge::with("");
    let Some(fleet) = Fleet::start(2) else { return };
    let nodes = fleet.nodes();
    let settings = serde_json::json!({"sweep": {"ssh": {"nodes": nodes}}});
    edge.write("edge.toml", toml::to_string(&settings).unwrap().as_bytes());
    for node in &nodes {
        let script = "[ \"$1\" = fail ] && exit 3\necho \"$2 on $SSH_CONNECTION\" > \"$4\"\ntouch \"$EDGE_OUTPUT/.done\"\n";
        std::fs::write(Path::new(&node.folder).join("work.sh"), script).unwrap();
    }
    let job = |id: &str, node: usize, what: &str| {
        serde_json::json!({"job_id": id, "script": "work.sh", "args": [what, id, "--out", "/said.txt"],
            "node": nodes[node].label(), "gpu_id": null})
    };
    let jobs =
        serde_json::json!([job("a", 0, "go"), job("b", 1, "go"), job("c", 0, "fail"), job("d", 1, "go")]);
    edge.write("jobs.json", jobs.to_string().as_bytes());
    let run = ["jobs", "run", "--jobs-file", "jobs.json"];
    let planned = edge.run(&[&run[..], &["--dry-run"]].concat()).done();
    assert!(planned.contains("{output}/said.txt"), "{planned}");
    let answer = edge.run(&run);
    assert_eq!(answer.code, Some(3), "{}", answer.stderr);
    assert!(
        answer.stdout.contains("exit code 3") && answer.stderr.contains("3 jobs done, 1 not"),
        "{answer:?}"
    );
    let said = std::fs::read_to_string(edge.path("jobs-output/b/attempt-1/said.txt")).unwrap();
    assert!(said.starts_with("b on ") && said.contains("127.0.0.3"), "{said}");
    // Again: what is done is done, and what failed is tried anew.
    let again = edge.run(&[&run[..], &["--json"]].concat());
    let ended: Vec<serde_json::Value> = serde_json::from_str(&again.stdout).unwrap();
    assert!(ended[0]["output"].as_str().unwrap().ends_with("a/attempt-1"), "{}", ended[0]);
    assert!(
        edge.path("jobs-output/c/attempt-2.log").exists() && !edge.path("jobs-output/a/attempt-2").exists()
    );
    edge.write("jobs.json", b"[{\"job_id\": \"a\", \"command\": \"x\"}]");
    edge.run(&run).refused(2, &["jobs.json", "older format"]);
}
