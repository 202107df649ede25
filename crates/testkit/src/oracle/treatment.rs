//! What one line is and what it costs: the sections "Treatment by line item type" and "Price of a line", read in order.

use std::collections::{BTreeMap, BTreeSet};

use super::{Exact, PricedLine, account_of, product_of, type_of};
use crate::amount::Amount;
use crate::book::{BillingGroup, PricingRule, Rate, SampleBook, Scope};
use crate::line::{BASE_TIER, Line, ON_DEMAND_TERM};

/// Why a line costs what it costs; every line has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Treatment {
    /// It belongs to another month and counts nowhere.
    OtherPeriod,
    /// Neither priced nor in any AWS cost.
    LeftOut(LeftOut),
    /// Its account is in no group.
    Ungrouped,
    /// Credits, refunds and discounts: no part of a pro forma bill.
    Dropped,
    /// It belongs to a commitment of an account outside the group.
    OutsideCommitment,
    /// Its type is not known; dropped.
    Unknown,
    /// Unblended cost, no rule.
    AtCost,
    /// A base times the factor of a rule.
    Priced(Base),
}

impl Treatment {
    /// Returns whether a line of a group does not appear on its bill.
    pub fn is_dropped(self) -> bool {
        matches!(self, Self::LeftOut(_) | Self::Dropped | Self::OutsideCommitment | Self::Unknown)
    }
}

/// The names under which cost is left out of AWS cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// Repeats cost that other lines hold.
    SplitCostAllocation,
    /// Taxes.
    Tax,
    /// Support plans.
    Support,
}

impl LeftOut {
    /// Returns the name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SplitCostAllocation => "SplitCostAllocation",
            Self::Tax => "Tax",
            Self::Support => "Support",
        }
    }
}

/// The base of a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Base {
    /// The group's usage at the rule's own tiers.
    CustomTiers,
    /// Spot: unblended cost.
    Spot,
    /// Always-free usage of a quota that the month does not exhaust: 0.
    FreeUsage,
    /// Always-free usage of a quota that nobody knows: 0.
    ZeroRate,
    /// A SKU whose tiers nobody knows, in a class without discount: unblended cost.
    TieredSku,
    /// Public On-Demand cost.
    PublicCost,
    /// No public cost: unblended cost.
    UnblendedCost,
}

/// Judges the lines of one month by one book.
pub(super) struct Judge<'a> {
    book: &'a SampleBook,
    period: &'a str,
    /// SKUs with tiers that nobody knows.
    tiered_skus: BTreeSet<&'a str>,
    /// Service, tier of the rate code and unit of free usage, of which some is charged too.
    exhausted: BTreeSet<FreeOffer<'a>>,
    /// Charge classes whose net total differs from their unblended total.
    discounted: BTreeSet<ClassKey<'a>>,
}

/// What lines of one free quota have in common: service, tier, unit.
type FreeOffer<'a> = [&'a str; 3];

/// What keeps usage lines with a SKU apart: every column that a price or a document may depend on.
type ClassKey<'a> = Vec<Option<&'a str>>;

impl<'a> Judge<'a> {
    pub fn new(lines: &'a [Line], book: &'a SampleBook, period: &'a str) -> Self {
        let mut judge = Self {
            book,
            period,
            tiered_skus: BTreeSet::new(),
            exhausted: BTreeSet::new(),
            discounted: BTreeSet::new(),
        };
        let lines: Vec<&Line> = lines.iter().filter(|line| judge.is_in_period(line)).collect();
        let mut discounts: BTreeMap<ClassKey<'_>, Amount> = BTreeMap::new();
        for line in &lines {
            let net = line.line_item_net_unblended_cost.unwrap_or(line.unblended_cost());
            *discounts.entry(class_of(line)).or_default() += line.unblended_cost() - net;
        }
        let is_discount = |(_, discount): &(_, Amount)| *discount != Amount::ZERO;
        judge.discounted = discounts.into_iter().filter(is_discount).map(|(class, _)| class).collect();
        judge.tiered_skus = judge.unknown_tiers(&lines);
        judge.exhausted = exhausted(&lines);
        judge
    }

    /// SKUs of two On-Demand rate codes, or of one beyond the base tier that lines without a discount do not show to be the public rate.
    ///
    /// The sizes of tiers are never known here: no sum of generated usage is one.
    fn unknown_tiers(&self, lines: &[&'a Line]) -> BTreeSet<&'a str> {
        let mut by_sku: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
        for line in lines {
            let code = line.pricing_rate_code.as_deref().unwrap_or_default();
            let on_demand = code.split('.').nth(1) == Some(ON_DEMAND_TERM);
            if let Some(sku) =
                line.product_sku.as_deref().filter(|_| on_demand && is_own_usage(line) && is_paid(line))
            {
                by_sku.entry(sku).or_default().push(line);
            }
        }
        let is_unknown = |(_, lines): &(_, Vec<&Line>)| {
            let codes: BTreeSet<_> =
                lines.iter().filter_map(|line| line.pricing_rate_code.as_deref()).collect();
            let only = codes.first().filter(|_| codes.len() == 1);
            if only.and_then(|code| code.split('.').nth(2)) == Some(BASE_TIER) {
                return false;
            }
            let plain = lines.iter().filter(|line| !self.discounted.contains(&class_of(line)));
            let rates: BTreeSet<_> = plain.map(|line| rate(&line.line_item_unblended_rate)).collect();
            let public: BTreeSet<_> =
                lines.iter().map(|line| rate(&line.pricing_public_on_demand_rate)).collect();
            only.is_none() || public.len() != 1 || (!rates.is_empty() && rates != public)
        };
        by_sku.into_iter().filter(is_unknown).map(|(sku, _)| sku).collect()
    }

    /// A line belongs to the month in which its billing period starts.
    pub fn is_in_period(&self, line: &Line) -> bool {
        line.bill_billing_period_start_date.as_deref().is_some_and(|start| start.starts_with(self.period))
    }

    /// Prices a line.
    pub fn price(&self, line: &Line) -> PricedLine {
        let cost = line.line_item_net_unblended_cost.unwrap_or(line.unblended_cost());
        let group = self.book.group_of(account_of(line));
        let rules = group.map(|group| self.book.rules_of(group)).unwrap_or_default();
        let treatment = self.treatment(line, group, &rules);
        let (rule, pro_forma_cost) = match treatment {
            Treatment::AtCost => (None, Some(line.unblended_cost().into())),
            Treatment::Priced(Base::CustomTiers) => (tier_rule(line, &rules), None),
            Treatment::Priced(base) => {
                let rule = percentage_rule(line, &rules);
                (rule, Some(base_cost(base, line).times(&factor(rule))))
            }
            _ => (None, None),
        };
        PricedLine { treatment, rule: rule.map(|rule| rule.name.clone()), cost: cost.into(), pro_forma_cost }
    }

    /// The table, top to bottom: the first that fits decides.
    fn treatment(&self, line: &Line, group: Option<&BillingGroup>, rules: &[&PricingRule]) -> Treatment {
        if !self.is_in_period(line) {
            return Treatment::OtherPeriod;
        }
        if let Some(name) = left_out(line) {
            return Treatment::LeftOut(name);
        }
        let Some(group) = group else { return Treatment::Ungrouped };
        let owned_inside = group.accounts.iter().any(|account| account == owner_of(line));
        match type_of(line) {
            "Credit" | "Refund" => Treatment::Dropped,
            discount if discount.ends_with("Discount") => Treatment::Dropped,
            "Usage" => Treatment::Priced(self.base(line, rules)),
            "DiscountedUsage" | "SavingsPlanCoveredUsage" if owned_inside => Treatment::AtCost,
            "DiscountedUsage" | "SavingsPlanCoveredUsage" => Treatment::Priced(self.base(line, rules)),
            "SavingsPlanNegation" | "SavingsPlanRecurringFee" | "SavingsPlanUpfrontFee" | "RIFee"
                if owned_inside =>
            {
                Treatment::AtCost
            }
            "SavingsPlanNegation" | "SavingsPlanRecurringFee" | "SavingsPlanUpfrontFee" | "RIFee" => {
                Treatment::OutsideCommitment
            }
            "Fee" if arn_of(line).is_some() && owned_inside => Treatment::AtCost,
            "Fee" if arn_of(line).is_some() => Treatment::OutsideCommitment,
            "Fee" | "FlatRateSubscription" => Treatment::Priced(self.base(line, rules)),
            _ => Treatment::Unknown,
        }
    }

    /// The list of bases, top to bottom: the first that fits decides.
    fn base(&self, line: &Line, rules: &[&PricingRule]) -> Base {
        let is_usage = type_of(line) == "Usage";
        let is_covered = matches!(type_of(line), "DiscountedUsage" | "SavingsPlanCoveredUsage");
        let is_spot = is_usage && is_spot(line);
        if (is_usage || is_covered) && !is_spot && tier_rule(line, rules).is_some() {
            return Base::CustomTiers;
        }
        if is_spot {
            return Base::Spot;
        }
        let public_rate = rate(&line.pricing_public_on_demand_rate);
        if is_usage
            && rate(&line.line_item_unblended_rate) == Some(0)
            && public_rate.is_some_and(|rate| rate > 0)
        {
            return if self.exhausted.contains(&free_offer(line)) { Base::ZeroRate } else { Base::FreeUsage };
        }
        if line.pricing_public_on_demand_cost.unwrap_or_default() == Amount::ZERO {
            return Base::UnblendedCost;
        }
        let is_tiered = line.product_sku.as_deref().is_some_and(|sku| self.tiered_skus.contains(sku));
        if is_usage && is_tiered && !self.discounted.contains(&class_of(line)) {
            return Base::TieredSku;
        }
        Base::PublicCost
    }
}

/// Whether a line is usage that tiers may count.
fn is_own_usage(line: &Line) -> bool {
    type_of(line) == "Usage" && left_out(line).is_none() && !is_spot(line)
}

fn is_free(line: &Line) -> bool {
    rate(&line.line_item_unblended_rate) == Some(0)
        && rate(&line.pricing_public_on_demand_rate).is_some_and(|rate| rate > 0)
}

fn free_offer(line: &Line) -> FreeOffer<'_> {
    let tier = line.pricing_rate_code.as_deref().unwrap_or_default().split('.').nth(2).unwrap_or_default();
    [product_of(line), tier, line.pricing_unit.as_deref().unwrap_or_default()]
}

/// The free quotas of which some SKU is charged too. That nobody knows their size is sure: no sum of generated free usage is whole.
fn exhausted<'a>(lines: &[&'a Line]) -> BTreeSet<FreeOffer<'a>> {
    let own = || lines.iter().filter(|line| is_own_usage(line));
    let charged: BTreeSet<_> =
        own().filter(|line| is_paid(line)).filter_map(|line| line.product_sku.as_deref()).collect();
    let is_charged = |line: &&&Line| line.product_sku.as_deref().is_some_and(|sku| charged.contains(sku));
    own().filter(|line| is_free(line)).filter(is_charged).map(|line| free_offer(line)).collect()
}

fn left_out(line: &Line) -> Option<LeftOut> {
    let operation = line.line_item_operation.as_deref().unwrap_or_default();
    let parent = line.split_line_item_parent_resource_id.as_deref().unwrap_or_default();
    if !parent.is_empty() || operation == "EKSPod-EC2" || operation == "ECSTask-EC2" {
        return Some(LeftOut::SplitCostAllocation);
    }
    if type_of(line) == "Tax" {
        return Some(LeftOut::Tax);
    }
    let product_code = line.line_item_product_code.as_deref().unwrap_or_default();
    let is_support = product_code.starts_with("AWSSupport") || product_code.contains("PremiumSupport");
    is_support.then_some(LeftOut::Support)
}

/// The ARN of the commitment that a line belongs to: Savings Plan types have the one, reservation types the other.
fn arn_of(line: &Line) -> Option<&str> {
    let savings_plan = line.savings_plan_savings_plan_a_r_n.as_deref().filter(|arn| !arn.is_empty());
    let reservation = line.reservation_reservation_a_r_n.as_deref().filter(|arn| !arn.is_empty());
    match type_of(line) {
        "DiscountedUsage" | "RIFee" => reservation,
        "Fee" => reservation.or(savings_plan),
        _ => savings_plan,
    }
}

fn owner_of(line: &Line) -> &str {
    arn_of(line).map_or(account_of(line), |arn| arn.split(':').nth(4).unwrap_or_default())
}

fn is_spot(line: &Line) -> bool {
    let usage_type = line.line_item_usage_type.as_deref().unwrap_or_default();
    let term = line.pricing_term.as_deref().unwrap_or_default();
    term == "Spot"
        || usage_type.contains("SpotUsage")
        || (usage_type.contains("BoxUsage") && term.is_empty() && is_paid(line))
}

/// Whether the line has a rate above 0.
fn is_paid(line: &Line) -> bool {
    rate(&line.line_item_unblended_rate).is_some_and(|rate| rate > 0)
}

/// The charge class of a usage line. Zone and size, which only commitments look at, and descriptions, which only free
/// usage and fees have in their class, do not tell lines of tiered SKUs apart.
fn class_of(line: &Line) -> ClassKey<'_> {
    let public_cost = line.pricing_public_on_demand_cost.filter(|cost| *cost != Amount::ZERO);
    let rate_state = rate(&line.line_item_unblended_rate).map(|rate| if rate > 0 { "+" } else { "0" });
    let texts = [
        &line.line_item_usage_account_id,
        &line.product_servicecode,
        &line.line_item_product_code,
        &line.line_item_usage_type,
        &line.line_item_operation,
        &line.line_item_line_item_type,
        &line.product_sku,
        &line.product_region_code,
        &line.pricing_unit,
        &line.pricing_term,
        &line.pricing_rate_code,
        &line.pricing_public_on_demand_rate,
        &line.reservation_reservation_a_r_n,
        &line.savings_plan_savings_plan_a_r_n,
        &line.split_line_item_parent_resource_id,
        &line.bill_bill_type,
        &line.bill_billing_entity,
        &line.bill_invoicing_entity,
        &line.line_item_legal_entity,
        &line.bill_invoice_id,
        &line.line_item_currency_code,
        &line.pricing_currency,
    ];
    let states = [rate_state, public_cost.map(|_| "+")];
    texts.into_iter().map(|text| text.as_deref()).chain(states).collect()
}

fn rate(text: &Option<String>) -> Option<i128> {
    text.as_deref().and_then(|text| text.parse::<Amount>().ok()).map(|rate| rate.0)
}

fn base_cost(base: Base, line: &Line) -> Exact {
    match base {
        Base::CustomTiers => unreachable!("only a pool has the price of custom tiers"),
        Base::FreeUsage | Base::ZeroRate => Exact::default(),
        Base::PublicCost => line.pricing_public_on_demand_cost.unwrap_or_default().into(),
        Base::Spot | Base::TieredSku | Base::UnblendedCost => line.unblended_cost().into(),
    }
}

fn factor(rule: Option<&PricingRule>) -> Exact {
    let one = Exact::of("1");
    match rule.map(|rule| &rule.rate) {
        Some(Rate::Markup(percentage)) => one.clone() + &one.percent(&Exact::of(percentage)),
        Some(Rate::Discount(percentage)) => one.clone() - &one.percent(&Exact::of(percentage)),
        _ => one,
    }
}

/// The place of a rule's scope among those that select the line, the most specific first.
fn specificity(rule: &PricingRule, line: &Line) -> Option<u8> {
    let is = |column: &Option<String>, value: &str| column.as_deref() == Some(value);
    match &rule.scope {
        Scope::Sku { service, usage_type, operation } => {
            let selects = service == product_of(line) && is(&line.line_item_usage_type, usage_type);
            match operation {
                Some(operation) => (selects && is(&line.line_item_operation, operation)).then_some(0),
                None => selects.then_some(1),
            }
        }
        Scope::Service(service) => (service == product_of(line)).then_some(2),
        Scope::BillingEntity(entity) => is(&line.bill_billing_entity, entity).then_some(3),
        Scope::Global => Some(4),
    }
}

fn most_specific<'a>(
    line: &Line,
    rules: &[&'a PricingRule],
    fits: fn(&Rate) -> bool,
) -> Option<(u8, &'a PricingRule)> {
    let candidates = rules.iter().filter(|rule| fits(&rule.rate));
    let ranked = candidates.filter_map(|rule| specificity(rule, line).map(|place| (place, *rule)));
    ranked.min_by_key(|(place, _)| *place)
}

fn percentage_rule<'a>(line: &Line, rules: &[&'a PricingRule]) -> Option<&'a PricingRule> {
    let fits = |rate: &Rate| matches!(rate, Rate::Markup(_) | Rate::Discount(_));
    most_specific(line, rules, fits).map(|(_, rule)| rule)
}

/// The custom tier rule of a line, unless a percentage rule is more specific: one rule prices a line.
fn tier_rule<'a>(line: &Line, rules: &[&'a PricingRule]) -> Option<&'a PricingRule> {
    let fits = |rate: &Rate| !matches!(rate, Rate::FreeTier(_));
    let (_, rule) = most_specific(line, rules, fits)?;
    matches!(rule.rate, Rate::CustomTiers(_)).then_some(rule)
}
