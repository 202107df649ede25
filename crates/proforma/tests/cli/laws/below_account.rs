//! Groups below the account: nothing is lost, and a team pays what it would with an account of its own.

use super::{Case, PERIOD, run_with, seeds};
use crate::support::{Done, Run};
use std::collections::BTreeSet;
use testkit::random::Random;
use testkit::{Line, write_month};

/// The account that a team would have.
const OWN: [&str; 2] = ["700000000001", "700000000002"];
const TAG: &str = "user_project";

/// Two teams with some of the month's projects each.
fn teams(case: &Case) -> [Vec<String>; 2] {
    let projects: BTreeSet<&String> =
        case.month.lines.iter().filter_map(|line| line.resource_tags.get(TAG)).collect();
    let (mut random, mut teams) = (Random::new(case.seed), [Vec::new(), Vec::new()]);
    for (number, project) in projects.into_iter().enumerate() {
        // Each has at least one.
        let team = if number < 2 { number } else { random.index(3) };
        teams.get_mut(team).into_iter().for_each(|team| team.push(project.clone()));
    }
    teams
}

/// The case's book with a group for each team at public prices, which has these lines, or this account.
fn book(case: &Case, by: impl Fn(usize) -> String) -> String {
    let group = |team: usize| {
        let account = OWN[team];
        format!(
            "\n[[billing_groups]]\nname = \"team {team}\"\nprimary_account_id = \"{account}\"\n\
             pricing_plan = \"BasicPricingPlan\"\n{}\n",
            by(team)
        )
    };
    format!("{}{}{}", case.book.to_toml(), group(0), group(1))
}

fn under(case: &Case, book: &str, lines: &[Line]) -> Done {
    let run = Run::new(PERIOD, book, |cost| drop(write_month(cost, lines, &case.options)));
    run.with(&["--no-simulation"]).go().succeeded()
}

/// A commitment's fee is never divided.
fn is_fee(line: &Line) -> bool {
    let kind = line.line_item_line_item_type.as_deref().unwrap_or("");
    let of_commitment =
        line.reservation_reservation_a_r_n.is_some() || line.savings_plan_savings_plan_a_r_n.is_some();
    ["RIFee", "SavingsPlanRecurringFee", "SavingsPlanUpfrontFee"].contains(&kind)
        || (kind == "Fee" && of_commitment)
}

/// A line of a commitment that names none is its own account's: what an account of its own would change.
fn names_no_commitment(line: &Line) -> bool {
    let kind = line.line_item_line_item_type.as_deref().unwrap_or("");
    ["DiscountedUsage", "SavingsPlanCoveredUsage", "SavingsPlanNegation"].contains(&kind)
        && line.reservation_reservation_a_r_n.is_none()
        && line.savings_plan_savings_plan_a_r_n.is_none()
}

#[test]
fn a_team_pays_what_it_would_with_an_account_of_its_own() {
    for seed in seeds(3) {
        let mut case = Case::of(seed);
        for line in case.month.lines.iter_mut().filter(|line| names_no_commitment(line)) {
            line.resource_tags.remove(TAG);
        }
        let teams = teams(&case);
        if teams.iter().any(Vec::is_empty) {
            continue;
        }
        let filter = |team: usize| format!("lines = [{{ tags = {{ {TAG} = {:?} }} }}]", teams[team]);
        let divided = under(&case, &book(&case, filter), &case.month.lines);
        let mut moved = case.month.lines.clone();
        for line in moved.iter_mut().filter(|line| !is_fee(line)) {
            let project = line.resource_tags.get(TAG);
            let team = teams.iter().position(|team| project.is_some_and(|of| team.contains(of)));
            line.line_item_usage_account_id =
                team.map(|team| OWN[team].to_owned()).or(line.line_item_usage_account_id.take());
        }
        let account = |team: usize| format!("accounts = [\"{}\"]", OWN[team]);
        let moved = under(&case, &book(&case, account), &moved);
        assert_eq!(divided.group_totals(), moved.group_totals());
        let plain = run_with(&case.book, &case.month.lines, &case.options, &["--no-simulation"]);
        let total = |done: &Done| {
            let reconciliation = done.json("reconciliation.json");
            let of_currencies = reconciliation["currencies"].as_object().expect("currencies").clone();
            let sums = of_currencies.into_iter().map(|(currency, of)| {
                let number = |name: &str| crate::reports::number(&of[name]);
                assert_eq!(number("difference"), Default::default());
                (currency, number("groups_total") + &number("ungrouped_total"))
            });
            sums.collect::<Vec<_>>()
        };
        assert_eq!(total(&divided), total(&plain), "nothing is lost");
    }
}
