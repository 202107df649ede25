//! The cost report of a run, out of the run's files alone.

use super::charges::charges;
use crate::failure::{Failure, damaged};
use crate::reading_file;
use crate::run_folder::{self, ReportRow as WrittenRow};
use back_office::engine::{ReportRow, RunReport};
use billing::account::AccountId;
use billing::book::Book;
use billing::money::{Cost, Currency};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A group's costs by currency and product.
type Sums = BTreeMap<(String, Currency, String), (Cost, Cost)>;

/// Reads the report.
pub fn report(path: &Path) -> Result<RunReport, Failure> {
    let reported = run_folder::reported(path)?;
    let amount = |text: &str| {
        Cost::parse(text).map_err(|error| damaged(path, format!("its cost report: `{text}` is {error}")))
    };
    let currency = |text: &str| {
        Currency::parse(text).ok_or_else(|| damaged(path, format!("its cost report: currency `{text}`")))
    };
    let mut sums = Sums::new();
    for WrittenRow { billing_group, product, product_name, currency: code, aws_cost, pro_forma_cost } in
        reported.rows
    {
        let Some(group) = billing_group else { continue };
        let key = (group, currency(&code)?, product_name.unwrap_or(product));
        let (aws, pro_forma) = (amount(&aws_cost)?, amount(pro_forma_cost.as_deref().unwrap_or("0"))?);
        let sum = sums.entry(key).or_default();
        *sum = (sum.0.plus(aws)?, sum.1.plus(pro_forma)?);
    }
    let with_charges: BTreeSet<String> = sums.keys().map(|(group, ..)| group.clone()).collect();
    let mut without = BTreeSet::new();
    for (group, code) in reported.statements {
        // One row says that there are none, in the first of its currencies.
        if !with_charges.contains(&group) && without.insert(group.clone()) {
            sums.insert((group, currency(&code)?, String::new()), (Cost::ZERO, Cost::ZERO));
        }
    }
    let row = |(key, sum): ((String, Currency, String), (Cost, Cost))| {
        let ((billing_group, currency, product), (aws_cost, pro_forma_cost)) = (key, sum);
        ReportRow { billing_group, currency, product, aws_cost, pro_forma_cost }
    };
    let rows = sums.into_iter().map(row).collect();
    let named = match reported.reading {
        Some(expected) => reading_file::read(path, &expected)?.accounts,
        // What a level above charges was not read from cost files.
        None => run_folder::open_kept(path)?.cube.accounts().into_keys().map(ToOwned::to_owned).collect(),
    };
    let accounts: Vec<AccountId> = named.iter().filter_map(|account| AccountId::parse(account)).collect();
    let ungrouped = ungrouped(&accounts, &reported.book, reported.period, &reported.auto_associated);
    Ok(RunReport { rows, charges: charges(path)?, accounts, ungrouped })
}

/// The accounts that no group has, neither by its list nor because they joined it by themselves.
fn ungrouped(
    accounts: &[AccountId],
    book: &Book,
    period: billing::period::BillingPeriod,
    joined: &[String],
) -> Vec<AccountId> {
    let named = book.group_by_account(period);
    let joined: BTreeSet<&str> = joined.iter().map(String::as_str).collect();
    let is_in_none =
        |account: &&AccountId| !named.contains_key(account.as_str()) && !joined.contains(account.as_str());
    accounts.iter().filter(is_in_none).cloned().collect()
}
