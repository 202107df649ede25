//! What the operator says of AWS's invoices: profiles of accounts, summaries that AWS has told, documents that it has delivered.

use crate::call::{Call, field, json};
use crate::invoicing::{all_summaries, list_of, listed_profiles, read_summaries};
use aws_wire::json::Value;
use back_office::error::{Answer, Error};
use back_office::invoice_files::{INVOICE, NewInvoiceFile};
use back_office::invoice_summaries::SummariesOf;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use billing::account::AccountId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Empty {}

/// `PutInvoiceProfile`: the members of the input are those of `InvoiceProfile`.
pub(super) async fn put_profile(call: &Call<'_>) -> Answer<Vec<u8>> {
    let id = call.input.get("AccountId").and_then(Value::as_str).unwrap_or_default();
    let account = AccountId::parse(id).filter(AccountId::has_twelve_digits);
    let account = account.ok_or_else(|| field("AccountId", "an account id has twelve digits"))?;
    let members = call.input.as_map().into_iter().flatten().filter(|(name, _)| *name != "ClientToken");
    let profile: BTreeMap<_, _> = members.map(|(name, value)| (name.clone(), value.clone())).collect();
    call.desk.put_invoice_profile(&call.write(id), &account, &Value::Map(profile).to_json()).await?;
    json(&Empty {})
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Profiles {
    profiles: Vec<Value>,
}

/// `ListInvoiceProfiles`
pub(super) async fn list_profiles(call: &Call<'_>) -> Answer<Vec<u8>> {
    json(&Profiles { profiles: listed_profiles(call, None).await? })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ImportSummaries {
    summaries: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ImportedSummaries {
    new_count: u64,
    changed_count: u64,
    unchanged_count: u64,
    matched_count: u64,
    warnings: Vec<String>,
}

/// `ImportInvoiceSummaries`
pub(super) async fn import_summaries(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: ImportSummaries = call.read()?;
    let read = read_summaries(&input.summaries)?;
    let imported =
        call.desk.import_invoice_summaries(&call.write("invoice-summaries"), &read.summaries).await?;
    let warnings = read.warnings.into_iter().chain(imported.warnings).collect();
    json(&ImportedSummaries {
        new_count: imported.new,
        changed_count: imported.changed,
        unchanged_count: imported.unchanged,
        matched_count: imported.matched,
        warnings,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AttachDocument {
    invoice_id: String,
    document_type: Option<String>,
    document_id: Option<String>,
    document: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AttachedDocument {
    sha256: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// `AttachInvoiceDocument`
pub(super) async fn attach_document(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: AttachDocument = call.read()?;
    let bytes = STANDARD.decode(&input.document).map_err(Error::internal)?;
    let new = NewInvoiceFile {
        invoice_id: input.invoice_id.clone(),
        kind: input.document_type.unwrap_or_else(|| INVOICE.to_owned()),
        document_id: input.document_id.unwrap_or_default(),
        bytes,
    };
    let sha256 = call.desk.attach_invoice_file(&call.write(&input.invoice_id), new).await?;
    json(&AttachedDocument {
        sha256,
        warnings: unknown(call, &input.invoice_id).await?.into_iter().collect(),
    })
}

/// That nobody knows an invoice: neither AWS's list, nor the cost files, nor the operator's own numbers.
async fn unknown(call: &Call<'_>, invoice_id: &str) -> Answer<Option<String>> {
    let is_known = call.desk.has_issued(call.caller, invoice_id).await?
        || !all_summaries(call, SummariesOf::Invoice(invoice_id)).await?.is_empty();
    Ok((!is_known).then(|| {
        format!(
            "invoice `{invoice_id}` is in no list and in no cost file; where the number is wrong, attach the file again under the right one"
        )
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Reconcile {
    billing_period: String,
    tolerance: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Difference {
    invoice_id: String,
    difference: &'static str,
    cost_files: String,
    list: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Differences {
    billing_period: String,
    run_id: String,
    invoice_count: u64,
    differences: Vec<Difference>,
}

/// `ReconcileInvoices`
pub(super) async fn reconcile(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Reconcile = call.read()?;
    let period = crate::call::period(&input.billing_period)?;
    let list = list_of(call, period).await?;
    let payer = &call.caller.payer;
    let found = call.desk.reconcile_invoices(payer, period, &list, input.tolerance.as_deref()).await?;
    let difference = |of: billing::invoice::aws::Difference| Difference {
        invoice_id: of.id,
        difference: of.kind.code(),
        cost_files: of.cost_files,
        list: of.list,
    };
    json(&Differences {
        billing_period: period.to_string(),
        run_id: found.run,
        invoice_count: list.len() as u64,
        differences: found.differences.into_iter().map(difference).collect(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OnePreference {
    procurement_portal_preference_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PortalCode {
    code: String,
    expiration_time: i64,
}

/// `GetProcurementPortalCode`
pub(super) async fn portal_code(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OnePreference = call.read()?;
    let arn = &input.procurement_portal_preference_arn;
    let (code, expiration_time) = call.desk.portal_code(&call.caller.payer, arn).await?;
    json(&PortalCode { code, expiration_time })
}
