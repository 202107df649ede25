//! AWS's own invoices of the runs that periods show, as their cost files tell them: each is matched with the payer's orders when its run is shown first.
//!
//! What AWS's own list of invoices says goes before: it has the instant of issue, which cost files do not. Theirs stand at the end of their billing period.

use super::invoice_files::seller_named;
use super::matching::{InvoiceSource, NewInvoice, take_in};
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error};
use billing::account::AccountId;
use billing::invoice::aws::{AwsInvoice, AwsKind};
use billing::period::BillingPeriod;
use billing::purchase_order::Buyer;
use billing::purchase_order::invoice::{InvoiceKind, MatchInvoice, Origin};

/// What the audit calls it.
const ACTION: &str = "proforma:MatchRunInvoices";

impl BackOffice {
    /// Matches AWS's invoices of the runs that periods show, as far as that has not been done: a server may have been killed before.
    pub(crate) async fn match_all_run_invoices(&self) -> Answer<()> {
        for payer in self.0.store.payers().await.map_err(Error::internal)? {
            for shown in self.0.store.current_runs(&payer.payer).await.map_err(Error::internal)? {
                self.match_run_invoices(&payer.payer, shown.period, &shown.run).await?;
            }
        }
        Ok(())
    }

    /// Matches AWS's invoices of the run that a period shows, once.
    pub(crate) async fn match_run_invoices(
        &self,
        payer: &AccountId,
        period: BillingPeriod,
        run: &str,
    ) -> Answer<()> {
        // The run is the token: that it was done is kept as long as tokens are, and doing it again changes nothing.
        if self.0.store.token(payer, ACTION, run).await.map_err(Error::internal)?.is_some() {
            return Ok(());
        }
        let Some((_, done)) = self.shown_run(payer, period).await?.filter(|(shown, _)| shown == run) else {
            return Ok(());
        };
        let folder = self.folder(&done.folder);
        let found = self.ask_of_runs(move |engine| engine.aws_invoices(&folder)).await?;
        let invoices = found.invoices.iter().filter_map(|invoice| of_run(invoice).transpose());
        let invoices = &invoices.collect::<Answer<Vec<NewInvoice>>>()?;
        if invoices.is_empty() {
            return Ok(());
        }
        let caller = crate::authorization::Caller {
            principal: "proforma".to_owned(),
            ..self.operator(payer, String::new())
        };
        let request = WriteRequest {
            caller: &caller,
            action: ACTION,
            token: Some(run),
            input: run,
            resource: run,
            period: None,
        };
        let taken = self
            .purchase(&request, |edit| {
                let is_listed = |new: &&NewInvoice| {
                    let key = (new.invoice.buyer.clone(), new.invoice.id.clone());
                    edit.next.invoices.get(&key).is_none_or(|row| row.source == InvoiceSource::Run)
                };
                let unlisted: Vec<NewInvoice> = invoices.iter().filter(is_listed).cloned().collect();
                take_in(edit, InvoiceSource::Run, &unlisted)
            })
            .await?;
        tracing::info!(%payer, %period, run, new = taken.new, matched = taken.matched, "AWS's invoices were matched");
        Ok(())
    }
}

/// An invoice of a run as the matcher takes it; `None` where its lines do not say what kind it is, or who has issued it.
fn of_run(invoice: &AwsInvoice) -> Answer<Option<NewInvoice>> {
    let kind = match invoice.kind {
        AwsKind::MonthlyUsage => InvoiceKind::MonthlyUsage,
        AwsKind::Purchase | AwsKind::SupportPurchase => InvoiceKind::Subscription,
        AwsKind::MarketplaceUsage => InvoiceKind::MarketplaceMonthly,
        AwsKind::MarketplacePurchase => InvoiceKind::MarketplaceOutOfCycle,
        AwsKind::CreditMemo => InvoiceKind::CreditMemo,
        AwsKind::Unknown => return Ok(None),
    };
    // An invoice has one issuer; where its lines name several, the one with the most of it.
    let seller = invoice.legal_entities.iter().max_by_key(|(_, cost)| **cost).map(|(name, _)| name);
    let seller = seller.or_else(|| invoice.invoicing_entities.first());
    let (Some(id), Some(Ok(seller))) = (&invoice.id, seller.map(|name| seller_named(name))) else {
        return Ok(None);
    };
    let total = invoice.sums.total().and_then(|total| total.to_amount()).map_err(Error::internal)?;
    Ok(Some(NewInvoice {
        invoice: MatchInvoice {
            id: id.clone(),
            origin: Origin::Provider,
            buyer: Buyer::Payer,
            kind,
            seller,
            period: invoice.period,
            total,
            currency: invoice.currency,
            exchange: None,
            tax_registration_number: None,
            invoice_unit: None,
            issued_at: invoice.period.end_seconds(),
            charge: None,
            requested: None,
            original: None,
        },
        due_at_s: None,
        carries: None,
        is_listed: true,
    }))
}
