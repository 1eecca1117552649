//! Servers that are busy, broken, slow, elsewhere or not there.

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use report::{
    Retry,
    notice::{Channel, NoticeError, Told},
};

use crate::notice_server::{
    QUICK, Reply, Request, Server, frozen, github, notices, occasions, say, slack, tell_all, webhook,
};

/// Tells one channel one notice.
fn outcome(channel: Channel, retry: &Retry) -> Result<Told, NoticeError> {
    tell_all(&[channel], &notices(&[frozen(None)]), retry).remove(0).result
}

fn assert_no_secret(error: &NoticeError) {
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
}

#[test]
fn a_busy_server_is_asked_again_when_it_says() {
    let server = Server::answering(|_, before| match before {
        0 => Reply::Say("429 Too Many Requests", "retry-after: 1\r\n", "slow down".into()),
        _ => say("200 OK", "ok"),
    });
    let start = Instant::now();
    assert_eq!(outcome(slack(&server), &QUICK).unwrap(), Told::Now);
    assert_eq!(server.had().len(), 2);
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
}

#[test]
fn a_server_that_asks_for_an_hour_is_left_to_the_next_run() {
    let server =
        Server::answering(|_, _| Reply::Say("429 Too Many Requests", "retry-after: 3600\r\n", String::new()));
    let error = outcome(webhook(&server), &QUICK).unwrap_err();
    assert!(matches!(error, NoticeError::PutOff { attempts: 1, .. }), "{error:?}");
    assert!(error.to_string().contains("429 and asks to come back in 3600 s: Too Many Requests"), "{error}");
    assert_eq!(server.had().len(), 1);
}

#[test]
fn github_says_403_when_it_is_asked_too_often() {
    let server = Server::answering(|request, before| match (before, request.line.starts_with("GET")) {
        (0, _) => Reply::Say("403 Forbidden", "retry-after: 0\r\n", "secondary rate limit".into()),
        (_, true) => say("200 OK", "[]"),
        _ => say("201 Created", "{}"),
    });
    assert_eq!(outcome(github(&server), &QUICK).unwrap(), Told::Now);
}

#[test]
fn a_broken_server_is_given_up_and_its_words_hold_no_secret() {
    // It repeats everything it was sent, as some error pages do.
    let server = Server::answering(|request, _| say("500 Internal Server Error", &request.shown()));
    for channel in [slack(&server), webhook(&server), github(&server)] {
        let error = outcome(channel, &QUICK).unwrap_err();
        assert!(matches!(error, NoticeError::PutOff { attempts: 3, .. }), "{error:?}");
        assert_no_secret(&error);
    }
    assert_eq!(server.had().len(), 9);
}

#[test]
fn a_server_that_says_no_is_not_asked_again() {
    for status in
        ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found", "422 Unprocessable Entity"]
    {
        let server = Server::answering(move |request, _| {
            say(status, &format!("{}\n{}", request.line, "x".repeat(5000)))
        });
        for (channel, name) in
            [(slack(&server), "slack"), (webhook(&server), "webhook"), (github(&server), "github")]
        {
            let error = outcome(channel, &QUICK).unwrap_err();
            assert!(matches!(error, NoticeError::Refused { .. }), "{error:?}");
            let text = error.to_string();
            assert!(text.starts_with(name) && text.contains(&status[..3]) && text.len() < 500, "{text}");
            assert_no_secret(&error);
        }
        assert_eq!(server.had().len(), 3);
    }
}

#[test]
fn a_redirect_is_not_followed() {
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let server =
            Server::answering(move |_, _| Reply::Say(status, "location: /elsewhere\r\n", String::new()));
        for channel in [slack(&server), webhook(&server), github(&server)] {
            let error = outcome(channel, &QUICK).unwrap_err();
            assert!(matches!(error, NoticeError::Refused { .. }), "{error:?}");
            assert!(error.to_string().contains("give the final address"), "{error}");
        }
        assert!(server.had().iter().all(|request| !request.line.contains("elsewhere")));
        assert_eq!(server.had().len(), 3);
    }
}

#[test]
fn a_server_that_hangs_holds_up_no_other_and_is_asked_no_more() {
    let (hanging, fine) =
        (Server::answering(|_, _| Reply::Hang), Server::answering(|_, _| say("200 OK", "ok")));
    let impatient = Retry { attempts: 2, timeout: Duration::from_secs(1), ..QUICK };
    let all = notices(&occasions());
    let start = Instant::now();
    let outcomes = tell_all(&[slack(&hanging), webhook(&fine)], &all, &impatient);
    // Two waits of a second and slack for a busy machine; not two for every notice.
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    let (slack, webhook) = outcomes.split_at(all.len());
    assert!(matches!(slack[0].result, Err(NoticeError::PutOff { attempts: 2, .. })), "{slack:?}");
    assert!(slack[1..].iter().all(|outcome| matches!(outcome.result, Err(NoticeError::NotTried { .. }))));
    assert!(webhook.iter().all(|outcome| matches!(outcome.result, Ok(Told::Now))), "{webhook:?}");
    assert_eq!((hanging.had().len(), fine.had().len()), (2, all.len()));
}

#[test]
fn one_notice_that_is_refused_keeps_back_no_other() {
    let server = Server::answering(|_, before| match before {
        0 => say("400 Bad Request", "invalid_blocks"),
        _ => say("200 OK", "ok"),
    });
    let outcomes = tell_all(&[slack(&server)], &notices(&occasions()), &QUICK);
    assert!(outcomes[0].result.is_err() && outcomes[1..].iter().all(|outcome| outcome.result.is_ok()));
}

#[test]
fn a_server_that_is_not_there_is_named() {
    // Bound and dropped at once, so nobody listens there.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = outcome(Channel::slack(&format!("http://{address}/s3cret")).unwrap(), &QUICK).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "slack ({address}) did not take the notice in 3 attempts: no connection came about; it goes out at the next run"
        )
    );
}

#[test]
fn a_server_without_tls_is_told_nothing() {
    let server = Server::answering(|_, _| say("200 OK", "ok"));
    let address = server.address.replace("http://", "https://");
    let error = outcome(Channel::slack(&address).unwrap(), &QUICK).unwrap_err();
    assert!(error.to_string().contains("in 3 attempts: no connection came about"), "{error}");
    assert!(server.had().iter().all(|request| !request.line.contains("POST") && request.body.is_empty()));
}

/// GitHub as far as issues go: opens each, though it may lose its answer.
fn issues(loses: impl Fn(usize) -> bool + Send + Sync + 'static) -> Server {
    let opened = std::sync::Mutex::new(Vec::<String>::new());
    Server::answering(move |request: &Request, before| {
        let mut opened = opened.lock().unwrap();
        if request.line.starts_with("GET") {
            return say("200 OK", &format!("[{}]", opened.join(",")));
        }
        opened.push(request.body.clone());
        if loses(before) { Reply::Drop } else { say("201 Created", "{}") }
    })
}

fn opened(server: &Server) -> usize {
    server.had().iter().filter(|request| request.line.starts_with("POST")).count()
}

#[test]
fn an_issue_whose_answer_was_lost_is_found_and_not_opened_again() {
    let server = issues(|before| before == 1);
    assert_eq!(outcome(github(&server), &QUICK).unwrap(), Told::Before);
    assert_eq!(opened(&server), 1);
    // With the log lost, as after a crash: the issue is there.
    assert_eq!(outcome(github(&server), &QUICK).unwrap(), Told::Before);
    assert_eq!(opened(&server), 1);
    let later = tell_all(&[github(&server)], &notices(&[frozen(Some("2026-11-18T09:00:00Z"))]), &QUICK);
    assert!(matches!(later[0].result, Ok(Told::Now)), "{later:?}");
    assert_eq!(opened(&server), 2);
}

#[test]
fn an_issue_is_found_on_a_later_page() {
    let server = Server::answering(|request, _| {
        let marked = r#"{"body":"old\r\n\r\n<!-- edge:feed-frozen:epl:none -->"}"#;
        let page = [r#"{"body":null}"#; 100].join(",");
        let is_third = request.line.ends_with("&page=3");
        say("200 OK", &if is_third { format!("[{marked}]") } else { format!("[{page}]") })
    });
    assert_eq!(outcome(github(&server), &QUICK).unwrap(), Told::Before);
    assert_eq!(server.had().len(), 3);
}

#[test]
fn what_is_not_github_is_told_apart() {
    let server = Server::answering(|_, _| say("200 OK", "<html>Please log in</html>"));
    let error = outcome(github(&server), &QUICK).unwrap_err();
    assert!(matches!(error, NoticeError::NotGitHub { .. }), "{error:?}");
    assert_eq!(server.had().len(), 1);
}
