//! What cost files say of AWS's invoices, held against what AWS's own list of them says.

use super::{AwsInvoice, AwsKind};
use crate::invoice::date::Date;
use crate::money::{Cost, Currency, DecimalError};
use crate::period::BillingPeriod;
use std::collections::BTreeMap;
use std::fmt;

/// An invoice as AWS's list has it: `InvoiceSummary` of the operation `ListInvoiceSummaries`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// `InvoiceId`.
    pub id: String,
    /// `AccountId`: the receiver.
    pub account: Option<String>,
    /// The day of `IssuedDate`, in UTC.
    pub issued: Option<Date>,
    /// The day of `DueDate`, in UTC.
    pub due: Option<Date>,
    /// `BillingPeriod`.
    pub period: Option<BillingPeriod>,
    /// `Entity.BillingEntity`.
    pub billing_entity: Option<String>,
    /// `Entity.InvoicingEntity`.
    pub invoicing_entity: Option<String>,
    /// `BillType`.
    pub bill_type: Option<String>,
    /// `InvoiceType`.
    pub invoice_type: Option<String>,
    /// `CommercialInvoiceId`: of a tax invoice, the invoice that it is the tax document of.
    pub commercial: Option<String>,
    /// `OriginalInvoiceId`.
    pub original: Option<String>,
    /// `PurchaseOrderNumber`.
    pub purchase_order: Option<String>,
    /// The currency of `BaseCurrencyAmount`.
    pub currency: Currency,
    /// Its `TotalAmount`.
    pub total: Cost,
    /// Its `TotalAmountBeforeTax`.
    pub before_tax: Option<Cost>,
}

impl Summary {
    /// Whether it charges something. A payment receipt does not, and a tax invoice states again what its commercial invoice charges.
    #[must_use]
    pub fn charges(&self) -> bool {
        let is_tax_invoice = self.commercial.as_ref().is_some_and(|of| *of != self.id);
        !is_tax_invoice && self.invoice_type.as_deref() != Some("PAYMENT_RECEIPT")
    }
}

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DifferenceKind {
    /// The list has it, the cost files do not.
    MissingInCostFiles,
    /// The cost files have it, the list does not.
    MissingInList,
    /// Another currency.
    Currency,
    /// Another total.
    Total,
    /// Another total before tax.
    BeforeTax,
    /// Another entity that bills.
    BillingEntity,
    /// Another entity that invoices.
    InvoicingEntity,
    /// Another bill type.
    BillType,
    /// Another billing period.
    Period,
}

impl DifferenceKind {
    /// A word for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::MissingInCostFiles => "MISSING_IN_COST_FILES",
            Self::MissingInList => "MISSING_IN_LIST",
            Self::Currency => "CURRENCY",
            Self::Total => "TOTAL",
            Self::BeforeTax => "TOTAL_BEFORE_TAX",
            Self::BillingEntity => "BILLING_ENTITY",
            Self::InvoicingEntity => "INVOICING_ENTITY",
            Self::BillType => "BILL_TYPE",
            Self::Period => "BILLING_PERIOD",
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The invoice.
    pub id: String,
    /// What differs.
    pub kind: DifferenceKind,
    /// What the cost files say; empty where they say nothing.
    pub cost_files: String,
    /// What the list says; empty where it says nothing.
    pub list: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, kind, cost_files, list } = self;
        match kind {
            DifferenceKind::MissingInCostFiles => {
                write!(f, "invoice `{id}` over {list} is in the list and not in the cost files")
            }
            DifferenceKind::MissingInList => {
                write!(f, "invoice `{id}` over {cost_files} is in the cost files and not in the list")
            }
            kind => {
                let what = kind.code().to_lowercase().replace('_', " ");
                write!(
                    f,
                    "invoice `{id}`: its {what} is `{cost_files}` in the cost files and `{list}` in the list"
                )
            }
        }
    }
}

/// How far two totals may be apart: half a cent and the least digit of a cost. AWS's list is rounded to the minor unit, cost files are not.
pub const TOLERANCE: &str = "0.005";

/// Holds reconstructed invoices of one month against the list. Only what the list says is compared; summaries of another month than the
/// invoices' are left aside, but where the cost files have their number, and so is what [charges](Summary::charges) nothing of its own.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn reconcile(
    period: BillingPeriod,
    invoices: &[AwsInvoice],
    list: &[Summary],
    tolerance: Cost,
) -> Result<Vec<Difference>, DecimalError> {
    let mut here: BTreeMap<&str, Vec<&AwsInvoice>> = BTreeMap::new();
    for invoice in invoices {
        here.entry(invoice.id.as_deref().unwrap_or_default()).or_default().push(invoice);
    }
    let mut there: BTreeMap<&str, &Summary> = BTreeMap::new();
    for summary in list.iter().filter(|summary| summary.charges()) {
        if summary.period.is_none_or(|of| of == period) || here.contains_key(summary.id.as_str()) {
            there.insert(&summary.id, summary);
        }
    }
    let mut differences = Vec::new();
    for (id, summary) in &there {
        match here.remove(*id) {
            None => differences.push(Difference {
                id: (*id).to_owned(),
                kind: DifferenceKind::MissingInCostFiles,
                cost_files: String::new(),
                list: format!("{} {}", summary.total, summary.currency),
            }),
            Some(of) => compare(&of, summary, tolerance, &mut differences)?,
        }
    }
    for (id, of) in here {
        for invoice in of {
            differences.push(Difference {
                id: id.to_owned(),
                kind: DifferenceKind::MissingInList,
                cost_files: format!("{} {}", invoice.sums.total()?, invoice.currency),
                list: String::new(),
            });
        }
    }
    differences.sort_by(|one, other| (&one.id, one.kind).cmp(&(&other.id, other.kind)));
    Ok(differences)
}

/// Compares an invoice, in one entry per currency, with its summary.
fn compare(
    of: &[&AwsInvoice],
    summary: &Summary,
    tolerance: Cost,
    differences: &mut Vec<Difference>,
) -> Result<(), DecimalError> {
    let mut differ = |kind, cost_files: String, list: String| {
        differences.push(Difference { id: summary.id.clone(), kind, cost_files, list });
    };
    let Some(invoice) = of.iter().find(|invoice| invoice.currency == summary.currency) else {
        let codes: Vec<&str> = of.iter().map(|invoice| invoice.currency.as_str()).collect();
        differ(DifferenceKind::Currency, codes.join(", "), summary.currency.to_string());
        return Ok(());
    };
    // A list states a credit memo as an amount above 0, or below; cost files have it below.
    let is_memo = invoice.kind == AwsKind::CreditMemo;
    let apart = |here: Cost, there: Cost| -> Result<bool, DecimalError> {
        let off = |there: Cost| Ok::<_, DecimalError>(here.minus(there)?.units().abs() > tolerance.units());
        Ok(off(there)? && (!is_memo || off(there.negated())?))
    };
    let total = invoice.sums.total()?;
    if apart(total, summary.total)? {
        differ(DifferenceKind::Total, total.to_string(), summary.total.to_string());
    }
    if let Some(there) = summary.before_tax {
        let here = invoice.sums.before_tax()?;
        if apart(here, there)? {
            differ(DifferenceKind::BeforeTax, here.to_string(), there.to_string());
        }
    }
    let entities = [
        (DifferenceKind::BillingEntity, &invoice.billing_entities, &summary.billing_entity),
        (DifferenceKind::InvoicingEntity, &invoice.invoicing_entities, &summary.invoicing_entity),
        (DifferenceKind::BillType, &invoice.bill_types, &summary.bill_type),
    ];
    for (kind, here, there) in entities {
        let Some(there) = there else { continue };
        // Where the cost files do not say, there is nothing to compare.
        let is_alike = here.iter().any(|of| same_word(of, there))
            || kind == DifferenceKind::BillingEntity
                && invoice.listed_billing_entity().is_some_and(|of| same_word(of, there));
        if !here.is_empty() && !is_alike {
            let here: Vec<&str> = here.iter().map(String::as_str).collect();
            differ(kind, here.join(", "), there.clone());
        }
    }
    if let Some(there) = summary.period.filter(|there| *there != invoice.period) {
        differ(DifferenceKind::Period, invoice.period.to_string(), there.to_string());
    }
    Ok(())
}

/// Whether two words are one: cost files write `AWS Marketplace` where the list has `AWS_MARKETPLACE`.
fn same_word(one: &str, other: &str) -> bool {
    let plain = |text: &str| -> String {
        let kept = text.chars().filter(|c| c.is_alphanumeric());
        kept.flat_map(char::to_lowercase).collect()
    };
    plain(one) == plain(other)
}
