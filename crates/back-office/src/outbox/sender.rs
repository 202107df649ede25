//! Who sends what is in the outbox: claims messages that are due, hands them to the courier of their channel, and notes what came of it.
//!
//! **At least once.** A message is noted as sent after the other side has taken it. A server that dies, or is cut off from its database, between the two
//! leaves a claim that passes, and the message is sent once more; both have the same `Message-ID`, or the same `Idempotency-Key`. Nothing else sends a
//! message twice: only who holds its claim does, and renews it for as long as the other side takes; and what the other side may have taken without
//! saying so is not sent again by itself.
//!
//! **In turn.** A recipient is sent one message at a time, and payers are served in turn, none of them by more than half of the senders: a receiver that
//! hangs holds up its own messages and nobody else's.

use super::courier::{Courier, Couriers, Handover, Parcel, Undelivered};
use super::{Attachment, Channel, is_of_erased, letter, news_key, plain};
use crate::clock::machine_milliseconds;
use crate::desk::BackOffice;
use crate::hash::{hex, sha256};
use crate::vault::new_resource_id;
use billing::account::AccountId;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use store::{Attempted, MessageClaim, StoreError};
use tokio::sync::watch;
use tokio::task::{Id, JoinSet};
use zeroize::Zeroizing;

/// How many messages of a channel one server sends at once.
const AT_ONCE: usize = 8;
/// How many of them are of one payer.
const AT_ONCE_OF_PAYER: usize = AT_ONCE / 2;
/// How long what is under way may take once the server is told to stop: less than the server itself has.
const LAST_WORD: Duration = Duration::from_secs(6);
/// How often messages that are too old are looked for.
const EXPIRE_EVERY: Duration = Duration::from_secs(20);
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

/// What a server is sending by one channel.
struct UnderWay {
    tasks: JoinSet<()>,
    payers: HashMap<Id, AccountId>,
    /// The payer that was served last.
    last: Option<AccountId>,
}

impl UnderWay {
    fn new() -> Self {
        Self { tasks: JoinSet::new(), payers: HashMap::new(), last: None }
    }

    fn has_room(&self) -> bool {
        self.payers.len() < AT_ONCE
    }

    /// The payers that may be served next, the one after the last first.
    fn in_turn(&self, mut payers: Vec<AccountId>) -> Vec<AccountId> {
        let after = payers.partition_point(|payer| self.last.as_ref().is_some_and(|last| payer <= last));
        payers.rotate_left(after);
        let count = |payer: &AccountId| self.payers.values().filter(|of| *of == payer).count();
        payers.retain(|payer| count(payer) < AT_ONCE_OF_PAYER);
        payers
    }

    fn begin(&mut self, payer: AccountId, sending: impl Future<Output = ()> + Send + 'static) {
        let id = self.tasks.spawn(sending).id();
        self.payers.insert(id, payer.clone());
        self.last = Some(payer);
    }

    /// Waits until one of them has ended; `None` where there is none.
    async fn ended(&mut self) -> Option<()> {
        let id = match self.tasks.join_next_with_id().await? {
            Ok((id, ())) => id,
            Err(error) => error.id(),
        };
        self.payers.remove(&id);
        Some(())
    }
}

impl BackOffice {
    /// Sends what is due, by every channel that there is a courier for, until `stop`, and ends what is too old, of every channel. What is under way then
    /// has a last word.
    pub async fn send_messages(&self, couriers: Couriers, retry: Retry, stop: watch::Receiver<bool>) {
        let by = new_resource_id().unwrap_or_default();
        let mail = self.send_by(Channel::Email, couriers.mail, &by, retry, stop.clone());
        let webhook = self.send_by(Channel::Webhook, couriers.webhook, &by, retry, stop.clone());
        tokio::join!(mail, webhook, self.expire_messages(stop));
    }

    async fn expire_messages(&self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            match self.0.store.expire_messages(machine_milliseconds()).await {
                Ok(0) => {}
                Ok(count) => tracing::warn!(count, "messages were too old to be sent"),
                Err(error) => tracing::warn!(%error, "messages that are too old could not be ended"),
            }
            tokio::select! {
                _ = stop.changed() => {}
                () = tokio::time::sleep(EXPIRE_EVERY) => {}
            }
        }
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
        let mut under_way = UnderWay::new();
        while !*stop.borrow() {
            let claimed = match under_way.has_room() {
                true => self.claimed(channel, by, &under_way).await,
                false => None,
            };
            if let Some(claim) = claimed {
                let (desk, courier, stop) = (self.clone(), courier.clone(), stop.clone());
                under_way.begin(claim.payer.clone(), async move {
                    desk.send(claim, courier.as_ref(), retry, stop).await;
                });
                continue;
            }
            tokio::select! {
                _ = stop.changed() => {}
                Some(()) = under_way.ended() => {}
                () = self.0.outgoing.notified() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
        while under_way.ended().await.is_some() {}
    }

    /// A message that is due and is this server's for a while, of the payer whose turn it is.
    async fn claimed(&self, channel: Channel, by: &str, under_way: &UnderWay) -> Option<MessageClaim> {
        let store = &self.0.store;
        let claim = async {
            let payers = store.payers_with_messages(channel, machine_milliseconds()).await?;
            for payer in under_way.in_turn(payers) {
                let of = (&payer, channel);
                let claim = store.claim_message(of, by, machine_milliseconds(), self.message_lease_ms());
                if let Some(claim) = claim.await? {
                    return Ok(Some(claim));
                }
            }
            Ok::<_, StoreError>(None)
        };
        claim.await.unwrap_or_else(|error| {
            tracing::warn!(%error, channel = channel.name(), "the outbox cannot be read");
            None
        })
    }

    fn message_lease_ms(&self) -> i64 {
        i64::try_from(self.0.options.lease.as_millis()).unwrap_or(i64::MAX)
    }

    /// Sends a message that is claimed, and notes what came of it.
    async fn send(
        &self,
        claim: MessageClaim,
        courier: &dyn Courier,
        retry: Retry,
        stop: watch::Receiver<bool>,
    ) {
        let attempted = match self.withdrawn(&claim).await {
            Ok(Some(why)) => Attempted::Withdrawn { error: why.to_owned() },
            Ok(None) => attempted(self.sent(&claim, courier, stop).await, claim.row.attempts, retry),
            Err(why) => attempted(Err(why), claim.row.attempts, retry),
        };
        log(&claim, &attempted);
        self.note_attempt(&claim, &attempted).await;
    }

    /// Why a message is not to be sent any more, although it is due.
    async fn withdrawn(&self, claim: &MessageClaim) -> Result<Option<&'static str>, Undelivered> {
        let message = &claim.row.message;
        if is_of_erased(&message.recipient) {
            return Err(Undelivered::Never("its recipient was taken out of the desk's data".to_owned()));
        }
        let holds = self.still_holds(&claim.payer, message).await;
        match holds {
            Ok(true) => Ok(None),
            Ok(false) => {
                Ok(Some("what it says does not hold any more, or is not told to this recipient any more"))
            }
            Err(error) => {
                Err(Undelivered::Later(format!("whether it still holds could not be read: {error:?}")))
            }
        }
    }

    /// Notes what came of an attempt, as long as the claim holds: a database that is away for a moment must not make a message go out twice.
    async fn note_attempt(&self, claim: &MessageClaim, attempted: &Attempted) {
        let until = machine_milliseconds().saturating_add(self.message_lease_ms() / 4);
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

    /// Sends it, for as long as its claim can be renewed and the server is not told to stop.
    async fn sent(
        &self,
        claim: &MessageClaim,
        courier: &dyn Courier,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), Undelivered> {
        let parcel = self.parcel(claim).await?;
        let handover = Handover::default();
        let stopped = async {
            // A server whose end nobody tells any more goes on.
            if stop.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(LAST_WORD).await;
        };
        let why = tokio::select! {
            delivered = courier.deliver(&parcel, &handover) => return delivered,
            () = stopped => "the server was stopped before the other side has answered",
            () = self.renewing_message(claim) => "the claim could not be renewed while it was sent",
        };
        Err(match handover.has_begun() {
            true => Undelivered::Unconfirmed(why.to_owned()),
            false => Undelivered::Later(why.to_owned()),
        })
    }

    /// Renews the claim of a message, until that fails for as long as the claim holds, or another server has it.
    async fn renewing_message(&self, claim: &MessageClaim) {
        let mut holds_until = machine_milliseconds().saturating_add(self.message_lease_ms() * 3 / 4);
        loop {
            tokio::time::sleep(self.0.options.lease / 4).await;
            let until = machine_milliseconds().saturating_add(self.message_lease_ms());
            match self.0.store.extend_message_claim(claim, until).await {
                Ok(()) => holds_until = until.saturating_sub(self.message_lease_ms() / 4),
                Err(StoreError::StaleClaim { .. }) => return,
                Err(error) => {
                    let id = &claim.row.message.id;
                    tracing::warn!(%error, message = id, "the claim of a message could not be renewed");
                    if machine_milliseconds() > holds_until {
                        return;
                    }
                }
            }
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
        Ok(Parcel {
            payer: claim.payer.clone(),
            delivery: delivery(&claim.payer, &message.dedupe_key),
            key: news_key(message).to_owned(),
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

/// What becomes of a message after an attempt.
fn attempted(sent: Result<(), Undelivered>, attempts: u64, retry: Retry) -> Attempted {
    match sent {
        Ok(()) => Attempted::Sent,
        Err(Undelivered::Later(said)) if attempts < retry.attempts_max => {
            let pause_ms = i64::try_from(retry.pause(attempts).as_millis()).unwrap_or(i64::MAX);
            Attempted::Again { at_ms: machine_milliseconds().saturating_add(pause_ms), error: shown(&said) }
        }
        Err(Undelivered::Unconfirmed(said)) => Attempted::Unconfirmed { error: shown(&said) },
        Err(Undelivered::Later(said) | Undelivered::Never(said)) => Attempted::Dead { error: shown(&said) },
    }
}

fn log(claim: &MessageClaim, attempted: &Attempted) {
    let (payer, id, kind) = (&claim.payer, &claim.row.message.id, &claim.row.message.kind);
    match attempted {
        Attempted::Sent => tracing::info!(%payer, message = id, kind, "a message was sent"),
        Attempted::Again { error, .. } => {
            tracing::info!(%payer, message = id, kind, error, "a message is to be tried again");
        }
        Attempted::Withdrawn { error } => {
            tracing::info!(%payer, message = id, kind, error, "a message is not sent any more");
        }
        Attempted::Unconfirmed { error } => {
            tracing::warn!(%payer, message = id, kind, error, "a message may have been taken");
        }
        Attempted::Dead { error } => {
            tracing::warn!(%payer, message = id, kind, error, "a message was given up");
        }
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

#[cfg(test)]
mod tests {
    //! Whose turn it is.

    use super::*;

    fn payer(digit: u8) -> AccountId {
        AccountId::parse(&digit.to_string().repeat(12)).unwrap()
    }

    #[tokio::test]
    async fn payers_are_served_in_turn_and_none_by_more_than_half() {
        let all = || vec![payer(1), payer(2), payer(3)];
        let mut under_way = UnderWay::new();
        assert_eq!(under_way.in_turn(all()), all());
        under_way.begin(payer(2), std::future::pending());
        assert_eq!(under_way.in_turn(all()), [payer(3), payer(1), payer(2)]);
        under_way.begin(payer(3), async {});
        assert_eq!(under_way.in_turn(all()), all());
        assert!(under_way.ended().await.is_some());
        for _ in 1..AT_ONCE_OF_PAYER {
            under_way.begin(payer(2), std::future::pending());
        }
        assert_eq!(under_way.in_turn(all()), [payer(3), payer(1)]);
        assert!(under_way.has_room());
    }
}
