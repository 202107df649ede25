//! The port to what sends: a mail server, and receivers of webhooks.

use super::{Attachment, Letter};
use billing::account::AccountId;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use tokio::sync::watch;
use zeroize::Zeroizing;

/// A message that is to leave now.
#[derive(Clone)]
pub struct Parcel {
    /// The payer that it is of.
    pub payer: AccountId,
    /// The same for each attempt at the same message, and for no other message: who gets it twice knows it by that.
    pub delivery: String,
    /// What has happened, as [`super::News::key`] says it.
    pub key: String,
    /// What kind of news it is.
    pub kind: String,
    /// To whom: an address, or a URL.
    pub recipient: String,
    /// What it says.
    pub letter: Letter,
    /// Files that go with it.
    pub attachments: Vec<Attachment>,
    /// When it was written, in seconds since 1970-01-01T00:00:00Z.
    pub written_at: i64,
    /// Now, by the machine's clock, in seconds since 1970-01-01T00:00:00Z.
    pub now: i64,
    /// The secret that the payer's receivers know, to tell who has sent it.
    pub secret: Zeroizing<String>,
}

impl fmt::Debug for Parcel {
    /// Without the secret, and without what it says to whom.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parcel")
            .field("delivery", &self.delivery)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Why a message has not left.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// The same may go well later.
    #[error("{0}")]
    Later(String),
    /// The same would come of it again.
    #[error("{0}")]
    Never(String),
    /// The other side may have taken it, and has not said so: to send it again could be to send it twice.
    #[error("{0}")]
    Unconfirmed(String),
}

/// How far a message is that is being sent: whether the other side has all of it, so that it may take it without a further word.
#[derive(Debug, Default)]
pub struct Handover(watch::Sender<bool>);

impl Handover {
    /// Says that the last that the other side needs to take the message is on its way.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Whether the other side may have taken the message.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the other side may have taken the message.
    pub async fn begun(&self) {
        // Its sender is this very value, so that it does not go meanwhile.
        let _ = self.0.subscribe().wait_for(|begun| *begun).await;
    }
}

/// What is on its way.
pub type Delivery<'a> = Pin<Box<dyn Future<Output = Result<(), Undelivered>> + Send + 'a>>;

/// What sends by one channel.
pub trait Courier: Send + Sync {
    /// Sends a message; it is done once the other side has taken it. Where that cannot be asked twice, it says when the other side has all of it.
    fn deliver<'a>(&'a self, parcel: &'a Parcel, handover: &'a Handover) -> Delivery<'a>;
}

/// Who sends by which channel here. Messages of a channel that nobody sends by wait for a server that does.
#[derive(Clone, Default)]
pub struct Couriers {
    /// Mail.
    pub mail: Option<Arc<dyn Courier>>,
    /// Webhooks.
    pub webhook: Option<Arc<dyn Courier>>,
}
