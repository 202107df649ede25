//! Rows of an exported file that no line of the cost files stands behind: custom line items, and the residue.
//!
//! Source: AWS does not say what custom line items look like in a pro forma report beyond their type and product; the
//! dates and fields are ours. Each row names its cause in `line_item_resource_id`, in a form without account.

use super::{RESIDUE, cause_of, cause_of_residue, description_of, instants};
use billing::billing_group::BillingGroup;
use billing::book::Book;
use billing::money::{Amount, Currency};
use billing::period::BillingPeriod;
use billing::statement::Statement;
use cost_data::export::plan::AddedRow;
use std::collections::BTreeMap;

/// The product of the residue row.
const PRODUCT: &str = billing::custom_line_item::PRODUCT;

/// The custom line items of a statement.
pub fn items(period: BillingPeriod, book: &Book, statement: &Statement) -> Vec<AddedRow> {
    let row = |item: &billing::statement::StatementItem| {
        let of_book = &book.items[item.item];
        let values = [
            ("line_item_usage_account_id", item.account.as_str()),
            ("line_item_line_item_type", item.line_item_type),
            ("line_item_product_code", &item.product),
            ("product_servicecode", &item.product),
            ("line_item_line_item_description", description_of(of_book)),
        ];
        added(period, book, (statement.currency, item.amount), &cause_of(of_book), &values)
    };
    statement.items.iter().map(row).collect()
}

/// The row that makes a file sum to its statement; its amount is found when the lines have been written.
pub fn residue(period: BillingPeriod, book: &Book, group: &BillingGroup, currency: Currency) -> AddedRow {
    let values = [
        ("line_item_usage_account_id", group.primary_account.as_str()),
        ("line_item_line_item_type", "Fee"),
        ("line_item_product_code", PRODUCT),
        ("product_servicecode", PRODUCT),
        ("line_item_line_item_description", RESIDUE),
    ];
    added(period, book, (currency, Amount::ZERO), &cause_of_residue(period), &values)
}

fn added(
    period: BillingPeriod,
    book: &Book,
    (currency, amount): (Currency, Amount),
    cause: &str,
    values: &[(&str, &str)],
) -> AddedRow {
    let [start, end] = instants(period);
    let mut all: BTreeMap<String, String> =
        values.iter().map(|(column, value)| ((*column).to_owned(), (*value).to_owned())).collect();
    for (column, value) in [
        ("identity_line_item_id", cause.to_owned()),
        ("identity_time_interval", format!("{start}/{end}")),
        ("bill_bill_type", "Anniversary".to_owned()),
        ("bill_billing_entity", "AWS".to_owned()),
        // Written only where the operator allows the column.
        ("bill_payer_account_id", book.payer.to_string()),
        ("bill_billing_period_start_date", start.clone()),
        ("bill_billing_period_end_date", end.clone()),
        ("line_item_usage_start_date", start),
        ("line_item_usage_end_date", end),
        ("line_item_usage_amount", "1".to_owned()),
        ("line_item_currency_code", currency.to_string()),
        ("line_item_resource_id", format!("arn:aws:billingconductor:::{cause}")),
    ] {
        all.insert(column.to_owned(), value);
    }
    AddedRow { currency: currency.to_string(), amount: amount.units(), values: all }
}
