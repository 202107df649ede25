//! What an invoice is made of: the exact charges of one billing group and currency in a period, as its statement has them.

use super::amount::InvoicedError;
use crate::account::AccountId;
use crate::book::Book;
use crate::charge_class::Cube;
use crate::cost_report::product_name;
use crate::custom_line_item::PRODUCT;
use crate::money::{Amount, Currency};
use crate::period::BillingPeriod;
use crate::statement::Statement;
use std::collections::BTreeMap;

/// The exact charges of a billing group in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charges {
    /// The currency that they were priced in.
    pub currency: Currency,
    /// The charges, one for each account, product and custom line item, in the order of these.
    pub leaves: Vec<Charge>,
}

/// What an account is charged for a product, or under it by a custom line item.
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
    /// The custom line item that charges it, where one does.
    pub item: Option<ChargedItem>,
    /// The exact amount.
    pub amount: Amount,
}

/// A custom line item, as far as a document tells it from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargedItem {
    /// Its name.
    pub name: String,
    /// What the customer reads beside it.
    pub description: String,
    /// The earlier period that it corrects, where it is what came late to a month that was closed.
    pub corrects: Option<BillingPeriod>,
}

impl Charge {
    /// The custom line item that stands on a line of its own: all but those that are shown under a service.
    #[must_use]
    pub fn item_of_its_own(&self) -> Option<&ChargedItem> {
        self.item.as_ref().filter(|item| item.corrects.is_some() || self.product == PRODUCT)
    }

    /// The period in which it was supplied, on a document of another one.
    #[must_use]
    pub fn supplied_in(&self, period: BillingPeriod) -> BillingPeriod {
        self.item.as_ref().and_then(|item| item.corrects).unwrap_or(period)
    }
}

impl Charges {
    /// The charges of a statement: its lines and custom line items, exact, not as they are shown.
    ///
    /// # Errors
    /// [`InvoicedError::TooLarge`].
    pub fn of(cube: &Cube, book: &Book, statement: &Statement) -> Result<Self, InvoicedError> {
        let mut sums: BTreeMap<(&str, &str, Option<usize>), Amount> = BTreeMap::new();
        let lines = statement
            .lines
            .iter()
            .map(|line| ((cube.text(line.key.account), cube.text(line.key.product), None), line.amount));
        let items = statement
            .items
            .iter()
            .map(|item| ((item.account.as_str(), item.product.as_str(), Some(item.item)), item.amount));
        for (key, amount) in lines.chain(items) {
            let sum = sums.entry(key).or_default();
            *sum = sum.plus(amount)?;
        }
        let named = |account: &str| book.account_names.get(&AccountId::parse(account)?).cloned();
        let charge = |((account, product, item), amount): ((&str, &str, Option<usize>), Amount)| Charge {
            account: account.to_owned(),
            account_name: named(account),
            product: product.to_owned(),
            product_name: product_name(cube, product).unwrap_or_else(|| product.to_owned()),
            item: item.map(|number| {
                let item = &book.items[number];
                let (name, description) = (item.name.clone(), item.description.clone());
                ChargedItem { name, description, corrects: item.corrects }
            }),
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
