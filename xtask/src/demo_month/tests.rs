//! The committed demo is what `demo-month` writes, and holds what a demo should show.

use super::{demo_lines, differing, folder, lines};
use billing::commitment::may_cover;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use testkit::Line;
use testkit::amount::Amount;
use testkit::line::PAYER;
use testkit::month::LINE_ITEM_TYPES;

/// The parts of the book that these tests look at.
#[derive(Deserialize)]
struct Book {
    payer_account_id: String,
    accounts: Vec<Account>,
    pricing_rules: Vec<Rule>,
    billing_groups: Vec<Group>,
    responsibility_transfers: Vec<Transfer>,
}

#[derive(Deserialize)]
struct Transfer {
    accounts: Vec<String>,
}

#[derive(Deserialize)]
struct Account {
    id: String,
}

#[derive(Deserialize)]
struct Rule {
    scope: String,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Group {
    name: String,
    #[serde(default)]
    accounts: Vec<String>,
    pricing_plan: String,
}

fn book() -> Book {
    let path = folder().join("../book.toml");
    toml::from_str(&std::fs::read_to_string(path).expect("the demo has a book")).expect("the book is TOML")
}

fn sum<'a>(lines: impl Iterator<Item = &'a Line>, column: fn(&Line) -> Option<Amount>) -> Amount {
    lines.filter_map(column).sum()
}

fn of_type<'a>(lines: &'a [Line], kind: &'a str) -> impl Iterator<Item = &'a Line> {
    lines.iter().filter(move |line| line.line_item_line_item_type.as_deref() == Some(kind))
}

#[test]
fn the_committed_files_are_what_the_command_writes() {
    let differing = differing().expect("the demo's cost files are there");
    assert!(differing.is_empty(), "run `cargo run -p xtask -- demo-month`: {differing:?}");
}

#[test]
fn every_line_item_type_occurs() {
    let lines = demo_lines();
    let there: BTreeSet<&str> =
        lines.iter().filter_map(|line| line.line_item_line_item_type.as_deref()).collect();
    let missing: Vec<_> = LINE_ITEM_TYPES.iter().filter(|kind| !there.contains(**kind)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!((15_000..25_000).contains(&lines.len()), "{} lines", lines.len());
}

#[test]
fn what_commitments_may_cover_is_metered_by_the_hour() {
    let of_hour = |hour| lines::interval(Line::default(), &(hour..hour + 1)).identity_time_interval;
    let hours: BTreeSet<Option<String>> = (0..lines::DAYS * 24).map(of_hour).collect();
    for line in demo_lines() {
        let may_be_covered = line.line_item_usage_type.as_deref().is_some_and(may_cover);
        let is_fee = line.line_item_line_item_type.as_deref() == Some("SavingsPlanRecurringFee");
        assert_eq!(hours.contains(&line.identity_time_interval), may_be_covered || is_fee, "{line:?}");
    }
}

#[test]
fn the_kinds_of_usage_that_are_priced_in_their_own_way_occur() {
    let lines = demo_lines();
    let usage: Vec<&Line> = of_type(&lines, "Usage").collect();
    let some = |what: &str, found: &dyn Fn(&Line) -> bool| {
        assert!(usage.iter().any(|line| found(line)), "no usage line is {what}");
    };
    some("spot", &|line| line.pricing_term.as_deref() == Some("Spot"));
    some("always free", &|line| {
        line.pricing_term.is_none() && line.line_item_unblended_rate.as_deref() == Some("0.0000000000")
    });
    some("of the Marketplace", &|line| line.bill_billing_entity.as_deref() == Some("AWS Marketplace"));
    some("transfer", &|line| line.product_servicecode.as_deref() == Some("AWSDataTransfer"));
    let mut codes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in &usage {
        if let (Some(sku), Some(code)) = (&line.product_sku, &line.pricing_rate_code)
            && code.contains(".JRTCKXETXF.")
        {
            codes.entry(sku).or_default().insert(code);
        }
    }
    assert!(codes.values().any(|codes| codes.len() > 1), "no SKU has two rate codes");
}

#[test]
fn the_book_shows_what_a_book_can_say() {
    let (book, lines) = (book(), demo_lines());
    assert_eq!(book.payer_account_id, PAYER);
    assert!(book.billing_groups.len() >= 6);
    assert!(book.billing_groups.iter().any(|group| group.pricing_plan == "BasicPricingPlan"));
    for scope in ["GLOBAL", "BILLING_ENTITY", "SERVICE", "SKU"] {
        assert!(book.pricing_rules.iter().any(|rule| rule.scope == scope), "{scope}");
    }
    assert!(book.pricing_rules.iter().any(|rule| rule.kind == "TIERING"));
    let accounts: BTreeSet<&str> =
        lines.iter().filter_map(|line| line.line_item_usage_account_id.as_deref()).collect();
    let named: BTreeSet<&str> = book.accounts.iter().map(|account| account.id.as_str()).collect();
    assert_eq!(accounts, named, "every account has lines and a name");
    let of_groups = book.billing_groups.iter().flat_map(|group| &group.accounts);
    let of_transfers = book.responsibility_transfers.iter().flat_map(|transfer| &transfer.accounts);
    let grouped: BTreeSet<&str> = of_groups.chain(of_transfers).map(String::as_str).collect();
    assert!(grouped.is_subset(&accounts), "a group has an account without lines");
    assert_eq!(accounts.difference(&grouped).count(), 2, "accounts in no group");
}

/// What the group pays at most (its list price less the discount of 25 %) is less than what AWS charges for it.
#[test]
fn the_anchor_customer_makes_a_loss() {
    let (book, lines) = (book(), demo_lines());
    let group = book.billing_groups.iter().find(|group| group.name == "saltbox-analytics");
    let members = &group.expect("the demo's loss-making group").accounts;
    let of_group = lines
        .iter()
        .filter(|line| members.iter().any(|id| Some(id) == line.line_item_usage_account_id.as_ref()));
    let counted: Vec<&Line> = of_group
        .filter(|line| line.line_item_line_item_type.as_deref() != Some("Tax"))
        .filter(|line| line.line_item_product_code.as_deref() != Some("AWSSupportBusiness"))
        .collect();
    let aws_cost = sum(counted.iter().copied(), |line| line.line_item_unblended_cost);
    let listed = counted.iter().map(|line| match line.pricing_public_on_demand_cost {
        Some(cost) if cost > Amount::ZERO => cost,
        _ => line.unblended_cost().max(Amount::ZERO),
    });
    let charged_at_most = Amount(listed.sum::<Amount>().0 * 75 / 100);
    assert!(charged_at_most < aws_cost, "{charged_at_most} against {aws_cost}");
}

#[test]
fn commitments_add_up() {
    let lines = demo_lines();
    let covered = sum(of_type(&lines, "SavingsPlanCoveredUsage"), |line| line.line_item_unblended_cost);
    let negated = sum(of_type(&lines, "SavingsPlanNegation"), |line| line.line_item_unblended_cost);
    assert_eq!(covered + negated, Amount::ZERO);
    for fee in of_type(&lines, "SavingsPlanRecurringFee") {
        let (total, used) = (fee.savings_plan_total_commitment_to_date, fee.savings_plan_used_commitment);
        assert!(Amount::ZERO < used.unwrap() && used <= total, "{used:?} of {total:?} is used");
    }
    let effective = sum(of_type(&lines, "DiscountedUsage"), |line| line.reservation_effective_cost);
    let fees = || of_type(&lines, "RIFee");
    let unused = sum(fees(), |line| line.reservation_unused_recurring_fee)
        + sum(fees(), |line| line.reservation_unused_amortized_upfront_fee_for_billing_period);
    let paid = sum(fees(), |line| line.line_item_unblended_cost)
        + sum(fees(), |line| line.reservation_amortized_upfront_fee_for_billing_period);
    assert_eq!(effective + unused, paid);
}
