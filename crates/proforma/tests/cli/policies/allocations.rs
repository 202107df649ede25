//! Shared costs: sources, targets, methods, steps, and parts that sum to the source.

use super::{
    ACME, ACME_TOO, BETA, PERIOD, SHARED, book, credit, descriptions, items, priced, reported, run, total,
    usage, usage_and,
};
use crate::reports::{list, number, text};
use testkit::Line;
use testkit::line::PAYER;
use testkit::oracle::Exact;

fn shared(amount: &str) -> Vec<Line> {
    usage_and([Line::usage(SHARED, "AmazonVPC", "TransitGateway-Hours", amount)])
}

fn network(more: &str) -> String {
    book(&format!(
        "[[allocations]]\nname = \"network\"\nsource = [{{ accounts = [\"{SHARED}\"] }}]\n{more}\n"
    ))
}

/// What acme and beta have of the shared network.
fn parts(lines: &[Line], book: &str) -> [String; 2] {
    let done = priced(lines, book);
    ["acme", "beta"]
        .map(|group| items(&done, group).iter().map(|item| item[4].clone()).collect::<Vec<_>>().join(" "))
}

#[test]
fn methods_divide_by_their_weights() {
    let lines = shared("12");
    assert_eq!(parts(&lines, &network("method = \"even\"")), ["6", "6"]);
    // 77 and 33 on the bills.
    assert_eq!(parts(&lines, &network("method = \"proportional_to_cost\"")), ["8.4", "3.6"]);
    let of_ec2 = "method = \"proportional_to_cost\"\nweigh_by = \"aws_cost\"\nweigh_lines = [{ services = [\"AmazonEC2\"] }]";
    assert_eq!(parts(&lines, &network(of_ec2)), ["8", "4"]);
    let fixed = "method = \"fixed\"\nshares = [{ billing_group = \"acme\", percentage = \"12.5\" }, \
                 { account = \"333333333333\", percentage = 50 }, { payer = true, percentage = \"37.5\" }]";
    assert_eq!(parts(&lines, &network(fixed)), ["1.5", "6"]);
}

#[test]
fn usage_is_weighed_in_one_unit() {
    let by_usage = |filter: &str| {
        network(&format!("method = \"proportional_to_usage\"\nweigh_lines = [{{ {filter} }}]"))
    };
    let of = |account, usage_type: &str, usage: &str, unit: &str| Line {
        line_item_usage_amount: Some(testkit::amount::amount(usage)),
        pricing_unit: Some(unit.to_owned()),
        ..Line::usage(account, "AmazonVPC", usage_type, "0")
    };
    let lines: Vec<Line> = shared("12")
        .into_iter()
        .chain([
            of(ACME, "Attachment", "7", "Hrs"),
            of(BETA, "Attachment", "11", "Hrs"),
            of(BETA, "Bytes", "100", "GB"),
        ])
        .collect();
    let attachments = by_usage("usage_types = [\"Attachment\"]");
    assert_eq!(parts(&lines, &attachments), ["4.6666666667", "7.3333333333"]);
    run(&lines, &by_usage("services = [\"AmazonVPC\"]")).go().refused(&[
        "allocation `network`",
        "`GB`",
        "`Hrs`",
    ]);
}

#[test]
fn parts_sum_to_the_source() {
    // AWS's sample of spreading what Savings Plans have saved: weights of 7 and 11.
    for (source, acme, beta) in [
        ("3.1864834368", "1.2391880032", "1.9472954336"),
        ("2.6912000232", "1.0465777868", "1.6446222364"),
        ("3.3876105936", "1.3174041197", "2.0702064739"),
        ("0.4935272664", "0.1919272703", "0.3015999961"),
    ] {
        let lines = usage_and([credit(PAYER, "ComputeSavingsPlans", &format!("-{source}"), "Savings")]);
        let more = r#"
            [[distributions]]
            name = "savings"
            lines = [{ line_item_types = ["Credit"] }]
            treatment = "allocate"
            allocation = "savings"
            [[allocations]]
            name = "savings"
            method = "weights"
            weights = "telemetry.csv"
            "#;
        let run = run(&lines, &book(more));
        let file = run.folder.path().join("telemetry.csv");
        std::fs::write(
            &file,
            "target,weight,period\nacme,5,2026-10\nacme,2,2026-10\nbeta,11,\nbeta,1000,2026-09\n",
        )
        .expect("a file");
        let done = run.go().succeeded();
        let amounts: Vec<String> =
            ["acme", "beta"].iter().map(|group| items(&done, group)[0][4].clone()).collect();
        assert_eq!(amounts, [format!("-{acme}"), format!("-{beta}")], "{source}");
        assert_eq!(items(&done, "acme")[0][3], "Credit");
        let sum = number(&amounts[0].clone().into()) + &number(&amounts[1].clone().into());
        assert_eq!(sum, Exact::of(&format!("-{source}")));
        // The run keeps the file: it can be priced again without it.
        std::fs::remove_file(file).expect("it is gone");
        let again =
            crate::support::proforma(&["report", "--run", done.folder(), "--by", "group", "--output", "csv"])
                .succeeded();
        assert!(again.stdout.contains("acme"), "{}", again.stdout);
    }
}

#[test]
fn an_allocation_feeds_a_later_one() {
    // Security (30) goes by thirds to acme, beta and the platform, whose own 6 and the 10 of security then go by cost.
    let lines = usage_and([
        Line::usage(SHARED, "AmazonVPC", "TransitGateway-Hours", "6"),
        Line::usage(PAYER, "AmazonGuardDuty", "Events", "30"),
    ]);
    let more = r#"
        [[allocations]]
        name = "platform"
        step = 2
        source = [{ accounts = ["444444444444"] }]
        method = "proportional_to_cost"
        [[allocations]]
        name = "security"
        payer_usage = true
        targets = { billing_groups = ["acme", "beta"], allocations = ["platform"] }
        method = "even"
        "#;
    let done = priced(&lines, &book(more));
    let named =
        |group| items(&done, group).into_iter().map(|[name, .., amount]| (name, amount)).collect::<Vec<_>>();
    let pair = |name: &str, amount: &str| (name.to_owned(), amount.to_owned());
    assert_eq!(named("acme"), [pair("security", "10"), pair("platform", "11.2")]);
    assert_eq!(named("beta"), [pair("security", "10"), pair("platform", "4.8")]);
    assert_eq!(descriptions(&done, "beta")["platform"], "platform: 30 % of 16 USD");
    let policies = done.json("policies.json");
    assert_eq!(policies["allocations"][1]["source"], "16");
    assert_eq!(policies["allocations"][0]["parts"][2]["target"], "allocation `platform`");
}

#[test]
fn a_source_in_a_group_is_on_no_bill_and_stays_its_cost() {
    let of = |targets: &str| {
        book(&format!(
            "[[allocations]]\nname = \"s3\"\nsource = [{{ accounts = [\"{ACME_TOO}\"] }}]\nmethod = \"even\"\ntargets = {{ {targets} }}\n"
        ))
    };
    let done = priced(&usage(), &of("except_billing_groups = [\"acme\"]"));
    assert_eq!([total(&done, "acme"), total(&done, "beta")], ["66", "43"]);
    assert_eq!(reported(&done, Some("acme"), "AmazonS3"), ["10", "0", "-10"]);
    let account = done.json("reconciliation.json");
    assert_eq!(account["currencies"]["USD"]["difference"], "0");
    assert_eq!(account["lines"]["allocated"], 1);
    let mine = priced(&usage(), &of("accounts = [\"222222222222\"]"));
    assert_eq!(items(&mine, "acme")[0], ["s3, 222222222222", ACME_TOO, "AWSBillingConductor", "Fee", "10"]);
}

#[test]
fn itemized_allocations_stand_under_their_products() {
    let lines = usage_and([
        Line::usage(SHARED, "AmazonVPC", "TransitGateway-Hours", "1"),
        Line::usage(SHARED, "AmazonS3", "Requests-Tier1", "0.0000000001"),
    ]);
    let done = priced(&lines, &network("method = \"even\"\ncomputation_rule = \"ITEMIZED\""));
    let acme = items(&done, "acme");
    assert_eq!(acme[0], ["network, AmazonS3", ACME, "AmazonS3", "Proforma_Fee", "0.0000000001"]);
    assert_eq!(acme[1], ["network, AmazonVPC", ACME, "AmazonVPC", "Proforma_Fee", "0.5"]);
    assert_eq!(items(&done, "beta").len(), 1);
}

#[test]
fn accounts_can_stand_for_their_groups() {
    let done =
        priced(&shared("12"), &network("method = \"proportional_to_cost\"\ntargets = { by_account = true }"));
    let acme = items(&done, "acme");
    assert_eq!(acme[0][..2], ["network, 111111111111".to_owned(), ACME.to_owned()]);
    let amounts: Vec<&str> = acme.iter().map(|item| item[4].as_str()).collect();
    assert_eq!(amounts, ["7.2", "1.2"]);
    assert_eq!(items(&done, "beta")[0][4], "3.6");
}

#[test]
fn nothing_to_weigh_by_has_an_outcome() {
    let lines = shared("12");
    let book = |outcome: &str| {
        network(&format!(
            "method = \"proportional_to_cost\"\nweigh_lines = [{{ services = [\"AmazonRDS\"] }}]\n{outcome}"
        ))
    };
    let kept = priced(&lines, &book(""));
    assert!(items(&kept, "acme").is_empty());
    assert!(kept.stderr.contains("1 allocation without a base (12 USD kept)"), "{}", kept.stderr);
    assert_eq!(kept.json("margin-guard.json")["allocations_without_base"][0]["kept_by_payer"], "12");
    assert_eq!(parts(&lines, &book("empty_base = \"even\"")), ["6", "6"]);
    run(&lines, &book("empty_base = \"fail\"")).go().refused(&["allocation `network`", "12 USD"]);
}

#[test]
fn a_weight_below_nothing_counts_as_nothing_and_is_said() {
    let lines = usage_and([
        Line::usage(SHARED, "AmazonVPC", "TransitGateway-Hours", "12"),
        Line::charge("Fee", BETA, "AmazonRegistrar", "-100"),
    ]);
    let done = priced(&lines, &network("method = \"proportional_to_cost\""));
    assert_eq!(items(&done, "acme")[0][4], "12");
    assert!(items(&done, "beta").is_empty());
    assert!(
        done.stderr.contains("allocation `network`: billing group `beta` weighs -77, which counts as 0"),
        "{}",
        done.stderr
    );
}

#[test]
fn unused_commitments_are_a_source() {
    let plan = Line {
        savings_plan_total_commitment_to_date: Some(testkit::amount::amount("12")),
        savings_plan_used_commitment: Some(testkit::amount::amount("10.2")),
        ..Line::charge("SavingsPlanRecurringFee", PAYER, "ComputeSavingsPlans", "12").of_savings_plan(PAYER)
    };
    let more = "[[allocations]]\nname = \"unused\"\nunused_commitments = true\nmethod = \"even\"\n";
    let done = run(&usage_and([plan]), &book(more)).with(&["--no-simulation"]).go().succeeded();
    assert_eq!(items(&done, "acme")[0][4], "0.9");
    assert_eq!(done.json("policies.json")["allocations"][0]["source"], "1.8");
}

/// A shared network of 12 USD and 5 EUR; acme and beta use 1 and 3 EUR.
fn of_two_currencies() -> Vec<Line> {
    let euros = |account: &str, cost: &str| Line {
        line_item_currency_code: Some("EUR".to_owned()),
        pricing_currency: Some("EUR".to_owned()),
        ..Line::usage(account, "AmazonEC2", "BoxUsage:c5.large", cost)
    };
    shared("12").into_iter().chain([euros(SHARED, "5"), euros(ACME, "1"), euros(BETA, "3")]).collect()
}

/// How the groups' items differ under two books: group, currency, difference and cause.
fn differences(before: &str, after: &str) -> Vec<[String; 4]> {
    let lines = of_two_currencies();
    let (before, after) = (priced(&lines, before), priced(&lines, after));
    let comparison = crate::support::proforma(&["diff", before.folder(), after.folder(), "--output", "json"]);
    let row = |row: &serde_json::Value| {
        let parts = list(&row["parts"]);
        assert_eq!(parts.len(), 1, "{row}");
        let [group, currency, difference] =
            ["billing_group", "currency", "difference"].map(|name| text(&row[name]).to_owned());
        [group, currency, difference, text(&parts[0]["cause"]).to_owned()]
    };
    list(&comparison.printed()["rows"]).iter().map(row).collect()
}

#[test]
fn each_currency_of_an_allocation_is_compared_by_itself() {
    let everything = network("method = \"proportional_to_cost\"");
    let source = format!("{{ accounts = [\"{SHARED}\"]");
    // The euros are all of Amazon EC2, the dollars all of Amazon VPC.
    let dollars = everything.replace(&source, &format!("{source}, services = [\"AmazonVPC\"]"));
    let rows = |acme: &str, beta: &str, what: &str| {
        [("acme", acme), ("beta", beta)].map(|(group, amount)| {
            [group, "EUR", amount, &format!("custom line item `network` {what}")].map(ToOwned::to_owned)
        })
    };
    assert_eq!(differences(&dollars, &everything), rows("1.25", "3.75", "added"));
    assert_eq!(differences(&everything, &dollars), rows("-1.25", "-3.75", "removed"));
    // Evenly, acme has 2.5 EUR and 6 USD instead of 1.25 and 8.4.
    let changed = differences(&everything, &network("method = \"even\""));
    let of_dollars = |row: &&[String; 4]| row[1] == "USD";
    let amounts = |rows: Vec<&[String; 4]>| rows.iter().map(|row| row[2].clone()).collect::<Vec<_>>();
    assert_eq!(amounts(changed.iter().filter(of_dollars).collect()), ["-2.4", "2.4"]);
    assert!(changed.iter().all(|row| row[3] == "custom line item `network` changed"), "{changed:?}");
}

#[test]
fn every_currency_is_allocated_by_itself() {
    let lines = of_two_currencies();
    let done = priced(&lines, &network("method = \"proportional_to_cost\""));
    let statement = done.json("statements/acme.json");
    let amounts: Vec<(String, String)> = statement["statements"]
        .as_array()
        .expect("statements")
        .iter()
        .map(|of| (of["currency"].to_string(), of["custom_line_items"][0]["amount"].to_string()))
        .collect();
    assert_eq!(
        amounts,
        [("\"EUR\"".to_owned(), "\"1.25\"".to_owned()), ("\"USD\"".to_owned(), "\"8.4\"".to_owned())]
    );
    assert_eq!(PERIOD, "2026-10");
}
