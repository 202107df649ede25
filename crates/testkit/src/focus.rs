//! A month as FOCUS tells it: the lines of CUR that say the same as a FOCUS file, no more and no less.
//!
//! What FOCUS has no row for is gone (negations, discounts, split rows), billed costs are net, covered usage costs 0, list costs are
//! those of the tier that applied, what a commitment left unused is a row of its own. The writer of FOCUS files takes such
//! lines and no others, and the naive pricer prices them.

use crate::amount::Amount;
use crate::line::Line;

/// The seller of record of Marketplace lines that name none but Amazon.
const VENDOR: &str = "Sample Data Vendor, Inc.";

/// Returns the lines of a month as FOCUS tells them.
pub fn as_told(lines: &[Line]) -> Vec<Line> {
    lines.iter().filter(|line| has_a_row(line)).flat_map(rows_of).collect()
}

/// Returns the same lines without what only says that a SKU has tiers, which the list costs of FOCUS hold already.
pub fn without_tiers(lines: &[Line]) -> Vec<Line> {
    lines.iter().map(|line| Line { line_item_unblended_rate: None, ..line.clone() }).collect()
}

fn has_a_row(line: &Line) -> bool {
    let kind = kind_of(line);
    let is_split = line.split_line_item_parent_resource_id.is_some()
        || matches!(line.line_item_operation.as_deref(), Some("EKSPod-EC2" | "ECSTask-EC2"));
    kind != "SavingsPlanNegation" && !kind.ends_with("Discount") && !is_split
}

fn rows_of(line: &Line) -> Vec<Line> {
    let unused = unused(line);
    let told = told(line);
    let mut rows = vec![told.clone()];
    rows.extend(unused.map(|(savings_plan, reservation)| Line {
        line_item_unblended_cost: Some(Amount::ZERO),
        line_item_usage_amount: None,
        savings_plan_total_commitment_to_date: savings_plan,
        reservation_unused_recurring_fee: reservation,
        ..told
    }));
    rows
}

/// What of a fee was not used, of a Savings Plan or of a reservation.
fn unused(line: &Line) -> Option<(Option<Amount>, Option<Amount>)> {
    let of_plan = line.savings_plan_total_commitment_to_date.zip(line.savings_plan_used_commitment);
    let of_plan = of_plan.map(|(total, used)| total - used).filter(|unused| *unused > Amount::ZERO);
    let of_reservation = line.reservation_unused_recurring_fee.filter(|unused| *unused > Amount::ZERO);
    (of_plan.is_some() || of_reservation.is_some()).then_some((of_plan, of_reservation))
}

fn told(line: &Line) -> Line {
    let (kind, term) = kind_and_term(line);
    let is_covered = matches!(kind.as_str(), "SavingsPlanCoveredUsage" | "DiscountedUsage");
    let billed = line.line_item_net_unblended_cost.or(line.line_item_unblended_cost);
    let service = line.product_servicecode.clone().or_else(|| line.line_item_product_code.clone());
    let is_marketplace = line.bill_billing_entity.as_deref() == Some("AWS Marketplace");
    let publisher = line.line_item_legal_entity.clone();
    let is_amazon = publisher.as_deref().is_none_or(|name| name.starts_with("Amazon"));
    let free = rate(&line.line_item_unblended_rate) == Some(Amount::ZERO) && kind == "Usage";
    Line {
        bill_bill_type: None,
        line_item_line_item_type: Some(kind),
        line_item_product_code: service,
        product_servicecode: None,
        pricing_term: term.map(ToOwned::to_owned),
        pricing_currency: None,
        pricing_public_on_demand_cost: list_cost(line),
        pricing_public_on_demand_rate: if free {
            Some(Amount::ZERO.to_fixed())
        } else {
            line.pricing_public_on_demand_rate.clone()
        },
        line_item_unblended_cost: if is_covered { Some(Amount::ZERO) } else { billed },
        line_item_net_unblended_cost: None,
        line_item_normalization_factor: None,
        line_item_normalized_usage_amount: None,
        line_item_legal_entity: if is_marketplace && is_amazon { Some(VENDOR.to_owned()) } else { publisher },
        savings_plan_total_commitment_to_date: None,
        savings_plan_used_commitment: None,
        reservation_unused_recurring_fee: None,
        ..line.clone()
    }
}

/// The line item type and the pricing term of what a FOCUS row says.
fn kind_and_term(line: &Line) -> (String, Option<&'static str>) {
    let has_plan = line.savings_plan_savings_plan_a_r_n.is_some();
    let has_reservation = line.reservation_reservation_a_r_n.is_some();
    let negative = line.unblended_cost() < Amount::ZERO;
    let sign = if negative { "negative" } else { "not negative" };
    let (kind, term) = match kind_of(line) {
        "Usage" if is_spot(line) => ("Usage", Some("Spot")),
        "Usage" => ("Usage", Some("OnDemand")),
        "SavingsPlanCoveredUsage" if has_plan => ("SavingsPlanCoveredUsage", Some("OnDemand")),
        "DiscountedUsage" if has_reservation => ("DiscountedUsage", Some("Reserved")),
        // Covered by nobody knows what.
        "SavingsPlanCoveredUsage" | "DiscountedUsage" => {
            ("Usage (Committed, Used, Usage-Based, not negative)", None)
        }
        "Fee" if has_plan => ("SavingsPlanUpfrontFee", None),
        "FlatRateSubscription" => ("Fee", None),
        "Refund" if !negative => ("Adjustment (One-Time, not negative)", None),
        known @ ("Fee"
        | "RIFee"
        | "SavingsPlanRecurringFee"
        | "SavingsPlanUpfrontFee"
        | "Tax"
        | "Credit"
        | "Refund") => (known, None),
        unknown => return (format!("{unknown} (One-Time, {sign})"), None),
    };
    (kind.to_owned(), term)
}

/// The list price is that of the tier which applied: nothing where it was free.
fn list_cost(line: &Line) -> Option<Amount> {
    let public = line.pricing_public_on_demand_cost.filter(|cost| *cost != Amount::ZERO)?;
    let (own, listed) = (rate(&line.line_item_unblended_rate), rate(&line.pricing_public_on_demand_rate));
    match own.zip(listed) {
        Some((own, listed)) if own != listed && kind_of(line) == "Usage" && !is_spot(line) => {
            line.line_item_unblended_cost
        }
        _ => Some(public),
    }
}

fn is_spot(line: &Line) -> bool {
    let usage_type = line.line_item_usage_type.as_deref().unwrap_or_default();
    let is_paid = rate(&line.line_item_unblended_rate).is_some_and(|rate| rate > Amount::ZERO);
    let unsaid = line.pricing_term.is_none() && is_paid && usage_type.contains("BoxUsage");
    line.pricing_term.as_deref() == Some("Spot") || usage_type.contains("SpotUsage") || unsaid
}

fn rate(text: &Option<String>) -> Option<Amount> {
    text.as_deref().and_then(|text| text.parse().ok())
}

fn kind_of(line: &Line) -> &str {
    line.line_item_line_item_type.as_deref().unwrap_or_default()
}
