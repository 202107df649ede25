//! The margin guard: what a run, a preview and `explain --guard` list.

use super::{ACME, BETA, SHARED, book, credit, priced, usage_and};
use crate::support::proforma;
use testkit::Line;
use testkit::line::PAYER;

fn lines() -> Vec<Line> {
    usage_and([
        Line::usage(SHARED, "AmazonVPC", "TransitGateway-Hours", "12"),
        credit(PAYER, "AmazonEC2", "-7", "PROMO"),
        credit(ACME, "AmazonEC2", "-1", "Courtesy"),
    ])
}

#[test]
fn a_run_says_what_may_cost_money() {
    let loss = format!(
        "[[custom_line_items]]\nname = \"gift\"\ndescription = \"gift\"\nbilling_group = \"beta\"\ntype = \"CREDIT\"\n\
         flat_charge_value = \"3.5\"\npresentation_service = \"AmazonEC2\"\nstart = \"2026-10\"\naccount_id = \"{BETA}\"\n"
    );
    let done = priced(&lines(), &book(&loss));
    let sentence = "margin guard: 2 accounts in no billing group (5 USD); 2 credits that nobody received (-8 USD); \
                    1 billing group below cost; 1 product below cost";
    assert!(done.stderr.contains(sentence), "{}", done.stderr);
    let guard = done.json("margin-guard.json");
    assert_eq!(guard["accounts_in_no_billing_group"][0]["account_id"], SHARED);
    assert_eq!(guard["accounts_in_no_billing_group"][0]["aws_cost"], "12");
    assert_eq!(guard["credits_nobody_received"][0]["description"], "Courtesy");
    assert_eq!(guard["credits_nobody_received"][0]["billing_group"], "acme");
    assert_eq!(guard["credits_nobody_received"][1]["amount"], "-7");
    // 33 − 3.5 for what costs 30.
    assert_eq!(guard["billing_groups_below_cost"][0]["pro_forma_cost"], "29.5");
    assert_eq!(guard["products_below_cost"][0]["product"], "AmazonEC2");
    let explained = proforma(&["explain", "--run", done.folder(), "--guard", "--output", "json"]).printed();
    assert_eq!(explained, guard);
    let told = proforma(&["explain", "--run", done.folder(), "--guard"]).succeeded().stdout;
    assert!(
        told.contains("Credits that nobody received\n  account `111111111111`, billing group `acme`: -1 USD"),
        "{told}"
    );
}

#[test]
fn what_is_dealt_out_is_not_a_finding() {
    let more = r#"
        [[distributions]]
        name = "promotions"
        lines = [{ line_item_types = ["Credit"], descriptions = ["PROMO"] }]
        treatment = "allocate"
        allocation = "promotions"
        [[distributions]]
        name = "courtesy"
        lines = [{ line_item_types = ["Credit"] }]
        treatment = "keep"
        [[allocations]]
        name = "promotions"
        method = "even"
        [[allocations]]
        name = "network"
        source = [{ accounts = ["444444444444"] }]
        method = "even"
        "#;
    let done = priced(&lines(), &book(more));
    assert!(!done.stderr.contains("margin guard"), "{}", done.stderr);
    let told = proforma(&["explain", "--run", done.folder(), "--guard"]).succeeded().stdout;
    assert_eq!(told, "The margin guard has found nothing.\n");
    let draft = done.out.parent().expect("a folder").join("draft.toml");
    std::fs::write(&draft, book("")).expect("a draft");
    let preview =
        proforma(&["preview", "--run", done.folder(), "--book", draft.to_str().expect("a path")]).succeeded();
    assert!(preview.stderr.contains("margin guard: 2 accounts in no billing group"), "{}", preview.stderr);
}
