//! `proforma groups`: the units of an organization as billing groups.

use crate::reports::text;
use crate::support::{Done, Run, proforma};
use std::fs;
use testkit::{Form, Line, WriteOptions, write_month};

const CSV: &str = "\
account_id,account_name,organizational_unit,status,joined
999999999999,management,Root,ACTIVE,2020
444444444444,team-a,Root/Prod/Team A,ACTIVE,2021
333333333333,\"old \"\"web\"\"\",Root/Prod,SUSPENDED,2021
555555555555,,Root/Prod,,2021
222222222222,dev-shared,Root/Dev/Shared,ACTIVE,2021
111111111111,prod-shared,Root/Prod/Shared,ACTIVE,2021
";

const EXPECTED: &str = r#"
[[accounts]]
id = "111111111111"
name = "prod-shared"

[[accounts]]
id = "222222222222"
name = "dev-shared"

[[accounts]]
id = "333333333333"
name = "old \"web\""

[[accounts]]
id = "444444444444"
name = "team-a"

# Root/Dev
[[billing_groups]]
name = "Dev"
primary_account_id = "222222222222"
accounts = []
pricing_plan = "gold"

# Root/Dev/Shared
[[billing_groups]]
name = "Root/Dev/Shared"
parent = "Dev"
primary_account_id = "222222222222"
accounts = [
  "222222222222", # dev-shared
]
pricing_plan = "gold"

# Root/Prod
[[billing_groups]]
name = "Prod"
primary_account_id = "555555555555"
accounts = [
  "333333333333", # old \"web\", suspended
  "555555555555",
]
pricing_plan = "gold"

# Root/Prod/Shared
[[billing_groups]]
name = "Root/Prod/Shared"
parent = "Prod"
primary_account_id = "111111111111"
accounts = [
  "111111111111", # prod-shared
]
pricing_plan = "gold"

# Root/Prod/Team A
[[billing_groups]]
name = "Team A"
parent = "Prod"
primary_account_id = "444444444444"
accounts = [
  "444444444444", # team-a
]
pricing_plan = "gold"
"#;

/// The groups of a file of this name and content.
fn groups(name: &str, content: &str, more: &[&str]) -> Done {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    fs::write(&path, content).expect("a file");
    let path = path.display().to_string();
    let mut done = proforma(&[&["groups", "--organization", &path], more].concat());
    for printed in [&mut done.stdout, &mut done.stderr] {
        *printed = printed.replace(&path, name);
    }
    done
}

const PAYER: [&str; 2] = ["--payer", "999999999999"];

#[test]
fn units_become_groups_below_those_of_the_units_above() {
    let done = groups("accounts.csv", CSV, &[&PAYER[..], &["--pricing-plan", "gold"]].concat()).succeeded();
    let head = "# 5 billing groups of 5 accounts, from the organization in accounts.csv.\n\
                # The payer account 999999999999 management is in none of them.\n";
    assert_eq!(done.stdout, format!("{head}{EXPECTED}"));
    assert_eq!(done.stderr, "");
}

#[test]
fn the_groups_are_a_part_of_a_book() {
    let done = groups("accounts.csv", CSV, &PAYER).succeeded();
    let book = format!("payer_account_id = \"999999999999\"\n{}", done.stdout);
    let lines = [("111111111111", "1"), ("222222222222", "2"), ("333333333333", "4"), ("444444444444", "8")];
    let lines = lines.map(|(account, cost)| Line::usage(account, "AmazonEC2", "BoxUsage:m5.large", cost));
    let run = Run::new("2026-10", &book, |cost| {
        drop(write_month(cost, &lines, &WriteOptions::new(Form::Cur2Csv, "2026-10")));
    });
    let done = run.with(&["--output", "csv"]).go().succeeded();
    let subtrees: Vec<&str> = done.stdout.lines().filter(|line| line.starts_with("subtree,")).collect();
    assert_eq!(subtrees, ["subtree,Dev,,2,2,0,0,USD", "subtree,Prod,,13,13,0,0,USD"]);
    assert_eq!(text(&done.json("statements/Team%20A.json")["billing_group"]), "Team A");
}

#[test]
fn json_says_the_same() {
    let rows: Vec<serde_json::Value> = csv::Reader::from_reader(CSV.as_bytes())
        .records()
        .map(|record| {
            let record = record.expect("a record");
            let name = Some(&record[1]).filter(|name| !name.is_empty());
            serde_json::json!({ "account_id": &record[0], "account_name": name, "organizational_unit": &record[2], "status": &record[3] })
        })
        .collect();
    let json = serde_json::to_string_pretty(&rows).expect("JSON");
    let all = |done: Done| done.succeeded().stdout.lines().skip(1).map(ToOwned::to_owned).collect::<Vec<_>>();
    assert_eq!(all(groups("a.json", &json, &PAYER)), all(groups("a.csv", CSV, &PAYER)));
}

#[test]
fn a_unit_may_be_the_root() {
    let done = groups("accounts.csv", CSV, &["--root", "Root/Prod/Team A"]).succeeded();
    assert!(done.stdout.contains("name = \"Team A\"\nprimary_account_id"), "{}", done.stdout);
    assert!(
        done.stdout.starts_with("# 1 billing groups") && done.stderr.contains("note: no --payer is given")
    );
    let prod = groups("accounts.csv", CSV, &["--root", "Root/Prod", "--payer", "777777777777"]).succeeded();
    assert!(prod.stdout.contains("name = \"Shared\"\nparent = \"Prod\""), "{}", prod.stdout);
    assert!(
        prod.stderr.contains("note: the payer account `777777777777` is not in the file"),
        "{}",
        prod.stderr
    );
    // Without a payer, the root has an account of its own.
    let root = groups("accounts.csv", CSV, &[]).succeeded();
    assert!(
        root.stdout.contains("name = \"Root\"\nprimary_account_id = \"999999999999\""),
        "{}",
        root.stdout
    );
    assert!(root.stdout.contains("name = \"Dev\"\nparent = \"Root\""), "{}", root.stdout);
    groups("accounts.csv", CSV, &["--root", "Root/Pord"]).says_no(&[
        "error: --root: no account is in or below `Root/Pord`\n",
        "hint: accounts are in Root, Root/Dev/Shared, Root/Prod, Root/Prod/Shared, Root/Prod/Team A\n",
    ]);
    let only_payer = CSV.lines().take(2).collect::<Vec<_>>().join("\n");
    groups("accounts.csv", &only_payer, &PAYER).says_no(&["no account but the payer is in or below `Root`"]);
}

#[test]
fn mistakes_name_file_line_value_and_way_out() {
    let csv = "account_id,account_name,organizational_unit,status\n\
               999999999999,m,Root,ACTIVE\n\
               1111111111,a,Root/A,ACTIVE\n\
               222222222222,b,Root//B,\n\
               333333333333,c,Other/C,\n\
               444444444444,d,Root/D,GONE\n\
               999999999999,e,Root/E,\n";
    let done = groups("a.csv", csv, &[]).says_no(&[]);
    assert_eq!(
        done.stderr,
        "error: a.csv:3:1: `account_id`: `1111111111` is not an account id of twelve digits; spreadsheets drop zeros in front, so keep the column as text\n\
         error: a.csv:4:3: `organizational_unit`: `Root//B` has a part that is empty or has control characters; write it as Root/Prod/Team A\n\
         error: a.csv:5:3: `organizational_unit`: `Other/C` does not begin at `Root`, as the first account's does; write every path from the organization's root on\n\
         error: a.csv:6:4: `status`: `GONE` is none of ACTIVE, SUSPENDED, PENDING_CLOSURE, PENDING_ACTIVATION, CLOSED; or leave it empty\n\
         error: a.csv:7:1: account `999999999999` is listed twice, in line 2 first; an account is in one unit\n\
         nothing was written\n"
    );
    groups("a.csv", "account_id,name\n1,2\n", &[]).says_no(&[
        "a.csv:1:1: there is no column `account_name`; the header has `account_id`, `name`",
        "a.csv:1:1: there is no column `organizational_unit`",
    ]);
    let empty_line = CSV.replace("333333333333", "\n33");
    groups("a.csv", &empty_line, &[]).says_no(&["a.csv:5:1: `account_id`: `33`"]);
    groups("a.csv", "", &[]).says_no(&["a.csv:1:1: there is no column `account_id`"]);
    groups("a.csv", CSV.lines().next().unwrap_or(""), &[]).says_no(&["a.csv:1:1: no account is in it"]);
    groups("a.json", "[\n  {\"account_id\": 111111111111}\n]", &[])
        .says_no(&["a.json:2:18: `account_id` is a number, expected text in quotes\n"]);
    groups("a.json", "{}", &[])
        .says_no(&["a.json:1:1: is a table, expected a list of objects, one per account"]);
    groups("a.json", "[\n1]", &[]).says_no(&["a.json:2:1: is a number, expected an object"]);
    groups("a.json", "[", &[]).says_no(&["a.json:1:1: not valid JSON"]);
    proforma(&["groups", "--organization", "/nowhere.csv"]).says_no(&["`/nowhere.csv` cannot be read"]);
    groups("a.csv", CSV, &["--payer", "12"]).says_no(&["--payer: `account_id`: `12` is not an account id"]);
}
