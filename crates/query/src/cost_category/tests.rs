//! What rules make of three classes, and of each other.

use super::*;
use crate::answer::tests::{Class, FIRST, MONTH, facts};
use crate::answer::{Costs, Month, Scope, answer};
use crate::expression::Matching;
use crate::facts::Metric;
use crate::question::{Granularity, Query};

fn is(key: Key, value: &str) -> Expression {
    Expression::is(key, [value], Matching::Equals)
}

fn service(name: &str) -> Expression {
    is(Key::Dimension(Dimension::Service), name)
}

fn category(name: &str, rules: Vec<Rule>, default_value: Option<&str>) -> CostCategory {
    CostCategory { name: name.to_owned(), rules, default_value: default_value.map(str::to_owned) }
}

fn value(name: &str, of: Expression) -> Rule {
    Rule::Value(name.to_owned(), of)
}

/// The sums of everybody's costs by a cost category.
fn by(facts: &MonthFacts, name: &str) -> Vec<(String, String)> {
    let cost = Costs::ProForma([0, 1].into());
    let scopes = [Scope { cost, accounts: None, filter: None, days: None }];
    let month = Month { period: facts.period, facts: Some(facts), scopes: &scopes, estimated: true };
    let query = Query {
        days: FIRST..FIRST + 31,
        granularity: Granularity::Monthly,
        filter: None,
        group_by: vec![Key::CostCategory(name.to_owned())],
        metrics: vec![Metric::UnblendedCost],
    };
    let rows = answer(&[month], &query).unwrap().remove(0).rows.into_iter();
    rows.map(|row| (row.keys.join(" "), row.values[0].amount.to_string())).collect()
}

#[track_caller]
fn check(month: &[Class], categories: Vec<CostCategory>, name: &str, expected: &[(&str, &str)]) {
    let facts = facts(month).with_categories(&in_order(categories).unwrap());
    let expected: Vec<_> = expected.iter().map(|(key, sum)| ((*key).to_owned(), (*sum).to_owned())).collect();
    assert_eq!(by(&facts, name), expected);
}

#[test]
fn the_first_rule_that_fits_decides() {
    let rules = vec![
        value("storage", service("S3")),
        value("all of one", is(Key::Dimension(Dimension::LinkedAccount), "111111111111")),
    ];
    let of = |default| vec![category("Kind", rules.clone(), default)];
    check(MONTH, of(None), "Kind", &[("Kind$all of one", "11"), ("Kind$storage", "112")]);
    let one = vec![category("Kind", vec![value("compute", service("EC2"))], None)];
    check(MONTH, one, "Kind", &[("Kind$", "112"), ("Kind$compute", "11")]);
    let one = vec![category("Kind", vec![value("compute", service("EC2"))], Some("rest"))];
    check(MONTH, one, "Kind", &[("Kind$compute", "11"), ("Kind$rest", "112")]);
}

#[test]
fn values_are_inherited_from_tags_and_names_of_accounts() {
    let names = [("222222222222", "Globex"), ("999999999999", "Nobody")];
    let names = names.map(|(account, name)| (account.to_owned(), name.to_owned())).into();
    let rules = vec![Rule::Tag("App".to_owned()), Rule::AccountNames(Arc::new(names))];
    check(MONTH, vec![category("Team", rules, None)], "Team", &[("Team$Globex", "100"), ("Team$web", "23")]);
}

#[test]
fn categories_look_at_each_other_in_whatever_order_they_stand() {
    let of = |key: &str, of: &str| is(Key::CostCategory(key.to_owned()), of);
    let upper = category("Upper", vec![value("yes", of("Lower", "compute"))], Some("no"));
    let lower = category("Lower", vec![value("compute", service("EC2"))], None);
    let both = vec![upper.clone(), lower];
    check(MONTH, both, "Upper", &[("Upper$no", "112"), ("Upper$yes", "11")]);
    let circle = in_order(vec![upper, category("Lower", vec![value("x", of("Upper", "yes"))], None)]);
    assert_eq!(circle, Err(Circle(["Upper", "Lower", "Upper"].map(str::to_owned).into())));
    let itself = in_order(vec![category("Own", vec![value("x", of("Own", "x"))], None)]);
    assert_eq!(itself, Err(Circle(["Own", "Own"].map(str::to_owned).into())));
}

#[test]
fn other_definitions_take_the_place_of_earlier_ones() {
    let of = |name: &str| [category("Kind", vec![value(name, service("EC2"))], None)];
    let facts = facts(MONTH).with_categories(&of("compute"));
    assert_eq!(facts.cost_category_names(), ["Kind"].into());
    assert_eq!(by(&facts.with_categories(&of("hours")), "Kind")[1].0, "Kind$hours");
    let bare = facts.with_categories(&[]);
    assert!(bare.cost_category_names().is_empty());
    assert_eq!(by(&bare, "Kind"), [("Kind$".to_owned(), "123".to_owned())]);
}
