//! What is settled about invoices, for all customers and for each, from a month on; and rates of exchange.

use super::{group, kept, rates};
use crate::clock::Clock;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error, refused};
use billing::account::AccountId;
use billing::invoice::{Date, Exchange};
use billing::money::{Currency, Rate};
use billing::period::BillingPeriod;
use invoice_file::settings::{check, merged};
use store::{ExchangeRateRow, InvoiceSettingsRow, Store};

/// Settings that somebody writes.
#[derive(Debug, Clone)]
pub struct NewSettings {
    /// The billing group, by ARN or id; `None`: of all.
    pub billing_group: Option<String>,
    /// The first month in which documents are issued under them; `None`: the current one.
    pub from: Option<BillingPeriod>,
    /// The settings, as JSON.
    pub settings: String,
}

/// Settings as they are in force in a month.
#[derive(Debug, Clone)]
pub struct SettingsView {
    /// Those of the billing group upon those of all, as JSON.
    pub settings: String,
    /// All that was ever settled of both, the earlier first.
    pub history: Vec<InvoiceSettingsRow>,
}

impl BackOffice {
    /// Settles what documents are made of from a month on. What was settled before stays on record.
    ///
    /// # Errors
    /// [`Error::Refused`] where the settings are not right.
    pub async fn put_invoice_settings(
        &self,
        request: &WriteRequest<'_>,
        new: &NewSettings,
    ) -> Answer<BillingPeriod> {
        let body = &check(&new.settings).map_err(|error| refused(error.to_string()))?;
        let from = new.from.unwrap_or_else(|| Clock::period_of(request.caller.now));
        let payer = &request.caller.payer;
        self.transaction(payer, |store, state| async move {
            let of = new.billing_group.as_deref().map(|named| group(&state.configuration, named)).transpose();
            let of = of.map_err(Error::from)?.map(|id| id.to_string()).unwrap_or_default();
            let rows = store.invoice_settings(payer).await?;
            let before = rows.iter().filter(|row| row.billing_group == of && row.from == from).count();
            let mut write = store.write(payer, &state.head).await?;
            let row = InvoiceSettingsRow {
                billing_group: of.clone(),
                from,
                version: before as u64 + 1,
                recorded_at_s: request.caller.now,
                recorded_by: request.caller.principal.clone(),
                body: body.clone(),
            };
            write.put_invoice_settings(row).await?;
            Ok((state.commit(write, [request.done(&of)]).await?, ()))
        })
        .await?;
        Ok(from)
    }

    /// What is settled about the documents of a billing group, or of all, that are issued in a month.
    ///
    /// # Errors
    /// [`Error::Refused`] where there is no such group.
    pub async fn invoice_settings(
        &self,
        payer: &AccountId,
        named: Option<&str>,
        month: BillingPeriod,
    ) -> Answer<SettingsView> {
        let state = self.state(payer).await?;
        let of = named.map(|named| group(&state.configuration, named)).transpose()?;
        let of = of.map(|id| id.to_string()).unwrap_or_default();
        let rows = self.0.store.invoice_settings(payer).await.map_err(Error::internal)?;
        let settings = in_force(&rows, &of, month)?;
        let history = rows.into_iter().filter(|row| row.billing_group.is_empty() || row.billing_group == of);
        Ok(SettingsView { settings, history: history.collect() })
    }

    /// Takes rates of exchange in; how many are new, and how many were known.
    ///
    /// # Errors
    /// [`Error::Refused`] with every rate that cannot be, or that is another than the known one.
    pub async fn import_exchange_rates(&self, request: &WriteRequest<'_>, text: &str) -> Answer<(u64, u64)> {
        let read = invoice_file::rates::read(text).map_err(|mistakes| refused(mistakes.join("; ")))?;
        let (payer, read) = (&request.caller.payer, &read);
        self.transaction(payer, |store, state| async move {
            if let Some(outcome) = request.answered(&store).await? {
                return Ok((state, outcome));
            }
            let mut table = rates(&store, payer).await?;
            let known: Vec<ExchangeRateRow> = store.exchange_rates(payer).await?;
            let mut new: Vec<ExchangeRateRow> = Vec::new();
            for rate in read {
                table.add(rate.clone()).map_err(|error| refused(error.to_string()))?;
                let row = row(rate, request);
                let is_same = |other: &ExchangeRateRow| {
                    (&other.from, &other.to, &other.day) == (&row.from, &row.to, &row.day)
                };
                if !known.iter().chain(&new).any(is_same) {
                    new.push(row);
                }
            }
            let outcome = (new.len() as u64, (read.len() - new.len()) as u64);
            let mut write = store.write(payer, &state.head).await?;
            write.put_exchange_rates(new).await?;
            kept((&state, write), request, "", outcome).await
        })
        .await
    }
}

/// The settings of a billing group in a month, upon those of all.
///
/// # Errors
/// [`Error::Internal`] where what is kept is not JSON.
pub(super) fn in_force(rows: &[InvoiceSettingsRow], of: &str, month: BillingPeriod) -> Answer<String> {
    let last = |group: &str| {
        let of_group = rows.iter().filter(|row| row.billing_group == group && row.from <= month);
        of_group.max_by_key(|row| (row.from, row.version)).map(|row| row.body.as_str())
    };
    let of_group = if of.is_empty() { None } else { last(of) };
    merged(last(""), of_group).map_err(Error::internal)
}

/// The settings of a payer's billing group in a month, as the store has them.
pub(super) async fn settings_of(
    store: &Store,
    payer: &AccountId,
    of: &str,
    month: BillingPeriod,
) -> Answer<String> {
    in_force(&store.invoice_settings(payer).await.map_err(Error::internal)?, of, month)
}

fn row(rate: &Exchange, request: &WriteRequest<'_>) -> ExchangeRateRow {
    ExchangeRateRow {
        from: rate.from.to_string(),
        to: rate.to.to_string(),
        day: rate.date.to_string(),
        rate: rate.rate.to_string(),
        source: rate.source.clone(),
        recorded_at_s: request.caller.now,
        recorded_by: request.caller.principal.clone(),
    }
}

/// A rate as it was kept.
pub(super) fn exchange(row: &ExchangeRateRow) -> Answer<Exchange> {
    let damaged = || Error::internal(format!("the exchange rate {row:?} is damaged"));
    Ok(Exchange {
        from: Currency::parse(&row.from).ok_or_else(damaged)?,
        to: Currency::parse(&row.to).ok_or_else(damaged)?,
        rate: Rate::parse(&row.rate).map_err(|_| damaged())?,
        source: row.source.clone(),
        date: Date::parse(&row.day).map_err(|_| damaged())?,
    })
}
