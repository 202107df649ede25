//! Taking invoices in: those that are new are matched by the instant of their issue; of those that are known it is said what their other content changes.
//!
//! What was decided stays where an invoice comes again, with two exceptions: the rules decide again of what they have left without an order, and of an
//! invoice of a run when AWS's list or a file says something of it that the rules ask for, because cost files say less (docs/decisions/0016). What a person
//! has decided stays in any case. Credit memos follow their originals, also those that were known before them.

use super::edit::PurchaseEdit;
use super::invoice_files::KIND_UNSAID;
use super::matching::{
    AssociationRow, How, InvoiceRow, InvoiceSource, MATCHED, OUT_OF_BALANCE, charged, keep_decision, matcher,
    next_row, place_text, unreckoned,
};
use super::state::Purchasing;
use super::trace;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Declined};
use billing::matching::{Association, CorrectionRefusal, Decision, Matcher, Outcome, Taking, in_order};
use billing::purchase_order::invoice::{InvoiceId, InvoiceKind, MatchInvoice};
use billing::purchase_order::{Buyer, ExpiryBasis, Settings};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// An invoice that is to be matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvoice {
    /// The invoice.
    pub invoice: MatchInvoice,
    /// When it is due, in seconds since 1970-01-01T00:00:00Z.
    pub due_at_s: Option<i64>,
    /// The order that it carries already, where whoever issued it has decided that.
    pub carries: Option<String>,
    /// Whether it says what it charges. What does not is taken only where that is known by now, and its own kind stands for nothing.
    pub says_kind: bool,
    /// Whether AWS lists it so: its list says neither what is bought with it nor whether that is a service of professionals.
    pub is_listed: bool,
}

/// What came of invoices that were taken in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenIn {
    /// Invoices that were not known before.
    pub new: u64,
    /// Invoices that were known with another content.
    pub changed: u64,
    /// Invoices that are known as they were.
    pub unchanged: u64,
    /// How many of the new ones were charged to an order.
    pub matched: u64,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl BackOffice {
    /// Takes invoices in, and matches those that are new, by the instant of their issue.
    ///
    /// # Errors
    /// [`Error::Declined`](crate::error::Error::Declined) where an amount is beyond what can be reckoned with.
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
}

/// Takes invoices into a change.
pub(crate) fn take_in(
    edit: &mut PurchaseEdit<'_>,
    source: InvoiceSource,
    invoices: &[NewInvoice],
) -> Answer<TakenIn> {
    let beside: BTreeMap<&str, &NewInvoice> =
        invoices.iter().map(|new| (new.invoice.id.as_str(), new)).collect();
    if let Some(twice) = invoices.iter().find(|new| beside.get(new.invoice.id.as_str()) != Some(new)) {
        let message =
            format!("invoice `{}` comes twice, and says two things; take one of them out", twice.invoice.id);
        return Err(Declined::invalid(message).into());
    }
    let known: BTreeMap<String, Buyer> =
        edit.next.invoices.keys().map(|(buyer, id)| (id.clone(), buyer.clone())).collect();
    let of_another =
        |new: &&NewInvoice| known.get(&new.invoice.id).is_some_and(|of| *of != new.invoice.buyer);
    if let Some(of) = invoices.iter().find(of_another) {
        let message = format!("invoice `{}` is known as one of another buyer", of.invoice.id);
        return Err(Declined::invalid(message).into());
    }
    let (beside, unsaid) = with_known_kinds(&edit.next, beside);
    let all: Vec<MatchInvoice> = beside.values().map(|new| new.invoice.clone()).collect();
    let rules = matcher(&edit.next)?;
    let taken = TakenIn { warnings: unsaid, ..TakenIn::default() };
    let mut intake = Intake { edit, source, rules, taken, looked_at: BTreeSet::new() };
    for new in in_order(&all).into_iter().filter_map(|invoice| beside.get(&invoice.id)) {
        intake.take(new)?;
    }
    intake.take_waiting_memos()?;
    Ok(intake.taken)
}

/// Invoices by id, each with its kind: its own, or the one that is known where it says none. And the warnings of those whose kind nobody knows, which are left
/// out: a guess would take a month's usage out of the balance of a line for purchases.
fn with_known_kinds(
    purchasing: &Purchasing,
    invoices: BTreeMap<&str, &NewInvoice>,
) -> (BTreeMap<InvoiceId, NewInvoice>, Vec<String>) {
    let (mut kept, mut unsaid) = (BTreeMap::new(), Vec::new());
    for (id, new) in invoices {
        let mut new = new.clone();
        if !new.says_kind {
            let key = (new.invoice.buyer.clone(), id.to_owned());
            let Some(known) = purchasing.invoices.get(&key) else {
                unsaid.push(format!("invoice `{id}` is not matched with purchase orders: {KIND_UNSAID}"));
                continue;
            };
            new.invoice.kind = known.invoice.kind;
        }
        kept.insert(id.to_owned(), new);
    }
    (kept, unsaid)
}

/// Invoices that are being taken in.
struct Intake<'e, 'a> {
    edit: &'e mut PurchaseEdit<'a>,
    source: InvoiceSource,
    /// Where every invoice is by now.
    rules: Matcher,
    taken: TakenIn,
    /// Invoices that may be elsewhere now, or take something else.
    looked_at: BTreeSet<InvoiceId>,
}

impl Intake<'_, '_> {
    fn take(&mut self, new: &NewInvoice) -> Answer<()> {
        let key = (new.invoice.buyer.clone(), new.invoice.id.clone());
        let Some(before) = self.edit.next.invoices.get(&key).cloned() else {
            self.keep(new.invoice.clone(), new.due_at_s, 1);
            self.taken.new += 1;
            return self.decide(new, &new.invoice, How::Matched);
        };
        let invoice = completed(new, &before.invoice);
        let is_same = before.invoice == invoice;
        if is_same && before.due_at_s == new.due_at_s {
            self.taken.unchanged += 1;
            return Ok(());
        }
        if before.source == InvoiceSource::Issued {
            let message = format!("invoice `{}` was issued here, and its content stays as it is", invoice.id);
            return Err(Declined::invalid(message).into());
        }
        let revision = before.revision + 1;
        if is_same {
            // When it is due decides nothing.
            self.keep(invoice, new.due_at_s, revision);
            self.taken.changed += 1;
            return Ok(());
        }
        let asks_otherwise = asks_otherwise(&before.invoice, &invoice, &self.edit.next.settings);
        let was_poorer = before.source == InvoiceSource::Run && self.source == InvoiceSource::Imported;
        let follows = invoice.kind == InvoiceKind::CreditMemo && invoice.original.is_some();
        let association = self.edit.next.associations.get(&key).cloned();
        match association.filter(|row| row.how == How::Moved || row.charged_to.is_some()) {
            Some(row) if row.how == How::Moved && row.charged_to.is_none() => {
                self.rules.know(&invoice);
                self.keep(invoice, new.due_at_s, revision);
            }
            Some(row) if row.how == How::Moved || !(follows || was_poorer && asks_otherwise) => {
                return self.stay(new, (invoice, revision), &row, asks_otherwise);
            }
            _ => {
                self.keep(invoice.clone(), new.due_at_s, revision);
                self.decide(new, &invoice, How::Rematched)?;
            }
        }
        self.taken.changed += 1;
        Ok(())
    }

    /// Keeps what an invoice says.
    fn keep(&mut self, invoice: MatchInvoice, due_at_s: Option<i64>, revision: u64) {
        let (source, recorded_at_s) = (self.source, self.edit.now());
        self.edit.put_invoice(InvoiceRow { invoice, due_at_s, source, revision, recorded_at_s });
    }

    /// Has the rules decide of an invoice, wherever it is.
    fn decide(&mut self, new: &NewInvoice, invoice: &MatchInvoice, how: How) -> Answer<()> {
        let before = self.rules.association(&invoice.id).map(|it| it.place.clone());
        let decision = self.rules.take_again(invoice).map_err(unreckoned)?;
        let warnings = &mut self.taken.warnings;
        warnings.extend(said_of(new, &decision));
        if let Some(before) = before.filter(|before| decision.place() != Some(before)) {
            let now = decision.place().map_or_else(|| "no order".to_owned(), place_text);
            let (id, before) = (&invoice.id, place_text(&before));
            warnings.push(format!(
                "invoice `{id}` was on {before} by what its cost files say; by what is known of it now the rules give {now}"
            ));
        }
        self.taken.matched += u64::from(decision.place().is_some());
        self.looked_at.insert(invoice.id.clone());
        keep_decision(self.edit, invoice, &decision, how)
    }

    /// Leaves an invoice on its line, of which it takes what it says now.
    fn stay(
        &mut self,
        new: &NewInvoice,
        (invoice, revision): (MatchInvoice, u64),
        row: &AssociationRow,
        asks_otherwise: bool,
    ) -> Answer<()> {
        let at = match self.rules.stay(&invoice) {
            Ok(at) => at,
            Err(CorrectionRefusal::Currency { order, line, .. }) => {
                let MatchInvoice { id, currency, .. } = &invoice;
                self.taken.unchanged += 1;
                self.taken.warnings.push(format!(
                    "invoice `{id}` is kept as it was known: it is in {currency} now, and line `{line}` of purchase order `{order}` tracks its balance in another currency, to which the invoice states no exchange; take it off with `proforma po move {id} --off --reason TEXT`, import it again, and move it to a line in {currency}"
                ));
                return Ok(());
            }
            Err(refusal) => return Err(unreckoned(refusal)),
        };
        let Some(at) = at else { return Ok(()) };
        self.keep(invoice.clone(), new.due_at_s, revision);
        let mut flags: Vec<String> = row.flags.iter().filter(|of| *of != OUT_OF_BALANCE).cloned().collect();
        if self.rules.is_overdrawn_by(&invoice.id) {
            flags.push(OUT_OF_BALANCE.to_owned());
        }
        let (reason, trace) = match row.how {
            How::Moved => (row.reason.clone(), trace::of_person()),
            How::Matched | How::Rematched => {
                let asked = self.rules.asked_again(&invoice).map_err(unreckoned)?;
                if asks_otherwise {
                    self.taken.warnings.extend(would_go(&invoice, &at, &asked));
                }
                let of_order = self.edit.next.orders.get(&(invoice.buyer.clone(), at.place.order.clone()));
                let currency = of_order.map_or(invoice.currency, |row| row.order.currency);
                (MATCHED.to_owned(), trace::stayed(&invoice, (&at, currency), &asked))
            }
        };
        let to = charged(&self.edit.next, &invoice.buyer, &at.place);
        let row = next_row(self.edit, &invoice, row.how, (to, at.used, flags, reason));
        self.edit.put_association(row, trace);
        self.looked_at.insert(invoice.id);
        self.taken.changed += 1;
        Ok(())
    }

    /// Has credit memos follow that were known before their originals, or whose originals take something else now (A17).
    fn take_waiting_memos(&mut self) -> Answer<()> {
        let purchasing = &self.edit.next;
        let memos = purchasing.invoices.values().map(|row| &row.invoice);
        let memos: Vec<MatchInvoice> =
            memos.filter(|invoice| invoice.kind == InvoiceKind::CreditMemo).cloned().collect();
        for memo in in_order(&memos) {
            let is_looked_at = memo.original.as_ref().is_some_and(|of| self.looked_at.contains(of));
            if !is_looked_at || self.is_placed_by_hand(memo) {
                continue;
            }
            let asked = self.rules.asked_again(memo).map_err(unreckoned)?;
            let what = |taking: &Taking| (taking.place.clone(), taking.used);
            let after = match &asked.outcome {
                Outcome::Associated(taking) => Some(what(taking)),
                Outcome::Held(_) | Outcome::None(_) => None,
            };
            let before = self.rules.association(&memo.id).map(|it| (it.place.clone(), it.used));
            if before == after {
                continue;
            }
            let decision = self.rules.take_again(memo).map_err(unreckoned)?;
            keep_decision(self.edit, memo, &decision, How::Rematched)?;
            self.looked_at.insert(memo.id.clone());
            let original = memo.original.as_deref().unwrap_or_default();
            let to = decision
                .place()
                .map_or_else(|| "off its order".to_owned(), |to| format!("to {}", place_text(to)));
            self.taken.warnings.push(format!("credit memo `{}` follows invoice `{original}` {to}", memo.id));
        }
        Ok(())
    }

    /// Whether a person has put a credit memo somewhere by itself: with its original it would have gone by itself.
    fn is_placed_by_hand(&self, memo: &MatchInvoice) -> bool {
        let how = |id: &str| {
            let row: Option<&Arc<AssociationRow>> =
                self.edit.next.associations.get(&(memo.buyer.clone(), id.to_owned()));
            row.map(|row| row.how)
        };
        let original = memo.original.as_deref().unwrap_or_default();
        how(&memo.id) == Some(How::Moved) && how(original) != Some(How::Moved)
    }
}

/// An invoice with what was said of it before and AWS's list has no words for, or says nothing of: a list never says less than was known
/// (docs/decisions/0016).
fn completed(new: &NewInvoice, before: &MatchInvoice) -> MatchInvoice {
    let mut invoice = new.invoice.clone();
    if !new.is_listed {
        return invoice;
    }
    let services = InvoiceKind::ProfessionalServicesTraining;
    if invoice.kind == InvoiceKind::Subscription && before.kind == services {
        invoice.kind = services;
    }
    invoice.charge = invoice.charge.or_else(|| before.charge.clone());
    invoice.requested = invoice.requested.or_else(|| before.requested.clone());
    invoice.invoice_unit = invoice.invoice_unit.or_else(|| before.invoice_unit.clone());
    invoice.tax_registration_number =
        invoice.tax_registration_number.or_else(|| before.tax_registration_number.clone());
    invoice.original = invoice.original.or_else(|| before.original.clone());
    // An exchange is of the amount's currency.
    if invoice.currency == before.currency {
        invoice.exchange = invoice.exchange.or(before.exchange);
    }
    invoice
}

/// Whether the rules ask for something that an invoice says otherwise now; amounts do not count.
fn asks_otherwise(before: &MatchInvoice, after: &MatchInvoice, settings: &Settings) -> bool {
    let asked = |of: &MatchInvoice| MatchInvoice {
        total: after.total,
        issued_at: match settings.expiry_basis {
            ExpiryBasis::BillingPeriod => after.issued_at,
            ExpiryBasis::WallClock => of.issued_at,
        },
        ..of.clone()
    };
    asked(before) != asked(after)
}

/// The warning that the rules would have an invoice elsewhere that stays where it is.
fn would_go(invoice: &MatchInvoice, at: &Association, asked: &Decision) -> Option<String> {
    if asked.place() == Some(&at.place) {
        return None;
    }
    let (id, now) = (&invoice.id, place_text(&at.place));
    let other = asked.place().map_or_else(|| "no order".to_owned(), place_text);
    Some(format!(
        "invoice `{id}` stays on {now}; by its new content the rules would give {other}: have it matched again with `proforma po rematch --invoice {id} --apply`, or move it with `proforma po move`"
    ))
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
    said.extend(decision.other_numbers.iter().map(|other| {
        format!("a charge on invoice `{id}` has the number `{other}` as well; an invoice carries one purchase order only")
    }));
    match &decision.outcome {
        Outcome::Associated(Taking { place, out_of_balance: true, .. }) => said.push(format!(
            "invoice `{id}` takes line `{}` of purchase order `{}` below its balance",
            place.line, place.order
        )),
        Outcome::Associated(Taking { place, lacks_exchange: true, currency, .. }) => said.push(format!(
            "credit memo `{id}` gives nothing back to {}: neither it nor its original states an exchange to {currency}; import it again with one",
            place_text(place)
        )),
        Outcome::Held(Taking { place, .. }) => said.push(format!(
            "invoice `{id}` waits: line `{}` of purchase order `{}` has too little left; move it with `proforma po move`",
            place.line, place.order
        )),
        Outcome::Associated(_) | Outcome::None(_) => {}
    }
    said
}
