//! Many invoices: in an order that can be repeated, and again to see what would change.

use super::{Association, Decision, MatchError, Matcher, Place, PlacedBy};
use crate::purchase_order::invoice::{InvoiceId, InvoiceKind, MatchInvoice};
use std::collections::{HashMap, HashSet};

/// Invoices as they are decided: by issue time, then by id (D10). A credit memo of the same instant as its original, or of an earlier one, comes
/// right after it: only then is there something to follow.
#[must_use]
pub fn in_order(invoices: &[MatchInvoice]) -> Vec<&MatchInvoice> {
    let mut sorted: Vec<&MatchInvoice> = invoices.iter().collect();
    sorted.sort_by(|a, b| (a.issued_at, &a.id).cmp(&(b.issued_at, &b.id)));
    let mut ahead: HashSet<&str> = invoices.iter().map(|invoice| invoice.id.as_str()).collect();
    let mut waiting: HashMap<&str, Vec<&MatchInvoice>> = HashMap::new();
    let mut ordered = Vec::with_capacity(sorted.len());
    for invoice in sorted {
        let original = invoice.original.as_deref().filter(|_| invoice.kind == InvoiceKind::CreditMemo);
        match original.filter(|original| ahead.contains(original)) {
            Some(original) => waiting.entry(original).or_default().push(invoice),
            None => emit(invoice, &mut ahead, &mut waiting, &mut ordered),
        }
    }
    // Memos that name each other as originals have none.
    let mut circular: Vec<&MatchInvoice> = waiting.into_values().flatten().collect();
    circular.sort_by(|a, b| (a.issued_at, &a.id).cmp(&(b.issued_at, &b.id)));
    ordered.extend(circular);
    ordered
}

/// An invoice, the memos that waited for it, and those that waited for them.
fn emit<'a>(
    invoice: &'a MatchInvoice,
    ahead: &mut HashSet<&'a str>,
    waiting: &mut HashMap<&'a str, Vec<&'a MatchInvoice>>,
    ordered: &mut Vec<&'a MatchInvoice>,
) {
    let mut next = vec![invoice];
    while let Some(invoice) = next.pop() {
        ahead.remove(invoice.id.as_str());
        ordered.push(invoice);
        let memos = waiting.remove(invoice.id.as_str()).unwrap_or_default();
        next.extend(memos.into_iter().rev());
    }
}

impl Matcher {
    /// Decides of every invoice, in the order of [`in_order`], each with the balances that those before it left. Decisions come in that order.
    ///
    /// # Errors
    /// [`MatchError`] of the first invoice that cannot be reckoned with; those before it are done.
    pub fn take_all(&mut self, invoices: &[MatchInvoice]) -> Result<Vec<Decision>, MatchError> {
        in_order(invoices).into_iter().map(|invoice| self.take(invoice)).collect()
    }
}

/// An invoice that would be elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The invoice.
    pub invoice: InvoiceId,
    /// Where it is.
    pub before: Option<Place>,
    /// Where it would be.
    pub after: Option<Place>,
}

/// What matching again would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rematch {
    /// What would be decided, in the order of [`in_order`]; invoices that a person placed are not among them.
    pub decisions: Vec<Decision>,
    /// What would change by it.
    pub changes: Vec<Change>,
    /// Where every invoice would be.
    pub associations: Vec<Association>,
}

impl Matcher {
    /// Matches invoices again by the orders and settings as they are: creating or editing an order never moves past invoices, asking for it does (D12).
    /// What a person has placed or taken off stays so, and so do invoices that are not given; credit memos follow their originals.
    ///
    /// # Errors
    /// [`MatchError`] of the first invoice that cannot be reckoned with.
    pub fn rematch(mut self, invoices: &[MatchInvoice]) -> Result<Rematch, MatchError> {
        let mut before: HashMap<&str, Association> = HashMap::new();
        for invoice in invoices {
            before.extend(self.association(&invoice.id).map(|of| (invoice.id.as_str(), of.clone())));
        }
        let mut again = in_order(invoices);
        again.retain(|invoice| !self.is_taken_off(&invoice.id));
        for invoice in &again {
            self.take_back(&invoice.id)?;
            self.know(invoice);
        }
        let mut found = Rematch {
            decisions: Vec::new(),
            changes: Vec::new(),
            associations: Vec::with_capacity(invoices.len()),
        };
        for invoice in again {
            let before = before.remove(invoice.id.as_str());
            if let Some(placed) = before.as_ref().filter(|it| it.by == PlacedBy::Person) {
                self.place(placed.clone())?;
            } else {
                let decision = self.take(invoice)?;
                let what = |it: &Association| (it.place.clone(), it.used);
                let after = self.association(&invoice.id);
                // One that stays on its line takes something else where its exchange is known now.
                if before.as_ref().map(what) != after.map(what) {
                    found.changes.push(Change {
                        invoice: invoice.id.clone(),
                        before: before.map(|it| it.place),
                        after: after.map(|it| it.place.clone()),
                    });
                }
                found.decisions.push(decision);
            }
            found.associations.extend(self.association(&invoice.id).cloned());
        }
        Ok(found)
    }
}
