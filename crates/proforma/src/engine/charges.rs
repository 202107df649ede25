//! What each account is charged, out of the statements of a run.

use crate::failure::{Failure, damaged};
use back_office::engine::AccountCharge;
use billing::account::AccountId;
use billing::custom_line_item::{PRODUCT, PRODUCT_NAME};
use billing::money::{Cost, Currency};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

#[derive(Deserialize)]
struct OfGroup {
    billing_group: String,
    statements: Vec<OfCurrency>,
}

#[derive(Deserialize)]
struct OfCurrency {
    currency: String,
    services: Vec<Service>,
    #[serde(default)]
    custom_line_items: Vec<Item>,
}

#[derive(Deserialize)]
struct Service {
    product: String,
    product_name: Option<String>,
    usage_types: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    account_id: String,
    amount: String,
}

#[derive(Deserialize)]
struct Item {
    account_id: String,
    product: String,
    amount: String,
}

/// The charges of every account, by group, account, currency and product.
pub fn charges(run: &Path) -> Result<Vec<AccountCharge>, Failure> {
    let unread = |what: &dyn std::fmt::Display| damaged(run, format!("its statements: {what}"));
    let mut sums: BTreeMap<(String, String, Currency, String), Cost> = BTreeMap::new();
    for entry in fs::read_dir(run.join("statements")).map_err(|error| unread(&error))? {
        let path = entry?.path();
        if path.extension().is_none_or(|ending| ending != "json") {
            continue;
        }
        let text = fs::read(&path).map_err(|error| unread(&error))?;
        let OfGroup { billing_group, statements } =
            serde_json::from_slice(&text).map_err(|error| unread(&error))?;
        for statement in statements {
            let currency = Currency::parse(&statement.currency).ok_or_else(|| unread(&statement.currency))?;
            let mut add = |account: String, product: String, amount: &str| -> Result<(), Failure> {
                let amount = Cost::parse(amount).map_err(|error| unread(&error))?;
                let sum = sums.entry((billing_group.clone(), account, currency, product)).or_default();
                *sum = sum.plus(amount)?;
                Ok(())
            };
            let mut names = BTreeMap::from([(PRODUCT.to_owned(), PRODUCT_NAME.to_owned())]);
            for Service { product, product_name, usage_types } in statement.services {
                let name = product_name.unwrap_or_else(|| product.clone());
                names.insert(product, name.clone());
                let product = name;
                for line in usage_types {
                    add(line.account_id, product.clone(), &line.amount)?;
                }
            }
            for item in statement.custom_line_items {
                let product = names.get(&item.product).unwrap_or(&item.product).clone();
                add(item.account_id, product, &item.amount)?;
            }
        }
    }
    let charge = |(key, pro_forma_cost): ((String, String, Currency, String), Cost)| {
        let (billing_group, account, currency, product) = key;
        let account = AccountId::parse(&account)?;
        Some(AccountCharge { billing_group, account, currency, product, pro_forma_cost })
    };
    Ok(sums.into_iter().filter_map(charge).collect())
}
