//! Summaries of the invoices that AWS has issued: as AWS has told them, imported; and which purchase orders they have.

use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error};
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummariesImported {
    /// Invoices that were not known.
    pub new: u64,
    /// Invoices of which AWS says something else than before; what it said before is kept, too.
    pub changed: u64,
    /// Invoices that are as they were.
    pub unchanged: u64,
}

impl BackOffice {
    /// Keeps summaries of invoices, each in place of the one that there is.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn import_invoice_summaries(
        &self,
        request: &WriteRequest<'_>,
        summaries: &[ImportedSummary],
    ) -> Answer<SummariesImported> {
        let now = request.caller.now;
        self.once(request, |mut write, _| async move {
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
        _payer: &AccountId,
        _invoices: &BTreeSet<String>,
    ) -> Answer<BTreeMap<String, String>> {
        Ok(BTreeMap::new())
    }
}
