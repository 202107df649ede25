//! `policies.json`: what the policies of the book came to, with the arithmetic of every charge. For the operator.

use billing::book::Book;
use billing::derived_items::{Allocated, Derived, Shortfall, SupportCharge, ToppedUp};
use serde::Serialize;

#[derive(Serialize)]
pub struct PoliciesFile<'a> {
    allocations: Vec<AllocationPart<'a>>,
    support_fees: Vec<SupportPart<'a>>,
    payer_commitments: Vec<ShortfallPart<'a>>,
    minimums: Vec<MinimumPart<'a>>,
}

/// What became of a source in one currency.
#[derive(Serialize)]
struct AllocationPart<'a> {
    allocation: &'a str,
    source: String,
    currency: String,
    /// Whether there was nothing to weigh by.
    empty_base: bool,
    /// What nobody is charged for want of a base.
    kept_by_payer: String,
    parts: Vec<TargetPart>,
}

#[derive(Serialize)]
struct TargetPart {
    target: String,
    weight: String,
    percentage: String,
    amount: String,
}

#[derive(Serialize)]
struct SupportPart<'a> {
    support_fee: &'a str,
    billing_group: &'a str,
    spend: String,
    by_tiers: String,
    amount: String,
}

#[derive(Serialize)]
struct ShortfallPart<'a> {
    payer_commitment: &'a str,
    /// Absent: the payer, for whatever nobody else stands for.
    billing_group: Option<&'a str>,
    percentage: String,
    share: String,
    spent: String,
    short: String,
    charged: String,
}

#[derive(Serialize)]
struct MinimumPart<'a> {
    minimum: &'a str,
    billing_group: &'a str,
    at_least: String,
    charged: String,
    missing: String,
}

/// The content of the file.
pub fn content<'a>(book: &'a Book, derived: &Derived) -> PoliciesFile<'a> {
    PoliciesFile {
        allocations: derived.allocations.iter().map(|of| allocation(book, of)).collect(),
        support_fees: derived.support_fees.iter().map(|of| support(book, of)).collect(),
        payer_commitments: derived.shortfalls.iter().map(|of| shortfall(book, of)).collect(),
        minimums: derived.minimums.iter().map(|of| minimum(book, of)).collect(),
    }
}

fn allocation<'a>(book: &'a Book, of: &Allocated) -> AllocationPart<'a> {
    let part = |part: &billing::derived_items::Part| TargetPart {
        target: book.target_text(&part.target),
        weight: part.weight.to_string(),
        percentage: part.share.to_string(),
        amount: part.amount.to_string(),
    };
    AllocationPart {
        allocation: &book.policies.allocations[of.allocation].name,
        source: of.source.to_string(),
        currency: of.currency.to_string(),
        empty_base: of.empty_base,
        kept_by_payer: of.kept.to_string(),
        parts: of.parts.iter().map(part).collect(),
    }
}

fn support<'a>(book: &'a Book, of: &SupportCharge) -> SupportPart<'a> {
    SupportPart {
        support_fee: &book.policies.support_fees[of.fee].name,
        billing_group: &book.groups[of.group].name,
        spend: of.spend.to_string(),
        by_tiers: of.by_tiers.to_string(),
        amount: of.amount.to_string(),
    }
}

fn shortfall<'a>(book: &'a Book, of: &Shortfall) -> ShortfallPart<'a> {
    ShortfallPart {
        payer_commitment: &book.policies.payer_commitments[of.commitment].name,
        billing_group: of.group.map(|group| book.groups[group].name.as_str()),
        percentage: of.percentage.to_string(),
        share: of.share.to_string(),
        spent: of.spent.to_string(),
        short: of.short.to_string(),
        charged: of.charged.to_string(),
    }
}

fn minimum<'a>(book: &'a Book, of: &ToppedUp) -> MinimumPart<'a> {
    let minimum = &book.policies.minimums[of.minimum];
    MinimumPart {
        minimum: &minimum.name,
        billing_group: &book.groups[minimum.group].name,
        at_least: of.floor.to_string(),
        charged: of.charged.to_string(),
        missing: of.missing.to_string(),
    }
}
