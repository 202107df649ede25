//! Late corrections: a person puts an invoice somewhere else, and the history keeps both places.
//!
//! AWS lets the user do so for an issued invoice and documents no deadline; a paid one needs a reason here. The invoice itself is issued again
//! elsewhere: what was issued is never rewritten.
//!
//! Source: AWS Billing user guide, "Getting an overview of your bill", "Update purchase order"; invoicing API reference, `StartInvoiceCorrection`.

use super::decide::{order_reason, usage_ordered, used_of};
use super::rules::rank;
use super::{Association, LineReason, MatchError, Matcher, OrderReason, Place, PlacedBy};
use crate::money::Amount;
use crate::purchase_order::invoice::{InvoiceId, InvoiceKind, MatchInvoice};
use crate::purchase_order::{LineNumber, PurchaseOrderId};

/// How far an invoice has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Payment {
    /// It is a draft.
    NotIssued,
    /// It is issued.
    Unpaid,
    /// It is paid, at least in part.
    Paid,
}

/// What a person asks for.
#[derive(Debug, Clone, Copy)]
pub struct Correction<'a> {
    /// The invoice.
    pub invoice: &'a MatchInvoice,
    /// Its credit memos: they go where it goes.
    pub memos: &'a [MatchInvoice],
    /// How far the invoice has come.
    pub payment: Payment,
    /// Where it is to be; `None` takes its order away.
    pub to: Option<&'a Place>,
    /// Why.
    pub reason: Option<&'a str>,
}

/// Why a correction is refused, in the order in which reasons are looked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CorrectionRefusal {
    /// Credit memos follow.
    #[error("`{0}` is a credit memo and follows its original; correct that one")]
    FollowsOriginal(InvoiceId),
    /// Drafts have not met an order.
    #[error("invoice `{0}` is a draft; it meets a purchase order when it is issued")]
    NotIssued(InvoiceId),
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
    /// A paid invoice needs a reason.
    #[error("invoice `{0}` is paid; give the reason for the correction")]
    PaidNeedsReason(InvoiceId),
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
    pub reason: Option<String>,
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
        if invoice.kind == InvoiceKind::CreditMemo {
            return Err(CorrectionRefusal::FollowsOriginal(invoice.id.clone()));
        }
        if asked.payment == Payment::NotIssued {
            return Err(CorrectionRefusal::NotIssued(invoice.id.clone()));
        }
        if let Some(to) = asked.to {
            self.is_there(invoice, to)?;
        }
        if self.association(&invoice.id).map(|it| &it.place) == asked.to {
            return Err(CorrectionRefusal::AlreadyThere(invoice.id.clone()));
        }
        let reason = asked.reason.map(str::trim).filter(|reason| !reason.is_empty());
        if asked.payment == Payment::Paid && reason.is_none() {
            return Err(CorrectionRefusal::PaidNeedsReason(invoice.id.clone()));
        }
        let of_original = |memo: &&MatchInvoice| {
            memo.kind == InvoiceKind::CreditMemo && memo.original.as_ref() == Some(&invoice.id)
        };
        let mut steps = Vec::new();
        for moved in std::iter::once(invoice).chain(asked.memos.iter().filter(of_original)) {
            let before = self.association(&moved.id).cloned();
            let after = match asked.to {
                Some(to) => Some(self.moved_to(moved, to)?),
                None => None,
            };
            let (actor, reason) = (actor.to_owned(), reason.map(str::to_owned));
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
            None => self.take_back(&step.invoice),
        }
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
        let used = used_of(invoice, &indexed.order)?;
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
            (line.balance_tracking && left < used, LineReason::InsufficientBalance),
        ];
        let order = order_reason(invoice, &indexed.order, &self.settings).map(CorrectionWarning::Order);
        let lines =
            lines.into_iter().filter(|(so, _)| *so).map(|(_, reason)| CorrectionWarning::Line(reason));
        order.into_iter().chain(lines).collect()
    }
}
