//! A sweep gives the same answer whoever runs its trials.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::edge::Edge;

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

/// An ssh server on loopback, stopped when dropped.
struct Node {
    server: std::process::Child,
    port: u16,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

fn key(path: &Path) {
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path).status();
    assert!(made.unwrap().success());
}

fn node(edge: &Edge) -> Option<Node> {
    if !Path::new("/usr/sbin/sshd").exists() {
        assert!(std::env::var_os("EDGE_TEST_ALL").is_none(), "no sshd: install openssh-server");
        eprintln!("SKIPPED: no sshd: install openssh-server");
        return None;
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    key(&edge.path("host"));
    key(&edge.path("own"));
    std::fs::copy(edge.path("own.pub"), edge.path("authorized")).unwrap();
    let (folder, host) = (edge.path("."), std::fs::read_to_string(edge.path("host.pub")).unwrap());
    edge.write("known", format!("[127.0.0.1]:{port} {host}").as_bytes());
    let settings = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {0}/host\nPidFile {0}/sshd.pid\nAuthorizedKeysFile {0}/authorized\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nStrictModes no\n",
        folder.display()
    );
    edge.write("sshd_config", settings.as_bytes());
    std::fs::create_dir_all("/run/sshd").ok();
    let server = Command::new("/usr/sbin/sshd")
        .args(["-D", "-e", "-f"])
        .arg(edge.path("sshd_config"))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let node = Node { server, port };
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    Some(node)
}

#[test]
fn a_node_finds_what_this_machine_finds() {
    let edge = Edge::with("");
    let Some(node) = node(&edge) else { return };
    edge.run(&["fetch"]).done();
    let here = found(&edge, &[]);
    let place = |name: &str| edge.path(name).display().to_string();
    let described = format!(
        "[[sweep.ssh.nodes]]\nname = \"127.0.0.1\"\nport = {}\nfolder = \"{}\"\nidentity_file = \"{}\"\nknown_hosts_file = \"{}\"\n",
        node.port,
        place("work"),
        place("own"),
        place("known")
    );
    edge.write("edge.toml", described.as_bytes());
    std::fs::remove_dir_all(edge.path("edge-store/runs")).unwrap();
    assert_eq!(found(&edge, &["--workers", "ssh"]), here);
    assert!(edge.path("work").join("trial-0/attempt-1/.done").exists(), "it ran there");
}
