//! Late corrections: a person puts an invoice somewhere else, and the history keeps both places.
//!
//! AWS lets the user do so for an issued invoice and documents no deadline. The reason is always asked for, so that a paid invoice has one as well
//! (A28). The invoice itself is issued again elsewhere: what was issued is never rewritten.
//!
//! Source: AWS Billing user guide, "Getting an overview of your bill", "Update purchase order"; invoicing API reference, `StartInvoiceCorrection`.

use super::decide::{order_reason, usage_ordered};
use super::rules::rank;
use super::{Association, LineReason, MatchError, Matcher, OrderReason, Place, PlacedBy};
use crate::money::Amount;
use crate::purchase_order::invoice::{InvoiceId, InvoiceKind, MatchInvoice};
use crate::purchase_order::{LineNumber, PurchaseOrderId};

/// What a person asks for.
#[derive(Debug, Clone, Copy)]
pub struct Correction<'a> {
    /// The invoice.
    pub invoice: &'a MatchInvoice,
    /// Its credit memos: they go where it goes.
    pub memos: &'a [MatchInvoice],
    /// Where it is to be; `None` takes its order away.
    pub to: Option<&'a Place>,
    /// Why.
    pub reason: &'a str,
}

/// Why a correction is refused, in the order in which reasons are looked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CorrectionRefusal {
    /// Credit memos follow an original that is known; one without is moved like an invoice.
    #[error("`{0}` is a credit memo and follows its original; correct that one")]
    FollowsOriginal(InvoiceId),
    /// No such order of the invoice's buyer.
    #[error("there is no purchase order `{0}` of the invoice's buyer; create it first")]
    OrderUnknown(PurchaseOrderId),
    /// No such line.
    #[error("purchase order `{order}` has no line `{line}`; choose one that it has")]
    LineUnknown {
        /// The order.
        order: PurchaseOrderId,
        /// The line.
        line: LineNumber,
    },
    /// Nothing would change.
    #[error("invoice `{0}` is there already; choose another line")]
    AlreadyThere(InvoiceId),
    /// A person has taken it off before.
    #[error("invoice `{0}` was taken off its purchase order already; name a line to put it on")]
    AlreadyOff(InvoiceId),
    /// The history keeps why.
    #[error("invoice `{0}` is moved without a reason; say why: its history keeps it")]
    ReasonMissing(InvoiceId),
    /// The line's balance is tracked in a currency that the invoice cannot be exchanged to.
    #[error(
        "line `{line}` of purchase order `{order}` tracks its balance in another currency than invoice `{invoice}`; choose a line in its currency"
    )]
    Currency {
        /// The invoice.
        invoice: InvoiceId,
        /// The order.
        order: PurchaseOrderId,
        /// The line.
        line: LineNumber,
    },
    /// An amount is beyond what can be reckoned with.
    #[error(transparent)]
    Amount(#[from] MatchError),
}

/// What a person should know of the place that they chose: the rules would not have chosen it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CorrectionWarning {
    /// The order would have fallen.
    Order(OrderReason),
    /// The line would have fallen, or its balance does not cover the invoice.
    Line(LineReason),
}

/// A step in the history of an invoice's association. Steps are added and never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The invoice or credit memo.
    pub invoice: InvoiceId,
    /// Where it was.
    pub before: Option<Association>,
    /// Where it is.
    pub after: Option<Association>,
    /// Who did it.
    pub actor: String,
    /// When, in seconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// Why.
    pub reason: String,
}

/// A correction that may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrected {
    /// One step per invoice and memo, to be kept and done together.
    pub steps: Vec<Step>,
    /// What the person should know.
    pub warnings: Vec<CorrectionWarning>,
}

impl Matcher {
    /// Checks a correction and says what it does; nothing is done yet: see [`Matcher::follow`]. `at` is in seconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`CorrectionRefusal`], in the order of its variants.
    pub fn correct(
        &self,
        asked: Correction<'_>,
        actor: &str,
        at: i64,
    ) -> Result<Corrected, CorrectionRefusal> {
        let invoice = asked.invoice;
        if invoice.kind == InvoiceKind::CreditMemo && self.original(invoice).is_some() {
            return Err(CorrectionRefusal::FollowsOriginal(invoice.id.clone()));
        }
        if let Some(to) = asked.to {
            self.is_there(invoice, to)?;
        }
        match (self.association(&invoice.id), asked.to) {
            (Some(before), Some(to)) if before.place == *to => {
                return Err(CorrectionRefusal::AlreadyThere(invoice.id.clone()));
            }
            (None, None) if self.is_taken_off(&invoice.id) => {
                return Err(CorrectionRefusal::AlreadyOff(invoice.id.clone()));
            }
            _ => {}
        }
        let reason = asked.reason.trim();
        if reason.is_empty() {
            return Err(CorrectionRefusal::ReasonMissing(invoice.id.clone()));
        }
        let mut steps = Vec::new();
        for moved in with_memos(invoice, asked.memos) {
            let before = self.association(&moved.id).cloned();
            let after = match asked.to {
                Some(to) => Some(self.moved_to(moved, to)?),
                None => None,
            };
            let (actor, reason) = (actor.to_owned(), reason.to_owned());
            steps.push(Step { invoice: moved.id.clone(), before, after, actor, at, reason });
        }
        let warnings = asked.to.map(|to| self.warnings(invoice, to, &steps)).unwrap_or_default();
        Ok(Corrected { steps, warnings })
    }

    /// Does a step: the balance of the old line rises by what that of the new one falls.
    ///
    /// # Errors
    /// [`MatchError`] where a balance is beyond every amount.
    pub fn follow(&mut self, step: &Step) -> Result<(), MatchError> {
        match &step.after {
            Some(association) => self.place(association.clone()),
            None => self.leave_off(&step.invoice),
        }
    }

    /// Leaves an invoice where it is, by whoever put it there, with the content that it has now; where that is.
    ///
    /// # Errors
    /// [`CorrectionRefusal::Currency`] where its line tracks a balance that the invoice cannot be exchanged to any more; it is left with what it took
    /// before then.
    pub fn stay(&mut self, invoice: &MatchInvoice) -> Result<Option<Association>, CorrectionRefusal> {
        let Some(before) = self.association(&invoice.id).cloned() else { return Ok(None) };
        let there = self.indexed(&invoice.buyer, &before.place.order).is_some();
        let used = if there { self.moved_to(invoice, &before.place)?.used } else { before.used };
        self.know(invoice);
        let after = Association { used, ..before };
        self.place(after.clone())?;
        Ok(Some(after))
    }

    /// Whether an invoice that is on a line has taken it below its balance.
    #[must_use]
    pub fn is_overdrawn_by(&self, invoice: &str) -> bool {
        let Some(at) = self.association(invoice) else { return false };
        let Some(indexed) = self.indexed(&at.buyer, &at.place.order) else { return false };
        let tracked = indexed.order.line(&at.place.line).is_some_and(|line| line.balance_tracking);
        let takes = at.used.is_some_and(|used| used > Amount::ZERO);
        let left = self.balance(&at.buyer, &at.place);
        tracked && takes && left.is_some_and(|left| left < Amount::ZERO)
    }

    fn is_there(&self, invoice: &MatchInvoice, to: &Place) -> Result<(), CorrectionRefusal> {
        let indexed = self.indexed(&invoice.buyer, &to.order);
        let indexed = indexed.ok_or_else(|| CorrectionRefusal::OrderUnknown(to.order.clone()))?;
        let unknown = || CorrectionRefusal::LineUnknown { order: to.order.clone(), line: to.line.clone() };
        indexed.line(&to.line).map(|_| ()).ok_or_else(unknown)
    }

    fn moved_to(&self, invoice: &MatchInvoice, to: &Place) -> Result<Association, CorrectionRefusal> {
        let indexed = self.indexed(&invoice.buyer, &to.order);
        let indexed = indexed.ok_or_else(|| CorrectionRefusal::OrderUnknown(to.order.clone()))?;
        let used = self.taken_from(invoice, &indexed.order)?;
        let tracked = indexed.order.line(&to.line).is_some_and(|line| line.balance_tracking);
        if used.is_none() && tracked {
            let (order, line) = (to.order.clone(), to.line.clone());
            return Err(CorrectionRefusal::Currency { invoice: invoice.id.clone(), order, line });
        }
        Ok(Association {
            invoice: invoice.id.clone(),
            buyer: invoice.buyer.clone(),
            place: to.clone(),
            used,
            by: PlacedBy::Person,
        })
    }

    fn warnings(&self, invoice: &MatchInvoice, to: &Place, steps: &[Step]) -> Vec<CorrectionWarning> {
        let Some(indexed) = self.indexed(&invoice.buyer, &to.order) else { return Vec::new() };
        let Some(line) = indexed.order.line(&to.line) else { return Vec::new() };
        let of = line.line_type;
        let fits = rank(of, invoice.kind, usage_ordered(invoice, &self.settings)).is_some();
        let used = steps.iter().filter_map(|step| step.after.as_ref()?.used);
        let used = used.fold(Amount::ZERO, |sum, used| sum.plus(used).unwrap_or(sum));
        let here = steps.iter().filter_map(|step| step.before.as_ref()).filter(|it| it.place == *to);
        let here =
            here.filter_map(|it| it.used).fold(Amount::ZERO, |sum, used| sum.plus(used).unwrap_or(sum));
        let left = self.balance(&invoice.buyer, to).and_then(|left| left.plus(here).ok()).unwrap_or_default();
        let lines = [
            (!fits, LineReason::TypeNotApplicable),
            (fits && !self.settings.has_type(&invoice.seller, of), LineReason::TypeEntityNotSupported),
            (!line.has_period(invoice.period), LineReason::PeriodOutsideLine),
            (line.balance_tracking && used > Amount::ZERO && left < used, LineReason::InsufficientBalance),
        ];
        let order = order_reason(invoice, &indexed.order, &self.settings).map(CorrectionWarning::Order);
        let lines =
            lines.into_iter().filter(|(so, _)| *so).map(|(_, reason)| CorrectionWarning::Line(reason));
        order.into_iter().chain(lines).collect()
    }
}

/// An invoice and its credit memos, and the memos of those, each after its original.
fn with_memos<'a>(invoice: &'a MatchInvoice, memos: &'a [MatchInvoice]) -> Vec<&'a MatchInvoice> {
    let mut moved = vec![invoice];
    let mut at = 0;
    while let Some(original) = moved.get(at).copied() {
        let follows = |memo: &&MatchInvoice| {
            memo.kind == InvoiceKind::CreditMemo
                && memo.original.as_ref() == Some(&original.id)
                && memo.buyer == original.buyer
        };
        let new: Vec<&MatchInvoice> =
            memos.iter().filter(follows).filter(|memo| moved.iter().all(|it| it.id != memo.id)).collect();
        moved.extend(new);
        at += 1;
    }
    moved
}
