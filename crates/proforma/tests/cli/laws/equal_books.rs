//! Books that mean the same give the same bills, and a change of a book changes what it says and nothing else.

use super::{Case, run, seeds};
use crate::reports::{list, number};
use crate::support::{Done, Run};
use std::collections::BTreeMap;
use testkit::book::{
    BASIC_PRICING_PLAN, BillingGroup, Charge, CustomLineItem, CustomTier, PricingPlan, Rate, SampleBook,
};
use testkit::oracle::{self, Exact};
use testkit::{Form, Line, WriteOptions, write_month};

/// The sum of AWS cost over groups and accounts, by currency.
fn aws_costs(done: &Done) -> BTreeMap<String, Exact> {
    let mut costs: BTreeMap<String, Exact> = BTreeMap::new();
    for row in list(&done.json("cost-report.json")) {
        let currency = row["currency"].as_str().expect("a currency").to_owned();
        *costs.entry(currency).or_default() += &number(&row["aws_cost"]);
    }
    costs
}

#[test]
fn an_account_that_moves_takes_its_cost_along_and_back() {
    for seed in seeds(5) {
        let case = Case::of(seed).billed();
        let base = case.run();
        let Some((from, to, account)) = movable(&case.book) else { continue };
        let moved = move_account(&case.book, from, Some(to), &account);
        let alone = move_account(&case.book, from, None, &account);
        for book in [&moved, &alone] {
            let other = case.run_under(book);
            assert_eq!(aws_costs(&base), aws_costs(&other), "a move loses cost");
            let bill = oracle::price(&case.month.lines, book, &case.month.period);
            for (currency, of_currency) in &bill.currencies {
                for (name, group) in &of_currency.groups {
                    let key = (name.clone(), currency.clone());
                    let total = other.group_totals().get(&key).cloned().unwrap_or_default();
                    assert_eq!(total.aws_cost, group.aws_cost, "{name}");
                    assert_eq!(total.pro_forma_cost, group.pro_forma_cost.rounded(10), "{name}");
                }
            }
        }
        let back = case.run_under(&move_account(&moved, to, Some(from), &account));
        assert_eq!(back.bills(), base.bills(), "there and back");
        let book_hash = |done: &Done| done.json("reconciliation.json")["book"].clone();
        assert_eq!(book_hash(&back), book_hash(&base));
        assert_ne!(book_hash(&case.run_under(&moved)), book_hash(&base));
    }
}

/// A member that is not the primary account, no custom line item's account, its group and another one.
fn movable(book: &SampleBook) -> Option<(usize, usize, String)> {
    let charged = |account: &&String| {
        book.custom_line_items.iter().any(|item| item.account_id.as_ref() == Some(account))
    };
    for (number, group) in book.billing_groups.iter().enumerate() {
        let member =
            group.accounts.iter().find(|account| **account != group.primary_account_id && !charged(account));
        if let Some(account) = member {
            return Some((number, (number + 1) % book.billing_groups.len(), account.clone()));
        }
    }
    None
}

fn move_account(book: &SampleBook, from: usize, to: Option<usize>, account: &str) -> SampleBook {
    let mut book = book.clone();
    book.billing_groups[from].accounts.retain(|member| member != account);
    if let Some(to) = to {
        book.billing_groups[to].accounts.push(account.to_owned());
    }
    book
}

#[test]
fn the_order_of_a_book_has_no_meaning() {
    for seed in seeds(3) {
        let case = Case::of(seed);
        let mut book = case.book.clone();
        book.accounts.reverse();
        book.pricing_rules.reverse();
        book.pricing_plans.reverse();
        book.pricing_plans.iter_mut().for_each(|plan| plan.pricing_rules.reverse());
        book.billing_groups.iter_mut().for_each(|group| group.accounts.reverse());
        let (base, other) = (case.run(), case.run_under(&book));
        assert_eq!(base.bills(), other.bills());
        let hash = |done: &Done| done.json("reconciliation.json")["book"].clone();
        assert_eq!(hash(&base), hash(&other));
    }
}

#[test]
fn other_account_ids_in_the_same_order_change_only_the_ids() {
    for seed in seeds(4) {
        let case = Case::of(seed);
        let mut ids: Vec<String> = case.month.accounts.iter().map(|account| account.id.clone()).collect();
        ids.sort();
        // The payer of all lines keeps its id, the greatest of all.
        let payer = ids.pop().expect("a payer");
        assert_eq!(payer, case.book.payer_account_id);
        let renames: Vec<(String, String)> =
            ids.into_iter().enumerate().map(|(place, id)| (id, format!("5{place:02}777777777"))).collect();
        let rename =
            |text: &str| renames.iter().fold(text.to_owned(), |text, (old, new)| text.replace(old, new));
        let book: serde_json::Value =
            serde_json::from_str(&rename(&case.book.to_json().to_string())).expect("JSON");
        let lines: Vec<Line> = case.month.lines.iter().map(|line| renamed(line, &rename)).collect();
        let (base, other) = (case.run(), run(&SampleBook::from_json(&book), &lines, &case.options));
        let expected: BTreeMap<String, String> = (base.bills().into_iter())
            .map(|(name, bytes)| (name, rename(&String::from_utf8(bytes).expect("text"))))
            .collect();
        let found: BTreeMap<String, String> = (other.bills().into_iter())
            .map(|(name, bytes)| (name, String::from_utf8(bytes).expect("text")))
            .collect();
        assert_eq!(found, expected);
    }
}

fn renamed(line: &Line, rename: &impl Fn(&str) -> String) -> Line {
    let mut line = line.clone();
    for column in [
        &mut line.line_item_usage_account_id,
        &mut line.savings_plan_savings_plan_a_r_n,
        &mut line.reservation_reservation_a_r_n,
    ] {
        *column = column.as_deref().map(rename);
    }
    line
}

#[test]
fn a_custom_line_item_changes_its_group_by_its_amount_and_nothing_else() {
    for seed in seeds(4) {
        let case = Case::of(seed);
        let base = case.run();
        let group = case.book.billing_groups[0].clone();
        for (is_credit, signed) in [(false, "12.3456789012"), (true, "-12.3456789012")] {
            let mut book = case.book.clone();
            book.custom_line_items.push(flat_item(&case, &group, is_credit));
            let more = case.run_under(&book);
            let key = (group.name.clone(), case.book.currency.clone());
            for (of, total) in more.group_totals() {
                let before = base.group_totals().get(&of).cloned().unwrap_or_default();
                let added = if of == key { Exact::of(signed) } else { Exact::default() };
                assert_eq!(total.pro_forma_cost, before.pro_forma_cost + &added, "{of:?}");
                assert_eq!(total.aws_cost, before.aws_cost, "{of:?}");
            }
            let statements = |done: &Done| {
                let mut bills = done.bills();
                bills.retain(|name, _| name.starts_with("statements/") && !name.contains(&group.name));
                bills
            };
            assert_eq!(statements(&base), statements(&more), "another group's statement");
            // The item ended: the bills are what they were.
            let item = book.custom_line_items.last_mut().expect("an item");
            (item.start, item.end) = ("2026-09".to_owned(), Some("2026-10".to_owned()));
            assert_eq!(case.run_under(&book).bills(), base.bills(), "an ended item");
        }
    }
}

fn flat_item(case: &Case, group: &BillingGroup, is_credit: bool) -> CustomLineItem {
    CustomLineItem {
        name: "one-more".to_owned(),
        description: "one more".to_owned(),
        billing_group: group.name.clone(),
        is_credit,
        charge: Charge::Flat("12.3456789012".to_owned()),
        filter: None,
        presentation_service: None,
        start: case.month.period.clone(),
        end: None,
        account_id: None,
    }
}

#[test]
fn a_plan_without_rules_is_the_public_price() {
    for seed in seeds(4) {
        let case = Case::of(seed);
        let under = |plan: &str| {
            let mut book = case.book.clone();
            book.pricing_plans.push(PricingPlan { name: "no-rules".to_owned(), pricing_rules: Vec::new() });
            book.billing_groups.iter_mut().for_each(|group| group.pricing_plan = plan.to_owned());
            case.run_under(&book)
        };
        assert_eq!(under("no-rules").bills(), under(BASIC_PRICING_PLAN).bills());
    }
    // By hand, without the second pricer: list prices where there are any, cost where there are none.
    let line = |service: &str, cost: &str, public: &str| {
        Line::usage("111111111111", service, "usage", cost).at_public_cost(public)
    };
    let lines =
        [line("AmazonEC2", "7", "10"), line("AmazonS3", "0.5", "1.25"), line("MarketplaceOne", "3", "0")];
    let done = Run::new("2026-10", ONE_GROUP, |cost| {
        drop(write_month(cost, &lines, &WriteOptions::new(Form::Cur2Parquet, "2026-10")));
    });
    let totals = done.go().succeeded().group_totals();
    let total = &totals[&("acme".to_owned(), "USD".to_owned())];
    assert_eq!(
        (total.pro_forma_cost.clone(), total.aws_cost.clone()),
        (Exact::of("14.25"), Exact::of("10.5"))
    );
}

const ONE_GROUP: &str = r#"
payer_account_id = "999999999999"

[[billing_groups]]
name = "acme"
primary_account_id = "111111111111"
accounts = ["111111111111", "222222222222"]
pricing_plan = "BasicPricingPlan"
"#;

/// The owner of a commitment may be a member that has no line of its own in the month.
#[test]
fn a_members_commitment_is_inside_even_where_the_member_has_no_lines() {
    let arguments = ("111111111111", "222222222222", "AmazonEC2", "BoxUsage:m5.large", "10");
    let (account, owner, service, usage_type, cost) = arguments;
    let lines = [
        Line::covered_usage(account, owner, service, usage_type, cost),
        Line::negation(account, owner, service, usage_type, cost),
        Line::covered_usage(account, "333333333333", service, usage_type, "4"),
        Line::negation(account, "333333333333", service, usage_type, "4"),
    ];
    let run = Run::new("2026-10", ONE_GROUP, |cost| {
        drop(write_month(cost, &lines, &WriteOptions::new(Form::Cur2Parquet, "2026-10")));
    });
    let totals = run.go().succeeded().group_totals();
    let total = &totals[&("acme".to_owned(), "USD".to_owned())];
    // The member's plan covers: usage and negation cancel. The stranger's plan does not: On-Demand again.
    assert_eq!(total.pro_forma_cost, Exact::of("4"));
}

/// The book with every amount of money ten times as much.
pub fn ten_times(book: &SampleBook) -> SampleBook {
    let ten = |text: &str| Exact::of(text).times(&Exact::of("10")).to_string();
    let mut book = book.clone();
    for rule in &mut book.pricing_rules {
        if let Rate::CustomTiers(tiers) = &mut rule.rate {
            tiers.iter_mut().for_each(|tier: &mut CustomTier| tier.rate = ten(&tier.rate));
        }
    }
    for item in &mut book.custom_line_items {
        if let Charge::Flat(value) = &mut item.charge {
            *value = ten(value);
        }
    }
    book
}

/// AWS cost is ten times as much to the last digit; what is charged, as near as ten shown decimals tell.
pub fn assert_ten_times(base: &Done, scaled: &Done) {
    let ten = |amount: &Exact| amount.times(&Exact::of("10"));
    let totals = scaled.group_totals();
    assert!(!totals.is_empty());
    for (key, total) in base.group_totals() {
        let scaled = &totals[&key];
        assert_eq!(scaled.aws_cost, ten(&total.aws_cost), "{key:?}");
        let difference = scaled.pro_forma_cost.clone() - &ten(&total.pro_forma_cost);
        let difference = if difference.is_negative() { -difference } else { difference };
        assert!(difference <= Exact::of("0.00000000055"), "{key:?}: {difference} differs");
    }
}
