//! A second pricer, written from `docs/pricing.md` alone and from nothing else: line by line, without charge classes,
//! without cleverness. Where it disagrees with the product, one of the two misreads that text.
//!
//! It does not say how the amount of a custom tier pool is shared among its lines.

mod custom;
mod exact;
mod treatment;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use custom::CustomCharge;
pub use exact::Exact;
pub use treatment::{Base, LeftOut, Treatment};

use crate::book::{CustomTier, Rate, SampleBook};
use crate::line::Line;
use treatment::Judge;

/// The priced month.
#[derive(Clone, Debug, Default)]
pub struct Bill {
    /// One per line, in the order of the lines.
    pub lines: Vec<PricedLine>,
    /// One per currency of a line, and the book's.
    pub currencies: BTreeMap<String, CurrencyBill>,
}

/// What became of a line.
#[derive(Clone, Debug)]
pub struct PricedLine {
    /// Why it costs what it costs.
    pub treatment: Treatment,
    /// The rule of its factor or of its tiers.
    pub rule: Option<String>,
    /// Net unblended cost where there is one, else unblended cost; for left-out lines too.
    pub cost: Exact,
    /// Its price; none where it is not priced, and none in a custom tier pool, for only the pool has a price.
    pub pro_forma_cost: Option<Exact>,
}

/// The month in one currency.
#[derive(Clone, Debug, Default)]
pub struct CurrencyBill {
    /// The cost of all lines.
    pub cost_files_total: Exact,
    /// By group name.
    pub groups: BTreeMap<String, GroupBill>,
    /// AWS cost by account in no group.
    pub ungrouped: BTreeMap<String, Exact>,
    /// Cost of lines that no AWS cost holds, by name: `Tax`, `Support`, `SplitCostAllocation`.
    pub left_out_of_aws_cost: BTreeMap<String, Exact>,
    /// Cost of the lines of groups that are not priced, by line item type; left-out lines by their name.
    pub dropped: BTreeMap<String, Exact>,
    /// Lines of groups whose type is not known, by type.
    pub unknown_types: BTreeMap<String, usize>,
    /// Charges by custom line item, signed.
    pub custom_line_items: BTreeMap<String, CustomCharge>,
    /// Custom tier pools.
    pub pools: Vec<Pool>,
    /// By group name and product.
    pub rows: BTreeMap<(String, String), Row>,
}

/// A group in one currency.
#[derive(Clone, Debug, Default)]
pub struct GroupBill {
    /// What AWS charges for it.
    pub aws_cost: Exact,
    /// Priced lines and custom line items.
    pub pro_forma_cost: Exact,
}

impl GroupBill {
    /// Returns what the reseller earns.
    pub fn margin(&self) -> Exact {
        self.pro_forma_cost.clone() - &self.aws_cost
    }

    /// Returns the margin as a percentage of the pro forma cost.
    pub fn margin_percentage(&self) -> Exact {
        self.margin().percentage_of(&self.pro_forma_cost)
    }
}

/// A group's product in one currency.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// What AWS charges for it.
    pub aws_cost: Exact,
    /// Priced lines, and the custom line items that stand under it.
    pub pro_forma_cost: Exact,
}

/// The lines that one custom tier rule prices in one group and one currency.
#[derive(Clone, Debug)]
pub struct Pool {
    /// The group.
    pub group: String,
    /// The rule.
    pub rule: String,
    /// The product of all its lines.
    pub product: String,
    /// The sum of their usage.
    pub usage: Exact,
    /// The sum of their price.
    pub amount: Exact,
}

/// An amount that a percentage may be taken of.
struct Entry {
    group: String,
    product: String,
    is_negation: bool,
    is_pool: bool,
    amount: Exact,
}

/// Prices the lines of a period by a book.
pub fn price(lines: &[Line], book: &SampleBook, period: &str) -> Bill {
    let judge = Judge::new(lines, book, period);
    let mut bill = Bill { lines: lines.iter().map(|line| judge.price(line)).collect(), ..Bill::default() };
    let in_period = |line: &&Line| judge.is_in_period(line);
    let mut currencies: Vec<&str> = lines.iter().filter(in_period).map(currency_of).collect();
    currencies.push(&book.currency);
    for currency in currencies {
        if !bill.currencies.contains_key(currency) {
            let priced: Vec<(&Line, &PricedLine)> = lines
                .iter()
                .zip(&bill.lines)
                .filter(|(line, _)| judge.is_in_period(line) && currency_of(line) == currency)
                .collect();
            let currency_bill = bill_currency(&priced, book, period, currency);
            bill.currencies.insert(currency.to_owned(), currency_bill);
        }
    }
    bill
}

fn bill_currency(
    lines: &[(&Line, &PricedLine)],
    book: &SampleBook,
    period: &str,
    currency: &str,
) -> CurrencyBill {
    let mut bill = CurrencyBill::default();
    if currency == book.currency {
        bill.groups =
            book.billing_groups.iter().map(|group| (group.name.clone(), GroupBill::default())).collect();
    }
    let mut entries = Vec::new();
    for (line, priced) in lines {
        bill.cost_files_total += &priced.cost;
        add_aws_cost(&mut bill, book, line, priced);
        let Some(group) = book.group_of(account_of(line)) else { continue };
        match priced.treatment {
            Treatment::LeftOut(name) => add(&mut bill.dropped, name.as_str(), &priced.cost),
            treatment if treatment.is_dropped() => add(&mut bill.dropped, type_of(line), &priced.cost),
            _ => {}
        }
        if priced.treatment == Treatment::Unknown {
            *bill.unknown_types.entry(type_of(line).to_owned()).or_default() += 1;
        }
        entries.extend(priced.pro_forma_cost.as_ref().map(|amount| Entry {
            group: group.name.clone(),
            product: product_of(line).to_owned(),
            is_negation: type_of(line) == "SavingsPlanNegation",
            is_pool: false,
            amount: amount.clone(),
        }));
    }
    bill.pools = pools(lines, book);
    entries.extend(bill.pools.iter().map(|pool| Entry {
        group: pool.group.clone(),
        product: pool.product.clone(),
        is_negation: false,
        is_pool: true,
        amount: pool.amount.clone(),
    }));
    for entry in &entries {
        bill.groups.entry(entry.group.clone()).or_default().pro_forma_cost += &entry.amount;
        row(&mut bill, &entry.group, &entry.product).pro_forma_cost += &entry.amount;
    }
    custom::add_charges(&mut bill, &entries, book, period, currency);
    bill
}

fn add_aws_cost(bill: &mut CurrencyBill, book: &SampleBook, line: &Line, priced: &PricedLine) {
    if let Treatment::LeftOut(name) = priced.treatment {
        return add(&mut bill.left_out_of_aws_cost, name.as_str(), &priced.cost);
    }
    let Some(group) = book.group_of(account_of(line)) else {
        return add(&mut bill.ungrouped, account_of(line), &priced.cost);
    };
    bill.groups.entry(group.name.clone()).or_default().aws_cost += &priced.cost;
    row(bill, &group.name, product_of(line)).aws_cost += &priced.cost;
}

/// One pool per group and rule: the usage of all lines that the rule prices, at the rule's tiers.
fn pools(lines: &[(&Line, &PricedLine)], book: &SampleBook) -> Vec<Pool> {
    let mut pools = Vec::new();
    for group in &book.billing_groups {
        for rule in book.rules_of(group) {
            let Rate::CustomTiers(tiers) = &rule.rate else { continue };
            let is_member = |(line, priced): &&(&Line, &PricedLine)| {
                priced.treatment == Treatment::Priced(Base::CustomTiers)
                    && priced.rule.as_ref() == Some(&rule.name)
                    && group.accounts.iter().any(|account| account == account_of(line))
            };
            let members: Vec<_> = lines.iter().filter(is_member).collect();
            let Some((first, _)) = members.first() else { continue };
            let mut usage = Exact::default();
            for (line, _) in &members {
                usage += &line.line_item_usage_amount.unwrap_or_default().into();
            }
            pools.push(Pool {
                group: group.name.clone(),
                rule: rule.name.clone(),
                product: product_of(first).to_owned(),
                amount: tiered_amount(&usage, tiers),
                usage,
            });
        }
    }
    pools
}

fn tiered_amount(usage: &Exact, tiers: &[CustomTier]) -> Exact {
    if usage.is_negative() {
        return usage.times(&Exact::of(&tiers[0].rate));
    }
    let mut amount = Exact::default();
    for tier in tiers {
        let end = tier.end.as_ref().map_or_else(|| usage.clone(), |end| usage.clone().min(Exact::of(end)));
        let in_tier = (end - &Exact::of(&tier.begin)).max(Exact::default());
        amount += &in_tier.times(&Exact::of(&tier.rate));
    }
    amount
}

fn row<'a>(bill: &'a mut CurrencyBill, group: &str, product: &str) -> &'a mut Row {
    bill.rows.entry((group.to_owned(), product.to_owned())).or_default()
}

fn add(sums: &mut BTreeMap<String, Exact>, name: &str, amount: &Exact) {
    *sums.entry(name.to_owned()).or_default() += amount;
}

fn currency_of(line: &Line) -> &str {
    line.line_item_currency_code.as_deref().unwrap_or_default()
}

fn account_of(line: &Line) -> &str {
    line.line_item_usage_account_id.as_deref().unwrap_or_default()
}

fn type_of(line: &Line) -> &str {
    line.line_item_line_item_type.as_deref().unwrap_or_default()
}

/// The service code, else the product code.
fn product_of(line: &Line) -> &str {
    let service_code = line.product_servicecode.as_deref().filter(|code| !code.is_empty());
    service_code.or(line.line_item_product_code.as_deref()).unwrap_or_default()
}
