//! The cost report: what AWS charges, what the groups are charged, and the margin between them.
//!
//! For the operator only. AWS cost is net unblended cost without tax and support; margin is pro forma cost − AWS cost, and
//! its percentage a share of the pro forma cost (AWS publishes no denominator).

use crate::book::Book;
use crate::charge_class::{Cube, KeyColumn, Measure, TextId};
use crate::custom_line_item;
use crate::money::{Cost, Currency, DecimalError};
use crate::rate_card::RateCard;
use crate::statement::Statement;
use std::collections::{BTreeMap, HashMap};

/// Whose row it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A billing group, by number in the book.
    Group(usize),
    /// An account in no group.
    Ungrouped(String),
}

/// A product's costs in one group, or in one ungrouped account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The group or account.
    pub owner: Owner,
    /// The currency of the row.
    pub currency: Currency,
    /// The service code, else the product code.
    pub product: String,
    /// What AWS calls it, where the cost files say.
    pub product_name: Option<String>,
    /// What AWS charges.
    pub aws_cost: Cost,
    /// What the group is charged; `None` for ungrouped accounts.
    pub pro_forma_cost: Option<Cost>,
}

impl Row {
    /// Pro forma cost − AWS cost.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn margin(&self) -> Result<Option<Cost>, DecimalError> {
        self.pro_forma_cost.map(|cost| cost.minus(self.aws_cost)).transpose()
    }
}

/// The rows: groups in the order of the book, then ungrouped accounts; within them by currency and product.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn cost_report(
    cube: &Cube,
    book: &Book,
    card: &RateCard,
    statements: &[Statement],
) -> Result<Vec<Row>, DecimalError> {
    // By numbers first: most classes share a row with many others.
    let mut aws_costs: HashMap<(Option<u32>, TextId, TextId, TextId), Cost> = HashMap::new();
    for (class, entry) in cube.classes.iter().zip(&card.entries) {
        if entry.left_out_of_aws_cost(cube, class).is_some() {
            continue;
        }
        let account = if entry.group.is_some() { TextId::NULL } else { class.text(KeyColumn::UsageAccount) };
        let key = (entry.group, account, class.text(KeyColumn::Currency), cube.product_id(class));
        let sum = aws_costs.entry(key).or_default();
        *sum = sum.plus(class.sum(Measure::NetUnblended))?;
    }
    let mut rows: BTreeMap<(Owner, Currency, String), (Cost, Option<Cost>)> = BTreeMap::new();
    for ((group, account, currency, product), aws_cost) in aws_costs {
        let owner = group
            .map_or_else(|| Owner::Ungrouped(cube.text(account).to_owned()), |g| Owner::Group(g as usize));
        let currency = Currency::parse(cube.text(currency)).unwrap_or(book.currency);
        let row = rows.entry((owner, currency, cube.text(product).to_owned()));
        let row = row.or_insert((Cost::ZERO, group.map(|_| Cost::ZERO)));
        row.0 = row.0.plus(aws_cost)?;
    }
    for statement in statements {
        for (product, shown) in statement.by_product(cube)? {
            let key = (Owner::Group(statement.group), statement.currency, product.to_owned());
            let row = rows.entry(key).or_insert((Cost::ZERO, Some(Cost::ZERO)));
            row.1 = Some(row.1.unwrap_or_default().plus(shown)?);
        }
    }
    let named = |(key, costs): ((Owner, Currency, String), (Cost, Option<Cost>))| {
        let ((owner, currency, product), (aws_cost, pro_forma_cost)) = (key, costs);
        let product_name = product_name(cube, &product);
        Row { owner, currency, product, product_name, aws_cost, pro_forma_cost }
    };
    Ok(rows.into_iter().map(named).collect())
}

/// What AWS calls a product.
#[must_use]
pub fn product_name(cube: &Cube, product: &str) -> Option<String> {
    let own = || (product == custom_line_item::PRODUCT).then(|| custom_line_item::PRODUCT_NAME.to_owned());
    cube.product_names.get(product).cloned().or_else(own)
}

/// A group's totals in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupTotal {
    /// The group, by number in the book.
    pub group: usize,
    /// The currency.
    pub currency: Currency,
    /// What AWS charges.
    pub aws_cost: Cost,
    /// What the group is charged.
    pub pro_forma_cost: Cost,
    /// Pro forma cost − AWS cost.
    pub margin: Cost,
}

/// The totals of the groups, in the order of the book and of currencies; a group with a statement has one, be it 0.
///
/// # Errors
/// [`DecimalError::TooLarge`].
pub fn group_totals(rows: &[Row], statements: &[Statement]) -> Result<Vec<GroupTotal>, DecimalError> {
    let stated =
        statements.iter().map(|statement| ((statement.group, statement.currency), Default::default()));
    let mut totals: BTreeMap<(usize, Currency), (Cost, Cost)> = stated.collect();
    for row in rows {
        if let Owner::Group(group) = row.owner {
            let total = totals.entry((group, row.currency)).or_default();
            total.0 = total.0.plus(row.aws_cost)?;
            total.1 = total.1.plus(row.pro_forma_cost.unwrap_or_default())?;
        }
    }
    totals
        .into_iter()
        .map(|((group, currency), (aws_cost, pro_forma_cost))| {
            let margin = pro_forma_cost.minus(aws_cost)?;
            Ok(GroupTotal { group, currency, aws_cost, pro_forma_cost, margin })
        })
        .collect()
}
