//! The reconciliation: every line and every amount of the cost files, accounted for.
//!
//! Control totals are summed while the files are read, before any line is classified; here they meet what became of the
//! classes. The difference is 0, or something is wrong with the program.

use crate::account::AccountId;
use crate::billing_group::BillingGroup;
use crate::book::Book;
use crate::charge_class::{ChargeClass, ClassId, Cube, KeyColumn, Measure};
use crate::class_kind::line_item_type;
use crate::commitment;
use crate::cost_line::LineItemType;
use crate::money::{Cost, Currency, DecimalError, Quantity};
use crate::rate_card::{Base, RateCard, Reason, Treatment};
use crate::responsibility_transfer::Phase;
use crate::statement::Statement;
use std::collections::{BTreeMap, BTreeSet};

/// A currency's totals over all accepted lines of the period, summed line by line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ControlTotal {
    /// Net unblended cost, or unblended where a line has no net.
    pub net_unblended: Cost,
    /// Unblended cost.
    pub unblended: Cost,
}

/// Where the amounts of one currency went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CurrencyReconciliation {
    /// All lines, summed before any was classified.
    pub cost_files_total: Cost,
    /// The same of unblended cost.
    pub cost_files_unblended_total: Cost,
    /// AWS cost of the groups.
    pub groups_total: Cost,
    /// AWS cost of accounts in no group.
    pub ungrouped_total: Cost,
    /// What is in nobody's AWS cost, by line item type; support under `Support`.
    pub left_out_of_aws_cost: BTreeMap<String, Cost>,
    /// What the groups' pro forma bills leave out, by line item type; support under `Support`.
    pub dropped_from_pro_forma: BTreeMap<String, Cost>,
    /// The groups' pro forma bills, as shown.
    pub pro_forma_total: Cost,
    /// Unblended cost that stands for a missing public cost.
    pub fallen_back_total: Cost,
    /// `cost_files_total` − `groups_total` − `ungrouped_total` − what was left out: 0.
    pub difference: Cost,
}

/// How many lines had which fate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineCounts {
    /// On a group's pro forma bill.
    pub rated: u64,
    /// Of a group, but left out of its bill.
    pub dropped: u64,
    /// Sources of allocations, of whatever account.
    pub allocated: u64,
    /// Of accounts in no group, and of no allocation.
    pub ungrouped: u64,
    /// Rated at unblended cost for want of a public cost.
    pub fallen_back: u64,
    /// Of usage under a commitment, but without its ARN: the account that used it counts as the owner.
    pub commitment_without_arn: u64,
    /// Whose service code and product code differ: SERVICE and SKU rules match the service code.
    pub service_differs_from_product: u64,
}

/// A class that an operator should look at, with the amount at stake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotedClass {
    /// The class, by number in the cube.
    pub class: usize,
    /// Its identity.
    pub id: ClassId,
    /// The amount at stake, in the class's currency.
    pub amount: Cost,
}

/// The whole account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// By currency.
    pub currencies: BTreeMap<Currency, CurrencyReconciliation>,
    /// Line counts.
    pub lines: LineCounts,
    /// Always-free usage whose quota is not known, at 0; the amount is its public On-Demand cost.
    pub zero_rate: Vec<NotedClass>,
    /// Usage of SKUs whose tiers are not known, at its unblended cost; the amount is that cost.
    pub tiered_on_unblended: Vec<NotedClass>,
    /// Usage of SKUs whose tiers are not known, under a discount, at its public cost; the amount is that cost.
    pub tiered_on_public: Vec<NotedClass>,
    /// Line item types that this program does not know, with their lines and net cost over all accounts.
    pub unknown_line_item_types: BTreeMap<String, (u64, Cost)>,
    /// Rules of a plan in use that priced nothing.
    pub rules_without_lines: Vec<String>,
    /// Accounts of billing groups that have no line this month.
    pub accounts_without_lines: Vec<String>,
}

/// Accounts for every class.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn reconcile(
    cube: &Cube,
    book: &Book,
    card: &RateCard,
    statements: &[Statement],
    control: &BTreeMap<Currency, ControlTotal>,
) -> Result<Reconciliation, DecimalError> {
    let mut account = Reconciliation::default();
    for (currency, total) in control {
        let of_currency = account.currencies.entry(*currency).or_default();
        of_currency.cost_files_total = total.net_unblended;
        of_currency.cost_files_unblended_total = total.unblended;
    }
    for number in 0..cube.classes.len() {
        account.add_class(cube, book, card, number)?;
    }
    for statement in statements {
        let total = &mut account.currencies.entry(statement.currency).or_default().pro_forma_total;
        *total = total.plus(statement.total_shown)?;
    }
    for total in account.currencies.values_mut() {
        let left_out = total.left_out_of_aws_cost.values();
        let accounted = left_out.copied().chain([total.groups_total, total.ungrouped_total]);
        let accounted = accounted.into_iter().try_fold(Cost::ZERO, |sum: Cost, more| sum.plus(more))?;
        total.difference = total.cost_files_total.minus(accounted)?;
    }
    account.rules_without_lines = rules_without_lines(cube, book, card);
    account.accounts_without_lines = accounts_without_lines(cube, book);
    Ok(account)
}

impl Reconciliation {
    fn add_class(
        &mut self,
        cube: &Cube,
        book: &Book,
        card: &RateCard,
        number: usize,
    ) -> Result<(), DecimalError> {
        let (class, entry) = (&cube.classes[number], &card.entries[number]);
        let kind = line_item_type(cube, class);
        let cost = class.sum(Measure::NetUnblended);
        let currency =
            cube.value(class, KeyColumn::Currency).and_then(Currency::parse).unwrap_or(book.currency);
        let total = self.currencies.entry(currency).or_default();
        let left_out = entry.left_out_of_aws_cost(cube, class);
        let sum = match (left_out, entry.group) {
            (Some(reason), _) => {
                total.left_out_of_aws_cost.entry(reason_name(cube, class, reason.into())).or_default()
            }
            (None, Some(_)) => &mut total.groups_total,
            (None, None) => &mut total.ungrouped_total,
        };
        *sum = sum.plus(cost)?;
        if kind == LineItemType::Unknown {
            let name = cube.value(class, KeyColumn::LineItemType).unwrap_or_default().to_owned();
            let unknown = self.unknown_line_item_types.entry(name).or_default();
            *unknown = (unknown.0 + class.lines, unknown.1.plus(cost)?);
        }
        match entry.treatment {
            Treatment::Ungrouped => self.lines.ungrouped += class.lines,
            Treatment::Dropped(reason) => {
                self.lines.dropped += class.lines;
                let dropped =
                    total.dropped_from_pro_forma.entry(reason_name(cube, class, reason)).or_default();
                *dropped = dropped.plus(cost)?;
            }
            Treatment::Allocated(_) => self.lines.allocated += class.lines,
            Treatment::AsInvoiced
            | Treatment::AtCost
            | Treatment::AtEffectiveCost
            | Treatment::UnusedPart
            | Treatment::PassedOn
            | Treatment::Covered => self.lines.rated += class.lines,
            Treatment::Priced(base) => {
                self.lines.rated += class.lines;
                self.note_base(cube, card, number, base, currency)?;
            }
        }
        if covers(kind) && commitment::arn(cube, class).is_none() {
            self.lines.commitment_without_arn += class.lines;
        }
        if differs(cube, class) {
            self.lines.service_differs_from_product += class.lines;
        }
        Ok(())
    }

    fn note_base(
        &mut self,
        cube: &Cube,
        card: &RateCard,
        number: usize,
        base: Base,
        currency: Currency,
    ) -> Result<(), DecimalError> {
        let class = card.class(cube, number);
        let noted = |amount: Quantity| NotedClass { class: number, id: cube.class_id(class), amount };
        let unblended = class.sum(Measure::Unblended);
        match base {
            Base::ZeroRate => self.zero_rate.push(noted(class.sum(Measure::PublicOnDemand))),
            Base::TieredUnblended => self.tiered_on_unblended.push(noted(unblended)),
            Base::TieredPublic => self.tiered_on_public.push(noted(class.sum(Measure::PublicOnDemand))),
            // Usage under a reservation costs 0 unblended: without a public cost it is given away, which somebody should know.
            Base::FallenBack if !unblended.is_zero() || covers(line_item_type(cube, class)) => {
                self.lines.fallen_back += class.lines;
                let total = &mut self.currencies.entry(currency).or_default().fallen_back_total;
                *total = total.plus(unblended)?;
            }
            Base::FallenBack | Base::CustomTiers | Base::GroupTiers | Base::Spot | Base::PublicOnDemand => {}
        }
        Ok(())
    }
}

/// Whether lines of a type are about usage under a commitment.
fn covers(kind: LineItemType) -> bool {
    use LineItemType::{DiscountedUsage, SavingsPlanCoveredUsage, SavingsPlanNegation};
    matches!(kind, DiscountedUsage | SavingsPlanCoveredUsage | SavingsPlanNegation)
}

/// The groups that have accounts in the month.
fn groups_in_force<'a>(cube: &Cube, book: &'a Book) -> impl Iterator<Item = &'a BillingGroup> {
    let period = cube.period;
    let in_force = move |(group, _): &(usize, &BillingGroup)| book.phase(*group, period) == Phase::InForce;
    book.groups.iter().enumerate().filter(in_force).map(|(_, group)| group)
}

/// Accounts of the book's groups that the month knows nothing of: idle, or misspelled.
fn accounts_without_lines(cube: &Cube, book: &Book) -> Vec<String> {
    let seen = cube.accounts();
    let members = groups_in_force(cube, book).flat_map(|group| &group.accounts).map(AccountId::as_str);
    members.filter(|account| !seen.contains_key(account)).map(ToOwned::to_owned).collect()
}

fn differs(cube: &Cube, class: &ChargeClass) -> bool {
    let service = cube.filled(class, KeyColumn::ServiceCode);
    service.is_some() && service != cube.filled(class, KeyColumn::ProductCode)
}

/// What a left-out class is listed under: its line item type, or the reason where that says more.
fn reason_name(cube: &Cube, class: &ChargeClass, reason: Reason) -> String {
    match reason {
        Reason::Support => "Support".to_owned(),
        Reason::SplitCostAllocation => "SplitCostAllocation".to_owned(),
        _ => cube.value(class, KeyColumn::LineItemType).unwrap_or_default().to_owned(),
    }
}

/// Rules in the plan of some group that priced no line: misspelled, perhaps.
fn rules_without_lines(cube: &Cube, book: &Book, card: &RateCard) -> Vec<String> {
    let plans = groups_in_force(cube, book).filter_map(|group| group.pricing_plan.own());
    let mut unused: BTreeSet<usize> = plans.flat_map(|plan| book.plans[plan].rules.iter().copied()).collect();
    for rule in card.entries.iter().filter_map(|entry| entry.rule) {
        unused.remove(&(rule as usize));
    }
    unused.retain(|&rule| !matches!(book.rules[rule].pricing, crate::pricing::Pricing::FreeTier { .. }));
    unused.into_iter().map(|rule| book.rules[rule].name.clone()).collect()
}
