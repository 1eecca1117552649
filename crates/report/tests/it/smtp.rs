//! Servers, good and bad, on loopback.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use report::{MailError, Message, Retry, SmtpUrl, render, send};

use crate::{
    fixture::normal_night,
    mail::envelope,
    mailbox::{Mailbox, PASSWORD, Security, USER},
};

const QUICK: Retry =
    Retry { attempts: 3, first_pause: Duration::from_millis(5), timeout: Duration::from_secs(20) };

fn message() -> Message {
    Message::compose(&render(&normal_night()).unwrap(), &envelope("reader@example.org")).unwrap()
}

/// What the server does with one connection.
#[derive(Debug, Clone, Copy)]
enum Behaviour {
    Accept,
    /// 550 at RCPT.
    Refuse,
    /// 451 at RCPT, as grey-listing does.
    GreyList,
    /// Takes the connection and never says a word.
    Hang,
    /// Takes the whole mail and drops the connection instead of answering.
    DropAfterData,
}

/// Serves one connection per behaviour and returns how many mails arrived whole.
fn serve(behaviours: Vec<Behaviour>) -> (SmtpUrl, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("smtp://user:pa55word@{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let connections = behaviours.into_iter().zip(listener.incoming());
        connections.filter_map(|(behaviour, stream)| converse(&stream.unwrap(), behaviour)).collect()
    });
    (SmtpUrl::parse(&url).unwrap(), server)
}

/// Speaks just enough SMTP; returns the mail when all of it arrived.
fn converse(stream: &TcpStream, behaviour: Behaviour) -> Option<String> {
    if matches!(behaviour, Behaviour::Hang) {
        // Longer than the client waits.
        thread::sleep(Duration::from_secs(2));
        return None;
    }
    let mut out = stream;
    let mut say = |text: &str| out.write_all(format!("{text}\r\n").as_bytes()).ok();
    say("220 test")?;
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    while let Some(line) = lines.next() {
        let verb: String = line.chars().take(4).collect::<String>().to_uppercase();
        match (verb.as_str(), behaviour) {
            ("EHLO", _) => say("250-test\r\n250 AUTH PLAIN")?,
            ("AUTH", _) => say("235 welcome")?,
            ("RCPT", Behaviour::Refuse) => say("550 no such pa55word here")?,
            ("RCPT", Behaviour::GreyList) => say("451 come back later")?,
            ("DATA", _) => {
                say("354 go on")?;
                let mail: Vec<String> = lines.by_ref().take_while(|line| line != ".").collect();
                if matches!(behaviour, Behaviour::DropAfterData) {
                    return Some(mail.join("\n"));
                }
                say("250 taken")?;
                return Some(mail.join("\n"));
            }
            ("QUIT", _) => {
                say("221 bye")?;
                return None;
            }
            _ => say("250 fine")?,
        }
    }
    None
}

#[test]
fn a_server_that_puts_the_mail_off_is_asked_again() {
    let (url, server) = serve(vec![Behaviour::GreyList, Behaviour::GreyList, Behaviour::Accept]);
    send(&url, &message(), &QUICK).unwrap();
    assert_eq!(server.join().unwrap().len(), 1);
}

#[test]
fn a_server_that_refuses_is_not_asked_again_and_no_password_is_shown() {
    let (url, server) = serve(vec![Behaviour::Refuse]);
    let error = send(&url, &message(), &QUICK).unwrap_err();
    assert!(matches!(error, MailError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("550") || error.to_string().contains("no such ***"), "{error}");
    assert!(!format!("{error} {error:?}").contains("pa55word"), "{error:?}");
    assert!(server.join().unwrap().is_empty());
}

#[test]
fn a_server_that_hangs_does_not_hold_up_the_night() {
    let (url, _server) = serve(vec![Behaviour::Hang; 2]);
    let start = Instant::now();
    let impatient = Retry { attempts: 2, timeout: Duration::from_millis(400), ..QUICK };
    let error = send(&url, &message(), &impatient).unwrap_err();
    assert!(matches!(error, MailError::PutOff { attempts: 2, .. }), "{error:?}");
    // Two waits of 0.4 s and slack for a busy machine.
    assert!(start.elapsed() < Duration::from_mins(1), "{:?}", start.elapsed());
}

#[test]
fn a_mail_whose_fate_is_unknown_goes_out_again_under_the_same_id() {
    let (url, server) = serve(vec![Behaviour::DropAfterData, Behaviour::Accept]);
    let message = message();
    send(&url, &message, &QUICK).unwrap();
    let mails = server.join().unwrap();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0], mails[1]);
    assert!(mails[0].contains(message.message_id()));
}

#[test]
fn a_server_that_is_not_there_is_named() {
    // Bound and dropped at once, so nobody listens there.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = SmtpUrl::parse(&format!("smtp://{address}")).unwrap();
    let error = send(&url, &message(), &QUICK).unwrap_err();
    assert!(matches!(error, MailError::PutOff { attempts: 3, .. }), "{error:?}");
    assert!(error.to_string().contains(&address.to_string()), "{error}");
}

#[test]
fn a_real_server_receives_text_page_and_pictures() {
    for security in [Security::Plain, Security::StartTls, Security::Tls] {
        let Some(mailbox) = Mailbox::open(security) else { return };
        let rendered = render(&normal_night()).unwrap();
        let message = Message::compose(&rendered, &envelope("reader@example.org")).unwrap();
        let url = SmtpUrl::parse(&mailbox.url(USER, PASSWORD)).unwrap();
        let url = url.trusting(&std::fs::read_to_string(mailbox.authority()).unwrap()).unwrap();
        send(&url, &message, &QUICK).unwrap();
        let mails = mailbox.close();
        assert_eq!(mails.len(), 1);
        let mail = &mails[0];
        assert_eq!((&mail["tls"], &mail["login"]), (&(security != Security::Plain).into(), &mail["tls"]));
        assert_eq!(mail["from"], "edge@example.org");
        assert_eq!(mail["to"], serde_json::json!(["reader@example.org"]));
        assert_eq!(mail["subject"], "Daily Edge Report 2026-11-20 · 3 edges");
        assert_eq!(mail["id"], message.message_id());
        let structure = [
            "multipart/alternative",
            "text/plain",
            "multipart/related",
            "text/html",
            "image/png",
            "image/png",
        ];
        assert_eq!(mail["structure"], serde_json::json!(structure));
        let text_of = |index: usize| mail["parts"][index]["text"].as_str().unwrap().replace("\r\n", "\n");
        assert_eq!(text_of(0).trim_end(), rendered.text.trim_end());
        assert_eq!(text_of(1).trim_end(), rendered.mail_html.trim_end());
        for (part, picture) in mail["parts"].as_array().unwrap()[2..].iter().zip(&rendered.attachments) {
            assert_eq!(part["id"], format!("<{}>", picture.content_id));
            let hash = <sha2::Sha256 as sha2::Digest>::digest(&picture.bytes);
            assert_eq!(part["sha256"], report::format::hexadecimal(&hash), "the picture arrives bit for bit");
        }
    }
}

#[test]
fn a_wrong_password_and_a_server_that_nobody_vouches_for_are_told_without_secrets() {
    let Some(mailbox) = Mailbox::open(Security::Tls) else { return };
    let authority = std::fs::read_to_string(mailbox.authority()).unwrap();
    let wrong = SmtpUrl::parse(&mailbox.url(USER, "hunter2")).unwrap().trusting(&authority).unwrap();
    let error = send(&wrong, &message(), &QUICK).unwrap_err();
    assert!(matches!(error, MailError::Refused { .. }), "{error:?}");
    assert!(error.to_string().contains("535") && !format!("{error:?}").contains("hunter2"), "{error:?}");
    let strange = SmtpUrl::parse(&mailbox.url(USER, PASSWORD)).unwrap();
    let error = send(&strange, &message(), &QUICK).unwrap_err();
    assert!(matches!(error, MailError::PutOff { .. }), "{error:?}");
    assert!(error.to_string().contains("ertificate") && !error.to_string().contains("pa55"), "{error}");
    assert!(strange.trusting("nothing").unwrap_err().to_string().contains("SMTP_CA_FILE"));
    assert_eq!(mailbox.close().len(), 0);
}
