//! AWS's own invoices of the runs that periods show, as their cost files tell them: each is matched with the payer's orders when its run is shown first.
//!
//! What AWS's own list of invoices says goes before: it has the instant of issue, which cost files do not. Theirs stand at the end of their billing period.

use super::invoice_files::{seller_named, why_not_matched};
use super::matching::{InvoiceSource, NewInvoice, take_in};
use crate::authorization::Caller;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Declined, Error};
use crate::invoice_summaries::SummariesOf;
use billing::account::AccountId;
use billing::invoice::aws::{AwsInvoice, AwsKind};
use billing::period::BillingPeriod;
use billing::purchase_order::invoice::{InvoiceKind, MatchInvoice, Origin};
use billing::purchase_order::{Buyer, Seller};
use std::collections::BTreeMap;

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
        let mut invoices = Vec::with_capacity(found.invoices.len());
        for (id, of_id) in by_id(&found.invoices) {
            let read = match self.other_month(payer, id, period).await? {
                Some(other) => Err(format!(
                    "it is in the cost files of {other} as well, and stays as those have it; where AWS lists it with another total, import the list"
                )),
                None => of_run(id, &of_id)?,
            };
            match read {
                Ok(new) => invoices.push(new),
                Err(why) => {
                    tracing::warn!(%payer, %period, invoice = id, why, "an invoice of AWS's is not matched");
                }
            }
        }
        let invoices = &invoices;
        if invoices.is_empty() {
            return Ok(());
        }
        let caller = Caller { principal: "proforma".to_owned(), ..self.operator(payer, String::new()) };
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

impl BackOffice {
    /// Why an invoice that AWS's list or cost files have is not matched; `None` where it is none of theirs, or the caller may not know of it.
    pub(super) async fn left_out(&self, caller: &Caller, id: &str) -> Answer<Option<Declined>> {
        if !caller.sees_payer() {
            return Ok(None);
        }
        for (_, body) in self.imported_summaries(&caller.payer, SummariesOf::Invoice(id)).await? {
            if let Some(why) = why_not_matched(&body) {
                let message = format!("invoice `{id}` is in AWS's list and is not matched: {why}");
                return Ok(Some(Declined::invalid(message)));
            }
        }
        for shown in self.0.store.current_runs(&caller.payer).await.map_err(Error::internal)? {
            let Some((_, found)) = self.aws_invoices(&caller.payer, shown.period).await? else { continue };
            let Some(of_id) = by_id(&found.invoices).remove(id) else { continue };
            if let Err(why) = of_run(id, &of_id)? {
                let message = format!(
                    "invoice `{id}` is in the cost files of {} and is not matched: {why}",
                    shown.period
                );
                return Ok(Some(Declined::invalid(message)));
            }
        }
        Ok(None)
    }

    /// The other month whose cost files an invoice was taken from and that has it still. An invoice is of one month: a second one would take the first one's
    /// amount out of its order's balance.
    async fn other_month(
        &self,
        payer: &AccountId,
        id: &str,
        period: BillingPeriod,
    ) -> Answer<Option<BillingPeriod>> {
        let purchasing = self.purchasing(payer).await?;
        let known = purchasing.invoices.get(&(Buyer::Payer, id.to_owned()));
        let of_run = known.filter(|row| row.source == InvoiceSource::Run);
        let Some(other) = of_run.map(|row| row.invoice.period).filter(|other| *other != period) else {
            return Ok(None);
        };
        let Some((_, found)) = self.aws_invoices(payer, other).await? else { return Ok(None) };
        let is_there = found.invoices.iter().any(|invoice| invoice.id.as_deref() == Some(id));
        Ok(is_there.then_some(other))
    }
}

/// A month's invoices by id, in as many currencies as each has.
fn by_id(invoices: &[AwsInvoice]) -> BTreeMap<&str, Vec<&AwsInvoice>> {
    let mut by_id: BTreeMap<&str, Vec<&AwsInvoice>> = BTreeMap::new();
    for invoice in invoices {
        if let Some(id) = &invoice.id {
            by_id.entry(id).or_default().push(invoice);
        }
    }
    by_id
}

/// An invoice of a run as the matcher takes it, or why it cannot take it: what to do about it is said with it.
fn of_run(id: &str, of_id: &[&AwsInvoice]) -> Answer<Result<NewInvoice, String>> {
    let [invoice] = of_id else { return Ok(Err(several_currencies(of_id))) };
    let kind = match invoice.kind {
        AwsKind::MonthlyUsage => InvoiceKind::MonthlyUsage,
        AwsKind::Purchase | AwsKind::SupportPurchase => InvoiceKind::Subscription,
        AwsKind::MarketplaceUsage => InvoiceKind::MarketplaceMonthly,
        AwsKind::MarketplacePurchase => InvoiceKind::MarketplaceOutOfCycle,
        AwsKind::CreditMemo => InvoiceKind::CreditMemo,
        AwsKind::Unknown => return Ok(Err(unknown_kind(invoice))),
    };
    let seller = match seller(invoice) {
        Ok(seller) => seller,
        Err(why) => return Ok(Err(why)),
    };
    let total = invoice.sums.total().and_then(|total| total.to_amount()).map_err(Error::internal)?;
    Ok(Ok(NewInvoice {
        invoice: MatchInvoice {
            id: id.to_owned(),
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
        says_kind: true,
        is_listed: true,
    }))
}

/// Why an invoice in several currencies is not matched: it takes one amount from its order.
fn several_currencies(of_id: &[&AwsInvoice]) -> String {
    let codes: Vec<&str> = of_id.iter().map(|invoice| invoice.currency.as_str()).collect();
    format!(
        "its lines are in {}, and it takes one amount from its order; import it with its total (`proforma po import --invoices`)",
        codes.join(" and ")
    )
}

/// Why an invoice of an unknown kind is not matched, and how the operator says the kind.
fn unknown_kind(invoice: &AwsInvoice) -> String {
    let types: Vec<&str> = invoice.bill_types.iter().map(String::as_str).collect();
    format!(
        "its lines have bill type `{}`, which tells no kind of invoice; import it with its kind (`proforma po import --invoices`)",
        types.join("`, `")
    )
}

/// Who has issued an invoice: it has one issuer, and where its lines name several sellers of record, the one with the largest part. Lines of FOCUS, which have
/// no bill type, name the publisher of what was used in its place; there the issuer is a column of its own.
fn seller(invoice: &AwsInvoice) -> Result<Seller, String> {
    let of_record = invoice.seller();
    let issuer = invoice.invoicing_entities.first().map(String::as_str);
    let name = if invoice.bill_types.is_empty() { issuer.or(of_record) } else { of_record.or(issuer) };
    match name {
        Some(name) => seller_named(name),
        None => Err("its lines do not name who has issued it; import it with its seller (`proforma po import --invoices`)".to_owned()),
    }
}
