//! The outbox: what is told to people and programs outside, once.
//!
//! What is to be told is written in the transaction of what it tells of ([`queue`]), under a key that says what is told to whom; a key that is there
//! is not written again, by whichever server. A [`sender`](courier) sends it afterwards. So nothing is told that did not happen, nothing that happened
//! stays untold because a mail server is away, and billing never waits for one.

pub mod courier;
mod letter;
mod sender;

use crate::authorization::Caller;
use crate::clock::machine_milliseconds;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error, refused};
use crate::hash::sha256;
use crate::transaction::Attempt;
use crate::vault::new_resource_id;
use std::collections::BTreeSet;
use std::time::Duration;
use store::Write;

pub use letter::{LINE_CHARACTERS_MAX, Letter, plain};
pub use sender::Retry;
pub use store::{AttachmentRow, Channel, MessageRow, MessageState};

/// The largest file that a message carries: what mail servers commonly take, less what base64 adds.
pub const ATTACHMENT_BYTES_MAX: usize = 10 * 1024 * 1024;
/// The longest address, by RFC 5321 (4.5.3.1.3, less the angle brackets).
const ADDRESS_BYTES_MAX: usize = 254;
/// The longest URL that is taken.
const URL_BYTES_MAX: usize = 2_048;
/// The domain of addresses that stand for those of people who were taken out: nothing is ever sent there (RFC 2606).
pub(crate) const ERASED_DOMAIN: &str = "erased.invalid";
/// How many messages are named in one request at most.
pub const MESSAGES_MAX: usize = 1_000;

/// What there is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// What has happened, so that it is told once: `purchase-order:PO-1:line:2:below:25:…`. No name of a person is in it, since it is kept for good.
    pub key: String,
    /// What kind of news it is, as settings and receivers name it.
    pub kind: String,
    /// What it says.
    pub letter: Letter,
    /// Files that go with a mail.
    pub attachments: Vec<Attachment>,
}

/// A file that goes with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The name that the recipient sees.
    pub name: String,
    /// What it is, as `application/pdf`.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// To whom news goes. It is put together for one piece of news, out of the records that it is about and the payer's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience {
    /// Addresses of mail.
    pub emails: BTreeSet<String>,
    /// URLs that are sent a request.
    pub webhooks: BTreeSet<String>,
}

impl Audience {
    /// Whether nobody is told.
    pub(crate) fn is_empty(&self) -> bool {
        self.ways().next().is_none()
    }

    /// Whether somebody of it was not told some news yet, by the keys of what was.
    pub(crate) fn has_news(&self, news: &News, known: &BTreeSet<String>) -> bool {
        self.keys(news).any(|key| !known.contains(&key))
    }

    /// The keys of the messages that some news is to it.
    pub(crate) fn keys(&self, news: &News) -> impl Iterator<Item = String> {
        self.ways().map(|(channel, to)| dedupe_key(&news.key, channel, to))
    }

    /// Every way to every recipient.
    fn ways(&self) -> impl Iterator<Item = (Channel, &String)> {
        // Nobody is behind an address that was put in the place of somebody's.
        let emails = self.emails.iter().filter(|to| !is_of_erased(to));
        let emails = emails.map(|to| (Channel::Email, to));
        emails.chain(self.webhooks.iter().map(|to| (Channel::Webhook, to)))
    }
}

/// Whether an address stands for that of somebody who was taken out.
pub(crate) fn is_of_erased(address: &str) -> bool {
    address.ends_with(ERASED_DOMAIN)
}

/// For how long after it was queued a message of a kind may be sent. What is older would tell of what is long past; whoever wants it to go all the same
/// queues it anew.
#[must_use]
pub fn age_max(kind: &str) -> Duration {
    let days = match kind {
        // Somebody stands by and waits.
        "test" => 1,
        // Nobody else tells a customer of it.
        "invoice" => 30,
        _ => 14,
    };
    Duration::from_secs(days * 86_400)
}

/// When a message of a kind that is queued at an instant is too old, in milliseconds.
fn expires_at_ms(kind: &str, queued_at_ms: i64) -> i64 {
    queued_at_ms.saturating_add(i64::try_from(age_max(kind).as_millis()).unwrap_or(i64::MAX))
}

/// Whether a text is an address of mail: the form that AWS's models take (`EmailString` of the `invoicing` service), without anything that could
/// end a header.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let of = |extra: &'static [u8]| move |byte: u8| byte.is_ascii_alphanumeric() || extra.contains(&byte);
    let Some((local, domain)) = text.split_once('@') else { return false };
    let Some((host, top)) = domain.rsplit_once('.') else { return false };
    text.len() <= ADDRESS_BYTES_MAX
        && (1..=64).contains(&local.len())
        && local.bytes().all(of(b"._%+-"))
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && host.split('.').all(|part| !part.is_empty() && part.bytes().all(of(b"-")))
        && top.len() >= 2
        && top.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Whether a text looks like the URL of a receiver. Where it leads, and whether it may lead there, is looked at each time that something is sent.
#[must_use]
pub fn is_receiver(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let authority = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    text.len() <= URL_BYTES_MAX
        && !authority.is_empty()
        && !authority.contains('@')
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What is wrong with a recipient, if anything.
#[must_use]
pub fn recipient_problem(channel: Channel, recipient: &str) -> Option<String> {
    let shown = plain(recipient);
    match channel {
        Channel::Email if !is_address(recipient) => {
            Some(format!("`{shown}` is no address of mail; write it as name@example.com"))
        }
        Channel::Webhook if !is_receiver(recipient) => Some(format!(
            "`{shown}` is no URL of a receiver; write it as https://example.com/path, without a user"
        )),
        _ => None,
    }
}

/// Queues news for everybody of an audience in a transaction; says how many messages that made. A recipient that was told already is not told again.
///
/// # Errors
/// Of the store; [`Error::Refused`] for a recipient that is none, or a file that is too large.
pub(crate) async fn queue(write: &mut Write, news: &News, audience: &Audience) -> Result<usize, Attempt> {
    let problems: Vec<_> = audience.ways().filter_map(|(way, to)| recipient_problem(way, to)).collect();
    if !problems.is_empty() {
        return Err(refused(problems.join("; ")).into());
    }
    let letter = news.letter.neutralised();
    let body = serde_json::to_string(&letter).map_err(Error::internal)?;
    let (mut made, mut are_kept) = (0, news.attachments.is_empty());
    let now_ms = machine_milliseconds();
    for (channel, recipient) in audience.ways() {
        // A webhook says what has happened; files are fetched through the API.
        let attachments: &[Attachment] = if channel == Channel::Email { &news.attachments } else { &[] };
        let rows = attachments.iter().map(attachment_row).collect::<Answer<Vec<_>>>()?;
        let message = store::NewMessage {
            id: new_resource_id().map_err(Error::internal)?,
            dedupe_key: dedupe_key(&news.key, channel, recipient),
            kind: news.kind.clone(),
            channel,
            recipient: recipient.clone(),
            subject: letter.title.clone(),
            body: body.clone(),
            attachments: rows,
            created_at_ms: now_ms,
            expires_at_ms: expires_at_ms(&news.kind, now_ms),
        };
        if write.put_message(&message).await? {
            made += 1;
            if !are_kept && channel == Channel::Email {
                for (file, row) in news.attachments.iter().zip(&message.attachments) {
                    write.put_attachment(&row.sha256, letter::to_base64(&file.bytes)).await?;
                }
                are_kept = true;
            }
        }
    }
    Ok(made)
}

/// A recipient in a key.
pub(crate) fn recipient_hash(recipient: &str) -> String {
    sha256(&recipient.to_ascii_lowercase()).get(..16).unwrap_or_default().to_owned()
}

/// What is told to whom. The recipient is in it by a hash: the key outlives what a message says.
fn dedupe_key(key: &str, channel: Channel, recipient: &str) -> String {
    format!("{key}|{}|{}", channel.name(), recipient_hash(recipient))
}

/// The key under which a message was queued. One that was withdrawn has its own id behind it, so that the key is free.
pub(crate) fn queued_key(message: &store::NewMessage) -> &str {
    message.dedupe_key.trim_end_matches(format!("|{}", message.id).as_str())
}

/// What a message tells of: its key without the way and the recipient. Names of people's own making are in it, with any character that they like.
pub(crate) fn news_key(message: &store::NewMessage) -> &str {
    queued_key(message).rsplitn(3, '|').nth(2).unwrap_or_default()
}

fn attachment_row(file: &Attachment) -> Answer<AttachmentRow> {
    if file.bytes.len() > ATTACHMENT_BYTES_MAX {
        let (name, bytes) = (plain(&file.name), file.bytes.len());
        return Err(refused(format!(
            "file `{name}` has {bytes} bytes; a message carries at most {ATTACHMENT_BYTES_MAX}"
        )));
    }
    let sha256 = letter::bytes_sha256(&file.bytes);
    Ok(AttachmentRow { name: plain(&file.name), media_type: file.media_type.clone(), sha256 })
}

impl BackOffice {
    /// Messages of a payer in a state, or in any, from the latest on; `before` is when the last one of the page before was written, and its id.
    ///
    /// # Errors
    /// [`Error::Denied`] for a principal that is narrowed to some purchase orders: messages are about all of them.
    pub async fn messages(
        &self,
        (caller, action): (&Caller, &str),
        state: Option<&str>,
        before: Option<(i64, &str)>,
        most: usize,
    ) -> Answer<Vec<MessageRow>> {
        self.order_rights(caller, action).await?;
        let payer = &caller.payer;
        self.0.store.messages_page(payer, state, before, most).await.map_err(Error::internal)
    }

    /// Queues messages anew, as if they were never tried: those that are named, or all that were given up. Says how many.
    ///
    /// # Errors
    /// [`Error::Denied`] for a principal that is narrowed to some purchase orders; [`Error::Refused`] where one is not there, was sent, is being sent, or was
    /// withdrawn and what it tells was queued anew.
    pub async fn retry_messages(&self, request: &WriteRequest<'_>, ids: &[String]) -> Answer<usize> {
        let retried = self.change_messages(request, ids, true).await?;
        self.0.outgoing.notify_waiters();
        Ok(retried)
    }

    /// Gives messages up that are still to be sent, or were given up: those that are named, or all that were given up. Says how many.
    ///
    /// # Errors
    /// [`Error::Denied`] for a principal that is narrowed to some purchase orders; [`Error::Refused`] where one is not there, was sent, or is being sent.
    pub async fn drop_messages(&self, request: &WriteRequest<'_>, ids: &[String]) -> Answer<usize> {
        self.change_messages(request, ids, false).await
    }

    async fn change_messages(
        &self,
        request: &WriteRequest<'_>,
        ids: &[String],
        is_retry: bool,
    ) -> Answer<usize> {
        let payer = &request.caller.payer;
        self.order_rights(request.caller, request.action).await?;
        self.transaction(payer, |store, state| async move {
            let mut write = store.write(payer, &state.head).await?;
            let now_ms = machine_milliseconds();
            let ids = if ids.is_empty() { write.dead_messages().await? } else { ids.to_vec() };
            for id in &ids {
                let row = write.message(id).await?;
                let changed = match (&row, is_retry) {
                    (None, _) => false,
                    (Some(row), true) => queue_again(&mut write, &row.message, now_ms).await?,
                    (Some(_), false) => write.drop_message(id, now_ms).await?,
                };
                if !changed {
                    return Err(unchangeable(id, row.map(|row| row.state.name())).into());
                }
            }
            Ok((state.commit(write, [request.done(&ids.join(" "))]).await?, ids.len()))
        })
        .await
    }
}

/// Queues a message anew under the key that it was first queued under, so that what it tells is not queued a second time; `false` where it was sent or is
/// being sent.
async fn queue_again(write: &mut Write, message: &store::NewMessage, now_ms: i64) -> Result<bool, Attempt> {
    may_go_again(message)?;
    let key = queued_key(message);
    if let Some(other) = write.message_of_key(key).await?.filter(|other| *other != message.id) {
        return Err(told_anew(&message.id, &other).into());
    }
    let expires_at_ms = expires_at_ms(&message.kind, now_ms);
    Ok(write.retry_message((&message.id, key), now_ms, expires_at_ms).await?)
}

/// Whether there is still something to send, and somebody to send it to.
fn may_go_again(message: &store::NewMessage) -> Answer<()> {
    let shown = plain(&message.id);
    if is_of_erased(&message.recipient) {
        return Err(refused(format!(
            "message `{shown}` was for somebody who was taken out of the desk's data, and goes to nobody any more"
        )));
    }
    if message.body.is_empty() {
        return Err(refused(format!(
            "what message `{shown}` said was not kept for longer (`proforma privacy retention`); it cannot be sent again"
        )));
    }
    Ok(())
}

/// Why a message that was withdrawn is left as it is.
fn told_anew(id: &str, other: &str) -> Error {
    let (shown, other) = (plain(id), plain(other));
    refused(format!(
        "message `{shown}` was withdrawn, and what it told was queued anew as message `{other}` when it held again; name that one"
    ))
}

/// Why a message is left as it is.
fn unchangeable(id: &str, state: Option<&str>) -> Error {
    let shown = plain(id);
    refused(match state {
        None => format!("there is no message `{shown}`; `proforma outbox list` names them"),
        Some("sending") => format!("message `{shown}` is being sent just now; ask again in a minute"),
        Some(state) => format!("message `{shown}` is {state}: nothing is to be done with it"),
    })
}

#[cfg(test)]
mod tests;
