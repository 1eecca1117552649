//! What each channel is sent, to the byte.

use std::process::{Command, Stdio};

use report::notice::{Channel, Notice, Told};
use sha2::{Digest, Sha256};

use crate::notice_server::{
    QUICK, Request, Server, github, notices, occasions, run_failed, say, slack, tell_all, webhook,
};

/// Tells one channel one notice and returns what it was sent.
fn sent(channel: impl Fn(&Server) -> Channel, notice: &Notice) -> Vec<Request> {
    let server = Server::answering(|request, _| {
        if request.line.starts_with("GET") { say("200 OK", "[]") } else { say("201 Created", "{}") }
    });
    let outcomes = tell_all(&[channel(&server)], std::slice::from_ref(notice), &QUICK);
    assert_eq!(outcomes[0].result.as_ref().ok(), Some(&Told::Now), "{outcomes:?}");
    server.had()
}

fn failed_night() -> Notice {
    notices(&occasions()).remove(2)
}

#[test]
fn every_notice_reads_well() {
    let shown = |notice: &Notice| {
        format!(
            "{}  ({})\n{}\n\n{}\n",
            notice.key,
            notice.severity.as_str(),
            notice.title,
            notice.body.join("\n\n")
        )
    };
    let all: Vec<String> = notices(&occasions()).iter().map(shown).collect();
    insta::assert_snapshot!("notices", all.join("\n----\n"));
}

#[test]
fn slack_is_sent_blocks_and_a_plain_text() {
    let requests = sent(slack, &failed_night());
    assert_eq!(requests.len(), 1);
    insta::assert_snapshot!("slack", requests[0].shown());
}

#[test]
fn a_webhook_is_sent_a_signed_document() {
    let requests = sent(webhook, &failed_night());
    assert_eq!(requests.len(), 1);
    insta::assert_snapshot!("webhook", requests[0].shown());
    let unsigned = |server: &Server| Channel::webhook(&server.address, None).unwrap();
    let requests = sent(unsigned, &failed_night());
    assert!(!requests[0].headers.contains_key("x-edge-signature"));
}

#[test]
fn every_kind_has_its_document() {
    let all = notices(&occasions());
    let documents: Vec<String> =
        all.iter().map(|notice| serde_json::to_string(&notice.occasion).unwrap()).collect();
    for (notice, document) in all.iter().zip(&documents) {
        assert!(sent(webhook, notice)[0].body.contains(&format!("\"occasion\":{document}")));
        assert!(document.contains(&format!("\"kind\":\"{}\"", notice.occasion.kind())));
    }
    insta::assert_snapshot!("occasions", documents.join("\n"));
}

#[test]
fn github_is_asked_before_an_issue_is_opened() {
    let requests = sent(github, &failed_night());
    assert_eq!(requests.len(), 2);
    insta::assert_snapshot!("github", requests.iter().map(Request::shown).collect::<Vec<_>>().join("\n\n"));
}

/// HMAC by its definition, with another library's hash.
fn hmac(secret: &[u8], body: &[u8]) -> String {
    let mut key = [0; 64];
    key[..secret.len()].copy_from_slice(secret);
    let inner = Sha256::new().chain_update(key.map(|byte| byte ^ 0x36)).chain_update(body).finalize();
    let outer = Sha256::new().chain_update(key.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize();
    report::format::hexadecimal(&outer)
}

#[test]
fn the_signature_is_that_of_the_bytes_that_were_sent() {
    let error = "Köln 🐐 \" \\ \u{2028}";
    let notice = notices(&[run_failed("2026-11-20", &[("train", error)], true)]).remove(0);
    let request = sent(webhook, &notice).remove(0);
    let expected = format!("sha256={}", hmac(b"s3cretsign", request.body.as_bytes()));
    assert_eq!(request.headers["x-edge-signature"], expected);
    assert_eq!(request.headers["idempotency-key"], notice.key.as_str());
}

/// Runs the check that `docs/notices.md` shows; tells whether it passes, or nothing without python3.
#[expect(clippy::print_stderr, reason = "a skip must be seen")]
fn python_accepts(secret: &str, body: &str, header: &str) -> Option<bool> {
    let docs = include_str!("../../../../docs/notices.md");
    let check = docs.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let has = Command::new("python3").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !has.is_ok_and(|status| status.success()) {
        #[expect(clippy::disallowed_methods, reason = "tests decide here whether a skip is a failure")]
        let all = std::env::var("EDGE_TEST_ALL").is_ok_and(|value| value == "1");
        assert!(!all, "python3 is not there");
        eprintln!("skipped: python3 is not there; EDGE_TEST_ALL=1 makes this a failure");
        return None;
    }
    let script = format!(
        "import sys\n{check}\nsys.exit(0 if is_from_edge(*map(str.encode, sys.argv[1:3]), sys.argv[3]) else 1)"
    );
    let output = Command::new("python3").args(["-c", &script, secret, body, header]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    Some(output.status.success())
}

#[test]
fn the_check_in_the_documentation_works() {
    let request = sent(webhook, &failed_night()).remove(0);
    let header = &request.headers["x-edge-signature"];
    let Some(accepts) = python_accepts("s3cretsign", &request.body, header) else { return };
    assert!(accepts);
    assert_eq!(python_accepts("another", &request.body, header), Some(false));
    assert_eq!(python_accepts("s3cretsign", &request.body.replace("train", "trial"), header), Some(false));
}
