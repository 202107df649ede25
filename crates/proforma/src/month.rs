//! A month of costs, wherever they come from, becomes what a run writes: for `run`, which reads cost files, and for `resale`, which has what a
//! level above charges.

use crate::coverage::Commitments;
use crate::failure::Failure;
use crate::price_list::Listed;
use crate::pricing::{Rated, rate};
use crate::report_files::Results;
use anyhow::anyhow;
use billing::book::Book;
use billing::margin_guard::findings;
use billing::period::BillingPeriod;
use billing::reconciliation::reconcile;
use billing::{cost_report, statement};
use cost_data::worker::Answer;

/// Everything that follows from a cube, a book and a price list.
pub fn price(
    period: BillingPeriod,
    mut book: Book,
    answer: Answer,
    listed: Listed,
    commitments: Commitments,
) -> Result<Results, Failure> {
    let Answer { cube, control, cube_sha256, report } = answer;
    let Rated { card, charges, derived } =
        rate(&cube, &mut book, &listed.prices, commitments.coverage.as_ref())?;
    let statements = statement::statements(&cube, &book, &card, &charges)?;
    let rows = cost_report::cost_report(&cube, &book, &card, &statements)?;
    let totals = cost_report::group_totals(&rows, &statements)?;
    let reconciliation = reconcile(&cube, &book, &card, &statements, &control)?;
    for (currency, of_currency) in &reconciliation.currencies {
        if !of_currency.difference.is_zero() {
            let difference = of_currency.difference;
            let error = anyhow!(
                "the classes do not sum to the cost files: {difference} {currency} differ; a fault of the program"
            );
            return Err(error.into());
        }
    }
    let guard = findings(&cube, &book, &card, &charges, &derived)?;
    let rounded_items = charges.iter().filter(|charge| charge.rounded).count() as u64;
    Ok(Results {
        period,
        book,
        cube,
        cube_sha256,
        card,
        statements,
        rows,
        totals,
        reconciliation,
        report,
        listed,
        commitments,
        derived,
        guard,
        upstream: None,
        rounded_items,
    })
}
