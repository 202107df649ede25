//! Policies: distributions, allocations, support fees, payer commitments, minimums.

use super::{Table, line_filter};
use billing::book::{
    AllocationDraft, DistributionDraft, LineFilterDraft, MinimumDraft, PayerCommitmentDraft, ShareDraft,
    SupportFeeDraft, TargetsDraft,
};

fn line_filters(table: &Table<'_>, field: &'static str) -> Vec<LineFilterDraft> {
    table.tables(field).iter().map(line_filter).collect()
}

pub fn distribution(table: &Table<'_>) -> DistributionDraft {
    table.allow(&["name", "lines", "treatment", "allocation", "start", "end"]);
    DistributionDraft {
        name: table.required("name"),
        lines: line_filters(table, "lines"),
        treatment: table.required("treatment"),
        allocation: table.text("allocation"),
        start: table.text("start"),
        end: table.text("end"),
    }
}

pub fn allocation(table: &Table<'_>) -> AllocationDraft {
    table.allow(&[
        "name",
        "description",
        "step",
        "source",
        "payer_usage",
        "unused_commitments",
        "cost",
        "targets",
        "method",
        "weigh_by",
        "weigh_lines",
        "shares",
        "weights",
        "empty_base",
        "computation_rule",
        "presentation_service",
        "start",
        "end",
    ]);
    AllocationDraft {
        name: table.required("name"),
        description: table.text("description"),
        step: table.number("step"),
        source: line_filters(table, "source"),
        payer_usage: table.flag("payer_usage").unwrap_or(false),
        unused_commitments: table.flag("unused_commitments").unwrap_or(false),
        cost: table.text("cost"),
        targets: table.part("targets").as_ref().map(targets),
        method: table.required("method"),
        weigh_by: table.text("weigh_by"),
        weigh_lines: line_filters(table, "weigh_lines"),
        shares: table.tables("shares").iter().map(share).collect(),
        weights: table.text("weights"),
        weight_rows: Vec::new(),
        empty_base: table.text("empty_base"),
        computation_rule: table.text("computation_rule"),
        presentation_service: table.text("presentation_service"),
        start: table.text("start"),
        end: table.text("end"),
    }
}

fn targets(table: &Table<'_>) -> TargetsDraft {
    table.allow(&[
        "billing_groups",
        "accounts",
        "allocations",
        "except_billing_groups",
        "except_accounts",
        "by_account",
    ]);
    let texts = |field| table.texts(field).unwrap_or_default();
    TargetsDraft {
        billing_groups: texts("billing_groups"),
        accounts: texts("accounts"),
        allocations: texts("allocations"),
        except_billing_groups: texts("except_billing_groups"),
        except_accounts: texts("except_accounts"),
        by_account: table.flag("by_account").unwrap_or(false),
    }
}

fn share(table: &Table<'_>) -> ShareDraft {
    table.allow(&["billing_group", "account", "allocation", "payer", "percentage"]);
    ShareDraft {
        billing_group: table.text("billing_group"),
        account: table.text("account"),
        allocation: table.text("allocation"),
        payer: table.flag("payer").unwrap_or(false),
        percentage: table.required_number("percentage"),
    }
}

pub fn support_fee(table: &Table<'_>) -> SupportFeeDraft {
    table.allow(&[
        "name",
        "description",
        "billing_groups",
        "of",
        "tiers",
        "minimum",
        "presentation_service",
        "start",
        "end",
    ]);
    let tier = |table: &Table<'_>| {
        table.allow(&["up_to", "percentage"]);
        (table.number("up_to"), table.required_number("percentage"))
    };
    SupportFeeDraft {
        name: table.required("name"),
        description: table.text("description"),
        billing_groups: table.texts("billing_groups").unwrap_or_default(),
        of: table.text("of"),
        tiers: table.tables("tiers").iter().map(tier).collect(),
        minimum: table.number("minimum"),
        presentation_service: table.text("presentation_service"),
        start: table.text("start"),
        end: table.text("end"),
    }
}

pub fn payer_commitment(table: &Table<'_>) -> PayerCommitmentDraft {
    table.allow(&[
        "name",
        "amount",
        "of",
        "spend",
        "shares",
        "shortfall",
        "presentation_service",
        "start",
        "end",
    ]);
    PayerCommitmentDraft {
        name: table.required("name"),
        amount: table.required_number("amount"),
        of: table.text("of"),
        spend: line_filters(table, "spend"),
        shares: table.tables("shares").iter().map(share).collect(),
        shortfall: table.required("shortfall"),
        presentation_service: table.text("presentation_service"),
        start: table.text("start"),
        end: table.text("end"),
    }
}

pub fn minimum(table: &Table<'_>) -> MinimumDraft {
    table.allow(&[
        "name",
        "description",
        "billing_group",
        "amount",
        "percentage",
        "of",
        "presentation_service",
        "start",
        "end",
    ]);
    MinimumDraft {
        name: table.required("name"),
        description: table.text("description"),
        billing_group: table.required("billing_group"),
        amount: table.number("amount"),
        percentage: table.number("percentage"),
        of: table.text("of"),
        presentation_service: table.text("presentation_service"),
        start: table.text("start"),
        end: table.text("end"),
    }
}
