//! What a document is made under: what is settled of one customer's, what one has of its own; and why one cannot be made.

use super::AdjustmentKind;
use super::amount::{Invoiced, InvoicedError};
use super::date::Date;
use super::exchange::NoRate;
use super::party::{Party, PaymentInstructions};
use super::soundness::Unsound;
use super::tax::TaxCategory;
use super::tax_profile::{NoTax, TaxProblem, TaxProfile};
use crate::money::Currency;

/// What a document's lines are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinesBy {
    /// One per service.
    Service,
    /// One per account and service.
    AccountAndService,
    /// One in all for each tax.
    One,
}

/// Which day's exchange rate a document takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RateDay {
    /// The last day of the billing period.
    PeriodEnd,
    /// The day of issue.
    Issue,
}

/// What the operator has settled about the documents of one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Who sells.
    pub seller: Party,
    /// Who buys.
    pub buyer: Party,
    /// The buyer's own reference.
    pub buyer_reference: Option<String>,
    /// The contract.
    pub contract: Option<String>,
    /// Which tax is charged; none is an error.
    pub tax: Option<TaxProfile>,
    /// The currency of the documents; `None` is that of the charges.
    pub currency: Option<Currency>,
    /// The currency of the seller's tax office, where the tax has to be said in it.
    pub tax_currency: Option<Currency>,
    /// Which day's rate is taken.
    pub rate_day: RateDay,
    /// The lines.
    pub lines: LinesBy,
    /// What one line in all is called; `None`: `Cloud services`.
    pub line_name: Option<String>,
    /// Days from issue until payment is due.
    pub due_days: u32,
    /// The terms in words.
    pub payment_terms: Option<String>,
    /// The steps in which the amount due can be paid, as `0.05` of a Swiss franc.
    pub payable_step: Option<Invoiced>,
    /// How to pay.
    pub payment: Option<PaymentInstructions>,
    /// Text for every document.
    pub notes: Vec<String>,
    /// The language, a BCP 47 tag.
    pub language: String,
}

/// What one document has of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extras {
    /// The purchase order that it is matched to.
    pub purchase_order: Option<OrderReference>,
    /// Allowances and charges on the whole document, in its currency.
    pub adjustments: Vec<ExtraAdjustment>,
    /// What was paid before, in the document's currency.
    pub prepaid: Option<Invoiced>,
    /// Text for this document.
    pub notes: Vec<String>,
}

/// A purchase order, and its line if one is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderReference {
    /// The purchase order's number.
    pub number: String,
    /// The number of its line.
    pub line: Option<String>,
}

/// An allowance or a charge; its tax is that of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraAdjustment {
    /// Which of the two.
    pub kind: AdjustmentKind,
    /// The amount before tax, not below 0.
    pub amount: Invoiced,
    /// Why.
    pub reason: String,
    /// The product whose tax it has; empty: that of all products that no rule names.
    pub product: String,
}

/// Why a document cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// A profile lacks what every document has to say.
    #[error("the {whose} profile has no {what}; set it before an invoice is drafted")]
    Profile {
        /// `seller` or `buyer`.
        whose: &'static str,
        /// What is missing.
        what: &'static str,
    },
    /// No tax profile.
    #[error(
        "there is no tax profile, and no rate is assumed; set one with a category (S, Z, E, AE, K, G or O), a rate and the day from \
         which it is in force"
    )]
    NoTaxProfile,
    /// A profile that cannot be.
    #[error(transparent)]
    TaxProfile(#[from] TaxProblem),
    /// No rule of a day.
    #[error(transparent)]
    NoTax(#[from] NoTax),
    /// A category that names ids which are not there (BR-S-02, BR-AE-02, BR-IC-02, BR-G-02 and their kin; BR-CO-26).
    #[error("tax category {category} needs {what} in the {whose} profile; set it")]
    TaxId {
        /// The category.
        category: TaxCategory,
        /// `seller` or `buyer`.
        whose: &'static str,
        /// What is missing.
        what: &'static str,
    },
    /// Category `O` beside another (BR-O-11).
    #[error(
        "tax category O cannot stand beside {0} on one document; bill these products apart, or under one category"
    )]
    OutsideScopeBeside(TaxCategory),
    /// No rate.
    #[error(transparent)]
    NoRate(#[from] NoRate),
    /// Amounts.
    #[error(transparent)]
    Amount(#[from] InvoicedError),
    /// Something in a profile that no e-invoice may have.
    #[error(transparent)]
    Unsound(#[from] Unsound),
    /// A day before what is invoiced was supplied.
    #[error(
        "the document would be of {issued}, and what it charges is supplied until {until}; issue it on {until} or later"
    )]
    BeforeSupply {
        /// The day that is asked for.
        issued: Date,
        /// The last day of the period.
        until: Date,
    },
    /// A prepayment that cannot be.
    #[error(
        "{prepaid} {currency} was paid before, and the document comes to {gross}; a prepayment is 0 or above and no more than that"
    )]
    Prepaid {
        /// What was paid before.
        prepaid: Invoiced,
        /// The currency.
        currency: Currency,
        /// What the document comes to, with tax.
        gross: Invoiced,
    },
    /// An adjustment below 0.
    #[error(
        "the {what} `{reason}` is `{amount}`; an allowance and a charge are not below 0, make it the other one"
    )]
    Adjustment {
        /// `allowance` or `charge`.
        what: &'static str,
        /// Why.
        reason: String,
        /// How much.
        amount: Invoiced,
    },
}
