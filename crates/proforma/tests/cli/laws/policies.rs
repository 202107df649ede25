//! With every policy switched on at once nothing is lost either: parts sum to their sources, bills to what they are made of, files to bills.

use super::exports::layout;
use super::{Case, PERIOD, seeds};
use crate::exported::{rows_of, totals};
use crate::reports::{list, number, text};
use crate::support::{Done, Run, proforma};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use testkit::line::PAYER;
use testkit::oracle::Exact;
use testkit::random::Random;
use testkit::write_month;

/// Every policy that a book can have, over its groups and an account in none; the tables in an order of the case's own.
fn policies(case: &Case) -> String {
    let mut random = Random::new(case.seed ^ 0x90_11C1);
    let groups: Vec<&str> = case.book.billing_groups.iter().map(|group| group.name.as_str()).collect();
    let grouped = |account: &str| account == PAYER || case.book.group_of(account).is_some();
    let shared: Vec<&String> =
        case.month.accounts.iter().map(|account| &account.id).filter(|account| !grouped(account)).collect();
    let keeping = *random.pick(&["keep", "drop"]);
    let itemized = *random.pick(&["CONSOLIDATED", "ITEMIZED"]);
    let by_account = random.percent(50);
    let weigh_by = *random.pick(&["pro_forma", "aws_cost"]);
    let mut tables = vec![
        format!("[[distributions]]\nname = \"credits\"\nlines = [{{ line_item_types = [\"Credit\"] }}]\ntreatment = \"{keeping}\"\n"),
        "[[distributions]]\nname = \"credits of EC2\"\nlines = [{ line_item_types = [\"Credit\"], services = [\"AmazonEC2\"] }]\n\
         treatment = \"allocate\"\nallocation = \"credits of EC2\"\n"
            .to_owned(),
        "[[distributions]]\nname = \"others\"\nlines = [{ line_item_types = [\"Refund\", \"Discount\", \"Tax\"] }]\ntreatment = \"keep\"\n".to_owned(),
        "[[distributions]]\nname = \"support\"\nlines = [{ line_item_types = [\"Support\"] }]\ntreatment = \"allocate\"\nallocation = \"support\"\n".to_owned(),
        "[[allocations]]\nname = \"credits of EC2\"\nmethod = \"even\"\n".to_owned(),
        format!("[[allocations]]\nname = \"support\"\nstep = 2\nmethod = \"proportional_to_cost\"\nweigh_by = \"{weigh_by}\"\nempty_base = \"even\"\n"),
        format!(
            "[[allocations]]\nname = \"payer\"\npayer_usage = true\nmethod = \"even\"\ncomputation_rule = \"{itemized}\"\n\
             targets = {{ billing_groups = [\"{}\"], allocations = [\"support\"], by_account = {by_account} }}\n",
            groups.join("\", \"")
        ),
        "[[allocations]]\nname = \"unused\"\nunused_commitments = true\nmethod = \"proportional_to_cost\"\n".to_owned(),
        "[[support_fees]]\nname = \"own support\"\ntiers = [{ up_to = 100, percentage = \"9.9999\" }, { percentage = 3 }]\nminimum = 29\n".to_owned(),
        format!(
            "[[payer_commitments]]\nname = \"EDP\"\namount = 1000000\nshortfall = \"shared\"\nshares = [{{ billing_group = \"{}\", percentage = \"33.3333\" }}]\n",
            groups[0]
        ),
        format!("[[minimums]]\nname = \"least\"\nbilling_group = \"{}\"\npercentage = \"150.5\"\namount = 10\n", groups[0]),
    ];
    if let Some(account) = shared.first() {
        let share = |name: &str, percentage: &str| {
            format!("{{ billing_group = \"{name}\", percentage = \"{percentage}\" }}")
        };
        let shares = [share(groups[0], "12.3456"), "{ payer = true, percentage = \"87.6544\" }".to_owned()];
        tables.push(format!(
            "[[allocations]]\nname = \"shared\"\nsource = [{{ accounts = [\"{account}\"], line_item_types = [\"Usage\", \"Fee\"] }}]\ncost = \"public\"\nmethod = \"fixed\"\nshares = [{}]\n",
            shares.join(", ")
        ));
    }
    random.shuffle(&mut tables);
    tables.join("\n")
}

fn run(case: &Case, policies: &str, more: &[&str]) -> Done {
    let book = format!("{}\n{policies}", case.book.to_toml());
    let run = Run::new(PERIOD, &book, |cost| drop(write_month(cost, &case.month.lines, &case.options)));
    run.with(&["--output", "json"]).with(more).go().succeeded()
}

/// What the charges of a name come to over all statements, by currency; of an allocation, whatever its charges are about.
fn charged(done: &Done, case: &Case, name: &str) -> BTreeMap<String, Exact> {
    let mut sums: BTreeMap<String, Exact> = BTreeMap::new();
    for group in &case.book.billing_groups {
        let file = done.json(&format!("statements/{}.json", group.name));
        for statement in list(&file["statements"]) {
            let of_name = |item: &&Value| {
                text(&item["name"]) == name || text(&item["name"]).starts_with(&format!("{name}, "))
            };
            for item in list(&statement["custom_line_items"]).iter().filter(of_name) {
                *sums.entry(text(&statement["currency"]).to_owned()).or_default() += &number(&item["amount"]);
            }
        }
    }
    sums.retain(|_, sum| !sum.is_zero());
    sums
}

#[test]
fn parts_sum_to_sources_and_files_to_bills() {
    let mut dealt_out = 0;
    for seed in seeds(10) {
        let case = Case::of(seed);
        let export: &[&str] = &["--export", layout(case.options.form)];
        let done = run(&case, &policies(&case), export);
        for (currency, account) in
            done.json("reconciliation.json")["currencies"].as_object().expect("currencies")
        {
            assert_eq!(account["difference"], "0", "{currency}");
        }
        let file = done.json("policies.json");
        let mut parts: BTreeMap<&str, BTreeMap<String, Exact>> = BTreeMap::new();
        for allocation in list(&file["allocations"]) {
            let mut sum = number(&allocation["kept_by_payer"]);
            for part in list(&allocation["parts"]) {
                sum += &number(&part["amount"]);
                let target = text(&part["target"]);
                if target.starts_with("billing group") || target.starts_with("account") {
                    let of = parts.entry(text(&allocation["allocation"])).or_default();
                    *of.entry(text(&allocation["currency"]).to_owned()).or_default() +=
                        &number(&part["amount"]);
                }
                dealt_out += usize::from(!number(&part["amount"]).is_zero());
            }
            assert_eq!(sum, number(&allocation["source"]), "{allocation}");
        }
        for (name, mut expected) in parts {
            expected.retain(|_, sum| !sum.is_zero());
            assert_eq!(charged(&done, &case, name), expected, "{name}");
        }
        for group in &case.book.billing_groups {
            let mut statement = done.statement_totals(&group.name);
            statement.retain(|_, total| !total.is_zero());
            let mut of_file = totals(&rows_of(&done.exports(), &group.name));
            of_file.retain(|_, total| !total.is_zero());
            assert_eq!(of_file, statement, "{}", group.name);
        }
        // The group with a minimum pays no less.
        let least = &list(&file["minimums"])[0];
        let total = done
            .statement_totals(&case.book.billing_groups[0].name)
            .remove(&case.book.currency)
            .unwrap_or_default();
        let short = total + &-Exact::of(text(&least["at_least"]));
        assert!(!short.is_negative() || short.rounded(9).is_zero(), "{least}");
    }
    assert!(dealt_out > 50, "{dealt_out} parts");
}

#[test]
fn the_order_of_policies_and_lines_changes_nothing() {
    for seed in seeds(4) {
        let mut case = Case::of_plain_amounts(seed);
        let one = run(&case, &policies(&case), &[]);
        let mut tables: Vec<String> =
            policies(&case).split("\n\n").map(|table| format!("{}\n", table.trim())).collect();
        tables.reverse();
        case.month.lines.reverse();
        let other = run(&case, &tables.join("\n"), &[]);
        for name in ["cost-report.json", "policies.json", "margin-guard.json"] {
            assert_eq!(one.json(name), other.json(name), "{name}");
        }
        for group in &case.book.billing_groups {
            let name = format!("statements/{}.json", group.name);
            assert_eq!(one.json(&name), other.json(&name), "{name}");
        }
        let mark = |done: &Done| done.json("reconciliation.json")["book"].clone();
        assert_eq!(mark(&one), mark(&other));
    }
}

#[test]
fn what_is_asked_of_a_run_with_policies_agrees_with_it() {
    for seed in seeds(4) {
        let case = Case::of(seed);
        let text = format!("{}\n{}", case.book.to_toml(), policies(&case));
        let done = run(&case, &policies(&case), &[]);
        let draft = done.out.parent().expect("a folder").join("draft.toml");
        std::fs::write(&draft, &text).expect("a draft");
        let draft = draft.to_str().expect("a path");
        let rows = proforma(&[
            "preview",
            "--run",
            done.folder(),
            "--book",
            draft,
            "--by-product",
            "--output",
            "json",
        ])
        .printed();
        let mut differing = String::new();
        for row in list(&rows).iter().filter(|row| row["difference"] != "0") {
            let _ = writeln!(differing, "{row}");
        }
        assert_eq!(differing, "");
        crate::laws::breakdowns::assert_agrees(&done);
        let other = run(&case, "", &[]);
        let diff = proforma(&["diff", other.folder(), done.folder(), "--output", "json"]);
        assert_eq!(diff.status, 0, "{}", diff.stderr);
        let guard = proforma(&["explain", "--run", done.folder(), "--guard", "--output", "json"]).printed();
        assert_eq!(guard, done.json("margin-guard.json"));
    }
}
