//! Why an order or a line was taken or not: kept with every association.

use crate::money::Amount;
use crate::period::BillingPeriod;
use crate::purchase_order::{LineNumber, PurchaseOrder, PurchaseOrderId};
use std::sync::Arc;

/// Every order of the buyer and what became of it, in the order of ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// The orders.
    pub orders: Vec<OrderTrace>,
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderTrace {
    /// The order.
    pub order: PurchaseOrderId,
    /// What became of it.
    pub verdict: OrderVerdict,
}

/// What became of an order, or of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderVerdict {
    /// It fell, for the first reason that held; its lines were not looked at.
    Fell(OrderReason),
    /// Its lines were looked at; lines with the same reason are one entry.
    Lines(Arc<[LineFold]>),
}

/// Why an order falls, in the order in which reasons are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OrderReason {
    /// The invoice asks for another order.
    NotRequested,
    /// It is suspended (R2).
    Suspended,
    /// Its last month, this one, lies before the invoice's (R2, D1).
    Expired(BillingPeriod),
    /// Its first month, this one, lies after the invoice's (D1).
    NotYetEffective(BillingPeriod),
    /// It does not bill from the invoice's seller (R3).
    BillFromMismatch,
    /// It is for other tax registration numbers (R4).
    TaxRegistrationNumberMismatch,
    /// It is for other invoice units (R5).
    InvoiceUnitMismatch,
}

impl OrderReason {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotRequested => "PO_NOT_REQUESTED",
            Self::Suspended => "PO_SUSPENDED",
            Self::Expired(_) => "PO_EXPIRED",
            Self::NotYetEffective(_) => "PO_NOT_YET_EFFECTIVE",
            Self::BillFromMismatch => "BILL_FROM_MISMATCH",
            Self::TaxRegistrationNumberMismatch => "TRN_MISMATCH",
            Self::InvoiceUnitMismatch => "INVOICE_UNIT_MISMATCH",
        }
    }

    /// The reason with a name; `month` is that of the reasons that have one.
    #[must_use]
    pub fn parse(name: &str, month: Option<BillingPeriod>) -> Option<Self> {
        Some(match name {
            "PO_NOT_REQUESTED" => Self::NotRequested,
            "PO_SUSPENDED" => Self::Suspended,
            "PO_EXPIRED" => Self::Expired(month?),
            "PO_NOT_YET_EFFECTIVE" => Self::NotYetEffective(month?),
            "BILL_FROM_MISMATCH" => Self::BillFromMismatch,
            "TRN_MISMATCH" => Self::TaxRegistrationNumberMismatch,
            "INVOICE_UNIT_MISMATCH" => Self::InvoiceUnitMismatch,
            _ => return None,
        })
    }

    /// The month that the reason has.
    #[must_use]
    pub const fn month(self) -> Option<BillingPeriod> {
        match self {
            Self::Expired(month) | Self::NotYetEffective(month) => Some(month),
            _ => None,
        }
    }
}

/// What becomes of a line: first the reasons to fall, in the order in which they are looked for; then how candidates are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineReason {
    /// Its type is not for such an invoice (R7, R16).
    TypeNotApplicable,
    /// Its type does not exist for the invoice's seller (R15).
    TypeEntityNotSupported,
    /// It is for another AWS Marketplace purchase (R14).
    TransactionMismatch,
    /// The billing period is not among its months (R6).
    PeriodOutsideLine,
    /// Its balance is tracked in a currency that the invoice cannot be exchanged to (D9).
    CurrencyMismatch,
    /// Another order names the invoice's unit (D5).
    UnitPreferred,
    /// Another candidate's type is more specific (R8).
    LessSpecific,
    /// Its balance does not cover the invoice, and another candidate's does (R9).
    InsufficientBalance,
    /// Another candidate's order was updated later (R10).
    UpdatedEarlier,
    /// Another candidate's order was updated at the same instant and its id comes first (D4).
    LaterId,
    /// Another line of the order spans fewer months, ends earlier, or has a lower number (D4).
    OtherLine,
    /// It is taken.
    Taken,
}

impl LineReason {
    /// Every reason.
    pub const ALL: [Self; 12] = [
        Self::TypeNotApplicable,
        Self::TypeEntityNotSupported,
        Self::TransactionMismatch,
        Self::PeriodOutsideLine,
        Self::CurrencyMismatch,
        Self::UnitPreferred,
        Self::LessSpecific,
        Self::InsufficientBalance,
        Self::UpdatedEarlier,
        Self::LaterId,
        Self::OtherLine,
        Self::Taken,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TypeNotApplicable => "TYPE_NOT_APPLICABLE",
            Self::TypeEntityNotSupported => "TYPE_ENTITY_NOT_SUPPORTED",
            Self::TransactionMismatch => "TRANSACTION_MISMATCH",
            Self::PeriodOutsideLine => "PERIOD_OUTSIDE_LINE",
            Self::CurrencyMismatch => "CURRENCY_MISMATCH",
            Self::UnitPreferred => "INVOICE_UNIT_PREFERRED",
            Self::LessSpecific => "LESS_SPECIFIC_TYPE",
            Self::InsufficientBalance => "INSUFFICIENT_BALANCE",
            Self::UpdatedEarlier => "UPDATED_EARLIER",
            Self::LaterId => "LATER_ID",
            Self::OtherLine => "OTHER_LINE_OF_ORDER",
            Self::Taken => "TAKEN",
        }
    }

    /// The reason with a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == text)
    }
}

/// Lines of an order to which the same happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineFold {
    /// What happened.
    pub reason: LineReason,
    /// To how many.
    pub count: u32,
    /// The first of them, in the order of the order's lines.
    pub first: LineNumber,
    /// The first one's balance before the invoice, in the order's currency, where it mattered.
    pub balance: Option<Amount>,
}

/// Counts lines of an order by what happened to them.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally([Tallied; LineReason::ALL.len()]);

/// How many lines, and the place of the first of them among the order's lines.
#[derive(Clone, Copy, Default)]
struct Tallied {
    count: u32,
    first: u32,
}

impl Tally {
    /// Counts the line at a place among the order's lines.
    pub fn add(&mut self, reason: LineReason, at: usize) {
        let tallied = &mut self.0[reason as usize];
        // An order has a hundred lines at most; an index that does not fit has no line.
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        tallied.first = if tallied.count == 0 { at } else { tallied.first.min(at) };
        tallied.count += 1;
    }

    /// What happened, in the order of reasons, with the balances where they mattered.
    pub fn folds(&self, order: &PurchaseOrder, balances: &[Amount]) -> Arc<[LineFold]> {
        let counted = LineReason::ALL.into_iter().zip(self.0).filter(|(_, tallied)| tallied.count > 0);
        let folds = counted.filter_map(|(reason, Tallied { count, first })| {
            let line = order.lines.get(first as usize)?;
            let mattered = matches!(reason, LineReason::InsufficientBalance | LineReason::Taken);
            let balance = balances.get(first as usize).copied().filter(|_| mattered);
            Some(LineFold { reason, count, first: line.number.clone(), balance })
        });
        folds.collect()
    }
}
