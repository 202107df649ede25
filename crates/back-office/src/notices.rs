//! Notices of purchase orders: what is due is said by `billing::matching::notices`; here it is put into words and into the outbox.
//!
//! Looked at every minute by each server, and at once where somebody asks. A notice that is in the outbox is not written again, by whichever server.

pub(crate) mod looked;
mod standing;
mod wording;

use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error};
use crate::invoice_schedule;
use crate::notifications::NotificationSettings;
use crate::outbox::{self, Audience, News, news_key, queued_key};
use crate::transaction::Attempt;
use billing::account::AccountId;
use billing::matching::notices::{Notice, Threshold, due};
use billing::money::Percentage;
use billing::purchase_order::PurchaseOrder;
use looked::{AsOf, Due};
use standing::Standing;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::NewMessage;

/// How many notices are written in one transaction: others of the payer wait for it.
const AT_ONCE: usize = 500;
/// The units of one percent.
const PERCENT: i128 = 10_000;
/// The kinds of news that are made of how purchase orders stand.
const KINDS: [&str; 7] = [
    "balance-low",
    "expiry",
    "out-of-balance",
    "invoice-without-purchase-order",
    "forecast-exhaustion",
    "forecast-above-balance",
    "purchase-order-needed",
];

/// What is to be told, and to whom.
type Told = (News, Audience);

impl BackOffice {
    /// Looks at the purchase orders of every payer, and queues what is due. What is wrong with one payer is in the way of no other.
    ///
    /// # Errors
    /// [`Error::Internal`] of the last payer that could not be looked at.
    pub async fn look_at_purchase_orders(&self) -> Answer<()> {
        let mut looked = Ok(());
        for payer in self.0.store.payers().await.map_err(Error::internal)? {
            let payer = payer.payer;
            let as_of = match self.as_of(&payer).await {
                Ok(as_of) if self.0.looked.has(&payer, &as_of) => continue,
                as_of => as_of,
            };
            let told = match as_of {
                Ok(as_of) => self.tell(&payer, None).await.map(|_| self.0.looked.note(&payer, as_of)),
                Err(error) => Err(error),
            };
            if let Err(error) = told {
                tracing::warn!(%payer, ?error, "the purchase orders of a payer could not be looked at");
                looked = Err(error);
            }
        }
        looked
    }

    async fn as_of(&self, payer: &AccountId) -> Answer<AsOf> {
        let store = &self.0.store;
        let rows =
            store.desk_settings(payer, crate::notifications::SETTING).await.map_err(Error::internal)?;
        Ok(AsOf {
            purchasing: store.purchasing_revision(payer).await.map_err(Error::internal)?,
            settings: rows.first().map_or(0, |row| row.revision),
            day: self.now().div_euclid(86_400),
            open: self.open_period(payer).await?,
        })
    }

    /// Looks at the purchase orders of a payer now, and queues what is due; says how many messages that made.
    ///
    /// # Errors
    /// [`Error::Denied`] for a principal that is narrowed to some purchase orders: news is about all of them.
    pub async fn check_notices(&self, request: &WriteRequest<'_>) -> Answer<usize> {
        self.order_rights(request.caller, request.action).await?;
        self.tell(&request.caller.payer, Some(request)).await
    }

    /// Whether a message would be written now as well: what it says may have changed since it was, and so may whom it concerns. An invoice may have been
    /// taken back as a whole. News of other kinds stays true.
    pub(crate) async fn still_holds(&self, payer: &AccountId, message: &NewMessage) -> Answer<bool> {
        if message.kind == invoice_schedule::INVOICE {
            return match invoice_schedule::number_in(news_key(message)) {
                Some(number) => Ok(!self.is_taken_back(payer, number).await?),
                None => Ok(true),
            };
        }
        if !KINDS.contains(&message.kind.as_str()) {
            return Ok(true);
        }
        let as_of = self.as_of(payer).await?;
        let due = match self.0.looked.due(payer, &as_of) {
            Some(due) => due,
            None => self.due_now(payer).await?.1,
        };
        Ok(due.contains(queued_key(message)))
    }

    /// What is to be told as things stand, and the keys of the messages that it makes.
    async fn due_now(&self, payer: &AccountId) -> Answer<(Vec<Told>, Due)> {
        // Whatever changes while it is read is looked at again.
        let as_of = self.as_of(payer).await?;
        let settings = self.notifications(payer).await?;
        let standing = self.standing(payer).await?;
        let told = told(&standing, &settings, self.now())?;
        let due: Due = Arc::new(told.iter().flat_map(|(news, audience)| audience.keys(news)).collect());
        self.0.looked.note_due(payer, as_of, due.clone());
        Ok((told, due))
    }

    async fn tell(&self, payer: &AccountId, request: Option<&WriteRequest<'_>>) -> Answer<usize> {
        let (told, _) = self.due_now(payer).await?;
        let known: BTreeSet<String> =
            self.0.store.message_keys(payer).await.map_err(Error::internal)?.into_iter().collect();
        let fresh: Vec<_> =
            told.into_iter().filter(|(news, audience)| audience.has_news(news, &known)).collect();
        let mut queued = 0;
        for some in fresh.chunks(AT_ONCE) {
            queued += self.queue_all(payer, some).await?;
        }
        if let Some(request) = request {
            self.transaction(payer, |store, state| async move {
                let write = store.write(payer, &state.head).await?;
                Ok((state.commit(write, [request.done("notices")]).await?, ()))
            })
            .await?;
        }
        if queued > 0 {
            tracing::info!(%payer, queued, "notices of purchase orders are to be sent");
            self.0.outgoing.notify_waiters();
        }
        Ok(queued)
    }

    async fn queue_all(&self, payer: &AccountId, told: &[Told]) -> Answer<usize> {
        self.transaction(payer, |store, state| async move {
            let mut write = store.write(payer, &state.head).await?;
            let mut queued = 0;
            for (news, audience) in told {
                queued += outbox::queue(&mut write, news, audience).await?;
            }
            Ok::<_, Attempt>((state.commit(write, []).await?, queued))
        })
        .await
    }
}

/// What is to be told of how things stand, each notice to those whom it concerns: the contacts of its own order, and whom the payer has named.
fn told(standing: &Standing, settings: &NotificationSettings, now: i64) -> Answer<Vec<Told>> {
    let thresholds = thresholds(&settings.balance_percent);
    let notices = due(&standing.orders(), &standing.invoices(), standing.settings(), &thresholds, now);
    let notices = notices.map_err(Error::internal)?;
    let mut told = Vec::new();
    for notice in notices {
        let order = notice.order.as_ref().and_then(|id| standing.order(&notice.buyer, id));
        let news = wording::news(&notice, order);
        let audience = settings.audience(contacts(&notice, order));
        if settings.tells(&news.kind) && !audience.is_empty() {
            told.push((news, audience));
        }
    }
    Ok(told)
}

/// The addresses of the contacts of the order that a notice is about: of no other one.
fn contacts<'a>(notice: &Notice, order: Option<&'a PurchaseOrder>) -> Vec<&'a str> {
    let own = order.filter(|order| notice.order.as_ref() == Some(&order.id) && notice.buyer == order.buyer);
    own.into_iter().flat_map(|order| &order.contacts).map(|contact| contact.email.as_str()).collect()
}

fn thresholds(percents: &[u32]) -> BTreeSet<Threshold> {
    let threshold = |percent: &u32| match percent {
        0 => Some(Threshold::UsedUp),
        above => Percentage::from_units(i128::from(*above) * PERCENT).ok().map(Threshold::Below),
    };
    percents.iter().filter_map(threshold).collect()
}
