//! What an invoice is made of: the exact charges of one billing group and currency in a period, as its statement has them.

use super::amount::InvoicedError;
use crate::account::AccountId;
use crate::book::Book;
use crate::charge_class::Cube;
use crate::cost_report::product_name;
use crate::money::{Amount, Currency};
use crate::statement::Statement;
use std::collections::BTreeMap;

/// The exact charges of a billing group in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charges {
    /// The currency that they were priced in.
    pub currency: Currency,
    /// The charges, one for each account and product, in the order of these.
    pub leaves: Vec<Charge>,
}

/// What an account is charged for a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The account.
    pub account: String,
    /// The account's name, where the book has one.
    pub account_name: Option<String>,
    /// The service code, else the product code.
    pub product: String,
    /// What AWS calls it, else the code.
    pub product_name: String,
    /// The exact amount.
    pub amount: Amount,
}

impl Charges {
    /// The charges of a statement: its lines and custom line items, exact, not as they are shown.
    ///
    /// # Errors
    /// [`InvoicedError::TooLarge`].
    pub fn of(cube: &Cube, book: &Book, statement: &Statement) -> Result<Self, InvoicedError> {
        let mut sums: BTreeMap<(&str, &str), Amount> = BTreeMap::new();
        let lines = statement
            .lines
            .iter()
            .map(|line| ((cube.text(line.key.account), cube.text(line.key.product)), line.amount));
        let items =
            statement.items.iter().map(|item| ((item.account.as_str(), item.product.as_str()), item.amount));
        for (key, amount) in lines.chain(items) {
            let sum = sums.entry(key).or_default();
            *sum = sum.plus(amount)?;
        }
        let named = |account: &str| book.account_names.get(&AccountId::parse(account)?).cloned();
        let charge = |((account, product), amount): ((&str, &str), Amount)| Charge {
            account: account.to_owned(),
            account_name: named(account),
            product: product.to_owned(),
            product_name: product_name(cube, product).unwrap_or_else(|| product.to_owned()),
            amount,
        };
        Ok(Self { currency: statement.currency, leaves: sums.into_iter().map(charge).collect() })
    }

    /// The exact sum.
    ///
    /// # Errors
    /// [`InvoicedError::TooLarge`].
    pub fn total(&self) -> Result<Amount, InvoicedError> {
        Ok(self.leaves.iter().try_fold(Amount::ZERO, |sum, leaf| sum.plus(leaf.amount))?)
    }
}
