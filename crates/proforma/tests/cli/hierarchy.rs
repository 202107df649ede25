//! Billing groups below others: trees in what is printed and written, by hand; and groups from the units of an organization.

mod organization;

use crate::books::{BOOK, refused};
use crate::reports::{files, list, text};
use crate::support::{Done, Run, book_of_groups, proforma};
use serde_json::{Value, json};
use std::fs;
use testkit::{Form, Line, WriteOptions, write_month};

const PERIOD: &str = "2026-10";
const SOLO: &str = "111111111111";
const WEB: &str = "222222222222";
const ZENITH: &str = "333333333333";
const ACME: &str = "444444444444";

/// `umbrella`, which has no accounts, over `zenith` and `acme`; `acme` over `web`; `solo` by itself. All pay 10 % more, and `umbrella` a fee.
fn book() -> String {
    let groups: [(&str, &[&str]); 5] =
        [("solo", &[SOLO]), ("web", &[WEB]), ("umbrella", &[ACME]), ("zenith", &[ZENITH]), ("acme", &[ACME])];
    let fee = r#"
[[custom_line_items]]
name = "desk"
description = "Service desk"
billing_group = "umbrella"
type = "FEE"
flat_charge_value = 5
start = "2026-10"
"#;
    let umbrella = |accounts: &str| {
        format!("name = \"umbrella\"\nprimary_account_id = \"{ACME}\"\naccounts = [{accounts}]")
    };
    let book = book_of_groups(&groups, fee).replace(&umbrella(&format!("\"{ACME}\"")), &umbrella(""));
    let below = |book: String, name: &str, parent: &str| {
        book.replace(
            &format!("name = \"{name}\"\np"),
            &format!("name = \"{name}\"\nparent = \"{parent}\"\np"),
        )
    };
    let book = below(book, "web", "acme");
    let book = below(book, "zenith", "umbrella");
    below(book, "acme", "umbrella")
}

fn lines() -> Vec<Line> {
    let compute = |account: &str, cost: &str| Line::usage(account, "AmazonEC2", "BoxUsage:m5.large", cost);
    vec![
        Line::usage(SOLO, "AmazonS3", "Requests-Tier1", "50"),
        compute(ACME, "10"),
        compute(WEB, "20"),
        compute(WEB, "30").in_currency("EUR"),
        compute(ZENITH, "40").in_currency("EUR"),
        compute("555555555555", "60"),
    ]
}

fn run(book: &str, more: &[&str]) -> Done {
    let write = |cost: &std::path::Path| {
        drop(write_month(cost, &lines(), &WriteOptions::new(Form::Cur2Parquet, PERIOD)));
    };
    Run::new(PERIOD, book, write).with(more).go().succeeded()
}

/// A draft of the book beside a run, as an argument.
fn draft(done: &Done, book: &str) -> String {
    let path = done.out.with_file_name("draft.toml");
    fs::write(&path, book).expect("a book");
    path.display().to_string()
}

const ROWS: &str = "\
kind,billing_group,parent,aws_cost,pro_forma_cost,margin,margin_percentage,currency
group,solo,,50,55,5,9.0909,USD
group,umbrella,,0,5,5,100,USD
subtree,umbrella,,70,77,7,9.0909,EUR
subtree,umbrella,,30,38,8,21.0526,USD
group,zenith,umbrella,40,44,4,9.0909,EUR
group,acme,umbrella,10,11,1,9.0909,USD
subtree,acme,umbrella,30,33,3,9.0909,EUR
subtree,acme,umbrella,30,33,3,9.0909,USD
group,web,acme,30,33,3,9.0909,EUR
group,web,acme,20,22,2,9.0909,USD
ungrouped,,,60,,,,USD
";

#[test]
fn a_run_prints_and_writes_trees_with_the_totals_of_subtrees() {
    let done = run(&book(), &["--output", "csv"]);
    assert_eq!(done.stdout, ROWS);
    assert_eq!(fs::read_to_string(done.out.join("billing-groups.csv")).expect("a file"), ROWS);
    let printed = run(&book(), &["--output", "json"]).printed();
    assert_eq!(printed, done.json("billing-groups.json"));
    assert_eq!(
        printed[3],
        json!({ "kind": "subtree", "billing_group": "umbrella", "parent": null, "aws_cost": "30", "pro_forma_cost": "38",
                "margin": "8", "margin_percentage": "21.0526", "currency": "USD" })
    );
    let table = run(&book(), &[]).stdout;
    let names: Vec<&str> = (table.lines().filter(|line| line.contains("USD") || line.contains("EUR")))
        .map(|line| line.split("  ").find(|part| !part.trim().is_empty()).map_or("", str::trim))
        .collect();
    assert_eq!(
        names,
        [
            "solo",
            "umbrella",
            "umbrella and below",
            "umbrella and below",
            "zenith",
            "acme",
            "acme and below",
            "acme and below",
            "web",
            "web",
            "(no billing group)"
        ]
    );
    assert!(
        table.contains("\n umbrella ") && table.contains("\n   acme ") && table.contains("\n     web "),
        "{table}"
    );
}

#[test]
fn a_book_without_parents_prints_and_writes_as_ever() {
    let flat: String = book_of_groups(&[("solo", &[SOLO]), ("acme", &[ACME, WEB])], "");
    let done = run(&flat, &["--output", "csv"]);
    assert!(done.stdout.starts_with("billing_group,aws_cost,pro_forma_cost,"), "{}", done.stdout);
    assert!(!done.out.join("billing-groups.csv").exists());
    let statement = done.json("statements/acme.json");
    assert!(statement.get("billing_groups").is_none() && statement.get("subtree_total").is_none());
}

#[test]
fn the_cost_report_stays_by_group_and_product() {
    let done = run(&book(), &[]);
    let rows: Vec<String> = (list(&done.json("cost-report.json")).iter())
        .map(|row| {
            let part = |name: &str| row[name].as_str().unwrap_or("-");
            ["billing_group", "product", "pro_forma_cost", "currency"].map(part).join(" ")
        })
        .collect();
    assert_eq!(
        rows,
        [
            "solo AmazonS3 55 USD",
            "web AmazonEC2 33 EUR",
            "web AmazonEC2 22 USD",
            "umbrella AWSBillingConductor 5 USD",
            "zenith AmazonEC2 44 EUR",
            "acme AmazonEC2 11 USD",
            "- AmazonEC2 - USD",
        ]
    );
}

#[test]
fn a_parents_statement_has_its_subtree_and_a_childs_has_nothing_of_those_above() {
    let done = run(&book(), &[]);
    let umbrella = done.json("statements/umbrella.json");
    assert_eq!(umbrella["statements"][0]["total"], "5");
    assert_eq!(umbrella["statements"][0]["accounts"][0]["account_id"], ACME);
    let below = |name: &str, parent: &str, currency: &str, total: &str| json!({ "billing_group": name, "parent": parent, "currency": currency, "total": total });
    assert_eq!(
        umbrella["billing_groups"],
        json!([
            below("zenith", "umbrella", "EUR", "44"),
            below("acme", "umbrella", "USD", "11"),
            below("web", "acme", "EUR", "33"),
            below("web", "acme", "USD", "22"),
        ])
    );
    assert_eq!(
        umbrella["subtree_total"],
        json!([
            { "currency": "EUR", "own_total": "0", "total": "77" },
            { "currency": "USD", "own_total": "5", "total": "38" },
        ])
    );
    let csv = fs::read_to_string(done.out.join("statements/umbrella.csv")).expect("a statement");
    let rows: Vec<&str> = csv.lines().skip(1).collect();
    assert_eq!(
        rows,
        [
            &*format!(
                "custom line item,{ACME},,AWSBillingConductor,AWS Billing Conductor,Fee,,,,desk,Service desk,,,5,USD"
            ),
            "billing group,,,,,,,,,zenith,,,,44,EUR",
            "billing group,,,,,,,,,acme,,,,11,USD",
            "billing group,,,,,,,,,web,,,,33,EUR",
            "billing group,,,,,,,,,web,,,,22,USD",
            "subtree total,,,,,,,,,umbrella,,,,77,EUR",
            "subtree total,,,,,,,,,umbrella,,,,38,USD",
        ]
    );
    for (name, bytes) in files(&done.out.join("statements")) {
        let text = String::from_utf8(bytes).expect("text");
        let above: &[&str] = match name.split('.').next().expect("a name") {
            "umbrella" => &["solo"],
            "acme" => &["umbrella", "zenith", "solo", "desk"],
            "web" => &["umbrella", "acme", "zenith", "solo", "desk"],
            _ => &["umbrella", "acme", "web", "desk"],
        };
        above.iter().for_each(|other| assert!(!text.contains(other), "{name} tells of {other}:\n{text}"));
    }
    let acme = done.json("statements/acme.json");
    assert_eq!(acme["subtree_total"][1], json!({ "currency": "USD", "own_total": "11", "total": "33" }));
}

/// The values of a report's rows.
fn report(done: &Done, arguments: &[&str]) -> Vec<String> {
    let all = [&["report", "--run", done.folder(), "--output", "csv", "--by"], arguments].concat();
    proforma(&all).succeeded().stdout.lines().skip(1).map(ToOwned::to_owned).collect()
}

#[test]
fn a_report_of_a_parent_is_of_its_subtree() {
    let done = run(&book(), &[]);
    let of_acme = report(&done, &["group", "--group", "acme"]);
    assert_eq!(of_acme, ["web,33,EUR", "web,22,USD", "acme,11,USD"]);
    assert_eq!(report(&done, &["group", "--group", "web", "acme"]), of_acme);
    assert_eq!(report(&done, &["root"]), ["umbrella,77,EUR", "solo,55,USD", "umbrella,38,USD"]);
    assert_eq!(
        report(&done, &["parent,group", "--filter", "root=umbrella", "--metric", "margin"]),
        [
            ",umbrella,5,USD",
            "acme,web,3,EUR",
            "acme,web,2,USD",
            "umbrella,acme,1,USD",
            "umbrella,zenith,4,EUR"
        ]
    );
}

#[test]
fn a_preview_has_the_subtrees_of_parents() {
    let done = run(&book(), &[]);
    let dearer = draft(&done, &book().replace("modifier_percentage = 10", "modifier_percentage = 20"));
    let previewed = proforma(&["preview", "--run", done.folder(), "--book", &dearer, "--output", "csv"]);
    assert_eq!(
        previewed.succeeded().stdout,
        "period,kind,billing_group,product,before,after,difference,difference_percentage,currency,only_in\n\
         2026-10,group,solo,,55,60,5,9.0909,USD,\n\
         2026-10,group,umbrella,,5,5,0,0,USD,\n\
         2026-10,subtree,umbrella,,77,84,7,9.0909,EUR,\n\
         2026-10,subtree,umbrella,,38,41,3,7.8947,USD,\n\
         2026-10,group,zenith,,44,48,4,9.0909,EUR,\n\
         2026-10,group,acme,,11,12,1,9.0909,USD,\n\
         2026-10,subtree,acme,,33,36,3,9.0909,EUR,\n\
         2026-10,subtree,acme,,33,36,3,9.0909,USD,\n\
         2026-10,group,web,,33,36,3,9.0909,EUR,\n\
         2026-10,group,web,,22,24,2,9.0909,USD,\n\
         2026-10,total,,,77,84,7,9.0909,EUR,\n\
         2026-10,total,,,93,101,8,8.6022,USD,\n"
    );
    let table = proforma(&["preview", "--run", done.folder(), "--book", &dearer]).succeeded().stdout;
    assert!(table.contains("   acme and below "), "{table}");
}

#[test]
fn another_parent_changes_no_amount() {
    let done = run(&book(), &[]);
    let moved = book().replace("parent = \"acme\"", "parent = \"zenith\"");
    let path = draft(&done, &moved);
    let rows = proforma(&["preview", "--run", done.folder(), "--book", &path, "--output", "json"]).printed();
    assert!(list(&rows).iter().all(|row| row["difference"] == "0"), "{rows}");
    let subtree = |name: &str, currency: &str| {
        let of = |row: &&Value| {
            row["kind"] == "subtree" && row["billing_group"] == name && row["currency"] == currency
        };
        list(&rows).iter().find(of).map(|row| text(&row["after"]))
    };
    // The tree is that of the draft, on both sides.
    assert_eq!([subtree("zenith", "EUR"), subtree("acme", "USD")], [Some("77"), None]);
    let other = run(&moved, &[]);
    let diff = proforma(&["diff", done.folder(), other.folder(), "--output", "json"]).printed();
    assert_eq!(diff["rows"], json!([]));
    assert_eq!(diff["differ"], "only the book differs, the cost files are the same");
    assert_eq!(done.json("cost-report.json"), other.json("cost-report.json"));
}

#[test]
fn a_diff_sums_what_changed_below_parents() {
    let done = run(&book(), &[]);
    let other = run(&book().replace("modifier_percentage = 10", "modifier_percentage = 20"), &[]);
    let diff =
        |output: &str| proforma(&["diff", done.folder(), other.folder(), "--output", output]).succeeded();
    let csv = diff("csv").stdout;
    let sums: Vec<&str> = csv.lines().filter(|line| !line.starts_with("part,")).skip(1).collect();
    assert_eq!(
        sums,
        [
            "subtree,umbrella,,EUR,77,84,7,,7",
            "subtree,umbrella,,USD,33,36,3,,3",
            "subtree,acme,,EUR,33,36,3,,3",
            "subtree,acme,,USD,33,36,3,,3",
            "total,,,EUR,77,84,7,,7",
            "total,,,USD,88,96,8,,8",
        ]
    );
    assert_eq!(
        diff("json").printed()["subtrees"][1],
        json!({ "billing_group": "umbrella", "currency": "USD", "before": "33", "after": "36", "difference": "3" })
    );
    assert!(diff("table").stdout.contains("(umbrella and below)"));
}

#[test]
fn an_export_of_a_parent_has_the_files_of_those_below() {
    let lines: Vec<Line> =
        lines().into_iter().filter(|line| line.line_item_currency_code.as_deref() != Some("EUR")).collect();
    let run = Run::new(PERIOD, &book(), |cost| {
        drop(write_month(cost, &lines, &WriteOptions::new(Form::Cur2Csv, PERIOD)));
    });
    let done = run.go().succeeded();
    let out = done.out.with_file_name("exported").display().to_string();
    proforma(&["export", "--run", done.folder(), "--group", "acme", "--out", &out]).succeeded();
    let groups = |folder: &std::path::Path| -> Vec<String> {
        let names = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(groups(out.as_ref()), ["acme", "export.json", "web"]);
    proforma(&["export", "--run", done.folder()]).succeeded();
    let all = done.out.join("pro-forma");
    assert_eq!(groups(&all), ["acme", "export.json", "solo", "umbrella", "web", "zenith"]);
    // Each file is the group's own: the parent's has its item, and no line of those below.
    let mark: Value =
        serde_json::from_slice(&fs::read(all.join("export.json")).expect("a file")).expect("JSON");
    let rows: Vec<(&str, u64, u64)> = (list(&mark["files"]).iter())
        .map(|file| {
            (
                text(&file["billing_group"]),
                file["rows"].as_u64().unwrap_or(9),
                file["added_rows"].as_u64().unwrap_or(9),
            )
        })
        .collect();
    assert!(rows.contains(&("umbrella", 1, 1)), "{rows:?}");
}

#[test]
fn an_explanation_is_of_the_groups_own_charges() {
    let done = run(&book(), &[]);
    let explain = |group: &str, product: &str| {
        proforma(&["explain", "--run", done.folder(), "--group", group, "--product", product])
    };
    let own = explain("umbrella", "AWSBillingConductor").succeeded().stdout;
    assert!(own.contains("custom line item `desk`"), "{own}");
    explain("umbrella", "AmazonEC2").says_no(&[
        "billing group `umbrella` has nothing of product `AmazonEC2`",
        "hint: below it, `zenith`, `acme`, `web` have it: name one with --group",
    ]);
    explain("acme", "AmazonS3").says_no(&["hint: its products are `AmazonEC2`"]);
    let without_fee = book().replace("start = \"2026-10\"", "start = \"2026-11\"");
    let done = run(&without_fee, &[]);
    proforma(&["explain", "--run", done.folder(), "--group", "umbrella", "--product", "AmazonS3"])
        .says_no(&["hint: it has no charges of its own; below it are `zenith`, `acme`, `web`"]);
}

#[test]
fn mistakes_have_their_places() {
    let beta = "name = \"beta\"\n";
    let with = |parents: &[(&str, &str)]| {
        let add = |book: String, (name, parent): &(&str, &str)| {
            book.replace(
                &format!("[[billing_groups]]\nname = \"{name}\"\n"),
                &format!("[[billing_groups]]\nname = \"{name}\"\nparent = \"{parent}\"\n"),
            )
        };
        refused(&parents.iter().fold(BOOK.to_owned(), add))
    };
    assert!(BOOK.contains(beta));
    assert_eq!(
        with(&[("beta", "acm")]),
        "error: book.toml:37:10: billing_groups `beta`: `parent`: there is no billing group `acm`; did you mean `acme`?\nnothing was written\n"
    );
    assert_eq!(
        with(&[("beta", "beta")]),
        "error: book.toml:37:10: billing_groups `beta`: `parent`: `beta` cannot be its own parent; name the group above it, or remove `parent`\n\
         nothing was written\n"
    );
    let circle = "parents go round in a circle, `acme` (entry 1 of `billing_groups`), whose parent is `beta` (entry 2 of `billing_groups`), \
                  whose parent is `acme` (entry 1 of `billing_groups`); remove one `parent` of these";
    assert_eq!(
        with(&[("acme", "beta"), ("beta", "acme")]),
        format!(
            "error: book.toml:31:10: billing_groups `acme`: `parent`: {circle}\n\
             error: book.toml:38:10: billing_groups `beta`: `parent`: {circle}\nnothing was written\n"
        )
    );
}
