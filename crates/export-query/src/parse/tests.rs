//! Statements as users write them, and what is said of those that are more.

use super::*;
use crate::condition::Cell;

fn tables(properties: &[(&str, &str)]) -> BTreeMap<String, BTreeMap<String, String>> {
    let properties =
        properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    [("COST_AND_USAGE_REPORT".to_owned(), properties)].into()
}

fn parsed(statement: &str) -> Parsed<Query> {
    Query::parse(statement, &tables(&[("INCLUDE_RESOURCES", "TRUE")]))
}

#[test]
fn columns_are_selected_and_renamed() {
    let query = parsed("select line_item_usage_account_id, line_item_unblended_cost AS cost, resource_tags.user_team, resource_tags['user:x'] as x, COST_AND_USAGE_REPORT.pricing_unit FROM cost_and_usage_report").unwrap();
    let columns: Vec<_> = query
        .columns
        .iter()
        .map(|of| (of.name.as_str(), of.of.column.as_str(), of.of.key.as_deref(), of.kind))
        .collect();
    assert_eq!(
        columns,
        [
            ("line_item_usage_account_id", "line_item_usage_account_id", None, Kind::Text),
            ("cost", "line_item_unblended_cost", None, Kind::Number),
            ("user_team", "resource_tags", Some("user_team"), Kind::Text),
            ("x", "resource_tags", Some("user:x"), Kind::Text),
            ("pricing_unit", "pricing_unit", None, Kind::Text),
        ]
    );
    assert_eq!((query.condition, query.limit), (None, None));
    let all = parsed("SELECT * FROM COST_AND_USAGE_REPORT LIMIT 10").unwrap();
    assert!(all.columns.iter().any(|of| of.name == "line_item_resource_id") && all.limit == Some(10));
    assert!(!all.columns.iter().any(|of| of.name.starts_with("split_")));
    let focus = parsed("SELECT billedcost, \"Tags\" FROM FOCUS_1_2_AWS").unwrap();
    assert_eq!((focus.table, focus.columns[0].name.as_str()), (Table::Focus12, "BilledCost"));
}

#[test]
fn rows_are_filtered() {
    let cell = |field: &Field| match (field.column.as_str(), field.key.as_deref()) {
        ("line_item_usage_type", _) => Cell::Text("USW2-BoxUsage:m5.large"),
        ("line_item_unblended_cost", _) => Cell::Number("7.32E-7"),
        ("line_item_usage_start_date", _) => Cell::Instant(1_791_000_000_000),
        ("resource_tags", Some("user_team")) => Cell::Text("a"),
        _ => Cell::Null,
    };
    for (condition, expected) in [
        ("line_item_usage_type LIKE '%BoxUsage%'", true),
        ("line_item_usage_type NOT LIKE '%BoxUsage%'", false),
        ("line_item_usage_type = 'USW2-BoxUsage:m5.large' AND line_item_unblended_cost > 0", true),
        ("line_item_unblended_cost > -1 AND line_item_unblended_cost < 0.000001", true),
        ("line_item_unblended_cost <> 0 OR bill_bill_type = 'x'", true),
        ("NOT (line_item_unblended_cost = 0 OR bill_bill_type = 'x')", false),
        (
            "line_item_usage_start_date >= '2026-10-01' AND line_item_usage_start_date < TIMESTAMP '2026-11-01 00:00:00'",
            true,
        ),
        ("resource_tags.user_team IN ('b', 'a')", true),
        ("resource_tags.user_team NOT IN ('b', 'a')", false),
        ("bill_bill_type NOT IN ('b', 'a')", false),
        ("bill_bill_type IS NULL", true),
        ("bill_bill_type IS NOT NULL OR line_item_unblended_cost BETWEEN 0 AND 1", true),
    ] {
        let query = parsed(&format!("SELECT * FROM COST_AND_USAGE_REPORT WHERE {condition}")).unwrap();
        assert_eq!(query.condition.unwrap().takes(&cell), expected, "{condition}");
    }
}

#[test]
fn anything_else_is_refused_by_its_name() {
    let from = "FROM COST_AND_USAGE_REPORT";
    for (statement, named) in [
        ("SELEC 1", "the statement is no SQL"),
        ("DELETE FROM COST_AND_USAGE_REPORT", "the statement"),
        (&format!("SELECT pricing_unit {from}; SELECT pricing_unit {from}"), "the statement"),
        (&format!("SELECT sum(line_item_unblended_cost) {from}"), "SELECT"),
        (&format!("SELECT line_item_unblended_cost * 2 AS double {from}"), "SELECT"),
        (&format!("SELECT 'a' AS b {from}"), "SELECT"),
        (
            &format!("SELECT nothing {from}"),
            "SELECT: table COST_AND_USAGE_REPORT has no column `nothing`; GetTable",
        ),
        (
            &format!("SELECT split_line_item_split_cost {from}"),
            "SELECT: table COST_AND_USAGE_REPORT has no column `split_line_item_split_cost`; the table has it",
        ),
        (&format!("SELECT pricing_unit, pricing_unit {from}"), "SELECT: two columns"),
        (&format!("SELECT pricing_unit.x {from}"), "SELECT"),
        (&format!("SELECT DISTINCT pricing_unit {from}"), "DISTINCT"),
        (&format!("SELECT pricing_unit {from} GROUP BY pricing_unit"), "GROUP BY"),
        (&format!("SELECT pricing_unit {from} ORDER BY pricing_unit"), "ORDER BY"),
        (&format!("WITH a AS (SELECT 1) SELECT pricing_unit {from}"), "WITH"),
        (&format!("SELECT pricing_unit {from} UNION SELECT pricing_unit {from}"), "the statement"),
        (&format!("SELECT pricing_unit {from} AS t"), "FROM"),
        (&format!("SELECT pricing_unit {from} JOIN FOCUS_1_2_AWS ON 1 = 1"), "JOIN"),
        (&format!("SELECT pricing_unit {from}, FOCUS_1_2_AWS"), "FROM"),
        ("SELECT pricing_unit FROM FOCUS_1_0_AWS", "FROM: there is no table `FOCUS_1_0_AWS`"),
        (&format!("SELECT pricing_unit {from} LIMIT 1.5"), "LIMIT"),
        (&format!("SELECT pricing_unit {from} LIMIT 1 OFFSET 2"), "LIMIT"),
        (&format!("SELECT pricing_unit {from} WHERE pricing_unit"), "WHERE"),
        (&format!("SELECT pricing_unit {from} WHERE pricing_unit = 1"), "WHERE"),
        (&format!("SELECT pricing_unit {from} WHERE line_item_unblended_cost = '1'"), "WHERE"),
        (&format!("SELECT pricing_unit {from} WHERE line_item_usage_start_date > 'soon'"), "WHERE"),
        (&format!("SELECT pricing_unit {from} WHERE pricing_unit = pricing_term"), "WHERE"),
        (&format!("SELECT pricing_unit {from} WHERE resource_tags = 'x'"), "WHERE"),
        (&format!("SELECT pricing_unit {from} WHERE line_item_unblended_cost LIKE '1%'"), "LIKE"),
        (&format!("SELECT pricing_unit {from} WHERE lower(pricing_unit) = 'x'"), "WHERE"),
        (&format!("SELECT pricing_unit {from} WHERE EXISTS (SELECT 1)"), "WHERE"),
        (
            &format!(
                "SELECT pricing_unit {from} WHERE pricing_unit = 'a'{}",
                " AND pricing_unit = 'a'".repeat(600)
            ),
            "WHERE: more than 500",
        ),
    ] {
        let said = parsed(statement).unwrap_err().to_string();
        assert!(said.starts_with(named), "{statement}: {said}");
    }
    let without =
        Query::parse("SELECT line_item_resource_id FROM COST_AND_USAGE_REPORT", &tables(&[])).unwrap_err();
    assert!(without.to_string().contains("TableConfigurations"), "{without}");
}

#[test]
fn properties_are_looked_at() {
    let check = |name: &str, value: &str| {
        Table::CostAndUsageReport
            .check(&[(name.to_owned(), value.to_owned())].into())
            .map(|view| view.map(str::to_owned))
    };
    assert_eq!(check("BILLING_VIEW_ARN", "arn:x"), Ok(Some("arn:x".to_owned())));
    for granularity in ["HOURLY", "DAILY", "MONTHLY"] {
        assert_eq!(check("TIME_GRANULARITY", granularity), Ok(None));
    }
    for (name, value) in
        [("TIME_GRANULARITY", "WEEKLY"), ("INCLUDE_SPLIT_COST_ALLOCATION_DATA", "TRUE"), ("SPEED", "1")]
    {
        assert!(check(name, value).unwrap_err().contains(name));
    }
}
