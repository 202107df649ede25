//! Groups whose billing transfers follow each other, or are not in force: what hangs below what, and what has files.

use super::*;
use crate::reports::files;

/// A transfer of this name, from a source to a receiver.
fn named(name: &str, source: &str, receiver: &str, when: &str) -> String {
    transfer_of(source, receiver, when).replace(&format!("\"of-{source}\""), &format!("\"{name}\""))
}

/// The group that it makes, of the same name.
fn group_of(name: &str) -> String {
    format!(
        "\n[[billing_groups]]\nname = \"{name}\"\nresponsibility_transfer = \"{name}\"\npricing_plan = \"BasicPricingPlan\"\n"
    )
}

/// The seller's bill is transferred until a month by `old` and from then on by `new`; the customer's goes to the seller.
fn book_until(month: &str) -> String {
    let entries = [
        named(
            "old",
            SELLER,
            PAYER,
            &format!("status = \"ACCEPTED\"\nstart = \"2026-01\"\nend = \"{month}\""),
        ),
        named("new", SELLER, PAYER, &format!("status = \"ACCEPTED\"\nstart = \"{month}\"")),
        named("customer", CUSTOMER, SELLER, "status = \"ACCEPTED\"\nstart = \"2026-01\""),
        ["old", "new", "customer"].map(group_of).concat(),
    ];
    book(PAYER, &entries)
}

#[test]
fn a_customer_hangs_below_the_transfer_that_is_in_force() {
    let lines = [usage(CUSTOMER, "100"), usage(SELLER, "7")];
    let runs = [("2026-11", "old", "new"), ("2026-10", "new", "old")].map(|(month, there, other)| {
        let done = top(&lines, &book_until(month)).with(&["--output", "csv"]).go().succeeded();
        let rows: Vec<String> = done
            .stdout
            .lines()
            .skip(1)
            .map(|row| row.split(',').take(5).collect::<Vec<_>>().join(","))
            .collect();
        let expected = [
            format!("group,{there},,7,7"),
            format!("subtree,{there},,107,107"),
            format!("group,customer,{there},100,100"),
        ];
        assert_eq!(rows, expected, "{month}");
        let statement = done.json(&format!("statements/{there}.json"));
        assert_eq!(statement["billing_groups"][0]["parent"], there);
        assert_eq!(statement["subtree_total"][0]["total"], "107");
        let report = ["report", "--run", done.folder(), "--by", "parent,group", "--output", "csv", "--group"];
        let of_there = proforma(&[&report[..], &[there]].concat()).succeeded().stdout;
        assert_eq!(
            of_there,
            format!(
                "parent,billing_group,pro_forma_cost,currency\n,{there},7,USD\n{there},customer,100,USD\n"
            )
        );
        let of_other = proforma(&[&report[..], &[other]].concat()).succeeded().stdout;
        assert_eq!(of_other.lines().count(), 1, "{of_other}");
        done
    });
    // Side by side the tree is the later's: `new` is above the customer, and `old` by itself.
    let [old, new] = &runs;
    let diff = proforma(&["diff", old.folder(), new.folder(), "--output", "csv"]).succeeded().stdout;
    let sums: Vec<&str> = diff.lines().filter(|line| line.starts_with("subtree,")).collect();
    assert_eq!(sums, ["subtree,new,,USD,0,7,7,,7"], "{diff}");
}

#[test]
fn what_hangs_below_a_group_that_is_gone_hangs_below_what_is_above_it() {
    let gone = "status = \"WITHDRAWN\"\nstart = \"2026-01\"\nend = \"2026-10\"";
    let own = |name: &str, account: &str, more: &str| {
        format!(
            "\n[[billing_groups]]\nname = \"{name}\"\nprimary_account_id = \"{account}\"\naccounts = [\"{account}\"]\n\
             pricing_plan = \"BasicPricingPlan\"\n{more}"
        )
    };
    let entries = [
        named("seller", SELLER, PAYER, gone),
        own("region", CUSTOMER, ""),
        group_of("seller") + "parent = \"region\"\n",
        own("desk", STRANGER, "parent = \"seller\"\n"),
    ];
    let lines = [usage(CUSTOMER, "1"), usage(SELLER, "2"), usage(STRANGER, "4")];
    let done = top(&lines, &book(PAYER, &entries)).go().succeeded();
    let region = done.json("statements/region.json");
    assert_eq!(region["subtree_total"][0]["total"], "5");
    assert_eq!(region["billing_groups"][0]["billing_group"], "desk");
    assert_eq!(region["billing_groups"][0]["parent"], "region");
}

#[test]
fn parents_and_transfers_together_may_not_go_round() {
    let until = "status = \"WITHDRAWN\"\nstart = \"2026-01\"\nend = \"2026-06\"";
    let ever = "status = \"ACCEPTED\"\nstart = \"2026-01\"";
    let entries = |of_seller: &str, of_customer: &str| {
        book(
            PAYER,
            &[
                named("seller", SELLER, PAYER, of_seller),
                named("customer", CUSTOMER, SELLER, of_customer),
                group_of("seller") + "parent = \"customer\"\n",
                group_of("customer"),
            ],
        )
    };
    let lines = [usage(CUSTOMER, "1")];
    top(&lines, &entries(ever, ever)).go().refused(&[
        "billing_groups `seller`: `parent`: parents go round in a circle, `seller` (entry 1 of `billing_groups`), whose parent is \
         `customer` (entry 2 of `billing_groups`)",
    ]);
    // In no month does one bill go through the other.
    top(&lines, &entries(until, "status = \"ACCEPTED\"\nstart = \"2026-06\"")).go().succeeded();
    let written = entries(ever, ever).replace("parent = \"customer\"\n", "") + "parent = \"seller\"\n";
    top(&lines, &written)
        .go()
        .refused(&["billing_groups `customer`: `parent`: follows from the receiver of the billing transfer"]);
}

#[test]
fn groups_whose_transfer_is_not_in_force_have_no_exported_files() {
    let lines = [usage(CUSTOMER, "100"), usage(SELLER, "7")];
    let pending =
        [named("later", LAST, PAYER, "status = \"ACCEPTED\"\nstart = \"2026-11\""), group_of("later")];
    let run = top(&lines, &(book_until("2026-10") + &pending.concat()));
    let done = run.with(&["--export", "cur2"]).go().succeeded();
    let folders = |folder: &std::path::Path| {
        let names = files(folder).into_keys();
        let mut names: Vec<String> =
            names.filter_map(|name| Some(name.split_once('/')?.0.to_owned())).collect();
        names.dedup();
        names
    };
    assert_eq!(folders(&done.out.join("pro-forma")), ["customer", "new"]);
    let out = done.out.with_file_name("exported");
    let export = |group: &str| {
        proforma(&["export", "--run", done.folder(), "--group", group, "--out", &out.display().to_string()])
    };
    for group in ["old", "later"] {
        export(group).says_no(&[
            &format!("billing group `{group}` has nothing to export"),
            &format!("billing transfer `{group}` is not in force in 2026-10"),
        ]);
    }
    export("new").succeeded();
    assert_eq!(folders(&out), ["customer", "new"]);
}

#[test]
fn a_parent_above_transfers_and_lines_has_its_primary_account_there() {
    let parent = |name: &str, account: &str, more: &str| {
        format!(
            "\n[[billing_groups]]\nname = \"{name}\"\nprimary_account_id = \"{account}\"\naccounts = []\n\
             pricing_plan = \"BasicPricingPlan\"\n{more}"
        )
    };
    let entries = [
        transfer(SELLER, PAYER),
        transfer(CUSTOMER, SELLER),
        // The customer is below the seller, who is below the region.
        parent("region", CUSTOMER, ""),
        group("seller", SELLER, "BasicPricingPlan") + "parent = \"region\"\n",
        group("customer", CUSTOMER, "BasicPricingPlan"),
        parent("teams", STRANGER, ""),
        parent("web", STRANGER, "parent = \"teams\"\nlines = [{ tags = { user_team = [\"web\"] } }]\n")
            .replace("accounts = []\n", ""),
        item("desk", "region", "FEE", "3") + &format!("account_id = \"{SELLER}\"\n"),
    ];
    let lines = [
        usage(CUSTOMER, "100"),
        usage(SELLER, "7"),
        Line { resource_tags: [("user_team".to_owned(), "web".to_owned())].into(), ..usage(STRANGER, "5") },
    ];
    let done = top(&lines, &book(PAYER, &entries)).go().succeeded();
    assert_eq!(done.json("statements/region.json")["subtree_total"][0]["total"], "110");
    assert_eq!(done.json("statements/teams.json")["subtree_total"][0]["total"], "5");
    let elsewhere = book(PAYER, &[&entries[..2], &[parent("region", STRANGER, "")], &entries[3..5]].concat());
    top(&lines, &elsewhere).go().refused(&["must be an account of a group below"]);
}
