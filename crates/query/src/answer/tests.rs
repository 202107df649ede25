//! Answers from a month of three classes, worked out by hand; random questions are asked of a whole server, against DuckDB.

use super::*;
use crate::dimension::DIMENSIONS;
use crate::expression::{Condition, Matching};
use crate::facts::{BareFacts, Measured, Table};
use crate::values::Values;
use billing::charge_class::Texts;

/// The first of October 2026.
pub(crate) const FIRST: i32 = 20_727;

/// A class: account, service, currency, unit, group, and what each of its days costs, in whole units.
pub(crate) type Class = (&'static str, &'static str, &'static str, &'static str, u32, &'static [(u8, i64)]);

pub(crate) fn facts(classes: &[Class]) -> MonthFacts {
    bare(classes).into()
}

fn bare(classes: &[Class]) -> BareFacts {
    let mut texts = Texts::default();
    let mut table = Table { first_row: vec![0], tags: vec![Vec::new()], ..Table::default() };
    let (mut months, mut days) = (Vec::new(), Vec::new());
    for (account, service, currency, unit, group, of_days) in classes {
        for (place, column) in table.dimensions.iter_mut().enumerate() {
            column.push(match place {
                place if place == Dimension::LinkedAccount as usize => texts.intern(account),
                place if place == Dimension::Service as usize => texts.intern(service),
                _ => TextId::NULL,
            });
        }
        table.tags[0].push(if *group == 0 { texts.intern("web") } else { TextId::NULL });
        table.group.push(*group);
        table.currency.push(texts.intern(currency));
        table.unit.push(texts.intern(unit));
        let units = |whole: i64| i128::from(whole) * 10_i128.pow(10);
        for (day, whole) in *of_days {
            table.day.push(*day);
            days.push(units(*whole));
        }
        table.first_row.push(u32::try_from(table.day.len()).unwrap());
        months.push(of_days.iter().map(|(_, whole)| units(*whole)).sum());
    }
    let measured = || Measured { months: Values::new(&months), days: Some(Values::new(&days)) };
    table.measures = vec![(Metric::UnblendedCost, measured()), (Metric::UsageQuantity, measured())];
    assert_eq!(table.dimensions.len(), DIMENSIONS);
    BareFacts {
        period: BillingPeriod::new(2026, 10).unwrap(),
        groups: vec!["acme".to_owned(), "globex".to_owned()],
        tags: vec!["user_app".to_owned()],
        cost_categories: Vec::new(),
        has_days: true,
        reservations: None,
        currency: "USD".to_owned(),
        aws: Table { tags: vec![Vec::new()], ..Table::default() },
        pro_forma: table,
        texts,
    }
}

pub(crate) const MONTH: &[Class] = &[
    ("111111111111", "S3", "USD", "GB", 0, &[(0, 5), (2, 7)]),
    ("111111111111", "EC2", "USD", "Hrs", 0, &[(1, 11)]),
    ("222222222222", "S3", "USD", "GB", 1, &[(0, 100)]),
];

fn scope(groups: &[u32]) -> Scope {
    Scope {
        cost: Costs::ProForma(groups.iter().copied().collect()),
        accounts: None,
        filter: None,
        days: None,
    }
}

fn query(granularity: Granularity, days: Range<i32>, group_by: &[Key]) -> Query {
    let metrics = vec![Metric::NetAmortizedCost, Metric::UsageQuantity];
    Query {
        days: FIRST + days.start..FIRST + days.end,
        granularity,
        filter: None,
        group_by: group_by.to_vec(),
        metrics,
    }
}

/// An answer in short: the day that a time begins on, keys, amount, unit of usage.
fn asked(
    facts: &MonthFacts,
    scope: &Scope,
    query: &Query,
) -> Result<Vec<(i32, String, String, String)>, QueryError> {
    asked_of(facts, std::slice::from_ref(scope), query)
}

/// The same of several scopes together.
fn asked_of(
    facts: &MonthFacts,
    scopes: &[Scope],
    query: &Query,
) -> Result<Vec<(i32, String, String, String)>, QueryError> {
    let month = Month { period: facts.period, facts: Some(facts), scopes, estimated: true };
    let mut short = Vec::new();
    for slice in answer(&[month], query)? {
        for row in slice.rows {
            let [cost, usage] = row.values.as_slice() else { panic!("two metrics") };
            assert_eq!((cost.amount, cost.unit.as_str()), (usage.amount, "USD"));
            short.push((
                slice.days.start - FIRST,
                row.keys.join(" "),
                cost.amount.to_string(),
                usage.unit.clone(),
            ));
        }
    }
    Ok(short)
}

fn short(of: &[(i32, &str, &str, &str)]) -> Vec<(i32, String, String, String)> {
    let owned = |(day, keys, amount, unit): &(i32, &str, &str, &str)| {
        (*day, (*keys).to_owned(), (*amount).to_owned(), (*unit).to_owned())
    };
    of.iter().map(owned).collect()
}

#[track_caller]
fn check(scope: &Scope, query: &Query, expected: &[(i32, &str, &str, &str)]) {
    assert_eq!(asked(&facts(MONTH), scope, query).unwrap(), short(expected));
}

const SERVICE: Key = Key::Dimension(Dimension::Service);

#[test]
fn a_whole_month_and_its_days_are_the_same() {
    use Granularity::{Daily, Monthly};
    check(&scope(&[0]), &query(Monthly, 0..31, &[]), &[(0, "", "23", "N/A")]);
    check(
        &scope(&[0]),
        &query(Daily, 0..4, &[]),
        &[(0, "", "5", "GB"), (1, "", "11", "Hrs"), (2, "", "7", "GB"), (3, "", "0", "N/A")],
    );
    check(&scope(&[0]), &query(Daily, 1..3, &[SERVICE]), &[(1, "EC2", "11", "Hrs"), (2, "S3", "7", "GB")]);
    check(&scope(&[0]), &query(Monthly, 1..3, &[SERVICE]), &[(1, "EC2", "11", "Hrs"), (1, "S3", "7", "GB")]);
}

#[test]
fn nobody_sees_beyond_his_scope() {
    let all = query(Granularity::Monthly, 0..31, &[Key::Dimension(Dimension::LinkedAccount)]);
    check(&scope(&[1]), &all, &[(0, "222222222222", "100", "GB")]);
    check(&scope(&[]), &all, &[]);
    let accounts = Some(["222222222222".to_owned(), "333333333333".to_owned()].into());
    check(&Scope { accounts, ..scope(&[0, 1]) }, &all, &[(0, "222222222222", "100", "GB")]);
    // A custom view narrows what it is made of, and a question narrows that.
    let is = |service: &str| Expression::is(SERVICE, [service], Matching::Equals);
    let of_view = Scope { filter: Some(is("S3")), ..scope(&[0]) };
    check(&of_view, &query(Granularity::Monthly, 0..31, &[SERVICE]), &[(0, "S3", "12", "GB")]);
    let beyond = Query { filter: Some(is("EC2")), ..query(Granularity::Monthly, 0..31, &[SERVICE]) };
    check(&of_view, &beyond, &[]);
}

#[test]
fn several_scopes_are_summed_each_by_itself() {
    use Granularity::{Daily, Monthly};
    let is = |service: &str| Expression::is(SERVICE, [service], Matching::Equals);
    let parts = [
        Scope { filter: Some(is("S3")), ..scope(&[0]) },
        Scope { days: Some(FIRST..FIRST + 1), ..scope(&[0, 1]) },
        // Of another month.
        Scope { days: Some(FIRST + 31..FIRST + 40), ..scope(&[0]) },
    ];
    let facts = facts(MONTH);
    let check = |query: &Query, expected: &[(i32, &str, &str, &str)]| {
        assert_eq!(asked_of(&facts, &parts, query).unwrap(), short(expected));
    };
    // 12 of the one, 105 of the other; what both have counts twice.
    check(&query(Monthly, 0..31, &[]), &[(0, "", "117", "GB")]);
    check(&query(Monthly, 0..31, &[SERVICE]), &[(0, "S3", "117", "GB")]);
    check(&query(Daily, 0..3, &[]), &[(0, "", "110", "GB"), (1, "", "0", "N/A"), (2, "", "7", "GB")]);
    check(&query(Monthly, 1..3, &[]), &[(1, "", "7", "GB")]);
    let other = Query { filter: Some(is("EC2")), ..query(Monthly, 0..31, &[]) };
    check(&other, &[(0, "", "0", "N/A")]);
    assert_eq!(asked_of(&facts, &[], &query(Monthly, 0..31, &[])).unwrap(), short(&[(0, "", "0", "N/A")]));
}

#[test]
fn tags_have_their_key_before_them_and_nothing_is_a_value() {
    let by_tag = query(Granularity::Monthly, 0..31, &[Key::Tag("App".to_owned())]);
    check(&scope(&[0, 1]), &by_tag, &[(0, "App$", "100", "GB"), (0, "App$web", "23", "N/A")]);
    let unknown = query(Granularity::Monthly, 0..31, &[Key::Tag("Nobody".to_owned())]);
    check(&scope(&[1]), &unknown, &[(0, "Nobody$", "100", "GB")]);
    let matched = |values: &[&str], matching, is_case_sensitive| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        let condition = Condition { key: Key::Tag("App".to_owned()), values, matching, is_case_sensitive };
        Query { filter: Some(Expression::Is(condition)), ..query(Granularity::Monthly, 0..31, &[]) }
    };
    check(&scope(&[0, 1]), &matched(&[], Matching::Absent, true), &[(0, "", "100", "GB")]);
    check(&scope(&[0, 1]), &matched(&[""], Matching::Equals, true), &[(0, "", "100", "GB")]);
    check(&scope(&[0, 1]), &matched(&["WEB"], Matching::Equals, true), &[(0, "", "0", "N/A")]);
    check(&scope(&[0, 1]), &matched(&["WEB"], Matching::Equals, false), &[(0, "", "23", "N/A")]);
    check(&scope(&[0, 1]), &matched(&["we"], Matching::StartsWith, true), &[(0, "", "23", "N/A")]);
    let not = |query: Query| Query { filter: query.filter.map(|of| Expression::Not(Box::new(of))), ..query };
    check(&scope(&[0, 1]), &not(matched(&["b"], Matching::EndsWith, true)), &[(0, "", "100", "GB")]);
}

#[test]
fn what_cannot_be_added_or_told_is_refused() {
    let mixed = facts(&[("1", "S3", "USD", "GB", 0, &[(0, 1)]), ("2", "S3", "EUR", "GB", 0, &[(0, 1)])]);
    let total = query(Granularity::Monthly, 0..31, &[]);
    let error = asked(&mixed, &scope(&[0]), &total).unwrap_err();
    assert!(error.to_string().contains("USD and EUR cannot be added"), "{error}");
    let aws = Scope { cost: Costs::Aws, ..scope(&[]) };
    let error = asked(&mixed, &aws, &total).unwrap_err();
    assert!(matches!(error, QueryError::Unknown { metric: Metric::NetAmortizedCost, .. }), "{error}");
    for (missing, metric, way_out) in [
        (Missing::Column, Metric::BlendedCost, "`line_item_blended_cost`; ask for UnblendedCost"),
        (Missing::Column, Metric::NetAmortizedCost, "or ask for AmortizedCost"),
        (
            Missing::Commitments,
            Metric::AmortizedCost,
            "`savings_plan_used_commitment`); add them to the export",
        ),
        (Missing::OfLevel, Metric::NetAmortizedCost, "a level above charges"),
        (Missing::EarlierRun, Metric::BlendedCost, "`proforma import"),
        (Missing::EarlierRun, Metric::NetAmortizedCost, "`proforma import"),
    ] {
        let aws_table =
            Table { tags: vec![Vec::new()], missing: vec![(metric, missing)], ..Table::default() };
        let without = BareFacts { aws: aws_table, ..bare(&[]) }.into();
        let error = asked(&without, &aws, &Query { metrics: vec![metric], ..total.clone() }).unwrap_err();
        assert!(error.to_string().contains(way_out), "{error}");
    }
    let normalized = Query { metrics: vec![Metric::NormalizedUsageAmount], ..total };
    assert!(
        asked(&mixed, &scope(&[0]), &normalized).unwrap_err().to_string().contains("ask for UsageQuantity")
    );
}

#[test]
fn a_month_without_facts_is_empty() {
    let period = BillingPeriod::new(2026, 10).unwrap();
    let month = Month { period, facts: None, scopes: &[scope(&[])], estimated: true };
    let total = answer(&[month], &query(Granularity::Monthly, 0..31, &[])).unwrap();
    assert_eq!(total[0].rows[0].values[0], Value { amount: Cost::ZERO, unit: "USD".to_owned() });
    assert!(answer(&[month], &query(Granularity::Monthly, 0..31, &[SERVICE])).unwrap()[0].rows.is_empty());
}
