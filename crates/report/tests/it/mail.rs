//! The message: what it carries, and that a repeat is the same mail.

use report::{Envelope, MailError, Message, SendKey, render};

use crate::fixture::{no_edge, normal_night};

pub(crate) fn envelope(to: &str) -> Envelope {
    Envelope {
        from: "Edge <edge@example.org>".to_owned(),
        to: to.to_owned(),
        run_id: "2026-11-20".to_owned(),
        sent_at: "2026-11-20T08:00:00Z".parse().unwrap(),
        unsubscribe: None,
    }
}

#[test]
fn the_headers_read_as_recorded() {
    let message =
        Message::compose(&render(&normal_night()).unwrap(), &envelope("Reader <reader@example.org>"))
            .unwrap();
    let eml = String::from_utf8(message.eml()).unwrap();
    let head = eml.split("\r\n\r\n").next().unwrap().replace("\r\n", "\n");
    insta::assert_snapshot!(head, @r#"
    Message-ID: <a050e196dbed5b30ede1c8c62119adcd@example.org>
    Date: Fri, 20 Nov 2026 08:00:00 +0000
    List-Unsubscribe: <mailto:edge@example.org?subject=unsubscribe>
    Auto-Submitted: auto-generated
    From: Edge <edge@example.org>
    To: Reader <reader@example.org>
    Subject: Daily Edge Report 2026-11-20 =?utf-8?b?wrc=?= 3 edges
    MIME-Version: 1.0
    Content-Type: multipart/alternative;
     boundary="alternative-a050e196dbed5b30ede1c8c62119adcd"
    "#);
}

#[test]
fn a_repeat_is_the_same_mail_to_the_last_byte() {
    let rendered = render(&normal_night()).unwrap();
    let once = Message::compose(&rendered, &envelope("reader@example.org")).unwrap();
    let again = Message::compose(&rendered, &envelope("Reader@example.org")).unwrap();
    assert_eq!(once.message_id(), again.message_id());
    let same = Message::compose(&rendered, &envelope("reader@example.org")).unwrap();
    assert_eq!(once.eml(), same.eml());
    let other = Message::compose(&rendered, &envelope("other@example.org")).unwrap();
    assert_ne!(once.message_id(), other.message_id());
}

#[test]
fn a_text_that_is_no_address_is_named() {
    let rendered = render(&no_edge()).unwrap();
    let error = Message::compose(&rendered, &envelope("nobody\r\nBcc: x@example.org")).unwrap_err();
    assert!(matches!(&error, MailError::Address(text) if text == "nobodyBcc: x@example.org"), "{error:?}");
}

#[test]
fn the_key_of_a_mail_changes_with_the_report() {
    let date = "2026-11-20".parse().unwrap();
    let normal = SendKey::of(date, "a@b.c", &render(&normal_night()).unwrap());
    assert_eq!(normal, SendKey::of(date, "A@b.c ", &render(&normal_night()).unwrap()));
    assert_ne!(normal, SendKey::of(date, "a@b.c", &render(&no_edge()).unwrap()));
}
