//! What leaves the desk: the mail server, the receivers of webhooks, and where those may be.

mod addresses;
mod mail;
mod webhook;

pub use addresses::Allowed;
pub use mail::MailSettings;

use back_office::outbox::Retry;
use back_office::outbox::courier::Couriers;
use std::sync::Arc;

/// How a server sends what is in the outbox.
#[derive(Debug)]
pub struct Outgoing {
    /// The mail server, where there is one.
    pub mail: Option<MailSettings>,
    /// Where receivers of webhooks may be, beyond the public internet.
    pub allowed: Allowed,
    /// How often a message is tried.
    pub retry: Retry,
}

impl Outgoing {
    /// Who sends here.
    ///
    /// # Errors
    /// Where the system's certificates cannot be read.
    pub fn couriers(&self) -> anyhow::Result<Couriers> {
        let mail = self.mail.as_ref().map(mail::Mail::new).transpose()?;
        Ok(Couriers {
            mail: mail.map(|mail| Arc::new(mail) as _),
            webhook: Some(Arc::new(webhook::Webhooks::new(self.allowed.clone())?)),
        })
    }
}
