//! What an operator may settle about orders and matching, where AWS is silent or its documents disagree.

use super::{LineType, Seller};
use crate::matching::three_way::Terms;
use std::collections::{BTreeMap, BTreeSet};

/// When an order counts as expired for an invoice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExpiryBasis {
    /// By the invoice's billing period: the March order takes the March invoice, which is issued in April.
    #[default]
    BillingPeriod,
    /// By the instant at which the invoice is generated.
    WallClock,
}

/// What becomes of an invoice that no candidate's balance covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OnInsufficientBalance {
    /// It is associated all the same, as AWS does, and flagged.
    #[default]
    Associate,
    /// It is held for a person, with the candidate named.
    Hold,
    /// It stays without an order.
    LeaveUnmatched,
}

/// Settings of a payer; the defaults follow AWS as far as it is documented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// An order that names the invoice's invoice unit comes before orders without units, even before a more specific type.
    pub prefer_invoice_unit: bool,
    /// When an order counts as expired.
    pub expiry_basis: ExpiryBasis,
    /// What becomes of an invoice that no balance covers.
    pub on_insufficient_balance: OnInsufficientBalance,
    /// Whether an AWS Marketplace Transaction line takes monthly usage for which the buyer gave a purchase order number.
    pub marketplace_transaction_for_usage: bool,
    /// Whether ids may have a `#`.
    pub allow_number_sign: bool,
    /// The types that lines may have.
    pub line_types: BTreeSet<LineType>,
    /// The sellers that a type of line exists for; a type without an entry exists for all.
    pub line_type_sellers: BTreeMap<LineType, BTreeSet<Seller>>,
    /// How far an invoice may be from its order and from what was metered, and who looks at it.
    pub terms: Terms,
}

/// The sellers of a type by default: those of the guide until 2025 together with those of the guide of 2026.
const TYPE_SELLERS: [(LineType, &[&str]); 3] = [
    (
        LineType::MarketplaceTransaction,
        &["AWS_INC", "AWS_EUROPE", "AWS_AUSTRALIA", "AWS_NEW_ZEALAND", "AWS_KOREA", "AWS_JAPAN"],
    ),
    (LineType::MarketplaceBlanketUsage, &["AWS_INC", "AWS_EUROPE", "AWS_AUSTRALIA", "AWS_NEW_ZEALAND"]),
    (LineType::ProfessionalServicesAndTraining, &["AWS_INC"]),
];

impl Default for Settings {
    fn default() -> Self {
        let sellers = |codes: &[&str]| codes.iter().filter_map(|code| Seller::parse(code)).collect();
        Self {
            prefer_invoice_unit: true,
            expiry_basis: ExpiryBasis::default(),
            on_insufficient_balance: OnInsufficientBalance::default(),
            marketplace_transaction_for_usage: false,
            allow_number_sign: false,
            line_types: LineType::ALL.into(),
            line_type_sellers: TYPE_SELLERS.iter().map(|(of, codes)| (*of, sellers(codes))).collect(),
            terms: Terms::default(),
        }
    }
}

impl Settings {
    /// Whether a seller has invoices of a line's type.
    #[must_use]
    pub fn has_type(&self, seller: &Seller, line_type: LineType) -> bool {
        self.line_type_sellers
            .get(&line_type)
            .is_none_or(|of| of.contains(seller) || of.iter().any(Seller::is_any))
    }
}
