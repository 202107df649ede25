//! Whether invoices agree with their orders and with what they should come to: AWS's with the cost files, customers' with the statements of their billing
//! groups. Nothing here chooses an order; a person's approval is the only thing that is kept.

use super::expected::Known;
use super::matching::{InvoiceRow, MatchView, is_held, is_out_of_balance, no_invoice};
use super::state::Purchasing;
use crate::authorization::Caller;
use crate::clock::machine_milliseconds;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Declined, Error};
use billing::account::AccountId;
use billing::matching::three_way::{Charged, Expected, Terms, ThreeWay, three_way};
use billing::money::Amount;
use billing::purchase_order::{Buyer, LineNumber, PurchaseOrderId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::AssociationRow;

/// The kind of the setting that an approval is kept as: a row that is never written over, under the invoice's id.
const APPROVAL: &str = "invoice_approval";

/// An invoice held against its order and against what it should come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreeWayView {
    /// The invoice, with where it is charged to.
    pub found: MatchView,
    /// What it should come to, tax included; `None` where the cost files have nothing, or no run of its month is shown.
    pub expected: Option<Expected>,
    /// Whether no balance covered it when it was charged, whatever was raised since.
    pub was_out_of_balance: bool,
    /// Who has approved of it, as it is now.
    pub approval: Option<Approval>,
    /// What came out.
    pub result: ThreeWay,
}

/// That a person has looked at an invoice and lets it pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Who.
    pub by: String,
    /// When, in seconds since 1970-01-01T00:00:00Z.
    pub at_s: i64,
    /// Why.
    pub reason: String,
    /// Of which total: an invoice that comes with another one is to be looked at again.
    pub total: String,
    /// In which currency.
    pub currency: String,
}

impl Approval {
    fn is_of(&self, invoice: &InvoiceRow) -> bool {
        let invoice = &invoice.invoice;
        self.total == invoice.total.to_string() && self.currency == invoice.currency.as_str()
    }
}

impl BackOffice {
    /// Holds invoices against their orders and against what they should come to, by the payer's terms as `change` makes them for this once. Whoever asks
    /// may see them: they are [`matches`](Self::matches) of its own.
    ///
    /// # Errors
    /// [`Error::Internal`]; what `change` refuses.
    pub async fn three_way_matches(
        &self,
        caller: &Caller,
        found: Vec<MatchView>,
        change: impl FnOnce(Terms) -> Answer<Terms>,
    ) -> Answer<Vec<ThreeWayView>> {
        let payer = &caller.payer;
        let purchasing = self.purchasing(payer).await?;
        let terms = change(purchasing.settings.terms)?;
        let left = left_after(&purchasing, &found)?;
        let approvals = self.approvals(payer).await?;
        let mut known = Known::default();
        let mut views = Vec::with_capacity(found.len());
        for found in found {
            let expected = self.expected_of(payer, &mut known, &found.invoice).await?;
            let approval = approvals.get(&found.invoice.invoice.id);
            let approval = approval.filter(|approval| approval.is_of(&found.invoice)).cloned();
            let charged = charged(&purchasing, &left, &found);
            let invoice = &found.invoice.invoice;
            let result = three_way(invoice, charged, expected, terms, approval.is_some());
            let was_out_of_balance = found.association.as_ref().is_some_and(|row| is_out_of_balance(row));
            let result = result.map_err(Error::internal)?;
            views.push(ThreeWayView { expected, was_out_of_balance, approval, result, found });
        }
        Ok(views)
    }

    /// Keeps that a person lets an invoice pass, as it is now. What was said of it before stays.
    ///
    /// # Errors
    /// [`Error::Declined`] where there is no such invoice, or no reason is given.
    pub async fn approve_invoice(
        &self,
        request: &WriteRequest<'_>,
        invoice: &str,
        reason: &str,
    ) -> Answer<Approval> {
        let rights = self.order_rights(request.caller, request.action).await?;
        if reason.trim().is_empty() {
            let message = "say why the invoice is approved: its history keeps it";
            let fields = vec![("Reason".to_owned(), message.to_owned())];
            return Err(Declined::Invalid { message: format!("Reason: {message}"), fields }.into());
        }
        let payer = &request.caller.payer;
        let purchasing = self.purchasing(payer).await?;
        let is_it = |(buyer, id): &&(Buyer, String)| id == invoice && rights.sees_buyer(buyer);
        let key = purchasing.invoices.keys().find(is_it).ok_or_else(|| no_invoice(invoice))?;
        let of = purchasing.invoices.get(key).map(|row| &row.invoice).ok_or_else(|| no_invoice(invoice))?;
        let approval = &Approval {
            by: request.caller.principal.clone(),
            at_s: request.caller.now,
            reason: reason.trim().to_owned(),
            total: of.total.to_string(),
            currency: of.currency.to_string(),
        };
        let body = &serde_json::to_string(approval).map_err(Error::internal)?;
        self.transaction(payer, |store, state| async move {
            let mut write = store.write(payer, &state.head).await?;
            write.put_desk_setting((APPROVAL, invoice), body, machine_milliseconds()).await?;
            Ok((state.commit(write, [request.done(invoice)]).await?, approval.clone()))
        })
        .await
    }

    /// What was approved last of each invoice, by its id, which is unique among a payer's.
    async fn approvals(&self, payer: &AccountId) -> Answer<BTreeMap<String, Approval>> {
        let rows = self.0.store.desk_settings(payer, APPROVAL).await.map_err(Error::internal)?;
        let read = |row: store::DeskSettingRow| {
            Ok((row.id, serde_json::from_str(&row.body).map_err(Error::internal)?))
        };
        rows.into_iter().map(read).collect()
    }
}

/// What is left of a line after an invoice, by buyer and invoice.
type LeftAfter = BTreeMap<(Buyer, String), Amount>;

/// What is charged to orders at present, with the instant at which each invoice was issued.
type OfOrders<'a> = BTreeMap<(Buyer, PurchaseOrderId), Vec<(i64, &'a Arc<AssociationRow>)>>;

/// What is left of each line, as it is worth now, after each invoice that is charged to it now: those of the orders that some invoices are charged to, in
/// the order of their issue.
fn left_after(purchasing: &Purchasing, found: &[MatchView]) -> Answer<LeftAfter> {
    let of = |row: &AssociationRow| Some((row.buyer.clone(), row.charged_to.as_ref()?.order.clone()));
    let asked: BTreeSet<(Buyer, PurchaseOrderId)> =
        found.iter().filter_map(|of_invoice| of(of_invoice.association.as_ref()?)).collect();
    let mut charged: OfOrders<'_> = BTreeMap::new();
    for (key, row) in &purchasing.associations {
        let Some(order) = of(row).filter(|order| asked.contains(order)) else { continue };
        let issued = purchasing.invoices.get(key).map_or(0, |invoice| invoice.invoice.issued_at);
        charged.entry(order).or_default().push((issued, row));
    }
    let mut left_after = LeftAfter::new();
    for ((buyer, id), mut rows) in charged {
        let Some(order) = purchasing.order(&buyer, &id).map(|row| &row.order) else { continue };
        rows.sort_by_key(|(issued, row)| (*issued, row.invoice.clone()));
        let mut left: BTreeMap<&LineNumber, Amount> = BTreeMap::new();
        for (_, row) in rows {
            let Some(line) = row.charged_to.as_ref().and_then(|to| order.line(&to.line)) else { continue };
            let of_line = left.entry(&line.number).or_insert_with(|| line.price.value().total);
            *of_line = of_line.minus(row.used.unwrap_or_default()).map_err(Error::internal)?;
            left_after.insert((buyer.clone(), row.invoice.clone()), *of_line);
        }
    }
    Ok(left_after)
}

/// Where an invoice is charged to at present.
fn charged(purchasing: &Purchasing, left: &LeftAfter, found: &MatchView) -> Charged {
    let Some(association) = &found.association else { return Charged::Nowhere };
    let Some(to) = &association.charged_to else {
        return if is_held(association) { Charged::Held } else { Charged::Nowhere };
    };
    let invoice = &found.invoice.invoice;
    let order = purchasing.order(&invoice.buyer, &to.order).map(|row| &row.order);
    let line = order.and_then(|order| order.line(&to.line)).filter(|line| line.balance_tracking);
    let left = left.get(&(invoice.buyer.clone(), invoice.id.clone()));
    match (line, association.used, left) {
        (Some(_), Some(used), Some(left)) => Charged::Tracked { used, left: *left },
        _ => Charged::Untracked,
    }
}
