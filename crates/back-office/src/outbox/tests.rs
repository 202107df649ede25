//! What is written into the outbox, and what is never.

use super::*;
use std::time::Duration;

#[test]
fn an_address_is_of_the_form_that_aws_takes() {
    for good in ["ap@example.com", "a.b+c%d_e-f@mail.example-1.co.uk", "A@B.cd"] {
        assert!(is_address(good), "{good}");
    }
    let long = format!("{}@example.com", "a".repeat(65));
    for bad in [
        "",
        "a",
        "a@b",
        "@example.com",
        "a@.com",
        "a@example.c",
        "a@exam ple.com",
        "a b@example.com",
        "a@example.com\r\nBcc: b@example.com",
        "\"a b\"@example.com",
        "a@b@example.com",
        "a..b@example.com",
        ".a@example.com",
        "a@example..com",
        "<a@example.com>",
        "ä@example.com",
        "a@example.com,b@example.com",
        &long,
    ] {
        assert!(!is_address(bad), "{bad}");
        assert!(recipient_problem(Channel::Email, bad).is_some(), "{bad}");
    }
}

#[test]
fn a_receiver_is_a_url_without_a_user() {
    for good in ["https://example.com/hook?a=b", "http://127.0.0.1:8080/x", "https://[::1]:1/"] {
        assert!(is_receiver(good), "{good}");
    }
    for bad in [
        "",
        "example.com",
        "ftp://example.com",
        "https://",
        "https://u:p@example.com/",
        "https://a b/",
        "https://é/",
    ] {
        assert!(!is_receiver(bad), "{bad}");
    }
}

#[test]
fn a_letter_is_lines_of_ordinary_characters() {
    let letter = Letter {
        title: "PO 1\r\nBcc: x@example.com".to_owned(),
        paragraphs: vec!["a\u{202e}b\u{0}c".to_owned(), "x".repeat(2_000)],
        facts: vec![("name\n".to_owned(), "<b>&\"'</b>".to_owned())],
    };
    let letter = letter.neutralised();
    assert_eq!(letter.title, "PO 1  Bcc: x@example.com");
    assert_eq!(letter.paragraphs[0], "a b c");
    assert_eq!(letter.paragraphs[1].chars().count(), LINE_CHARACTERS_MAX + 1);
    // Markup is nothing special here: whoever makes HTML of it escapes it.
    assert_eq!(letter.facts, [("name".to_owned(), "<b>&\"'</b>".to_owned())]);
}

#[test]
fn the_key_tells_recipients_apart_and_names_none() {
    let key = |channel, to: &str| dedupe_key("po:1", channel, to);
    assert_eq!(key(Channel::Email, "AP@example.com"), key(Channel::Email, "ap@Example.com"));
    assert_ne!(key(Channel::Email, "ap@example.com"), key(Channel::Webhook, "ap@example.com"));
    assert_ne!(key(Channel::Email, "ap@example.com"), key(Channel::Email, "ar@example.com"));
    assert!(!key(Channel::Email, "ap@example.com").contains("ap@"));
}

#[test]
fn a_key_may_have_a_bar_of_its_own() {
    let message = |key: &str, withdrawn: usize| {
        let id = "5b0c".to_owned();
        let key = dedupe_key(key, Channel::Email, "ap@example.com") + &format!("|{id}").repeat(withdrawn);
        store::NewMessage {
            id,
            dedupe_key: key,
            kind: "out-of-balance".to_owned(),
            channel: Channel::Email,
            recipient: "ap@example.com".to_owned(),
            subject: String::new(),
            body: String::new(),
            attachments: Vec::new(),
            created_at_ms: 0,
            expires_at_ms: 0,
        }
    };
    for key in ["payer/PO-1/line:1", "payer/invoice:I|2", "ACME | Cloud|email", "|"] {
        for withdrawn in 0..3 {
            let message = message(key, withdrawn);
            assert_eq!(news_key(&message), key);
            assert_eq!(queued_key(&message), dedupe_key(key, Channel::Email, "ap@example.com"));
        }
    }
}

#[test]
fn pauses_double_up_to_six_hours() {
    let retry = Retry { first_pause: Duration::from_secs(30), attempts_max: 12 };
    let seconds: Vec<_> = [1, 2, 3, 10, 11, 99].map(|attempts| retry.pause(attempts).as_secs()).into();
    assert_eq!(seconds, [30, 60, 120, 15_360, 21_600, 21_600]);
}
