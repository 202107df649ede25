//! What a FOCUS charge is in CUR's words: one table.
//!
//! Sources: the FOCUS specification (ChargeCategory, ChargeClass, PricingCategory, CommitmentDiscountStatus and their examples of
//! commitments); AWS's own FOCUS exports (`Credit` for credits, billed cost 0 and no negation on covered usage); AWS's line item
//! types. What the table does not have is kept apart under a name that says what it was, as an unknown type of CUR is.

use std::borrow::Cow;

/// What FOCUS says of a charge; empty text is null.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Charge<'a> {
    /// `ChargeCategory`.
    pub category: &'a str,
    /// `ChargeClass`.
    pub class: &'a str,
    /// `PricingCategory`.
    pub pricing: &'a str,
    /// `CommitmentDiscountId`.
    pub commitment: &'a str,
    /// `CommitmentDiscountType`.
    pub commitment_type: &'a str,
    /// `CommitmentDiscountStatus`.
    pub status: &'a str,
    /// `ChargeFrequency`.
    pub frequency: &'a str,
    /// Whether `BilledCost` is below 0.
    pub is_negative: bool,
}

/// The kinds of commitments that AWS sells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commitment {
    /// A Savings Plan.
    SavingsPlan,
    /// A reservation.
    Reservation,
    /// Of a type that is none of AWS's.
    Unknown,
}

/// The kind of the commitment that a charge names, by its type.
#[must_use]
pub fn commitment(id: &str, commitment_type: &str) -> Option<Commitment> {
    match commitment_type {
        _ if id.is_empty() => None,
        "Savings Plan" | "Savings Plans" | "SavingsPlan" => Some(Commitment::SavingsPlan),
        "Reserved Instance" | "Reserved Instances" | "Reserved" | "Reservation" => {
            Some(Commitment::Reservation)
        }
        _ => Some(Commitment::Unknown),
    }
}

/// CUR's line item type of a charge; `None` where FOCUS names no category, which no line may lack.
#[must_use]
pub fn line_item_type(charge: Charge<'_>) -> Option<Cow<'static, str>> {
    use Commitment::{Reservation, SavingsPlan};
    let Charge { category, class, pricing, status, frequency, is_negative, .. } = charge;
    let commitment = commitment(charge.commitment, charge.commitment_type);
    Some(Cow::Borrowed(match (category, class, pricing, commitment, status, frequency) {
        ("", ..) => return None,
        ("Tax", "" | "Correction", ..) => "Tax",
        ("Credit", "" | "Correction", ..) => "Credit",
        // A correction that gives back is no part of a pro forma bill; one that takes is the late charge that it is.
        ("Usage" | "Purchase" | "Adjustment", "Correction", ..) if is_negative => "Refund",
        // An adjustment that takes could be anything: kept apart.
        ("Adjustment", "", ..) if is_negative => "Refund",
        ("Usage", "" | "Correction", "" | "Standard" | "Dynamic" | "Other", _, "", _) => "Usage",
        ("Usage", "" | "Correction", "Committed", Some(SavingsPlan), "Used", _) => "SavingsPlanCoveredUsage",
        ("Usage", "" | "Correction", "Committed", Some(Reservation), "Used", _) => "DiscountedUsage",
        // What was paid for and not used belongs to the fee, billed cost 0; no usage was metered.
        ("Usage", "" | "Correction", "Committed", Some(SavingsPlan), "Unused", _) => {
            "SavingsPlanRecurringFee"
        }
        ("Usage", "" | "Correction", "Committed", Some(Reservation), "Unused", _) => "RIFee",
        ("Purchase", "" | "Correction", _, None, ..) => "Fee",
        ("Purchase", "" | "Correction", _, Some(SavingsPlan), _, "One-Time") => "SavingsPlanUpfrontFee",
        ("Purchase", "" | "Correction", _, Some(SavingsPlan), _, "" | "Recurring") => {
            "SavingsPlanRecurringFee"
        }
        // CUR writes a reservation's payment up front as a `Fee` with its ARN.
        ("Purchase", "" | "Correction", _, Some(Reservation), _, "One-Time") => "Fee",
        ("Purchase", "" | "Correction", _, Some(Reservation), _, "" | "Recurring") => "RIFee",
        _ => return Some(Cow::Owned(in_words(charge))),
    }))
}

/// CUR's pricing term of a charge.
#[must_use]
pub fn pricing_term(line_item_type: &str, pricing: &str) -> Option<&'static str> {
    match (line_item_type, pricing) {
        ("Usage", "Dynamic") => Some("Spot"),
        ("Usage" | "SavingsPlanCoveredUsage", _) => Some("OnDemand"),
        ("DiscountedUsage", _) => Some("Reserved"),
        _ => None,
    }
}

/// Whether a provider, publisher or host is AWS: `AWS`, or a company of Amazon's (`Amazon Web Services EMEA SARL`).
#[must_use]
pub fn is_aws(name: &str) -> bool {
    let name = name.trim();
    name.eq_ignore_ascii_case("AWS")
        || name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("Amazon"))
}

/// CUR's seller. A publisher that AWS has left out is AWS: its documentation admits the gap.
#[must_use]
pub fn billing_entity(publisher: Option<&str>) -> &'static str {
    if publisher.is_none_or(is_aws) { "AWS" } else { "AWS Marketplace" }
}

/// An unknown charge by what FOCUS says of it. The bracket at the end keeps the name from being a type of CUR.
fn in_words(charge: Charge<'_>) -> String {
    let Charge { category, class, pricing, commitment_type, status, frequency, .. } = charge;
    let said = [class, pricing, commitment_type, status, frequency];
    let sign = if charge.is_negative { "negative" } else { "not negative" };
    let said: Vec<&str> = said.into_iter().filter(|text| !text.is_empty()).chain([sign]).collect();
    format!("{category} ({})", said.join(", "))
}

#[cfg(test)]
mod tests {
    //! Every row of the table, and what is beside it.

    use super::*;

    const PLAN: &str = "arn:aws:savingsplans::111111111111:savingsplan/1";

    fn charge<'a>(category: &'a str, pricing: &'a str) -> Charge<'a> {
        Charge { category, pricing, ..Charge::default() }
    }

    fn committed<'a>(category: &'a str, commitment_type: &'a str, status: &'a str) -> Charge<'a> {
        let pricing = if category == "Usage" { "Committed" } else { "Standard" };
        Charge { commitment: PLAN, commitment_type, status, ..charge(category, pricing) }
    }

    #[track_caller]
    fn check(charge: Charge<'_>, expected: &str) {
        assert_eq!(line_item_type(charge).as_deref(), Some(expected), "{charge:?}");
    }

    #[test]
    fn every_charge_has_a_line_item_type() {
        for pricing in ["", "Standard", "Dynamic", "Other"] {
            check(charge("Usage", pricing), "Usage");
        }
        let (plan, reserved) = ("Savings Plan", "Reserved Instance");
        check(committed("Usage", plan, "Used"), "SavingsPlanCoveredUsage");
        check(committed("Usage", reserved, "Used"), "DiscountedUsage");
        check(committed("Usage", plan, "Unused"), "SavingsPlanRecurringFee");
        check(committed("Usage", reserved, "Unused"), "RIFee");
        for (frequency, of_plan, of_reservation) in [
            ("", "SavingsPlanRecurringFee", "RIFee"),
            ("Recurring", "SavingsPlanRecurringFee", "RIFee"),
            ("One-Time", "SavingsPlanUpfrontFee", "Fee"),
        ] {
            check(Charge { frequency, ..committed("Purchase", plan, "") }, of_plan);
            check(Charge { frequency, ..committed("Purchase", reserved, "") }, of_reservation);
            check(Charge { frequency, ..charge("Purchase", "Standard") }, "Fee");
        }
        check(charge("Tax", ""), "Tax");
        check(charge("Credit", "Other"), "Credit");
        check(Charge { is_negative: true, ..charge("Adjustment", "") }, "Refund");
        assert_eq!(line_item_type(Charge::default()), None);
    }

    #[test]
    fn a_correction_is_a_refund_where_it_gives_back_and_a_late_charge_where_it_takes() {
        for category in ["Usage", "Purchase", "Adjustment"] {
            check(
                Charge { class: "Correction", is_negative: true, ..charge(category, "Standard") },
                "Refund",
            );
        }
        check(Charge { class: "Correction", ..charge("Usage", "Standard") }, "Usage");
        check(Charge { class: "Correction", ..charge("Purchase", "Standard") }, "Fee");
        for (category, kind) in [("Tax", "Tax"), ("Credit", "Credit")] {
            check(Charge { class: "Correction", is_negative: true, ..charge(category, "") }, kind);
        }
    }

    #[test]
    fn what_the_table_does_not_have_is_named_and_never_one_of_curs_types() {
        for (unknown, name) in [
            (charge("Adjustment", ""), "Adjustment (not negative)"),
            (charge("Usage", "Committed"), "Usage (Committed, not negative)"),
            (charge("usage", "Standard"), "usage (Standard, not negative)"),
            (
                committed("Usage", "Committed Use Discount", "Used"),
                "Usage (Committed, Committed Use Discount, Used, not negative)",
            ),
            (
                Charge { class: "Correct", ..charge("Usage", "Standard") },
                "Usage (Correct, Standard, not negative)",
            ),
            (
                Charge { frequency: "Usage-Based", ..committed("Purchase", "Savings Plan", "") },
                "Purchase (Standard, Savings Plan, Usage-Based, not negative)",
            ),
            (charge("EdpDiscount", ""), "EdpDiscount (not negative)"),
        ] {
            check(unknown, name);
            assert_eq!(
                billing::cost_line::LineItemType::parse(name),
                billing::cost_line::LineItemType::Unknown
            );
        }
    }

    #[test]
    fn amazon_has_many_names() {
        for name in ["AWS", "aws", "Amazon Web Services, Inc.", "Amazon Web Services EMEA SARL", "amazon.com"]
        {
            assert!(is_aws(name), "{name}");
        }
        for name in ["", "Microsoft", "AWSome", "Red Hat Inc.", "Ämazon"] {
            assert!(!is_aws(name), "{name}");
        }
        assert_eq!(billing_entity(None), "AWS");
        assert_eq!(billing_entity(Some("Red Hat Inc.")), "AWS Marketplace");
    }
}
