//! Small FOCUS files: which rules they can serve, several providers, AWS's gaps, what is refused.

use crate::reports::{list, text};
use crate::small_files::{BOOK, PERIOD};
use crate::support::Run;
use std::fs;

/// The columns of a small file and a line of usage that costs 2 at list price and 1.5 billed.
const COLUMNS: [(&str, &str); 24] = [
    ("BillingPeriodStart", "2026-10-01T00:00:00Z"),
    ("BillingAccountId", "999999999999"),
    ("SubAccountId", "111111111111"),
    ("BillingCurrency", "USD"),
    ("ServiceName", "Amazon Elastic Compute Cloud"),
    ("ChargeCategory", "Usage"),
    ("ChargeClass", ""),
    ("ChargeFrequency", "Usage-Based"),
    ("PricingCategory", "Standard"),
    ("PricingQuantity", "1"),
    ("PricingUnit", "Hours"),
    ("BilledCost", "1.5"),
    ("EffectiveCost", "1.5"),
    ("ListCost", "2"),
    ("ListUnitPrice", "2"),
    ("CommitmentDiscountId", ""),
    ("CommitmentDiscountType", ""),
    ("CommitmentDiscountStatus", ""),
    ("ProviderName", "AWS"),
    ("PublisherName", "Amazon Web Services, Inc."),
    ("SkuMeter", "BoxUsage:m5.large"),
    ("x_ServiceCode", "AmazonEC2"),
    ("x_Operation", "RunInstances"),
    ("InvoiceId", ""),
];

/// A line by what differs from the usual one.
type Differing<'a> = &'a [(&'a str, &'a str)];

/// A CSV file without some columns.
fn csv(lines: &[Differing<'_>], without: &[&str]) -> String {
    let kept = || COLUMNS.iter().filter(|(name, _)| !without.contains(name));
    let header: Vec<&str> = kept().map(|(name, _)| *name).collect();
    let mut text = header.join(",");
    for line in lines {
        assert!(line.iter().all(|(name, _)| header.contains(name)), "{line:?} has no such column");
        let value = |(name, usual): &(&str, &str)| {
            let own = line.iter().find(|(of, _)| of == name).map_or(*usual, |(_, own)| *own);
            format!("\"{}\"", own.replace('"', "\"\""))
        };
        text.push('\n');
        text.push_str(&kept().map(value).collect::<Vec<_>>().join(","));
    }
    text + "\n"
}

fn run_of(book: &str, text: &str) -> Run {
    Run::new(PERIOD, book, |folder| fs::write(folder.join("lines.csv"), text).expect("a cost file"))
}

fn run_of_lines(lines: &[Differing<'_>]) -> Run {
    run_of(BOOK, &csv(lines, &[]))
}

/// The pro forma cost of the one group under public prices.
fn pro_forma(lines: &[Differing<'_>]) -> String {
    let done = run_of_lines(lines).go().succeeded();
    text(&done.json("reconciliation.json")["currencies"]["USD"]["pro_forma_total"]).to_owned()
}

/// The book with a plan of one rule.
fn book_with(rule: &str) -> String {
    format!(
        "{}\n[[pricing_plans]]\nname = \"own\"\npricing_rules = [\"the-rule\"]\n\n[[pricing_rules]]\nname = \"the-rule\"\n{rule}\n",
        BOOK.replace("BasicPricingPlan", "own")
    )
}

const PLAN: (&str, &str) = ("CommitmentDiscountType", "Savings Plan");
const OWN: (&str, &str) =
    ("CommitmentDiscountId", "arn:aws:savingsplans::111111111111:savingsplan/1111-2222");
const FOREIGN: (&str, &str) =
    ("CommitmentDiscountId", "arn:aws:savingsplans::222222222222:savingsplan/1111-2222");
const USED: [(&str, &str); 4] =
    [PLAN, ("PricingCategory", "Committed"), ("CommitmentDiscountStatus", "Used"), ("BilledCost", "0")];

#[test]
fn a_line_costs_its_list_cost_and_without_one_its_billed_cost() {
    assert_eq!(pro_forma(&[&[]]), "2");
    assert_eq!(pro_forma(&[&[("ListCost", "0")]]), "1.5");
    assert_eq!(pro_forma(&[&[("ListCost", "")]]), "1.5");
    assert_eq!(pro_forma(&[&[("PricingCategory", "Dynamic")]]), "1.5");
}

#[test]
fn covered_usage_is_free_where_the_commitment_is_the_groups_and_on_demand_again_where_it_is_not() {
    let covered = |owner| [&USED[..], &[owner]].concat();
    let fee = |owner| [PLAN, owner, ("ChargeCategory", "Purchase"), ("ChargeFrequency", "Recurring")];
    assert_eq!(pro_forma(&[&covered(OWN), &fee(OWN)]), "1.5");
    assert_eq!(pro_forma(&[&covered(FOREIGN), &fee(FOREIGN)]), "2");
    let unused = [&covered(OWN)[..], &[("CommitmentDiscountStatus", "Unused")]].concat();
    let unused: Vec<_> =
        unused.into_iter().filter(|of| *of != ("CommitmentDiscountStatus", "Used")).collect();
    assert_eq!(pro_forma(&[&unused]), "0");
}

#[test]
fn taxes_credits_and_refunds_are_no_part_of_a_bill() {
    for line in [
        &[("ChargeCategory", "Tax")][..],
        &[("ChargeCategory", "Credit"), ("BilledCost", "-1")],
        &[("ChargeCategory", "Adjustment"), ("BilledCost", "-1")],
        &[("ChargeClass", "Correction"), ("BilledCost", "-1")],
        &[("ChargeCategory", "Purchase"), ("x_ServiceCode", "AWSSupportBusiness")],
    ] {
        assert_eq!(pro_forma(&[&[], line]), "2", "{line:?}");
    }
    assert_eq!(pro_forma(&[&[], &[("ChargeClass", "Correction")]]), "4");
}

#[test]
fn support_is_known_by_its_name_where_there_is_no_code() {
    let support = [("ChargeCategory", "Purchase"), ("ServiceName", "AWS Support (Business)")];
    let done = run_of(BOOK, &csv(&[&support], &["x_ServiceCode"])).go().succeeded();
    let usd = &done.json("reconciliation.json")["currencies"]["USD"];
    assert_eq!((text(&usd["pro_forma_total"]), text(&usd["left_out_of_aws_cost"]["Support"])), ("0", "1.5"));
}

#[test]
fn what_no_table_has_is_kept_apart_and_reported() {
    let strange =
        [("ChargeCategory", "Usage"), ("PricingCategory", "Committed"), ("CommitmentDiscountStatus", "")];
    let done = run_of_lines(&[&[], &strange]).go().succeeded();
    let name = "Usage (Committed, Usage-Based, not negative)";
    assert!(
        done.stderr.contains(&format!("line item type `{name}` is unknown: 1 lines of 1.5")),
        "{}",
        done.stderr
    );
    let file = done.json("reconciliation.json");
    assert_eq!(file["unknown_line_item_types"][name]["lines"].as_u64(), Some(1));
    assert_eq!(text(&file["currencies"]["USD"]["pro_forma_total"]), "2");
}

#[test]
fn lines_of_other_providers_are_counted_by_provider_and_in_no_total() {
    let azure = [("ProviderName", "Microsoft"), ("BillingAccountId", "abc-1"), ("SubAccountId", "sub 7")];
    let in_euro = [&azure[..], &[("BillingCurrency", "EUR"), ("BilledCost", "0.0000000001")]].concat();
    let before = [&azure[..], &[("BillingPeriodStart", "2026-09-01T00:00:00Z")]].concat();
    // What nobody reads may be anything.
    let odd = [
        ("ProviderName", "Google Cloud"),
        ("ListCost", "dear"),
        ("ChargeCategory", ""),
        ("BilledCost", "-3"),
    ];
    let lines: &[Differing<'_>] = &[&[], &azure, &azure, &in_euro, &before, &odd];
    let done = run_of_lines(lines).go().succeeded();
    let file = done.json("reconciliation.json");
    let others: Vec<[&str; 3]> = list(&file["other_providers"])
        .iter()
        .map(|other| ["provider", "currency", "billed_cost"].map(|name| text(&other[name])))
        .collect();
    let expected =
        [["Google Cloud", "USD", "-3"], ["Microsoft", "EUR", "0.0000000001"], ["Microsoft", "USD", "3"]];
    assert_eq!(others, expected);
    let count = |name: &str| file["lines"][name].as_u64();
    assert_eq!([count("read"), count("other_providers"), count("passed_by")], [Some(6), Some(4), Some(1)]);
    assert_eq!([count("rated"), count("rejected")], [Some(1), Some(0)]);
    assert_eq!(text(&file["currencies"]["USD"]["cost_files_total"]), "1.5");
    assert!(file["currencies"].get("EUR").is_none(), "{file:#}");
    assert!(
        done.stderr.contains("note: 2 lines of Microsoft, 3 USD billed, are not AWS's and not priced"),
        "{}",
        done.stderr
    );
}

#[test]
fn a_foreign_line_is_rejected_only_for_what_its_provider_is_counted_by() {
    let broken = [("ProviderName", "Microsoft"), ("BilledCost", "dear")];
    let run = run_of_lines(&[&[], &broken]);
    run.go().refused(&["lines.csv:row 2:BilledCost: `dear` is not a number"]);
    let done = run.with(&["--accept-rejects"]).go().succeeded();
    let file = done.json("reconciliation.json");
    assert_eq!(file["lines"]["rejected"].as_u64(), Some(1));
    assert_eq!(list(&file["other_providers"]).len(), 0);
    run_of_lines(&[&[("ProviderName", "")]]).go().refused(&["row 1:ProviderName: `` is empty"]);
}

#[test]
fn a_file_of_another_provider_alone_is_read_and_warned_of() {
    let done = run_of_lines(&[&[("ProviderName", "Microsoft")]]).go().succeeded();
    let words = format!("the cost files have no line of {PERIOD} that AWS provides: all totals are 0");
    assert!(done.stderr.contains(&words), "{}", done.stderr);
}

#[test]
fn nulls_that_aws_documents_are_accepted() {
    let gaps = ["PricingUnit", "ListUnitPrice", "PublisherName", "InvoiceId"].map(|name| (name, ""));
    assert_eq!(pro_forma(&[&gaps]), "2");
    let whole = csv(
        &[&[]],
        &["PublisherName", "ListUnitPrice", "EffectiveCost", "ChargeFrequency", "SkuMeter", "InvoiceId"],
    );
    run_of(BOOK, &whole).go().succeeded();
    // A charge of the billing account as a whole has no sub account: it is the payer's.
    let done = run_of_lines(&[&[("SubAccountId", "")]]).go().succeeded();
    assert_eq!(text(&done.json("cost-report.json")[0]["account_id"]), "999999999999");
}

#[test]
fn values_that_no_line_may_have_are_named_by_focus_columns() {
    for (column, value, words) in [
        ("BilledCost", "NaN", "row 2:BilledCost: `NaN` is not a number"),
        ("BilledCost", "1E+400", "row 2:BilledCost: "),
        ("ListCost", "$2.00 ", "row 2:ListCost: `$2.00 ` is not a number"),
        ("PricingQuantity", "1,5", "row 2:PricingQuantity: `1,5` is not a number"),
        ("BillingCurrency", "", "row 2:BillingCurrency: `` is not a currency code"),
        ("BillingCurrency", "Dollar", "row 2:BillingCurrency: `Dollar` is not a currency code"),
        ("ChargeCategory", "", "row 2:ChargeCategory: `` is empty"),
        ("BillingPeriodStart", "4/1/26", "row 2:BillingPeriodStart: `4/1/26` is not a readable"),
    ] {
        let run = run_of_lines(&[&[], &[(column, value)]]);
        run.go().refused(&[words]);
        let done = run.with(&["--accept-rejects"]).go().succeeded();
        let file = done.json("reconciliation.json");
        assert_eq!(text(&file["currencies"]["USD"]["cost_files_total"]), "1.5", "{column} {value}");
        assert_eq!(file["lines"]["rejected"].as_u64(), Some(1), "{column} {value}");
    }
    let bell = [("ChargeCategory", "Us\u{7}age"), ("ServiceName", "a\nb")];
    let done = run_of_lines(&[&[], &bell]).go().succeeded();
    assert_eq!(text(&done.json("reconciliation.json")["currencies"]["USD"]["difference"]), "0");
}

#[test]
fn names_in_lower_case_are_the_same_names() {
    let text = csv(&[&[]], &[]);
    let (header, rows) = text.split_once('\n').expect("a header");
    let lower = format!("{}\n{rows}", header.to_lowercase());
    let done = run_of(BOOK, &lower).go().succeeded();
    assert!(done.stderr.contains("FOCUS 1.2, as column `invoiceid` is new in it"), "{}", done.stderr);
    let twice = format!("{header},billedcost\n{},1\n", rows.trim_end());
    run_of(BOOK, &twice).go().refused(&["two columns named `billedcost`"]);
    let mixed = format!("{header},line_item_usage_type\n{},1\n", rows.trim_end());
    run_of(BOOK, &mixed).go().refused(&["columns of two formats", "`line_item_usage_type` and `BilledCost`"]);
}

#[test]
fn all_missing_focus_columns_are_named_at_once() {
    let text = csv(&[&[]], &["ListCost", "ProviderName", "SubAccountId"]);
    run_of(BOOK, &text)
        .go()
        .refused(&["necessary columns are missing: `SubAccountId`, `ListCost`, `ProviderName`"]);
}

#[test]
fn the_newer_name_of_the_provider_wins_and_the_host_stands_for_the_publisher() {
    let text = csv(&[&[], &[("ProviderName", "Datadog"), ("PublisherName", "AWS")]], &[])
        .replacen("ProviderName", "ServiceProviderName", 1)
        .replacen("PublisherName", "HostProviderName", 1);
    let done = run_of(BOOK, &text).go().succeeded();
    assert!(
        done.stderr.contains("FOCUS 1.3, as column `ServiceProviderName` is new in it"),
        "{}",
        done.stderr
    );
    assert!(done.stderr.contains("1 lines of Datadog"), "{}", done.stderr);
}

#[test]
fn rules_that_a_file_cannot_serve_are_refused_by_name_and_others_warned_of() {
    let sku = "type = \"MARKUP\"\nscope = \"SKU\"\nmodifier_percentage = \"10\"\nservice = \"AmazonEC2\"\nusage_type = \"BoxUsage:m5.large\"";
    let operation = format!("{sku}\noperation = \"RunInstances\"");
    let service =
        "type = \"MARKUP\"\nscope = \"SERVICE\"\nmodifier_percentage = \"10\"\nservice = \"AmazonEC2\"";
    let seller = "type = \"MARKUP\"\nscope = \"BILLING_ENTITY\"\nmodifier_percentage = \"10\"\nbilling_entity = \"AWS\"";
    let cannot = "pricing rule `the-rule` cannot be applied: ";
    let usage_type = "the files have no usage type (FOCUS: neither `x_UsageType` nor `SkuMeter`)";
    for (rule, without, reason) in [
        (sku, "SkuMeter", usage_type),
        (&operation, "x_Operation", "the files have no operation (FOCUS: no `x_Operation`"),
        (seller, "PublisherName", "the files name no seller"),
    ] {
        let done = run_of(&book_with(rule), &csv(&[&[]], &[without])).go();
        done.refused(&[cannot, reason]);
    }
    for (rule, without, reason, total) in [
        (sku, "InvoiceId", "`SkuMeter` stands for the usage type", "2.2"),
        (&operation, "InvoiceId", "`SkuMeter` stands for the usage type", "2.2"),
        (seller, "InvoiceId", "the seller is derived", "2.2"),
        // The rule names the code, and the file has names: it prices nothing.
        (service, "x_ServiceCode", "it must be the service's name", "2"),
    ] {
        let done = run_of(&book_with(rule), &csv(&[&[]], &[without])).go().succeeded();
        let words = format!("warning: pricing rule `the-rule`: {reason}");
        let warned = done.stderr.contains(&words) || done.stderr.contains(reason);
        assert!(
            warned && done.stderr.contains("pricing rule `the-rule`: "),
            "no `{words}` in {}",
            done.stderr
        );
        assert_eq!(text(&done.json("reconciliation.json")["currencies"]["USD"]["pro_forma_total"]), total);
    }
    let exact = run_of(&book_with(service), &csv(&[&[]], &[])).go().succeeded();
    assert!(!exact.stderr.contains("the-rule"), "{}", exact.stderr);
}

#[test]
fn an_item_without_negations_is_refused_for_focus() {
    let item = r#"
[[custom_line_items]]
name = "service-fee"
description = "Service fee"
billing_group = "acme"
type = "FEE"
percentage_value = "10"
associated_values = ["billing_group"]
line_item_filters = [{ attribute = "LINE_ITEM_TYPE", match_option = "NOT_EQUAL", values = ["SAVINGS_PLAN_NEGATION"] }]
start = "2026-10"
"#;
    let done = run_of(&format!("{BOOK}{item}"), &csv(&[&[]], &[])).go();
    done.refused(&[
        "custom line item `service-fee` cannot be applied: the files have no SavingsPlanNegation lines",
    ]);
}
