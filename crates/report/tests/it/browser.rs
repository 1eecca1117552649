//! Every page in a real browser: accessibility, valid HTML, nothing that stands out of a phone.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use report::{
    pages::{CONTENT_SECURITY_POLICY, Pages},
    render,
};
use serde_json::{Value, json};

use crate::{
    fixture::{failed_training, first_night, many_picks, no_edge, normal_night},
    hostile::{NAMES, everywhere},
    pages::Night,
};

const CHROMIUMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

#[expect(clippy::disallowed_methods, reason = "tests decide here whether a skip is a failure")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

/// Folder whose `node_modules` holds the tools.
fn tools() -> PathBuf {
    variable("EDGE_BROWSER_TOOLS").map_or_else(here, PathBuf::from)
}

fn answers(program: &str) -> bool {
    let output = Command::new(program).arg("--version").output();
    output.is_ok_and(|output| output.status.success())
}

/// Tells what is missing for a look; none when nothing is.
fn missing() -> Option<String> {
    if !answers("node") {
        return Some("node is not installed".to_owned());
    }
    if !tools().join("node_modules/puppeteer-core").is_dir() {
        let folder = tools().display().to_string();
        return Some(format!("{folder} has no node_modules (npm ci in crates/report/tests/browser)"));
    }
    let chromium = variable("CHROMIUM");
    let is_there = chromium.as_deref().map_or_else(|| CHROMIUMS.into_iter().any(answers), answers);
    (!is_there).then(|| "no chromium is installed".to_owned())
}

/// Whether the tools are there; without them the test is skipped, or fails where all tests must run.
#[expect(clippy::print_stderr, reason = "a skip must be seen")]
fn can_look() -> bool {
    let Some(missing) = missing() else { return true };
    let all = variable("EDGE_TEST_ALL").is_some_and(|value| value == "1");
    assert!(!all, "{missing}");
    eprintln!("skipped: {missing}; EDGE_TEST_ALL=1 makes this a failure");
    false
}

/// Looks at `pages` of `root`, given as the job wants them.
fn look(root: &Path, pages: &Value) -> (Output, Vec<Value>) {
    let job = root.join("job.json");
    fs::write(&job, json!({"root": root, "pages": pages, "shots": variable("EDGE_SHOTS")}).to_string())
        .unwrap();
    let arguments: [OsString; 2] = [here().join("look.mjs").into(), job.into()];
    let output = Command::new("node").args(arguments).env("EDGE_BROWSER_TOOLS", tools()).output().unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {} {}", output.status, String::from_utf8_lossy(&output.stderr))
    });
    assert_eq!(told["looked"].as_u64().map(|looked| looked as usize), pages.as_array().map(Vec::len));
    let findings = told["findings"].as_array().cloned().unwrap();
    assert_eq!(output.status.code(), Some(i32::from(!findings.is_empty())));
    (output, findings)
}

/// Says each finding in one line.
fn lines(findings: &[Value]) -> String {
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().replace('\n', " ");
    let line = |f: &Value| ["page", "check", "at", "says"].map(|key| text(f, key)).join(" | ");
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_page_is_fit_for_everybody_in_light_and_dark_and_on_a_phone() {
    if !can_look() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let pages = Pages::built_in().unwrap();
    let mut jobs = Vec::new();
    for (prefix, night) in [("", Night::full()), ("first-", Night::nothing_yet())] {
        for (name, html) in night.write(&pages) {
            let path = format!("{prefix}{name}.html");
            fs::write(root.join(&path), html).unwrap();
            jobs.push(json!({"path": path, "policy": CONTENT_SECURITY_POLICY}));
        }
    }
    fs::create_dir(root.join("assets")).unwrap();
    for asset in pages.assets() {
        fs::write(root.join(asset.path.trim_start_matches('/')), &asset.bytes).unwrap();
    }
    let (_, findings) = look(root, &Value::Array(jobs));
    assert!(findings.is_empty(), "{}", lines(&findings));
}

#[test]
fn report_and_mail_are_readable_in_light_and_dark_and_on_a_phone() {
    if !can_look() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let nights = [
        ("normal", normal_night()),
        ("no-edge", no_edge()),
        ("first", first_night()),
        ("failed", failed_training()),
        ("crowd", many_picks(300)),
        ("long-names", everywhere(NAMES[7])),
    ];
    let mut jobs = Vec::new();
    for (night, data) in nights {
        let rendered = render(&data).unwrap();
        fs::write(root.join(format!("report-{night}.html")), &rendered.html).unwrap();
        let mut mail = rendered.mail_html.clone();
        for picture in &rendered.attachments {
            let file = format!("{night}-{}", picture.file_name);
            fs::write(root.join(&file), &picture.bytes).unwrap();
            mail = mail.replace(&format!("cid:{}", picture.content_id), &file);
        }
        fs::write(root.join(format!("mail-{night}.html")), mail).unwrap();
        jobs.push(json!({"path": format!("report-{night}.html")}));
        jobs.push(json!({"path": format!("mail-{night}.html"), "markup": "mail", "mail": true}));
    }
    let backtest = serde_json::from_str(include_str!("../../examples/backtest.json")).unwrap();
    fs::write(root.join("backtest.html"), report::backtest::render(&backtest).unwrap()).unwrap();
    jobs.push(json!({"path": "backtest.html"}));
    let findings = look(root, &Value::Array(jobs)).1;
    assert!(findings.is_empty(), "{}", lines(&findings));
}

#[test]
fn what_is_wrong_with_a_page_is_found() {
    if !can_look() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let bad = "<!DOCTYPE html><html lang=\"en\"><head><title>Bad</title><script>var a</script></head><body>\
         <h1>Bad</h1><p style=\"width:900px;color:#ccc\">pale and wide</p><img src=\"none.png\"></body></html>";
    fs::write(folder.path().join("bad.html"), bad).unwrap();
    let jobs = json!([{"path": "bad.html", "policy": "default-src 'none'; style-src 'unsafe-inline'"}]);
    let (_, findings) = look(folder.path(), &jobs);
    for check in ["axe color-contrast", "axe image-alt", "overflow", "console", "html-validate wcag/h37"] {
        assert!(findings.iter().any(|finding| finding["check"] == check), "{check}\n{}", lines(&findings));
    }
}
