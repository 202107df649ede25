//! The operator's invoices to its customers: settled, drafted, looked at, issued, credited, paid.
//!
//! A draft is made of a closed period's run and says what its document has of its own. What is issued is composed anew under the settings of
//! the month of issue, gets the next number of its series in the transaction that keeps it, and never changes: a credit note takes it back.

pub mod books;
mod departed;
mod drafting;
mod elsewhere;
mod issuing;
mod listing;
mod matching;
mod options;
mod series_of_others;
mod settings;

pub use drafting::{DraftView, NewDraft, Preview};
pub use issuing::{NewCredit, NewPayment};
pub use listing::{InvoiceQuery, InvoiceView};
pub use options::{AdjustmentOption, DraftOptions};
pub use settings::{ImportedRates, NewSettings, SettingsView};
pub use store::{DraftState, InvoiceDraftRow, InvoicePaymentRow, InvoiceSettingsRow};

use crate::desk::{BackOffice, WriteRequest};
use crate::engine::RunCharges;
use crate::error::{Answer, Error, refused};
use crate::transaction::{Attempt, State};
use billing::account::AccountId;
use billing::configuration::{BillingGroupId, Configuration, Refusal};
use billing::invoice::exchange::RateTable;
use billing::invoice::{Date, Invoice};
use serde::Serialize;
use std::sync::Arc;
use store::{Store, Write};

/// A document as it is kept and given out: the JSON of `docs/invoices.md`.
#[must_use]
pub fn document_text(document: &Invoice) -> String {
    // JSON is UTF-8.
    String::from_utf8_lossy(&invoice_file::document::render(document)).into_owned()
}

impl BackOffice {
    /// What a run of a payer charges, exactly.
    async fn run_charges(&self, payer: &AccountId, run: &str) -> Answer<Arc<RunCharges>> {
        if let Some(known) = self.0.charges.get(payer, run) {
            return Ok(known);
        }
        let row = self.0.store.run(payer, run).await.map_err(Error::internal)?;
        let found = row.and_then(|row| Some((row.done().cloned()?, row.asked.period)));
        let Some((done, period)) = found else {
            return Err(Error::internal(format!("run `{run}` has no result")));
        };
        let _reading = self.reading().await?;
        let folder = self.folder(&done.folder);
        let mut charges = self.ask_of_runs(move |engine| engine.charges(&folder)).await?;
        for group in &mut charges.groups {
            // Invoices know groups by their ids: names change.
            if let Some(id) = done.groups.get(&group.billing_group) {
                group.billing_group.clone_from(id);
            }
        }
        charges.groups.extend(self.departed(payer, period).await?);
        let charges = Arc::new(charges);
        self.0.charges.put(payer, run, charges.clone());
        Ok(charges)
    }
}

/// The rates of exchange that a payer has imported.
async fn rates(store: &Store, payer: &AccountId) -> Answer<RateTable> {
    let mut table = RateTable::default();
    for row in store.exchange_rates(payer).await.map_err(Error::internal)? {
        table.add(settings::exchange(&row)?).map_err(Error::internal)?;
    }
    Ok(table)
}

/// Keeps a change with its audit entry, and its answer under the request's token.
async fn kept<T: Serialize>(
    (state, mut write): (&State, Write),
    request: &WriteRequest<'_>,
    resource: &str,
    outcome: T,
) -> Result<(Arc<State>, T), Attempt> {
    request.keep_answer(&mut write, &serde_json::to_string(&outcome).map_err(Error::internal)?).await?;
    Ok((state.commit(write, [request.done(resource)]).await?, outcome))
}

/// Today where the seller of a billing group's documents is: the day of its own clock, not of Greenwich's.
async fn sellers_day(store: &Store, request: &WriteRequest<'_>, of: &str) -> Answer<Date> {
    let now = request.caller.now;
    let settings =
        settings::settings_of(store, &request.caller.payer, of, Date::of_seconds(now).month()).await?;
    let offset = invoice_file::settings::utc_offset(&settings).map_err(|error| refused(error.to_string()))?;
    Ok(Date::of_seconds(now.saturating_add(offset)))
}

/// The day that somebody names, not after today; today where none is named.
fn day(text: Option<&str>, today: Date) -> Answer<Date> {
    let Some(text) = text else { return Ok(today) };
    let day = Date::parse(text).map_err(|error| refused(error.to_string()))?;
    if day > today {
        return Err(refused(format!("{day} is yet to come; name {today} or an earlier day")));
    }
    Ok(day)
}

/// The billing group that an ARN, an id or a name means, whether or not it is there any more.
fn group(configuration: &Configuration, named: &str) -> Result<BillingGroupId, Refusal> {
    billing::configuration::group_called(configuration, named, None)
}
