//! Who sends what is in the outbox: claims messages that are due, hands them to the courier of their channel, and notes what came of it.
//!
//! **At least once.** A message is noted as sent after the other side has taken it. A server that dies, or is cut off from its database, between the two
//! leaves a claim that passes, and the message is sent once more; both have the same `Message-ID`, or the same `Idempotency-Key`. Nothing else sends a
//! message twice: only who holds its claim does, for less time than the claim holds.

use super::courier::{Courier, Couriers, Parcel, Undelivered};
use super::{Attachment, Channel, letter, plain};
use crate::clock::machine_milliseconds;
use crate::desk::BackOffice;
use crate::hash::{hex, sha256};
use crate::vault::new_resource_id;
use billing::account::AccountId;
use std::sync::Arc;
use std::time::Duration;
use store::{Attempted, MessageClaim, StoreError};
use tokio::sync::watch;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

/// How many messages of a channel one server sends at once.
const AT_ONCE: usize = 4;
/// How long it waits at most before it looks whether something is due.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// The longest pause between two attempts.
const PAUSE_MAX: Duration = Duration::from_secs(6 * 3_600);
/// How much of what the other side has said is kept.
const ERROR_CHARACTERS_MAX: usize = 500;

/// How often a message is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How long it rests after the first attempt; each later pause is twice as long as the one before, up to six hours.
    pub first_pause: Duration,
    /// After how many attempts it is given up.
    pub attempts_max: u64,
}

impl Retry {
    /// How long a message rests after so many attempts.
    #[must_use]
    pub fn pause(&self, attempts: u64) -> Duration {
        let doubled = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(31);
        self.first_pause.saturating_mul(1 << doubled).min(PAUSE_MAX)
    }
}

impl BackOffice {
    /// Sends what is due, by every channel that there is a courier for, until `stop`. What is under way then ends first.
    pub async fn send_messages(&self, couriers: Couriers, retry: Retry, stop: watch::Receiver<bool>) {
        let by = new_resource_id().unwrap_or_default();
        let mail = self.send_by(Channel::Email, couriers.mail, &by, retry, stop.clone());
        let webhook = self.send_by(Channel::Webhook, couriers.webhook, &by, retry, stop);
        tokio::join!(mail, webhook);
    }

    async fn send_by(
        &self,
        channel: Channel,
        courier: Option<Arc<dyn Courier>>,
        by: &str,
        retry: Retry,
        mut stop: watch::Receiver<bool>,
    ) {
        let Some(courier) = courier else { return };
        let mut under_way = JoinSet::new();
        while !*stop.borrow() {
            let claimed = match under_way.len() < AT_ONCE {
                true => self.claimed(channel, by).await,
                false => None,
            };
            if let Some(claim) = claimed {
                let (desk, courier) = (self.clone(), courier.clone());
                under_way.spawn(async move { desk.send(claim, courier.as_ref(), retry).await });
                continue;
            }
            tokio::select! {
                _ = stop.changed() => {}
                _ = under_way.join_next(), if !under_way.is_empty() => {}
                () = self.0.outgoing.notified() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
        while under_way.join_next().await.is_some() {}
    }

    /// A message that is due and is this server's for a while.
    async fn claimed(&self, channel: Channel, by: &str) -> Option<MessageClaim> {
        let lease_ms = i64::try_from(self.0.options.lease.as_millis()).unwrap_or(i64::MAX);
        match self.0.store.claim_message(channel, by, machine_milliseconds(), lease_ms).await {
            Ok(claim) => claim,
            Err(error) => {
                tracing::warn!(%error, channel = channel.name(), "the outbox cannot be read");
                None
            }
        }
    }

    /// Sends a message that is claimed, and notes what came of it.
    async fn send(&self, claim: MessageClaim, courier: &dyn Courier, retry: Retry) {
        let (id, kind) = (&claim.row.message.id, &claim.row.message.kind);
        let attempted = match self.sent(&claim, courier).await {
            Ok(()) => Attempted::Sent,
            Err(Undelivered::Later(said)) if claim.row.attempts < retry.attempts_max => {
                let pause_ms = retry.pause(claim.row.attempts).as_millis();
                let at_ms =
                    machine_milliseconds().saturating_add(i64::try_from(pause_ms).unwrap_or(i64::MAX));
                Attempted::Again { at_ms, error: shown(&said) }
            }
            Err(Undelivered::Later(said) | Undelivered::Never(said)) => {
                Attempted::Dead { error: shown(&said) }
            }
        };
        match &attempted {
            Attempted::Sent => tracing::info!(payer = %claim.payer, message = id, kind, "a message was sent"),
            Attempted::Again { error, .. } => {
                tracing::info!(payer = %claim.payer, message = id, kind, error, "a message is to be tried again");
            }
            Attempted::Dead { error } => {
                tracing::warn!(payer = %claim.payer, message = id, kind, error, "a message was given up");
            }
        }
        self.note_attempt(&claim, &attempted).await;
    }

    /// Notes what came of an attempt, as long as the claim holds: a database that is away for a moment must not make a message go out twice.
    async fn note_attempt(&self, claim: &MessageClaim, attempted: &Attempted) {
        let until = machine_milliseconds()
            .saturating_add(i64::try_from(self.0.options.lease.as_millis()).unwrap_or(i64::MAX) / 4);
        loop {
            let error = match self.0.store.finish_message(claim, attempted, machine_milliseconds()).await {
                Ok(()) => return,
                Err(error) => error,
            };
            let id = &claim.row.message.id;
            tracing::warn!(%error, message = id, "what came of a message could not be noted");
            if !error.is_away()
                || matches!(error, StoreError::StaleClaim { .. })
                || machine_milliseconds() > until
            {
                return;
            }
            tokio::time::sleep(LOOK_AGAIN / 4).await;
        }
    }

    /// Sends it, in less time than the claim holds.
    async fn sent(&self, claim: &MessageClaim, courier: &dyn Courier) -> Result<(), Undelivered> {
        let parcel = self.parcel(claim).await?;
        let limit = self.0.options.lease * 3 / 4;
        match tokio::time::timeout(limit, courier.deliver(&parcel)).await {
            Ok(delivered) => delivered,
            Err(_) => Err(Undelivered::Later(format!("the other side took longer than {limit:?}"))),
        }
    }

    async fn parcel(&self, claim: &MessageClaim) -> Result<Parcel, Undelivered> {
        let message = &claim.row.message;
        let letter = serde_json::from_str(&message.body)
            .map_err(|error| Undelivered::Never(format!("what the message says cannot be read: {error}")))?;
        let mut attachments = Vec::new();
        for row in &message.attachments {
            let kept = self.0.store.attachment(&claim.payer, &row.sha256).await;
            let kept = kept.map_err(|error| Undelivered::Later(error.to_string()))?;
            let bytes = kept.as_deref().and_then(letter::from_base64);
            let bytes = bytes.filter(|bytes| letter::bytes_sha256(bytes) == row.sha256);
            let bytes = bytes.ok_or_else(|| {
                Undelivered::Never(format!("file `{}` is not kept as it was given", row.name))
            })?;
            attachments.push(Attachment {
                name: row.name.clone(),
                media_type: row.media_type.clone(),
                bytes,
            });
        }
        let key = message.dedupe_key.split('|').next().unwrap_or_default().to_owned();
        Ok(Parcel {
            payer: claim.payer.clone(),
            delivery: delivery(&claim.payer, &message.dedupe_key),
            key,
            kind: message.kind.clone(),
            recipient: message.recipient.clone(),
            letter,
            attachments,
            written_at: message.created_at_ms / 1_000,
            now: machine_milliseconds() / 1_000,
            secret: self.webhook_secret(&claim.payer),
        })
    }

    /// The secret that a payer's receivers of webhooks know. It follows from the master key, and changes with it.
    #[must_use]
    pub fn webhook_secret(&self, payer: &AccountId) -> Zeroizing<String> {
        Zeroizing::new(hex(&self.0.master.derived(&format!("webhooks of payer {payer}"))))
    }
}

/// What tells a message from every other one, on each attempt.
fn delivery(payer: &AccountId, dedupe_key: &str) -> String {
    sha256(&format!("{payer}|{dedupe_key}")).get(..40).unwrap_or_default().to_owned()
}

/// What the other side has said, for a list: in a line, and not for ever.
fn shown(said: &str) -> String {
    plain(said).chars().take(ERROR_CHARACTERS_MAX).collect()
}
