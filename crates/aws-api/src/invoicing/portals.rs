//! Preferences of procurement portals, and which portals and suppliers there are.

use super::portal_shapes::{Identity, settings, shown};
use super::{InvoicingRefusal, PreferenceArn, page};
use crate::call::{Call, json};
use aws_wire::json::Value;
use back_office::error::Answer;
use back_office::invoicing::InvoicingResource;
use back_office::procurement_portals::StatusChange;
use billing::procurement_portal::PortalStatus;
use serde::{Deserialize, Serialize};

const PAGE: usize = 100;

/// The portals that AWS's API names, with their names for people. What either takes is what the API has values for.
const PORTALS: [(&str, &str); 2] = [("COUPA", "Coupa"), ("SAP_BUSINESS_NETWORK", "SAP Business Network")];
const DOCUMENT_TYPES: [&str; 5] = [
    "AWS_CLOUD_INVOICE",
    "AWS_CLOUD_CREDIT_MEMO",
    "AWS_MARKETPLACE_INVOICE",
    "AWS_MARKETPLACE_CREDIT_MEMO",
    "AWS_REQUEST_FOR_PAYMENT",
];
const ATTACHMENT_TYPES: [&str; 2] = ["INVOICE_PDF", "RFP_PDF"];
/// The sellers of record with the country that each is in. Source: AWS, "AWS service providers by location"; the names but AWS_INC and AWS_EUROPE are
/// ours, as AWS publishes no others.
const SELLERS: [(&str, &str); 15] = [
    ("AMCS_KOREA", "KR"),
    ("AWS_AUSTRALIA", "AU"),
    ("AWS_BRAZIL", "BR"),
    ("AWS_CANADA", "CA"),
    ("AWS_EUROPE", "LU"),
    ("AWS_INC", "US"),
    ("AWS_INDIA", "IN"),
    ("AWS_INDONESIA", "ID"),
    ("AWS_JAPAN", "JP"),
    ("AWS_KOREA", "KR"),
    ("AWS_MALAYSIA", "MY"),
    ("AWS_NEW_ZEALAND", "NZ"),
    ("AWS_SINGAPORE", "SG"),
    ("AWS_SOUTH_AFRICA", "ZA"),
    ("AWS_TURKEY", "TR"),
];

fn arn_out(procurement_portal_preference_arn: String) -> Answer<Vec<u8>> {
    json(&PreferenceArn { procurement_portal_preference_arn })
}

/// `CreateProcurementPortalPreference`
pub(super) async fn create(call: &Call<'_>) -> Answer<Vec<u8>> {
    let (identity, tags) = call.read::<Identity>()?.parts();
    let settings = settings(call.input)?;
    arn_out(call.desk.create_portal_preference(&call.write(""), identity, settings, &tags).await?)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OnePreference {
    procurement_portal_preference_arn: String,
    code: Option<String>,
    einvoice_delivery_preference_status: Option<String>,
    einvoice_delivery_preference_status_reason: Option<String>,
    purchase_order_retrieval_preference_status: Option<String>,
    purchase_order_retrieval_preference_status_reason: Option<String>,
}

/// `PutProcurementPortalPreference`
pub(super) async fn put(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OnePreference = call.read()?;
    let arn = &input.procurement_portal_preference_arn;
    arn_out(call.desk.put_portal_preference(&call.write(arn), arn, settings(call.input)?).await?)
}

/// `UpdateProcurementPortalPreferenceStatus`
pub(super) async fn update_status(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OnePreference = call.read()?;
    let change = |status: Option<String>, reason: Option<String>| {
        let status = status.as_deref().and_then(PortalStatus::parse);
        (status.is_some() || reason.is_some()).then_some(StatusChange { status, reason })
    };
    let delivery =
        change(input.einvoice_delivery_preference_status, input.einvoice_delivery_preference_status_reason);
    let retrieval = change(
        input.purchase_order_retrieval_preference_status,
        input.purchase_order_retrieval_preference_status_reason,
    );
    let arn = &input.procurement_portal_preference_arn;
    arn_out(call.desk.update_portal_status(&call.write(arn), arn, delivery, retrieval).await?)
}

/// `DeleteProcurementPortalPreference`
pub(super) async fn delete(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OnePreference = call.read()?;
    let arn = &input.procurement_portal_preference_arn;
    arn_out(call.desk.delete_portal_preference(&call.write(arn), arn).await?)
}

/// `SendProcurementPortalValidation`
pub(super) async fn send_validation(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OnePreference = call.read()?;
    let arn = &input.procurement_portal_preference_arn;
    arn_out(call.desk.send_portal_validation(&call.write(arn), arn).await?)
}

/// `VerifyProcurementPortalValidation`
pub(super) async fn verify_validation(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OnePreference = call.read()?;
    let arn = &input.procurement_portal_preference_arn;
    let code = input.code.unwrap_or_default();
    arn_out(call.desk.verify_portal_validation(&call.write(arn), arn, &code).await?)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Preference {
    procurement_portal_preference: Value,
}

/// `GetProcurementPortalPreference`
pub(super) async fn get(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OnePreference = call.read()?;
    let payer = &call.caller.payer;
    let arn = &input.procurement_portal_preference_arn;
    let preference = call.desk.portal_preference(payer, arn).await?;
    let id = InvoicingResource::PortalPreference.id(payer, arn).unwrap_or_default();
    json(&Preference { procurement_portal_preference: shown(payer, id, &preference, false)? })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listing {
    portal_identifier: Option<String>,
    next_token: Option<String>,
    max_results: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Preferences {
    procurement_portal_preferences: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `ListProcurementPortalPreferences`
pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Listing = call.read()?;
    let page = page(call, input.max_results, input.next_token.as_deref(), PAGE)?;
    let payer = &call.caller.payer;
    let all = call.desk.portal_preferences(payer).await?;
    let after = all.into_iter().filter(|(id, _)| id.as_str() > page.after.as_str());
    let (found, next_token) = call.cut(&page, after.map(|(id, of)| (id.clone(), (id, of))))?;
    let shown = found.iter().map(|(id, of)| shown(payer, id, of, true));
    let procurement_portal_preferences = shown.collect::<Answer<_>>()?;
    json(&Preferences { procurement_portal_preferences, next_token })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct InvoiceConfiguration {
    document_types: [&'static str; 5],
    attachment_types: [&'static str; 2],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct FeatureConfigurations {
    invoice_configuration: InvoiceConfiguration,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Portal {
    portal_identifier: &'static str,
    portal_name: &'static str,
    portal_display_name: &'static str,
    default_feature_configurations: FeatureConfigurations,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Portals {
    procurement_portals: Vec<Portal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `ListProcurementPortals`
pub(super) fn list_portals(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Listing = call.read()?;
    let page = page(call, input.max_results, input.next_token.as_deref(), PAGE)?;
    let after = PORTALS.into_iter().filter(|(name, _)| *name > page.after.as_str());
    let portal = |(portal_name, portal_display_name)| Portal {
        portal_identifier: portal_name,
        portal_name,
        portal_display_name,
        default_feature_configurations: FeatureConfigurations {
            invoice_configuration: InvoiceConfiguration {
                document_types: DOCUMENT_TYPES,
                attachment_types: ATTACHMENT_TYPES,
            },
        },
    };
    let (procurement_portals, next_token) = call.cut(&page, after.map(|of| (of.0, portal(of))))?;
    json(&Portals { procurement_portals, next_token })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Supplier {
    supplier_identifier: &'static str,
    seller_of_record: &'static str,
    country_code: &'static str,
    environment: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Suppliers {
    procurement_portal_suppliers: Vec<Supplier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// `ListProcurementPortalSuppliers`. AWS's numbers in the networks are not published, so a supplier is identified by its seller of record.
pub(super) fn list_suppliers(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Listing = call.read()?;
    let page = page(call, input.max_results, input.next_token.as_deref(), PAGE)?;
    let portal = input.portal_identifier.unwrap_or_default();
    if PORTALS.iter().all(|(name, _)| *name != portal) {
        return Err(InvoicingRefusal::not_found("procurement portal", &portal).into());
    }
    let after = SELLERS.into_iter().filter(|(seller, _)| *seller > page.after.as_str());
    let supplier = |(seller, country_code)| Supplier {
        supplier_identifier: seller,
        seller_of_record: seller,
        country_code,
        environment: "PROD",
    };
    let (procurement_portal_suppliers, next_token) = call.cut(&page, after.map(|of| (of.0, supplier(of))))?;
    json(&Suppliers { procurement_portal_suppliers, next_token })
}
