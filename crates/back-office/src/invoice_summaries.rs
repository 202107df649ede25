//! Summaries of the invoices that AWS has issued: as AWS has told them, imported; and which purchase orders they have.

use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error};
use crate::purchasing::PurchaseEdit;
use crate::purchasing::invoice_files::{ReadSummary, read_summary};
use crate::purchasing::matching::{InvoiceSource, NewInvoice, take_in};
use billing::account::AccountId;
use billing::period::BillingPeriod;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::InvoiceSummaryRow;

pub use store::SummariesOf;

/// A summary that is imported.
#[derive(Debug, Clone)]
pub struct ImportedSummary {
    /// The invoice.
    pub invoice_id: String,
    /// Whose invoice it is.
    pub account: AccountId,
    /// The month that it is for, where it is for one.
    pub period: Option<BillingPeriod>,
    /// JSON in the API's shape `InvoiceSummary`.
    pub body: String,
}

/// What an import came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummariesImported {
    /// Invoices that were not known.
    pub new: u64,
    /// Invoices of which AWS says something else than before; what it said before is kept, too.
    pub changed: u64,
    /// Invoices that are as they were.
    pub unchanged: u64,
    /// How many that were new to the matching were charged to a purchase order of the payer's.
    #[serde(default)]
    pub matched: u64,
    /// What the user should know about purchase orders.
    #[serde(default)]
    pub warnings: Vec<String>,
}

impl BackOffice {
    /// Keeps summaries of invoices, each in place of the one that there is, and matches with the payer's purchase orders what the rules have not seen yet. A
    /// summary that says too little to be matched is kept and warned of.
    ///
    /// # Errors
    /// [`Error::Denied`] for a principal that is narrowed to some purchase orders; [`Error::Declined`] where an amount is beyond what can be reckoned with.
    pub async fn import_invoice_summaries(
        &self,
        request: &WriteRequest<'_>,
        summaries: &[ImportedSummary],
    ) -> Answer<SummariesImported> {
        let now = request.caller.now;
        self.order_rights(request.caller, request.action).await?;
        let (invoices, unread) = &to_be_matched(summaries);
        self.once(request, |mut write, state| async move {
            let ids: Vec<&str> = summaries.iter().map(|summary| summary.invoice_id.as_str()).collect();
            let known = write.last_invoice_summaries(&ids).await?;
            let (mut imported, mut rows) = (SummariesImported::default(), Vec::new());
            for summary in summaries {
                let version = match known.get(&summary.invoice_id) {
                    None => {
                        imported.new += 1;
                        1
                    }
                    Some((_, body)) if *body == summary.body => {
                        imported.unchanged += 1;
                        continue;
                    }
                    Some((version, _)) => {
                        imported.changed += 1;
                        version + 1
                    }
                };
                rows.push(InvoiceSummaryRow {
                    invoice_id: summary.invoice_id.clone(),
                    version,
                    recorded_at_s: now,
                    account: summary.account.clone(),
                    period: summary.period,
                    body: summary.body.clone(),
                });
            }
            write.put_invoice_summaries(rows).await?;
            let matching = |edit: &mut PurchaseEdit<'_>| take_in(edit, InvoiceSource::Imported, invoices);
            let (taken, _) = self.purchase_within(&mut write, &state, request, matching).await?;
            imported.matched = taken.matched;
            imported.warnings = unread.iter().cloned().chain(taken.warnings).collect();
            Ok((write, imported))
        })
        .await
    }

    /// Summaries that were imported, by invoice: JSON in the API's shape `InvoiceSummary`.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn imported_summaries(
        &self,
        payer: &AccountId,
        of: SummariesOf<'_>,
    ) -> Answer<Vec<(String, String)>> {
        let rows = self.0.store.invoice_summaries(payer, of).await.map_err(Error::internal)?;
        Ok(rows.into_iter().map(|row| (row.invoice_id, row.body)).collect())
    }

    /// Of which of these invoices AWS has told.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn told_of(
        &self,
        payer: &AccountId,
        invoices: impl Iterator<Item = &str>,
    ) -> Answer<BTreeSet<String>> {
        let invoices: Vec<&str> = invoices.collect();
        self.0.store.known_invoice_summaries(payer, &invoices).await.map_err(Error::internal)
    }

    /// The numbers of the purchase orders that invoices are associated with here, by invoice. An invoice without one has what AWS says of it.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn purchase_orders_of(
        &self,
        payer: &AccountId,
        invoices: &BTreeSet<String>,
    ) -> Answer<BTreeMap<String, String>> {
        let mut numbers = self.order_numbers(payer).await?;
        numbers.retain(|invoice, _| invoices.contains(invoice));
        Ok(numbers)
    }
}

/// The invoices of summaries that say enough to be matched, and why others are not matched. Payment receipts are no invoices, and nobody asks why.
fn to_be_matched(summaries: &[ImportedSummary]) -> (Vec<NewInvoice>, Vec<String>) {
    let (mut invoices, mut unread) = (Vec::new(), Vec::new());
    for summary in summaries {
        match read_summary(&summary.body) {
            Ok(ReadSummary::Invoice(invoice)) => invoices.push(*invoice),
            Ok(ReadSummary::Receipt) => {}
            Ok(ReadSummary::TaxInvoiceOf(of)) => unread.push(format!(
                "`{}` is not matched with purchase orders: it is the tax invoice of `{of}`, which charges the same amount",
                summary.invoice_id
            )),
            Err(problem) => unread.push(format!(
                "invoice `{}` is not matched with purchase orders: {problem}",
                summary.invoice_id
            )),
        }
    }
    (invoices, unread)
}
