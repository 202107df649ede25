//! Summaries of AWS's invoices.

use super::reconstructed::period_of;
use super::{InvoicingRefusal, field, kept, page, reconstructed, second};
use crate::call::{Call, json};
use aws_wire::json::{Number, Value};
use back_office::error::{Answer, Error};
use back_office::invoice_summaries::{self, SummariesOf};
use back_office::invoicing::InvoicingReason;
use billing::account::AccountId;
use billing::invoice::aws::Summary;
use billing::period::BillingPeriod;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const PAGE: usize = 100;
const ORDER_NUMBER: &str = "PurchaseOrderNumber";
const DAY: i64 = 86_400;
/// How long an interval may be without a receiver's role: one month.
const MONTH_DAYS_MAX: i64 = 31;
/// The same with a role: five years, two leap days among them.
const YEARS_DAYS_MAX: i64 = 5 * 365 + 2;
/// The first month of which there is something by role.
const FIRST_BY_ROLE: &str = "2025-06";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Selector {
    resource_type: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DateInterval {
    start_date: Number,
    end_date: Number,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Month {
    month: u8,
    year: u16,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    time_interval: Option<DateInterval>,
    billing_period: Option<Month>,
    invoicing_entity: Option<String>,
    receiver_role: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListInvoiceSummaries {
    selector: Selector,
    #[serde(default)]
    filter: Filter,
    next_token: Option<String>,
    max_results: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InvoiceSummaries {
    invoice_summaries: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `ListInvoiceSummaries`: by when they were issued, the earliest first.
pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: ListInvoiceSummaries = call.read()?;
    let wanted = Wanted::of(&input.filter)?;
    let page = page(call, input.max_results, input.next_token.as_deref(), PAGE)?;
    let Selector { resource_type, value } = &input.selector;
    let account = AccountId::parse(value).filter(AccountId::has_twelve_digits);
    let of = match (resource_type.as_str(), &account) {
        ("INVOICE_ID", _) => SummariesOf::Invoice(value),
        (_, Some(account)) => SummariesOf::Account(account),
        _ => return Err(field("Selector.Value", "an account id has twelve digits")),
    };
    let mut found = all(call, of).await?;
    if found.is_empty() && resource_type == "INVOICE_ID" {
        return Err(InvoicingRefusal::not_found("invoice", value).into());
    }
    found.retain(|(_, summary)| wanted.takes(summary));
    let entries = found.into_iter().map(|(id, summary)| (position(&id, &summary), summary));
    let entries: BTreeMap<String, Value> = entries.filter(|(at, _)| *at > page.after).collect();
    let (mut invoice_summaries, next_token) = call.cut(&page, entries)?;
    put_purchase_orders(call, &mut invoice_summaries).await?;
    json(&InvoiceSummaries { invoice_summaries, next_token })
}

/// Every summary that is known, each with its invoice: what AWS has told, and of the others what was found in the cost files.
pub(crate) async fn all(call: &Call<'_>, of: SummariesOf<'_>) -> Answer<Vec<(String, Value)>> {
    let payer = &call.caller.payer;
    let mut found = Vec::new();
    for received in call.desk.received_invoices(payer).await? {
        let id = received.invoice.id.clone().unwrap_or_default();
        let is_asked = match of {
            SummariesOf::Invoice(wanted) => id == wanted,
            SummariesOf::Account(account) => received.account == *account,
            SummariesOf::Period(period) => received.invoice.period == period,
        };
        if is_asked {
            let summary = reconstructed::summary(&received)?;
            found.push((id, summary));
        }
    }
    // What AWS has told stands in place of what the cost files tell, also where it tells of another account.
    let known = call.desk.told_of(payer, found.iter().map(|(id, _)| id.as_str())).await?;
    found.retain(|(id, _)| !known.contains(id));
    for (id, body) in call.desk.imported_summaries(payer, of).await? {
        found.push((id, kept(&body)?));
    }
    Ok(found)
}

/// What AWS has told of the invoices of a month, as far as it can be compared.
pub(crate) async fn list_of(call: &Call<'_>, period: BillingPeriod) -> Answer<Vec<Summary>> {
    let told = call.desk.imported_summaries(&call.caller.payer, SummariesOf::Period(period)).await?;
    // What says no total in a currency was warned of when it was imported.
    let listed = |(_, body): (String, String)| invoice_summaries::Summary::of_json(&body).ok()?.listed().ok();
    Ok(told.into_iter().filter_map(listed).filter(Summary::charges).collect())
}

/// Says of invoices which purchase orders they are associated with here.
async fn put_purchase_orders(call: &Call<'_>, summaries: &mut [Value]) -> Answer<()> {
    let ids = summaries.iter().filter_map(|summary| summary.get("InvoiceId")?.as_str());
    let ids: BTreeSet<String> = ids.map(ToOwned::to_owned).collect();
    let (numbers, unseen) = call.desk.purchase_orders_of(call.caller, &ids).await?;
    for summary in summaries {
        let here = summary.get("InvoiceId").and_then(Value::as_str).and_then(|id| numbers.get(id));
        let of_aws = summary.get(ORDER_NUMBER).and_then(Value::as_str).map(ToOwned::to_owned);
        let (Some(number), Value::Map(members)) = (here.cloned().or(of_aws), summary) else { continue };
        match unseen.contains(&number) {
            true => drop(members.remove(ORDER_NUMBER)),
            false => drop(members.insert(ORDER_NUMBER.to_owned(), number.as_str().into())),
        }
    }
    Ok(())
}

/// Where a summary is in the list. What cost files charge in two currencies is there twice.
fn position(id: &str, summary: &Value) -> String {
    let currency = summary.get("BaseCurrencyAmount").and_then(|amounts| amounts.get("CurrencyCode"));
    let currency = currency.and_then(Value::as_str).unwrap_or_default();
    format!("{:020} {id} {currency}", issued_or_due(summary).unwrap_or_default().max(0))
}

/// When an invoice was issued, or is taken for having been: what cost files tell of an invoice has no date, and a month is invoiced when it is over.
fn issued_or_due(summary: &Value) -> Option<i64> {
    issued(summary).or_else(|| period_of(summary).map(BillingPeriod::end_seconds))
}

/// When an invoice was issued, in seconds since 1970-01-01T00:00:00Z.
fn issued(summary: &Value) -> Option<i64> {
    match summary.get("IssuedDate")? {
        Value::Number(number) => Some(second(number)),
        _ => None,
    }
}

/// What a filter takes.
struct Wanted {
    interval: Option<(i64, i64)>,
    period: Option<BillingPeriod>,
    entity: Option<String>,
    role: Option<String>,
}

impl Wanted {
    /// A filter, held to what AWS documents of it.
    fn of(filter: &Filter) -> Answer<Self> {
        let Filter { time_interval, billing_period, invoicing_entity: entity, receiver_role: role } = filter;
        let interval = time_interval.as_ref().map(|of| (second(&of.start_date), second(&of.end_date)));
        let period = billing_period.as_ref().map(|of| {
            BillingPeriod::new(of.year, of.month)
                .ok_or_else(|| field("Filter.BillingPeriod", "there is no such month"))
        });
        let period = period.transpose()?;
        if let Some((start, end)) = interval {
            interval_fits(start, end, role.is_some())?;
        }
        let first = BillingPeriod::parse(FIRST_BY_ROLE).map_err(Error::internal)?;
        let is_early = interval.is_some_and(|(start, _)| start < first.start_seconds())
            || period.is_some_and(|period| period < first);
        if role.is_some() && is_early {
            let message = format!("with ReceiverRole there is nothing before {FIRST_BY_ROLE}-01");
            return Err(invalid("Filter.ReceiverRole", message));
        }
        Ok(Self { interval, period, entity: entity.clone(), role: role.clone() })
    }

    /// Whether it takes a summary.
    fn takes(&self, summary: &Value) -> bool {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(ToOwned::to_owned);
        let is = |wanted: &Option<String>, value: Option<&Value>| wanted.is_none() || *wanted == text(value);
        let is_within = |(start, end): (i64, i64)| {
            issued_or_due(summary).is_some_and(|issued| start <= issued && issued < end)
        };
        self.interval.is_none_or(is_within)
            && self.period.is_none_or(|period| period_of(summary) == Some(period))
            && is(&self.entity, summary.get("Entity").and_then(|entity| entity.get("InvoicingEntity")))
            && is(&self.role, summary.get("ReceiverRole"))
    }
}

/// An interval as long as it may be: a month, or five years for one role.
fn interval_fits(start: i64, end: i64, has_role: bool) -> Answer<()> {
    if start >= end {
        return Err(invalid("Filter.TimeInterval", "EndDate must be after StartDate"));
    }
    let (days, what) = match has_role {
        true => (YEARS_DAYS_MAX, "five years"),
        false => (MONTH_DAYS_MAX, "one month without ReceiverRole"),
    };
    match end.saturating_sub(start) > days * DAY {
        true => Err(invalid("Filter.TimeInterval", format!("an interval has at most {what}"))),
        false => Ok(()),
    }
}

fn invalid(name: &str, message: impl Into<String>) -> Error {
    InvoicingRefusal::of(InvoicingReason::InvalidInput, name, message).into()
}
