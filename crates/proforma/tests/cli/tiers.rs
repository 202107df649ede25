//! AWS's volume tiers and free quotas on a group's own usage, as the cost files show them; every expectation is computed by hand.

use crate::reports::{list, number, text};
use crate::support::{Done, Run};
use testkit::oracle::Exact;
use testkit::write::{Delivery, Packing};
use testkit::{Form, Line, WriteOptions, write_month};

const PERIOD: &str = "2026-10";
const ACME: &str = "111111111111";
const BETA: &str = "222222222222";
const NOBODY: &str = "333333333333";

/// Two groups of one account each, or one of both; with the rules given.
fn book(groups: &[(&str, &[&str])], rules: &str, names: &str) -> String {
    let mut book = format!(
        "payer_account_id = \"999999999999\"\n{rules}\n[[pricing_plans]]\nname = \"plan\"\npricing_rules = [{names}]\n"
    );
    for (name, accounts) in groups {
        book += &format!(
            "[[billing_groups]]\nname = \"{name}\"\nprimary_account_id = \"{}\"\naccounts = {accounts:?}\npricing_plan = \"plan\"\n",
            accounts[0]
        );
    }
    book
}

const APART: &[(&str, &[&str])] = &[("acme", &[ACME]), ("beta", &[BETA])];
const TOGETHER: &[(&str, &[&str])] = &[("acme", &[ACME, BETA])];

fn priced(lines: &[Line], book: &str) -> Done {
    let form = Form::LegacyCsv(Packing::Plain);
    let options = WriteOptions { delivery: Delivery::Loose, ..WriteOptions::new(form, PERIOD) };
    Run::new(PERIOD, book, |cost| drop(write_month(cost, lines, &options))).go().succeeded()
}

fn total(done: &Done, group: &str) -> Exact {
    number(&done.statement(group, "USD")["total"])
}

fn listed(done: &Done) -> Vec<&'static str> {
    let reconciliation = done.json("reconciliation.json");
    ["zero_rate_classes", "tiered_classes_on_unblended_cost", "tiered_classes_on_public_cost"]
        .into_iter()
        .filter(|name| !list(&reconciliation[*name]).is_empty())
        .collect()
}

/// Storage of a tier: its rate code, its rate, the usage; the cost follows.
pub fn storage(account: &str, (tier, rate): (&str, &str), usage: &str, cost: &str) -> Line {
    let public = Exact::of(usage).times(&Exact::of("0.023")).to_string();
    let line =
        Line::usage(account, "AmazonS3", "TimedStorage-ByteHrs", cost).using(usage).at_public_cost(&public);
    let mut line = line.of_operation("StandardStorage").of_sku("S3STD", tier).at_rates(rate, "0.023");
    line.pricing_unit = Some("GB-Mo".to_owned());
    line
}

pub const FIRST: (&str, &str) = ("PGHJ3S3EYE", "0.023");
pub const NEXT: (&str, &str) = ("D42MF2PVJS", "0.022");

/// A family of 81,920 GB-months: 51,200 at the first rate, 30,720 at the second; each account has 40,960.
fn storage_of_a_family() -> Vec<Line> {
    vec![
        storage(ACME, FIRST, "40960", "942.08"),
        storage(BETA, FIRST, "10240", "235.52"),
        storage(BETA, NEXT, "30720", "675.84"),
    ]
}

#[test]
fn each_group_fills_the_tiers_alone() {
    let done = priced(&storage_of_a_family(), &book(APART, "", ""));
    assert_eq!(total(&done, "acme"), Exact::of("942.08"));
    assert_eq!(total(&done, "beta"), Exact::of("942.08"), "its own 40,960 are within the first tier");
    let together = priced(&storage_of_a_family(), &book(TOGETHER, "", ""));
    assert_eq!(total(&together, "acme"), Exact::of("1853.44"));
    assert!(listed(&done).is_empty() && listed(&together).is_empty());
}

#[test]
fn a_percentage_is_taken_of_the_share_of_each_class() {
    let rule =
        "[[pricing_rules]]\nname = \"up\"\nscope = \"GLOBAL\"\ntype = \"MARKUP\"\nmodifier_percentage = 10\n";
    let done = priced(&storage_of_a_family(), &book(TOGETHER, rule, "\"up\""));
    assert_eq!(total(&done, "acme"), Exact::of("2038.784"));
}

#[test]
fn tiers_that_lines_do_not_show_are_listed_and_not_guessed() {
    // The first tier ends at 51,234: no size that AWS would choose. So the file is not of the whole family, perhaps.
    let odd = [storage(ACME, FIRST, "51234", "1178.382"), storage(BETA, NEXT, "1000", "22")];
    let done = priced(&odd, &book(APART, "", ""));
    assert_eq!(total(&done, "beta"), Exact::of("22"), "its unblended cost");
    assert_eq!(listed(&done), ["tiered_classes_on_unblended_cost"]);
    assert!(done.stderr.contains("2 classes of SKUs of unknown tiers"), "{}", done.stderr);
    // Under a discount nobody knows the rate of the second tier.
    let discounted =
        [storage(ACME, FIRST, "51200", "1177.6"), storage(BETA, NEXT, "1000", "22").netting("20")];
    let done = priced(&discounted, &book(APART, "", ""));
    assert_eq!(total(&done, "beta"), Exact::of("23"), "the dearest tier");
    assert_eq!(listed(&done), ["tiered_classes_on_unblended_cost", "tiered_classes_on_public_cost"]);
    // Lines of the first tier alone under a discount are at the public rate.
    let first = [storage(ACME, FIRST, "51200", "1177.6").netting("1000"), storage(BETA, NEXT, "1000", "22")];
    let done = priced(&first, &book(APART, "", ""));
    assert_eq!(total(&done, "acme"), Exact::of("1177.6"));
    assert_eq!(total(&done, "beta"), Exact::of("23"), "its own 1,000 are within the first tier");
    assert!(listed(&done).is_empty());
}

/// Requests in a region: free ones have no term and a rate code of the global free tier.
fn requests(account: &str, region: &str, usage: &str, free: bool) -> Line {
    let (sku, usage_type) = (format!("SQS{region}"), format!("{region}Requests-Tier1"));
    let rate = if free { "0" } else { "0.0000004" };
    let cost = if free { "0".to_owned() } else { Exact::of(usage).times(&Exact::of(rate)).to_string() };
    let public = Exact::of(usage).times(&Exact::of("0.0000004")).to_string();
    let line =
        Line::usage(account, "AWSQueueService", &usage_type, &cost).at_public_cost(&public).using(usage);
    let mut line = line.at_rates(rate, "0.0000004").of_sku(&sku, "VXGXCWQKTY");
    line.pricing_unit = Some("Requests".to_owned());
    if free {
        line.pricing_term = None;
        line.pricing_rate_code = Some(format!("{sku}.A429C66SYZ.SB2VSFF4TP"));
        line.line_item_line_item_description =
            Some("First 1,000,000 Amazon SQS Requests per month are free".to_owned());
    }
    line
}

/// A family of 2,600,000 requests: the million that is free went to acme and to nobody's account.
fn requests_of_a_family() -> Vec<Line> {
    vec![
        requests(ACME, "", "300000", true),
        requests(ACME, "EU-", "200000", true),
        requests(NOBODY, "", "500000", true),
        requests(ACME, "EU-", "300000", false),
        requests(BETA, "", "900000", false),
        requests(BETA, "EU-", "400000", false),
    ]
}

#[test]
fn a_free_quota_goes_to_each_group_over_all_regions() {
    let done = priced(&requests_of_a_family(), &book(APART, "", ""));
    assert_eq!(total(&done, "acme"), Exact::default(), "its 800,000 are within the million");
    assert_eq!(total(&done, "beta"), Exact::of("0.12"), "300,000 of its 1,300,000 are not");
    let together = priced(&requests_of_a_family(), &book(TOGETHER, "", ""));
    assert_eq!(total(&together, "acme"), Exact::of("0.44"), "1,100,000 of 2,100,000");
    assert!(listed(&done).is_empty());
}

#[test]
fn the_free_tier_can_be_switched_off() {
    let off = |scope: &str| {
        format!(
            "[[pricing_rules]]\nname = \"off\"\nscope = {scope}\ntype = \"TIERING\"\nfree_tier_activated = false\n"
        )
    };
    for scope in ["\"GLOBAL\"", "\"SERVICE\"\nservice = \"AWSQueueService\""] {
        let done = priced(&requests_of_a_family(), &book(APART, &off(scope), "\"off\""));
        assert_eq!(total(&done, "acme"), Exact::of("0.32"), "{scope}");
        assert_eq!(total(&done, "beta"), Exact::of("0.52"), "{scope}");
    }
    let other =
        priced(&requests_of_a_family(), &book(APART, &off("\"SERVICE\"\nservice = \"AmazonS3\""), "\"off\""));
    assert_eq!(total(&other, "beta"), Exact::of("0.12"));
    let on = "[[pricing_rules]]\nname = \"on\"\nscope = \"SERVICE\"\nservice = \"AWSQueueService\"\ntype = \"TIERING\"\nfree_tier_activated = true\n";
    let both = priced(&requests_of_a_family(), &book(APART, &(off("\"GLOBAL\"") + on), "\"off\", \"on\""));
    assert_eq!(total(&both, "beta"), Exact::of("0.12"), "the service's rule goes first");
}

#[test]
fn a_quota_that_lines_do_not_show_stays_free_and_is_listed() {
    let mut lines = requests_of_a_family();
    lines[2] = requests(NOBODY, "", "500123", true);
    let done = priced(&lines, &book(APART, "", ""));
    assert_eq!(total(&done, "acme"), Exact::of("0.12"), "what was free stays free");
    assert_eq!(total(&done, "beta"), Exact::of("0.52"));
    assert_eq!(listed(&done), ["zero_rate_classes"]);
    let off = "[[pricing_rules]]\nname = \"off\"\nscope = \"GLOBAL\"\ntype = \"TIERING\"\nfree_tier_activated = false\n";
    let done = priced(&lines, &book(APART, off, "\"off\""));
    assert_eq!(total(&done, "acme"), Exact::of("0.32"), "at the public price");
    // Nobody is charged: then no group can use the quota up.
    let free: Vec<Line> = lines.into_iter().take(3).collect();
    let done = priced(&free, &book(APART, "", ""));
    assert_eq!(total(&done, "acme"), Exact::default());
    assert!(listed(&done).is_empty());
}

#[test]
fn offers_that_end_are_not_free_on_a_pro_forma_bill() {
    let described = |account: &str, usage: &str, text: &str| {
        let mut line = requests(account, "", usage, true);
        line.line_item_line_item_description = Some(text.to_owned());
        line
    };
    let limited = [
        described(ACME, "100000", "$0.00 per request under monthly free tier"),
        described(ACME, "200000", "12-month free tier"),
        described(ACME, "300000", "free trial of requests"),
        described(BETA, "400000", "$0.00 per request - Monthly Global Free Tier for requests"),
    ];
    let done = priced(&limited, &book(APART, "", ""));
    assert_eq!(total(&done, "acme"), Exact::of("0.24"), "the first paid price");
    assert_eq!(total(&done, "beta"), Exact::default());
    // A trial of what has no price stays free.
    let mut trial = described(ACME, "300000", "free trial of requests").at_public_cost("0");
    trial.pricing_public_on_demand_rate = None;
    let done = priced(&[trial], &book(APART, "", ""));
    assert_eq!(total(&done, "acme"), Exact::default());
}

#[test]
fn a_tier_and_its_quota_are_explained() {
    let done = priced(&requests_of_a_family(), &book(APART, "", ""));
    let arguments = ["explain", "--run", done.folder(), "--group", "beta", "--product", "AWSQueueService"];
    let explained = crate::support::proforma(&[&arguments[..], &["--output", "json"]].concat()).printed();
    let pools: Vec<_> = list(&explained[0]["classes"]).iter().map(|class| &class["tier_pool"]).collect();
    let told: Vec<_> = pools
        .iter()
        .map(|pool| ["usage_amount", "free_amount", "amount"].map(|name| text(&pool[name])))
        .collect();
    // 9/13 and 4/13 of the million.
    assert_eq!(
        told,
        [
            ["400000", "307692.3076923077", "0.03692307692307692"],
            ["900000", "692307.6923076923", "0.08307692307692308"]
        ]
    );
    let text = crate::support::proforma(&arguments).succeeded().stdout;
    assert!(text.contains("that share AWS's tiers (from 0 at 0.0000004, from the cost files), 307692.3076923077 of it free, and cost"), "{text}");
}

#[test]
fn what_is_not_usage_at_its_rate_is_not_lost_in_tiers() {
    // A charge without usage, a minimum perhaps, is in the same class as the first tier.
    let mut lines = storage_of_a_family();
    lines.push(storage(ACME, FIRST, "0", "5").at_public_cost("5"));
    let done = priced(&lines, &book(APART, "", ""));
    assert_eq!(total(&done, "acme"), Exact::of("947.08"), "what AWS charges");
    assert_eq!(total(&done, "beta"), Exact::of("942.08"));
    assert_eq!(listed(&done), ["tiered_classes_on_unblended_cost"]);
}
