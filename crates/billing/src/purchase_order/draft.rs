//! An order as a form, a file or a stored row says it: texts, not yet checked.

use super::{Address, Contact, Line, PurchaseOrder, Tax};
use crate::money::Quantity;

/// Everything that a user says about an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// `purchaseOrderId`
    pub id: String,
    /// `description`
    pub description: Option<String>,
    /// `billFrom`: codes of sellers, or `*`
    pub bill_from: Vec<String>,
    /// `taxRegistrationNumbers`
    pub tax_registration_numbers: Vec<String>,
    /// `invoiceUnits`
    pub invoice_units: Vec<String>,
    /// `shipTo`
    pub ship_to: Option<Address>,
    /// `billTo`
    pub bill_to: Option<Address>,
    /// `paymentTerms`
    pub payment_terms: Option<String>,
    /// `currency`: ISO 4217
    pub currency: String,
    /// `effectiveMonth`: `YYYY-MM`
    pub effective_month: String,
    /// `expirationMonth`: `YYYY-MM`
    pub expiration_month: String,
    /// `contacts`
    pub contacts: Vec<Contact>,
    /// `tags`: keys and values
    pub tags: Vec<(String, String)>,
    /// Whether it is suspended.
    pub suspended: bool,
    /// `lineItems`
    pub lines: Vec<DraftLine>,
}

/// Everything that a user says about a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DraftLine {
    /// `number`
    pub number: String,
    /// `description`
    pub description: Option<String>,
    /// `type`: a name of the wire or of the console
    pub line_type: String,
    /// `startMonth`: `YYYY-MM`
    pub start_month: String,
    /// `endMonth`: `YYYY-MM`
    pub end_month: String,
    /// `balanceTracking`
    pub balance_tracking: bool,
    /// `chargeId` of AWS Marketplace
    pub charge: Option<String>,
    /// `amount` of a unit, in the order's currency; 0 where it is not given
    pub amount: Option<String>,
    /// `quantity`; 1 where it is not given
    pub quantity: Option<String>,
    /// `tax`
    pub tax: Option<DraftTax>,
}

/// A tax as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DraftTax {
    /// `amount in $`: an amount in the order's currency
    Amount(String),
    /// `% of amount`: a percentage of the net value
    Percent(String),
}

impl Draft {
    /// What one would have to say to make an order again.
    #[must_use]
    pub fn of(order: &PurchaseOrder) -> Self {
        Self {
            id: order.id.to_string(),
            description: order.description.clone(),
            bill_from: order.bill_from.iter().map(ToString::to_string).collect(),
            tax_registration_numbers: order.tax_registration_numbers.iter().cloned().collect(),
            invoice_units: order.invoice_units.iter().cloned().collect(),
            ship_to: order.ship_to.clone(),
            bill_to: order.bill_to.clone(),
            payment_terms: order.payment_terms.clone(),
            currency: order.currency.to_string(),
            effective_month: order.effective.to_string(),
            expiration_month: order.expiration.to_string(),
            contacts: order.contacts.clone(),
            tags: order.tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
            suspended: order.suspended,
            lines: order.lines.iter().map(DraftLine::of).collect(),
        }
    }
}

impl DraftLine {
    /// What one would have to say to make a line again.
    #[must_use]
    pub fn of(line: &Line) -> Self {
        let quantity = line.price.quantity();
        Self {
            number: line.number.to_string(),
            description: line.description.clone(),
            line_type: line.line_type.name().to_owned(),
            start_month: line.start.to_string(),
            end_month: line.end.to_string(),
            balance_tracking: line.balance_tracking,
            charge: line.charge.clone(),
            amount: Some(line.price.amount().to_string()),
            quantity: (quantity != Quantity::ONE).then(|| quantity.to_string()),
            tax: line.price.tax().map(|tax| match tax {
                Tax::Amount(amount) => DraftTax::Amount(amount.to_string()),
                Tax::Percent(percent) => DraftTax::Percent(percent.to_string()),
            }),
        }
    }
}
