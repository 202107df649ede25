//! What is settled about invoices, for all customers and for each, from a month on; and rates of exchange.

use super::listing::view;
use super::{group, sellers_day};
use crate::audit::{Decision, Entry};
use crate::clock::Clock;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error, refused};
use billing::account::AccountId;
use billing::invoice::exchange::RateTable;
use billing::invoice::{Date, Exchange};
use billing::money::{Currency, Rate};
use billing::period::BillingPeriod;
use invoice_file::settings::{check, merged};
use serde::{Deserialize, Serialize};
use store::{ExchangeRateRow, InvoiceFilter, InvoiceSettingsRow, Store};

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

/// What became of the rates of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedRates {
    /// How many are new.
    pub new_count: u64,
    /// How many were known as they are.
    pub known_count: u64,
    /// How many were known otherwise, and are corrected. Answers that were kept before there were any have none.
    #[serde(default)]
    pub corrected_count: u64,
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

    /// Takes rates of exchange in. A known rate stays as it is, unless it is to be corrected and no issued document has taken it.
    ///
    /// # Errors
    /// [`Error::Refused`] with every rate that cannot be, that is of a day to come, or that is another than the known one.
    pub async fn import_exchange_rates(
        &self,
        request: &WriteRequest<'_>,
        text: &str,
        corrects: bool,
    ) -> Answer<ImportedRates> {
        let read = invoice_file::rates::read(text).map_err(|mistakes| refused(mistakes.join("; ")))?;
        sound_rates(&read, sellers_day(&self.0.store, request, "").await?)?;
        let (payer, read) = (&request.caller.payer, &read);
        self.transaction(payer, |store, state| async move {
            if let Some(outcome) = request.answered(&store).await? {
                return Ok((state, outcome));
            }
            let known = store.exchange_rates(payer).await?;
            let change = rate_change(read, &known, corrects, request)?;
            not_taken(&store, payer, &change.corrected).await?;
            let outcome = ImportedRates {
                new_count: change.new.len() as u64,
                known_count: change.known_count,
                corrected_count: change.corrected.len() as u64,
            };
            let entries: Vec<Entry> = change.corrected.iter().map(|of| correction(of, request)).collect();
            let mut write = store.write(payer, &state.head).await?;
            write.put_exchange_rates(change.new).await?;
            write.correct_exchange_rates(change.corrected.into_iter().map(|of| of.now).collect()).await?;
            request
                .keep_answer(&mut write, &serde_json::to_string(&outcome).map_err(Error::internal)?)
                .await?;
            let done = std::iter::once(request.done("")).chain(entries);
            Ok((state.commit(write, done).await?, outcome))
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

/// What a file of rates changes.
#[derive(Default)]
struct RateChange {
    new: Vec<ExchangeRateRow>,
    known_count: u64,
    corrected: Vec<Corrected>,
}

/// A known rate, and what is to be known in its place.
struct Corrected {
    was: ExchangeRateRow,
    now: ExchangeRateRow,
}

/// Refuses rates that cannot be, and those of days to come: nobody has published them yet.
fn sound_rates(read: &[Exchange], today: Date) -> Answer<()> {
    let mut of_file = RateTable::default();
    for rate in read {
        of_file.add(rate.clone()).map_err(|error| refused(error.to_string()))?;
        if rate.date > today {
            let Exchange { from, to, rate, date, .. } = rate;
            return Err(refused(format!(
                "the rate `{rate}` from {from} to {to} is of {date}, which is yet to come: today is {today}; is its year right?"
            )));
        }
    }
    Ok(())
}

/// What rates change upon those that are known.
fn rate_change(
    read: &[Exchange],
    known: &[ExchangeRateRow],
    corrects: bool,
    request: &WriteRequest<'_>,
) -> Answer<RateChange> {
    let mut change = RateChange::default();
    for rate in read {
        let now = row(rate, request);
        let is_same =
            |other: &&ExchangeRateRow| (&other.from, &other.to, &other.day) == (&now.from, &now.to, &now.day);
        match known.iter().find(is_same) {
            None if change.new.iter().any(|other| is_same(&other)) => change.known_count += 1,
            None => change.new.push(now),
            Some(was) if corrects && (&was.rate, &was.source) != (&now.rate, &now.source) => {
                change.corrected.push(Corrected { was: was.clone(), now });
            }
            Some(was) => {
                let mut table = RateTable::default();
                table.add(exchange(was)?).map_err(Error::internal)?;
                table.add(rate.clone()).map_err(|error| refused(error.to_string()))?;
                change.known_count += 1;
            }
        }
    }
    Ok(change)
}

/// Refuses to correct a rate that an issued document has taken: what it says could not be understood any more.
async fn not_taken(store: &Store, payer: &AccountId, corrected: &[Corrected]) -> Answer<()> {
    if corrected.is_empty() {
        return Ok(());
    }
    let issued = store.issued_invoices(payer, &InvoiceFilter::default(), 0, usize::MAX).await;
    for document in issued.map_err(Error::internal)? {
        let (invoice, _) = view(&document)?;
        let of_tax = invoice.tax_currency.as_ref().map(|of| &of.exchange);
        for taken in invoice.exchange.iter().chain(of_tax) {
            let key = (taken.from.to_string(), taken.to.to_string(), taken.date.to_string());
            let is_it = |of: &&Corrected| (&of.was.from, &of.was.to, &of.was.day) == (&key.0, &key.1, &key.2);
            if let Some(Corrected { was, .. }) = corrected.iter().find(is_it) {
                return Err(refused(format!(
                    "the rate `{}` from {} to {} of {} stays: `{}` was issued with it; credit that in full, and import a rate of \
                     another day for what is issued next",
                    was.rate, was.from, was.to, was.day, document.number
                )));
            }
        }
    }
    Ok(())
}

/// The entry that keeps what a rate was before its correction.
fn correction(Corrected { was, now }: &Corrected, request: &WriteRequest<'_>) -> Entry {
    let said = |row: &ExchangeRateRow| serde_json::json!({ "Rate": row.rate, "Source": row.source });
    let detail = serde_json::json!({ "Before": said(was), "After": said(now) }).to_string();
    let resource = format!("{}/{} {}", was.from, was.to, was.day);
    Entry::now(request.caller, request.action, &resource, &detail, Decision::Done)
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
