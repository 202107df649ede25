//! Whether a payer's books of issued documents are whole: `proforma verify` asks.
//!
//! Hashes say that a row is as it was written, not that none is gone: a document that is gone would have its number given again. So documents are held
//! to one another, to the drafts that they were made of, and to the audit, from which nobody takes an entry unseen.

use billing::account::AccountId;
use billing::invoice::{Date, Kind};
use std::collections::{BTreeMap, BTreeSet};
use store::{
    DraftState, InvoiceDraftRow, InvoiceFilter, InvoicePaymentRow, IssuedInvoiceRow, Store, StoreError,
};

/// Whose entries name a document that was issued.
const ISSUING: [&str; 2] = ["proforma:IssueInvoice", "proforma:CreditInvoice"];
/// Whose entries name an invoice of which a payment was recorded.
const PAYING: &str = "proforma:RecordPayment";
/// What stands in an entry where a number, or a part of it, was taken for the name of a person.
const ERASED: &str = "erased-";
/// How many problems are named.
const NAMED_MAX: usize = 20;

/// What is wrong with a payer's books: a few problems.
///
/// # Errors
/// [`StoreError`] of the database; of a document that is not the one that was issued.
pub async fn problems(store: &Store, payer: &AccountId) -> Result<Vec<String>, StoreError> {
    // First what names documents and payments: what a server adds meanwhile is in the books then, and not in these.
    let mut issued = store.done_on(payer, ISSUING[0]).await?;
    issued.extend(store.done_on(payer, ISSUING[1]).await?);
    let paid = store.done_on(payer, PAYING).await?;
    let drafts = store.invoice_drafts(payer).await?;
    let rows = store.issued_invoices(payer, &InvoiceFilter::default(), 0, usize::MAX).await?;
    let payments = store.invoice_payments(payer, None).await?;
    let mut problems = gaps(&rows);
    problems.extend(rows.iter().filter_map(unlike_its_document));
    problems.extend(gone(&rows, &issued, &drafts));
    problems.extend(payments_gone(&payments, &paid));
    problems.truncate(NAMED_MAX);
    Ok(problems)
}

/// Documents have places from 1 on, and counts of their series one after the other; a series may start anew with a year.
fn gaps(rows: &[IssuedInvoiceRow]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut last_of: BTreeMap<&str, &IssuedInvoiceRow> = BTreeMap::new();
    for (row, place) in rows.iter().zip(1..) {
        if row.place != place {
            problems.push(format!("the document in place {place} is gone, before `{}`", row.number));
            break;
        }
    }
    for row in rows {
        if let Some(last) = last_of.insert(&row.series, row) {
            let is_next = row.series_count == last.series_count + 1;
            let year = |row: &IssuedInvoiceRow| Date::parse(&row.issued_on).map(Date::year).ok();
            if !is_next && year(row) <= year(last) {
                let (series, number, before) = (&row.series, &row.number, &last.number);
                problems.push(format!("in series `{series}`, `{number}` does not follow `{before}`"));
            }
        }
    }
    problems
}

/// What of a row its document says otherwise.
fn unlike_its_document(row: &IssuedInvoiceRow) -> Option<String> {
    let number = &row.number;
    let document = match invoice_file::document::read(row.document.as_bytes()) {
        Ok(document) => document,
        Err(error) => return Some(format!("document `{number}` cannot be read: {error}")),
    };
    let is_credit = document.kind == Kind::CreditNote;
    let is_alike = document.number == *number
        && document.issued.to_string() == row.issued_on
        && is_credit == row.original.is_some();
    let says = format!("`{}` of {}", document.number, document.issued);
    (!is_alike)
        .then(|| format!("what is recorded as `{number}` of {} is {says} by its document", row.issued_on))
}

/// Documents that the audit says were issued, or that drafts say they became, and that are not there.
fn gone(rows: &[IssuedInvoiceRow], audited: &[String], drafts: &[InvoiceDraftRow]) -> Vec<String> {
    let there: BTreeSet<&str> = rows.iter().map(|row| row.number.as_str()).collect();
    let drafted = drafts.iter().filter_map(|draft| match &draft.state {
        DraftState::Issued(number) => Some(number),
        DraftState::Open | DraftState::Discarded => None,
    });
    let named: BTreeSet<&str> = drafted.chain(audited).map(String::as_str).collect();
    let is_gone = |number: &&&str| !there.contains(**number) && !number.contains(ERASED);
    let gone = named.iter().filter(is_gone);
    gone.map(|number| format!("document `{number}` was issued and is gone")).collect()
}

/// Payments are numbered from 1 on, and there are at least as many of an invoice as the audit knows of: its beginning may be gone by right.
fn payments_gone(payments: &[InvoicePaymentRow], audited: &[String]) -> Vec<String> {
    let mut known: BTreeMap<&str, u64> = BTreeMap::new();
    for invoice in audited.iter().filter(|invoice| !invoice.contains(ERASED)) {
        *known.entry(invoice).or_default() += 1;
    }
    let mut there: BTreeMap<&str, u64> = BTreeMap::new();
    for payment in payments {
        *there.entry(&payment.invoice).or_default() += 1;
        let last = known.entry(&payment.invoice).or_default();
        *last = payment.number.max(*last);
    }
    let mut problems = Vec::new();
    for (invoice, expected) in known {
        let found = there.get(invoice).copied().unwrap_or_default();
        if found < expected {
            problems.push(format!(
                "of invoice `{invoice}` {expected} payments were recorded, and {found} are there"
            ));
        }
    }
    problems
}
