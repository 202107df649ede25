//! What is asked of a run is answered to the last digit: what another book would make of it, what changed, and why an amount is so.

use super::{Case, run, seeds};
use crate::reports::{list, number_or_zero, text};
use crate::support::{Done, proforma};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use testkit::book::BookOptions;
use testkit::oracle::Exact;
use testkit::random::Random;
use testkit::{Line, SampleBook};

/// Another book for the same month.
fn other_book(case: &Case) -> SampleBook {
    let one_currency =
        case.month.lines.iter().all(|line| line.line_item_currency_code.as_deref() == Some("USD"));
    let options = BookOptions {
        seed: case.seed ^ 0xD1FF,
        custom_tiers: one_currency,
        groups: 2 + usize::try_from(case.seed % 3).expect("a small number"),
        ..BookOptions::default()
    };
    SampleBook::generate(&options, &case.month)
}

/// Exact numbers of any length.
fn exact(value: &Value) -> Exact {
    Exact::of(text(value))
}

/// Pro forma costs that are not 0, by group, product and currency.
fn costs(done: &Done) -> BTreeMap<(String, String, String), Exact> {
    let rows = done.group_rows().into_iter().map(|(key, costs)| (key, costs.pro_forma_cost));
    rows.filter(|(_, cost)| !cost.is_zero()).collect()
}

/// A column of printed rows of a kind, where it is not 0.
fn column(rows: &Value, kind: &str, name: &str) -> BTreeMap<(String, String, String), Exact> {
    let rows = list(rows).iter().filter(|row| row["kind"] == kind);
    let keyed = rows.map(|row| {
        let part = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        ((part("billing_group"), part("product"), part("currency")), number_or_zero(&row[name]))
    });
    keyed.filter(|(_, amount)| !amount.is_zero()).collect()
}

/// Sums over products.
fn by_group(costs: &BTreeMap<(String, String, String), Exact>) -> BTreeMap<(String, String, String), Exact> {
    let mut sums: BTreeMap<(String, String, String), Exact> = BTreeMap::new();
    for ((group, _, currency), cost) in costs {
        *sums.entry((group.clone(), String::new(), currency.clone())).or_default() += cost;
    }
    sums.retain(|_, sum| !sum.is_zero());
    sums
}

fn warnings_of_pricing(done: &Done) -> BTreeSet<&str> {
    let of_reading = ["has no column", "may be counted twice", "is not an account id"];
    let warnings = done.stderr.lines().filter(|line| line.starts_with("warning: "));
    warnings.filter(|line| !of_reading.iter().any(|words| line.contains(words))).collect()
}

#[test]
fn a_preview_is_a_run_under_the_draft() {
    for seed in seeds(5) {
        let case = Case::of(seed);
        let draft = other_book(&case);
        let (base, real) = (case.run(), case.run_under(&draft));
        let folder = base.out.parent().expect("a folder");
        let draft_path = folder.join("draft.toml");
        fs::write(&draft_path, draft.to_toml()).expect("a draft");
        // What pricing needs is in the run.
        fs::remove_dir_all(folder.join("cost")).expect("the cost files go");
        let arguments = ["preview", "--run", base.folder(), "--book", draft_path.to_str().expect("UTF-8")];
        let preview = proforma(&[&arguments[..], &["--output", "json"]].concat());
        let rows = preview.printed();
        assert_eq!(column(&rows, "group", "before"), by_group(&costs(&base)));
        assert_eq!(column(&rows, "group", "after"), by_group(&costs(&real)));
        assert_eq!(warnings_of_pricing(&preview), warnings_of_pricing(&real));
        let by_product =
            proforma(&[&arguments[..], &["--output", "json", "--by-product"]].concat()).printed();
        assert_eq!(column(&by_product, "product", "before"), costs(&base));
        assert_eq!(column(&by_product, "product", "after"), costs(&real));
        assert_eq!(column(&by_product, "total", "difference"), column(&rows, "total", "difference"));
        for row in list(&rows) {
            let difference = number_or_zero(&row["after"]) - &number_or_zero(&row["before"]);
            assert_eq!(number_or_zero(&row["difference"]), difference, "{row}");
        }
    }
}

/// The same month a little later: some lines are gone, some cost more, some are used more, some are new.
fn later(case: &Case) -> Vec<Line> {
    let mut random = Random::new(case.seed ^ 0x1A7E);
    let mut lines = Vec::new();
    for line in &case.month.lines {
        let mut line = line.clone();
        match random.index(10) {
            0 => continue,
            1 => line.line_item_usage_amount = line.line_item_usage_amount.map(|usage| usage + usage),
            2 => {
                line.line_item_unblended_cost = line.line_item_unblended_cost.map(|cost| cost + cost);
                line.pricing_public_on_demand_cost =
                    line.pricing_public_on_demand_cost.map(|cost| cost + cost);
            }
            3 => line.line_item_operation = Some("Later".to_owned()),
            4 => line.bill_invoice_id = Some("777".to_owned()),
            _ => {}
        }
        lines.push(line);
    }
    lines
}

#[test]
fn the_parts_of_a_difference_sum_to_it() {
    for seed in seeds(4) {
        let case = Case::of(seed);
        let draft = other_book(&case);
        let later = later(&case);
        let base = case.run();
        let others =
            [case.run_under(&draft), case.run_of(&later), run(&draft, &later, &case.options), case.run()];
        for (other, differ) in others.iter().zip([
            "only the book differs",
            "only the cost files differ",
            "the cost files and the book differ",
            "the cost files and the book are the same",
        ]) {
            let comparison = proforma(&["diff", base.folder(), other.folder(), "--output", "json"]).printed();
            assert!(text(&comparison["differ"]).starts_with(differ), "{}", comparison["differ"]);
            let mut unseen = changes(&base, other);
            for row in list(&comparison["rows"]) {
                let parts: Exact = list(&row["parts"])
                    .iter()
                    .map(|part| exact(&part["amount"]))
                    .collect::<Vec<_>>()
                    .iter()
                    .sum();
                assert_eq!(parts, exact(&row["difference"]), "{row:#}");
                let key = ["billing_group", "product", "currency"].map(|name| text(&row[name]).to_owned());
                let reported = unseen.remove(&key.into()).unwrap_or_default();
                assert_eq!(reported, exact(&row["difference"]), "{row:#}");
            }
            assert!(unseen.is_empty(), "not in the difference: {unseen:?}");
        }
    }
}

/// What changed between two cost reports.
fn changes(base: &Done, other: &Done) -> BTreeMap<(String, String, String), Exact> {
    let (before, mut changes) = (costs(base), costs(other));
    for (key, cost) in before {
        let change = changes.entry(key).or_default();
        *change = change.clone() - &cost;
    }
    changes.retain(|_, change| !change.is_zero());
    changes
}

#[test]
fn every_row_of_the_cost_report_is_explained() {
    for seed in seeds(2) {
        let case = Case::of(seed);
        let done = case.run();
        for ((group, product, currency), reported) in done.group_rows() {
            let arguments = [
                "explain",
                "--run",
                done.folder(),
                "--group",
                &group,
                "--product",
                &product,
                "--output",
                "json",
            ];
            let explanations = proforma(&arguments).printed();
            let explanation = list(&explanations).iter().find(|one| one["currency"] == currency.as_str());
            let explanation = explanation.unwrap_or_else(|| panic!("{group}, {product}: not in {currency}"));
            let mut sum = exact(&explanation["shown_at_ten_decimals"]);
            for class in list(&explanation["classes"]) {
                check_arithmetic(class);
                sum += &exact(&class["amount"]);
            }
            for item in list(&explanation["custom_line_items"]) {
                sum += &exact(&item["amount"]);
            }
            assert_eq!(sum, reported.pro_forma_cost, "{group}, {product}, {currency}");
            assert_eq!(sum, exact(&explanation["amount"]));
        }
    }
}

/// A base times its factor is the amount; what has tiers is a share of its pool.
fn check_arithmetic(class: &Value) {
    let amount = exact(&class["amount"]);
    if class["base"].is_null() {
        assert!(amount.is_zero(), "{class:#}");
    } else if class["tier_pool"].is_null() {
        let base = exact(&class["base"]["amount"]);
        let factor = class["factor"].as_str().map_or_else(|| Exact::of("1"), Exact::of);
        assert_eq!(base.times(&factor), amount, "{class:#}");
    } else if class["tier_pool"]["source"] == "rule" {
        assert!(text(&class["rule"]["modifier"]).starts_with("tiers "), "{class:#}");
    } else {
        let (usage, pool) = (exact(&class["base"]["amount"]), &class["tier_pool"]);
        let factor = class["factor"].as_str().map_or_else(|| Exact::of("1"), Exact::of);
        let share = exact(&pool["amount"]).times(&usage).times(&factor);
        let rounded = amount.times(&exact(&pool["usage_amount"]));
        let apart = (share.clone() - &rounded).max(rounded - &share);
        assert!(
            apart <= exact(&pool["usage_amount"]).times(&Exact::of("0.00000000000000000002")),
            "{class:#}"
        );
    }
}

#[test]
fn the_rows_of_a_class_sum_to_it() {
    for seed in seeds(1) {
        let case = Case::of_plain_amounts(seed);
        let done = case.run();
        let cost = done.out.parent().expect("a folder").join("cost");
        let mut of_class: BTreeMap<String, (u64, Exact, Value)> = BTreeMap::new();
        // Every row of some lines of one account.
        let accounts: Vec<_> =
            case.book.billing_groups.iter().map(|group| &group.primary_account_id).take(1).collect();
        let lines =
            case.month.lines.iter().filter(|line| {
                accounts.contains(&line.line_item_usage_account_id.as_ref().expect("an account"))
            });
        let ids: BTreeSet<&str> =
            lines.filter_map(|line| line.identity_line_item_id.as_deref()).take(40).collect();
        for id in ids {
            let arguments = ["explain", "--run", done.folder(), "--line", id, "--output", "json"];
            let rows =
                proforma(&[&arguments[..], &["--cost", cost.to_str().expect("UTF-8")]].concat()).printed();
            assert!(!list(&rows).is_empty(), "{id}");
            for row in list(&rows).iter().filter(|row| row["unsummed"].is_null()) {
                let arithmetic = &row["arithmetic"];
                let of_class = of_class.entry(text(&arithmetic["class_id"]).to_owned()).or_default();
                of_class.0 += 1;
                of_class.1 += &exact(&arithmetic["amount"]);
                of_class.2 = row.clone();
            }
        }
        let mut whole = 0;
        for (id, (lines, amount, row)) in of_class {
            let Some(group) = row["billing_group"].as_str() else { continue };
            let product = text(&row["arithmetic"]["product"]);
            let arguments = ["explain", "--run", done.folder(), "--group", group, "--product", product];
            let explanations = proforma(&[&arguments[..], &["--output", "json"]].concat()).printed();
            let classes = list(&explanations).iter().flat_map(|one| list(&one["classes"]));
            let class =
                classes.into_iter().find(|class| class["class_id"] == id.as_str()).expect("the class");
            if class["lines"] == lines && class["tier_pool"].is_null() {
                assert_eq!(exact(&class["amount"]), amount, "{class:#}");
                whole += 1;
            }
        }
        assert!(whole > 5, "only {whole} classes came whole");
    }
}
