//! What holds of resources is worked out before a line is read.

use super::*;
use crate::expression::Matching;

fn is(dimension: Dimension, value: &str) -> Expression {
    Expression::is(Key::Dimension(dimension), [value], Matching::Equals)
}

fn query(filter: Expression) -> LineQuery {
    LineQuery {
        hours: 0..1,
        times: Times::Daily,
        filter: Some(filter),
        group_by: Vec::new(),
        metrics: Vec::new(),
    }
}

/// Whether a line of S3 is taken by what holds of both conditions.
fn taken(filter: &Expression, held: u64) -> bool {
    filter.where_it_holds(held, &mut 0).takes(&|key| match key {
        Key::Dimension(Dimension::Service) => Some("S3"),
        _ => None,
    })
}

#[test]
fn a_filter_is_one_bit_for_each_way_that_conditions_hold() {
    let (one, other) = (is(Dimension::ResourceId, "i-1"), is(Dimension::ResourceId, "i-2"));
    let storage = is(Dimension::Service, "S3");
    let either = Expression::Or(vec![one.clone(), other.clone()]);
    let both = Expression::And(vec![storage, either.clone()]);
    assert_eq!(query(both.clone()).resource_conditions().len(), 2);
    assert_eq!([0, 1, 2, 3].map(|held| taken(&both, held)), [false, true, true, true]);
    let neither = Expression::Not(Box::new(either));
    assert_eq!([0, 1, 2, 3].map(|held| taken(&neither, held)), [true, false, false, false]);
}

#[test]
fn hours_of_a_month_are_those_within_it() {
    let october = BillingPeriod::new(2026, 10).unwrap();
    let first = october.start_seconds() / 3_600;
    assert_eq!(hours_of_month(october, &(first - 5..first + 30)), 0..30);
    assert_eq!(hours_of_month(october, &(first + 740..first + 800)), 740..744);
}
