//! Each difference has the reason that is certain, and no other.

use super::*;

fn cell(part: Part, group: &str, name: &str, of: &str) -> Cell {
    Cell { part, group: group.into(), name: name.into(), of: of.into(), currency: "USD".into() }
}

fn month(cells: &[(Part, &str, &str, &str, &str)]) -> Month {
    let amount = |text: &str| Amount::parse(text).expect("a decimal");
    cells.iter().map(|(part, group, name, of, text)| (cell(*part, group, name, of), amount(text))).collect()
}

fn services(cells: &[(&'static str, &'static str, &'static str)]) -> Month {
    let cells: Vec<_> = cells.iter().map(|(name, of, text)| (Part::Service, "", *name, *of, *text)).collect();
    month(&cells)
}

fn exactly() -> Terms {
    Terms { tolerance: Amount::ZERO, is_estimated: true }
}

/// The reasons of the rows that are not the same, by name and line type.
fn reasons(aws: &Month, here: &Month) -> Vec<(String, String, &'static str)> {
    let tolerance = Amount::parse("0.0000000001").expect("a decimal");
    let rows = compare(aws, here, Terms { tolerance, is_estimated: true }).expect("small");
    let said = |row: Row| row.reason.map(|reason| (row.cell.name, row.cell.of, reason.as_str()));
    rows.into_iter().filter_map(said).collect()
}

#[track_caller]
fn check(aws: &Month, here: &Month, expected: &[(&str, &str, &str)]) {
    let said = reasons(aws, here);
    let said: Vec<_> = said.iter().map(|(name, of, reason)| (name.as_str(), of.as_str(), *reason)).collect();
    assert_eq!(said, expected);
}

#[test]
fn the_same_months_agree() {
    let same = services(&[("S3", "Usage", "1.25"), ("Tax", "Tax", "0.1")]);
    check(&same, &same, &[]);
    // What only one side has is nothing where it is 0.
    check(&services(&[("S3", "Usage", "0")]), &Month::new(), &[]);
}

#[test]
fn digits_that_an_answer_does_not_have_are_no_difference() {
    let here = services(&[("S3", "Usage", "1.00000000005")]);
    check(&services(&[("S3", "Usage", "1.0000000001")]), &here, &[("S3", "Usage", "ROUNDING")]);
    check(&services(&[("S3", "Usage", "1.0000000002")]), &here, &[("S3", "Usage", "AMOUNTS_DIFFER")]);
}

#[test]
fn what_comes_late_is_named_by_its_line_type() {
    let aws = services(&[
        ("AWS Support (Business)", "Usage", "100"),
        ("S3", "Credit", "-3"),
        ("S3", "Refund", "-2"),
        ("S3", "Usage", "10"),
        ("Tax", "Tax", "1.9"),
    ]);
    let here = services(&[("S3", "Refund", "-1"), ("S3", "Usage", "10")]);
    let expected = [
        ("AWS Support (Business)", "Usage", "SUPPORT_NOT_DELIVERED"),
        ("S3", "Credit", "CREDIT_NOT_DELIVERED"),
        ("S3", "Refund", "REFUND_DIFFERS"),
        ("Tax", "Tax", "TAX_NOT_DELIVERED"),
    ];
    check(&aws, &here, &expected);
}

#[test]
fn names_are_no_money() {
    let aws = services(&[("Amazon Simple Storage Service", "Usage", "10"), ("EC2", "Usage", "5")]);
    let here = services(&[("AmazonS3", "Usage", "10"), ("EC2", "Usage", "5")]);
    let expected = [
        ("Amazon Simple Storage Service", "Usage", "NAMED_DIFFERENTLY"),
        ("AmazonS3", "Usage", "NAMED_DIFFERENTLY"),
    ];
    check(&aws, &here, &expected);
    // Two that could be meant are no proof.
    let aws = services(&[("A", "Usage", "10"), ("B", "Usage", "10")]);
    let here = services(&[("C", "Usage", "10")]);
    let expected = [
        ("A", "Usage", "SERVICE_MISSING_HERE"),
        ("B", "Usage", "SERVICE_MISSING_HERE"),
        ("C", "Usage", "SERVICE_MISSING_AT_AWS"),
    ];
    check(&aws, &here, &expected);
    // A line type has two names, too.
    let aws = services(&[("EC2", "Recurring", "7"), ("EC2", "Usage", "1")]);
    let here = services(&[("EC2", "RIFee", "7"), ("EC2", "Usage", "1")]);
    check(&aws, &here, &[("EC2", "RIFee", "NAMED_DIFFERENTLY"), ("EC2", "Recurring", "NAMED_DIFFERENTLY")]);
}

#[test]
fn what_has_moved_is_told_from_what_is_missing() {
    let aws = services(&[("EC2", "Usage", "10"), ("EC2 - Other", "Usage", "4")]);
    let here = services(&[("EC2", "Usage", "11"), ("EC2 - Other", "Usage", "3")]);
    let expected = [
        ("EC2", "Usage", "COUNTED_UNDER_ANOTHER_SERVICE"),
        ("EC2 - Other", "Usage", "COUNTED_UNDER_ANOTHER_SERVICE"),
    ];
    check(&aws, &here, &expected);
    let aws = services(&[("EC2", "Fee", "1"), ("EC2", "Usage", "10")]);
    let here = services(&[("EC2", "Fee", "2"), ("EC2", "Usage", "9")]);
    check(&aws, &here, &[("EC2", "Fee", "OTHER_LINE_TYPE"), ("EC2", "Usage", "OTHER_LINE_TYPE")]);
}

#[test]
fn covered_usage_cancels_with_its_negation() {
    let aws = services(&[
        ("EC2", "SavingsPlanCoveredUsage", "10"),
        ("EC2", "SavingsPlanNegation", "-10"),
        ("EC2", "Usage", "1"),
    ]);
    let here = services(&[
        ("EC2", "SavingsPlanCoveredUsage", "8"),
        ("EC2", "SavingsPlanNegation", "-8"),
        ("EC2", "Usage", "3"),
    ]);
    let expected = [
        ("EC2", "SavingsPlanCoveredUsage", "SAVINGS_PLAN_NEGATION"),
        ("EC2", "SavingsPlanNegation", "SAVINGS_PLAN_NEGATION"),
        ("EC2", "Usage", "AMOUNTS_DIFFER"),
    ];
    check(&aws, &here, &expected);
}

#[test]
fn accounts_that_are_missing_explain_what_services_lack() {
    let aws = month(&[
        (Part::Service, "", "EC2", "Usage", "10"),
        (Part::Service, "", "S3", "Usage", "5"),
        (Part::Account, "", "1", "Usage", "9"),
        (Part::Account, "", "2", "Usage", "6"),
    ]);
    let here = month(&[
        (Part::Service, "", "EC2", "Usage", "6"),
        (Part::Service, "", "S3", "Usage", "3"),
        (Part::Account, "", "1", "Usage", "9"),
    ]);
    let expected = [
        ("EC2", "Usage", "ACCOUNT_MISSING_HERE"),
        ("S3", "Usage", "ACCOUNT_MISSING_HERE"),
        ("2", "Usage", "ACCOUNT_MISSING_HERE"),
    ];
    check(&aws, &here, &expected);
    let rows = compare(&aws, &here, exactly()).expect("small");
    let reason = rows.first().and_then(|row| row.reason.clone());
    assert_eq!(reason, Some(Reason::AccountsMissingHere(vec!["2".to_owned()])));
}

#[test]
fn a_group_differs_by_its_cost_or_its_price() {
    let all = |groups: [[&str; 4]; 3]| {
        let figures = groups.iter().flat_map(|[name, cost, price, margin]| {
            [(AWS_COST, cost), (PRO_FORMA_COST, price), (MARGIN, margin)]
                .map(|(of, amount)| (Part::BillingGroup, *name, "", of, *amount))
        });
        month(&figures.collect::<Vec<_>>())
    };
    let aws = all([["cost", "1", "2", "1"], ["gone", "1", "1", "0"], ["price", "1", "2", "1"]]);
    let here = all([["cost", "2", "2", "0"], ["new", "1", "1", "0"], ["price", "1", "3", "2"]]);
    let rows = compare(&aws, &here, exactly()).expect("small");
    let said: Vec<_> = rows
        .into_iter()
        .filter_map(|row| Some((row.cell.group, row.cell.of, row.reason?.as_str())))
        .collect();
    let said: Vec<_> =
        said.iter().map(|(group, of, reason)| (group.as_str(), of.as_str(), *reason)).collect();
    let expected = [
        ("cost", AWS_COST, "AWS_COST_DIFFERS"),
        ("cost", MARGIN, "MARGIN_FOLLOWS"),
        ("gone", AWS_COST, "BILLING_GROUP_MISSING_HERE"),
        ("gone", PRO_FORMA_COST, "BILLING_GROUP_MISSING_HERE"),
        ("new", AWS_COST, "BILLING_GROUP_MISSING_AT_AWS"),
        ("new", PRO_FORMA_COST, "BILLING_GROUP_MISSING_AT_AWS"),
        ("price", MARGIN, "MARGIN_FOLLOWS"),
        ("price", PRO_FORMA_COST, "PRICED_DIFFERENTLY"),
    ];
    assert_eq!(said, expected);
}

#[test]
fn equal_amounts_are_no_proof() {
    let aws = services(&[("AWS Lambda", "Usage", "10")]);
    let expected = [
        ("AWS Lambda", "Usage", "SAME_AMOUNT_UNDER_ANOTHER_NAME"),
        ("Amazon Redshift", "Usage", "SAME_AMOUNT_UNDER_ANOTHER_NAME"),
    ];
    check(&aws, &services(&[("Amazon Redshift", "Usage", "10")]), &expected);
    // Types that are different things cancel, and differ.
    let aws = services(&[("EC2", "Usage", "7")]);
    let expected = [("EC2", "Refund", "OTHER_LINE_TYPE"), ("EC2", "Usage", "OTHER_LINE_TYPE")];
    check(&aws, &services(&[("EC2", "Refund", "7")]), &expected);
    let aws = services(&[("EC2", "Recurring", "7"), ("EC2", "Tax", "-3"), ("EC2", "Usage", "1")]);
    let here = services(&[("EC2", "Credit", "-2"), ("EC2", "RIFee", "7")]);
    let expected = [
        ("EC2", "Credit", "OTHER_LINE_TYPE"),
        ("EC2", "RIFee", "NAMED_DIFFERENTLY"),
        ("EC2", "Recurring", "NAMED_DIFFERENTLY"),
        ("EC2", "Tax", "OTHER_LINE_TYPE"),
        ("EC2", "Usage", "OTHER_LINE_TYPE"),
    ];
    check(&aws, &here, &expected);
}

#[test]
fn names_of_one_service() {
    for (one, other, is_one) in [
        ("AmazonEC2", "Amazon Elastic Compute Cloud - Compute", true),
        ("AmazonS3", "Amazon Simple Storage Service", true),
        ("AWSLambda", "AWS Lambda", true),
        ("awskms", "AWS Key Management Service", true),
        ("AmazonVPC", "Amazon Virtual Private Cloud", true),
        ("AWSQueueService", "Amazon Simple Queue Service", true),
        ("AmazonCloudWatch", "CloudWatch", true),
        ("AmazonRDS", "Amazon Redshift", false),
        ("AWS Lambda", "Amazon Elastic Compute Cloud - Compute", false),
        ("AWS Glue", "AWS Backup", false),
        ("AWS Security Service", "Amazon Queue Service", false),
        ("AWS", "Amazon", false),
    ] {
        let aws = services(&[(one, "Usage", "10")]);
        let rows = compare(&aws, &services(&[(other, "Usage", "10")]), exactly()).expect("small");
        assert_eq!(rows.iter().all(Row::agrees), is_one, "{one}, {other}: {rows:?}");
    }
}

#[test]
fn accounts_that_are_missing_explain_nothing_that_they_cannot_be() {
    let here = month(&[
        (Part::Service, "", "EC2", "Usage", "1"),
        (Part::Service, "", "S3", "Usage", "6"),
        (Part::Account, "", "1", "Usage", "7"),
    ]);
    // Of S3 there is more here than at AWS: no account that is missing makes it so.
    let aws = month(&[
        (Part::Service, "", "EC2", "Usage", "10"),
        (Part::Service, "", "S3", "Usage", "2"),
        (Part::Account, "", "1", "Usage", "7"),
        (Part::Account, "", "2", "Usage", "5"),
    ]);
    let expected = [
        ("EC2", "Usage", "AMOUNTS_DIFFER"),
        ("S3", "Usage", "AMOUNTS_DIFFER"),
        ("2", "Usage", "ACCOUNT_MISSING_HERE"),
    ];
    check(&aws, &here, &expected);
}

#[test]
fn nothing_comes_late_once_a_month_is_invoiced() {
    let aws =
        services(&[("AWS Support (Business)", "Usage", "100"), ("S3", "Credit", "-3"), ("S3", "Usage", "1")]);
    let here = services(&[("S3", "Credit", "-1"), ("S3", "Usage", "1")]);
    let rows = compare(&aws, &here, Terms { is_estimated: false, ..exactly() }).expect("small");
    let said: Vec<_> = rows.iter().filter_map(|row| row.reason.as_ref()).map(Reason::as_str).collect();
    assert_eq!(said, ["SERVICE_MISSING_HERE", "AMOUNTS_DIFFER"]);
    for (name, is_late) in [
        ("AWSSupportBusiness", true),
        ("AWSDeveloperSupport", true),
        ("AWS Premium Support", true),
        ("AWS Support (Enterprise)", true),
        ("Acme Support Portal", false),
        ("AWS Support Case Analyzer", false),
        ("Amazon Supportive Care", false),
    ] {
        let rows = compare(&services(&[(name, "Usage", "1")]), &Month::new(), exactly()).expect("small");
        let reason = rows.first().and_then(|row| row.reason.as_ref()).map(Reason::as_str);
        assert_eq!(reason == Some("SUPPORT_NOT_DELIVERED"), is_late, "{name}: {reason:?}");
    }
}

#[test]
fn an_empty_group_is_missed() {
    let group = |name| (Part::BillingGroup, name, "", AWS_COST, "0");
    let (aws, here) = (month(&[group("both"), group("there")]), month(&[group("both"), group("here")]));
    for tolerance in ["0", "5"] {
        let terms = Terms { tolerance: Amount::parse(tolerance).expect("a decimal"), is_estimated: true };
        let rows = compare(&aws, &here, terms).expect("small");
        let said: Vec<_> = rows
            .iter()
            .map(|row| (row.cell.group.as_str(), row.reason.as_ref().map(Reason::as_str)))
            .collect();
        let expected = [
            ("both", None),
            ("here", Some("BILLING_GROUP_MISSING_AT_AWS")),
            ("there", Some("BILLING_GROUP_MISSING_HERE")),
        ];
        assert_eq!(said, expected);
    }
}

#[test]
fn a_total_differs_by_more_than_each_amount() {
    let names: Vec<String> = (0..20).map(|number| format!("service {number}")).collect();
    let of = |amount: &str| {
        let amount = Amount::parse(amount).expect("a decimal");
        names.iter().map(|name| (cell(Part::Service, "", name, "Usage"), amount)).collect::<Month>()
    };
    let total = |aws: &str, here: &str, tolerance: &str| {
        let tolerance = Amount::parse(tolerance).expect("a decimal");
        let rows = compare(&of(aws), &of(here), Terms { tolerance, is_estimated: false }).expect("small");
        assert!(rows.iter().all(Row::agrees));
        let total = totals(&rows, tolerance).expect("small").pop().expect("of services");
        (total.difference.to_string(), total.agrees)
    };
    assert_eq!(total("1.01", "1", "0.01"), ("0.2".to_owned(), false));
    assert_eq!(total("1.01", "1", "0.2"), ("0.2".to_owned(), true));
    // The last digit of each is what answers leave out.
    assert_eq!(total("1.0000000001", "1", "0.0000000001"), ("0.000000002".to_owned(), true));
}
