//! Words for what pricing decided: the same in every command that says why.

use billing::book::Book;
use billing::charge_class::{ChargeClass, Cube, Measure};
use billing::class_kind::line_item_type;
use billing::commitment;
use billing::cost_line::LineItemType;
use billing::custom_line_item::{Charge, CustomLineItem, Filter, Origin};
use billing::pricing::{Pricing, Scope};
use billing::rate_card::{Base, Reason, Treatment};
use billing::tiers::{Tier, Tiers};

/// Why a price starts from this and not from the public On-Demand cost.
pub const fn base_reason(base: Base) -> Option<&'static str> {
    match base {
        Base::CustomTiers | Base::GroupTiers | Base::PublicOnDemand => None,
        Base::Spot => Some("spot"),
        Base::ZeroRate => Some("free usage of a quota that is not known"),
        Base::TieredUnblended => Some("the SKU has volume tiers that are not known"),
        Base::TieredPublic => {
            Some("the SKU has volume tiers that are not known, and a discount: that of the dearest tier")
        }
        Base::FallenBack => Some("there is no public cost"),
    }
}

/// Why a class is on no pro forma bill.
pub const fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::SplitCostAllocation => "a row of split cost allocation, which repeats cost",
        Reason::Tax => "tax",
        Reason::Support => "support",
        Reason::CreditOrDiscount => "a credit, refund or discount",
        Reason::Simulated => "the negation of the real bill; the group's own coverage has its own",
        Reason::CommitmentOutside => "of a commitment that is owned outside the billing group",
        Reason::PaidByEffectiveCost => {
            "covered usage has its effective cost instead: commitments are shared as on the real bill"
        }
        Reason::UnknownType => "its line item type is unknown",
    }
}

/// What the bill does with a class, in full; `simulated` where commitments were applied inside the billing groups.
pub fn treatment(cube: &Cube, class: &ChargeClass, of_class: Treatment, simulated: bool) -> String {
    match of_class {
        Treatment::Ungrouped => "on no bill: its account is in no billing group".to_owned(),
        Treatment::Dropped(why) => format!("not on the bill: {}", reason(why)),
        Treatment::Covered => "commitments of the group cover all of it".to_owned(),
        Treatment::AsInvoiced => {
            "as it is invoiced to the level above: the bill is passed through".to_owned()
        }
        Treatment::AtCost => "at cost: a commitment of the group".to_owned(),
        Treatment::PassedOn => "passed on as AWS charges it, net".to_owned(),
        Treatment::Allocated(_) => "not on the bill: source of an allocation of the book".to_owned(),
        Treatment::AtEffectiveCost => {
            let owner = commitment::owner(cube, class);
            format!("at effective cost: a commitment of account `{owner}`, shared as on the real bill")
        }
        Treatment::UnusedPart => {
            "what nobody has used of a commitment that is shared as on the real bill".to_owned()
        }
        Treatment::Priced(of_base) => {
            use LineItemType::{DiscountedUsage, SavingsPlanCoveredUsage};
            let covered = matches!(line_item_type(cube, class), DiscountedUsage | SavingsPlanCoveredUsage);
            let owner = commitment::owner(cube, class);
            match covered {
                true if simulated => "priced On-Demand: no commitment of the group covers it".to_owned(),
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
        Measure::NetUnblended => "net unblended cost",
        Measure::ReservationEffective | Measure::SavingsPlanEffective => "effective cost",
        Measure::Usage => "usage",
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
        Pricing::FreeTier { activated: true } => "free tier".to_owned(),
        Pricing::FreeTier { activated: false } => "no free tier".to_owned(),
        Pricing::CustomTiers(tiers) => {
            format!("tiers {}", self::tiers(tiers.tiers()))
        }
    }
}

/// Tiers and their rates.
pub fn tiers(tiers: &Tiers) -> String {
    let tier = |tier: &Tier| match tier.end {
        Some(end) => format!("{}–{end} at {}", tier.begin, tier.rate),
        None => format!("from {} at {}", tier.begin, tier.rate),
    };
    tiers.all().iter().map(tier).collect::<Vec<_>>().join(", ")
}

/// The policy that has made an item.
pub fn origin(book: &Book, origin: Origin) -> String {
    let policies = &book.policies;
    match origin {
        Origin::Sharing => "shared commitments".to_owned(),
        Origin::Allocation(number) => format!("allocation `{}`", policies.allocations[number].name),
        Origin::SupportFee(number) => format!("support fee `{}`", policies.support_fees[number].name),
        Origin::PayerCommitment(number) => {
            format!("payer commitment `{}`", policies.payer_commitments[number].name)
        }
        Origin::Minimum(number) => format!("minimum `{}`", policies.minimums[number].name),
    }
}

/// What an item charges.
pub fn charge(book: &Book, item: &CustomLineItem) -> String {
    match &item.charge {
        Charge::Flat(value) => {
            let currency = item.currency.map(|currency| format!(" {currency}")).unwrap_or_default();
            format!("{value}{currency} flat")
        }
        Charge::Computed(of) => {
            let made = item.origin.map(|origin| self::origin(book, origin)).unwrap_or_default();
            format!("{made}: {}", of.arithmetic)
        }
        Charge::Percentage(charge) => {
            let filter = match &charge.filter {
                None => String::new(),
                Some(Filter::WithoutSavingsPlanNegation) => " without Savings Plan negations".to_owned(),
                Some(Filter::OnlyService(service)) => format!(" of {service}"),
                Some(Filter::WithoutService(service)) => format!(" without {service}"),
            };
            let lines = charge.of_billing_group.then(|| format!("the group's lines{filter}"));
            let items = charge.of_items.iter().map(|item| format!("`{}`", book.items[*item].name));
            let of: Vec<String> = lines.into_iter().chain(items).collect();
            format!("{} % of {}", charge.percentage, of.join(" and "))
        }
    }
}
