//! The oracle against the worked examples, and against hand-made lines for what these leave out.

use serde_json::Value;

use super::*;
use crate::line::Line;
use crate::vectors;

/// AWS's tiers on a group's own usage need a price list, which this pricer does not read.
const NEEDS_PRICE_LIST: &str = "D-3b";

fn number(value: &Value) -> Exact {
    Exact::of(value.as_str().expect("expected numbers are text"))
}

#[test]
fn the_worked_examples_hold() {
    for vector in vectors::load().iter().filter(|vector| vector.id != NEEDS_PRICE_LIST) {
        let bill = price(&vector.lines, &vector.book(), &vector.period);
        let usd = &bill.currencies["USD"];
        for (name, expected) in vector.expect["groups"].as_object().into_iter().flatten() {
            let group = &usd.groups[name];
            for (measure, expected) in expected.as_object().into_iter().flatten() {
                let actual = match measure.as_str() {
                    "pro_forma_cost" => group.pro_forma_cost.clone(),
                    "aws_cost" => group.aws_cost.clone(),
                    "margin" => group.margin(),
                    "margin_percentage" => group.margin_percentage(),
                    other => panic!("`{other}` is no measure"),
                };
                assert_eq!(actual, number(expected), "{} {name} {measure}", vector.id);
            }
        }
        for (name, expected) in vector.expect["custom_line_items"].as_object().into_iter().flatten() {
            assert_eq!(usd.custom_line_items[name].amount, number(expected), "{} {name}", vector.id);
        }
        for (name, expected) in vector.expect["left_out_of_aws_cost"].as_object().into_iter().flatten() {
            assert_eq!(usd.left_out_of_aws_cost[name], number(expected), "{} {name}", vector.id);
        }
        for (line, expected) in bill.lines.iter().zip(vector.expect["lines"].as_array().into_iter().flatten())
        {
            assert_eq!(line.pro_forma_cost, Some(number(expected)), "{}", vector.id);
        }
    }
}

fn book(text: &str) -> SampleBook {
    let mut book: Value = serde_json::from_str(text).expect("a test's book is JSON");
    book["currency"] = Value::from("USD");
    book["billing_groups"] = serde_json::json!([
        { "name": "acme", "primary_account_id": "1", "accounts": ["1", "2"], "pricing_plan": "plan" },
    ]);
    SampleBook::from_json(&book)
}

fn treatment(line: Line) -> Treatment {
    price(&[line], &book("{}"), "2026-10").lines[0].treatment
}

#[test]
fn every_row_of_the_treatment_table() {
    let usage = || Line::usage("1", "AmazonEC2", "BoxUsage:m5.large", "10");
    let charge = |kind: &str| Line::charge(kind, "1", "AmazonEC2", "10");
    let covered = |owner: &str| Line::covered_usage("1", owner, "AmazonEC2", "BoxUsage:m5.large", "10");
    for (line, expected) in [
        (usage().in_period("2026-09"), Treatment::OtherPeriod),
        (charge("Tax").of_operation("EKSPod-EC2"), Treatment::LeftOut(LeftOut::SplitCostAllocation)),
        (charge("Tax").of_service("AWSSupportBusiness"), Treatment::LeftOut(LeftOut::Tax)),
        (charge("Credit").of_service("OCBPremiumSupport"), Treatment::LeftOut(LeftOut::Support)),
        (charge("Refund"), Treatment::Dropped),
        (charge("Discount"), Treatment::Dropped),
        (charge("SppDiscount"), Treatment::Dropped),
        (covered("2"), Treatment::AtCost),
        (covered("3"), Treatment::Priced(Base::PublicCost)),
        (charge("SavingsPlanNegation"), Treatment::AtCost),
        (charge("SavingsPlanNegation").of_savings_plan("3"), Treatment::OutsideCommitment),
        (charge("RIFee").of_reservation("2"), Treatment::AtCost),
        (charge("Fee").of_reservation("3"), Treatment::OutsideCommitment),
        (charge("Fee"), Treatment::Priced(Base::UnblendedCost)),
        (charge("FlatRateSubscription"), Treatment::Priced(Base::UnblendedCost)),
        (charge("Surprise"), Treatment::Unknown),
        (Line::charge("Fee", "3", "AmazonEC2", "1"), Treatment::Ungrouped),
    ] {
        assert_eq!(treatment(line.clone()), expected, "{line:?}");
    }
}

#[test]
fn every_base() {
    let usage = || Line::usage("1", "AmazonEC2", "BoxUsage:m5.large", "10");
    let tiered = || usage().of_sku("SKU", "PGHJ3S3EYE").at_rates("0.1", "0.1");
    let without_term = || Line { pricing_term: None, ..usage() };
    for (line, expected) in [
        (usage(), Base::PublicCost),
        (without_term().at_rates("0.1", "0.1"), Base::Spot),
        (without_term(), Base::PublicCost),
        (usage().at_rates("0", "0.5").amounting("0"), Base::FreeUsage),
        (tiered(), Base::PublicCost),
        (tiered().at_rates("0.1", "0.2"), Base::TieredSku),
        (tiered().at_rates("0.1", "0.2").netting("10"), Base::TieredSku),
        (tiered().netting("9"), Base::PublicCost),
        (tiered().at_public_cost("0"), Base::UnblendedCost),
        (usage().of_sku("SKU", "PGHJ3S3EYE"), Base::PublicCost),
        (usage().at_public_cost("0"), Base::UnblendedCost),
    ] {
        assert_eq!(treatment(line.clone()), Treatment::Priced(expected), "{line:?}");
    }
}

#[test]
fn a_negative_pool_is_charged_at_the_first_rate() {
    let tiers = r#"{ "pricing_plans": [{ "name": "plan", "pricing_rules": ["t"] }], "pricing_rules": [{
        "name": "t", "scope": "SKU", "type": "TIERING", "service": "S", "usage_type": "U", "custom_tiers": [
            { "begin_range_inclusive": "0", "end_range_exclusive": "100", "rate_value": "0.04" },
            { "begin_range_inclusive": "100", "rate_value": "0.03" } ] }] }"#;
    for (quantity, expected) in [("-5", "-0.2"), ("100", "4"), ("250", "8.5")] {
        let line = Line::usage("1", "S", "U", "10").using(quantity);
        let bill = price(&[line], &book(tiers), "2026-10");
        assert_eq!(bill.currencies["USD"].groups["acme"].pro_forma_cost, Exact::of(expected));
    }
}

#[test]
fn a_class_of_a_tiered_sku_is_discounted_as_a_whole() {
    let line = |net: &str| {
        let line = Line::usage("1", "AmazonS3", "TimedStorage-ByteHrs", "10").netting(net);
        line.of_sku("SKU", "PGHJ3S3EYE").at_rates("0.1", "0.2")
    };
    let bases = |lines: &[Line]| {
        let bill = price(lines, &book("{}"), "2026-10");
        bill.lines.iter().map(|line| line.treatment).collect::<Vec<_>>()
    };
    assert_eq!(bases(&[line("10"), line("9")]), [Treatment::Priced(Base::PublicCost); 2]);
    assert_eq!(bases(&[line("11"), line("9")]), [Treatment::Priced(Base::TieredSku); 2]);
    let apart = [line("10"), line("9").of_operation("GlacierStorage")];
    assert_eq!(bases(&apart), [Treatment::Priced(Base::TieredSku), Treatment::Priced(Base::PublicCost)]);
}
