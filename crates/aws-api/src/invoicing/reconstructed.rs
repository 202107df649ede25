//! Invoices of AWS that cost files tell, in the shape of `InvoiceSummary`; and the other way round, what AWS's list says, to be held against them.
//!
//! What cost files do not tell is absent: when an invoice was issued, when it is due, in which currency it was paid. Amounts are exact, as in the
//! cost files; AWS's own list has them rounded.

use super::second;
use aws_wire::json::Value;
use back_office::aws_invoices::ReceivedInvoice;
use back_office::error::{Answer, Error};
use billing::invoice::aws::Summary;
use billing::invoice::date::Date;
use billing::money::{Cost, Currency};
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};

/// An invoice in the API's shape.
pub(super) fn summary(received: &ReceivedInvoice) -> Answer<Value> {
    let ReceivedInvoice { account, invoice } = received;
    let mut members = BTreeMap::from([
        ("AccountId".to_owned(), Value::from(account.as_str())),
        ("InvoiceId".to_owned(), invoice.id.as_deref().unwrap_or_default().into()),
        ("BaseCurrencyAmount".to_owned(), amounts(received)?),
        (
            "BillingPeriod".to_owned(),
            map([
                ("Month", i64::from(invoice.period.month()).into()),
                ("Year", i64::from(invoice.period.year()).into()),
            ]),
        ),
    ]);
    if let Some((bill_type, frequency, kind)) = invoice.kind.as_summary() {
        for (name, text) in [("BillType", bill_type), ("InvoiceFrequency", frequency), ("InvoiceType", kind)]
        {
            members.insert(name.to_owned(), text.into());
        }
    }
    let billing = invoice.listed_billing_entity().map(ToOwned::to_owned);
    let entity = [("BillingEntity", billing), ("InvoicingEntity", only(&invoice.invoicing_entities))];
    let entity: Vec<_> = entity.into_iter().filter_map(|(name, text)| Some((name, text?.into()))).collect();
    if !entity.is_empty() {
        members.insert("Entity".to_owned(), map(entity));
    }
    Ok(Value::Map(members))
}

/// The month that an invoice is for.
pub(super) fn period_of(summary: &Value) -> Option<BillingPeriod> {
    let number = |name: &str| match summary.get("BillingPeriod")?.get(name)? {
        Value::Number(number) => number.to_i64(),
        _ => None,
    };
    let (year, month) = (number("Year")?, number("Month")?);
    BillingPeriod::new(u16::try_from(year).ok()?, u8::try_from(month).ok()?)
}

/// What an invoice comes to.
fn amounts(received: &ReceivedInvoice) -> Answer<Value> {
    let (sums, currency) = (&received.invoice.sums, received.invoice.currency);
    let text = |cost: Cost| Value::from(cost.to_string());
    let total = sums.total().map_err(Error::internal)?;
    let before_tax = sums.before_tax().map_err(Error::internal)?;
    let discounts = sums.discounts.plus(sums.credits).map_err(Error::internal)?;
    let sub_total = before_tax.minus(discounts).map_err(Error::internal)?;
    let parts = [("Discounts", sums.discounts), ("Credits", sums.credits)];
    let parts = parts.into_iter().filter(|(_, amount)| !amount.is_zero());
    let parts = parts.map(|(what, amount)| map([("Description", what.into()), ("Amount", text(amount))]));
    Ok(map([
        ("TotalAmount", text(total)),
        ("TotalAmountBeforeTax", text(before_tax)),
        ("CurrencyCode", currency.as_str().into()),
        (
            "AmountBreakdown",
            map([
                ("SubTotalAmount", text(sub_total)),
                (
                    "Discounts",
                    map([("Breakdown", Value::List(parts.collect())), ("TotalAmount", text(discounts))]),
                ),
                ("Taxes", map([("TotalAmount", text(sums.tax))])),
            ]),
        ),
    ]))
}

fn map<'n>(members: impl IntoIterator<Item = (&'n str, Value)>) -> Value {
    Value::Map(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The one text of a set; `None` where there are none or several.
fn only(texts: &BTreeSet<String>) -> Option<String> {
    texts.first().filter(|_| texts.len() == 1).cloned()
}

/// What AWS's list says of an invoice; `None` where it says no total in a currency, so that nothing can be compared.
pub(crate) fn listed(summary: &Value) -> Option<Summary> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let date = |name: &str| match summary.get(name)? {
        Value::Number(number) => Some(Date::of_seconds(second(number))),
        _ => None,
    };
    let amounts = summary.get("BaseCurrencyAmount")?;
    let amount = |name: &str| Cost::parse(&text(amounts, name)?).ok();
    let entity = |name: &str| text(summary.get("Entity")?, name);
    Some(Summary {
        id: text(summary, "InvoiceId")?,
        account: text(summary, "AccountId"),
        issued: date("IssuedDate"),
        due: date("DueDate"),
        period: period_of(summary),
        billing_entity: entity("BillingEntity"),
        invoicing_entity: entity("InvoicingEntity"),
        bill_type: text(summary, "BillType"),
        invoice_type: text(summary, "InvoiceType"),
        commercial: text(summary, "CommercialInvoiceId"),
        original: text(summary, "OriginalInvoiceId"),
        purchase_order: text(summary, "PurchaseOrderNumber"),
        currency: Currency::parse(&text(amounts, "CurrencyCode")?)?,
        total: amount("TotalAmount")?,
        before_tax: amount("TotalAmountBeforeTax"),
    })
}
