//! AWS's own invoices of the periods that are shown, as their cost files tell them; held against what AWS says of them.

use crate::desk::BackOffice;
use crate::error::{Answer, Error};
use crate::invoicing::{InvoicingReason, InvoicingRefusal};
use billing::account::AccountId;
use billing::invoice::aws::{AwsInvoice, AwsInvoices, Difference, Summary, TOLERANCE, reconcile};
use billing::invoice_unit::InvoiceUnit;
use billing::money::Cost;
use billing::period::BillingPeriod;
use std::sync::Arc;

/// An invoice of AWS that cost files tell, and who has received it.
#[derive(Debug, Clone)]
pub struct ReceivedInvoice {
    /// The account that AWS has sent it to: the payer, or the receiver of the invoice unit that has all its accounts.
    pub account: AccountId,
    /// The invoice; it has an id.
    pub invoice: AwsInvoice,
}

/// What differs between the cost files of a month and AWS's list.
#[derive(Debug, Clone)]
pub struct Reconciled {
    /// The run that the month shows.
    pub run: String,
    /// The differences, by invoice.
    pub differences: Vec<Difference>,
}

impl BackOffice {
    /// AWS's own invoices of a period, as its shown run tells them, and the run's id; `None` where the period shows none.
    ///
    /// # Errors
    /// [`Error::Internal`] where the run's folder is not as it was written.
    pub async fn aws_invoices(
        &self,
        payer: &AccountId,
        period: BillingPeriod,
    ) -> Answer<Option<(String, Arc<AwsInvoices>)>> {
        let Some((run, done)) = self.shown_run(payer, period).await? else { return Ok(None) };
        if let Some(known) = self.0.aws_invoices.get(&done.folder) {
            return Ok(Some((run, known)));
        }
        // Its folder may go while nobody reads: what is shown is looked for once more.
        let _reading = self.reading().await?;
        let Some((run, done)) = self.shown_run(payer, period).await? else { return Ok(None) };
        let folder = self.folder(&done.folder);
        let invoices = Arc::new(self.ask_of_runs(move |engine| engine.aws_invoices(&folder)).await?);
        self.0.aws_invoices.put(done.folder, invoices.clone());
        Ok(Some((run, invoices)))
    }

    /// Every invoice of AWS that the cost files of shown periods tell, by period.
    ///
    /// # Errors
    /// [`Error::Internal`] where a run's folder is not as it was written.
    pub async fn received_invoices(&self, payer: &AccountId) -> Answer<Vec<ReceivedInvoice>> {
        let shown = self.0.store.current_runs(payer).await.map_err(Error::internal)?;
        let mut received = Vec::new();
        for current in shown {
            let Some((_, invoices)) = self.aws_invoices(payer, current.period).await? else { continue };
            if invoices.invoices.is_empty() {
                continue;
            }
            // The units in force when the month ended are those that its invoices were made by.
            let units = self.invoice_units(payer, Some(current.period.end_seconds() - 1)).await?;
            let units: Vec<InvoiceUnit> = units.into_iter().map(|row| row.unit).collect();
            received.extend(invoices.invoices.iter().filter(|invoice| invoice.id.is_some()).map(|invoice| {
                let account = receiver(&units, invoice).unwrap_or(payer).clone();
                ReceivedInvoice { account, invoice: invoice.clone() }
            }));
        }
        Ok(received)
    }

    /// Holds the invoices of a month's cost files against AWS's list of them. Totals within `tolerance` are alike; by default half a cent.
    ///
    /// # Errors
    /// [`InvoicingRefusal`] where the period shows no run, or the tolerance is no amount.
    pub async fn reconcile_invoices(
        &self,
        payer: &AccountId,
        period: BillingPeriod,
        list: &[Summary],
        tolerance: Option<&str>,
    ) -> Answer<Reconciled> {
        let given = tolerance.unwrap_or(TOLERANCE);
        let amount = Cost::parse(given).ok().filter(|amount| *amount >= Cost::ZERO);
        let amount = amount.ok_or_else(|| {
            let message = format!("`{given}` is no amount of 0 or above; write it as 0.01");
            InvoicingRefusal::field("Tolerance", message)
        })?;
        let Some((run, invoices)) = self.aws_invoices(payer, period).await? else {
            let message = format!("billing period {period} shows no run; import its cost files first");
            return Err(InvoicingRefusal::of(InvoicingReason::InvalidInput, "BillingPeriod", message).into());
        };
        let differences = reconcile(period, &invoices.invoices, list, amount).map_err(Error::internal)?;
        Ok(Reconciled { run, differences })
    }
}

/// The receiver of the unit that has every account of an invoice; `None` where none has.
fn receiver<'a>(units: &'a [InvoiceUnit], invoice: &AwsInvoice) -> Option<&'a AccountId> {
    let mut accounts = invoice.accounts.iter().filter_map(|account| AccountId::parse(account)).peekable();
    accounts.peek()?;
    let accounts: Vec<AccountId> = accounts.collect();
    let unit =
        units.iter().find(|unit| accounts.iter().all(|account| unit.linked_accounts.contains(account)));
    unit.map(|unit| &unit.receiver)
}
