//! The facts of a run: its month priced once more and taken apart, for questions about costs.

use super::invoicing::check_total;
use crate::failure::{Failure, HINT_AGAIN};
use crate::pricing::Rated;
use crate::run_folder;
use billing::breakdown::Days;
use billing::statement::statements;
use cost_data::commitment_inventory::CommitmentInventory;
use query::facts::{MonthFacts, Priced};
use std::path::Path;

/// Opens a run and takes its month apart. What its groups are charged is what its statements say, or there are no facts.
pub fn facts(path: &Path) -> Result<MonthFacts, Failure> {
    let mut run = run_folder::open_kept(path)?;
    let Rated { card, charges, .. } = run.rate()?;
    let statements = statements(&run.cube, &run.book, &card, &charges)?;
    for statement in &statements {
        check_total(&run, statement)?;
    }
    let classes = run.days()?;
    let covered = run.coverage()?.map_or(&[][..], |coverage| &coverage.days);
    let days = classes.as_deref().map(|classes| Days { classes, covered });
    let commitments = run.inventory()?.map(CommitmentInventory::commitments);
    let commitments = commitments.as_deref();
    let month =
        Priced { cube: &run.cube, book: &run.book, card: &card, statements: &statements, days, commitments };
    MonthFacts::of(month).map_err(|error| Failure::input(error.to_string()).hint(HINT_AGAIN))
}
