//! What the matcher needs of an invoice, wherever it comes from: AWS's own or the operator's.

use super::{Buyer, LineNumber, PurchaseOrderId, Seller};
use crate::money::{Amount, Currency, Rate};
use crate::period::BillingPeriod;
use std::fmt;

/// An invoice's id: opaque text.
pub type InvoiceId = String;

/// Who made the invoice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// AWS, or whoever stands for it.
    #[default]
    Provider,
    /// The operator, from a pro forma statement.
    ProForma,
}

/// What an invoice charges.
///
/// Source: AWS Billing user guide, "Getting an overview of your bill"; `InvoiceSummary` of the invoicing API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InvoiceKind {
    /// The monthly invoice of usage and recurring fees.
    MonthlyUsage,
    /// A subscription or one-time purchase, Support included.
    Subscription,
    /// AWS Marketplace, monthly.
    MarketplaceMonthly,
    /// AWS Marketplace, outside the monthly cycle: contracts, instalments.
    MarketplaceOutOfCycle,
    /// Professional services and training.
    ProfessionalServicesTraining,
    /// A credit memo.
    CreditMemo,
}

impl InvoiceKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::MonthlyUsage,
        Self::Subscription,
        Self::MarketplaceMonthly,
        Self::MarketplaceOutOfCycle,
        Self::ProfessionalServicesTraining,
        Self::CreditMemo,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MonthlyUsage => "MONTHLY_USAGE",
            Self::Subscription => "SUBSCRIPTION",
            Self::MarketplaceMonthly => "MARKETPLACE_MONTHLY",
            Self::MarketplaceOutOfCycle => "MARKETPLACE_OUT_OF_CYCLE",
            Self::ProfessionalServicesTraining => "PROFESSIONAL_SERVICES_TRAINING",
            Self::CreditMemo => "CREDIT_MEMO",
        }
    }

    /// The kind with a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }

    /// The kind that follows from what AWS says of an invoice: whether it is a credit memo, whether AWS Marketplace bills it, and whether its
    /// `BillType` is `ANNIVERSARY`.
    ///
    /// The invoice decides and not the service: out-of-cycle usage and Support are purchases when they are billed as such. Professional services
    /// cannot be told from other purchases by these members.
    #[must_use]
    pub const fn of(credit_memo: bool, marketplace: bool, anniversary: bool) -> Self {
        match (credit_memo, marketplace, anniversary) {
            (true, ..) => Self::CreditMemo,
            (false, true, true) => Self::MarketplaceMonthly,
            (false, true, false) => Self::MarketplaceOutOfCycle,
            (false, false, true) => Self::MonthlyUsage,
            (false, false, false) => Self::Subscription,
        }
    }
}

impl fmt::Display for InvoiceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::MonthlyUsage => "monthly usage",
            Self::Subscription => "subscription or purchase",
            Self::MarketplaceMonthly => "monthly AWS Marketplace",
            Self::MarketplaceOutOfCycle => "out-of-cycle AWS Marketplace",
            Self::ProfessionalServicesTraining => "professional services and training",
            Self::CreditMemo => "credit memo",
        })
    }
}

/// The exchange that an invoice itself states: so much of `target` for one of `source`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// What is exchanged.
    pub source: Currency,
    /// For what.
    pub target: Currency,
    /// How much of it, above 0.
    pub rate: Rate,
}

/// The purchase order number that the buyer gave AWS Marketplace with a purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedOrder {
    /// The number, which is the order's id.
    pub id: PurchaseOrderId,
    /// The line in it; `1` where the buyer gave none.
    pub line: Option<LineNumber>,
    /// Other numbers on charges of the same invoice: an invoice has one order, so these are only told.
    pub others: Vec<PurchaseOrderId>,
}

/// An invoice, as far as it matters to which order it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchInvoice {
    /// Its id, unique among the payer's.
    pub id: InvoiceId,
    /// Who made it.
    pub origin: Origin,
    /// Who is to pay it: whose orders are candidates.
    pub buyer: Buyer,
    /// What it charges.
    pub kind: InvoiceKind,
    /// Who issued it.
    pub seller: Seller,
    /// The billing period that it is for.
    pub period: BillingPeriod,
    /// Its total with tax, in `currency`; of a credit memo either sign stands for the absolute amount.
    pub total: Amount,
    /// The currency of `total`.
    pub currency: Currency,
    /// The exchange that it states.
    pub exchange: Option<Exchange>,
    /// The receiver's tax registration number.
    pub tax_registration_number: Option<String>,
    /// The invoice unit that it belongs to.
    pub invoice_unit: Option<String>,
    /// When it was issued, in seconds since 1970-01-01T00:00:00Z.
    pub issued_at: i64,
    /// The AWS Marketplace charge.
    pub charge: Option<String>,
    /// The order that the buyer gave with an AWS Marketplace purchase.
    pub requested: Option<RequestedOrder>,
    /// The invoice that a credit memo takes back.
    pub original: Option<InvoiceId>,
}
