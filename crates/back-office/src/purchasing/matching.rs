//! Invoices that are matched with orders: taking them in, moving one by hand, asking the rules once more, and saying why.
//!
//! The rules are in `billing::matching`. An invoice is matched once, when it is first known; what is decided of it later is a further row beside the one before, with who
//! decided it, when and why. Nothing is matched again by itself: [`BackOffice::plan_rematch`] says what the rules would do now, [`BackOffice::apply_rematch`] does it.

use super::edit::PurchaseEdit;
use super::state::Purchasing;
use super::trace;
use crate::authorization::Caller;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Declined, Error};
use billing::matching::{
    Association, Decision, Effect, Matcher, Outcome, Place, PlacedBy, Taking, converted, in_order,
};
use billing::money::{Amount, DecimalError};
use billing::purchase_order::invoice::{InvoiceKind, MatchInvoice};
use billing::purchase_order::{Buyer, LineNumber, PurchaseOrder, PurchaseOrderId, Settings};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::ChargedTo;

pub use store::{AssociationRow, How, InvoiceRow, InvoiceSource};

/// What stands beside an invoice that no balance covers.
const OUT_OF_BALANCE: &str = "OUT_OF_BALANCE";
/// What stands beside one that waits for a person.
const HELD: &str = "HELD";
/// Why an invoice is where it is: the rules put it there.
const MATCHED: &str = "MATCHED";
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

/// An invoice that is to be matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvoice {
    /// The invoice.
    pub invoice: MatchInvoice,
    /// When it is due, in seconds since 1970-01-01T00:00:00Z.
    pub due_at_s: Option<i64>,
    /// The order that it carries already, where whoever issued it has decided that.
    pub carries: Option<String>,
}

/// What came of invoices that were taken in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenIn {
    /// Invoices that were not known before.
    pub new: u64,
    /// Invoices that were known with another content.
    pub changed: u64,
    /// Invoices that were known as they are.
    pub unchanged: u64,
    /// How many of the new ones were charged to an order.
    pub matched: u64,
    /// What the user should know.
    pub warnings: Vec<String>,
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
    /// What was decided, the first decision first, each with its trace as JSON.
    pub history: Vec<(AssociationRow, serde_json::Value)>,
}

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
    /// Takes invoices in, and matches those that are new, by the instant of their issue.
    ///
    /// # Errors
    /// [`Error::Declined`] where an amount is beyond what can be reckoned with.
    pub async fn take_invoices(
        &self,
        request: &WriteRequest<'_>,
        source: InvoiceSource,
        invoices: &[NewInvoice],
        warnings: &[String],
    ) -> Answer<TakenIn> {
        self.order_rights(request.caller, request.action).await?;
        self.purchase(request, |edit| {
            let mut taken = take_in(edit, source, invoices)?;
            taken.warnings.splice(..0, warnings.iter().cloned());
            Ok(taken)
        })
        .await
    }

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
        let Some(((buyer, _), row)) = found else {
            return Err(self.left_out(caller, invoice).await?.unwrap_or_else(|| no_invoice(invoice)).into());
        };
        let history = self.0.store.associations_of(&caller.payer, buyer, invoice).await;
        let read = |(row, trace): (AssociationRow, String)| {
            Ok((row, serde_json::from_str(&trace).map_err(Error::internal)?))
        };
        let history = history.map_err(Error::internal)?.into_iter().map(read).collect::<Answer<_>>()?;
        Ok(Explained { invoice: row.clone(), history })
    }

    /// Moves an invoice to another line, or to none, whatever the rules say. What was decided before stays beside it.
    ///
    /// Source: AWS Billing user guide, "Viewing your bill", "Update purchase order". AWS documents no deadline.
    ///
    /// # Errors
    /// [`Error::Declined`] where there is no such invoice, order or line, or no reason is given.
    pub async fn move_invoice(
        &self,
        request: &WriteRequest<'_>,
        invoice: &str,
        to: Option<(&str, &str)>,
        reason: &str,
    ) -> Answer<Option<PlaceView>> {
        let rights = self.order_rights(request.caller, request.action).await?;
        if reason.trim().is_empty() {
            let message = "say why the invoice is moved: its history keeps it";
            let fields = vec![("Reason".to_owned(), message.to_owned())];
            return Err(Declined::Invalid { message: format!("Reason: {message}"), fields }.into());
        }
        self.purchase(request, |edit| {
            let found = edit.next.invoices.iter().find(|((_, id), _)| id == invoice);
            let row = found.map(|(_, row)| row.clone()).ok_or_else(|| no_invoice(invoice))?;
            let buyer = &row.invoice.buyer;
            let place = match to {
                None => None,
                Some((order, line)) => {
                    let place = named_place(&edit.next, &rights, buyer, (order, line), invoice)?;
                    Some(place)
                }
            };
            let before = edit.next.associations.get(&(buyer.clone(), invoice.to_owned()));
            let is_there = before.and_then(|row| row.charged_to.as_ref());
            if let (Some(place), Some(there)) = (&place, is_there)
                && (&place.order, &place.line) == (&there.order, &there.line)
            {
                let message = format!(
                    "invoice `{invoice}` is charged to line `{}` of purchase order `{}` already; name another line",
                    place.line, place.order
                );
                return Err(Declined::invalid(message).into());
            }
            moved(edit, &row, place.as_ref(), (How::Moved, reason))?;
            follow(edit, &row, place.as_ref(), reason)?;
            Ok(place.map(|place| PlaceView { order: place.order.to_string(), line: place.line.to_string() }))
        })
        .await
    }

    /// What the rules would do now with the invoices that nobody has moved. Changes nothing.
    ///
    /// # Errors
    /// [`Error::Declined`] where an amount is beyond what can be reckoned with.
    pub async fn plan_rematch(
        &self,
        caller: &Caller,
        action: &str,
        filter: &InvoiceFilter,
    ) -> Answer<Vec<RematchChange>> {
        self.order_rights(caller, action).await?;
        let purchasing = self.purchasing(&caller.payer).await?;
        Ok(rematched(&purchasing, filter)?.into_iter().map(|(change, _)| change).collect())
    }

    /// Does what [`Self::plan_rematch`] says, of all invoices that are meant or of some.
    ///
    /// # Errors
    /// [`Error::Declined`] where one of the invoices that are named would not change.
    pub async fn apply_rematch(
        &self,
        request: &WriteRequest<'_>,
        filter: &InvoiceFilter,
        only: Option<&BTreeSet<String>>,
    ) -> Answer<Vec<RematchChange>> {
        self.order_rights(request.caller, request.action).await?;
        self.purchase(request, |edit| {
            let planned = rematched(&edit.next, filter)?;
            if let Some(missing) =
                only.and_then(|only| only.iter().find(|id| !planned.iter().any(|(of, _)| of.invoice == **id)))
            {
                let message = format!("asked once more, the rules leave invoice `{missing}` where it is");
                return Err(Declined::invalid(message).into());
            }
            let mut done = Vec::new();
            for (change, decision) in planned {
                if only.is_none_or(|only| only.contains(&change.invoice)) {
                    keep_decision(edit, &decision.0, &decision.1, How::Rematched)?;
                    done.push(change);
                }
            }
            Ok(done)
        })
        .await
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

/// Why an invoice is where it is, in sentences: what was decided last, as it was seen then. Why a person has moved it is for the operator's own people.
#[must_use]
pub fn sentences(caller: &Caller, explained: &Explained) -> Vec<String> {
    let Some((row, trace)) = explained.history.last() else { return Vec::new() };
    if let Some(said) = trace.get("Explanation").and_then(serde_json::Value::as_array) {
        return said.iter().filter_map(|sentence| sentence.as_str().map(str::to_owned)).collect();
    }
    let place = row.charged_to.as_ref().map_or_else(
        || "taken off its purchase order".to_owned(),
        |to| format!("put on line `{}` of purchase order `{}`", to.line, to.order),
    );
    let at = crate::clock::instant_text(row.recorded_at_s);
    let why = if caller.sees_payer() { format!(": {}", row.reason) } else { String::new() };
    vec![format!("Invoice `{}` was {place} at {at}{why}.", row.invoice)]
}

pub(super) fn no_invoice(id: &str) -> Declined {
    Declined::NotFound { kind: INVOICE, id: id.to_owned() }
}

fn unreckoned(error: impl std::fmt::Display) -> Error {
    Declined::invalid(error.to_string()).into()
}

/// In which order invoices are listed: by the instant of issue, then by id.
fn order_of(invoice: &MatchInvoice) -> (i64, &str) {
    (invoice.issued_at, &invoice.id)
}

/// A matcher with the orders and with where invoices are; those that are not `meant` only.
pub(super) fn matcher(purchasing: &Purchasing, meant: impl Fn(&AssociationRow) -> bool) -> Answer<Matcher> {
    let orders = purchasing.orders().map(|row| row.order.clone());
    let mut matcher = Matcher::new(purchasing.settings.clone(), orders);
    for row in purchasing.associations.values().filter(|row| !meant(row)) {
        let Some(to) = &row.charged_to else { continue };
        let place = Place { order: to.order.clone(), line: to.line.clone() };
        let by = if row.how == How::Moved { PlacedBy::Person } else { PlacedBy::Rules };
        let (invoice, buyer) = (row.invoice.clone(), row.buyer.clone());
        matcher.place(Association { invoice, buyer, place, used: row.used, by }).map_err(unreckoned)?;
    }
    Ok(matcher)
}

/// Takes invoices into a change.
pub(crate) fn take_in(
    edit: &mut PurchaseEdit<'_>,
    source: InvoiceSource,
    invoices: &[NewInvoice],
) -> Answer<TakenIn> {
    let beside: BTreeMap<&str, &NewInvoice> =
        invoices.iter().map(|new| (new.invoice.id.as_str(), new)).collect();
    let all: Vec<MatchInvoice> = beside.values().map(|new| new.invoice.clone()).collect();
    if let Some(twice) = invoices.iter().find(|new| beside.get(new.invoice.id.as_str()) != Some(new)) {
        let message =
            format!("invoice `{}` comes twice, and says two things; take one of them out", twice.invoice.id);
        return Err(Declined::invalid(message).into());
    }
    let known: BTreeMap<String, Buyer> =
        edit.next.invoices.keys().map(|(buyer, id)| (id.clone(), buyer.clone())).collect();
    let mut taken = TakenIn::default();
    let mut rules = matcher(&edit.next, |_| false)?;
    for new in in_order(&all).into_iter().filter_map(|invoice| beside.get(invoice.id.as_str())) {
        let invoice = &new.invoice;
        let key = (invoice.buyer.clone(), invoice.id.clone());
        if known.get(&invoice.id).is_some_and(|buyer| *buyer != invoice.buyer) {
            let message = format!("invoice `{}` is known as one of another buyer", invoice.id);
            return Err(Declined::invalid(message).into());
        }
        let before = edit.next.invoices.get(&key).cloned();
        if let Some(before) = &before
            && before.invoice == *invoice
            && before.due_at_s == new.due_at_s
        {
            taken.unchanged += 1;
            continue;
        }
        if before.as_ref().is_some_and(|before| before.source == InvoiceSource::Issued) {
            let message = format!("invoice `{}` was issued here, and its content stays as it is", invoice.id);
            return Err(Declined::invalid(message).into());
        }
        let row = InvoiceRow {
            invoice: invoice.clone(),
            due_at_s: new.due_at_s,
            source,
            revision: before.as_ref().map_or(1, |before| before.revision + 1),
            recorded_at_s: edit.now(),
        };
        edit.put_invoice(row.clone());
        let earlier = edit.next.associations.get(&key).and_then(|row| row.charged_to.clone());
        match (before, earlier) {
            // Where it is charged to was decided once; only how much of it is another amount.
            (Some(_), Some(to)) => {
                let place = Place { order: to.order, line: to.line };
                let how = edit.next.associations.get(&key).map_or(How::Matched, |row| row.how);
                let used = moved(edit, &row, Some(&place), (how, "its content has changed"))?;
                let by = if how == How::Moved { PlacedBy::Person } else { PlacedBy::Rules };
                let (id, buyer) = (invoice.id.clone(), invoice.buyer.clone());
                rules.place(Association { invoice: id, buyer, place, used, by }).map_err(unreckoned)?;
                taken.changed += 1;
            }
            (before, _) => {
                let decision = rules.take(invoice).map_err(unreckoned)?;
                taken.warnings.extend(said_of(new, &decision));
                taken.matched += u64::from(decision.place().is_some());
                keep_decision(edit, invoice, &decision, How::Matched)?;
                if before.is_some() {
                    taken.changed += 1;
                } else {
                    taken.new += 1;
                }
            }
        }
    }
    Ok(taken)
}

/// What the user should know of a decision.
fn said_of(new: &NewInvoice, decision: &Decision) -> Vec<String> {
    let mut said = Vec::new();
    let id = &new.invoice.id;
    let ours = decision.place().map(|place| place.order.as_str());
    if let Some(theirs) = &new.carries
        && ours != Some(theirs.as_str())
    {
        let ours = ours.map_or_else(|| "no order".to_owned(), |ours| format!("purchase order `{ours}`"));
        said.push(format!(
            "invoice `{id}` carries purchase order `{theirs}`, the rules give {ours}; see why with `proforma po explain {id}`, and move it with `proforma po move`"
        ));
    }
    match &decision.outcome {
        Outcome::Associated(Taking { place, out_of_balance: true, .. }) => said.push(format!(
            "invoice `{id}` takes line `{}` of purchase order `{}` below its balance",
            place.line, place.order
        )),
        Outcome::Held(Taking { place, .. }) => said.push(format!(
            "invoice `{id}` waits: line `{}` of purchase order `{}` has too little left; move it with `proforma po move`",
            place.line, place.order
        )),
        Outcome::Associated(_) | Outcome::None(_) => {}
    }
    said
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
    let (charged_to, used, flags, reason) = match &decision.outcome {
        Outcome::Associated(taking) => {
            let flags = if taking.out_of_balance { vec![OUT_OF_BALANCE.to_owned()] } else { Vec::new() };
            (charged(&edit.next, &invoice.buyer, &taking.place), taking.used, flags, MATCHED.to_owned())
        }
        Outcome::Held(_) => (None, None, vec![HELD.to_owned()], HELD.to_owned()),
        Outcome::None(reason) => (None, None, Vec::new(), reason.name().to_owned()),
    };
    let row = next_row(edit, invoice, how, (charged_to, used, flags, reason));
    edit.put_association(row, trace::written(invoice, decision));
    Ok(())
}

/// The line of an order as it stands.
fn charged(purchasing: &Purchasing, buyer: &Buyer, place: &Place) -> Option<ChargedTo> {
    let row = purchasing.order(buyer, &place.order);
    // A credit memo follows its original, whose order may be deleted by now: the last revision is then the one that was looked at.
    let order_revision = row.map_or(1, |row| row.revision);
    Some(ChargedTo { order: place.order.clone(), line: place.line.clone(), order_revision })
}

fn next_row(
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

/// The line that a request names for an invoice: of an order of the invoice's own buyer.
fn named_place(
    purchasing: &Purchasing,
    rights: &super::access::Rights<'_>,
    buyer: &Buyer,
    (order, line): (&str, &str),
    invoice: &str,
) -> Answer<Place> {
    // A bare id is one of the invoice's buyer.
    let of_buyer = PurchaseOrderId::parse(order).and_then(|id| purchasing.order(buyer, &id));
    let row = match of_buyer {
        Some(row) => row,
        None => rights.order(purchasing, order)?,
    };
    if row.order.buyer != *buyer {
        let message = format!(
            "purchase order `{}` is of another buyer than invoice `{invoice}`; name one of the invoice's buyer",
            row.order.id
        );
        return Err(Declined::invalid(message).into());
    }
    let number = LineNumber::parse(line);
    let found = number.as_ref().and_then(|number| row.order.line(number));
    let found = found.ok_or_else(|| {
        let numbers: Vec<&str> = row.order.lines.iter().map(|line| line.number.as_str()).collect();
        Declined::invalid(format!(
            "purchase order `{}` has no line `{line}`; it has {}",
            row.order.id,
            numbers.join(", ")
        ))
    })?;
    Ok(Place { order: row.order.id.clone(), line: found.number.clone() })
}

/// Puts an invoice on a line, or on none; what it takes from the line's balance.
fn moved(
    edit: &mut PurchaseEdit<'_>,
    row: &InvoiceRow,
    place: Option<&Place>,
    (how, reason): (How, &str),
) -> Answer<Option<Amount>> {
    let invoice = &row.invoice;
    let (mut used, mut flags) = (None, Vec::new());
    if let Some(place) = place
        && let Some(order) = edit.next.order(&invoice.buyer, &place.order).map(|row| row.order.clone())
    {
        used = used_of(invoice, &order).map_err(unreckoned)?;
        let line = order.line(&place.line);
        let is_tracked = line.is_some_and(|line| line.balance_tracking);
        if used.is_none() && is_tracked {
            let message = format!(
                "invoice `{}` is in {} and purchase order `{}` in {}, and the invoice states no exchange between them; move it to an order in {}",
                invoice.id, invoice.currency, order.id, order.currency, invoice.currency
            );
            return Err(Declined::invalid(message).into());
        }
        let key = (invoice.buyer.clone(), invoice.id.clone());
        let mine = edit.next.associations.get(&key).filter(|row| {
            row.charged_to.as_ref().is_some_and(|to| (&to.order, &to.line) == (&place.order, &place.line))
        });
        let mine = mine.and_then(|row| row.used).unwrap_or_default();
        let others = edit
            .next
            .used(&order)
            .and_then(|of| of.get(&place.line).copied().unwrap_or_default().minus(mine));
        let left = line.zip(others.ok()).and_then(|(line, others)| {
            line.price.value().total.minus(others).ok()?.minus(used.unwrap_or_default()).ok()
        });
        if is_tracked && left.is_some_and(|left| left < Amount::ZERO) {
            flags.push(OUT_OF_BALANCE.to_owned());
        }
    }
    let charged_to = place.and_then(|place| charged(&edit.next, &invoice.buyer, place));
    let next = next_row(edit, invoice, how, (charged_to, used, flags, reason.to_owned()));
    edit.put_association(next, trace::of_person(reason));
    Ok(used)
}

/// Takes the credit memos of a moved invoice along: they give back what it takes (A17).
fn follow(
    edit: &mut PurchaseEdit<'_>,
    original: &InvoiceRow,
    place: Option<&Place>,
    reason: &str,
) -> Answer<()> {
    let original = &original.invoice;
    let memos = edit.next.invoices.values().filter(|row| {
        row.invoice.kind == InvoiceKind::CreditMemo
            && row.invoice.buyer == original.buyer
            && row.invoice.original.as_ref() == Some(&original.id)
    });
    let memos: Vec<Arc<InvoiceRow>> = memos.cloned().collect();
    for memo in memos {
        let reason = format!("follows invoice `{}`: {reason}", original.id);
        moved(edit, &memo, place, (How::Moved, &reason))?;
    }
    Ok(())
}

/// What an invoice takes from the balance of a line of an order, in its currency; `None` where it cannot be exchanged.
fn used_of(invoice: &MatchInvoice, order: &PurchaseOrder) -> Result<Option<Amount>, DecimalError> {
    let gives_back = invoice.kind == InvoiceKind::CreditMemo && invoice.total > Amount::ZERO;
    let total = if gives_back { invoice.total.negated() } else { invoice.total };
    let found = converted(total, invoice.currency, order.currency, invoice.exchange)?;
    Ok(found.map(|converted| converted.total))
}

/// What changes where the rules are asked once more, each with the invoice and its decision.
type Rematched = Vec<(RematchChange, (MatchInvoice, Decision))>;

fn rematched(purchasing: &Purchasing, filter: &InvoiceFilter) -> Answer<Rematched> {
    let is_meant = |buyer: &Buyer, invoice: &MatchInvoice| {
        filter.buyer.as_ref().is_none_or(|of| of == buyer)
            && filter.period.is_none_or(|period| period == invoice.period)
    };
    let mut again: BTreeMap<&str, (&InvoiceRow, Option<&Arc<AssociationRow>>)> = BTreeMap::new();
    for (key, row) in &purchasing.invoices {
        let association = purchasing.associations.get(key);
        let is_moved = association.is_some_and(|row| row.how == How::Moved);
        let has_order = association.is_some_and(|row| row.charged_to.is_some());
        if !is_moved
            && is_meant(&key.0, &row.invoice)
            && filter.matched.is_none_or(|matched| matched == has_order)
        {
            again.insert(&row.invoice.id, (row, association));
        }
    }
    let all: Vec<MatchInvoice> = again.values().map(|(row, _)| row.invoice.clone()).collect();
    let mut rules = matcher(purchasing, |row| again.contains_key(row.invoice.as_str()))?;
    let mut changes = Vec::new();
    for invoice in in_order(&all) {
        let association = again.get(invoice.id.as_str()).and_then(|(_, association)| *association);
        let decision = rules.take(invoice).map_err(unreckoned)?;
        let before = association.and_then(|row| row.charged_to.as_ref());
        let before = before.map(|to| PlaceView { order: to.order.to_string(), line: to.line.to_string() });
        let view = |place: &Place| PlaceView { order: place.order.to_string(), line: place.line.to_string() };
        let after = decision.place().map(view);
        if before == after {
            continue;
        }
        let billing_group = match &invoice.buyer {
            Buyer::Payer => String::new(),
            Buyer::BillingGroup(group) => group.to_string(),
        };
        let reason = match &decision.outcome {
            Outcome::Associated(_) => MATCHED.to_owned(),
            Outcome::Held(_) => HELD.to_owned(),
            Outcome::None(reason) => reason.name().to_owned(),
        };
        let change = RematchChange { billing_group, invoice: invoice.id.clone(), before, after, reason };
        changes.push((change, (invoice.clone(), decision)));
    }
    Ok(changes)
}
