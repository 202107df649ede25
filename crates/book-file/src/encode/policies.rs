//! Policies: distributions, allocations, support fees, payer commitments, minimums.

use super::{Fields, line_filter};
use billing::book::{
    AllocationDraft, DistributionDraft, MinimumDraft, PayerCommitmentDraft, ShareDraft, SupportFeeDraft,
    TargetsDraft,
};
use billing::money::{Cost, Percentage};

pub fn distribution(of: &DistributionDraft) -> Fields {
    Fields::default()
        .text("name", &of.name)
        .tables("lines", &of.lines, line_filter)
        .text("treatment", &of.treatment)
        .text_if_any("allocation", of.allocation.as_ref())
        .text_if_any("start", of.start.as_ref())
        .text_if_any("end", of.end.as_ref())
}

pub fn allocation(of: &AllocationDraft) -> Fields {
    let fields = Fields::default()
        .text("name", &of.name)
        .text_if_any("description", of.description.as_ref())
        .number_if_any("step", of.step)
        .tables("source", &of.source, line_filter)
        .flag("payer_usage", of.payer_usage)
        .flag("unused_commitments", of.unused_commitments)
        .text_if_any("cost", of.cost.as_ref());
    let fields = match &of.targets {
        Some(of) => fields.set("targets", targets(of).inline()),
        None => fields,
    };
    fields
        .text("method", &of.method)
        .text_if_any("weigh_by", of.weigh_by.as_ref())
        .tables("weigh_lines", &of.weigh_lines, line_filter)
        .tables("shares", &of.shares, share)
        .text_if_any("weights", of.weights.as_ref())
        .text_if_any("empty_base", of.empty_base.as_ref())
        .text_if_any("computation_rule", of.computation_rule.as_ref())
        .text_if_any("presentation_service", of.presentation_service.as_ref())
        .text_if_any("start", of.start.as_ref())
        .text_if_any("end", of.end.as_ref())
}

fn targets(of: &TargetsDraft) -> Fields {
    Fields::default()
        .texts("billing_groups", &of.billing_groups)
        .texts("accounts", &of.accounts)
        .texts("allocations", &of.allocations)
        .texts("except_billing_groups", &of.except_billing_groups)
        .texts("except_accounts", &of.except_accounts)
        .flag("by_account", of.by_account)
}

fn share(of: &ShareDraft) -> Fields {
    Fields::default()
        .text_if_any("billing_group", of.billing_group.as_ref())
        .text_if_any("account", of.account.as_ref())
        .text_if_any("allocation", of.allocation.as_ref())
        .flag("payer", of.payer)
        .number("percentage", of.percentage)
}

pub fn support_fee(of: &SupportFeeDraft) -> Fields {
    let tier = |(up_to, percentage): &(Option<Cost>, Percentage)| {
        Fields::default().number_if_any("up_to", *up_to).number("percentage", *percentage)
    };
    Fields::default()
        .text("name", &of.name)
        .text_if_any("description", of.description.as_ref())
        .texts("billing_groups", &of.billing_groups)
        .text_if_any("of", of.of.as_ref())
        .tables("tiers", &of.tiers, tier)
        .number_if_any("minimum", of.minimum)
        .text_if_any("presentation_service", of.presentation_service.as_ref())
        .text_if_any("start", of.start.as_ref())
        .text_if_any("end", of.end.as_ref())
}

pub fn payer_commitment(of: &PayerCommitmentDraft) -> Fields {
    Fields::default()
        .text("name", &of.name)
        .number("amount", of.amount)
        .text_if_any("of", of.of.as_ref())
        .tables("spend", &of.spend, line_filter)
        .tables("shares", &of.shares, share)
        .text("shortfall", &of.shortfall)
        .text_if_any("presentation_service", of.presentation_service.as_ref())
        .text_if_any("start", of.start.as_ref())
        .text_if_any("end", of.end.as_ref())
}

pub fn minimum(of: &MinimumDraft) -> Fields {
    Fields::default()
        .text("name", &of.name)
        .text_if_any("description", of.description.as_ref())
        .text("billing_group", &of.billing_group)
        .number_if_any("amount", of.amount)
        .number_if_any("percentage", of.percentage)
        .text_if_any("of", of.of.as_ref())
        .text_if_any("presentation_service", of.presentation_service.as_ref())
        .text_if_any("start", of.start.as_ref())
        .text_if_any("end", of.end.as_ref())
}
