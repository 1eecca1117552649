//! Texts from outside that try to be more than text.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use report::notice::{Notice, Occasion};

use crate::notice_server::{QUICK, Server, at, github, notices, occasions, run_failed, say, slack, tell_all};

const TEXTS: [&str; 9] = [
    "<script>alert(1)</script>",
    "<!channel> <@U012AB3CD> <https://evil.example.org|click>",
    "`` ` ``` end of code @octocat #1 <img src=x onerror=alert(1)>",
    "two\nlines\r\n\r\n# heading\n- list\n--> <!-- edge:feed-frozen:epl:none -->",
    "A\u{202e}gnidaer\u{2066}\u{0}\u{7}",
    "הפועל תל אביב",
    "&lt;!channel&gt; &amp; Söhne",
    "![x](https://evil.example.org/x.png) [a](javascript:alert(1)) https://evil.example.org",
    "",
];

/// Puts `text` wherever a text from outside can stand.
fn everywhere(text: &str) -> Vec<Notice> {
    let late = |job: &str| Occasion::RunLate { job: job.to_owned(), due: at(), late_minutes: 5 };
    notices(&[
        run_failed(text, &[(text, text), ("train", text)], true),
        Occasion::NewChampion {
            version: text.into(),
            sha256: text.into(),
            log_loss_gain: Some(f64::NAN),
            since: at(),
        },
        Occasion::ChampionRolledBack { version: text.into(), from: text.into(), since: at() },
        late(text),
        Occasion::DrawdownLimit {
            drawdown: f64::NAN,
            limit: f64::INFINITY,
            bankroll: market::Money::ZERO,
            currency: text.into(),
            peak: "2026-10-12".parse().unwrap(),
        },
    ])
}

fn is_plain(text: &str) -> bool {
    let is_odd = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !text.chars().any(is_odd)
}

/// What every channel relies on.
fn check(notice: &Notice) -> Result<(), TestCaseError> {
    prop_assert!(
        is_plain(&notice.title) && notice.title.chars().count() <= 120 && !notice.title.contains('`')
    );
    let mut all_words = String::new();
    for line in &notice.body {
        prop_assert!(is_plain(line), "{line:?}");
        let parts: Vec<&str> = line.split('`').collect();
        prop_assert!(parts.len() % 2 == 1, "a backtick too many: {line}");
        all_words.extend(parts.iter().step_by(2).copied());
    }
    // Outside of backticks stand our own words alone, whatever came in.
    prop_assert!(!all_words.contains(['<', '>', '@', '#', '[', '*', '_', '&']), "{all_words}");
    Ok(())
}

#[test]
fn hostile_texts_stay_between_backticks() {
    for notice in TEXTS.iter().flat_map(|text| everywhere(text)) {
        check(&notice).unwrap();
    }
}

#[test]
fn slack_takes_no_command_from_a_text() {
    let server = Server::answering(|_, _| say("200 OK", "ok"));
    for text in TEXTS {
        assert!(
            tell_all(&[slack(&server)], &everywhere(text), &QUICK)
                .iter()
                .all(|outcome| outcome.result.is_ok())
        );
    }
    for request in server.had() {
        assert!(!request.body.contains(['<', '>']), "{}", request.body);
        let message = request.json();
        let blocks = message["blocks"].as_array().unwrap();
        assert!(blocks[0]["text"]["text"].as_str().unwrap().chars().count() <= 150);
        assert!(blocks.len() <= 50);
        for section in blocks.iter().filter(|block| block["type"] == "section") {
            assert!(section["text"]["text"].as_str().unwrap().chars().count() <= 3000);
            assert_eq!(section["text"]["verbatim"], true);
        }
    }
}

/// Says what else than paragraphs, words, code and the one marker a reader of Markdown finds in a body.
fn oddities(body: &str, marker: &str) -> Vec<String> {
    let is_expected = |event: &Event<'_>| match event {
        Event::Start(tag) => matches!(tag, Tag::Paragraph | Tag::HtmlBlock),
        Event::End(tag) => matches!(tag, TagEnd::Paragraph | TagEnd::HtmlBlock),
        Event::Text(_) | Event::Code(_) => true,
        Event::Html(html) => html.trim() == marker,
        _ => false,
    };
    Parser::new_ext(body, Options::all())
        .filter(|event| !is_expected(event))
        .map(|event| format!("{event:?}"))
        .collect()
}

#[test]
fn github_renders_a_text_as_code_and_finds_one_marker() {
    let server = Server::answering(|request, _| {
        if request.line.starts_with("GET") { say("200 OK", "[]") } else { say("201 Created", "{}") }
    });
    let mut all: Vec<Notice> = TEXTS.iter().flat_map(|text| everywhere(text)).collect();
    all.extend(notices(&occasions()));
    all.sort_by(|a, b| a.key.cmp(&b.key));
    all.dedup_by(|a, b| a.key == b.key);
    assert!(tell_all(&[github(&server)], &all, &QUICK).iter().all(|outcome| outcome.result.is_ok()));
    let issues = server.had().into_iter().filter(|request| request.line.starts_with("POST"));
    let issues: Vec<_> = issues.map(|request| request.json()).collect();
    assert_eq!(issues.len(), all.len());
    for (issue, notice) in issues.iter().zip(&all) {
        let body = issue["body"].as_str().unwrap();
        let marker = format!("<!-- edge:{} -->", notice.key);
        assert!(body.ends_with(&marker), "{body}");
        assert_eq!(oddities(body, &marker), Vec::<String>::new(), "{body}");
        // People are mentioned and issues referred to by words, never by code.
        let words: String = body.split('`').step_by(2).collect();
        assert!(!words.contains(['@', '#']), "{words}");
    }
}

proptest! {
    #[test]
    fn any_text_stays_between_backticks(text in "\\PC*|.*|[`<!@#\\n *_-]*") {
        for notice in everywhere(&text) {
            check(&notice)?;
        }
    }
}
