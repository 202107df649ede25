//! Which purchase order of the customer's an invoice refers to.

use super::drafting::DraftOptions;
use billing::invoice::compose::OrderReference;
use billing::invoice::preview::OrderOutcome;

/// The purchase order of a document, and what a preview says of it. The operator's word goes first.
pub(super) fn order_of(options: &DraftOptions) -> (OrderOutcome, Option<OrderReference>) {
    match &options.purchase_order {
        Some(number) => {
            let reference =
                OrderReference { number: number.clone(), line: options.purchase_order_line.clone() };
            (OrderOutcome::Found(number.clone()), Some(reference))
        }
        None => (OrderOutcome::NotAsked, None),
    }
}
