//! A month as AWS says it, beside the month here: what agrees, what does not, and why.
//!
//! Both sides are the same kind of thing, amounts by [`Cell`]. What only one of them has is 0 at the other. A difference is explained by what else differs: names first,
//! then what cancels, then accounts that are missing, and only then by its own line type, so that no reason is given where another one is certain.

mod naming;
mod totals;

pub use totals::{Total, totals};

use crate::money::{Amount, DecimalError};
use std::collections::{BTreeMap, BTreeSet};

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The payer's cost by service and line type.
    Service,
    /// The payer's cost by account and line type.
    Account,
    /// A billing group's cost, price and margin.
    BillingGroup,
    /// The same by product.
    Product,
}

impl Part {
    /// Its name, as the API writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "SERVICE",
            Self::Account => "ACCOUNT",
            Self::BillingGroup => "BILLING_GROUP",
            Self::Product => "PRODUCT",
        }
    }
}

/// What one amount is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// What is compared.
    pub part: Part,
    /// The billing group, where it is of one.
    pub group: String,
    /// The service, the account, the product; of a billing group's own, nothing.
    pub name: String,
    /// The line type, or [`AWS_COST`], [`PRO_FORMA_COST`], [`MARGIN`].
    pub of: String,
    /// The currency.
    pub currency: String,
}

/// What AWS charges for a billing group.
pub const AWS_COST: &str = "AWSCost";
/// What a billing group is charged.
pub const PRO_FORMA_COST: &str = "ProformaCost";
/// The difference of both.
pub const MARGIN: &str = "Margin";

/// What one side says of a month.
pub type Month = BTreeMap<Cell, Amount>;

/// Why two amounts are not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Within the tolerance.
    Rounding,
    /// The other side has the amounts under this name, which is of the same thing.
    NamedDifferently(String),
    /// The other side alone has these amounts under this name, and nothing says that it is of the same thing.
    SameAmountUnder(String),
    /// The other side has as much more under this service.
    CountedUnder(String),
    /// Within the service or account, other line types differ by as much the other way.
    OtherLineType(String),
    /// What Savings Plans cover and its negation differ by the same: they cancel.
    SavingsPlanNegation,
    /// It is what these accounts cost, of which nothing is here.
    AccountsMissingHere(Vec<String>),
    /// Nothing of the account is here.
    AccountMissingHere,
    /// Nothing of the account is at AWS.
    AccountMissingAtAws,
    /// Nothing of the service is here.
    ServiceMissingHere,
    /// Nothing of the service is at AWS.
    ServiceMissingAtAws,
    /// The line type is not here yet: it comes once AWS invoices the month.
    NotDelivered(Late),
    /// The line type is here and at AWS, otherwise: it changes until AWS invoices the month.
    Corrected(Late),
    /// Lines of the type are missing here; these accounts differ in it.
    LinesMissingHere(Vec<String>),
    /// Lines of the type are here that AWS does not have; these accounts differ in it.
    LinesMissingAtAws(Vec<String>),
    /// Lines of the type are on both sides and come to something else; these accounts differ in it.
    AmountsDiffer(Vec<String>),
    /// The billing group is at AWS and not here.
    GroupMissingHere,
    /// The billing group is here and not at AWS.
    GroupMissingAtAws,
    /// The product is on the group's report at AWS, and not here.
    ProductMissingHere,
    /// The product is on the group's report here, and not at AWS.
    ProductMissingAtAws,
    /// What AWS charges for the group differs: its accounts or the month's lines do.
    GroupCost,
    /// What AWS charges for the group is the same, and what it is charged is not.
    Price,
    /// What AWS charges for the group differs, and what it is charged with it.
    CostAndPrice,
    /// It is the difference of the other two.
    MarginFollows,
}

/// Line types that AWS delivers late, or corrects until a month is invoiced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// Tax.
    Tax,
    /// Credits.
    Credit,
    /// Refunds.
    Refund,
    /// AWS Support.
    Support,
}

impl Late {
    /// What comes late, of a month that AWS still estimates; once it is invoiced, nothing does.
    fn of(cell: &Cell, is_estimated: bool) -> Option<Self> {
        is_estimated.then_some(())?;
        Some(match cell.of.as_str() {
            "Tax" => Self::Tax,
            "Credit" => Self::Credit,
            "Refund" => Self::Refund,
            "Support" => Self::Support,
            _ if cell.part == Part::Service && naming::is_support(&cell.name) => Self::Support,
            _ => return None,
        })
    }
}

impl Reason {
    /// Whether the cost agrees all the same: names of one thing and digits are no money.
    #[must_use]
    pub const fn agrees(&self) -> bool {
        matches!(self, Self::Rounding | Self::NamedDifferently(_))
    }

    /// Its name, as the API writes it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Rounding => "ROUNDING",
            Self::NamedDifferently(_) => "NAMED_DIFFERENTLY",
            Self::SameAmountUnder(_) => "SAME_AMOUNT_UNDER_ANOTHER_NAME",
            Self::CountedUnder(_) => "COUNTED_UNDER_ANOTHER_SERVICE",
            Self::OtherLineType(_) => "OTHER_LINE_TYPE",
            Self::SavingsPlanNegation => "SAVINGS_PLAN_NEGATION",
            Self::AccountsMissingHere(_) | Self::AccountMissingHere => "ACCOUNT_MISSING_HERE",
            Self::AccountMissingAtAws => "ACCOUNT_MISSING_AT_AWS",
            Self::ServiceMissingHere => "SERVICE_MISSING_HERE",
            Self::ServiceMissingAtAws => "SERVICE_MISSING_AT_AWS",
            Self::NotDelivered(Late::Tax) => "TAX_NOT_DELIVERED",
            Self::NotDelivered(Late::Credit) => "CREDIT_NOT_DELIVERED",
            Self::NotDelivered(Late::Refund) => "REFUND_NOT_DELIVERED",
            Self::NotDelivered(Late::Support) => "SUPPORT_NOT_DELIVERED",
            Self::Corrected(Late::Tax) => "TAX_DIFFERS",
            Self::Corrected(Late::Credit) => "CREDIT_DIFFERS",
            Self::Corrected(Late::Refund) => "REFUND_DIFFERS",
            Self::Corrected(Late::Support) => "SUPPORT_DIFFERS",
            Self::LinesMissingHere(_) => "LINES_MISSING_HERE",
            Self::LinesMissingAtAws(_) => "LINES_MISSING_AT_AWS",
            Self::AmountsDiffer(_) => "AMOUNTS_DIFFER",
            Self::GroupMissingHere => "BILLING_GROUP_MISSING_HERE",
            Self::GroupMissingAtAws => "BILLING_GROUP_MISSING_AT_AWS",
            Self::ProductMissingHere => "PRODUCT_MISSING_HERE",
            Self::ProductMissingAtAws => "PRODUCT_MISSING_AT_AWS",
            Self::GroupCost => "AWS_COST_DIFFERS",
            Self::Price => "PRICED_DIFFERENTLY",
            Self::CostAndPrice => "AWS_COST_AND_PRICE_DIFFER",
            Self::MarginFollows => "MARGIN_FOLLOWS",
        }
    }
}

/// One amount of both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is of.
    pub cell: Cell,
    /// What AWS says.
    pub aws: Amount,
    /// What is here.
    pub here: Amount,
    /// AWS's less what is here.
    pub difference: Amount,
    /// Why; `None` where both are the same.
    pub reason: Option<Reason>,
}

impl Row {
    /// Whether the cost is the same.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.reason.as_ref().is_none_or(Reason::agrees)
    }
}

/// How a month is compared.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// By how much an amount may differ.
    pub tolerance: Amount,
    /// Whether AWS has not invoiced the month yet.
    pub is_estimated: bool,
}

/// Compares a month, amount by amount, in the order of their cells.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn compare(aws: &Month, here: &Month, terms: Terms) -> Result<Vec<Row>, DecimalError> {
    let tolerance = terms.tolerance;
    let cells: BTreeSet<&Cell> = aws.keys().chain(here.keys()).collect();
    let mut rows = Vec::with_capacity(cells.len());
    for cell in cells {
        let of = |month: &Month| month.get(cell).copied().unwrap_or_default();
        let (aws, here) = (of(aws), of(here));
        let difference = aws.minus(here)?;
        let is_small = difference.units().unsigned_abs() <= tolerance.units().unsigned_abs();
        let reason = (is_small && !difference.is_zero()).then_some(Reason::Rounding);
        rows.push(Row { cell: cell.clone(), aws, here, difference, reason });
    }
    naming::explain_names(&mut rows);
    explain_what_cancels(&mut rows)?;
    let explained = Explained::of((aws, here), &rows, terms.is_estimated)?;
    // A group that one side does not have is told whatever it costs: it may be empty.
    let of_groups =
        rows.iter_mut().filter(|row| row.cell.part == Part::BillingGroup && row.cell.of == AWS_COST);
    for row in of_groups {
        row.reason = explained.missing_group(&row.cell).or(row.reason.take());
    }
    for row in rows.iter_mut().filter(|row| row.reason.is_none() && !row.difference.is_zero()) {
        row.reason = Some(explained.reason(row));
    }
    Ok(rows)
}

/// Within a service or an account: coverage and its negation, and line types that have other names.
fn explain_what_cancels(rows: &mut [Row]) -> Result<(), DecimalError> {
    let mut within: BTreeMap<(Part, String, String), Vec<usize>> = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        if matches!(row.cell.part, Part::Service | Part::Account) && is_open(row) {
            let key = (row.cell.part, row.cell.name.clone(), row.cell.currency.clone());
            within.entry(key).or_default().push(place);
        }
    }
    for places in within.values() {
        let is_of_plans = |place: &&usize| {
            let of = rows.get(**place).map_or("", |row| row.cell.of.as_str());
            of == "SavingsPlanNegation" || of == "SavingsPlanCoveredUsage"
        };
        let of_plans: Vec<usize> = places.iter().filter(is_of_plans).copied().collect();
        if of_plans.len() == 2 && cancels(rows, &of_plans)? {
            set(rows, &of_plans, |_| Reason::SavingsPlanNegation);
        }
        naming::explain_types(rows, places);
        let open: Vec<usize> =
            places.iter().filter(|place| rows.get(**place).is_some_and(is_open)).copied().collect();
        if open.len() < 2 || !cancels(rows, &open)? {
            continue;
        }
        let all: Vec<String> =
            open.iter().filter_map(|place| rows.get(*place)).map(|row| row.cell.of.clone()).collect();
        set(rows, &open, |row| {
            let others = all.iter().filter(|of| **of != row.cell.of).cloned().collect::<Vec<_>>();
            Reason::OtherLineType(others.join(", "))
        });
    }
    Ok(())
}

/// Whether a row differs and nobody has said why.
fn is_open(row: &Row) -> bool {
    row.reason.is_none() && !row.difference.is_zero()
}

fn cancels(rows: &[Row], places: &[usize]) -> Result<bool, DecimalError> {
    let mut sum = Amount::ZERO;
    for row in places.iter().filter_map(|place| rows.get(*place)) {
        sum = sum.plus(row.difference)?;
    }
    Ok(sum.is_zero())
}

fn set(rows: &mut [Row], places: &[usize], reason: impl Fn(&Row) -> Reason) {
    for place in places {
        if let Some(row) = rows.get_mut(*place) {
            row.reason = Some(reason(row));
        }
    }
}

/// The differences of a line type: of all services, and of the accounts of which nothing is here.
#[derive(Default)]
struct OfType {
    services: Amount,
    missing: Amount,
    names: Vec<String>,
    /// Whether AWS has more of a service, and whether it has less of one.
    more: bool,
    less: bool,
    /// Whether accounts that are here differ, too.
    others: bool,
}

impl OfType {
    /// Whether it is certain that the accounts are what the services lack: they come to the same, no other account differs, and no service differs the other way.
    fn explains(&self) -> bool {
        let is_one_way = self.more != self.less && self.more == (self.missing.units() > 0);
        self.services == self.missing && !self.missing.is_zero() && !self.others && is_one_way
    }
}

/// What is known of the whole month when one difference of it is explained.
struct Explained {
    /// Whether AWS has not invoiced the month yet.
    is_estimated: bool,
    /// Who has nothing at all on one side, by part, group and name.
    missing_here: BTreeSet<(Part, String, String)>,
    missing_at_aws: BTreeSet<(Part, String, String)>,
    /// The billing groups of either side.
    groups_here: BTreeSet<String>,
    groups_at_aws: BTreeSet<String>,
    /// Of a line type: accounts that differ in it.
    accounts: BTreeMap<(String, String), Vec<String>>,
    /// Line types, of which the accounts that are missing here cost as much as all services differ by.
    by_accounts: BTreeMap<(String, String), Vec<String>>,
    /// Groups and products whose AWS cost differs.
    costs: BTreeSet<(Part, String, String)>,
}

impl Explained {
    fn of((aws, here): (&Month, &Month), rows: &[Row], is_estimated: bool) -> Result<Self, DecimalError> {
        let things =
            |month: &Month| -> BTreeSet<(Part, String, String)> { month.keys().map(thing).collect() };
        let groups = |month: &Month| -> BTreeSet<String> {
            let of = month.keys().filter(|cell| cell.part == Part::BillingGroup);
            of.map(|cell| cell.group.clone()).collect()
        };
        let (at_aws, at_home) = (things(aws), things(here));
        let mut known = Self {
            is_estimated,
            missing_here: at_aws.difference(&at_home).cloned().collect(),
            missing_at_aws: at_home.difference(&at_aws).cloned().collect(),
            groups_here: groups(here),
            groups_at_aws: groups(aws),
            accounts: BTreeMap::new(),
            by_accounts: BTreeMap::new(),
            costs: BTreeSet::new(),
        };
        let mut types: BTreeMap<(String, String), OfType> = BTreeMap::new();
        for row in rows.iter().filter(|row| is_open(row)) {
            let of = (row.cell.of.clone(), row.cell.currency.clone());
            let of_type = types.entry(of.clone()).or_default();
            match row.cell.part {
                Part::Service => {
                    of_type.services = of_type.services.plus(row.difference)?;
                    of_type.more |= row.difference.units() > 0;
                    of_type.less |= row.difference.units() < 0;
                }
                Part::Account => {
                    known.accounts.entry(of).or_default().push(row.cell.name.clone());
                    if known.missing_here.contains(&thing(&row.cell)) {
                        of_type.missing = of_type.missing.plus(row.difference)?;
                        of_type.names.push(row.cell.name.clone());
                    } else {
                        of_type.others = true;
                    }
                }
                Part::BillingGroup | Part::Product if row.cell.of == AWS_COST => {
                    known.costs.insert(thing(&row.cell));
                }
                Part::BillingGroup | Part::Product => {}
            }
        }
        let explained = types.into_iter().filter(|(_, of)| of.explains());
        known.by_accounts = explained.map(|(key, of)| (key, of.names)).collect();
        Ok(known)
    }

    fn reason(&self, row: &Row) -> Reason {
        match row.cell.part {
            Part::Service | Part::Account => self.reason_of_cost(row),
            Part::BillingGroup | Part::Product => self.reason_of_group(row),
        }
    }

    fn reason_of_cost(&self, row: &Row) -> Reason {
        let cell = &row.cell;
        let (missing_here, missing_at_aws) =
            (self.missing_here.contains(&thing(cell)), self.missing_at_aws.contains(&thing(cell)));
        let of = (cell.of.clone(), cell.currency.clone());
        if cell.part == Part::Account {
            match (missing_here, missing_at_aws) {
                (true, _) => return Reason::AccountMissingHere,
                (_, true) => return Reason::AccountMissingAtAws,
                (false, false) => {}
            }
        } else if let Some(accounts) = self.by_accounts.get(&of) {
            return Reason::AccountsMissingHere(accounts.clone());
        }
        match Late::of(cell, self.is_estimated) {
            Some(late) if row.here.is_zero() => return Reason::NotDelivered(late),
            Some(late) if !row.aws.is_zero() => return Reason::Corrected(late),
            _ => {}
        }
        let accounts = match cell.part {
            Part::Service => self.accounts.get(&of).cloned().unwrap_or_default(),
            _ => Vec::new(),
        };
        match (row.aws.is_zero(), row.here.is_zero()) {
            _ if missing_here => Reason::ServiceMissingHere,
            _ if missing_at_aws => Reason::ServiceMissingAtAws,
            (false, true) => Reason::LinesMissingHere(accounts),
            (true, false) => Reason::LinesMissingAtAws(accounts),
            _ => Reason::AmountsDiffer(accounts),
        }
    }

    /// That one side does not have the billing group of a cell.
    fn missing_group(&self, cell: &Cell) -> Option<Reason> {
        match (self.groups_at_aws.contains(&cell.group), self.groups_here.contains(&cell.group)) {
            (true, false) => Some(Reason::GroupMissingHere),
            (false, true) => Some(Reason::GroupMissingAtAws),
            _ => None,
        }
    }

    fn reason_of_group(&self, row: &Row) -> Reason {
        let cell = &row.cell;
        let cost_differs = self.costs.contains(&thing(cell));
        if let Some(missing) = self.missing_group(cell) {
            return missing;
        }
        match cell.of.as_str() {
            _ if self.missing_here.contains(&thing(cell)) => Reason::ProductMissingHere,
            _ if self.missing_at_aws.contains(&thing(cell)) => Reason::ProductMissingAtAws,
            AWS_COST => Reason::GroupCost,
            MARGIN => Reason::MarginFollows,
            _ if cost_differs => Reason::CostAndPrice,
            _ => Reason::Price,
        }
    }
}

/// The service, account, group or product that a cell is of.
fn thing(cell: &Cell) -> (Part, String, String) {
    (cell.part, cell.group.clone(), cell.name.clone())
}

#[cfg(test)]
mod tests;
