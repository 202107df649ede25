//! Conservation and causes: every number of a run against the second pricer, to the last digit.

use super::{Case, seeds};
use crate::reports::{list, number, numbers, statement_lines, text};
use crate::support::Done;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use testkit::Line;
use testkit::month::UNKNOWN_TYPE;
use testkit::oracle::{self, Base, Bill, CurrencyBill, Exact, PricedLine, Treatment};

/// How many months are made up; each is priced once.
const MONTHS: u64 = 24;

#[test]
fn every_number_agrees_with_the_second_pricer() {
    for seed in seeds(MONTHS) {
        let case = Case::of(seed).billed();
        let bill = oracle::price(&case.month.lines, &case.book, &case.month.period);
        let done = case.run();
        check_unknown_types(&case, &bill, &done);
        check_agreement(&case, &bill, &done);
    }
}

/// Every number of a run but those of unknown types.
pub fn check_agreement(case: &Case, bill: &Bill, done: &Done) {
    check_line_counts(case, bill, done);
    for (currency, of_currency) in &bill.currencies {
        check_reconciliation(of_currency, currency, done);
        check_groups(of_currency, currency, done);
        check_rows(of_currency, currency, done);
        check_custom_charges(of_currency, currency, done);
        check_statement_lines(case, bill, currency, done);
    }
    check_fallen_back(case, bill, done);
}

/// Law 2: every line of the files has one fate, and it is the one that its treatment says.
fn check_line_counts(case: &Case, bill: &Bill, done: &Done) {
    let lines = &done.json("reconciliation.json")["lines"];
    let count = |name: &str| lines[name].as_u64().unwrap_or_else(|| panic!("no count `{name}`"));
    let in_a_group = |line: &Line| {
        line.line_item_usage_account_id.as_ref().is_some_and(|account| case.book.group_of(account).is_some())
    };
    let mut expected: BTreeMap<&str, u64> = BTreeMap::new();
    for (line, priced) in case.month.lines.iter().zip(&bill.lines) {
        let fate = match priced.treatment {
            Treatment::OtherPeriod => "passed_by",
            _ if !in_a_group(line) => "ungrouped",
            treatment if treatment.is_dropped() => "dropped_from_pro_forma",
            _ => "rated",
        };
        *expected.entry(fate).or_default() += 1;
    }
    let mut sum = 0;
    for fate in ["rated", "dropped_from_pro_forma", "ungrouped", "passed_by", "rejected"] {
        assert_eq!(count(fate), expected.get(fate).copied().unwrap_or_default(), "{fate}");
        sum += count(fate);
    }
    assert_eq!(count("read"), sum);
    assert_eq!(count("read"), case.month.lines.len() as u64);
    let noted = |list_name: &str| -> u64 {
        let file = done.json("reconciliation.json");
        list(&file[list_name]).iter().map(|class| class["lines"].as_u64().expect("a count")).sum()
    };
    let with_base = |base| bill.lines.iter().filter(|line| line.treatment == Treatment::Priced(base)).count();
    assert_eq!(noted("zero_rate_classes"), with_base(Base::ZeroRate) as u64);
    assert_eq!(noted("tiered_classes_on_unblended_cost"), with_base(Base::TieredSku) as u64);
}

fn check_unknown_types(case: &Case, bill: &Bill, done: &Done) {
    let mut expected: (u64, Exact) = (0, Exact::default());
    for (line, priced) in case.month.lines.iter().zip(&bill.lines) {
        if line.line_item_line_item_type.as_deref() == Some(UNKNOWN_TYPE)
            && priced.treatment != Treatment::OtherPeriod
        {
            expected.0 += 1;
            expected.1 += &priced.cost;
        }
    }
    let found = &done.json("reconciliation.json")["unknown_line_item_types"];
    if expected.0 == 0 {
        assert_eq!(found.as_object().map(serde_json::Map::len), Some(0), "{found}");
        return;
    }
    assert_eq!(found[UNKNOWN_TYPE]["lines"].as_u64(), Some(expected.0));
    assert_eq!(number(&found[UNKNOWN_TYPE]["cost"]), expected.1);
    assert!(done.stderr.contains(&format!("line item type `{UNKNOWN_TYPE}` is unknown")), "{}", done.stderr);
}

/// Law 1: groups, the ungrouped rest and the listed exclusions are the files' total.
fn check_reconciliation(bill: &CurrencyBill, currency: &str, done: &Done) {
    let found = &done.json("reconciliation.json")["currencies"][currency];
    assert_eq!(found["difference"], "0", "{currency}");
    assert_eq!(number(&found["cost_files_total"]), bill.cost_files_total, "{currency}");
    let groups: Exact = bill.groups.values().map(|group| &group.aws_cost).sum();
    assert_eq!(number(&found["groups_total"]), groups, "{currency}");
    assert_eq!(number(&found["ungrouped_total"]), bill.ungrouped.values().sum(), "{currency}");
    assert_eq!(numbers(&found["left_out_of_aws_cost"]), bill.left_out_of_aws_cost, "{currency}");
    assert_eq!(numbers(&found["dropped_from_pro_forma"]), bill.dropped, "{currency}");
    let sum = groups + &bill.ungrouped.values().sum() + &bill.left_out_of_aws_cost.values().sum();
    assert_eq!(sum, bill.cost_files_total, "the second pricer loses cost");
    let shown: Vec<Exact> = bill.groups.values().map(|group| group.pro_forma_cost.rounded(10)).collect();
    assert_eq!(number(&found["pro_forma_total"]), shown.iter().sum(), "{currency}");
    let ungrouped: BTreeMap<String, Exact> = (done.ungrouped().into_iter())
        .filter(|((_, of), _)| of == currency)
        .map(|((account, _), cost)| (account, cost))
        .collect();
    assert_eq!(ungrouped, bill.ungrouped, "{currency}");
}

fn check_groups(bill: &CurrencyBill, currency: &str, done: &Done) {
    let printed: Value = serde_json::from_str(&done.stdout).expect("JSON on standard output");
    let totals = done.group_totals();
    for (name, group) in &bill.groups {
        let pro_forma_cost = group.pro_forma_cost.rounded(10);
        let total = totals.get(&(name.clone(), currency.to_owned())).cloned().unwrap_or_default();
        assert_eq!(total.aws_cost, group.aws_cost, "{name} {currency}");
        assert_eq!(total.pro_forma_cost, pro_forma_cost, "{name} {currency}");
        let is_it = |row: &&Value| row["billing_group"] == name.as_str() && row["currency"] == currency;
        let Some(row) = list(&printed).iter().find(is_it) else {
            let nothing = group.aws_cost.is_zero() && pro_forma_cost.is_zero();
            assert!(nothing, "{name} {currency} is not on standard output");
            continue;
        };
        let margin = pro_forma_cost.clone() - &group.aws_cost;
        assert_eq!(number(&row["aws_cost"]), group.aws_cost, "{name} {currency}");
        assert_eq!(number(&row["pro_forma_cost"]), pro_forma_cost, "{name} {currency}");
        assert_eq!(number(&row["margin"]), margin, "{name} {currency}");
        assert_eq!(number(&row["margin_percentage"]), margin.percentage_of(&pro_forma_cost), "{name}");
        let statement = done.json(&format!("statements/{name}.json"));
        let mut statements = list(&statement["statements"]).iter();
        if let Some(statement) = statements.find(|one| one["currency"] == currency) {
            assert_eq!(number(&statement["total"]), pro_forma_cost, "{name} {currency}");
        }
    }
}

/// Rows are sums of shown leaves: each leaf is within a unit of the last decimal.
fn check_rows(bill: &CurrencyBill, currency: &str, done: &Done) {
    let mut found = done.group_rows();
    found.retain(|(_, _, of), _| of == currency);
    let keys: BTreeSet<(String, String)> =
        found.keys().map(|(group, product, _)| (group.clone(), product.clone())).collect();
    for (group, product) in keys.union(&bill.rows.keys().cloned().collect()) {
        let row = found.get(&(group.clone(), product.clone(), currency.to_owned()));
        let row = row.cloned().unwrap_or_default();
        let expected = bill.rows.get(&(group.clone(), product.clone())).cloned().unwrap_or_default();
        assert_eq!(row.aws_cost, expected.aws_cost, "{group} {product} {currency}");
        let leaves = leaves(done, group, product, currency);
        assert_near(&row.pro_forma_cost, &expected.pro_forma_cost, leaves, &format!("{group} {product}"));
    }
}

/// How many amounts of a statement stand under a product.
fn leaves(done: &Done, group: &str, product: &str, currency: &str) -> usize {
    let file = done.json(&format!("statements/{group}.json"));
    let statement = list(&file["statements"]).iter().find(|one| one["currency"] == currency);
    let Some(statement) = statement else { return 0 };
    let lines = statement_lines(statement).into_iter().filter(|(of, _)| *of == product).count();
    lines + list(&statement["custom_line_items"]).iter().filter(|item| item["product"] == product).count()
}

#[track_caller]
fn assert_near(shown: &Exact, exact: &Exact, leaves: usize, what: &str) {
    let difference = shown.clone() - exact;
    let difference = if difference.is_negative() { -difference } else { difference };
    let bound = Exact::of("0.0000000001").times(&Exact::of(&leaves.to_string()));
    assert!(difference < bound || difference.is_zero(), "{what}: {shown} is not {exact} ({leaves} leaves)");
}

fn check_custom_charges(bill: &CurrencyBill, currency: &str, done: &Done) {
    let found = done.item_charges(currency);
    let names: BTreeSet<&String> = found.keys().chain(bill.custom_line_items.keys()).collect();
    let mut leaves: BTreeMap<String, usize> = BTreeMap::new();
    for group in bill.groups.keys() {
        let file = done.json(&format!("statements/{group}.json"));
        for statement in list(&file["statements"]).iter().filter(|one| one["currency"] == currency) {
            for item in list(&statement["custom_line_items"]) {
                *leaves.entry(text(&item["name"]).to_owned()).or_default() += 1;
            }
        }
    }
    for name in names {
        let expected = bill.custom_line_items.get(name).cloned().unwrap_or_default();
        assert!(expected.is_certain || expected.amount.is_zero(), "{name}: the second pricer cannot tell");
        let charge = found.get(name).cloned().unwrap_or_default();
        assert_near(&charge, &expected.amount, leaves.get(name).copied().unwrap_or_default(), name);
    }
}

/// What a customer can tell apart on a statement.
type LeafKey = (String, [String; 7]);

/// The amount, the usage and whether a custom tier has a part in it.
#[derive(Default)]
struct Leaf {
    amount: Exact,
    usage: Exact,
    is_pool: bool,
}

/// Law 2: every amount of a statement is the sum of the prices of its lines, every quantity that of their usage.
fn check_statement_lines(case: &Case, bill: &Bill, currency: &str, done: &Done) {
    let mut expected: BTreeMap<LeafKey, Leaf> = BTreeMap::new();
    for (line, priced) in case.month.lines.iter().zip(&bill.lines) {
        let is_of_currency = line.line_item_currency_code.as_deref() == Some(currency);
        if let (true, Treatment::AtCost | Treatment::Priced(_)) = (is_of_currency, priced.treatment) {
            add_leaf(case, &mut expected, line, priced);
        }
    }
    for group in &case.book.billing_groups {
        let file = done.json(&format!("statements/{}.json", group.name));
        for statement in list(&file["statements"]).iter().filter(|one| one["currency"] == currency) {
            for (product, line) in statement_lines(statement) {
                let column = |name: &str| text(&line[name]).to_owned();
                let [account, usage_type, operation] = ["account_id", "usage_type", "operation"].map(column);
                let [region, kind, unit] = ["region", "line_item_type", "pricing_unit"].map(column);
                let key = [account, product.to_owned(), usage_type, operation, region, kind, unit];
                let leaf = expected.remove(&(group.name.clone(), key.clone()));
                let leaf = leaf.unwrap_or_else(|| panic!("{key:?} comes from no line"));
                if !leaf.is_pool {
                    assert_near(&number(&line["amount"]), &leaf.amount, 1, &format!("{key:?}"));
                }
                if !line["usage_amount"].is_null() {
                    assert_eq!(number(&line["usage_amount"]), leaf.usage, "{key:?}");
                }
            }
        }
    }
    assert!(expected.is_empty(), "not on any statement: {:?}", expected.keys().collect::<Vec<_>>());
}

fn add_leaf(case: &Case, leaves: &mut BTreeMap<LeafKey, Leaf>, line: &Line, priced: &PricedLine) {
    let column = |text: &Option<String>| text.clone().unwrap_or_default();
    let service = line.product_servicecode.clone().filter(|code| !code.is_empty());
    let kind = column(&line.line_item_line_item_type);
    let is_metered = matches!(kind.as_str(), "Usage" | "DiscountedUsage" | "SavingsPlanCoveredUsage");
    let is_on_demand = is_metered && priced.treatment != Treatment::AtCost;
    let key = [
        column(&line.line_item_usage_account_id),
        service.unwrap_or_else(|| column(&line.line_item_product_code)),
        column(&line.line_item_usage_type),
        column(&line.line_item_operation),
        column(&line.product_region_code),
        if is_on_demand { "Usage".to_owned() } else { kind },
        column(&line.pricing_unit),
    ];
    let group = case.book.group_of(&key[0]).expect("a priced line has a group");
    let leaf = leaves.entry((group.name.clone(), key)).or_default();
    leaf.usage += &line.line_item_usage_amount.unwrap_or_default().into();
    match &priced.pro_forma_cost {
        Some(amount) => leaf.amount += amount,
        None => leaf.is_pool = true,
    }
}

/// The unblended cost that stands for a missing public cost is counted.
fn check_fallen_back(case: &Case, bill: &Bill, done: &Done) {
    let mut expected: BTreeMap<&str, Exact> = BTreeMap::new();
    for (line, priced) in case.month.lines.iter().zip(&bill.lines) {
        if priced.treatment == Treatment::Priced(Base::UnblendedCost) {
            let currency = line.line_item_currency_code.as_deref().unwrap_or_default();
            *expected.entry(currency).or_default() += &line.unblended_cost().into();
        }
    }
    for currency in bill.currencies.keys() {
        let found = &done.json("reconciliation.json")["currencies"][currency]["fallen_back_total"];
        let expected = expected.get(currency.as_str()).cloned().unwrap_or_default();
        assert_eq!(number(found), expected, "{currency}");
    }
}
