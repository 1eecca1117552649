//! What a night leaves behind beyond its report: notices, and pages in a browser.

use std::{collections::BTreeSet, path::Path};

use crate::{
    edge::{Edge, SMALL},
    endpoint::Serving,
    mailbox::{Mailbox, Security},
    notice_server::{Server, say},
};

const DATE: &str = "2026-03-02";

/// The addresses within the site that a page leads to.
fn links(page: &str) -> BTreeSet<String> {
    let quoted = |attribute: &str| {
        let pieces = page.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        pieces.collect::<Vec<_>>()
    };
    let all = [quoted("href=\""), quoted("src=\"")].concat();
    let within = all.into_iter().filter(|link| link.starts_with('/'));
    within.map(|link| link.split('#').next().unwrap().replace("&amp;", "&")).collect()
}

#[test]
fn a_night_is_told_and_can_be_walked_through_in_a_browser() {
    let server = Server::answering(|_, _| say("204 No Content", ""));
    let edge = Edge::with(&format!(
        "[[league]]\nid = \"demo\"\nsource = \"demo\"\n[[league]]\nid = \"gone\"\nsource = \"nflverse\"\npath = \"gone.csv\"\n\
         {SMALL}\n[report]\ntemplates = \"own\"\n[notices]\nchannels = [\"webhook\"]\n"
    ));
    edge.write("own/report.txt", b"one\n{{ nothing_of_this_name }}\n");
    let Some(mailbox) = Mailbox::open(Security::Plain) else { return };
    a_report_that_no_server_took(&edge);
    let night = |arguments: &[&str]| {
        let mut command = edge.command(arguments);
        command.env("NOTICE_WEBHOOK_URL", format!("{}/edge", server.address));
        command.env("SMTP_URL", mailbox.url("", "")).env("SMTP_TO", "Ann <ann@example.org>, ben@example.org");
        command.output().unwrap()
    };
    let output = night(&["nightly", "--date", DATE]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{told}");
    let kinds: Vec<String> =
        server.had().iter().map(|had| had.json()["occasion"]["kind"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["new_champion", "run_failed"], "{told}");
    // The night again, and once more: nobody is told twice.
    night(&["run", "retry", "notify"]);
    assert_eq!(server.had().len(), 2);
    let subjects: Vec<String> =
        mailbox.close().iter().map(|mail| format!("{}: {}", mail["to"][0], mail["subject"])).collect();
    assert_eq!(subjects.len(), 3, "{subjects:?}");
    assert!(subjects[2].starts_with("\"ben@example.org\": \"Daily Edge Report 2026-02-20"), "{subjects:?}");

    let report = std::fs::read_to_string(edge.path(&format!("edge-store/reports/daily_report_{DATE}.html")));
    let report = report.unwrap();
    assert!(report.contains("report.txt, line 2") && report.contains("the built-in templates"), "{report}");
    edge.run(&["report", "--date", DATE]).refused(1, &["own/report.txt, line 2"]);
    std::fs::remove_file(edge.path("own/report.txt")).unwrap();
    edge.run(&["report", "--date", DATE]).done();
    let again = std::fs::read_to_string(edge.path(&format!("edge-store/reports/daily_report_{DATE}.html")));
    assert_eq!(again.unwrap(), report, "a past report is made again byte for byte");

    // Its games were never looked at here.
    std::fs::remove_file(edge.path("edge-store/reports/data/2026-02-20.json")).unwrap();
    walk(&Serving::start(&edge, None));
    let guarded = Serving::start(&edge, Some("s3cret"));
    let refused = guarded.get("/ledger", "");
    assert!(refused.starts_with("HTTP/1.1 401") && refused.contains("Basic realm"), "{refused}");
    let basic = guarded.get("/ledger", "authorization: Basic ZWRnZTpzM2NyZXQ=\r\n");
    assert!(basic.starts_with("HTTP/1.1 200"), "{basic}");
}

/// Leaves an earlier report that one recipient has had, another was tried, and a third is to have no more.
fn a_report_that_no_server_took(edge: &Edge) {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../report/examples/sample.json");
    let sample = std::fs::read_to_string(sample).unwrap().replacen("2026-11-20", "2026-02-20", 1);
    assert!(sample.contains("\"date\": \"2026-02-20\""), "the first date of the sample is the report's");
    edge.write("edge-store/reports/data/2026-02-20.json", sample.as_bytes());
    let line = |recipient: &str, state: &str| {
        format!(
            "{{\"date\":\"2026-02-20\",\"recipient\":\"{recipient}\",\"report_sha256\":\"ab\",\
             \"message_id\":\"<1@x>\",\"state\":\"{state}\",\"at\":\"2026-02-20T09:00:00Z\"}}\n"
        )
    };
    let log = [
        line("ann@example.org", "sent"),
        line("ben@example.org", "attempted"),
        line("gone@example.org", "attempted"),
    ];
    edge.write("edge-store/reports/sent.jsonl", log.concat().as_bytes());
}

/// Follows every link from the first page on.
fn walk(serving: &Serving) {
    let (mut todo, mut seen) = (vec!["/".to_owned()], BTreeSet::new());
    while let Some(path) = todo.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let answer = serving.get(&path, "");
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {}", &answer[..200.min(answer.len())]);
        if path.starts_with("/assets/") {
            assert!(answer.contains("immutable"), "{path}");
            continue;
        }
        assert!(answer.contains("content-security-policy: default-src 'none'"), "{path}");
        todo.extend(links(&answer));
    }
    for wanted in ["/games/", "/ledger", "/model", "/runs/", "/reports/", "/assets/"] {
        assert!(seen.iter().any(|path| path.starts_with(wanted)), "nothing leads to {wanted}: {seen:?}");
    }
    for outside in
        ["/games/demo_2026-03-02_%2F..%2F..%2Fdata", "/runs/..%2F..", "/reports/..", "/assets/..%2Fedge.css"]
    {
        let answer = serving.get(outside, "");
        assert!(answer.starts_with("HTTP/1.1 404"), "{outside}: {answer}");
    }
    let missing = serving.get("/games/nobody", "");
    assert!(missing.starts_with("HTTP/1.1 404") && missing.contains("edge predict game"), "{missing}");
}
