//! `commitments.json`: what the month's commitments are, and how far each was used inside its billing group.

use super::Results;
use crate::publish::as_marked;
use billing::benefit::Benefit;
use billing::commitment::{Commitment, Terms};
use billing::coverage::{Utilization, families};
use billing::membership::Membership;
use cost_data::commitment_inventory::CommitmentInventory;
use serde::Serialize;

#[derive(Serialize)]
pub struct CommitmentsFile<'a> {
    /// Whether commitments were applied hour by hour inside billing groups.
    simulated: bool,
    /// Why they cover what they cover in the real bill instead.
    why_not: Option<&'a str>,
    /// What the simulation followed from beside the cost files: which accounts share commitments.
    families: String,
    commitments: Vec<CommitmentPart<'a>>,
    /// What the payer's commitments have saved in the real bill, where that is spread over the groups.
    pro_rata: Vec<BenefitPart<'a>>,
    /// Whether the cost files were asked what commitments are, and could say it.
    inventory_read: bool,
    /// How many lines of usage that commitments may cover none of them does: late, or without a time.
    lines_passed_by: u64,
    inventory: &'a CommitmentInventory,
}

/// What a commitment has saved: what its usage costs On-Demand without all that the commitment cost.
#[derive(Serialize)]
struct BenefitPart<'a> {
    arn: &'a str,
    on_demand_cost: String,
    cost: String,
    saved: String,
    /// By weight: instances or normalised units of a reservation, the On-Demand cost of usage for a Savings Plan.
    parts: Vec<GroupPart<'a>>,
}

#[derive(Serialize)]
struct GroupPart<'a> {
    billing_group: &'a str,
    eligible_usage: String,
    saved: String,
}

/// A commitment that was simulated, in what it gives: instances or normalised units for an hour, or money.
#[derive(Serialize)]
struct CommitmentPart<'a> {
    arn: &'a str,
    owner_account_id: &'a str,
    /// The group that has its benefit.
    billing_group: Option<&'a str>,
    /// Why it covers nothing here although its owner is in a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    why_not: Option<String>,
    kind: &'static str,
    hours_in_force: usize,
    unit: &'static str,
    given: String,
    used: String,
    unused: String,
}

/// The content of the file.
pub fn content(results: &Results) -> anyhow::Result<CommitmentsFile<'_>> {
    let membership = Membership::new(&results.cube, &results.book);
    let commitments = &results.commitments;
    let mut parts = Vec::new();
    if let Some(coverage) = &commitments.coverage {
        for (commitment, utilization) in coverage.commitments.iter().zip(&coverage.utilization) {
            let group = membership.group_of_owner(&commitment.owner);
            let group = group.map(|group| results.book.groups[group as usize].name.as_str());
            parts.push(CommitmentPart {
                why_not: passed_through(results, &membership, &commitment.owner),
                ..part(commitment, *utilization, group)?
            });
        }
    }
    let arns = commitments.inventory.arns();
    Ok(CommitmentsFile {
        simulated: commitments.coverage.is_some(),
        why_not: commitments.why_not.as_deref(),
        families: as_marked(&families(&results.cube, &membership, &results.card.fates)),
        commitments: parts,
        pro_rata: commitments.benefits.iter().map(|benefit| pro_rata(results, &arns, benefit)).collect(),
        inventory_read: commitments.inventory_read,
        lines_passed_by: commitments.lines_passed_by,
        inventory: &commitments.inventory,
    })
}

/// Why the commitments of an account are not applied, where its group shows what the level above is invoiced.
fn passed_through(results: &Results, membership: &Membership<'_>, owner: &str) -> Option<String> {
    let group = membership.group_of_account(owner).filter(|group| results.book.passes_through(*group))?;
    let name = &results.book.groups[group as usize].name;
    Some(format!("billing group `{name}` passes its bill through: it covers what it covers in the real bill"))
}

fn pro_rata<'a>(results: &'a Results, arns: &[&'a str], benefit: &Benefit) -> BenefitPart<'a> {
    let part = |part: &billing::benefit::Part| GroupPart {
        billing_group: &results.book.groups[part.group as usize].name,
        eligible_usage: part.eligible.to_string(),
        saved: part.saved.to_string(),
    };
    BenefitPart {
        arn: arns[benefit.commitment],
        on_demand_cost: benefit.on_demand.to_string(),
        cost: benefit.cost.to_string(),
        saved: benefit.saved.to_string(),
        parts: benefit.parts.iter().map(part).collect(),
    }
}

fn part<'a>(
    commitment: &'a Commitment,
    Utilization { used, unused }: Utilization,
    billing_group: Option<&'a str>,
) -> anyhow::Result<CommitmentPart<'a>> {
    let (kind, unit) = match &commitment.terms {
        Terms::Reservation(reservation) if reservation.is_size_flexible() => {
            ("reservation", "normalized units")
        }
        Terms::Reservation(_) => ("reservation", "instances"),
        Terms::SavingsPlan(_) => ("savings_plan", "money"),
    };
    Ok(CommitmentPart {
        arn: &commitment.arn,
        owner_account_id: &commitment.owner,
        billing_group,
        why_not: None,
        kind,
        hours_in_force: commitment.hours.len(),
        unit,
        given: used.plus(unused)?.to_string(),
        used: used.to_string(),
        unused: unused.to_string(),
    })
}
