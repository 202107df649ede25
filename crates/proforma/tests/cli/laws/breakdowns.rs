//! Reports by any keys: they add up to the cost report, and their usage is that of the lines.

use super::{Case, PERIOD, seeds};
use crate::breakdowns::{json, report};
use crate::reports::{list, number};
use crate::support::{Done, Run};
use serde_json::Value;
use std::collections::BTreeMap;
use testkit::oracle::Exact;
use testkit::{Line, write_month};

#[test]
fn every_report_adds_up_to_the_cost_report() {
    for seed in seeds(4) {
        assert_agrees(&Case::of(seed).run());
    }
}

#[test]
fn usage_by_day_and_account_and_tag_is_that_of_the_lines() {
    for seed in seeds(4) {
        let case = Case::of(seed);
        let book = format!("{}\n[reports]\ntags = [\"user_project\"]\n", case.book.to_toml());
        let write = |cost: &std::path::Path| drop(write_month(cost, &case.month.lines, &case.options));
        let done = Run::new(PERIOD, &book, write).go().succeeded();
        let mut expected: BTreeMap<[String; 4], Exact> = BTreeMap::new();
        let of_period = |line: &&Line| {
            let start = line.bill_billing_period_start_date.as_deref();
            start.is_some_and(|start| start.starts_with(PERIOD))
        };
        let metered = ["Usage", "DiscountedUsage", "SavingsPlanCoveredUsage", "FlatRateSubscription"];
        let is_metered = |line: &&Line| {
            // A row of split cost allocation repeats the usage of others.
            let operation = line.line_item_operation.as_deref().unwrap_or("");
            line.split_line_item_parent_resource_id.is_none()
                && !["EKSPod-EC2", "ECSTask-EC2"].contains(&operation)
                && metered.contains(&line.line_item_line_item_type.as_deref().unwrap_or(""))
        };
        for line in case.month.lines.iter().filter(of_period).filter(is_metered) {
            let key = [
                line.line_item_usage_start_date.as_deref().unwrap_or("")[..10].to_owned(),
                line.line_item_usage_account_id.clone().unwrap_or_default(),
                line.resource_tags.get("user_project").cloned().unwrap_or_default(),
                line.pricing_unit.clone().unwrap_or_default(),
            ];
            let usage = line.line_item_usage_amount.map(|usage| usage.to_string()).unwrap_or_default();
            *expected.entry(key).or_default() += &Exact::of(if usage.is_empty() { "0" } else { &usage });
        }
        let arguments = ["--by", "day,account,tag:user_project", "--metric", "usage", "--output", "csv"];
        let printed = report(&done, &arguments).succeeded();
        let mut reader = csv::Reader::from_reader(printed.stdout.as_bytes());
        let there: BTreeMap<[String; 4], Exact> = (reader.records())
            .map(|record| {
                let record = record.expect("a record");
                let field = |at: usize| record[at].to_owned();
                ([field(0), field(1), field(2), field(4)], Exact::of(&record[3]))
            })
            .collect();
        let differing: Vec<_> = (there.iter().chain(&expected))
            .map(|(key, _)| (key, there.get(key), expected.get(key)))
            .filter(|(_, there, expected)| there != expected)
            .take(5)
            .collect();
        assert!(differing.is_empty(), "there and expected: {differing:#?}");
    }
}

/// Every report of a run adds up to its cost report, to the last digit.
pub fn assert_agrees(done: &Done) {
    let rows: Vec<Value> = list(&done.json("cost-report.json")).to_vec();
    let sums = |rows: &[Value], key: &dyn Fn(&Value) -> String, column: &str| {
        let mut sums: BTreeMap<String, Exact> = BTreeMap::new();
        for row in rows.iter().filter(|row| !row[column].is_null()) {
            *sums.entry(key(row)).or_default() += &number(&row[column]);
        }
        sums.retain(|_, sum| *sum != Exact::default());
        sums
    };
    let of_group = |row: &Value| format!("{} {}", row["billing_group"], row["currency"]);
    for (metric, column) in [("pro-forma", "pro_forma_cost"), ("aws-cost", "aws_cost"), ("margin", "margin")]
    {
        let expected = sums(&rows, &of_group, column);
        let by =
            ["group,day", "group,account,line-item-type,day", "group,region,usage-type", "group,operation"];
        for by in by {
            let there = json(done, &["--by", by, "--metric", metric]);
            assert_eq!(sums(&there, &of_group, column), expected, "{metric} by {by}");
        }
        let there = json(done, &["--by", "group,service,day", "--metric", metric]);
        let mine = |row: &Value| format!("{} {} {}", row["billing_group"], row["service"], row["currency"]);
        let theirs = |row: &Value| format!("{} {} {}", row["billing_group"], row["product"], row["currency"]);
        assert_eq!(sums(&there, &mine, column), sums(&rows, &theirs, column), "{metric} by service");
    }
}
