//! What a level tells the next one, and what it does not.

use super::*;
use crate::coverage;
use crate::reports::files;
use crate::tiers::{FIRST, NEXT, storage};
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::path::Path;

/// Everything that the files of a folder say, Parquet by its values.
fn said(folder: &Path) -> String {
    let mut said = String::new();
    for (name, bytes) in files(folder) {
        if name.ends_with(".parquet") {
            let reader = SerializedFileReader::new(fs::File::open(folder.join(&name)).expect("a file"))
                .expect("a Parquet file");
            let entries = reader.metadata().file_metadata().key_value_metadata();
            said += &format!("{entries:?}");
            reader.get_row_iter(None).expect("rows").for_each(|row| said += &row.expect("a row").to_string());
        } else {
            said += &String::from_utf8(bytes).expect("text");
        }
        said += "\n";
    }
    said
}

#[test]
fn nothing_of_the_level_above_leaks() {
    let secret = |line: Line| Line { bill_invoice_id: Some("EUINVOICE77".to_owned()), ..line };
    let lines: Vec<Line> = [
        usage(CUSTOMER, "100").netting("91.2345678"),
        Line::covered_usage(CUSTOMER, PAYER, "AmazonECS", "Fargate", "12"),
        Line::negation(CUSTOMER, PAYER, "AmazonECS", "Fargate", "12"),
        Line::discounted_usage(CUSTOMER, STRANGER, "AmazonRDS", "InstanceUsage:db.m5", "4"),
        Line::usage(STRANGER, "AmazonStrange", "StrangeUsage", "777.123"),
        Line::charge("SavingsPlanRecurringFee", PAYER, "ComputeSavingsPlans", "6.6").of_savings_plan(PAYER),
        usage(PAYER, "31.4159"),
    ]
    .map(secret)
    .to_vec();
    let named = format!(
        "\n[[accounts]]\nid = \"{STRANGER}\"\nname = \"Stranger Ltd\"\n{}{}{}{}",
        transfer(STRANGER, PAYER),
        group("strange-group", STRANGER, "secret-plan"),
        group("inner-name", CUSTOMER, "secret-plan"),
        plan("secret-plan", "MARKUP", "3.25"),
    );
    let done = top(&lines, &two_levels(&[named])).go().succeeded();
    // 116 at public prices: what others' commitments cover is On-Demand again.
    assert_is(total(&done, "inner-name"), "119.77");
    let level = Level::good(&done, SELLER, &sellers("BasicPricingPlan", &[]));
    assert_is(charged(&level), "119.77");
    assert_is(total(&level, "end"), "116");
    let said_of = |level: &Level, above: &Done| said(&level.out).replace(above.folder(), "");
    let said = said_of(&level, &done);
    for secret in [
        PAYER,
        STRANGER,
        "Strange",
        "91.2345678",
        "777.123",
        "31.4159",
        "6.6\"",
        "EUINVOICE77",
        "inner-name",
        "strange-group",
        "secret-plan",
    ] {
        assert!(!said.contains(secret), "`{secret}` in {said}");
    }
    assert!(said.contains("119.77") && said.contains(CUSTOMER));
    // Where the bill is passed through, covered usage is as invoiced; who owns the commitment is withheld all the same.
    let passed = [group("inner-name", CUSTOMER, "Passthrough")];
    let done = top(&lines, &two_levels(&passed)).go().succeeded();
    for (plan, amount) in [("Passthrough", "91.2345678"), ("BasicPricingPlan", "116")] {
        let level = Level::good(&done, SELLER, &sellers(plan, &[]));
        assert_is(total(&level, "end"), amount);
        let said = said_of(&level, &done);
        for secret in [PAYER, STRANGER, "EUINVOICE77", "inner-name"] {
            assert!(!said.contains(secret), "`{secret}` in {said}");
        }
    }
}

#[test]
fn coverage_goes_down_as_it_is_on_the_bill_above() {
    // A plan of the customer's covers an hour of the seller's in the real bill, and an hour of its own in its group.
    let mut lines = coverage::plan(CUSTOMER, "0.06", SELLER, 0);
    lines.push(coverage::usage(CUSTOMER, 5, "1"));
    let groups =
        [group("seller", SELLER, "BasicPricingPlan"), group("customer", CUSTOMER, "BasicPricingPlan")];
    let done = top(&lines, &two_levels(&groups)).go().succeeded();
    assert_is(total(&done, "customer"), "44.64");
    assert_is(total(&done, "seller"), "0.096");
    let level = Level::good(&done, SELLER, &sellers("BasicPricingPlan", &[]));
    assert_is(charged(&level), "44.736");
    assert_is(total(&level, "end"), "44.64");
    let covered = ["SavingsPlanCoveredUsage", "1", "0.096"].map(str::to_owned);
    let negated = ["SavingsPlanNegation", "-", "-0.096"].map(str::to_owned);
    assert_eq!(coverage::instances(&level, "end"), [covered, negated]);
    let commitments = level.json("commitments.json");
    assert_eq!(commitments["simulated"], false);
    assert!(text(&commitments["why_not"]).contains("what a level above charges"));
    // By day it sums to the same; the days are those of the level above.
    let report = ["report", "--run", level.folder(), "--by", "day,line-item-type", "--output", "json"];
    let rows = proforma(&report).printed();
    let of_day = list(&rows).iter().filter(|row| row["day"] == "2026-10-01").count();
    assert_eq!(of_day, 3, "the fee, what it covers and its negation: {rows}");
}

#[test]
fn commitments_of_a_bill_that_is_passed_through_are_not_simulated() {
    let mut lines = coverage::plan(CUSTOMER, "0.06", SELLER, 0);
    lines.push(coverage::usage(CUSTOMER, 5, "1"));
    let groups = [group("seller", SELLER, "BasicPricingPlan"), group("customer", CUSTOMER, "Passthrough")];
    let done = top(&lines, &two_levels(&groups)).go().succeeded();
    assert_is(total(&done, "customer"), "44.736");
    assert_is(total(&done, "seller"), "0.096");
    let file = done.json("commitments.json");
    let [commitment] = list(&file["commitments"]) else { panic!("{file}") };
    assert_eq!((&commitment["used"], &commitment["billing_group"]), (&"0".into(), &serde_json::Value::Null));
    assert!(text(&commitment["why_not"]).contains("passes its bill through"), "{commitment}");
}

#[test]
fn tiers_are_those_that_the_level_above_knows() {
    // 51,200 at the first rate are the family's; of the customer's own 61,440 the next level sees both rates, and fills the tiers again.
    let lines = [
        storage(STRANGER, FIRST, "20480", "471.04"),
        storage(CUSTOMER, FIRST, "30720", "706.56"),
        storage(CUSTOMER, NEXT, "30720", "675.84"),
    ];
    for plan in ["BasicPricingPlan", "Passthrough"] {
        let done = top(&lines, &two_levels(&[group("customer", CUSTOMER, plan)])).go().succeeded();
        let level = Level::good(&done, SELLER, &sellers("BasicPricingPlan", &[]));
        // 51,200 × 0.023 + 10,240 × 0.022.
        assert_is(total(&level, "end"), "1402.88");
        assert!(level.out.join("price-list.json").exists());
        let again = Level::good(&done, SELLER, &sellers("BasicPricingPlan", &[]));
        assert_eq!(files(&level.out).get("price-list.json"), files(&again.out).get("price-list.json"));
    }
}

#[test]
fn every_currency_is_charged_on_its_own() {
    let lines = [usage(CUSTOMER, "10"), usage(CUSTOMER, "20").in_currency("EUR")];
    let done = top(&lines, &two_levels(&[group("customer", CUSTOMER, "BasicPricingPlan")])).go().succeeded();
    let level = Level::good(&done, SELLER, &sellers("ten", &[plan("ten", "MARKUP", "10")]));
    assert_is(total(&level, "end"), "11");
    assert_is(number(&level.statement("end", "EUR")["total"]), "22");
}

#[test]
fn a_level_can_be_asked_like_any_run() {
    let lines = [usage(CUSTOMER, "100"), usage(SELLER, "10")];
    let groups = [group("seller", SELLER, "up"), group("customer", CUSTOMER, "up")];
    let done =
        top(&lines, &two_levels(&[&groups[..], &[plan("up", "MARKUP", "5")]].concat())).go().succeeded();
    let level = Level::good(&done, SELLER, &sellers("ten", &[plan("ten", "MARKUP", "10")]));
    let again = Level::good(&done, SELLER, &sellers("ten", &[plan("ten", "MARKUP", "20")]));
    let book = format!("{}/book.toml", again.folder());
    let rows = proforma(&["preview", "--run", level.folder(), "--book", &book, "--output", "json"]).printed();
    let of_end = list(&rows).iter().find(|row| row["billing_group"] == "end").expect("the group");
    assert_eq!((&of_end["before"], &of_end["after"]), (&"110".into(), &"120".into()));
    let rows = proforma(&["diff", level.folder(), again.folder(), "--output", "json"]).succeeded();
    assert!(rows.stdout.contains("changed from +10 % to +20 %"), "{}", rows.stdout);
    let explain = ["explain", "--run", level.folder(), "--group", "end", "--product", "AmazonEC2"];
    let explained = proforma(&[&explain[..], &["--output", "json"]].concat()).printed();
    let class = &list(&explained[0]["classes"])[0];
    assert_eq!((&class["aws_cost"], &class["amount"]), (&"105".into(), &"110".into()));
    let days = ["report", "--run", level.folder(), "--by", "day", "--metric", "aws-cost", "--output", "json"];
    let rows = proforma(&days).printed();
    let sum = list(&rows).iter().fold(Exact::default(), |sum, row| sum + &number(&row["aws_cost"]));
    assert_is(sum, "115.5");
    // Without days above, or where nobody wants them, there are none.
    let Level(_folder, plain) = Level::of(&done, SELLER, &sellers("BasicPricingPlan", &[]), &["--no-daily"]);
    assert!(!plain.succeeded().out.join("cost-cube-daily.parquet").exists());
}

#[test]
fn what_only_lines_tell_is_not_handed_down() {
    let done = top(&[usage(CUSTOMER, "10")], &two_levels(&[group("customer", CUSTOMER, "BasicPricingPlan")]));
    let done = done.go().succeeded();
    let web = |filter: &str| {
        format!(
            "\n[[billing_groups]]\nname = \"web\"\nprimary_account_id = \"{LAST}\"\nlines = [{{ {filter} }}]\n\
             pricing_plan = \"BasicPricingPlan\"\n"
        )
    };
    let level = Level::good(&done, SELLER, &sellers("BasicPricingPlan", &[]));
    for (filter, what) in [
        ("tags = { user_team = [\"web\"] }", "tag `user_team`"),
        ("cost_categories = { Team = [\"web\"] }", "cost category `Team`"),
        ("resources = [\"i-1\"]", "resource `i-1`"),
    ] {
        let book = sellers("BasicPricingPlan", &[web(filter)]);
        let words = [
            &format!(
                "billing group `web` names {what}, by which lines cannot be selected: the month is what a level above charges"
            )[..],
            "which hands no tags, cost categories and resource ids down",
        ];
        Level::refused(&done, SELLER, &book, &[], &words);
        // A draft for the level's own run is told the same, not to run again.
        let draft = level.out.with_file_name("draft.toml");
        fs::write(&draft, &book).expect("a draft");
        proforma(&["preview", "--run", level.folder(), "--book", &draft.display().to_string()])
            .says_no(&words);
    }
}
