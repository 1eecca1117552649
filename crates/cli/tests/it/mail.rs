//! The report as mail: everybody has it once, whatever happened on the way.

use std::{collections::BTreeMap, path::Path, process::Stdio};

use serde_json::Value;

use crate::{
    edge::Edge,
    mailbox::{Mailbox, PASSWORD, Security, USER},
};

const DATE: &str = "2026-11-20";

/// A store with one night's report in it.
fn reported() -> Edge {
    let edge = Edge::with("");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../report/examples/sample.json");
    edge.write(&format!("edge-store/reports/data/{DATE}.json"), &std::fs::read(sample).unwrap());
    edge
}

/// `edge report --send` to this server.
fn sending(edge: &Edge, mailbox: &Mailbox, to: &str) -> std::process::Command {
    let mut command = edge.command(&["report", "--date", DATE, "--send"]);
    command.env("SMTP_URL", mailbox.url(USER, PASSWORD)).env("SMTP_CA_FILE", mailbox.authority());
    command.env("SMTP_FROM", "Edge <edge@example.org>").env("SMTP_TO", to);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn said(command: &mut std::process::Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// How often each recipient was sent each message.
fn by_recipient(mails: &[Value]) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    for mail in mails {
        let to = mail["to"][0].as_str().unwrap().to_owned();
        *counts.entry((to, mail["id"].as_str().unwrap().to_owned())).or_default() += 1;
    }
    counts
}

#[test]
fn a_sender_killed_at_every_step_leaves_one_mail_for_each_recipient() {
    let Some(mut mailbox) = Mailbox::open(Security::Tls) else { return };
    let edge = reported();
    let to = "Ann <ann@example.org>, ben@example.org";
    let steps = ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"];
    for recipient in 0..2 {
        for step in steps {
            mailbox.hold(step);
            let mut sender = sending(&edge, &mailbox, to).spawn().unwrap();
            mailbox.wait_until_held();
            sender.kill().unwrap();
            sender.wait().unwrap();
            mailbox.go_on();
        }
        if recipient == 0 {
            // Ann has hers now; what is killed from here on was on its way to Ben.
            let told = said(&mut sending(&edge, &mailbox, "ann@example.org"));
            assert!(told.contains("sent to 1") || told.contains("1 had it before"), "{told}");
        }
    }
    said(&mut sending(&edge, &mailbox, to));
    let told = said(&mut sending(&edge, &mailbox, to));
    assert!(told.contains("sent to 0, 2 had it before"), "{told}");
    let mails = by_recipient(&mailbox.close());
    let recipients: Vec<&str> = mails.keys().map(|(to, _)| to.as_str()).collect();
    assert_eq!(recipients, ["ann@example.org", "ben@example.org"], "one message each: {mails:?}");
    // Taken but not known to be: the same message again, which a mailbox knows by its id.
    assert!(mails.values().all(|count| *count <= 3), "{mails:?}");
}

#[test]
fn a_recipient_who_is_refused_keeps_the_report_from_nobody() {
    let Some(mailbox) = Mailbox::open(Security::Plain) else { return };
    let edge = reported();
    let output = sending(&edge, &mailbox, "no address, ben@example.org").output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("sent to 1") && told.contains("`no address` is no mail address"), "{told}");
    let mut elsewhere = sending(&edge, &mailbox, "ben@example.org");
    assert!(said(elsewhere.args(["--to", "me@example.org"])).contains("sent to 1"));
    assert_eq!(by_recipient(&mailbox.close()).len(), 2);
}
