//! What each account is charged, out of the statements of a run.

use super::every;
use crate::failure::{Failure, damaged};
use crate::publish::file_name;
use back_office::engine::AccountCharge;
use billing::account::AccountId;
use billing::custom_line_item::{PRODUCT, PRODUCT_NAME};
use billing::money::{Cost, Currency};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct OfGroup<'a> {
    billing_group: String,
    #[serde(borrow)]
    statements: Vec<OfCurrency<'a>>,
}

#[derive(Deserialize)]
struct OfCurrency<'a> {
    currency: &'a str,
    #[serde(borrow)]
    services: Vec<Service<'a>>,
    #[serde(default, borrow)]
    custom_line_items: Vec<Item<'a>>,
}

#[derive(Deserialize)]
struct Service<'a> {
    #[serde(borrow)]
    product: Cow<'a, str>,
    #[serde(borrow)]
    product_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    usage_types: Vec<Line<'a>>,
}

#[derive(Deserialize)]
struct Line<'a> {
    account_id: &'a str,
    amount: &'a str,
}

#[derive(Deserialize)]
struct Item<'a> {
    account_id: &'a str,
    #[serde(borrow)]
    product: Cow<'a, str>,
    amount: &'a str,
}

/// The charges of every account, by group, account, currency and product.
pub fn charges(run: &Path) -> Result<Vec<AccountCharge>, Failure> {
    let listed = fs::read_dir(run.join("statements")).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let listed = listed.map_err(|error| unread(run, &error))?;
    let is_json = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "json");
    let files: Vec<PathBuf> = listed.iter().map(fs::DirEntry::path).filter(is_json).collect();
    let mut charges = every(&files, |file| of_statement(run, file))?.concat();
    charges.sort_by(|one, other| place(one).cmp(&place(other)));
    Ok(charges)
}

/// What one group's statements charge: a group's are in one file.
fn of_statement(run: &Path, file: &Path) -> Result<Vec<AccountCharge>, Failure> {
    let text = fs::read(file).map_err(|error| unread(run, &error))?;
    let OfGroup { billing_group, statements } =
        serde_json::from_slice(&text).map_err(|error| unread(run, &error))?;
    let mut charges = Vec::new();
    for OfCurrency { currency, services, custom_line_items } in statements {
        let currency = Currency::parse(currency).ok_or_else(|| unread(run, &currency))?;
        let mut sums: BTreeMap<(&str, Cow<'_, str>), Cost> = BTreeMap::new();
        let mut add = |account, product, amount: &str| -> Result<(), Failure> {
            let amount = Cost::parse(amount).map_err(|error| unread(run, &error))?;
            let sum = sums.entry((account, product)).or_default();
            *sum = sum.plus(amount)?;
            Ok(())
        };
        let mut names = BTreeMap::from([(Cow::from(PRODUCT), Cow::from(PRODUCT_NAME))]);
        for Service { product, product_name, usage_types } in &services {
            let name = product_name.as_ref().unwrap_or(product);
            names.insert(Cow::from(product.as_ref()), Cow::from(name.as_ref()));
            for line in usage_types {
                add(line.account_id, Cow::from(name.as_ref()), line.amount)?;
            }
        }
        for item in &custom_line_items {
            let name = names.get(&item.product).unwrap_or(&item.product);
            add(item.account_id, name.clone(), item.amount)?;
        }
        let charge = |((account, product), pro_forma_cost): ((&str, Cow<'_, str>), Cost)| {
            let (account, product) = (AccountId::parse(account)?, product.into_owned());
            Some(AccountCharge {
                billing_group: billing_group.clone(),
                account,
                currency,
                product,
                pro_forma_cost,
            })
        };
        charges.extend(sums.into_iter().filter_map(charge));
    }
    Ok(charges)
}

/// The statement of a group as CSV; `None` where the run has none.
pub fn statement(run: &Path, group: &str) -> Result<Option<Vec<u8>>, Failure> {
    match fs::read(run.join("statements").join(format!("{}.csv", file_name(group)))) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unread(run, &error)),
    }
}

fn place(charge: &AccountCharge) -> (&str, &AccountId, Currency, &str) {
    (&charge.billing_group, &charge.account, charge.currency, &charge.product)
}

fn unread(run: &Path, what: &dyn std::fmt::Display) -> Failure {
    damaged(run, format!("its statements: {what}"))
}
