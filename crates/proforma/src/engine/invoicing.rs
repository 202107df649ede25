//! What a run charges, exactly: its month priced once more, for invoices.

use crate::failure::Failure;
use crate::pricing::Rated;
use crate::run_folder::{self, RunFolder};
use back_office::engine::{GroupCharges, RunCharges};
use billing::invoice::charges::Charges;
use billing::margin_guard::findings;
use billing::statement::{Statement, statements};
use std::path::Path;

/// The charges of every billing group of a run, and what the margin guard finds in its month. Another version of the program may have priced it: what is
/// invoiced is what its statements say, or nothing.
pub fn charges(path: &Path) -> Result<RunCharges, Failure> {
    let mut run = run_folder::open_kept(path)?;
    let Rated { card, charges, derived } = run.rate()?;
    let (cube, book) = (&run.cube, &run.book);
    let group = |group: &billing::billing_group::BillingGroup| GroupCharges {
        billing_group: group.name.clone(),
        charges: Vec::new(),
    };
    let mut groups: Vec<GroupCharges> = book.groups.iter().map(group).collect();
    for statement in statements(cube, book, &card, &charges)? {
        check_total(&run, &statement)?;
        groups[statement.group].charges.push(Charges::of(cube, book, &statement)?);
    }
    Ok(RunCharges { groups, findings: findings(cube, book, &card, &charges, &derived)? })
}

/// Whether a statement comes to what it came to when the run was made.
pub(super) fn check_total(run: &RunFolder, statement: &Statement) -> Result<(), Failure> {
    let group = &run.book.groups[statement.group].name;
    let (currency, now) = (statement.currency, statement.total_shown);
    let then = run.statement_totals.get(&(group.clone(), currency)).copied().unwrap_or_default();
    if then == now {
        return Ok(());
    }
    let (shown, this) = (run.path.display(), env!("CARGO_PKG_VERSION"));
    let problem = format!(
        "`{shown}` charges billing group `{group}` {then} {currency}, and version {this} of this program would charge {now}"
    );
    Err(Failure::input(problem)
        .hint("invoice this month with the version that has priced it: its `reconciliation.json` names it"))
}
