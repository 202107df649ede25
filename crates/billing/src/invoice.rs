//! Invoices: what the operator asks of a customer for a closed period, as a document that never changes once it is issued.
//!
//! An [`Invoice`] has what EN 16931 calls the core of an invoice, under plain names; the numbers `BT-…` and `BG-…` in the comments are
//! that norm's. So one value makes the page, the e-invoice and the lines' file. It holds what its receiver may see and nothing else: no
//! cost of AWS's, no margin.
//!
//! Amounts here are [`Invoiced`]: whole minor units of a currency, a type that no unrounded amount turns into but in
//! [`rounding`], which returns what it took away.

pub mod amount;
pub mod date;
pub mod party;
pub mod tax;

pub mod check;
pub mod rounding;

pub mod exchange;
pub mod series;
pub mod tax_profile;

pub mod charges;
pub mod compose;
pub mod plausibility;
pub mod preview;
pub mod soundness;
mod taxed;
pub mod terms;

pub mod credit;
pub mod state;

pub mod aws;

pub use amount::{Invoiced, InvoicedError};
pub use date::Date;
pub use party::{Address, BankAccount, Contact, Party, PaymentInstructions, SchemedId};
pub use tax::{Tax, TaxCategory, TaxSubtotal};

use crate::money::{Currency, Quantity, Rate};

/// What kind of document it is (BT-3, of UNTDID 1001).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `380`: a commercial invoice.
    Invoice,
    /// `381`: a credit note, whose amounts are positive where they take back.
    CreditNote,
}

impl Kind {
    /// The code of UNTDID 1001.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Invoice => "380",
            Self::CreditNote => "381",
        }
    }

    /// The kind with a code of UNTDID 1001; `None` for kinds that are not issued here.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        [Self::Invoice, Self::CreditNote].into_iter().find(|kind| kind.code() == code)
    }
}

/// A document as it was issued, or as it would be.
///
/// Every amount is in [`currency`](Self::currency) but those of [`tax_currency`](Self::tax_currency). Any value can be built;
/// [`check`](mod@check) says what of its arithmetic does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// The number in its series (BT-1).
    pub number: String,
    /// What it is (BT-3).
    pub kind: Kind,
    /// The day of issue (BT-2).
    pub issued: Date,
    /// The last day on which payment is in time (BT-9); none of a credit note.
    pub due: Option<Date>,
    /// The terms of payment in words (BT-20).
    pub payment_terms: Option<String>,
    /// The currency of the document (BT-5).
    pub currency: Currency,
    /// The tax once more in the currency of the seller's tax office, where that is another one (BT-6, BT-111).
    pub tax_currency: Option<TaxCurrency>,
    /// How the amounts came to be in [`currency`](Self::currency), where the period was priced in another one.
    pub exchange: Option<Exchange>,
    /// The days that it is for, both included (BT-73, BT-74).
    pub period: DateRange,
    /// Who asks for payment (BG-4).
    pub seller: Party,
    /// Who is to pay (BG-7).
    pub buyer: Party,
    /// The buyer's own reference, for routing (BT-10).
    pub buyer_reference: Option<String>,
    /// The number of the buyer's purchase order (BT-13).
    pub purchase_order: Option<String>,
    /// The contract (BT-12).
    pub contract: Option<String>,
    /// The document that this one corrects (BG-3); a credit note may have none.
    pub preceding: Option<Preceding>,
    /// The lines, in order (BG-25).
    pub lines: Vec<Line>,
    /// Allowances and charges on the whole document (BG-20, BG-21).
    pub adjustments: Vec<Adjustment>,
    /// The tax by category and rate, in the order of [`Tax`] (BG-23).
    pub taxes: Vec<TaxSubtotal>,
    /// The totals (BG-22).
    pub totals: Totals,
    /// How to pay (BG-16).
    pub payment: Option<PaymentInstructions>,
    /// Free text for the reader (BT-22).
    pub notes: Vec<String>,
    /// The language of the document's own words, as a BCP 47 tag such as `en` or `fr-CA`.
    pub language: String,
}

/// One line of a document.
///
/// `net` is `quantity × price`: a line that takes back has a negative quantity, for a price is never below 0 (BR-27).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The line's number in the document (BT-126).
    pub id: String,
    /// What is charged (BT-153).
    pub name: String,
    /// More about it (BT-154).
    pub description: Option<String>,
    /// The account that it is for, where lines are told apart by account (BT-128).
    pub account: Option<String>,
    /// How many (BT-129).
    pub quantity: Quantity,
    /// The unit, as a code of UN/ECE Recommendation 20 (BT-130); `C62` is one.
    pub unit_code: String,
    /// The price of one, before tax (BT-146).
    pub price: Rate,
    /// The amount before tax (BT-131).
    pub net: Invoiced,
    /// The tax on it (BT-151, BT-152).
    pub tax: Tax,
    /// The days that the line is for, within the document's (BG-26).
    pub period: Option<DateRange>,
    /// The number of the line of the purchase order (BT-132).
    pub purchase_order_line: Option<String>,
}

/// Days, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateRange {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
}

/// Whether an adjustment lowers or raises what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AdjustmentKind {
    /// An allowance lowers it (BG-20).
    Allowance,
    /// A charge raises it (BG-21).
    Charge,
}

/// An allowance or a charge on the whole document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// Which of the two.
    pub kind: AdjustmentKind,
    /// The amount before tax, not below 0 (BT-92, BT-99).
    pub amount: Invoiced,
    /// The tax on it (BT-95, BT-102).
    pub tax: Tax,
    /// Why (BT-97, BT-104).
    pub reason: String,
    /// Why, as a code: of UNTDID 5189 for an allowance, of UNTDID 7161 for a charge (BT-98, BT-105).
    pub reason_code: Option<String>,
}

/// An earlier document that is corrected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preceding {
    /// Its number (BT-25).
    pub number: String,
    /// Its day of issue (BT-26).
    pub issued: Date,
}

/// An exchange rate as it was taken, frozen into the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The currency that is exchanged.
    pub from: Currency,
    /// The currency that results.
    pub to: Currency,
    /// How much of `to` one unit of `from` is.
    pub rate: Rate,
    /// Who published the rate.
    pub source: String,
    /// The day of the rate.
    pub date: Date,
}

/// The tax in the currency of the seller's tax office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxCurrency {
    /// That currency (BT-6).
    pub currency: Currency,
    /// The rate from the document's currency.
    pub exchange: Exchange,
    /// The document's tax in that currency (BT-111).
    pub tax: Invoiced,
}

/// A document's totals; each follows from the lines, the adjustments and the taxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// The sum of the lines (BT-106).
    pub lines: Invoiced,
    /// The sum of the allowances (BT-107).
    pub allowances: Invoiced,
    /// The sum of the charges (BT-108).
    pub charges: Invoiced,
    /// Before tax: lines − allowances + charges (BT-109).
    pub net: Invoiced,
    /// The tax: the sum of the categories' (BT-110).
    pub tax: Invoiced,
    /// With tax (BT-112).
    pub gross: Invoiced,
    /// What was paid before (BT-113).
    pub prepaid: Invoiced,
    /// What is added so that the amount due can be paid, as to five hundredths of a franc (BT-114).
    pub rounding: Invoiced,
    /// What is due: gross − prepaid + rounding (BT-115).
    pub due: Invoiced,
}

#[cfg(test)]
mod tests;
