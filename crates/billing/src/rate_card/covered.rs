//! What commitments of a group cover stands on its bill at cost: no rule applies.

use super::PricingError;
use crate::charge_class::{Cube, TextId};
use crate::class_kind::in_words;
use crate::commitment::Commitment;
use crate::cost_line::LineItemType;
use crate::coverage::{Coverage, CoveredOfDay, Remainders, on_demand_cost, remainders};
use crate::membership::Membership;
use crate::money::{Amount, DecimalError, Quantity};

/// What a commitment of a billing group covers of a class in the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoveredPart {
    /// The group, by number in the book.
    pub group: u32,
    /// The class, the commitment, how much of the one and what it takes of the other.
    pub covered: CoveredOfDay,
    /// Under which line item type the bill has it, by number of the cube's texts.
    pub line_item_type: TextId,
    /// What a Savings Plan covers has its On-Demand cost, and a negation takes that away again; what a reservation covers costs nothing.
    pub negated: Option<Quantity>,
    /// The part's own pro forma amount, in the currency of its class; that of its negation is minus as much.
    pub amount: Amount,
}

impl CoveredPart {
    /// What is covered of a class of a group's.
    ///
    /// # Errors
    /// [`DecimalError::TooLarge`].
    pub fn new(
        cube: &Cube,
        commitments: &[Commitment],
        group: u32,
        covered: CoveredOfDay,
    ) -> Result<Self, DecimalError> {
        let of_plan = covered.kind(commitments) == LineItemType::SavingsPlanCoveredUsage;
        let line_item_type = if of_plan { cube.kinds.covered_usage } else { cube.kinds.discounted_usage };
        let negated = of_plan.then(|| on_demand_cost(cube, &covered));
        let amount = negated.unwrap_or_default().to_amount()?;
        Ok(Self { group, covered, line_item_type, negated, amount })
    }
}

/// Takes what commitments cover from the classes; what is left is to be priced.
pub(super) fn take(
    cube: &Cube,
    membership: &Membership<'_>,
    coverage: Option<&Coverage>,
) -> Result<(Vec<CoveredPart>, Remainders), PricingError> {
    let Some(coverage) = coverage else { return Ok(Default::default()) };
    let sums = |source| PricingError::TooLarge { class: "what commitments cover".to_owned(), source };
    let of_month = coverage.of_month().map_err(sums)?;
    let left = remainders(cube, &of_month).map_err(sums)?;
    let mut parts = Vec::with_capacity(of_month.len());
    for covered in of_month {
        let class = &cube.classes[covered.class as usize];
        // Usage that a commitment covers is of an account in the commitment's group.
        let Some(group) = membership.group(class) else { continue };
        let part = CoveredPart::new(cube, &coverage.commitments, group, covered);
        let too_large = |source| PricingError::TooLarge { class: in_words(cube, class), source };
        parts.push(part.map_err(too_large)?);
    }
    Ok((parts, left))
}
