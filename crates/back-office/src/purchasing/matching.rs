//! Invoices that are matched with orders: which there are, where each is, and why. `taking` takes them in, `moving` moves one by hand, and `rematching` asks the
//! rules once more.
//!
//! The rules are in `billing::matching`. An invoice is matched once, when it is first known; what is decided of it later is a further row beside the one before, with who
//! decided it, when and why. No change of an order matches anything again: [`BackOffice::plan_rematch`] says what the rules would do now, [`BackOffice::apply_rematch`]
//! does it.

use super::edit::PurchaseEdit;
use super::state::Purchasing;
use super::trace::{self, Told};
use crate::authorization::Caller;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Declined, Error};
use billing::instant::instant_text;
use billing::matching::{
    Association, Decision, Effect, Matcher, Outcome, Place, PlacedBy, Taking, original_unknown,
};
use billing::money::Amount;
use billing::purchase_order::invoice::{InvoiceKind, MatchInvoice};
use billing::purchase_order::{Buyer, PurchaseOrder, Settings};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::ChargedTo;

pub use super::moving::Moved;
pub use super::rematching::RematchChange;
pub(crate) use super::taking::take_in;
pub use super::taking::{NewInvoice, TakenIn};
pub use store::{AssociationRow, How, InvoiceRow, InvoiceSource};

/// What stands beside an invoice that no balance covers.
pub(super) const OUT_OF_BALANCE: &str = "OUT_OF_BALANCE";
/// What stands beside a credit memo that gives nothing back, because nobody states an exchange to the currency of its line's balance.
const NOT_EXCHANGED: &str = "NOT_EXCHANGED";
/// What stands beside an invoice whose charges have the numbers of other orders as well (A23).
const OTHER_PURCHASE_ORDERS: &str = "OTHER_PURCHASE_ORDERS";
/// What stands beside one that waits for a person.
pub(super) const HELD: &str = "HELD";
/// Why an invoice is where it is: the rules put it there.
pub(super) const MATCHED: &str = "MATCHED";
/// What a refusal calls an invoice.
const INVOICE: &str = "invoice";

/// Whether something stands beside an invoice.
fn has_flag(row: &AssociationRow, flag: &str) -> bool {
    row.flags.iter().any(|of| of == flag)
}

/// Whether no balance covered an invoice that was charged all the same.
pub(crate) fn is_out_of_balance(row: &AssociationRow) -> bool {
    has_flag(row, OUT_OF_BALANCE)
}

/// Whether an invoice waits for a person.
pub(crate) fn is_held(row: &AssociationRow) -> bool {
    has_flag(row, HELD)
}

/// Where an invoice is, in words of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceView {
    /// The order's id.
    pub order: String,
    /// The line.
    pub line: String,
}

/// An invoice and what was decided of it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchView {
    /// The invoice.
    pub invoice: Arc<InvoiceRow>,
    /// What was decided.
    pub association: Option<Arc<AssociationRow>>,
}

/// Everything that was decided of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The invoice.
    pub invoice: Arc<InvoiceRow>,
    /// What was decided, the first decision first.
    pub history: Vec<Decided>,
}

/// A decision of an invoice's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What was decided.
    pub row: AssociationRow,
    /// Why, in sentences. Why a person has decided so is for the operator's own people.
    pub explanation: Vec<String>,
    /// Every order that was a candidate, as JSON; of a person's decision none.
    pub candidates: serde_json::Value,
    /// What the line's balance was afterwards, in the order's currency, where the rules have decided.
    pub balance_after: Option<String>,
}

/// Which invoices are meant.
#[derive(Debug, Clone, Default)]
pub struct InvoiceFilter {
    /// Only those of one buyer.
    pub buyer: Option<Buyer>,
    /// Only those of a billing period.
    pub period: Option<billing::period::BillingPeriod>,
    /// Only those with an order, or without.
    pub matched: Option<bool>,
}

impl BackOffice {
    /// The invoices that a caller may see, with what was decided of each, by the instant of their issue.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn matches(
        &self,
        caller: &Caller,
        action: &str,
        filter: &InvoiceFilter,
    ) -> Answer<Vec<MatchView>> {
        let rights = self.order_rights(caller, action).await?;
        let purchasing = self.purchasing(&caller.payer).await?;
        let mut found = Vec::new();
        for (key, invoice) in &purchasing.invoices {
            let association = purchasing.associations.get(key).cloned();
            let has_order = association.as_ref().is_some_and(|row| row.charged_to.is_some());
            let is_meant = rights.sees_buyer(&key.0)
                && filter.buyer.as_ref().is_none_or(|buyer| *buyer == key.0)
                && filter.period.is_none_or(|period| period == invoice.invoice.period)
                && filter.matched.is_none_or(|matched| matched == has_order);
            if is_meant {
                found.push(MatchView { invoice: invoice.clone(), association });
            }
        }
        found.sort_by(|a, b| order_of(&a.invoice.invoice).cmp(&order_of(&b.invoice.invoice)));
        Ok(found)
    }

    /// Everything that was decided of an invoice.
    ///
    /// # Errors
    /// [`Error::Declined`] where there is none that the caller may see.
    pub async fn explain_invoice(&self, caller: &Caller, action: &str, invoice: &str) -> Answer<Explained> {
        let rights = self.order_rights(caller, action).await?;
        let purchasing = self.purchasing(&caller.payer).await?;
        let found =
            purchasing.invoices.iter().find(|((buyer, id), _)| id == invoice && rights.sees_buyer(buyer));
        let Some(((buyer, _), invoice_row)) = found else {
            return Err(self.left_out(caller, invoice).await?.unwrap_or_else(|| no_invoice(invoice)).into());
        };
        let history = self.0.store.associations_of(&caller.payer, buyer, invoice).await;
        let read = |(row, trace): (AssociationRow, String)| {
            let told = trace::read(&trace, &invoice_row.invoice).map_err(Error::internal)?;
            Ok(decided(caller, row, told))
        };
        let mut history: Vec<Decided> =
            history.map_err(Error::internal)?.into_iter().map(read).collect::<Answer<_>>()?;
        if let Some(last) = history.last_mut().filter(|last| last.row.charged_to.is_none()) {
            last.explanation.extend(missing_original(&purchasing, &invoice_row.invoice));
        }
        Ok(Explained { invoice: invoice_row.clone(), history })
    }

    /// How invoices of a payer are matched.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn matching_settings(&self, caller: &Caller, action: &str) -> Answer<Settings> {
        self.order_rights(caller, action).await?;
        Ok(self.purchasing(&caller.payer).await?.settings.clone())
    }

    /// Settles how invoices are matched from now on; what was matched stays.
    ///
    /// # Errors
    /// [`Error::Declined`] with what the change says of it.
    pub async fn set_matching_settings(
        &self,
        request: &WriteRequest<'_>,
        change: impl Fn(&mut Settings) -> Answer<()> + Sync,
    ) -> Answer<Settings> {
        self.order_rights(request.caller, request.action).await?;
        self.purchase(request, |edit| {
            let mut settings = edit.next.settings.clone();
            change(&mut settings)?;
            edit.put_settings(settings);
            Ok(())
        })
        .await?;
        Ok(self.purchasing(&request.caller.payer).await?.settings.clone())
    }
}

/// A decision with what was said of it then; a person's in words of our own.
/// That the original of a credit memo is not known here, where it is not: an import of it brings the memo to its order.
fn missing_original(purchasing: &Purchasing, memo: &MatchInvoice) -> Option<String> {
    let original = memo.original.as_ref().filter(|_| memo.kind == InvoiceKind::CreditMemo)?;
    let is_known = purchasing.invoices.contains_key(&(memo.buyer.clone(), original.clone()));
    if is_known { None } else { original_unknown(memo) }
}

fn decided(caller: &Caller, row: AssociationRow, told: Told) -> Decided {
    let explanation = told.explanation.unwrap_or_else(|| {
        let place = row.charged_to.as_ref().map_or_else(
            || "taken off its purchase order".to_owned(),
            |to| format!("put on line `{}` of purchase order `{}`", to.line, to.order),
        );
        let at = instant_text(row.recorded_at_s);
        let why = if caller.sees_payer() { format!(": {}", row.reason) } else { String::new() };
        vec![format!("Invoice `{}` was {place} at {at}{why}.", row.invoice)]
    });
    Decided { row, explanation, candidates: told.candidates, balance_after: told.balance_after }
}

/// The refusal of an invoice that is not known.
pub(super) fn no_invoice(id: &str) -> Declined {
    Declined::NotFound { kind: INVOICE, id: id.to_owned() }
}

/// The refusal of an amount that cannot be reckoned with.
pub(super) fn unreckoned(error: impl std::fmt::Display) -> Error {
    Declined::invalid(error.to_string()).into()
}

/// In which order invoices are listed: by the instant of issue, then by id.
fn order_of(invoice: &MatchInvoice) -> (i64, &str) {
    (invoice.issued_at, &invoice.id)
}

/// A matcher with the orders, the ids that deleted ones leave reserved, and where every invoice is.
pub(super) fn matcher(purchasing: &Purchasing) -> Answer<Matcher> {
    let orders = purchasing.orders().map(|row| row.order.clone());
    let mut matcher = Matcher::new(purchasing.settings.clone(), orders);
    for row in purchasing.orders.values().filter(|row| row.deleted_at_s.is_some()) {
        matcher.reserve(row.order.buyer.clone(), row.order.id.clone());
    }
    for row in purchasing.invoices.values() {
        matcher.know(&row.invoice);
    }
    for row in purchasing.associations.values() {
        let by = if row.how == How::Moved { PlacedBy::Person } else { PlacedBy::Rules };
        match &row.charged_to {
            Some(to) => {
                let place = Place { order: to.order.clone(), line: to.line.clone() };
                let (invoice, buyer) = (row.invoice.clone(), row.buyer.clone());
                let placed = Association { invoice, buyer, place, used: row.used, by };
                matcher.place(placed).map_err(unreckoned)?;
            }
            None if by == PlacedBy::Person => matcher.leave_off(&row.invoice).map_err(unreckoned)?,
            None => {}
        }
    }
    Ok(matcher)
}

/// Every credit memo of a buyer.
pub(super) fn memos_of(purchasing: &Purchasing, buyer: &Buyer) -> Vec<MatchInvoice> {
    let of_buyer = purchasing.invoices.values().map(|row| &row.invoice);
    let memos = of_buyer.filter(|it| it.kind == InvoiceKind::CreditMemo && it.buyer == *buyer);
    memos.cloned().collect()
}

/// A line of an order in words of the API.
pub(super) fn place_view(place: &Place) -> PlaceView {
    PlaceView { order: place.order.to_string(), line: place.line.to_string() }
}

/// A line of an order in a sentence.
pub(super) fn place_text(place: &Place) -> String {
    format!("line `{}` of purchase order `{}`", place.line, place.order)
}

/// The warning that an invoice of the operator's own has left with another order number than it has here now.
pub(super) fn printed_elsewhere(row: &InvoiceRow) -> Option<String> {
    let id = &row.invoice.id;
    let message = format!(
        "invoice `{id}` was issued, and its document keeps the purchase order that is printed on it; credit it and issue another one where the customer is to read the new one"
    );
    (row.source == InvoiceSource::Issued).then_some(message)
}

/// Keeps what the rules have decided of an invoice, and what that does to orders.
pub(super) fn keep_decision(
    edit: &mut PurchaseEdit<'_>,
    invoice: &MatchInvoice,
    decision: &Decision,
    how: How,
) -> Answer<()> {
    for effect in &decision.effects {
        let order = match effect {
            Effect::Create(order) => Some((**order).clone()),
            Effect::Revive { order, expiration } => edit
                .next
                .order(&invoice.buyer, order)
                .map(|row| PurchaseOrder { expiration: *expiration, ..row.order.clone() }),
            Effect::AddLine { order, line } => edit.next.order(&invoice.buyer, order).map(|row| {
                let mut order = row.order.clone();
                order.lines.push((**line).clone());
                order
            }),
        };
        if let Some(order) = order {
            edit.put_order(order, false);
        }
    }
    let (charged_to, used) = match &decision.outcome {
        Outcome::Associated(taking) => (charged(&edit.next, &invoice.buyer, &taking.place), taking.used),
        Outcome::Held(_) | Outcome::None(_) => (None, None),
    };
    let (flags, reason) = (flags_of(decision), reason_of(&decision.outcome).to_owned());
    let row = next_row(edit, invoice, how, (charged_to, used, flags, reason));
    edit.put_association(row, trace::written(invoice, decision));
    Ok(())
}

/// Why an invoice is where the rules have put it, in short.
pub(super) const fn reason_of(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Associated(_) => MATCHED,
        Outcome::Held(_) => HELD,
        Outcome::None(reason) => reason.name(),
    }
}

/// What stands beside an invoice of which this was decided.
fn flags_of(decision: &Decision) -> Vec<String> {
    let flags = match &decision.outcome {
        Outcome::Associated(Taking { out_of_balance, lacks_exchange, .. }) => {
            [(*out_of_balance, OUT_OF_BALANCE), (*lacks_exchange, NOT_EXCHANGED)]
        }
        Outcome::Held(_) => [(true, HELD), (false, "")],
        Outcome::None(_) => [(false, ""), (false, "")],
    };
    let others = (!decision.other_numbers.is_empty(), OTHER_PURCHASE_ORDERS);
    let flags = flags.into_iter().chain([others]).filter(|(is_so, _)| *is_so);
    flags.map(|(_, flag)| flag.to_owned()).collect()
}

/// The line of an order as it stands; of a deleted one, where a credit memo follows its original, as its last revision has it.
pub(super) fn charged(purchasing: &Purchasing, buyer: &Buyer, place: &Place) -> Option<ChargedTo> {
    let row = purchasing.orders.get(&(buyer.clone(), place.order.clone()));
    let order_revision = row.map_or(1, |row| row.revision);
    Some(ChargedTo { order: place.order.clone(), line: place.line.clone(), order_revision })
}

/// The row of a further decision of an invoice.
pub(super) fn next_row(
    edit: &PurchaseEdit<'_>,
    invoice: &MatchInvoice,
    how: How,
    (charged_to, used, flags, reason): (Option<ChargedTo>, Option<Amount>, Vec<String>, String),
) -> AssociationRow {
    let key = (invoice.buyer.clone(), invoice.id.clone());
    AssociationRow {
        buyer: invoice.buyer.clone(),
        invoice: invoice.id.clone(),
        sequence: edit.next.associations.get(&key).map_or(1, |row| row.sequence + 1),
        recorded_at_s: edit.now(),
        recorded_by: edit.request.caller.principal.clone(),
        how,
        charged_to,
        used,
        flags,
        reason,
    }
}
