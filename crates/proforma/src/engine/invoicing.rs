//! What a run charges, exactly: its month priced once more, for invoices.

use crate::failure::Failure;
use crate::pricing::Rated;
use crate::run_folder;
use back_office::engine::{GroupCharges, RunCharges};
use billing::invoice::charges::Charges;
use billing::margin_guard::findings;
use billing::statement::statements;
use std::path::Path;

/// The charges of every billing group of a run, and what the margin guard finds in its month.
pub fn charges(path: &Path) -> Result<RunCharges, Failure> {
    let mut run = run_folder::open(path)?;
    let Rated { card, charges, derived } = run.rate()?;
    let (cube, book) = (&run.cube, &run.book);
    let group = |group: &billing::billing_group::BillingGroup| GroupCharges {
        billing_group: group.name.clone(),
        charges: Vec::new(),
    };
    let mut groups: Vec<GroupCharges> = book.groups.iter().map(group).collect();
    for statement in statements(cube, book, &card, &charges)? {
        groups[statement.group].charges.push(Charges::of(cube, book, &statement)?);
    }
    Ok(RunCharges { groups, findings: findings(cube, book, &card, &charges, &derived)? })
}
