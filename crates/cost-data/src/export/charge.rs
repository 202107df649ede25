//! What the lines of a class are on a customer's bill, and what they are to FOCUS.

use billing::charge_class::{ChargeClass, Cube};
use billing::class_kind::line_item_type;
use billing::commitment;
use billing::cost_line::LineItemType;
use serde::{Deserialize, Serialize};

/// How a class that is on the bill is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Treated {
    /// As AWS charges it, net: passed on, or the bill of a group that passes it through.
    AsInvoiced,
    /// A commitment of the group: its fees, its covered usage, the negation.
    AtCost,
    /// Usage at what it took of a commitment of whomever.
    AtEffectiveCost,
    /// What nobody has used of a commitment of the group.
    UnusedPart,
    /// Usage that a commitment of the group covers in the simulation of its own usage, or the negation of that.
    Covered,
    /// At the rule's own tiers.
    CustomTiers,
    /// Spot.
    Spot,
    /// Usage at rate 0.
    ZeroRate,
    /// At list price, with or without tiers.
    Listed,
    /// At its unblended cost, for want of a list price.
    FallenBack,
}

/// What a line is to FOCUS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    /// Metered usage that no commitment covers.
    Usage,
    /// Usage that a commitment of the group covers: it is paid by the commitment's fee.
    Covered,
    /// A fee of a commitment.
    CommitmentPurchase,
    /// Any other fee.
    Purchase,
    /// A credit, a tax, an adjustment: it has no price.
    Unpriced,
    /// The negation of covered usage: FOCUS has no such row, the covered usage costs nothing instead.
    Negation,
}

/// What the lines of a class are to FOCUS.
pub fn charge(cube: &Cube, class: &ChargeClass, treated: Treated) -> Charge {
    match line_item_type(cube, class) {
        LineItemType::SavingsPlanNegation => Charge::Negation,
        LineItemType::DiscountedUsage | LineItemType::SavingsPlanCoveredUsage
            if matches!(treated, Treated::AsInvoiced | Treated::AtCost | Treated::Covered) =>
        {
            Charge::Covered
        }
        kind if kind.is_metered() => Charge::Usage,
        LineItemType::Tax | LineItemType::Credit | LineItemType::Refund | LineItemType::Discount => {
            Charge::Unpriced
        }
        _ if treated == Treated::AtCost => Charge::CommitmentPurchase,
        // A credit, a tax or a discount of a commitment buys nothing: its effective cost is what is billed.
        kind if treated == Treated::AsInvoiced && pays(kind) && commitment::arn(cube, class).is_some() => {
            Charge::CommitmentPurchase
        }
        _ => Charge::Purchase,
    }
}

/// Whether a charge may pay a commitment.
fn pays(kind: LineItemType) -> bool {
    matches!(
        kind,
        LineItemType::Fee
            | LineItemType::RiFee
            | LineItemType::SavingsPlanRecurringFee
            | LineItemType::SavingsPlanUpfrontFee
    )
}
