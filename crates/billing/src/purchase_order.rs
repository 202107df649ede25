//! Purchase orders: what a buyer has ordered, from whom, for which months and for how much.
//!
//! One form for two directions: the operator's orders to AWS ([`Buyer::Payer`]) and a customer's orders to the operator
//! ([`Buyer::BillingGroup`]). What a form says arrives as a [`Draft`] of texts; [`check`] tells everything that is wrong with it at
//! once and makes a [`PurchaseOrder`]. Which order an invoice is associated with is decided in `matching`.
//!
//! Source of the rules: AWS Billing user guide, "Managing your purchase orders", "Adding a purchase order", "Quotas and restrictions";
//! docs/purchase-orders.md has them all, with what was decided where AWS is silent.

pub mod invoice;

mod check;
mod draft;
mod line;
mod minor_units;
mod names;
mod problem;
mod sellers;
mod settings;

use crate::configuration::BillingGroupId;
use crate::money::{Amount, Currency, DecimalError};
use crate::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use crate::instant::{instant_text, month_of, parse_instant};
pub use check::{Act, Before, Checked, Surroundings, check, read, with_suspension, with_tags};
pub use draft::{Draft, DraftLine, DraftTax};
pub use line::{Line, LineType, LineValue, Price, PriceError, Tax};
pub use minor_units::minor_units;
pub use names::{LineNumber, PurchaseOrderId, Seller};
pub use problem::{Problem, ProblemKind};
pub use sellers::{SELLERS, SellerOfRecord, legal_name, seller_named};
pub use settings::{ExpiryBasis, OnInsufficientBalance, Settings};

/// Active orders that a buyer may have.
pub const ACTIVE_ORDERS_MAX: usize = 100;
/// Lines that an order may have.
pub const LINES_MAX: usize = 100;
/// Contacts that an order may have: 20 by the guide and the quotas, the FAQ still says 10.
pub const CONTACTS_MAX: usize = 20;
/// Tags that an order may have.
pub const TAGS_MAX: usize = 50;
/// Characters of an order's id.
pub const ID_CHARACTERS_MAX: usize = 100;
/// Characters of the number that a buyer gives an AWS Marketplace purchase, which becomes the order's id.
pub const MARKETPLACE_ID_CHARACTERS_MAX: usize = 200;
/// Characters of a free text; AWS documents no limit, so this one is ours.
pub const TEXT_CHARACTERS_MAX: usize = 1_000;

/// Whose order it is. Candidates of an invoice are the orders of the same buyer, and limits count per buyer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Buyer {
    /// The payer account: the operator's orders to AWS.
    Payer,
    /// A customer: a billing group's orders to the operator.
    BillingGroup(BillingGroupId),
}

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// Who is there.
    pub company: Option<String>,
    /// Street and number, in up to three lines.
    pub lines: Vec<String>,
    /// The district or county.
    pub district: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// The state or region.
    pub state: Option<String>,
    /// The postal code.
    pub postal_code: Option<String>,
    /// The country, by its two letters of ISO 3166-1.
    pub country: Option<String>,
}

impl Address {
    /// Whether nothing is said in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { company, lines, district, city, state, postal_code, country } = self;
        let parts = [company, district, city, state, postal_code, country];
        parts.into_iter().flatten().chain(lines).all(|part| part.trim().is_empty())
    }
}

/// Who is told about an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contact {
    /// Their name.
    pub name: String,
    /// Where notices go.
    pub email: String,
    /// Their telephone.
    pub phone: Option<String>,
}

/// A purchase order as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurchaseOrder {
    /// The buyer's own number for it; unique among the buyer's orders, also the deleted ones, and never changed.
    pub id: PurchaseOrderId,
    /// Whose it is.
    pub buyer: Buyer,
    /// Notes.
    pub description: Option<String>,
    /// The sellers whose invoices it takes.
    pub bill_from: BTreeSet<Seller>,
    /// Where any are named, it takes only invoices that were issued for one of them.
    pub tax_registration_numbers: BTreeSet<String>,
    /// Where any are named, it takes only invoices of one of these invoice units.
    pub invoice_units: BTreeSet<String>,
    /// Where the goods would go.
    pub ship_to: Option<Address>,
    /// Where the invoice goes, from the payment method.
    pub bill_to: Option<Address>,
    /// The terms that were agreed on, as `Net 30`.
    pub payment_terms: Option<String>,
    /// The currency of its amounts; frozen when it is created.
    pub currency: Currency,
    /// The first billing period that it may be used for.
    pub effective: BillingPeriod,
    /// The last billing period that it may be used for.
    pub expiration: BillingPeriod,
    /// Who is told.
    pub contacts: Vec<Contact>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Whether the user has suspended it.
    pub suspended: bool,
    /// When it was created, in seconds since 1970-01-01T00:00:00Z.
    pub created_at: i64,
    /// When the user last changed it, in seconds since 1970-01-01T00:00:00Z; decides between equal candidates. What counts is said at [`Self::is_update_of`].
    pub updated_at: i64,
    /// What is ordered, in the user's order.
    pub lines: Vec<Line>,
}

/// The status of an order by the wall clock.
///
/// Source: AWS Billing user guide, "Reading your purchase order details page". There is no state for an order that is not yet effective: it
/// is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Neither suspended nor past its expiration.
    Active,
    /// Past its expiration.
    Expired,
    /// Suspended by the user.
    Suspended,
    /// Both.
    SuspendedExpired,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Active, Self::Expired, Self::Suspended, Self::SuspendedExpired];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Expired => "EXPIRED",
            Self::Suspended => "SUSPENDED",
            Self::SuspendedExpired => "SUSPENDED_EXPIRED",
        }
    }

    /// The status with a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == text)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Active => "Active",
            Self::Expired => "Expired",
            Self::Suspended => "Suspended",
            Self::SuspendedExpired => "Suspended-expired",
        })
    }
}

impl PurchaseOrder {
    /// The status at an instant, in seconds since 1970-01-01T00:00:00Z. An order expires at the end of its expiration month, in UTC.
    #[must_use]
    pub const fn status(&self, now: i64) -> Status {
        match (self.suspended, now >= self.expiration.end_seconds()) {
            (false, false) => Status::Active,
            (false, true) => Status::Expired,
            (true, false) => Status::Suspended,
            (true, true) => Status::SuspendedExpired,
        }
    }

    /// The month in which the order begins, where that is still ahead: a mark beside the status.
    #[must_use]
    pub fn starts_later(&self, now: i64) -> Option<BillingPeriod> {
        (now < self.effective.start_seconds()).then_some(self.effective)
    }

    /// What the order is worth: the sum of its lines' total values, tax included, in its currency, exact.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn value(&self) -> Result<Amount, DecimalError> {
        self.lines.iter().try_fold(Amount::ZERO, |sum, line| sum.plus(line.price.value().total))
    }

    /// The line with a number.
    #[must_use]
    pub fn line(&self, number: &LineNumber) -> Option<&Line> {
        self.lines.iter().find(|line| line.number == *number)
    }

    /// Whether it takes invoices of a seller: it names the seller, or `*`.
    #[must_use]
    pub fn bills_from(&self, seller: &Seller) -> bool {
        self.bill_from.contains(seller) || self.bill_from.iter().any(Seller::is_any)
    }

    /// Whether a change from `before` counts as an update of the order: of anything but its tags and what comes from the account, `billTo` and
    /// `paymentTerms`.
    ///
    /// AWS says that the most recently updated order wins and not what updates it. Tags are for the buyer's own bookkeeping and choose nothing; in
    /// AWS's console nobody edits the address of the payment method or the terms, so that they cannot have made an order the latest one.
    #[must_use]
    pub fn is_update_of(&self, before: &Self) -> bool {
        let without = |order: &Self| Self {
            tags: BTreeMap::new(),
            updated_at: 0,
            created_at: 0,
            bill_to: None,
            payment_terms: None,
            ..order.clone()
        };
        without(self) != without(before)
    }
}

#[cfg(test)]
mod tests;
