//! Random books with random parents: what is charged stays as it is, and subtrees conserve it.

use super::{Case, seeds};
use crate::reports::{list, number, number_or_zero, text};
use crate::support::Run;
use serde_json::Value;
use std::collections::BTreeMap;
use testkit::book::BookOptions;
use testkit::oracle::Exact;
use testkit::random::Random;
use testkit::{SampleBook, write_month};

/// A book with the parents that groups have by number.
fn with_parents(book: &SampleBook, parents: &[Option<usize>]) -> String {
    let mut parts = book.to_toml();
    let header = "[[billing_groups]]\n";
    let mut text = String::new();
    for parent in parents {
        let (before, after) = parts.split_once(header).expect("a table per group");
        text += &format!("{before}{header}");
        text += &parent
            .map_or(String::new(), |parent| format!("parent = {:?}\n", book.billing_groups[parent].name));
        parts = after.to_owned();
    }
    text + &parts
}

/// AWS cost, pro forma cost and margin of rows that pass, by currency.
fn sums<'a>(rows: impl Iterator<Item = &'a Value>) -> BTreeMap<String, [Exact; 3]> {
    let mut sums: BTreeMap<String, [Exact; 3]> = BTreeMap::new();
    for row in rows {
        let of_currency = sums.entry(text(&row["currency"]).to_owned()).or_default();
        for (sum, name) in of_currency.iter_mut().zip(["aws_cost", "pro_forma_cost", "margin"]) {
            *sum += &number_or_zero(&row[name]);
        }
    }
    sums
}

#[test]
fn parents_conserve_what_is_charged() {
    for seed in seeds(4) {
        let case = Case::of(seed);
        let one_currency =
            case.month.lines.iter().all(|line| line.line_item_currency_code.as_deref() == Some("USD"));
        let options = BookOptions { seed, groups: 6, custom_tiers: one_currency, ..BookOptions::default() };
        let book = SampleBook::generate(&options, &case.month);
        let mut random = Random::new(seed ^ 0x7EE);
        // Below a group before it in the book, or by itself; turned round for every second case.
        let count = book.billing_groups.len();
        let mut parents: Vec<Option<usize>> = vec![None; count];
        for group in 1..count {
            let (child, parent) = (group, random.index(group));
            let turned = |group: usize| if seed % 2 == 0 { count - 1 - group } else { group };
            parents[turned(child)] = random.percent(75).then(|| turned(parent));
        }
        let write = |cost: &std::path::Path| drop(write_month(cost, &case.month.lines, &case.options));
        let run =
            |book: &str| Run::new(super::PERIOD, book, write).with(&["--output", "json"]).go().succeeded();
        let (flat, tree) = (run(&book.to_toml()), run(&with_parents(&book, &parents)));
        assert_eq!(flat.json("cost-report.json"), tree.json("cost-report.json"));
        let rows = tree.printed();
        let rows = list(&rows);
        let name = |group: usize| Value::from(book.billing_groups[group].name.clone());
        let is = |row: &Value, kind: &str, group: usize| {
            row["billing_group"] == name(group) && row["kind"] == kind
        };
        let is_below = |group: usize, above: usize| {
            std::iter::successors(Some(group), |group| parents[*group]).any(|group| group == above)
        };
        let mut roots = Vec::new();
        for group in 0..count {
            let is_parent = parents.contains(&Some(group));
            let kind = if is_parent { "subtree" } else { "group" };
            let whole: Vec<&Value> = rows.iter().filter(|row| is(row, kind, group)).collect();
            let below = (0..count).filter(|below| is_below(*below, group));
            let parts = below.flat_map(|below| rows.iter().filter(move |row| is(row, "group", below)));
            assert_eq!(sums(whole.iter().copied()), sums(parts));
            if is_parent {
                let statement = tree.json(&format!("statements/{}.json", book.billing_groups[group].name));
                for row in &whole {
                    let of = |total: &&Value| total["currency"] == row["currency"];
                    let total = list(&statement["subtree_total"]).iter().find(of).expect("a total");
                    assert_eq!(number(&total["total"]), number(&row["pro_forma_cost"]));
                }
            }
            if parents[group].is_none() {
                roots.extend(whole);
            }
        }
        let printed = flat.printed();
        let of_groups = list(&printed).iter().filter(|row| !row["billing_group"].is_null());
        assert_eq!(sums(roots.into_iter()), sums(of_groups), "the roots lose or gain");
    }
}
