//! What only the whole of a delivery can show: files and lines that come twice, several payers, what is odd.

use super::{OpenFile, Opened, Request, inputs_text};
use crate::batch::Place;
use crate::diagnostics::{Diagnostic, excerpt};
use crate::limits::ODD_ACCOUNTS_SHOWN_MAX;
use crate::report::{FileReport, Report};
use billing::account::AccountId;
use billing::charge_class::{Cube, KeyColumn, Measure};
use billing::class_kind::line_item_type;
use billing::cost_line::LineItemType;
use billing::money::Cost;
use billing::period::BillingPeriod;
use std::collections::{BTreeMap, BTreeSet};

/// Files with the same lines: the delivery counts its cost twice. Files without lines may well be alike.
pub fn duplicate_files(files: &[FileReport], lines: &[u64]) -> Vec<Diagnostic> {
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    let mut problems = Vec::new();
    for (file, _) in files.iter().zip(lines).filter(|(_, lines)| **lines > 0) {
        if let Some(other) = first.insert(&file.sha256, &file.name) {
            let reason = format!("has the same content as `{other}`; together they would count cost twice");
            problems
                .push(Diagnostic::file(&file.name, reason).hint("remove one of them, or give the manifest"));
        }
    }
    problems
}

pub fn one_payer(
    payers: &BTreeMap<String, Place>,
    opened: &Opened,
    request: &Request,
) -> Result<Option<AccountId>, Diagnostic> {
    let file = |place: &Place| opened.files[place.file].found.name.as_str();
    if payers.len() > 1 {
        let list: Vec<_> =
            payers.iter().map(|(payer, place)| format!("`{payer}` (first in `{}`)", file(place))).collect();
        let reason = format!("lines of several payer accounts: {}", list.join(", "));
        return Err(
            Diagnostic::file(&inputs_text(request), reason).hint("give one payer's delivery with --cost")
        );
    }
    let Some((payer, place)) = payers.first_key_value() else { return Ok(None) };
    match AccountId::parse(payer) {
        Some(payer) => Ok(Some(payer)),
        None => Err(Diagnostic {
            column: Some(opened.files[place.file].columns.payer.name.to_owned()),
            value: Some(excerpt(payer)),
            row: Some(place.row + 1),
            row_group: place.row_group,
            ..Diagnostic::file(file(place), "not an account id")
        }),
    }
}

pub fn duplicates(mut identities: Vec<u128>) -> u64 {
    identities.sort_unstable();
    identities.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64
}

/// A month in which nothing was used, or the wrong month.
pub fn no_lines(report: &Report, period: BillingPeriod) -> Option<String> {
    let others = report.lines_passed_by;
    let of_period = report.lines_read - others - report.lines_rejected - report.lines_of_other_providers();
    (of_period == 0).then(|| match others {
        0 if !report.other_providers.is_empty() => {
            format!("the cost files have no line of {period} that AWS provides: all totals are 0")
        }
        0 => format!("the cost files have no line of {period}: all totals are 0"),
        _ => format!(
            "the cost files have no line of {period}, only {others} of other months: all totals are 0"
        ),
    })
}

/// A file whose lines cannot be told apart, though that was asked for.
pub fn without_identity(file: &OpenFile, request: &Request) -> Option<String> {
    let name = &file.found.name;
    (request.check_line_ids && file.columns.identity.is_none()).then(|| {
        format!("`{name}` has no line ids and intervals: its lines are not looked through for duplicates")
    })
}

/// Accounts that no book can name.
pub fn odd_accounts(cube: &Cube) -> Vec<String> {
    let texts = cube.classes.iter().filter_map(|class| cube.value(class, KeyColumn::UsageAccount));
    let odd: BTreeSet<&str> = texts.filter(|text| AccountId::parse(text).is_none()).collect();
    let warning =
        |text: &&str| format!("`{}` is not an account id: its lines are in no billing group", excerpt(text));
    odd.iter().take(ODD_ACCOUNTS_SHOWN_MAX).map(warning).collect()
}

/// One discount told twice: as lines of its own and within the net cost of other lines.
pub fn double_discounts(cube: &Cube) -> Vec<String> {
    if cube.classes.iter().all(|class| class.lines_without_net == class.lines) {
        return Vec::new();
    }
    let mut totals: BTreeMap<&str, Cost> = BTreeMap::new();
    for class in cube.classes.iter().filter(|class| class.lines_without_net > 0) {
        if line_item_type(cube, class) == LineItemType::Discount {
            let total = totals.entry(cube.value(class, KeyColumn::Currency).unwrap_or_default()).or_default();
            // A sum beyond all money is refused when the month is priced.
            *total = total.plus(class.sum(Measure::NetUnblended)).unwrap_or(*total);
        }
    }
    let told_twice = totals.into_iter().filter(|(_, total)| !total.is_zero());
    told_twice.map(|(currency, total)| {
        format!(
            "discount lines of {total} {currency} have no net cost while other lines have: the discount may be counted \
             twice, in the net costs and as lines"
        )
    })
    .collect()
}
