//! The rows of a preview: every month's groups or products and its totals, and the totals of all months.

use super::Amounts;
use crate::terminal::empty_table;
use billing::book::Book;
use billing::money::{Cost, Currency, DecimalError, percentage_shown};
use billing::period::BillingPeriod;
use comfy_table::Table;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A line of what is printed.
#[derive(Debug, Serialize)]
pub struct Row {
    /// The month; nothing where the row is of all months.
    period: Option<String>,
    /// `group`, `product`, `total` or `grand_total`.
    kind: &'static str,
    billing_group: Option<String>,
    product: Option<String>,
    before: Option<String>,
    after: Option<String>,
    difference: String,
    difference_percentage: Option<String>,
    currency: String,
    /// Where one of the books does not have the group: which one has it.
    only_in: Option<&'static str>,
}

/// A month's rows, and its sums before and after.
pub struct Month {
    rows: Vec<Row>,
    totals: BTreeMap<Currency, [Cost; 2]>,
}

/// One of the two things that are compared.
pub struct Side<'a> {
    /// What it is called.
    pub name: &'static str,
    /// Its book.
    pub book: &'a Book,
    /// What it charges.
    pub amounts: Amounts,
}

/// Each group's place where two books are shown: in the order of the first, what only the second has after that.
pub fn group_order<'a>(first: &'a Book, second: &'a Book) -> BTreeMap<&'a str, usize> {
    let mut order = BTreeMap::new();
    for (place, group) in first.groups.iter().chain(&second.groups).enumerate() {
        order.entry(group.name.as_str()).or_insert(place);
    }
    order
}

impl Month {
    /// The groups in the order of the book after, those that only the one before has behind them, and the totals.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn new(period: BillingPeriod, before: &Side<'_>, after: &Side<'_>) -> Result<Self, DecimalError> {
        let order = group_order(after.book, before.book);
        let names = |side: &Side<'_>| -> BTreeSet<String> {
            side.book.groups.iter().map(|group| group.name.clone()).collect()
        };
        let (names_before, names_after) = (names(before), names(after));
        let keys: BTreeSet<_> = before.amounts.keys().chain(after.amounts.keys()).collect();
        let mut keys: Vec<_> = keys.into_iter().collect();
        keys.sort_by_key(|(group, ..)| order.get(group.as_str()));
        let mut rows = Vec::with_capacity(keys.len());
        let mut totals: BTreeMap<Currency, [Cost; 2]> = BTreeMap::new();
        for key in keys {
            let (group, currency, product) = key;
            let amounts = [before.amounts.get(key).copied(), after.amounts.get(key).copied()];
            add(totals.entry(*currency).or_default(), amounts.map(Option::unwrap_or_default))?;
            let only_in = match (names_before.contains(group), names_after.contains(group)) {
                (true, false) => Some(before.name),
                (false, true) => Some(after.name),
                _ => None,
            };
            let product = (!product.is_empty()).then(|| product.clone());
            let kind = if product.is_some() { "product" } else { "group" };
            let billing_group = Some(group.clone());
            rows.push(Row {
                billing_group,
                product,
                only_in,
                ..Row::of(kind, Some(period), *currency, amounts)?
            });
        }
        for (currency, sums) in &totals {
            rows.push(Row::of("total", Some(period), *currency, sums.map(Some))?);
        }
        Ok(Self { rows, totals })
    }
}

/// The rows of all months; where they are several, with the totals of all.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn all(months: Vec<Month>) -> Result<Vec<Row>, DecimalError> {
    let several = months.len() > 1;
    let mut rows = Vec::new();
    let mut totals: BTreeMap<Currency, [Cost; 2]> = BTreeMap::new();
    for month in months {
        rows.extend(month.rows);
        for (currency, sums) in month.totals {
            add(totals.entry(currency).or_default(), sums)?;
        }
    }
    for (currency, sums) in totals.into_iter().filter(|_| several) {
        rows.push(Row::of("grand_total", None, currency, sums.map(Some))?);
    }
    Ok(rows)
}

fn add(sums: &mut [Cost; 2], more: [Cost; 2]) -> Result<(), DecimalError> {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum = sum.plus(more)?;
    }
    Ok(())
}

impl Row {
    fn of(
        kind: &'static str,
        period: Option<BillingPeriod>,
        currency: Currency,
        [before, after]: [Option<Cost>; 2],
    ) -> Result<Self, DecimalError> {
        let base = before.unwrap_or_default();
        let difference = after.unwrap_or_default().minus(base)?;
        let percentage =
            (!base.is_zero() || difference.is_zero()).then(|| percentage_shown(difference, base));
        Ok(Self {
            period: period.map(|period| period.to_string()),
            kind,
            billing_group: None,
            product: None,
            before: before.map(|amount| amount.to_string()),
            after: after.map(|amount| amount.to_string()),
            difference: difference.to_string(),
            difference_percentage: percentage.map(|percentage| percentage.to_string()),
            currency: currency.to_string(),
            only_in: None,
        })
    }
}

/// The rows for reading; the month and the product have a column where there are several.
pub fn table(rows: &[Row], by_month: bool, by_product: bool) -> Table {
    let named = [(by_month, "month"), (true, "billing group"), (by_product, "product")];
    let mut header: Vec<&str> = named.iter().filter(|(shown, _)| *shown).map(|(_, name)| *name).collect();
    let first = header.len();
    header.extend(["before", "after", "difference", "%", "currency", ""]);
    let mut table = empty_table(&header, first..first + 4);
    for row in rows {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let or = |text: &Option<String>, none: &str| text.clone().unwrap_or_else(|| none.to_owned());
        let mut cells = Vec::with_capacity(header.len());
        if by_month {
            cells.push(or(&row.period, "(all)"));
        }
        cells.push(or(&row.billing_group, "(total)"));
        if by_product {
            cells.push(text(&row.product));
        }
        let only_in = row.only_in.map(|side| match side {
            "first" | "second" => format!("only in the {side} book"),
            _ => format!("only in the {side}"),
        });
        let amounts = [text(&row.before), text(&row.after), row.difference.clone()];
        cells.extend(amounts.into_iter().chain([text(&row.difference_percentage)]));
        cells.extend([row.currency.clone(), only_in.unwrap_or_default()]);
        table.add_row(cells);
    }
    table
}
