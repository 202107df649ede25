//! Reading a run's reports as exact numbers.

use crate::support::Done;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use testkit::oracle::Exact;

/// A group or an account, its product, and a currency.
pub type RowKey = (String, String, String);

/// The numbers of a cost report's row or total.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Costs {
    pub aws_cost: Exact,
    pub pro_forma_cost: Exact,
    pub margin: Exact,
}

/// An amount, which is always text: at most ten decimals, no exponent, no zeros at the end, no `-0`.
#[track_caller]
pub fn number(value: &Value) -> Exact {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is not text"));
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "1"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    assert!(plain(whole) && plain(decimals), "`{text}` is not a plain decimal");
    assert!(decimals.len() <= 10 && !decimals.ends_with('0'), "`{text}` has too many decimals");
    assert!(whole == "0" || !whole.starts_with('0'), "`{text}` starts with a zero");
    assert_ne!(text, "-0");
    Exact::of(text)
}

/// An amount, 0 where there is none.
pub fn number_or_zero(value: &Value) -> Exact {
    if value.is_null() { Exact::default() } else { number(value) }
}

/// The elements of a list.
#[track_caller]
pub fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is not a list"))
}

/// A text.
#[track_caller]
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not text"))
}

/// The named amounts of an object.
pub fn numbers(value: &Value) -> BTreeMap<String, Exact> {
    let object = value.as_object().unwrap_or_else(|| panic!("{value} is not an object"));
    object.iter().map(|(name, value)| (name.clone(), number(value))).collect()
}

/// Every file below a folder by its name there, with its bytes.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            found.insert(name, fs::read(&path).expect("a file"));
        }
    }
    found
}

impl Done {
    /// The files that say what is charged: the cost report and the statements.
    pub fn bills(&self) -> BTreeMap<String, Vec<u8>> {
        let mut bills = files(&self.out);
        bills.retain(|name, _| name.starts_with("cost-report.") || name.starts_with("statements/"));
        assert!(bills.len() > 2, "no bills");
        bills
    }

    /// The rows of the cost report that are a group's, by group, product and currency.
    pub fn group_rows(&self) -> BTreeMap<RowKey, Costs> {
        let report = self.json("cost-report.json");
        let of_groups = list(&report).iter().filter(|row| !row["billing_group"].is_null());
        let row = |row: &Value| {
            let costs = Costs {
                aws_cost: number(&row["aws_cost"]),
                pro_forma_cost: number(&row["pro_forma_cost"]),
                margin: number(&row["margin"]),
            };
            let key = ["billing_group", "product", "currency"].map(|name| text(&row[name]).to_owned());
            (key.into(), costs)
        };
        of_groups.map(row).collect()
    }

    /// The groups' totals, summed from the rows of the cost report, by group and currency.
    pub fn group_totals(&self) -> BTreeMap<(String, String), Costs> {
        let mut totals: BTreeMap<(String, String), Costs> = BTreeMap::new();
        for ((group, _, currency), costs) in self.group_rows() {
            let total = totals.entry((group, currency)).or_default();
            total.aws_cost += &costs.aws_cost;
            total.pro_forma_cost += &costs.pro_forma_cost;
            total.margin += &costs.margin;
        }
        totals
    }

    /// The AWS cost of accounts in no group, by account and currency.
    pub fn ungrouped(&self) -> BTreeMap<(String, String), Exact> {
        let mut accounts: BTreeMap<(String, String), Exact> = BTreeMap::new();
        for row in list(&self.json("cost-report.json")).iter().filter(|row| row["billing_group"].is_null()) {
            let key = ["account_id", "currency"].map(|name| text(&row[name]).to_owned());
            *accounts.entry(key.into()).or_default() += &number(&row["aws_cost"]);
            assert!(row["pro_forma_cost"].is_null() && row["margin"].is_null(), "{row}");
        }
        accounts
    }

    /// A group's statement in a currency.
    #[track_caller]
    pub fn statement(&self, group: &str, currency: &str) -> Value {
        let file = self.json(&format!("statements/{group}.json"));
        let found = list(&file["statements"]).iter().find(|statement| statement["currency"] == currency);
        found.unwrap_or_else(|| panic!("no statement of `{group}` in {currency}")).clone()
    }

    /// The charges of custom line items by name, over all groups, in a currency.
    pub fn item_charges(&self, currency: &str) -> BTreeMap<String, Exact> {
        let mut charges: BTreeMap<String, Exact> = BTreeMap::new();
        for (name, bytes) in self.bills() {
            if !name.starts_with("statements/") || !name.ends_with(".json") {
                continue;
            }
            let file: Value = serde_json::from_slice(&bytes).expect("JSON");
            for statement in list(&file["statements"]).iter().filter(|one| one["currency"] == currency) {
                for item in list(&statement["custom_line_items"]) {
                    *charges.entry(text(&item["name"]).to_owned()).or_default() += &number(&item["amount"]);
                }
            }
        }
        charges
    }
}

/// The lines of a statement, whatever their service, each with its product.
pub fn statement_lines(statement: &Value) -> Vec<(&str, &Value)> {
    let services = list(&statement["services"]).iter();
    services
        .flat_map(|service| {
            list(&service["usage_types"]).iter().map(|line| (text(&service["product"]), line))
        })
        .collect()
}
