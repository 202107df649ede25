//! Messages: each key once, each claim one sender's, and settings of the desk.

use crate::engines::{Scratch, payer, with_payer};
use crate::on_both;
use store::{AttachmentRow, Attempted, Channel, Head, MessageState, NewMessage, Store, StoreError};

on_both! {
    a_key_is_told_once
    a_message_is_claimed_by_one
    a_claim_that_has_passed_does_not_count
    what_is_given_up_can_be_queued_again
    what_is_forgotten_leaves_its_key
    a_recipient_is_sent_one_message_at_a_time
    a_claim_is_renewed_while_it_is_sent
    what_is_too_old_is_not_claimed
    what_does_not_hold_any_more_frees_its_key
    the_last_setting_holds
}

const LEASE: i64 = 1_000;

pub fn message(key: &str, recipient: &str) -> NewMessage {
    NewMessage {
        id: format!("m-{key}"),
        dedupe_key: key.to_owned(),
        kind: "test".to_owned(),
        channel: if recipient.contains("://") { Channel::Webhook } else { Channel::Email },
        recipient: recipient.to_owned(),
        subject: "Größe".to_owned(),
        body: "{}".to_owned(),
        attachments: Vec::new(),
        created_at_ms: 10,
        expires_at_ms: 100_000,
    }
}

/// The next message of the payer's by a channel.
async fn claimed(store: &Store, channel: Channel, at_ms: i64) -> Option<store::MessageClaim> {
    store.claim_message((&payer(), channel), "x", at_ms, LEASE).await.unwrap()
}

async fn queued(store: &Store, head: Head, messages: &[NewMessage]) -> (Head, Vec<bool>) {
    let mut write = store.write(&payer(), &head).await.unwrap();
    let mut made = Vec::new();
    for message in messages {
        made.push(write.put_message(message).await.unwrap());
    }
    (write.commit().await.unwrap(), made)
}

async fn a_key_is_told_once(Scratch { store, .. }: Scratch) {
    let head = with_payer(&store).await;
    let (one, other) = (message("a", "a@example.com"), message("b", "https://example.com"));
    let again = NewMessage { id: "m-c".to_owned(), ..one.clone() };
    let (head, made) = queued(&store, head, &[one.clone(), other, again.clone()]).await;
    assert_eq!(made, [true, true, false]);
    // Nor after it was sent.
    let claim = claimed(&store, Channel::Email, 10).await.unwrap();
    store.finish_message(&claim, &Attempted::Sent, 11).await.unwrap();
    let (_, made) = queued(&store, head.clone(), &[again]).await;
    assert_eq!(made, [false]);
    // A change that is dropped tells nobody.
    let mut write = store.write(&payer(), &head).await.unwrap();
    assert!(write.put_message(&message("d", "d@example.com")).await.unwrap());
    drop(write);
    let listed = store.messages_page(&payer(), None, None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|row| row.message.id.as_str()).collect::<Vec<_>>(), ["m-b", "m-a"]);
    assert_eq!(listed[1].message, one);
    assert_eq!((listed[1].state, listed[1].attempts), (MessageState::Sent { at_ms: 11 }, 1));
    let sent = store.messages_page(&payer(), Some("sent"), None, 10).await.unwrap();
    assert_eq!(sent.len(), 1);
    let after = store.messages_page(&payer(), None, Some((10, "m-b")), 10).await.unwrap();
    assert_eq!(after.len(), 1);
}

async fn a_message_is_claimed_by_one(Scratch { store, .. }: Scratch) {
    let head = with_payer(&store).await;
    let messages: Vec<_> =
        (0..30).map(|n| message(&format!("k{n:02}"), &format!("a{n}@example.com"))).collect();
    queued(&store, head, &messages).await;
    assert!(claimed(&store, Channel::Webhook, 10).await.is_none());
    assert!(claimed(&store, Channel::Email, 9).await.is_none(), "not due yet");
    assert_eq!(store.payers_with_messages(Channel::Email, 9).await.unwrap(), []);
    assert_eq!(store.payers_with_messages(Channel::Email, 10).await.unwrap(), [payer()]);
    let workers = (0..6).map(|number| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            let of = (&payer(), Channel::Email);
            while let Some(claim) = store.claim_message(of, &number.to_string(), 10, LEASE).await.unwrap() {
                mine.push(claim.row.message.id.clone());
                store.finish_message(&claim, &Attempted::Sent, 10).await.unwrap();
            }
            mine
        })
    });
    let mut all = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        all.extend(worker.await.unwrap());
    }
    all.sort();
    assert_eq!(all, messages.iter().map(|message| message.id.clone()).collect::<Vec<_>>());
}

async fn a_claim_that_has_passed_does_not_count(Scratch { store, .. }: Scratch) {
    let head = with_payer(&store).await;
    queued(&store, head, &[message("a", "a@example.com")]).await;
    let claim = async |at| claimed(&store, Channel::Email, at).await;
    let first = claim(10).await.unwrap();
    assert!(claim(1_009).await.is_none());
    let second = claim(1_010).await.unwrap();
    assert_eq!((second.token, second.row.attempts), (2, 2));
    let late = store.finish_message(&first, &Attempted::Sent, 1_011).await;
    assert!(matches!(late, Err(StoreError::StaleClaim { token: 1, .. })), "{late:?}");
    let again = Attempted::Again { at_ms: 5_000, error: "later".to_owned() };
    store.finish_message(&second, &again, 1_012).await.unwrap();
    assert!(claim(4_999).await.is_none());
    assert_eq!(claim(5_000).await.unwrap().row.last_error.as_deref(), Some("later"));
    // A program that has the database alone begins anew at once.
    assert!(claim(5_001).await.is_none());
    assert_eq!(store.release_messages(5_001).await.unwrap(), 1);
    assert_eq!(claim(5_001).await.unwrap().row.attempts, 4);
}

async fn what_is_given_up_can_be_queued_again(Scratch { store, .. }: Scratch) {
    let head = with_payer(&store).await;
    let (head, _) = queued(&store, head, &[message("a", "a@example.com")]).await;
    let claim = claimed(&store, Channel::Email, 10).await.unwrap();
    let mut write = store.write(&payer(), &head).await.unwrap();
    assert!(!write.retry_message(("m-a", "a"), 20, 200_000).await.unwrap(), "it is being sent");
    assert!(!write.drop_message("m-a", 20).await.unwrap());
    drop(write);
    store.finish_message(&claim, &Attempted::Dead { error: "no".to_owned() }, 20).await.unwrap();
    let mut write = store.write(&payer(), &head).await.unwrap();
    assert_eq!(write.dead_messages().await.unwrap(), ["m-a"]);
    assert!(write.drop_message("m-a", 30).await.unwrap());
    assert!(!write.drop_message("m-a", 30).await.unwrap());
    assert_eq!(write.message("m-a").await.unwrap().unwrap().state, MessageState::Dropped { at_ms: 30 });
    assert!(write.retry_message(("m-a", "a"), 40, 200_000).await.unwrap());
    assert!(!write.retry_message(("m-none", "none"), 40, 200_000).await.unwrap());
    let row = write.message("m-a").await.unwrap().unwrap();
    assert_eq!((row.state, row.attempts), (MessageState::Queued { next_attempt_at_ms: 40 }, 0));
    assert_eq!(row.message.expires_at_ms, 200_000);
    write.commit().await.unwrap();
}

async fn a_recipient_is_sent_one_message_at_a_time(Scratch { store, .. }: Scratch) {
    let head = with_payer(&store).await;
    let hanging = (0..3).map(|n| message(&format!("a{n}"), "https://a.example.com"));
    let messages: Vec<_> = hanging.chain([message("b", "https://b.example.com")]).collect();
    queued(&store, head, &messages).await;
    let first = claimed(&store, Channel::Webhook, 10).await.unwrap();
    assert_eq!(first.row.message.id, "m-a0");
    assert_eq!(claimed(&store, Channel::Webhook, 10).await.unwrap().row.message.id, "m-b");
    assert!(claimed(&store, Channel::Webhook, 10).await.is_none());
    store.finish_message(&first, &Attempted::Sent, 11).await.unwrap();
    assert_eq!(claimed(&store, Channel::Webhook, 12).await.unwrap().row.message.id, "m-a1");
}

async fn a_claim_is_renewed_while_it_is_sent(Scratch { store, .. }: Scratch) {
    let head = with_payer(&store).await;
    queued(&store, head, &[message("a", "a@example.com")]).await;
    let claim = claimed(&store, Channel::Email, 10).await.unwrap();
    store.extend_message_claim(&claim, 3_000).await.unwrap();
    assert!(claimed(&store, Channel::Email, 2_999).await.is_none());
    let other = claimed(&store, Channel::Email, 3_000).await.unwrap();
    let late = store.extend_message_claim(&claim, 9_000).await;
    assert!(matches!(late, Err(StoreError::StaleClaim { token: 1, .. })), "{late:?}");
    let error = "the connection was lost".to_owned();
    store.finish_message(&other, &Attempted::Unconfirmed { error }, 3_100).await.unwrap();
    assert!(claimed(&store, Channel::Email, 99_000).await.is_none());
    let rows = store.messages_page(&payer(), Some("unconfirmed"), None, 10).await.unwrap();
    assert_eq!(rows[0].state, MessageState::Unconfirmed { at_ms: 3_100 });
}

async fn what_is_too_old_is_not_claimed(Scratch { store, .. }: Scratch) {
    let head = with_payer(&store).await;
    let old = NewMessage { expires_at_ms: 1_000, ..message("a", "a@example.com") };
    let (head, _) = queued(&store, head, &[old, message("b", "b@example.com")]).await;
    assert_eq!(store.expire_messages(999).await.unwrap(), 0);
    // Also before anybody has looked for it.
    assert_eq!(claimed(&store, Channel::Email, 1_000).await.unwrap().row.message.id, "m-b");
    assert!(claimed(&store, Channel::Email, 1_000).await.is_none());
    assert_eq!(store.expire_messages(1_000).await.unwrap(), 1);
    let rows = store.messages_page(&payer(), Some("expired"), None, 10).await.unwrap();
    assert_eq!(rows[0].state, MessageState::Expired { at_ms: 1_000 });
    assert_eq!(rows[0].last_error.as_deref(), Some("it was not sent in time"));
    let mut write = store.write(&payer(), &head).await.unwrap();
    assert!(write.retry_message(("m-a", "a"), 1_100, 5_000).await.unwrap());
    write.commit().await.unwrap();
    assert_eq!(claimed(&store, Channel::Email, 1_100).await.unwrap().row.message.id, "m-a");
}

async fn what_does_not_hold_any_more_frees_its_key(Scratch { store, .. }: Scratch) {
    let head = with_payer(&store).await;
    let (head, _) = queued(&store, head, &[message("a", "a@example.com")]).await;
    let claim = claimed(&store, Channel::Email, 10).await.unwrap();
    let error = "it does not hold any more".to_owned();
    store.finish_message(&claim, &Attempted::Withdrawn { error }, 20).await.unwrap();
    let again = NewMessage { id: "m-again".to_owned(), ..message("a", "a@example.com") };
    let (head, made) = queued(&store, head, &[again]).await;
    assert_eq!(made, [true]);
    let rows = store.messages_page(&payer(), Some("expired"), None, 10).await.unwrap();
    assert_eq!((rows.len(), rows[0].message.dedupe_key.as_str()), (1, "a|m-a"));
    let mut write = store.write(&payer(), &head).await.unwrap();
    assert_eq!(write.message_of_key("a").await.unwrap().as_deref(), Some("m-again"));
    assert_eq!(write.message_of_key("b").await.unwrap(), None);
    // Under a key that is free it is queued again, and has it then.
    assert!(write.retry_message(("m-a", "b"), 30, 200_000).await.unwrap());
    assert_eq!(write.message_of_key("b").await.unwrap().as_deref(), Some("m-a"));
}

async fn what_is_forgotten_leaves_its_key(Scratch { store, .. }: Scratch) {
    let head = with_payer(&store).await;
    let file = |sha256: &str| AttachmentRow {
        name: "a.pdf".to_owned(),
        media_type: "application/pdf".to_owned(),
        sha256: sha256.to_owned(),
    };
    let with_file = |key: &str, sha256: &str| NewMessage {
        attachments: vec![file(sha256)],
        ..message(key, "a@example.com")
    };
    let (sent, waiting) = (with_file("a", "11aa"), with_file("b", "22bb"));
    let (head, _) = queued(&store, head, &[sent.clone(), waiting.clone()]).await;
    let mut write = store.write(&payer(), &head).await.unwrap();
    for _ in 0..2 {
        write.put_attachment("11aa", "QQ==".to_owned()).await.unwrap();
        write.put_attachment("22bb", "Qg==".to_owned()).await.unwrap();
    }
    let head = write.commit().await.unwrap();
    let claim = claimed(&store, Channel::Email, 10).await.unwrap();
    store.finish_message(&claim, &Attempted::Sent, 100).await.unwrap();
    for (before, count) in [(100, 0), (101, 1), (101, 0)] {
        let head = store.head(&payer()).await.unwrap().unwrap();
        let mut write = store.write(&payer(), &head).await.unwrap();
        assert_eq!(write.forget_messages(before).await.unwrap(), count);
        write.commit().await.unwrap();
    }
    assert_eq!(store.attachment(&payer(), "11aa").await.unwrap(), None);
    assert_eq!(store.attachment(&payer(), "22bb").await.unwrap().as_deref(), Some("Qg=="));
    let rows = store.messages_page(&payer(), Some("sent"), None, 10).await.unwrap();
    assert_eq!((rows[0].message.recipient.as_str(), rows[0].message.attachments.len()), ("", 0));
    let (_, made) = queued(&store, head, &[NewMessage { id: "m-z".to_owned(), ..sent }]).await;
    assert_eq!(made, [false]);
}

async fn the_last_setting_holds(Scratch { store, .. }: Scratch) {
    let head = with_payer(&store).await;
    let mut write = store.write(&payer(), &head).await.unwrap();
    for (id, body, at_ms) in [("a", "1", 10), ("b", "2", 20), ("a", "3", 30), ("b", "", 40), ("c", "5", 50)] {
        write.put_desk_setting(("kind", id), body, at_ms).await.unwrap();
    }
    write.put_desk_setting(("other", "a"), "6", 60).await.unwrap();
    let said = |rows: Vec<store::DeskSettingRow>| {
        rows.into_iter().map(|row| (row.id, row.revision, row.body)).collect::<Vec<_>>()
    };
    let expected = [("a".to_owned(), 2, "3".to_owned()), ("c".to_owned(), 1, "5".to_owned())];
    assert_eq!(said(write.desk_settings("kind").await.unwrap()), expected);
    assert_eq!(write.forget_desk_settings(30).await.unwrap(), 0);
    assert_eq!(write.forget_desk_settings(31).await.unwrap(), 1);
    write.commit().await.unwrap();
    assert_eq!(said(store.desk_settings(&payer(), "kind").await.unwrap()), expected);
    assert_eq!(said(store.desk_settings(&payer(), "none").await.unwrap()), []);
}
