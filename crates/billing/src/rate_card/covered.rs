//! What commitments of a group cover stands on its bill at cost: no rule applies.

use super::{Pricer, PricingError, in_words};
use crate::charge_class::TextId;
use crate::cost_line::LineItemType;
use crate::coverage::{CoveredOfDay, on_demand_cost, remainders};
use crate::money::{Amount, Quantity};

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

impl Pricer<'_> {
    /// Takes what commitments cover from the classes; what is left is priced.
    pub(super) fn take_covered(&mut self) -> Result<Vec<CoveredPart>, PricingError> {
        let Some(coverage) = self.coverage else { return Ok(Vec::new()) };
        let too_large = |class: u32, source| {
            let class = in_words(self.cube, &self.cube.classes[class as usize]);
            PricingError::TooLarge { class, source }
        };
        let sums = |source| PricingError::TooLarge { class: "what commitments cover".to_owned(), source };
        let of_month = coverage.of_month().map_err(sums)?;
        let left = remainders(self.cube, &of_month).map_err(sums)?;
        let mut parts = Vec::with_capacity(of_month.len());
        for covered in of_month {
            // Usage that a commitment covers is of an account in the commitment's group.
            let Some(group) = self.membership.group(&self.cube.classes[covered.class as usize]) else {
                continue;
            };
            let of_plan = covered.kind(&coverage.commitments) == LineItemType::SavingsPlanCoveredUsage;
            let kinds = self.cube.kinds;
            let line_item_type = if of_plan { kinds.covered_usage } else { kinds.discounted_usage };
            let negated = of_plan.then(|| on_demand_cost(self.cube, &covered));
            let amount = negated.unwrap_or_default().to_amount();
            let amount = amount.map_err(|error| too_large(covered.class, error))?;
            parts.push(CoveredPart { group, covered, line_item_type, negated, amount });
        }
        self.remainders = left;
        Ok(parts)
    }
}
