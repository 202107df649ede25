//! `reconciliation.json`: every line and every amount, accounted for.

use super::{Files, Results};
use crate::price_list::Listed;
use crate::publish::as_marked;
use crate::run_folder::RUN_FORMAT;
use billing::charge_class::KeyColumn;
use billing::money::Cost;
use billing::reconciliation::{CurrencyReconciliation, NotedClass};
use billing::statement::Statement;
use cost_data::reading::OtherProvider;
use cost_data::report::FileReport;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

#[derive(Serialize)]
pub struct ReconciliationFile<'a> {
    period: String,
    payer_account_id: &'a str,
    program_version: &'static str,
    run_format: u32,
    snapshot: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<UpstreamPart<'a>>,
    book: String,
    cost_cube: String,
    cost_cube_daily: Option<String>,
    price_list: Option<PriceListPart<'a>>,
    commitments: CommitmentsPart,
    #[serde(skip_serializing_if = "Option::is_none")]
    reading: Option<&'a str>,
    cost_report: String,
    currencies: BTreeMap<&'a str, CurrencyPart>,
    statements: Vec<StatementPart<'a>>,
    lines: LinesPart,
    numbers: NumbersPart<'a>,
    zero_rate_classes: Vec<ClassPart<'a>>,
    tiered_classes_on_unblended_cost: Vec<ClassPart<'a>>,
    tiered_classes_on_public_cost: Vec<ClassPart<'a>>,
    unknown_line_item_types: BTreeMap<&'a str, UnknownPart>,
    other_providers: &'a [OtherProvider],
    rules_without_lines: &'a [String],
    accounts_without_lines: &'a [String],
    auto_associated_accounts: &'a [String],
    files: Vec<FilePart<'a>>,
    files_passed_by: BTreeMap<&'a str, &'a str>,
    warnings: &'a [String],
}

/// The run above, where the month is what that charges.
#[derive(Serialize)]
struct UpstreamPart<'a> {
    reconciliation: &'a str,
}

#[derive(Serialize)]
struct PriceListPart<'a> {
    sha256: String,
    offers: Vec<OfferPart<'a>>,
    skus: usize,
    free_quotas: usize,
    skus_lacking: usize,
    warnings: &'a [String],
}

/// The files that say what commitments are and what they cover.
#[derive(Serialize)]
struct CommitmentsPart {
    sha256: String,
    simulated: bool,
    eligible_usage: Option<String>,
    coverage: Option<String>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct OfferPart<'a> {
    service: &'a str,
    version: &'a str,
    published: &'a str,
}

#[derive(Serialize)]
struct CurrencyPart {
    cost_files_total: String,
    groups_total: String,
    ungrouped_total: String,
    left_out_of_aws_cost: BTreeMap<String, String>,
    difference: String,
    dropped_from_pro_forma: BTreeMap<String, String>,
    pro_forma_total: String,
    fallen_back_total: String,
    cost_files_unblended_total: String,
}

#[derive(Serialize)]
struct StatementPart<'a> {
    billing_group: &'a str,
    total: String,
    currency: &'a str,
}

#[derive(Serialize)]
struct LinesPart {
    read: u64,
    rated: u64,
    dropped_from_pro_forma: u64,
    allocated: u64,
    ungrouped: u64,
    passed_by: u64,
    rejected: u64,
    fallen_back: u64,
    commitment_without_arn: u64,
    usage_outside_period: u64,
    other_providers: u64,
    service_differs_from_product: u64,
    duplicates: Option<u64>,
    classes: usize,
}

#[derive(Serialize)]
struct NumbersPart<'a> {
    slow_path: u64,
    rounded_to_ten_decimals: u64,
    rounding_residue: &'a str,
    rounded_percentage_items: u64,
}

#[derive(Serialize)]
struct ClassPart<'a> {
    class_id: String,
    billing_group: Option<&'a str>,
    account_id: &'a str,
    product: &'a str,
    usage_type: &'a str,
    operation: &'a str,
    rate_code: Option<&'a str>,
    lines: u64,
    usage_amount: String,
    amount: String,
    currency: &'a str,
}

#[derive(Serialize)]
struct UnknownPart {
    lines: u64,
    cost: String,
}

#[derive(Serialize)]
struct FilePart<'a> {
    name: &'a str,
    sha256: &'a str,
    bytes: u64,
    format: &'static str,
    because: &'a str,
}

/// The content of the file.
pub fn content<'a>(results: &'a Results, files: &Files<'_>) -> anyhow::Result<ReconciliationFile<'a>> {
    let (account, report) = (&results.reconciliation, &results.report);
    let classes =
        |noted: &[NotedClass]| noted.iter().map(|noted| class_part(results, noted)).collect::<Vec<_>>();
    Ok(ReconciliationFile {
        period: results.period.to_string(),
        payer_account_id: results.book.payer.as_str(),
        program_version: env!("CARGO_PKG_VERSION"),
        run_format: RUN_FORMAT,
        snapshot: as_marked(&report.snapshot()),
        upstream: results.upstream.as_deref().map(|reconciliation| UpstreamPart { reconciliation }),
        book: as_marked(&results.book.hash(results.period)),
        cost_cube: as_marked(&results.cube_sha256),
        cost_cube_daily: report.daily_sha256.as_ref().map(|hash| format!("sha256:{hash}")),
        price_list: price_list_part(&results.listed),
        commitments: commitments_part(results, files.commitments),
        reading: results.reading.as_deref(),
        cost_report: as_marked(&Sha256::digest(files.report)),
        currencies: account
            .currencies
            .iter()
            .map(|(code, part)| (code.as_str(), currency_part(part)))
            .collect(),
        statements: results.statements.iter().map(|statement| statement_part(results, statement)).collect(),
        lines: lines_part(results),
        numbers: NumbersPart {
            slow_path: report.numbers_slow_path,
            rounded_to_ten_decimals: report.numbers_rounded,
            rounding_residue: &report.rounding_residue,
            rounded_percentage_items: results.rounded_items,
        },
        zero_rate_classes: classes(&account.zero_rate),
        tiered_classes_on_unblended_cost: classes(&account.tiered_on_unblended),
        tiered_classes_on_public_cost: classes(&account.tiered_on_public),
        unknown_line_item_types: (account.unknown_line_item_types.iter())
            .map(|(name, (lines, cost))| {
                (name.as_str(), UnknownPart { lines: *lines, cost: cost.to_string() })
            })
            .collect(),
        other_providers: &report.other_providers,
        rules_without_lines: &account.rules_without_lines,
        accounts_without_lines: &account.accounts_without_lines,
        auto_associated_accounts: &results.card.auto_associated,
        files: report.files.iter().map(file_part).collect(),
        files_passed_by: report
            .passed_by
            .iter()
            .map(|(name, reason)| (name.as_str(), reason.as_str()))
            .collect(),
        warnings: &report.warnings,
    })
}

fn price_list_part(listed: &Listed) -> Option<PriceListPart<'_>> {
    let offers = listed.prices.offers.iter().map(|offer| OfferPart {
        service: &offer.service,
        version: &offer.version,
        published: &offer.published,
    });
    Some(PriceListPart {
        sha256: format!("sha256:{}", listed.sha256.as_ref()?),
        offers: offers.collect(),
        skus: listed.prices.prices.len(),
        free_quotas: listed.prices.quotas.len(),
        skus_lacking: listed.skus_lacking,
        warnings: &listed.report.warnings,
    })
}

fn commitments_part(results: &Results, file: &[u8]) -> CommitmentsPart {
    let of = |hash: &Option<String>| hash.as_ref().map(|hash| format!("sha256:{hash}"));
    let commitments = &results.commitments;
    CommitmentsPart {
        sha256: as_marked(&Sha256::digest(file)),
        simulated: commitments.coverage.is_some(),
        eligible_usage: of(&commitments.eligible_usage),
        coverage: of(&commitments.covered),
        warnings: commitments.warnings.clone(),
    }
}

fn currency_part(part: &CurrencyReconciliation) -> CurrencyPart {
    let texts = |costs: &BTreeMap<String, Cost>| {
        costs.iter().map(|(name, cost)| (name.clone(), cost.to_string())).collect::<BTreeMap<_, _>>()
    };
    CurrencyPart {
        cost_files_total: part.cost_files_total.to_string(),
        groups_total: part.groups_total.to_string(),
        ungrouped_total: part.ungrouped_total.to_string(),
        left_out_of_aws_cost: texts(&part.left_out_of_aws_cost),
        difference: part.difference.to_string(),
        dropped_from_pro_forma: texts(&part.dropped_from_pro_forma),
        pro_forma_total: part.pro_forma_total.to_string(),
        fallen_back_total: part.fallen_back_total.to_string(),
        cost_files_unblended_total: part.cost_files_unblended_total.to_string(),
    }
}

fn statement_part<'a>(results: &'a Results, statement: &'a Statement) -> StatementPart<'a> {
    StatementPart {
        billing_group: &results.book.groups[statement.group].name,
        total: statement.total_shown.to_string(),
        currency: statement.currency.as_str(),
    }
}

fn lines_part(results: &Results) -> LinesPart {
    let (lines, report) = (&results.reconciliation.lines, &results.report);
    LinesPart {
        read: report.lines_read,
        rated: lines.rated,
        dropped_from_pro_forma: lines.dropped,
        allocated: lines.allocated,
        ungrouped: lines.ungrouped,
        passed_by: report.lines_passed_by,
        rejected: report.lines_rejected,
        fallen_back: lines.fallen_back,
        commitment_without_arn: lines.commitment_without_arn,
        usage_outside_period: report.lines_usage_outside_period,
        other_providers: report.lines_of_other_providers(),
        service_differs_from_product: lines.service_differs_from_product,
        duplicates: report.duplicate_lines,
        classes: results.cube.classes.len(),
    }
}

fn class_part<'a>(results: &'a Results, noted: &NotedClass) -> ClassPart<'a> {
    let (cube, class) = (&results.cube, &results.cube.classes[noted.class]);
    let value = |column| cube.value(class, column).unwrap_or_default();
    let group = results.card.entries[noted.class].group;
    ClassPart {
        class_id: noted.id.to_string(),
        billing_group: group.map(|group| results.book.groups[group as usize].name.as_str()),
        account_id: value(KeyColumn::UsageAccount),
        product: cube.product(class),
        usage_type: value(KeyColumn::UsageType),
        operation: value(KeyColumn::Operation),
        rate_code: cube.value(class, KeyColumn::RateCode),
        lines: class.lines,
        usage_amount: class.sum(billing::charge_class::Measure::Usage).to_string(),
        amount: noted.amount.to_string(),
        currency: value(KeyColumn::Currency),
    }
}

fn file_part(file: &FileReport) -> FilePart<'_> {
    let FileReport { name, sha256, bytes, format, because, .. } = file;
    FilePart { name, sha256, bytes: *bytes, format: format.name(), because }
}
