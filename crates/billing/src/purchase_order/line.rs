//! Lines of an order: their types, months and values.

use super::{LineNumber, minor_units};
use crate::money::{
    Amount, Cost, Currency, DecimalError, Percentage, Quantity, divide_half_away, percentage_of, product,
    ten_to,
};
use crate::period::BillingPeriod;
use std::fmt;

/// What a line covers.
///
/// Source: AWS Billing user guide, "Managing your purchase orders", "Line item types".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineType {
    /// Every charge of the account, whatever the invoice.
    All,
    /// The monthly AWS invoice: usage and recurring fees.
    MonthlyUsage,
    /// Subscription invoices: upfront fees, Support charges and other one-time fees.
    SubscriptionPurchase,
    /// The invoices of one AWS Marketplace purchase.
    MarketplaceTransaction,
    /// AWS Marketplace invoices that no order of their own takes.
    MarketplaceBlanketUsage,
    /// AWS's consulting and training.
    ProfessionalServicesAndTraining,
}

impl LineType {
    /// Every type.
    pub const ALL: [Self; 6] = [
        Self::All,
        Self::MonthlyUsage,
        Self::SubscriptionPurchase,
        Self::MarketplaceTransaction,
        Self::MarketplaceBlanketUsage,
        Self::ProfessionalServicesAndTraining,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::MonthlyUsage => "AWS_MONTHLY_USAGE",
            Self::SubscriptionPurchase => "AWS_SUBSCRIPTION_PURCHASE",
            Self::MarketplaceTransaction => "AWS_MARKETPLACE_TRANSACTION",
            Self::MarketplaceBlanketUsage => "AWS_MARKETPLACE_BLANKET_USAGE",
            Self::ProfessionalServicesAndTraining => "AWS_PROFESSIONAL_SERVICES_AND_TRAINING_PURCHASE",
        }
    }

    /// The name in AWS's console.
    #[must_use]
    pub const fn console_name(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::MonthlyUsage => "AWS Monthly Usage",
            Self::SubscriptionPurchase => "AWS Subscription Purchase",
            Self::MarketplaceTransaction => "AWS Marketplace Transaction",
            Self::MarketplaceBlanketUsage => "AWS Marketplace Blanket Usage",
            Self::ProfessionalServicesAndTraining => "AWS Professional Services and Training Purchase",
        }
    }

    /// The type with a name of the wire or the console.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.name() == text || of.console_name() == text)
    }

    /// The type with a name, also of those that AWS has given up: `AWS Marketplace Purchase` was split into Transaction and Blanket Usage in
    /// February 2022, and the guide's examples still have it. It is read as Blanket Usage.
    #[must_use]
    pub fn parse_imported(text: &str) -> Option<Self> {
        let former = ["AWS Marketplace Purchase", "AWS_MARKETPLACE_PURCHASE"];
        Self::parse(text).or_else(|| former.contains(&text).then_some(Self::MarketplaceBlanketUsage))
    }
}

impl fmt::Display for LineType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.console_name())
    }
}

/// The tax on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tax {
    /// So much, in the order's currency.
    Amount(Cost),
    /// A percentage of the net value, 0 to 100.
    Percent(Percentage),
}

/// What a line is worth, in the order's currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineValue {
    /// Amount times quantity, exact.
    pub net: Amount,
    /// The tax: a percentage of the net value is rounded to the currency's minor unit, half away from zero.
    pub tax: Amount,
    /// Net and tax: what the balance begins with.
    pub total: Amount,
    /// What the rounding of the tax took away: the exact percentage less `tax`.
    pub tax_residue: Amount,
}

/// Why a price is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// The amount is below 0 or has more decimals than its currency.
    #[error("an amount is 0 or more, with at most {0} decimals")]
    Amount(u32),
    /// The quantity is not above 0.
    #[error("a quantity is above 0")]
    Quantity,
    /// The tax is not an amount that the currency has, or not 0 to 100 percent.
    #[error("a tax is 0 to 100 percent, or an amount of 0 or more with at most {0} decimals")]
    Tax(u32),
    /// The value is beyond every amount.
    #[error("the value is too large")]
    Value(DecimalError),
}

/// Amount, quantity and tax of a line, and the value that follows from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    amount: Cost,
    quantity: Quantity,
    tax: Option<Tax>,
    value: LineValue,
}

impl Default for Price {
    /// One unit of nothing.
    fn default() -> Self {
        Self { amount: Cost::ZERO, quantity: Quantity::ONE, tax: None, value: LineValue::default() }
    }
}

impl Price {
    /// The price of a unit, how many of them, and the tax on all of them.
    ///
    /// # Errors
    /// [`PriceError`], in the order of its variants.
    pub fn new(
        amount: Cost,
        quantity: Quantity,
        tax: Option<Tax>,
        currency: Currency,
    ) -> Result<Self, PriceError> {
        let digits = minor_units(currency);
        let fits = |amount: Cost| amount >= Cost::ZERO && amount.units() % ten_to(10 - digits) == 0;
        if !fits(amount) {
            return Err(PriceError::Amount(digits));
        }
        if quantity <= Quantity::ZERO {
            return Err(PriceError::Quantity);
        }
        let hundred = Percentage::from_units(1_000_000).map_err(PriceError::Value)?;
        let tax_fits = match tax {
            Some(Tax::Amount(amount)) => fits(amount),
            Some(Tax::Percent(percent)) => (Percentage::ZERO..=hundred).contains(&percent),
            None => true,
        };
        if !tax_fits {
            return Err(PriceError::Tax(digits));
        }
        let value = value_of(amount, quantity, tax, digits).map_err(PriceError::Value)?;
        Ok(Self { amount, quantity, tax, value })
    }

    /// The price of a unit, in the order's currency.
    #[must_use]
    pub const fn amount(&self) -> Cost {
        self.amount
    }

    /// How many units.
    #[must_use]
    pub const fn quantity(&self) -> Quantity {
        self.quantity
    }

    /// The tax on the net value.
    #[must_use]
    pub const fn tax(&self) -> Option<Tax> {
        self.tax
    }

    /// What the line is worth.
    #[must_use]
    pub const fn value(&self) -> LineValue {
        self.value
    }
}

/// Net, tax and total.
fn value_of(
    amount: Cost,
    quantity: Quantity,
    tax: Option<Tax>,
    digits: u32,
) -> Result<LineValue, DecimalError> {
    let net = product(amount, quantity)?;
    let (tax, tax_residue) = match tax {
        None => (Amount::ZERO, Amount::ZERO),
        Some(Tax::Amount(tax)) => (tax.to_amount()?, Amount::ZERO),
        Some(Tax::Percent(percent)) => tax_rounded(net, percent, digits)?,
    };
    Ok(LineValue { net, tax, total: net.plus(tax)?, tax_residue })
}

/// A percentage of a net value at so many decimals, half away from zero, and what was taken away.
///
/// One of the named roundings: tax is money that is paid, so it has the decimals that are paid.
fn tax_rounded(net: Amount, percent: Percentage, digits: u32) -> Result<(Amount, Amount), DecimalError> {
    let (exact, _) = percentage_of(net, percent)?;
    let step = ten_to(20 - digits);
    let tax = Amount::from_units(divide_half_away(exact.units(), step).0 * step)?;
    Ok((tax, exact.minus(tax)?))
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, unique in the order.
    pub number: LineNumber,
    /// Notes.
    pub description: Option<String>,
    /// What it covers.
    pub line_type: LineType,
    /// The first billing period that it takes invoices of.
    pub start: BillingPeriod,
    /// The last billing period that it takes invoices of.
    pub end: BillingPeriod,
    /// Whether its balance is followed; a line without it always has enough.
    pub balance_tracking: bool,
    /// The AWS Marketplace charge that a Transaction line is for; without one it is for purchases that named its order.
    pub charge: Option<String>,
    /// What it is worth.
    pub price: Price,
}

impl Line {
    /// Whether the line takes invoices of a billing period: both ends are included.
    #[must_use]
    pub fn has_period(&self, period: BillingPeriod) -> bool {
        self.start <= period && period <= self.end
    }

    /// How many months the line spans.
    #[must_use]
    pub fn months(&self) -> i32 {
        let index = |period: BillingPeriod| i32::from(period.year()) * 12 + i32::from(period.month());
        index(self.end) - index(self.start) + 1
    }
}
