//! A billing group's statement as JSON and CSV: what the customer may see.

use super::{Results, json, product_name, to_csv};
use crate::publish::{Draft, file_name};
use billing::account::AccountId;
use billing::hierarchy::{Hierarchy, Totals};
use billing::money::{Cost, Currency, DecimalError};
use billing::statement::{Statement, StatementItem, StatementLine};
use serde::Serialize;
use std::collections::BTreeMap;

/// Writes the statements of every group, all currencies of a group in one file.
pub fn write(draft: &Draft, results: &Results) -> anyhow::Result<()> {
    let hierarchy = Hierarchy::of(&results.book, results.period);
    let totals = totals(results);
    let sums = hierarchy.roll_up(totals.clone())?;
    for group in results.book.groups_of(results.period) {
        let of_group = &results.book.groups[group];
        let is_parent = !hierarchy.children(group).is_empty();
        let below = if is_parent { hierarchy.subtree(group) } else { Vec::new() };
        let below: Vec<BelowTotal<'_>> = below
            .iter()
            .skip(1)
            .flat_map(|below| below_totals(results, &hierarchy, &totals, *below))
            .collect();
        let subtree: Vec<SubtreeTotal<'_>> =
            if is_parent { subtree_totals(&totals, &sums, group) } else { Vec::new() };
        let statements: Vec<&Statement> = results.statements.iter().filter(|s| s.group == group).collect();
        let content = GroupStatement {
            billing_group: &of_group.name,
            period: results.period.to_string(),
            status: of_group.transfer.and_then(|_| results.book.phase(group, results.period).group_status()),
            statements: statements.iter().map(|s| content(results, s)).collect::<anyhow::Result<_>>()?,
            billing_groups: below,
            subtree_total: subtree,
        };
        let name = file_name(&of_group.name);
        draft.write(&format!("statements/{name}.json"), &json(&content)?)?;
        let mut rows: Vec<CsvRow<'_>> =
            statements.iter().flat_map(|statement| csv_rows(results, statement)).collect();
        rows.extend(content.billing_groups.iter().map(BelowTotal::csv_row));
        rows.extend(content.subtree_total.iter().map(|total| total.csv_row(&of_group.name)));
        draft.write(&format!("statements/{name}.csv"), to_csv(&rows)?.as_bytes())?;
    }
    Ok(())
}

#[derive(Serialize)]
struct GroupStatement<'a> {
    billing_group: &'a str,
    period: String,
    /// Of a group of a billing transfer: whether that is in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    statements: Vec<CurrencyStatement<'a>>,
    /// What each group below is charged, where the group is a parent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    billing_groups: Vec<BelowTotal<'a>>,
    /// What the group and all below it are charged together, where it is a parent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subtree_total: Vec<SubtreeTotal<'a>>,
}

/// What a group below is charged by itself.
#[derive(Serialize)]
struct BelowTotal<'a> {
    billing_group: &'a str,
    /// The group above it, which is this statement's or below that.
    parent: Option<&'a str>,
    currency: &'a str,
    total: String,
}

#[derive(Serialize)]
struct SubtreeTotal<'a> {
    currency: &'a str,
    /// What the group is charged by itself.
    own_total: String,
    total: String,
}

/// The statements' totals by group and currency.
fn totals(results: &Results) -> Totals<1> {
    let mut totals: Totals<1> = vec![BTreeMap::new(); results.book.groups.len()];
    for statement in &results.statements {
        totals[statement.group].insert(statement.currency, [statement.total_shown]);
    }
    totals
}

fn below_totals<'a>(
    results: &'a Results,
    hierarchy: &Hierarchy,
    totals: &'a Totals<1>,
    group: usize,
) -> impl Iterator<Item = BelowTotal<'a>> {
    let groups = &results.book.groups;
    let parent = hierarchy.parent(group).map(|parent| groups[parent].name.as_str());
    totals[group].iter().map(move |(currency, [total])| BelowTotal {
        billing_group: &groups[group].name,
        parent,
        currency: currency.as_str(),
        total: total.to_string(),
    })
}

fn subtree_totals<'a>(totals: &Totals<1>, sums: &'a Totals<1>, group: usize) -> Vec<SubtreeTotal<'a>> {
    let own = |currency| totals[group].get(currency).map_or(Cost::ZERO, |[total]| *total).to_string();
    let total = |(currency, [total]): (&'a Currency, &[Cost; 1])| SubtreeTotal {
        currency: currency.as_str(),
        own_total: own(currency),
        total: total.to_string(),
    };
    sums[group].iter().map(total).collect()
}

#[derive(Serialize)]
struct CurrencyStatement<'a> {
    currency: &'a str,
    total: String,
    services_total: String,
    custom_line_items_total: String,
    services: Vec<Service<'a>>,
    accounts: Vec<Account<'a>>,
    custom_line_items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Service<'a> {
    product: &'a str,
    product_name: Option<String>,
    amount: String,
    usage_types: Vec<UsageType<'a>>,
}

#[derive(Serialize)]
struct UsageType<'a> {
    account_id: &'a str,
    usage_type: &'a str,
    operation: &'a str,
    region: &'a str,
    line_item_type: &'a str,
    usage_amount: Option<String>,
    pricing_unit: &'a str,
    amount: String,
}

#[derive(Serialize)]
struct Account<'a> {
    account_id: &'a str,
    account_name: Option<&'a str>,
    amount: String,
}

#[derive(Serialize)]
struct Item<'a> {
    name: &'a str,
    description: &'a str,
    line_item_type: &'a str,
    account_id: &'a str,
    product: &'a str,
    amount: String,
}

fn content<'a>(results: &'a Results, statement: &'a Statement) -> anyhow::Result<CurrencyStatement<'a>> {
    let services_total = sum(statement.lines.iter().map(|line| line.shown))?;
    let items_total = sum(statement.items.iter().map(|item| item.shown))?;
    let mut by_product: BTreeMap<&str, Vec<&StatementLine>> = BTreeMap::new();
    for line in &statement.lines {
        by_product.entry(results.cube.text(line.key.product)).or_default().push(line);
    }
    let service = |(product, lines): (&'a str, Vec<&'a StatementLine>)| -> anyhow::Result<Service<'a>> {
        Ok(Service {
            product,
            product_name: product_name(results, product),
            amount: sum(lines.iter().map(|line| line.shown))?.to_string(),
            usage_types: lines.into_iter().map(|line| usage_type(results, line)).collect(),
        })
    };
    Ok(CurrencyStatement {
        currency: statement.currency.as_str(),
        total: statement.total_shown.to_string(),
        services_total: services_total.to_string(),
        custom_line_items_total: items_total.to_string(),
        services: by_product.into_iter().map(service).collect::<anyhow::Result<_>>()?,
        accounts: accounts(results, statement)?,
        custom_line_items: statement.items.iter().map(|of_item| item(results, of_item)).collect(),
    })
}

/// The sum of shown amounts.
fn sum(mut amounts: impl Iterator<Item = Cost>) -> Result<Cost, DecimalError> {
    amounts.try_fold(Cost::ZERO, Cost::plus)
}

fn usage_type<'a>(results: &'a Results, line: &StatementLine) -> UsageType<'a> {
    let text = |id| results.cube.text(id);
    UsageType {
        account_id: text(line.key.account),
        usage_type: text(line.key.usage_type),
        operation: text(line.key.operation),
        region: text(line.key.region),
        line_item_type: text(line.key.line_item_type),
        usage_amount: line.usage.map(|usage| usage.to_string()),
        pricing_unit: text(line.key.unit),
        amount: line.shown.to_string(),
    }
}

fn item<'a>(results: &'a Results, item: &'a StatementItem) -> Item<'a> {
    let of_book = &results.book.items[item.item];
    Item {
        name: &of_book.name,
        description: &of_book.description,
        line_item_type: item.line_item_type,
        account_id: &item.account,
        product: &item.product,
        amount: item.shown.to_string(),
    }
}

/// The accounts of a statement with all their charges.
fn accounts<'a>(results: &'a Results, statement: &'a Statement) -> anyhow::Result<Vec<Account<'a>>> {
    let mut amounts: BTreeMap<&str, Cost> = BTreeMap::new();
    let lines = statement.lines.iter().map(|line| (results.cube.text(line.key.account), line.shown));
    for (account, shown) in
        lines.chain(statement.items.iter().map(|item| (item.account.as_str(), item.shown)))
    {
        let amount = amounts.entry(account).or_default();
        *amount = amount.plus(shown)?;
    }
    let account = |(account_id, amount): (&'a str, Cost)| Account {
        account_id,
        account_name: account_name(results, account_id),
        amount: amount.to_string(),
    };
    Ok(amounts.into_iter().map(account).collect())
}

fn account_name<'a>(results: &'a Results, account: &str) -> Option<&'a str> {
    results.book.account_names.get(&AccountId::parse(account)?).map(String::as_str)
}

#[derive(Default, Serialize)]
struct CsvRow<'a> {
    kind: &'static str,
    account_id: &'a str,
    account_name: Option<&'a str>,
    product: &'a str,
    product_name: Option<String>,
    line_item_type: &'a str,
    usage_type: &'a str,
    operation: &'a str,
    region: &'a str,
    name: &'a str,
    description: &'a str,
    usage_amount: Option<String>,
    pricing_unit: &'a str,
    amount: String,
    currency: &'a str,
}

impl BelowTotal<'_> {
    fn csv_row(&self) -> CsvRow<'_> {
        let (name, amount) = (self.billing_group, self.total.clone());
        CsvRow { kind: "billing group", name, amount, currency: self.currency, ..CsvRow::default() }
    }
}

impl SubtreeTotal<'_> {
    fn csv_row<'a>(&'a self, name: &'a str) -> CsvRow<'a> {
        let amount = self.total.clone();
        CsvRow { kind: "subtree total", name, amount, currency: self.currency, ..CsvRow::default() }
    }
}

fn csv_rows<'a>(results: &'a Results, statement: &'a Statement) -> Vec<CsvRow<'a>> {
    let currency = statement.currency.as_str();
    let text = |id| results.cube.text(id);
    let line = |line: &'a StatementLine| CsvRow {
        kind: "line",
        account_id: text(line.key.account),
        account_name: account_name(results, text(line.key.account)),
        product: text(line.key.product),
        product_name: product_name(results, text(line.key.product)),
        line_item_type: text(line.key.line_item_type),
        usage_type: text(line.key.usage_type),
        operation: text(line.key.operation),
        region: text(line.key.region),
        name: "",
        description: "",
        usage_amount: line.usage.map(|usage| usage.to_string()),
        pricing_unit: text(line.key.unit),
        amount: line.shown.to_string(),
        currency,
    };
    let item = |of_item: &'a StatementItem| CsvRow {
        kind: "custom line item",
        account_id: &of_item.account,
        account_name: account_name(results, &of_item.account),
        product: &of_item.product,
        product_name: product_name(results, &of_item.product),
        line_item_type: of_item.line_item_type,
        usage_type: "",
        operation: "",
        region: "",
        name: &results.book.items[of_item.item].name,
        description: &results.book.items[of_item.item].description,
        usage_amount: None,
        pricing_unit: "",
        amount: of_item.shown.to_string(),
        currency,
    };
    statement.lines.iter().map(line).chain(statement.items.iter().map(item)).collect()
}
