//! Whom a payer's news goes to, and what of it: settings of the payer, changed like anything else, each change kept.

use crate::authorization::Caller;
use crate::clock::machine_milliseconds;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error, refused};
use crate::outbox::{self, Audience, Channel, Letter, News, plain, recipient_problem};
use crate::vault::new_resource_id;
use billing::account::AccountId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::DeskSettingRow;

/// The kind of the setting.
pub(crate) const SETTING: &str = "notifications";
/// How many addresses a payer's news goes to at most.
pub const EMAILS_MAX: usize = 50;
/// How many webhooks.
pub const WEBHOOKS_MAX: usize = 10;
/// How many thresholds of a balance there are at most.
pub const THRESHOLDS_MAX: usize = 20;

/// Every kind of news, with what it is about. Any of them may be muted, but the test.
pub const KINDS: &[(&str, &str)] = &[
    ("balance-low", "what is left of a purchase order's line has fallen below a threshold"),
    ("expiry", "a purchase order expires soon, or has"),
    ("out-of-balance", "an invoice is more than what is left of the line that it goes to"),
    ("invoice-without-purchase-order", "an invoice has found no purchase order"),
    ("forecast-exhaustion", "a line runs out before its purchase order ends"),
    ("forecast-above-balance", "what a month is expected to cost is more than what is left"),
    ("purchase-order-needed", "no purchase order serves next month's invoices of a kind that came before"),
    ("invoice", "an invoice was issued"),
    ("invoice-draft", "a draft of an invoice waits for somebody's approval"),
    ("schedule", "the schedule of a billing group's invoices could not go on"),
    ("budget", "what was spent or is expected of a budget has crossed a threshold"),
    ("saved-report", "a saved report was made by its schedule"),
];

/// Whom a payer's news goes to, and what of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotificationSettings {
    /// Addresses of mail that get all of it.
    #[serde(default)]
    pub emails: Vec<String>,
    /// URLs that are sent all of it.
    #[serde(default)]
    pub webhooks: Vec<String>,
    /// Whether the contacts of a purchase order are told what concerns it, as AWS does.
    #[serde(default = "yes")]
    pub to_contacts: bool,
    /// Percentages of a line's value: news is made of a balance that falls below one. 0 is a balance that is used up.
    #[serde(default = "thresholds")]
    pub balance_percent: Vec<u32>,
    /// Kinds of news that nobody is told.
    #[serde(default)]
    pub muted: Vec<String>,
}

/// AWS tells of 75 % ("Purchase order notifications"); the others are ours.
fn thresholds() -> Vec<u32> {
    vec![75, 25, 10, 0]
}

const fn yes() -> bool {
    true
}

impl Default for NotificationSettings {
    fn default() -> Self {
        Self {
            emails: Vec::new(),
            webhooks: Vec::new(),
            to_contacts: true,
            balance_percent: thresholds(),
            muted: Vec::new(),
        }
    }
}

impl NotificationSettings {
    /// What a payer has said; without anything said, the defaults.
    pub(crate) fn of(rows: &[DeskSettingRow]) -> Answer<Self> {
        let said = rows.first().map(|row| serde_json::from_str(&row.body)).transpose();
        Ok(said.map_err(Error::internal)?.unwrap_or_default())
    }

    /// What is wrong with it: all of it.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let emails = self.emails.iter().filter_map(|to| recipient_problem(Channel::Email, to));
        let webhooks = self.webhooks.iter().filter_map(|to| recipient_problem(Channel::Webhook, to));
        let unknown = self.muted.iter().filter(|kind| !KINDS.iter().any(|(known, _)| known == kind));
        let unknown = unknown.map(|kind| {
            let known: Vec<_> = KINDS.iter().map(|(known, _)| *known).collect();
            format!("there is no kind of news `{}`; kinds are {}", plain(kind), known.join(", "))
        });
        let above = self.balance_percent.iter().filter(|percent| **percent > 100);
        let above = above.map(|percent| format!("threshold `{percent}` is no percentage from 0 to 100"));
        let mut problems: Vec<_> = emails.chain(webhooks).chain(unknown).chain(above).collect();
        for (what, count, most) in [
            ("addresses", self.emails.len(), EMAILS_MAX),
            ("webhooks", self.webhooks.len(), WEBHOOKS_MAX),
            ("thresholds", self.balance_percent.len(), THRESHOLDS_MAX),
        ] {
            if count > most {
                problems.push(format!("there are {count} {what}; at most {most} are taken"));
            }
        }
        problems
    }

    /// Whether somebody is told a kind of news at all.
    #[must_use]
    pub fn tells(&self, kind: &str) -> bool {
        !self.muted.iter().any(|muted| muted == kind)
    }

    /// Who is told news that concerns one record: whom the payer has named, and that record's own contacts.
    #[must_use]
    pub fn audience<'a>(&self, contacts: impl IntoIterator<Item = &'a str>) -> Audience {
        let own: BTreeSet<String> = match self.to_contacts {
            true => contacts.into_iter().filter(|to| outbox::is_address(to)).map(str::to_owned).collect(),
            false => BTreeSet::new(),
        };
        Audience {
            emails: self.emails.iter().cloned().chain(own).collect(),
            webhooks: self.webhooks.iter().cloned().collect(),
        }
    }
}

impl BackOffice {
    /// Whom a payer's news goes to, for a caller.
    ///
    /// # Errors
    /// [`Error::Denied`] for a principal that is narrowed to some purchase orders: news is about all of them.
    pub async fn notification_settings(&self, caller: &Caller, action: &str) -> Answer<NotificationSettings> {
        self.order_rights(caller, action).await?;
        self.notifications(&caller.payer).await
    }

    /// Whom a payer's news goes to.
    pub(crate) async fn notifications(&self, payer: &AccountId) -> Answer<NotificationSettings> {
        let rows = self.0.store.desk_settings(payer, SETTING).await.map_err(Error::internal)?;
        NotificationSettings::of(&rows)
    }

    /// Says whom a payer's news goes to; what it says then.
    ///
    /// # Errors
    /// [`Error::Denied`] for a principal that is narrowed to some purchase orders; [`Error::Refused`] with all that is wrong with it.
    pub async fn change_notifications(
        &self,
        request: &WriteRequest<'_>,
        change: impl Fn(&mut NotificationSettings) + Sync,
    ) -> Answer<NotificationSettings> {
        self.order_rights(request.caller, request.action).await?;
        let change = &change;
        self.transaction(&request.caller.payer, |store, state| async move {
            let mut write = store.write(&request.caller.payer, &state.head).await?;
            let mut settings = NotificationSettings::of(&write.desk_settings(SETTING).await?)?;
            change(&mut settings);
            let problems = settings.problems();
            if !problems.is_empty() {
                return Err(refused(problems.join("; ")).into());
            }
            let body = serde_json::to_string(&settings).map_err(Error::internal)?;
            write.put_desk_setting((SETTING, ""), &body, machine_milliseconds()).await?;
            Ok((state.commit(write, [request.done(SETTING)]).await?, settings))
        })
        .await
    }

    /// Queues a message that says that messages arrive; its id.
    ///
    /// # Errors
    /// [`Error::Refused`] for a recipient that is none.
    pub async fn send_test(
        &self,
        request: &WriteRequest<'_>,
        channel: Channel,
        recipient: &str,
    ) -> Answer<usize> {
        let payer = &request.caller.payer;
        let news = &News {
            key: format!("test:{}", new_resource_id().map_err(Error::internal)?),
            kind: "test".to_owned(),
            letter: Letter {
                title: "Proforma: a test message".to_owned(),
                paragraphs: vec![
                    format!("This is a test message of the billing desk of account {payer}."),
                    "It was asked for by somebody who may configure it. Nothing is to be done.".to_owned(),
                ],
                facts: Vec::new(),
            },
            attachments: Vec::new(),
        };
        let mut audience = Audience::default();
        match channel {
            Channel::Email => audience.emails.insert(recipient.to_owned()),
            Channel::Webhook => audience.webhooks.insert(recipient.to_owned()),
        };
        let audience = &audience;
        let queued = self
            .transaction(payer, |store, state| async move {
                let mut write = store.write(payer, &state.head).await?;
                let queued = outbox::queue(&mut write, news, audience).await?;
                Ok((state.commit(write, [request.done(channel.name())]).await?, queued))
            })
            .await?;
        self.0.outgoing.notify_waiters();
        Ok(queued)
    }
}
