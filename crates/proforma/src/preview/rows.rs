//! The rows of a preview: every month's groups or products and its totals, and the totals of all months.

use super::Amounts;
use crate::group_tree::{GroupTree, SUBTREE, indented};
use crate::terminal::empty_table;
use billing::book::Book;
use billing::hierarchy::add;
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
    /// `group`, `product`, `subtree` of a parent, `total` or `grand_total`.
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
    /// How many groups are above this one.
    #[serde(skip)]
    depth: usize,
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

impl Month {
    /// The groups in the order of the book after, parents before their children, those that only the one before has behind them, and the
    /// totals. A parent's subtree has rows behind those of the parent.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn new(period: BillingPeriod, before: &Side<'_>, after: &Side<'_>) -> Result<Self, DecimalError> {
        let tree = GroupTree::of_two((after.book, period), (before.book, period));
        let names = |side: &Side<'_>| -> BTreeSet<String> {
            side.book.groups.iter().map(|group| group.name.clone()).collect()
        };
        let (names_before, names_after) = (names(before), names(after));
        let mut by_group: BTreeMap<&str, BTreeSet<(Currency, &str)>> = BTreeMap::new();
        for (group, currency, product) in before.amounts.keys().chain(after.amounts.keys()) {
            by_group.entry(group).or_default().insert((*currency, product));
        }
        let sides = |key: &(String, Currency, String)| {
            [before.amounts.get(key).copied(), after.amounts.get(key).copied()]
        };
        let mut rows = Vec::new();
        let mut amounts = Vec::new();
        let mut totals: BTreeMap<Currency, [Cost; 2]> = BTreeMap::new();
        let mut of_groups = Vec::new();
        for (number, name) in tree.groups() {
            let only_in = match (names_before.contains(name), names_after.contains(name)) {
                (true, false) => Some(before.name),
                (false, true) => Some(after.name),
                _ => None,
            };
            let mut own = Vec::new();
            for (currency, product) in by_group.remove(name).unwrap_or_default() {
                let both = sides(&(name.to_owned(), currency, product.to_owned()));
                let sums = both.map(Option::unwrap_or_default);
                add(&mut totals, currency, sums)?;
                amounts.push((name, currency, sums));
                let kind = if product.is_empty() { "group" } else { "product" };
                let product = (!product.is_empty()).then(|| product.to_owned());
                own.push(Row { product, only_in, ..Row::of(kind, Some(period), currency, both)? });
            }
            of_groups.push((number, name, own));
        }
        let mut subtrees = tree.subtrees(amounts)?;
        for (number, name, own) in of_groups {
            let subtree = std::mem::take(&mut subtrees[number]).into_iter();
            let subtree = subtree
                .map(|(currency, sums)| Row::of("subtree", Some(period), currency, sums.map(Some)))
                .collect::<Result<Vec<_>, _>>()?;
            let named = |row| Row { billing_group: Some(name.to_owned()), depth: tree.depth(number), ..row };
            rows.extend(own.into_iter().chain(subtree).map(named));
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
            add(&mut totals, currency, sums)?;
        }
    }
    for (currency, sums) in totals.into_iter().filter(|_| several) {
        rows.push(Row::of("grand_total", None, currency, sums.map(Some))?);
    }
    Ok(rows)
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
            depth: 0,
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
        let subtree = if row.kind == "subtree" { SUBTREE } else { "" };
        cells.push(indented(row.depth, &or(&row.billing_group, "(total)"), subtree));
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
