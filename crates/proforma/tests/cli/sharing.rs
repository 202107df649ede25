//! Who has the benefit of commitments: the policies `members`, `real` and `keep`; every expectation is computed by hand.

use crate::exported::{exact, rows_of, value};
use crate::reports::{list, number, text};
use crate::support::{Done, Run, book_of_groups, proforma};
use testkit::focus::as_told;
use testkit::line::PAYER;
use testkit::oracle::Exact;
use testkit::{Form, Line, WriteOptions, write_month};

const PERIOD: &str = "2026-10";
const ACME: &str = "111111111111";
const BETA: &str = "222222222222";

fn book(policy: &str) -> String {
    let sharing = format!("[sharing]\ncommitments = \"{policy}\"\n");
    book_of_groups(&[("acme", &[ACME]), ("central", &[BETA, PAYER])], &sharing)
}

fn number_of(digits: &str) -> Option<testkit::amount::Amount> {
    Some(testkit::amount::amount(digits))
}

/// A plan of the payer's that covers 12 of acme's and 5 of its own, taking 7.2 and 3 of the 12 that it commits to; a reservation of beta's that
/// covers 4 of acme's at an effective 2.5, and of whose month 0.75 and 0.25 are unused; each account's own usage.
fn lines() -> Vec<Line> {
    let covered = |account: &str, cost: &str, effective: &str| Line {
        savings_plan_savings_plan_effective_cost: number_of(effective),
        ..Line::covered_usage(account, PAYER, "AmazonECS", "Fargate", cost)
    };
    let plan = Line {
        savings_plan_total_commitment_to_date: number_of("12"),
        savings_plan_used_commitment: number_of("10.2"),
        ..Line::charge("SavingsPlanRecurringFee", PAYER, "ComputeSavingsPlans", "12").of_savings_plan(PAYER)
    };
    let reserved = Line {
        reservation_effective_cost: number_of("2.5"),
        ..Line::discounted_usage(ACME, BETA, "AmazonEC2", "BoxUsage:m5.large", "4")
    };
    let fee = Line {
        reservation_unused_recurring_fee: number_of("0.75"),
        reservation_unused_amortized_upfront_fee_for_billing_period: number_of("0.25"),
        ..Line::charge("RIFee", BETA, "AmazonEC2", "3").of_reservation(BETA)
    };
    vec![
        Line::usage(ACME, "AmazonEC2", "BoxUsage:c5.large", "100"),
        covered(ACME, "12", "7.2"),
        Line::negation(ACME, PAYER, "AmazonECS", "Fargate", "12"),
        covered(PAYER, "5", "3"),
        Line::negation(PAYER, PAYER, "AmazonECS", "Fargate", "5"),
        plan,
        reserved,
        fee,
        Line::charge("Fee", BETA, "AmazonEC2", "30").of_reservation(BETA),
    ]
}

fn priced(form: Form, policy: &str, more: &[&str]) -> Done {
    let options = WriteOptions::new(form, PERIOD);
    let lines = if matches!(form, Form::Focus(_)) { as_told(&lines()) } else { lines() };
    let run = Run::new(PERIOD, &book(policy), |cost| drop(write_month(cost, &lines, &options)));
    run.with(more).go().succeeded()
}

fn totals(done: &Done) -> [Exact; 2] {
    ["acme", "central"].map(|group| number(&done.statement(group, "USD")["total"]))
}

#[test]
fn each_policy_has_its_bills() {
    let expected = [
        // On-Demand again: 12 and 4, with the markup; central has its fees, and its own coverage at cost.
        ("members", ["127.6", "45"]),
        // What was taken of the commitments; central has what nobody used: 12 − 10.2 and 1.
        ("real", ["119.7", "5.8"]),
        // As members, but the payer's plan is nowhere: its own 5 are On-Demand, its fee is gone.
        ("keep", ["127.6", "38.5"]),
    ];
    for (policy, bills) in expected {
        for form in [Form::Cur2Parquet, Form::Cur2Csv] {
            assert_eq!(totals(&priced(form, policy, &[])), bills.map(Exact::of), "{policy}, {form:?}");
        }
    }
    let aws_costs = ["members", "real", "keep"].map(|policy| {
        let costs = priced(Form::Cur2Parquet, policy, &[]).group_totals();
        costs.into_values().map(|costs| costs.aws_cost).collect::<Vec<_>>()
    });
    assert!(aws_costs.iter().all(|costs| *costs == aws_costs[0]), "what AWS charges is the same for all");
}

#[test]
fn commitments_shared_as_on_the_real_bill_cost_together_what_they_cost() {
    // Used and unused: 7.2 + 3 + 1.8 of the plan, which commits to 12; 2.5 + 1 of the reservation.
    let done = priced(Form::Cur2Parquet, "real", &[]);
    let usage = Exact::of("110");
    let [acme, central] = totals(&done);
    assert_eq!(acme + &central - &usage, Exact::of("12") + &Exact::of("3.5"));
}

#[test]
fn exports_say_what_a_group_pays_and_whose_commitment_it_is_not() {
    for (layout, cost) in [("cur2", "line_item_unblended_cost"), ("focus", "BilledCost")] {
        let done = priced(Form::Cur2Parquet, "real", &["--export", layout]);
        for (group, total) in [("acme", "119.7"), ("central", "5.8")] {
            let rows = rows_of(&done.exports(), group);
            let sum: Exact = rows.iter().fold(Exact::default(), |sum, row| sum + &exact(row, cost));
            assert_eq!(sum, Exact::of(total), "{layout}, {group}");
            let said = format!("{rows:?}");
            assert!(
                group == "central" || (!said.contains(PAYER) && !said.contains(BETA)),
                "{layout}: {said}"
            );
        }
    }
    let done = priced(Form::Cur2Parquet, "real", &["--export", "cur2"]);
    let rows = rows_of(&done.exports(), "acme");
    let mut told: Vec<_> = rows
        .iter()
        .map(|row| {
            [
                value(row, "line_item_line_item_type"),
                row.get("line_item_unblended_rate").map_or("", String::as_str),
            ]
        })
        .collect();
    told.sort_unstable();
    let expected =
        [["DiscountedUsage", "2.5000000000"], ["SavingsPlanCoveredUsage", "7.2000000000"], ["Usage", ""]];
    assert_eq!(told, expected);
}

#[test]
fn focus_months_are_shared_alike() {
    // The writer of FOCUS files tells the unused part of recurring fees alone: 0.75 of the reservation.
    for (policy, bills) in [("real", ["119.7", "5.55"]), ("members", ["127.6", "45"])] {
        for form in [Form::FOCUS[0], Form::FOCUS[1]] {
            let done = priced(form, policy, &[]);
            assert_eq!(totals(&done), bills.map(Exact::of), "{policy}, {form:?}");
        }
    }
}

#[test]
fn a_shared_commitment_is_explained_and_its_policy_is_part_of_the_book() {
    let (members, real) = (priced(Form::Cur2Parquet, "members", &[]), priced(Form::Cur2Parquet, "real", &[]));
    let arguments = ["explain", "--run", real.folder(), "--group", "central", "--product", "AmazonEC2"];
    let explained = proforma(&[&arguments[..], &["--output", "json"]].concat()).printed();
    let classes = list(&explained[0]["classes"]);
    let fee = classes.iter().find(|class| class["line_item_type"] == "RIFee").expect("the fee");
    assert_eq!((text(&fee["base"]["name"]), text(&fee["base"]["amount"])), ("unused part", "1"));
    assert_eq!(fee["treatment"], "what nobody has used of a commitment that is shared as on the real bill");
    let upfront = classes.iter().find(|class| class["line_item_type"] == "Fee").expect("the payment");
    assert!(text(&upfront["treatment"]).contains("effective cost instead"), "{upfront}");
    let difference =
        proforma(&["diff", members.folder(), real.folder(), "--output", "json"]).succeeded().stdout;
    assert!(difference.contains("at effective cost"), "{difference}");
    assert_ne!(members.json("reconciliation.json")["book"], real.json("reconciliation.json")["book"]);
}
