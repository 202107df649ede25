//! Asking the rules once more: what they would do now with invoices that nobody has moved, and doing it.
//!
//! The invoices that are meant are decided again, with their credit memos; all others stay where they are.

use super::matching::{
    How, InvoiceFilter, PlaceView, keep_decision, matcher, no_invoice, place_view, printed_elsewhere,
    reason_of, unreckoned,
};
use super::state::Purchasing;
use crate::authorization::Caller;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Declined};
use billing::matching::Decision;
use billing::purchase_order::Buyer;
use billing::purchase_order::invoice::{InvoiceKind, MatchInvoice};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::InvoiceRow;

/// What asking the rules once more would do to an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RematchChange {
    /// The buyer: a billing group's id, or empty for the payer.
    pub billing_group: String,
    /// The invoice.
    pub invoice: String,
    /// Where it is.
    pub before: Option<PlaceView>,
    /// Where it would be.
    pub after: Option<PlaceView>,
    /// Why.
    pub reason: String,
    /// What the user should know of it.
    #[serde(default)]
    pub warning: Option<String>,
}

impl BackOffice {
    /// What the rules would do now with the invoices that nobody has moved. Changes nothing.
    ///
    /// # Errors
    /// [`Error::Declined`](crate::error::Error::Declined) where an amount is beyond what can be reckoned with.
    pub async fn plan_rematch(
        &self,
        caller: &Caller,
        action: &str,
        filter: &InvoiceFilter,
    ) -> Answer<Vec<RematchChange>> {
        self.order_rights(caller, action).await?;
        let purchasing = self.purchasing(&caller.payer).await?;
        Ok(rematched(&purchasing, filter, None)?.into_iter().map(|(change, _)| change).collect())
    }

    /// Does what [`Self::plan_rematch`] says of all invoices that are meant; or has the rules decide of some of them, with the others where they are.
    ///
    /// # Errors
    /// [`Error::Declined`](crate::error::Error::Declined) where one of the invoices that are named would not change.
    pub async fn apply_rematch(
        &self,
        request: &WriteRequest<'_>,
        filter: &InvoiceFilter,
        only: Option<&BTreeSet<String>>,
    ) -> Answer<Vec<RematchChange>> {
        self.order_rights(request.caller, request.action).await?;
        self.purchase(request, |edit| {
            let planned = rematched(&edit.next, filter, only)?;
            let is_planned = |id: &&String| planned.iter().any(|(of, _)| of.invoice == **id);
            if let Some(missing) = only.and_then(|only| only.iter().find(|id| !is_planned(id))) {
                return Err(unchanged(&edit.next, missing).into());
            }
            let mut done = Vec::with_capacity(planned.len());
            for (change, (invoice, decision)) in planned {
                keep_decision(edit, &invoice, &decision, How::Rematched)?;
                done.push(change);
            }
            Ok(done)
        })
        .await
    }
}

/// Why an invoice that was named is not among those that would change.
fn unchanged(purchasing: &Purchasing, invoice: &str) -> Declined {
    let Some(key) = purchasing.invoices.keys().find(|(_, id)| id == invoice) else {
        return no_invoice(invoice);
    };
    let is_moved = purchasing.associations.get(key).is_some_and(|row| row.how == How::Moved);
    Declined::invalid(match is_moved {
        true => format!("invoice `{invoice}` stays where a person has put it; move it by hand"),
        false => format!(
            "asked once more with all other invoices where they are, the rules leave invoice `{invoice}` where it is; a credit memo goes with its original, so name that one"
        ),
    })
}

/// The invoices that are decided again: those that are meant and nobody has moved, and the credit memos of these.
fn meant<'p>(
    purchasing: &'p Purchasing,
    filter: &InvoiceFilter,
    only: Option<&BTreeSet<String>>,
) -> BTreeMap<&'p str, &'p Arc<InvoiceRow>> {
    let is_moved =
        |key: &(Buyer, String)| purchasing.associations.get(key).is_some_and(|row| row.how == How::Moved);
    let is_meant = |key: &(Buyer, String), row: &InvoiceRow| {
        let charged_to = purchasing.associations.get(key).map(|row| row.charged_to.is_some());
        only.is_none_or(|only| only.contains(&key.1))
            && filter.buyer.as_ref().is_none_or(|of| *of == key.0)
            && filter.period.is_none_or(|period| period == row.invoice.period)
            && filter.matched.is_none_or(|matched| matched == charged_to.unwrap_or(false))
    };
    let unmoved = || purchasing.invoices.iter().filter(|(key, _)| !is_moved(key));
    let mut found: BTreeMap<&str, &Arc<InvoiceRow>> = BTreeMap::new();
    for (key, row) in unmoved().filter(|(key, row)| is_meant(key, row)) {
        found.insert(&key.1, row);
    }
    let memos: Vec<_> = unmoved().filter(|(_, row)| row.invoice.kind == InvoiceKind::CreditMemo).collect();
    // A memo may be one of a memo: as long as one is found, it may have some of its own.
    let mut before = 0;
    while before < found.len() {
        before = found.len();
        for (key, row) in &memos {
            let original = row.invoice.original.as_deref().and_then(|id| found.get(id));
            if original.is_some_and(|original| original.invoice.buyer == key.0) {
                found.insert(&key.1, row);
            }
        }
    }
    found
}

/// What changes where the rules are asked once more, each with the invoice and its decision.
fn rematched(
    purchasing: &Purchasing,
    filter: &InvoiceFilter,
    only: Option<&BTreeSet<String>>,
) -> Answer<Vec<(RematchChange, (MatchInvoice, Decision))>> {
    let rows = meant(purchasing, filter, only);
    let invoices: Vec<MatchInvoice> = rows.values().map(|row| row.invoice.clone()).collect();
    let found = matcher(purchasing)?.rematch(&invoices).map_err(unreckoned)?;
    let mut decisions: BTreeMap<String, Decision> =
        found.decisions.into_iter().map(|decision| (decision.invoice.clone(), decision)).collect();
    let mut changes = Vec::with_capacity(found.changes.len());
    for change in found.changes {
        let (Some(row), Some(decision)) =
            (rows.get(change.invoice.as_str()), decisions.remove(&change.invoice))
        else {
            continue;
        };
        let billing_group = match &row.invoice.buyer {
            Buyer::Payer => String::new(),
            Buyer::BillingGroup(group) => group.to_string(),
        };
        let is_elsewhere = change.before != change.after;
        let said = RematchChange {
            billing_group,
            invoice: change.invoice,
            before: change.before.as_ref().map(place_view),
            after: change.after.as_ref().map(place_view),
            reason: reason_of(&decision.outcome).to_owned(),
            warning: printed_elsewhere(row).filter(|_| is_elsewhere),
        };
        changes.push((said, (row.invoice.clone(), decision)));
    }
    Ok(changes)
}
