//! Rows of a FOCUS file that no line of the cost files stands behind; `x_ProformaCause` says what does.
//!
//! Custom line items are adjustments, credits where they take away. What a group's commitments left unused is a row of its own
//! for each commitment and month: AWS's hourly figures also count what accounts outside of the group used.

use super::Priced;
use billing::billing_group::BillingGroup;
use billing::charge_class::{KeyColumn, Measure};
use billing::commitment;
use billing::cost_line::LineItemType;
use billing::custom_line_item::{Kind, PRODUCT, PRODUCT_NAME};
use billing::money::{Amount, Currency, DecimalError};
use billing::rate_card::{Treatment, line_item_type};
use billing::statement::{Statement, StatementItem};
use cost_data::export::plan::AddedRow;
use cost_data::export::reference::service_category;
use std::collections::BTreeMap;

/// The rows of one group.
pub struct FocusRows<'a> {
    pub priced: &'a Priced<'a>,
    pub group: &'a BillingGroup,
    pub number: usize,
    pub issuer: &'a str,
}

impl FocusRows<'_> {
    /// The custom line items of a statement.
    pub fn items(&self, statement: &Statement) -> Vec<AddedRow> {
        let row = |item: &StatementItem| {
            let of_book = &self.priced.book.items[item.item];
            let description =
                if of_book.description.is_empty() { &of_book.name } else { &of_book.description };
            let category = if of_book.kind == Kind::Credit { "Credit" } else { "Adjustment" };
            let name = self.priced.cube.product_names.get(&item.product);
            let name = if item.product == PRODUCT { PRODUCT_NAME } else { name.unwrap_or(&item.product) };
            let cause = format!("customlineitem/{}", of_book.name);
            let mut row = self.row(statement.currency, item.amount, category, description, &cause);
            self.service(&mut row, &item.product, name);
            row.values.insert("SubAccountId".to_owned(), item.account.clone());
            row
        };
        statement.items.iter().map(row).collect()
    }

    /// The row that makes a file sum to its statement; its amount is found when the lines have been written.
    pub fn residue(&self, currency: Currency) -> AddedRow {
        let cause = format!("residue/{}", self.priced.cube.period);
        let description = "What rounding to fifteen digits left over in the lines of this file";
        let mut row = self.row(currency, Amount::ZERO, "Adjustment", description, &cause);
        self.service(&mut row, PRODUCT, PRODUCT_NAME);
        row
    }

    /// What the group's commitments left unused, and covered usage that its negation does not offset.
    pub fn commitments(&self, currency: Currency) -> Result<Vec<AddedRow>, DecimalError> {
        let cube = self.priced.cube;
        let mut unused: BTreeMap<&str, (bool, Amount)> = BTreeMap::new();
        let mut coverage = Amount::ZERO;
        for (class, entry) in cube.classes.iter().zip(&self.priced.card.entries) {
            let of_group = entry.group.is_some_and(|group| group as usize == self.number);
            let of_currency = cube.value(class, KeyColumn::Currency) == Some(currency.as_str());
            if !of_group || !of_currency || entry.treatment != Treatment::AtCost {
                continue;
            }
            let kind = line_item_type(cube, class);
            if matches!(kind, LineItemType::SavingsPlanCoveredUsage | LineItemType::SavingsPlanNegation) {
                coverage = coverage.plus(entry.amount)?;
            }
            let Some(arn) = commitment::arn(cube, class) else { continue };
            let left = &mut unused.entry(arn).or_default();
            left.0 |= cube.filled(class, KeyColumn::SavingsPlanArn).is_some();
            left.1 = match kind {
                LineItemType::RiFee | LineItemType::SavingsPlanRecurringFee => {
                    left.1.plus(entry.amount)?.plus(class.sum(Measure::AmortizedUpfront).to_amount()?)?
                }
                LineItemType::SavingsPlanCoveredUsage => {
                    left.1.minus(class.sum(Measure::SavingsPlanEffective).to_amount()?)?
                }
                LineItemType::DiscountedUsage => {
                    left.1.minus(class.sum(Measure::ReservationEffective).to_amount()?)?
                }
                _ => left.1,
            };
        }
        let mut rows: Vec<AddedRow> = (unused.into_iter())
            .filter(|(_, (_, amount))| *amount > Amount::ZERO)
            .map(|(arn, (plan, amount))| self.unused(currency, arn, plan, amount))
            .collect();
        if !coverage.is_zero() {
            let description = "Covered usage that its Savings Plan negation does not offset";
            let cause = format!("coverage/{}", cube.period);
            let mut row = self.row(currency, coverage, "Adjustment", description, &cause);
            self.service(&mut row, PRODUCT, PRODUCT_NAME);
            rows.push(row);
        }
        Ok(rows)
    }

    fn unused(&self, currency: Currency, arn: &str, plan: bool, amount: Amount) -> AddedRow {
        let description = "Commitment that the billing group paid for and did not use";
        let mut row = self.row(currency, Amount::ZERO, "Usage", description, arn);
        self.service(&mut row, PRODUCT, PRODUCT_NAME);
        let (category, kind) = if plan { ("Spend", "Savings Plan") } else { ("Usage", "Reserved Instance") };
        for (column, value) in [
            ("ChargeFrequency", "Usage-Based".to_owned()),
            ("PricingCategory", "Committed".to_owned()),
            ("CommitmentDiscountId", arn.to_owned()),
            ("CommitmentDiscountCategory", category.to_owned()),
            ("CommitmentDiscountType", kind.to_owned()),
            ("CommitmentDiscountStatus", "Unused".to_owned()),
            ("EffectiveCost", amount.to_string()),
        ] {
            row.values.insert(column.to_owned(), value);
        }
        if plan {
            row.values.insert("CommitmentDiscountQuantity".to_owned(), amount.to_string());
            row.values.insert("CommitmentDiscountUnit".to_owned(), currency.to_string());
        }
        row
    }

    fn service(&self, row: &mut AddedRow, code: &str, name: &str) {
        let (category, subcategory) = match code {
            PRODUCT => ("Management and Governance", "Cost Management"),
            code => service_category(code),
        };
        for (column, value) in [
            ("ServiceName", name),
            ("ServiceCategory", category),
            ("ServiceSubcategory", subcategory),
            ("x_ServiceCode", code),
        ] {
            row.values.insert(column.to_owned(), value.to_owned());
        }
    }

    fn row(
        &self,
        currency: Currency,
        amount: Amount,
        category: &str,
        description: &str,
        cause: &str,
    ) -> AddedRow {
        let period = self.priced.cube.period;
        let (start, end) = (format!("{period}-01T00:00:00Z"), format!("{}-01T00:00:00Z", period.next()));
        let primary = self.group.primary_account.as_str();
        let values = [
            ("BillingAccountId", primary),
            ("BillingAccountName", &self.group.name),
            ("BillingAccountType", "Billing group"),
            ("BillingCurrency", currency.as_str()),
            ("BillingPeriodStart", &start),
            ("BillingPeriodEnd", &end),
            ("ChargePeriodStart", &start),
            ("ChargePeriodEnd", &end),
            ("ChargeCategory", category),
            ("ChargeDescription", description),
            ("ChargeFrequency", "One-Time"),
            ("InvoiceIssuerName", self.issuer),
            ("ProviderName", "AWS"),
            ("PublisherName", self.issuer),
            ("SubAccountId", primary),
            ("SubAccountType", "AWS account"),
            ("x_ProformaCause", cause),
        ];
        let values = values.map(|(column, value)| (column.to_owned(), value.to_owned()));
        AddedRow { currency: currency.to_string(), amount: amount.units(), values: values.into() }
    }
}
