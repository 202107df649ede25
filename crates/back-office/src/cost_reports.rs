//! Cost reports: what billing groups are charged, beside what AWS charges, out of a period's current run.
//!
//! Source: AWS Billing Conductor API reference, `ListBillingGroupCostReports` and `GetBillingGroupCostReport`. The operator's rows and a customer's
//! are different types: a customer's has no place for a cost or a margin.

use crate::authorization::Scope;
use crate::engine::{AccountCharge, ReportRow, RunReport};
use billing::configuration::BillingGroupId;
use billing::money::{Cost, Currency, DecimalError, Percentage, percentage_shown};
use billing::period::BillingPeriod;
use invoice_file::plain_text;
use std::collections::BTreeMap;

/// The report of a period's current run, by billing group.
#[derive(Debug, Clone, Default)]
pub struct PeriodReport {
    /// The run.
    pub run: String,
    groups: BTreeMap<BillingGroupId, Vec<ReportRow>>,
    charges: BTreeMap<BillingGroupId, Vec<AccountCharge>>,
    /// What each group comes to, per currency: what is asked for most.
    totals: BTreeMap<BillingGroupId, Vec<(Currency, Costs)>>,
}

impl PeriodReport {
    /// Sorts a run's report by the groups that its book was made of: their ids by name.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn new(
        run: String,
        report: RunReport,
        ids: &BTreeMap<String, BillingGroupId>,
    ) -> Result<Self, DecimalError> {
        let mut of_run = Self { run, ..Self::default() };
        for row in report.rows {
            if let Some(id) = ids.get(&row.billing_group) {
                of_run.groups.entry(id.clone()).or_default().push(row);
            }
        }
        for charge in report.charges {
            if let Some(id) = ids.get(&charge.billing_group) {
                of_run.charges.entry(id.clone()).or_default().push(charge);
            }
        }
        for (id, rows) in &of_run.groups {
            of_run.totals.insert(id.clone(), sums(rows)?);
        }
        Ok(of_run)
    }

    /// What a group is charged, product by product, as far as a scope sees it: a customer's rows have no AWS cost, and those of one that is
    /// narrowed to accounts are of these accounts. Empty where the run knows no such group.
    #[must_use]
    pub fn of_group(&self, group: &BillingGroupId, scope: &Scope) -> Vec<ReportRow> {
        let rows = self.groups.get(group).map_or(&[][..], Vec::as_slice);
        match scope {
            Scope::Payer => rows.to_vec(),
            Scope::Groups { accounts: None, .. } => {
                rows.iter().map(|row| ReportRow { aws_cost: Cost::ZERO, ..row.clone() }).collect()
            }
            Scope::Groups { accounts: Some(accounts), .. } => {
                let charges = self.charges.get(group).map_or(&[][..], Vec::as_slice);
                let own = charges.iter().filter(|charge| accounts.contains(&charge.account));
                own.map(|charge| ReportRow {
                    billing_group: charge.billing_group.clone(),
                    currency: charge.currency,
                    product: charge.product.clone(),
                    aws_cost: Cost::ZERO,
                    pro_forma_cost: charge.pro_forma_cost,
                })
                .collect()
            }
        }
    }

    /// A group's totals, one per currency, as far as a scope sees them.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn totals(
        &self,
        group: &BillingGroupId,
        scope: &Scope,
    ) -> Result<Vec<(Currency, Costs)>, DecimalError> {
        let totals = self.totals.get(group).map_or(&[][..], Vec::as_slice);
        let without_cost =
            |(currency, costs): &(Currency, Costs)| (*currency, Costs { aws: Cost::ZERO, ..*costs });
        match scope {
            Scope::Payer => Ok(totals.to_vec()),
            Scope::Groups { accounts: None, .. } => Ok(totals.iter().map(without_cost).collect()),
            Scope::Groups { accounts: Some(_), .. } => sums(&self.of_group(group, scope)),
        }
    }

    /// The totals of every group, by group and currency.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn all_totals(&self) -> Result<Vec<(BillingGroupId, Currency, Costs)>, DecimalError> {
        let mut all = Vec::new();
        for group in self.groups.keys() {
            let totals = self.totals(group, &Scope::Payer)?;
            all.extend(totals.into_iter().map(|(currency, costs)| (group.clone(), currency, costs)));
        }
        Ok(all)
    }
}

/// The sums of rows, per currency.
fn sums(rows: &[ReportRow]) -> Result<Vec<(Currency, Costs)>, DecimalError> {
    let mut totals: BTreeMap<Currency, Costs> = BTreeMap::new();
    for row in rows {
        totals.entry(row.currency).or_default().add(row)?;
    }
    Ok(totals.into_iter().collect())
}

/// What AWS charges and what the group is charged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Costs {
    /// What AWS charges.
    pub aws: Cost,
    /// What the group is charged.
    pub pro_forma: Cost,
}

impl Costs {
    fn add(&mut self, row: &ReportRow) -> Result<(), DecimalError> {
        self.aws = self.aws.plus(row.aws_cost)?;
        self.pro_forma = self.pro_forma.plus(row.pro_forma_cost)?;
        Ok(())
    }

    /// Pro forma cost − AWS cost.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn margin(&self) -> Result<Cost, DecimalError> {
        self.pro_forma.minus(self.aws)
    }

    /// Margin / pro forma cost × 100, half away from zero at four decimals; 0 where nothing is charged. AWS does not say of what its percentage
    /// is: a margin is a share of what is charged.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn margin_percentage(&self) -> Result<Percentage, DecimalError> {
        Ok(percentage_shown(self.margin()?, self.pro_forma))
    }
}

/// What a group is charged by product, as CSV for the customer: without AWS's costs; `None` where it is charged for nothing.
#[must_use]
pub fn charged_as_csv(rows: &[ReportRow]) -> Option<Vec<u8>> {
    let mut text = "product,pro_forma_cost,currency\r\n".to_owned();
    let mut is_empty = true;
    // A row of no product says that there are no charges.
    for ReportRow { product, pro_forma_cost, currency, .. } in
        rows.iter().filter(|row| !row.product.is_empty())
    {
        let product = plain_text::cell(product).replace('"', "\"\"");
        text.push_str(&format!("\"{product}\",{pro_forma_cost},{currency}\r\n"));
        is_empty = false;
    }
    (!is_empty).then(|| text.into_bytes())
}

/// By what `GetBillingGroupCostReport` takes costs apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GroupBy {
    /// `PRODUCT_NAME`
    pub product: bool,
    /// `BILLING_PERIOD`
    pub period: bool,
}

/// A row of `GetBillingGroupCostReport`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultRow {
    /// The month, where months are told apart.
    pub period: Option<BillingPeriod>,
    /// The product, where products are told apart.
    pub product: Option<String>,
    /// The currency.
    pub currency: Currency,
    /// The costs.
    pub costs: Costs,
}

/// The rows of a group over some months, by month, product and currency.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn result_rows<'a>(
    months: impl IntoIterator<Item = (BillingPeriod, &'a [ReportRow])>,
    by: GroupBy,
) -> Result<Vec<ResultRow>, DecimalError> {
    let mut sums: BTreeMap<(Option<BillingPeriod>, Option<&str>, Currency), Costs> = BTreeMap::new();
    for (period, rows) in months {
        for row in rows {
            // That a group has no charges is a row of no product.
            if by.product && row.product.is_empty() {
                continue;
            }
            let key = (by.period.then_some(period), by.product.then_some(row.product.as_str()), row.currency);
            sums.entry(key).or_default().add(row)?;
        }
    }
    let row = |((period, product, currency), costs): ((_, Option<&str>, _), _)| ResultRow {
        period,
        product: product.map(str::to_owned),
        currency,
        costs,
    };
    Ok(sums.into_iter().map(row).collect())
}

/// A period as `GetBillingGroupCostReport` writes it: `Nov 2026`.
#[must_use]
pub fn period_attribute(period: BillingPeriod) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.get(usize::from(period.month()) - 1).copied().unwrap_or_default();
    format!("{month} {:04}", period.year())
}

#[cfg(test)]
mod tests {
    //! Sums by product and month.

    use super::*;

    fn row(product: &str, aws: &str, pro_forma: &str) -> ReportRow {
        ReportRow {
            billing_group: "acme".to_owned(),
            currency: Currency::parse("USD").unwrap(),
            product: product.to_owned(),
            aws_cost: Cost::parse(aws).unwrap(),
            pro_forma_cost: Cost::parse(pro_forma).unwrap(),
        }
    }

    #[test]
    fn rows_are_summed_by_what_is_told_apart() {
        let (october, november) =
            (vec![row("EC2", "80", "100"), row("S3", "1", "1")], vec![row("EC2", "5", "4")]);
        let months = || {
            let month = |number| BillingPeriod::new(2026, number).unwrap();
            [(month(10), october.as_slice()), (month(11), november.as_slice())]
        };
        let shown = |by| -> Vec<String> {
            let rows = result_rows(months(), by).unwrap();
            let text = |row: &ResultRow| {
                let month = row.period.map(period_attribute).unwrap_or_default();
                let product = row.product.clone().unwrap_or_default();
                format!("{month}|{product}|{}|{}", row.costs.aws, row.costs.pro_forma)
            };
            rows.iter().map(text).collect()
        };
        assert_eq!(shown(GroupBy::default()), ["||86|105"]);
        assert_eq!(shown(GroupBy { product: true, period: false }), ["|EC2|85|104", "|S3|1|1"]);
        assert_eq!(shown(GroupBy { product: false, period: true }), ["Oct 2026||81|101", "Nov 2026||5|4"]);
    }

    #[test]
    fn what_the_customer_gets_has_no_cost() {
        let rows = [row("Amazon \"EC2\"", "80", "100"), row("", "1", "0")];
        let csv = String::from_utf8(charged_as_csv(&rows).unwrap()).unwrap();
        assert_eq!(csv, "product,pro_forma_cost,currency\r\n\"Amazon \"\"EC2\"\"\",100,USD\r\n");
        assert_eq!(charged_as_csv(&rows[1..]), None);
    }

    #[test]
    fn a_margin_is_a_share_of_what_is_charged() {
        let costs = Costs { aws: Cost::parse("80").unwrap(), pro_forma: Cost::parse("100").unwrap() };
        assert_eq!(costs.margin().unwrap().to_string(), "20");
        assert_eq!(costs.margin_percentage().unwrap().to_string(), "20");
        assert_eq!(Costs::default().margin_percentage().unwrap().to_string(), "0");
    }
}
