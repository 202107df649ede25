//! Messages that are to leave the desk: what they say to whom, how often it was tried, and who is sending one just now.
//!
//! A message is written in the transaction of what it tells of, under a key that a payer has once. It is claimed for a while by whoever sends it; the
//! claim of one that died passes, and another sends it. What somebody whose claim has passed says of it does not count.

use crate::database::Store;
use crate::error::StoreError;
use crate::sql;
use crate::write::Write;
use billing::account::AccountId;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;

const TABLE: &str = "outbox";
/// How often a claim looks again when others are quicker.
const CLAIM_ATTEMPTS_MAX: usize = 64;
/// What is free to be sent at `$2`: due, or claimed by somebody who is gone.
const FREE: &str =
    "((state = 'queued' AND next_attempt_at_ms <= $2) OR (state = 'sending' AND claim_expires_at_ms <= $2))";
/// What is for a recipient who is being sent nothing else of payer `$3` by channel `$1` at `$2`: who hangs is not asked twice at once.
const TO_NOBODY_ELSE: &str = "recipient NOT IN (SELECT recipient FROM outbox busy WHERE busy.payer = $3 AND busy.channel = $1 \
     AND busy.state = 'sending' AND busy.claim_expires_at_ms > $2)";

/// By which way a message leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// Electronic mail; the recipient is an address.
    Email,
    /// A request to a server of the recipient's; the recipient is a URL.
    Webhook,
}

impl Channel {
    /// Every channel with its name in a column.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Email, "email"), (Self::Webhook, "webhook")];

    /// The name in a column.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL
            .into_iter()
            .find_map(|(channel, name)| (channel == self).then_some(name))
            .unwrap_or_default()
    }

    /// The channel of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(channel, of)| (of == name).then_some(channel))
    }
}

/// A file that a message carries. Its bytes are kept once, by their hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttachmentRow {
    /// The name that the recipient sees.
    pub name: String,
    /// What it is, as `application/pdf`.
    pub media_type: String,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// A message to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMessage {
    /// Unique among those of the payer.
    pub id: String,
    /// What is told to whom; a payer has it once.
    pub dedupe_key: String,
    /// What kind of news it is.
    pub kind: String,
    /// The way.
    pub channel: Channel,
    /// An address, or a URL.
    pub recipient: String,
    /// What it is about, in a line.
    pub subject: String,
    /// What it says, as JSON.
    pub body: String,
    /// The files that it carries.
    pub attachments: Vec<AttachmentRow>,
    /// When it was written, in milliseconds since 1970-01-01T00:00:00Z.
    pub created_at_ms: i64,
    /// From when on it is too old to be sent.
    pub expires_at_ms: i64,
}

/// How far a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageState {
    /// It waits for its next attempt.
    Queued {
        /// When that is.
        next_attempt_at_ms: i64,
    },
    /// Somebody is sending it.
    Sending {
        /// Until when the claim holds.
        claim_expires_at_ms: i64,
    },
    /// It was taken by the other side.
    Sent {
        /// When.
        at_ms: i64,
    },
    /// The other side may have taken it, and has not said so: it is not sent again by itself.
    Unconfirmed {
        /// When.
        at_ms: i64,
    },
    /// It was given up.
    Dead {
        /// When.
        at_ms: i64,
    },
    /// It was not sent in time, or what it says does not hold any more.
    Expired {
        /// When.
        at_ms: i64,
    },
    /// Somebody has decided that it is not to be sent.
    Dropped {
        /// When.
        at_ms: i64,
    },
}

impl MessageState {
    /// The name in a column.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued { .. } => "queued",
            Self::Sending { .. } => "sending",
            Self::Sent { .. } => "sent",
            Self::Unconfirmed { .. } => "unconfirmed",
            Self::Dead { .. } => "dead",
            Self::Expired { .. } => "expired",
            Self::Dropped { .. } => "dropped",
        }
    }
}

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// What it says to whom.
    pub message: NewMessage,
    /// How often somebody has begun to send it since it was last queued by hand.
    pub attempts: u64,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// How far it is.
    pub state: MessageState,
}

/// A message that the caller is to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageClaim {
    /// Whose message it is.
    pub payer: AccountId,
    /// The message.
    pub row: MessageRow,
    /// What proves that the caller has it.
    pub token: u64,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempted {
    /// The other side has taken it.
    Sent,
    /// It is to be tried again.
    Again {
        /// When.
        at_ms: i64,
        /// Why it did not go.
        error: String,
    },
    /// The other side may have taken it: what follows upon the last byte is not known.
    Unconfirmed {
        /// What is known of it.
        error: String,
    },
    /// It is given up.
    Dead {
        /// Why it did not go.
        error: String,
    },
    /// It is not sent, for what it says does not hold any more. Its key is free again: should it hold once more, that is news.
    Withdrawn {
        /// What does not hold.
        error: String,
    },
}

impl Store {
    /// The messages of a payer in a state, or in any, from the latest on, at most so many; `before` is when the last one of the page before was
    /// written, and its id.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn messages_page(
        &self,
        payer: &AccountId,
        state: Option<&str>,
        before: Option<(i64, &str)>,
        rows_max: usize,
    ) -> Result<Vec<MessageRow>, StoreError> {
        let (at_ms, id) = before.unwrap_or((i64::MAX, ""));
        let sql = "SELECT * FROM outbox WHERE payer = $1 AND ($2 = '' OR state = $2) \
             AND (created_at_ms < $3 OR (created_at_ms = $3 AND id < $4)) \
             ORDER BY created_at_ms DESC, id DESC LIMIT $5";
        let query = sqlx::query(sql)
            .bind(payer.as_str())
            .bind(state.unwrap_or_default())
            .bind(at_ms)
            .bind(id)
            .bind(sql::limit(rows_max));
        query.fetch_all(self.readers()).await?.iter().map(message_row).collect()
    }

    /// The keys of what was ever told.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn message_keys(&self, payer: &AccountId) -> Result<Vec<String>, StoreError> {
        let query = sqlx::query_scalar("SELECT dedupe_key FROM outbox WHERE payer = $1").bind(payer.as_str());
        Ok(query.fetch_all(self.readers()).await?)
    }

    /// The payers that have a message of a channel to be sent, in order.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn payers_with_messages(
        &self,
        channel: Channel,
        now_ms: i64,
    ) -> Result<Vec<AccountId>, StoreError> {
        let sql = format!(
            "SELECT DISTINCT payer FROM outbox WHERE channel = $1 AND state IN ('queued', 'sending') AND {FREE} ORDER BY payer"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(channel.name()).bind(now_ms);
        let rows = query.fetch_all(self.readers()).await?;
        rows.iter().map(|row| sql::account(row, TABLE, "payer")).collect()
    }

    /// Claims the message of a payer and a channel that has been due for longest, of those whose recipient is being sent nothing else; `None` where
    /// there is none.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn claim_message(
        &self,
        (payer, channel): (&AccountId, Channel),
        by: &str,
        now_ms: i64,
        lease_ms: i64,
    ) -> Result<Option<MessageClaim>, StoreError> {
        let is_free =
            format!("payer = $3 AND channel = $1 AND {FREE} AND expires_at_ms > $2 AND {TO_NOBODY_ELSE}");
        let first = format!(
            "SELECT id FROM outbox WHERE state IN ('queued', 'sending') AND {is_free} ORDER BY next_attempt_at_ms, id LIMIT 1"
        );
        let claim = format!(
            "UPDATE outbox SET state = 'sending', attempts = attempts + 1, claim_token = claim_token + 1, \
             claimed_by = $4, claim_expires_at_ms = $5 WHERE {is_free} AND id = $6 RETURNING *"
        );
        for _ in 0..CLAIM_ATTEMPTS_MAX {
            let query = sqlx::query_scalar(sqlx::AssertSqlSafe(first.as_str()))
                .bind(channel.name())
                .bind(now_ms)
                .bind(payer.as_str());
            let found: Option<String> = query.fetch_optional(self.readers()).await?;
            let Some(id) = found else { return Ok(None) };
            let query = sqlx::query(sqlx::AssertSqlSafe(claim.as_str()))
                .bind(channel.name())
                .bind(now_ms)
                .bind(payer.as_str())
                .bind(by)
                .bind(now_ms.saturating_add(lease_ms))
                .bind(id);
            // To the end of the answer: SQLite commits after the row, and only the end says whether it could.
            let claimed = query.fetch_all(self.writer()).await?;
            if let Some(row) = claimed.first() {
                let token = sql::count(row, TABLE, "claim_token")?;
                return Ok(Some(MessageClaim { payer: payer.clone(), row: message_row(row)?, token }));
            }
        }
        Ok(None)
    }

    /// Claims a message for longer.
    ///
    /// # Errors
    /// [`StoreError::StaleClaim`] where somebody else has claimed the message since.
    pub async fn extend_message_claim(&self, claim: &MessageClaim, until_ms: i64) -> Result<(), StoreError> {
        let sql = "UPDATE outbox SET claim_expires_at_ms = $1 \
             WHERE payer = $2 AND id = $3 AND claim_token = $4 AND state = 'sending'";
        let id = claim.row.message.id.as_str();
        let query = sqlx::query(sql)
            .bind(until_ms)
            .bind(claim.payer.as_str())
            .bind(id)
            .bind(sql::whole(claim.token)?);
        match query.execute(self.writer()).await?.rows_affected() {
            0 => Err(StoreError::StaleClaim { run: id.to_owned(), token: claim.token }),
            _ => Ok(()),
        }
    }

    /// Ends messages of every payer that nobody is sending and that are too old by now; says how many.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn expire_messages(&self, now_ms: i64) -> Result<u64, StoreError> {
        let sql = "UPDATE outbox SET state = 'expired', ended_at_ms = $1, claimed_by = NULL, claim_expires_at_ms = NULL, \
             last_error = 'it was not sent in time' || CASE WHEN last_error IS NULL THEN '' ELSE ': ' || last_error END \
             WHERE (state = 'queued' OR (state = 'sending' AND claim_expires_at_ms <= $1)) AND expires_at_ms <= $1";
        Ok(sqlx::query(sql).bind(now_ms).execute(self.writer()).await?.rows_affected())
    }

    /// Notes what came of an attempt.
    ///
    /// # Errors
    /// [`StoreError::StaleClaim`] where somebody else has claimed the message since.
    pub async fn finish_message(
        &self,
        claim: &MessageClaim,
        attempted: &Attempted,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        let (state, next_ms, error, ended_ms) = match attempted {
            Attempted::Sent => ("sent", now_ms, None, Some(now_ms)),
            Attempted::Again { at_ms, error } => ("queued", *at_ms, Some(error), None),
            Attempted::Unconfirmed { error } => ("unconfirmed", now_ms, Some(error), Some(now_ms)),
            Attempted::Dead { error } => ("dead", now_ms, Some(error), Some(now_ms)),
            Attempted::Withdrawn { error } => ("expired", now_ms, Some(error), Some(now_ms)),
        };
        let freed = match attempted {
            Attempted::Withdrawn { .. } => format!("|{}", claim.row.message.id),
            _ => String::new(),
        };
        let sql = "UPDATE outbox SET state = $1, next_attempt_at_ms = $2, last_error = $3, ended_at_ms = $4, \
             claimed_by = NULL, claim_expires_at_ms = NULL, dedupe_key = dedupe_key || $5 \
             WHERE payer = $6 AND id = $7 AND claim_token = $8 AND state = 'sending'";
        let id = claim.row.message.id.as_str();
        let query = sqlx::query(sql)
            .bind(state)
            .bind(next_ms)
            .bind(error.cloned())
            .bind(ended_ms)
            .bind(freed)
            .bind(claim.payer.as_str())
            .bind(id)
            .bind(sql::whole(claim.token)?);
        match query.execute(self.writer()).await?.rows_affected() {
            0 => Err(StoreError::StaleClaim { run: id.to_owned(), token: claim.token }),
            _ => Ok(()),
        }
    }

    /// Lets every claim of a message pass: for a program that knows that nobody else works on the database.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn release_messages(&self, now_ms: i64) -> Result<u64, StoreError> {
        let sql =
            "UPDATE outbox SET claim_expires_at_ms = $1 WHERE state = 'sending' AND claim_expires_at_ms > $1";
        Ok(sqlx::query(sql).bind(now_ms).execute(self.writer()).await?.rows_affected())
    }

    /// The bytes of an attachment, as base64; `None` where they are not kept.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn attachment(&self, payer: &AccountId, sha256: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT content FROM outbox_attachments WHERE payer = $1 AND sha256 = $2";
        let query = sqlx::query_scalar(sql).bind(payer.as_str()).bind(sha256);
        Ok(query.fetch_optional(self.readers()).await?)
    }
}

impl Write {
    /// Queues a message, to be sent at once; `false` where the payer has one of its key already, whatever became of it.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn put_message(&mut self, message: &NewMessage) -> Result<bool, StoreError> {
        let values = vec![
            self.payer_value(),
            message.id.as_str().into(),
            message.dedupe_key.as_str().into(),
            message.kind.as_str().into(),
            message.channel.name().into(),
            message.recipient.as_str().into(),
            message.subject.as_str().into(),
            message.body.as_str().into(),
            sql::to_json(&message.attachments)?.into(),
            "queued".into(),
            0.into(),
            message.created_at_ms.into(),
            0.into(),
            message.created_at_ms.into(),
            message.expires_at_ms.into(),
        ];
        let into = "INSERT INTO outbox (payer, id, dedupe_key, kind, channel, recipient, subject, body, attachments, \
             state, attempts, next_attempt_at_ms, claim_token, created_at_ms, expires_at_ms)";
        Ok(self.put(into, values, " ON CONFLICT (payer, dedupe_key) DO NOTHING").await? > 0)
    }

    /// Keeps the bytes of an attachment, as base64, under their hash; those that are there stay.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn put_attachment(&mut self, sha256: &str, content: String) -> Result<(), StoreError> {
        let values = vec![self.payer_value(), sha256.into(), content.into()];
        let into = "INSERT INTO outbox_attachments (payer, sha256, content)";
        self.put(into, values, " ON CONFLICT (payer, sha256) DO NOTHING").await?;
        Ok(())
    }

    /// A message of the payer, as it is until the change ends.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn message(&mut self, id: &str) -> Result<Option<MessageRow>, StoreError> {
        let query = sqlx::query("SELECT * FROM outbox WHERE payer = $1 AND id = $2")
            .bind(self.payer().as_str().to_owned())
            .bind(id.to_owned());
        query.fetch_optional(self.connection()).await?.as_ref().map(message_row).transpose()
    }

    /// The message of the payer that has a key.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn message_of_key(&mut self, dedupe_key: &str) -> Result<Option<String>, StoreError> {
        let query = sqlx::query_scalar("SELECT id FROM outbox WHERE payer = $1 AND dedupe_key = $2")
            .bind(self.payer().as_str().to_owned())
            .bind(dedupe_key.to_owned());
        Ok(query.fetch_optional(self.connection()).await?)
    }

    /// The messages of the payer that were given up, by id.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn dead_messages(&mut self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT id FROM outbox WHERE payer = $1 AND state = 'dead' ORDER BY id";
        let query = sqlx::query_scalar(sql).bind(self.payer().as_str().to_owned());
        Ok(query.fetch_all(self.connection()).await?)
    }

    /// Queues a message anew, under a key that is free or its own, that nobody is sending and nobody is known to have taken, as if it was never tried,
    /// until it is too old; `false` where it is not such a one.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn retry_message(
        &mut self,
        (id, dedupe_key): (&str, &str),
        now_ms: i64,
        expires_at_ms: i64,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE outbox SET state = 'queued', attempts = 0, next_attempt_at_ms = $1, ended_at_ms = NULL, \
             expires_at_ms = $4, dedupe_key = $5 \
             WHERE payer = $2 AND id = $3 AND state IN ('queued', 'unconfirmed', 'dead', 'expired', 'dropped')";
        let payer = self.payer().as_str().to_owned();
        let query = sqlx::query(sql).bind(now_ms).bind(payer).bind(id.to_owned()).bind(expires_at_ms);
        let query = query.bind(dedupe_key.to_owned());
        Ok(query.execute(self.connection()).await?.rows_affected() > 0)
    }

    /// Gives up a message that nobody is sending and nobody is known to have taken; `false` where it is not such a one.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn drop_message(&mut self, id: &str, now_ms: i64) -> Result<bool, StoreError> {
        let sql = "UPDATE outbox SET state = 'dropped', ended_at_ms = $1 \
             WHERE payer = $2 AND id = $3 AND state IN ('queued', 'unconfirmed', 'dead', 'expired')";
        let payer = self.payer().as_str().to_owned();
        let query = sqlx::query(sql).bind(now_ms).bind(payer).bind(id.to_owned());
        Ok(query.execute(self.connection()).await?.rows_affected() > 0)
    }

    /// Removes what a message says to whom, of messages that ended before an instant, and attachments that no message names any more; says how
    /// many messages. The keys stay: what was told once is not told again.
    ///
    /// # Errors
    /// [`StoreError`] of the database.
    pub async fn forget_messages(&mut self, before_ms: i64) -> Result<u64, StoreError> {
        let payer = self.payer().as_str().to_owned();
        let sql = "UPDATE outbox SET recipient = '', subject = '', body = '', attachments = '[]', last_error = \
             CASE WHEN last_error IS NULL THEN NULL ELSE '' END \
             WHERE payer = $1 AND ended_at_ms < $2 AND body <> ''";
        let query = sqlx::query(sql).bind(payer.clone()).bind(before_ms);
        let forgotten = query.execute(self.connection()).await?.rows_affected();
        let sql = "DELETE FROM outbox_attachments WHERE payer = $1 AND NOT EXISTS (SELECT 1 FROM outbox \
             WHERE outbox.payer = $1 AND outbox.attachments LIKE '%' || outbox_attachments.sha256 || '%')";
        sqlx::query(sql).bind(payer).execute(self.connection()).await?;
        Ok(forgotten)
    }
}

fn message_row(row: &AnyRow) -> Result<MessageRow, StoreError> {
    let channel: String = sql::column(row, "channel")?;
    let channel = Channel::parse(&channel)
        .ok_or_else(|| StoreError::damaged(TABLE, format!("`channel` is `{channel}`")))?;
    let message = NewMessage {
        id: sql::column(row, "id")?,
        dedupe_key: sql::column(row, "dedupe_key")?,
        kind: sql::column(row, "kind")?,
        channel,
        recipient: sql::column(row, "recipient")?,
        subject: sql::column(row, "subject")?,
        body: sql::column(row, "body")?,
        attachments: sql::json(row, TABLE, "attachments")?,
        created_at_ms: sql::column(row, "created_at_ms")?,
        expires_at_ms: sql::column(row, "expires_at_ms")?,
    };
    Ok(MessageRow {
        state: state(row, &message.id)?,
        attempts: sql::count(row, TABLE, "attempts")?,
        last_error: sql::column(row, "last_error")?,
        message,
    })
}

fn state(row: &AnyRow, id: &str) -> Result<MessageState, StoreError> {
    let instant = |name: &str| {
        let at_ms: Option<i64> = sql::column(row, name)?;
        at_ms.ok_or_else(|| StoreError::damaged(TABLE, format!("message `{id}` has no `{name}`")))
    };
    let state: String = sql::column(row, "state")?;
    Ok(match state.as_str() {
        "queued" => MessageState::Queued { next_attempt_at_ms: instant("next_attempt_at_ms")? },
        "sending" => MessageState::Sending { claim_expires_at_ms: instant("claim_expires_at_ms")? },
        "sent" => MessageState::Sent { at_ms: instant("ended_at_ms")? },
        "unconfirmed" => MessageState::Unconfirmed { at_ms: instant("ended_at_ms")? },
        "dead" => MessageState::Dead { at_ms: instant("ended_at_ms")? },
        "expired" => MessageState::Expired { at_ms: instant("ended_at_ms")? },
        "dropped" => MessageState::Dropped { at_ms: instant("ended_at_ms")? },
        other => return Err(StoreError::damaged(TABLE, format!("message `{id}` is `{other}`"))),
    })
}
