//! Which purchase order an invoice belongs to: exactly one, or none with the reason.
//!
//! Pure: orders, the associations so far and an invoice go in, a [`Decision`] with its whole [`Trace`] comes out. The rules are those of the
//! AWS Billing user guide, "Managing your purchase orders", in this order: orders that are suspended or expired fall (R2), those of another
//! seller (R3), of other tax registration numbers (R4), of other invoice units (R5); then lines that are not for the billing period (R6) or
//! not for such an invoice (R7); of the lines left, the most specific type wins (R8), then balances that cover the invoice (R9), then the most
//! recently updated order (R10). docs/purchase-orders.md says them all, and what was decided where AWS is silent.

pub mod forecast;
pub mod notices;
pub mod three_way;

mod answer;
mod correction;
mod decide;
mod exchange;
mod explain;
mod index;
mod marketplace;
mod replay;
mod rules;
mod trace;

use crate::money::{Amount, Currency, DecimalError};
use crate::period::BillingPeriod;
use crate::purchase_order::invoice::InvoiceId;
use crate::purchase_order::{Buyer, Line, LineNumber, PurchaseOrder, PurchaseOrderId};

pub use correction::{Corrected, Correction, CorrectionRefusal, CorrectionWarning, Step};
pub use exchange::{Converted, converted};
pub use explain::{explain, no_order, of_candidate, of_outcome, order_reason, original_unknown, warned};
pub use index::Matcher;
pub use replay::{Change, Rematch, in_order};
pub use rules::rank;
pub use trace::{LineFold, LineReason, OrderReason, OrderTrace, OrderVerdict, Trace};

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The order.
    pub order: PurchaseOrderId,
    /// Its line.
    pub line: LineNumber,
}

/// Who put an invoice where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlacedBy {
    /// The rules.
    Rules,
    /// A person; the rules do not move it again.
    Person,
}

/// An invoice and the line that it is associated with at present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    /// The invoice or credit memo.
    pub invoice: InvoiceId,
    /// Whose order it is.
    pub buyer: Buyer,
    /// The line.
    pub place: Place,
    /// What it takes from the line's balance, in the order's currency; below 0 what a credit memo gives back. `None` where the line's balance
    /// is not tracked and the invoice's currency cannot be exchanged.
    pub used: Option<Amount>,
    /// Who put it there.
    pub by: PlacedBy,
}

/// Why an invoice has no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoOrder {
    /// The buyer has no orders.
    NoOrders,
    /// No order passed R2 to R5.
    NoOrderEligible,
    /// No line of the orders that passed is for the invoice.
    NoLineEligible,
    /// No candidate's balance covers the invoice, and the settings say to leave it then.
    NoBalance,
    /// A credit memo names no original invoice.
    NoOriginal,
    /// The original invoice of a credit memo is not known, or has no order.
    OriginalWithoutOrder,
    /// The order that the buyer asked for is suspended.
    RequestedSuspended,
    /// There is no order as the buyer asked for, and such an invoice makes none.
    RequestedUnknown,
    /// The order that the buyer asked for cannot take another line, or the buyer cannot have another active order.
    RequestedLimit,
    /// The order that the buyer asked for was deleted, and its id stays reserved.
    RequestedDeleted,
}

impl NoOrder {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::NoOrders,
        Self::NoOrderEligible,
        Self::NoLineEligible,
        Self::NoBalance,
        Self::NoOriginal,
        Self::OriginalWithoutOrder,
        Self::RequestedSuspended,
        Self::RequestedUnknown,
        Self::RequestedLimit,
        Self::RequestedDeleted,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoOrders => "NO_PURCHASE_ORDERS",
            Self::NoOrderEligible => "NO_ELIGIBLE_PURCHASE_ORDER",
            Self::NoLineEligible => "NO_ELIGIBLE_LINE",
            Self::NoBalance => "NO_SUFFICIENT_BALANCE",
            Self::NoOriginal => "CREDIT_MEMO_WITHOUT_ORIGINAL",
            Self::OriginalWithoutOrder => "ORIGINAL_WITHOUT_PURCHASE_ORDER",
            Self::RequestedSuspended => "REQUESTED_PURCHASE_ORDER_SUSPENDED",
            Self::RequestedUnknown => "REQUESTED_PURCHASE_ORDER_UNKNOWN",
            Self::RequestedLimit => "REQUESTED_PURCHASE_ORDER_LIMIT",
            Self::RequestedDeleted => "REQUESTED_PURCHASE_ORDER_DELETED",
        }
    }

    /// The reason with a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == text)
    }
}

/// The line that an invoice takes, and what that does to its balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taking {
    /// The line.
    pub place: Place,
    /// What the invoice takes from the line's balance, in the order's currency: see [`Association::used`].
    pub used: Option<Amount>,
    /// The order's currency.
    pub currency: Currency,
    /// The line's balance afterwards, in the order's currency, whether it is tracked or not; `None` where the line is no more.
    pub balance_after: Option<Amount>,
    /// Whether no candidate's balance covered the invoice.
    pub out_of_balance: bool,
    /// Whether the line's balance is tracked, and a credit memo gives nothing back to it: neither the memo nor its original states an exchange to the
    /// order's currency.
    pub lacks_exchange: bool,
}

/// What becomes of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is associated with a line.
    Associated(Taking),
    /// No balance covers it: it waits for a person, who is shown the line that it would take.
    Held(Taking),
    /// It carries no order.
    None(NoOrder),
}

/// What a purchase in AWS Marketplace does to orders, by the number that the buyer gave with it (R19). None of it counts as an update by the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The number was unknown: the order is created, with this line and without contacts.
    Create(Box<PurchaseOrder>),
    /// The order was expired: it is active again, and expires after this month.
    Revive {
        /// The order.
        order: PurchaseOrderId,
        /// Its new expiration month.
        expiration: BillingPeriod,
    },
    /// The order gets a line for the purchase, also while it is suspended.
    AddLine {
        /// The order.
        order: PurchaseOrderId,
        /// The line.
        line: Box<Line>,
    },
}

/// What was decided of an invoice, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The invoice.
    pub invoice: InvoiceId,
    /// What becomes of it.
    pub outcome: Outcome,
    /// What happens to orders because of it.
    pub effects: Vec<Effect>,
    /// Other order numbers on charges of the same invoice: it carries one only.
    pub other_numbers: Vec<PurchaseOrderId>,
    /// Every order that was a candidate, with what became of it.
    pub trace: Trace,
}

impl Decision {
    /// The line that the invoice is associated with.
    #[must_use]
    pub const fn place(&self) -> Option<&Place> {
        match &self.outcome {
            Outcome::Associated(taking) => Some(&taking.place),
            Outcome::Held(_) | Outcome::None(_) => None,
        }
    }
}

/// An invoice that cannot be reckoned with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invoice `{invoice}`: {error} in {what}; correct its total or its exchange rate")]
pub struct MatchError {
    /// The invoice.
    pub invoice: InvoiceId,
    /// What was being computed.
    pub what: &'static str,
    /// Why not.
    pub error: DecimalError,
}

#[cfg(test)]
mod tests;
