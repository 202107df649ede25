//! Which rules of a book the cost files of a month can serve.
//!
//! A rule that matches by something which is only derived from other columns is approximate, and one that matches by something which is not
//! there is refused by name: never silently unmatched. `docs/focus.md` has the table in words.

use crate::abilities::{Ability, Feature};
use crate::book::Book;
use crate::charge_class::{ChargeClass, Cube};
use crate::class_kind::line_item_type;
use crate::cost_line::LineItemType;
use crate::custom_line_item::{Charge, Filter};
use crate::policy::CostAllocation;
use crate::pricing::Scope;
use crate::sharing::Sharing;
use std::collections::{BTreeMap, BTreeSet};

/// The kinds of rules that depend on what files can say; any other is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    BillingEntity,
    Service,
    Sku,
    SkuOperation,
    ServiceFilter,
    NegationFilter,
    UsageTypeFilter,
}

/// A row of the table: what a kind of rule needs, and what becomes of it where the files only derive it or do not say it.
type Need = (Kind, Feature, &'static str, &'static str);

const NAMED: &str = "the files have no service code: it must be the service's name";
const NO_SERVICE: &str = "the files name no service";
const METER: &str = "`SkuMeter` stands for the usage type";
const NO_USAGE_TYPE: &str = "the files have no usage type (FOCUS: neither `x_UsageType` nor `SkuMeter`)";

const NEEDS: [Need; 8] = [
    (
        Kind::BillingEntity,
        Feature::Seller,
        "the seller is derived: `AWS Marketplace` where the publisher is not AWS",
        "the files name no seller (FOCUS: neither `PublisherName` nor `HostProviderName`; CUR: no `bill_billing_entity`)",
    ),
    (Kind::Service, Feature::ServiceCode, NAMED, NO_SERVICE),
    (Kind::Sku, Feature::ServiceCode, NAMED, NO_SERVICE),
    (Kind::ServiceFilter, Feature::ServiceCode, NAMED, NO_SERVICE),
    (Kind::Sku, Feature::UsageType, METER, NO_USAGE_TYPE),
    (Kind::UsageTypeFilter, Feature::UsageType, METER, NO_USAGE_TYPE),
    (
        Kind::SkuOperation,
        Feature::Operation,
        "the operation is derived",
        "the files have no operation (FOCUS: no `x_Operation`; CUR: no `line_item_operation`)",
    ),
    (
        Kind::NegationFilter,
        Feature::Negation,
        "negations are derived",
        "the files have no SavingsPlanNegation lines to leave out: in FOCUS covered usage costs 0",
    ),
];

/// What of a book the files cannot serve, and what only approximately; each names the rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What cannot be served: the month must not be priced.
    pub refused: Vec<String>,
    /// What is approximate, and why.
    pub approximate: Vec<String>,
}

/// How many rules a sentence names.
const NAMED_MAX: usize = 10;

/// Compares what is in force of a book with what a cube's files can say.
#[must_use]
pub fn verdict(cube: &Cube, book: &Book) -> Verdict {
    let mut by_reason: BTreeMap<(Ability, &str), BTreeSet<String>> = BTreeMap::new();
    for (kind, name) in in_force(cube, book) {
        for (_, feature, derived, absent) in NEEDS.iter().filter(|(of, ..)| *of == kind) {
            let reason = match cube.abilities.of(*feature) {
                Ability::Told => continue,
                Ability::Derived => (Ability::Derived, *derived),
                Ability::Absent => (Ability::Absent, *absent),
            };
            by_reason.entry(reason).or_default().insert(name.clone());
        }
    }
    let mut verdict = Verdict { refused: sharing_refused(cube, book), ..Verdict::default() };
    verdict.refused.extend(unused_refused(cube, book));
    for ((ability, reason), names) in by_reason {
        let names = enumerated(&names);
        match ability {
            Ability::Absent => verdict.refused.push(format!("{names} cannot be applied: {reason}")),
            _ => verdict.approximate.push(format!("{names}: approximate, {reason}")),
        }
    }
    verdict
}

/// Why the book's policy of sharing cannot be applied: what usage took of its commitments is not said, and there is such usage.
fn sharing_refused(cube: &Cube, book: &Book) -> Vec<String> {
    if !matches!(book.sharing, Sharing::Real | Sharing::ProRata) {
        return Vec::new();
    }
    let needed = [
        (LineItemType::DiscountedUsage, Feature::ReservationEffectiveCost, "reservation_effective_cost"),
        (
            LineItemType::SavingsPlanCoveredUsage,
            Feature::SavingsPlanEffectiveCost,
            "savings_plan_savings_plan_effective_cost",
        ),
    ];
    let refused = |(_, _, column): (LineItemType, Feature, &str)| {
        let policy = book.sharing.name();
        format!("`sharing.commitments = \"{policy}\"` cannot be applied: the files have no `{column}`")
    };
    needed.into_iter().filter(|needed| is_unsaid(cube, needed)).map(refused).collect()
}

/// Why what is unused of commitments cannot be dealt out: it is not said, and there are such fees.
fn unused_refused(cube: &Cube, book: &Book) -> Vec<String> {
    let wants = |of: &&CostAllocation| of.unused_commitments && of.in_force.contains(cube.period);
    let Some(of) = book.policies.allocations.iter().find(wants) else { return Vec::new() };
    let needed = [
        (
            LineItemType::RiFee,
            Feature::UnusedReservations,
            "`reservation_unused_recurring_fee` or `reservation_unused_amortized_upfront_fee_for_billing_period`",
        ),
        (
            LineItemType::SavingsPlanRecurringFee,
            Feature::UnusedSavingsPlans,
            "`savings_plan_used_commitment` or `savings_plan_total_commitment_to_date`",
        ),
    ];
    let refused = |(_, _, column): (LineItemType, Feature, &str)| {
        format!(
            "allocation `{}` cannot deal out `unused_commitments`: the month's fees come without {column}",
            of.name
        )
    };
    needed.into_iter().filter(|needed| is_unsaid(cube, needed)).map(refused).collect()
}

/// Whether there are lines of a type that need a feature, and the files do not say it.
fn is_unsaid(cube: &Cube, (kind, feature, _): &(LineItemType, Feature, &str)) -> bool {
    let has = |class: &ChargeClass| line_item_type(cube, class) == *kind;
    cube.abilities.of(*feature) == Ability::Absent && cube.classes.iter().any(has)
}

/// Rules of plans that groups use, and custom line items of the period, by kind.
fn in_force(cube: &Cube, book: &Book) -> Vec<(Kind, String)> {
    let plans: BTreeSet<usize> = book.groups.iter().filter_map(|group| group.pricing_plan.own()).collect();
    let rules: BTreeSet<usize> =
        plans.iter().flat_map(|plan| book.plans[*plan].rules.iter().copied()).collect();
    let mut all = Vec::new();
    for rule in rules.into_iter().map(|rule| &book.rules[rule]) {
        let kinds: &[Kind] = match &rule.scope {
            Scope::Global => &[],
            Scope::BillingEntity(_) => &[Kind::BillingEntity],
            Scope::Service(_) => &[Kind::Service],
            Scope::Sku { operation: None, .. } => &[Kind::Sku],
            Scope::Sku { operation: Some(_), .. } => &[Kind::Sku, Kind::SkuOperation],
        };
        all.extend(kinds.iter().map(|kind| (*kind, format!("pricing rule `{}`", rule.name))));
    }
    for item in book.items.iter().filter(|item| book.charges(item, cube.period)) {
        let Charge::Percentage(charge) = &item.charge else { continue };
        let kind = match &charge.filter {
            None => continue,
            Some(Filter::WithoutSavingsPlanNegation) => Kind::NegationFilter,
            Some(Filter::OnlyService(_) | Filter::WithoutService(_)) => Kind::ServiceFilter,
        };
        all.push((kind, format!("custom line item `{}`", item.name)));
    }
    for (name, filter) in book.line_filters(Some(cube.period)) {
        if !filter.services.is_empty() {
            all.push((Kind::ServiceFilter, name.clone()));
        }
        if !filter.usage_types.is_empty() {
            all.push((Kind::UsageTypeFilter, name));
        }
    }
    all
}

fn enumerated(names: &BTreeSet<String>) -> String {
    let named: Vec<&str> = names.iter().take(NAMED_MAX).map(String::as_str).collect();
    match names.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
