//! Words for what pricing decided: the same in every command that says why.

use billing::charge_class::{ChargeClass, Cube, KeyColumn, Measure};
use billing::commitment;
use billing::cost_line::LineItemType;
use billing::custom_line_item::{Charge, CustomLineItem, Filter};
use billing::money::Factor;
use billing::pricing::{Pricing, PricingRule, Scope};
use billing::rate_card::{Base, Reason, Treatment, line_item_type};

/// What a price starts from.
pub const fn base(base: Base) -> &'static str {
    match base {
        Base::CustomTiers => "usage at the rule's tiers",
        Base::Spot => "unblended cost of spot",
        Base::ZeroRate => "free usage",
        Base::TieredUnblended => "unblended cost, as the SKU has volume tiers",
        Base::TieredPublic => "public On-Demand cost of the dearest tier, as the SKU has volume tiers and a discount",
        Base::PublicOnDemand => "public On-Demand cost",
        Base::FallenBack => "unblended cost, as there is no public cost",
    }
}

/// Why a class is on no pro forma bill.
pub const fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::SplitCostAllocation => "a row of split cost allocation, which repeats cost",
        Reason::Tax => "tax",
        Reason::Support => "support",
        Reason::CreditOrDiscount => "a credit, refund or discount",
        Reason::CommitmentOutside => "of a commitment that is owned outside the billing group",
        Reason::UnknownType => "its line item type is unknown",
    }
}

/// What the bill does with a class, in full.
pub fn treatment(cube: &Cube, class: &ChargeClass, of_class: Treatment) -> String {
    match of_class {
        Treatment::Ungrouped => "on no bill: its account is in no billing group".to_owned(),
        Treatment::Dropped(why) => format!("not on the bill: {}", reason(why)),
        Treatment::AtCost => "at cost: a commitment of the group".to_owned(),
        Treatment::Priced(of_base) => {
            use LineItemType::{DiscountedUsage, SavingsPlanCoveredUsage};
            let covered = matches!(line_item_type(cube, class), DiscountedUsage | SavingsPlanCoveredUsage);
            let owner = commitment::owner(cube, class);
            match covered {
                true => format!("priced On-Demand: account `{owner}` outside the group owns the commitment"),
                false if of_base == Base::ZeroRate => "free usage stays free".to_owned(),
                false => "priced".to_owned(),
            }
        }
    }
}

/// A measure's name for reading.
pub const fn measure(measure: Measure) -> &'static str {
    match measure {
        Measure::PublicOnDemand => "public On-Demand cost",
        Measure::Unblended => "unblended cost",
        other => other.name(),
    }
}

/// A scope with what it names.
pub fn scope(scope: &Scope) -> String {
    let name = scope.name();
    match scope {
        Scope::Global => name.to_owned(),
        Scope::BillingEntity(what) | Scope::Service(what) => format!("{name} {what}"),
        Scope::Sku { service, usage_type, operation } => {
            format!("{name} {service} {usage_type} {}", operation.as_deref().unwrap_or("(any operation)"))
        }
    }
}

/// What a rule does.
pub fn pricing(pricing: &Pricing) -> String {
    match pricing {
        Pricing::Markup(percentage) => format!("+{percentage} %"),
        Pricing::Discount(percentage) => format!("−{percentage} %"),
        Pricing::FreeTierActive => "free tier".to_owned(),
        Pricing::CustomTiers(tiers) => {
            let tier = |tier: &billing::pricing::CustomTier| match tier.end {
                Some(end) => format!("{}–{end} at {}", tier.begin, tier.rate),
                None => format!("from {} at {}", tier.begin, tier.rate),
            };
            format!("tiers {}", tiers.tiers().iter().map(tier).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A rule with its scope and what it does.
pub fn rule(rule: &PricingRule) -> String {
    format!("rule `{}`: {}, {}", rule.name, scope(&rule.scope), pricing(&rule.pricing))
}

/// What an item charges.
pub fn charge(item: &CustomLineItem) -> String {
    match &item.charge {
        Charge::Flat(value) => format!("{value} flat"),
        Charge::Percentage(charge) => {
            let filter = match &charge.filter {
                None => String::new(),
                Some(Filter::WithoutSavingsPlanNegation) => " without Savings Plan negations".to_owned(),
                Some(Filter::OnlyService(service)) => format!(" of {service}"),
                Some(Filter::WithoutService(service)) => format!(" without {service}"),
            };
            let of = if charge.of_billing_group { "the group's lines" } else { "custom line items" };
            format!("{} % of {of}{filter}", charge.percentage)
        }
    }
}

/// A factor for reading; none where it changes nothing.
pub fn times(factor: Factor) -> String {
    if factor == Factor::ONE { String::new() } else { format!(" × {factor}") }
}

/// A class by what tells it from others on a bill.
pub fn class(cube: &Cube, class: &ChargeClass) -> String {
    let columns = [
        KeyColumn::LineItemType,
        KeyColumn::UsageType,
        KeyColumn::Operation,
        KeyColumn::Region,
    ];
    let parts: Vec<&str> = columns.iter().filter_map(|column| cube.filled(class, *column)).collect();
    parts.join(", ")
}
