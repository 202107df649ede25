//! AWS's own invoices, reconstructed from a month's charge classes.
//!
//! Cost files name the invoice on each line once it is final, with its bill type, the entity that bills, the one that invoices and the
//! seller of record; what is not final has no invoice id. The invoices, what has none yet, and rows that repeat cost sum to the cost files'
//! total to the last digit. Source: AWS Cost and Usage Report user guide, "Billing details".

mod reconcile;

pub use reconcile::{Difference, DifferenceKind, Summary, TOLERANCE, reconcile};

use crate::charge_class::{ChargeClass, Cube, KeyColumn, Measure};
use crate::class_kind::{LeftOut, left_out_of_aws_cost, line_item_type};
use crate::cost_line::{LineItemType, is_support};
use crate::money::{Cost, Currency, DecimalError};
use crate::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};

/// What kind of invoice it is. Source: AWS Billing user guide, "Viewing your bill"; the Invoicing FAQ. Where AWS is silent (out-of-cycle
/// bills of usage), the bill type decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AwsKind {
    /// Usage and recurring fees of a month.
    MonthlyUsage,
    /// A one-off charge, such as a reservation paid up front.
    Purchase,
    /// A support plan that is charged by itself.
    SupportPurchase,
    /// Usage of AWS Marketplace in a month.
    MarketplaceUsage,
    /// A one-off or contract charge of AWS Marketplace.
    MarketplacePurchase,
    /// A refund.
    CreditMemo,
    /// A bill type that this program does not know.
    Unknown,
}

impl AwsKind {
    /// A word for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::MonthlyUsage => "MONTHLY_USAGE",
            Self::Purchase => "PURCHASE",
            Self::SupportPurchase => "SUPPORT_PURCHASE",
            Self::MarketplaceUsage => "MARKETPLACE_USAGE",
            Self::MarketplacePurchase => "MARKETPLACE_PURCHASE",
            Self::CreditMemo => "CREDIT_MEMO",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// `BillType`, `InvoiceFrequency` and `InvoiceType`, as `ListInvoiceSummaries` says them; none of an unknown kind.
    #[must_use]
    pub const fn as_summary(self) -> Option<(&'static str, &'static str, &'static str)> {
        match self {
            Self::MonthlyUsage | Self::MarketplaceUsage => Some(("ANNIVERSARY", "RECURRING", "INVOICE")),
            Self::Purchase | Self::SupportPurchase | Self::MarketplacePurchase => {
                Some(("PURCHASE", "ONE_TIME", "INVOICE"))
            }
            Self::CreditMemo => Some(("REFUND", "ONE_TIME", "CREDIT_MEMO")),
            Self::Unknown => None,
        }
    }
}

/// Sums of lines at net unblended cost, which is what AWS invoices; each line is in one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Usage, fees, subscriptions.
    pub charges: Cost,
    /// Discounts with lines of their own.
    pub discounts: Cost,
    /// Credits.
    pub credits: Cost,
    /// Refunds.
    pub refunds: Cost,
    /// Tax.
    pub tax: Cost,
}

impl Sums {
    /// Everything but tax.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn before_tax(&self) -> Result<Cost, DecimalError> {
        self.charges.plus(self.discounts)?.plus(self.credits)?.plus(self.refunds)
    }

    /// Everything.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn total(&self) -> Result<Cost, DecimalError> {
        self.before_tax()?.plus(self.tax)
    }

    fn add(&mut self, kind: LineItemType, amount: Cost) -> Result<(), DecimalError> {
        let sum = match kind {
            LineItemType::Discount => &mut self.discounts,
            LineItemType::Credit => &mut self.credits,
            LineItemType::Refund => &mut self.refunds,
            LineItemType::Tax => &mut self.tax,
            _ => &mut self.charges,
        };
        *sum = sum.plus(amount)?;
        Ok(())
    }
}

/// An invoice of AWS's, as far as cost files tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsInvoice {
    /// AWS's number; `None` for what is not on an invoice yet.
    pub id: Option<String>,
    /// The currency of every amount.
    pub currency: Currency,
    /// The month of the cost files.
    pub period: BillingPeriod,
    /// What kind it is.
    pub kind: AwsKind,
    /// The bill types of its lines, as AWS writes them.
    pub bill_types: BTreeSet<String>,
    /// Who bills: `AWS`, `AWS Marketplace`, `AISPL`.
    pub billing_entities: BTreeSet<String>,
    /// Who invoices.
    pub invoicing_entities: BTreeSet<String>,
    /// The sellers of record, with what is theirs.
    pub legal_entities: BTreeMap<String, Cost>,
    /// The accounts that its lines are of.
    pub accounts: BTreeSet<String>,
    /// How many lines it has.
    pub lines: u64,
    /// What it comes to.
    pub sums: Sums,
    /// Whether all its charges are for support plans.
    only_support: bool,
    /// The types of its lines.
    line_types: BTreeSet<LineItemType>,
}

/// A month's invoices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AwsInvoices {
    /// Those with a number, in the order of number and currency.
    pub invoices: Vec<AwsInvoice>,
    /// What has no number yet, by currency.
    pub not_invoiced: Vec<AwsInvoice>,
    /// Rows of split cost allocation, which repeat cost that other rows have, by currency; 0 in most files.
    pub repeated: BTreeMap<Currency, Cost>,
}

/// Reconstructs a month's invoices. Lines of no currency count in `fallback`, the book's.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn reconstruct(cube: &Cube, fallback: Currency) -> Result<AwsInvoices, DecimalError> {
    let mut found: BTreeMap<(Option<&str>, Currency), AwsInvoice> = BTreeMap::new();
    let mut repeated: BTreeMap<Currency, Cost> = BTreeMap::new();
    for class in &cube.classes {
        let currency = cube.value(class, KeyColumn::Currency).and_then(Currency::parse).unwrap_or(fallback);
        let kind = line_item_type(cube, class);
        if left_out_of_aws_cost(cube, class, kind) == Some(LeftOut::SplitCostAllocation) {
            let sum = repeated.entry(currency).or_default();
            *sum = sum.plus(class.sum(Measure::NetUnblended))?;
            continue;
        }
        let id = cube.filled(class, KeyColumn::InvoiceId);
        let invoice =
            found.entry((id, currency)).or_insert_with(|| AwsInvoice::new(id, currency, cube.period));
        invoice.add(cube, class, kind)?;
    }
    let mut invoices: Vec<AwsInvoice> = found.into_values().collect();
    invoices.iter_mut().for_each(AwsInvoice::tell_kind);
    let (not_invoiced, invoices) = invoices.into_iter().partition(|of| of.id.is_none());
    Ok(AwsInvoices { invoices, not_invoiced, repeated })
}

impl AwsInvoice {
    /// Who bills, as AWS's list has it: that knows AWS and its Marketplace, and no entity of a country such as `AISPL`; `None` where the cost
    /// files do not say.
    #[must_use]
    pub fn listed_billing_entity(&self) -> Option<&'static str> {
        let is_marketplace = self.billing_entities.iter().any(|entity| entity == "AWS Marketplace");
        (!self.billing_entities.is_empty()).then_some(if is_marketplace { "AWS_MARKETPLACE" } else { "AWS" })
    }

    fn new(id: Option<&str>, currency: Currency, period: BillingPeriod) -> Self {
        Self {
            id: id.map(ToOwned::to_owned),
            currency,
            period,
            kind: AwsKind::Unknown,
            bill_types: BTreeSet::new(),
            billing_entities: BTreeSet::new(),
            invoicing_entities: BTreeSet::new(),
            legal_entities: BTreeMap::new(),
            accounts: BTreeSet::new(),
            lines: 0,
            sums: Sums::default(),
            only_support: true,
            line_types: BTreeSet::new(),
        }
    }

    fn add(&mut self, cube: &Cube, class: &ChargeClass, kind: LineItemType) -> Result<(), DecimalError> {
        let amount = class.sum(Measure::NetUnblended);
        self.sums.add(kind, amount)?;
        self.line_types.insert(kind);
        self.lines += class.lines;
        let value = |column| cube.filled(class, column);
        for (set, column) in [
            (&mut self.bill_types, KeyColumn::BillType),
            (&mut self.billing_entities, KeyColumn::BillingEntity),
            (&mut self.invoicing_entities, KeyColumn::InvoicingEntity),
            (&mut self.accounts, KeyColumn::UsageAccount),
        ] {
            // Most classes share their values with many others.
            if let Some(text) = value(column).filter(|text| !set.contains(*text)) {
                set.insert(text.to_owned());
            }
        }
        let seller = value(KeyColumn::LegalEntity).unwrap_or_default();
        if let Some(sum) = self.legal_entities.get_mut(seller) {
            *sum = sum.plus(amount)?;
        } else {
            self.legal_entities.insert(seller.to_owned(), amount);
        }
        let is_of_support = value(KeyColumn::ProductCode).is_some_and(is_support);
        self.only_support &= kind == LineItemType::Tax || is_of_support;
        Ok(())
    }

    fn tell_kind(&mut self) {
        let marketplace = self.billing_entities.iter().any(|entity| entity == "AWS Marketplace");
        let has = |bill_type: &str| self.bill_types.iter().any(|of| of.eq_ignore_ascii_case(bill_type));
        // A monthly invoice may carry a purchase or a refund, and is a monthly invoice all the same.
        self.kind = if has("Anniversary") {
            if marketplace { AwsKind::MarketplaceUsage } else { AwsKind::MonthlyUsage }
        } else if has("Purchase") {
            self.purchase(marketplace)
        } else if has("Refund") {
            AwsKind::CreditMemo
        } else if self.bill_types.is_empty() {
            self.kind_by_lines(marketplace)
        } else {
            AwsKind::Unknown
        };
    }

    fn purchase(&self, marketplace: bool) -> AwsKind {
        match (marketplace, self.only_support) {
            (true, _) => AwsKind::MarketplacePurchase,
            (false, true) => AwsKind::SupportPurchase,
            (false, false) => AwsKind::Purchase,
        }
    }

    /// The kind of an invoice whose lines have no bill type, as in FOCUS, which has no column for it: nothing but refunds takes back, nothing but fees
    /// that are paid once is a purchase, and the rest is a month's.
    fn kind_by_lines(&self, marketplace: bool) -> AwsKind {
        use LineItemType::{Credit, Discount, Fee, Refund, SavingsPlanUpfrontFee, Tax};
        let charged: BTreeSet<LineItemType> =
            self.line_types.iter().copied().filter(|of| !matches!(of, Tax | Discount | Credit)).collect();
        let only = |of: &[LineItemType]| !charged.is_empty() && charged.iter().all(|it| of.contains(it));
        if only(&[Refund]) {
            AwsKind::CreditMemo
        } else if only(&[Fee, SavingsPlanUpfrontFee, Refund]) {
            self.purchase(marketplace)
        } else if marketplace {
            AwsKind::MarketplaceUsage
        } else {
            AwsKind::MonthlyUsage
        }
    }

    /// The seller of record: the one of the largest part; ties to the first by name.
    #[must_use]
    pub fn seller(&self) -> Option<&str> {
        let mut largest: Option<(&str, u128)> = None;
        for (name, amount) in self.legal_entities.iter().filter(|(name, _)| !name.is_empty()) {
            let size = amount.units().unsigned_abs();
            if largest.is_none_or(|(_, known)| size > known) {
                largest = Some((name, size));
            }
        }
        largest.map(|(name, _)| name)
    }
}

#[cfg(test)]
mod tests;
