//! Portal preferences between the API's shape and what is kept: secrets go in, and never come out.

use super::field;
use super::units::{ResourceTag, tags};
use aws_wire::json::Value;
use back_office::error::{Answer, Error};
use back_office::invoicing::InvoicingResource;
use back_office::procurement_portals::{PortalIdentity, PortalPreference, PortalSettings, Secrets};
use billing::account::AccountId;
use http::Uri;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// What a put replaces, secrets aside.
const SETTINGS: [&str; 9] = [
    "Selector",
    "ProcurementPortalInstanceEndpoint",
    "TestEnvPreference",
    "EinvoiceDeliveryEnabled",
    "EinvoiceDeliveryPreference",
    "PurchaseOrderRetrievalEnabled",
    "MarketplacePunchOutEnabled",
    "MarketplacePunchOutPreference",
    "Contacts",
];
/// What of it a list shows.
const LISTED: [&str; 4] =
    ["Selector", "EinvoiceDeliveryEnabled", "PurchaseOrderRetrievalEnabled", "MarketplacePunchOutEnabled"];
const SECRET: &str = "ProcurementPortalSharedSecret";
const ENDPOINT: &str = "ProcurementPortalInstanceEndpoint";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Identity {
    procurement_portal_name: String,
    buyer_domain: String,
    buyer_identifier: String,
    supplier_domain: String,
    supplier_identifier: String,
    #[serde(default)]
    resource_tags: Vec<ResourceTag>,
}

impl Identity {
    /// Which portal it is for, and the tags that come with it.
    pub fn parts(self) -> (PortalIdentity, Vec<(String, String)>) {
        let identity = PortalIdentity {
            portal: self.procurement_portal_name,
            buyer_domain: self.buyer_domain,
            buyer_identifier: self.buyer_identifier,
            supplier_domain: self.supplier_domain,
            supplier_identifier: self.supplier_identifier,
        };
        (identity, tags(self.resource_tags))
    }
}

/// The settings of a request.
pub(super) fn settings(input: &Value) -> Answer<PortalSettings> {
    let mut shown: BTreeMap<String, Value> = BTreeMap::new();
    for name in SETTINGS {
        if let Some(value) = input.get(name) {
            shown.insert(name.to_owned(), value.clone());
        }
    }
    let test = match shown.get_mut("TestEnvPreference") {
        Some(Value::Map(members)) => members.remove(SECRET),
        _ => None,
    };
    check(input)?;
    let secret =
        |value: Option<&Value>| value.and_then(Value::as_str).map(|text| Zeroizing::new(text.to_owned()));
    Ok(PortalSettings {
        endpoint: input.get(ENDPOINT).and_then(Value::as_str).map(ToOwned::to_owned),
        delivers_invoices: is_on(input, "EinvoiceDeliveryEnabled"),
        retrieves_orders: is_on(input, "PurchaseOrderRetrievalEnabled"),
        has_test_environment: shown.contains_key("TestEnvPreference"),
        invoice_units: texts(input, &["Selector", "InvoiceUnitArns"]),
        secrets: Secrets { production: secret(input.get(SECRET)), test: secret(test.as_ref()) },
        shown: Value::Map(shown).to_json(),
    })
}

/// What the model does not say: a feature that is on has its preference, and addresses are of HTTPS.
fn check(input: &Value) -> Result<(), Error> {
    for (feature, preference) in [
        ("EinvoiceDeliveryEnabled", "EinvoiceDeliveryPreference"),
        ("MarketplacePunchOutEnabled", "MarketplacePunchOutPreference"),
    ] {
        if is_on(input, feature) && input.get(preference).is_none() {
            return Err(field(preference, format!("is required where {feature} is true")));
        }
    }
    for path in [
        &[ENDPOINT][..],
        &["TestEnvPreference", ENDPOINT],
        &["MarketplacePunchOutPreference", "ApprovalRequestRedirectUrl"],
    ] {
        let address = path.iter().try_fold(input, |value, name| value.get(name)).and_then(Value::as_str);
        if address.is_some_and(|address| !is_https(address)) {
            return Err(field(&path.join("."), "must be an address that begins with https://"));
        }
    }
    let delivered = texts(input, &["EinvoiceDeliveryPreference", "EinvoiceDeliveryDocumentTypes"]);
    let delivered: BTreeSet<&str> = delivered.iter().map(String::as_str).collect();
    let sources = input.get("EinvoiceDeliveryPreference").and_then(|of| of.get("PurchaseOrderDataSources"));
    for source in sources.and_then(Value::as_list).unwrap_or_default() {
        let kind = source.get("EinvoiceDeliveryDocumentType").and_then(Value::as_str);
        if let Some(kind) = kind.filter(|kind| !delivered.contains(kind)) {
            let message = format!("{kind} is not among EinvoiceDeliveryDocumentTypes");
            return Err(field("EinvoiceDeliveryPreference.PurchaseOrderDataSources", message));
        }
    }
    Ok(())
}

fn is_https(address: &str) -> bool {
    address
        .parse::<Uri>()
        .is_ok_and(|uri| uri.scheme_str() == Some("https") && uri.host().is_some_and(|host| !host.is_empty()))
}

fn is_on(input: &Value, name: &str) -> bool {
    input.get(name) == Some(&Value::Bool(true))
}

/// The texts of a list at a path.
fn texts(input: &Value, path: &[&str]) -> Vec<String> {
    let list = path.iter().try_fold(input, |value, name| value.get(name)).and_then(Value::as_list);
    list.unwrap_or_default().iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

/// A preference in the API's shape: all of it, or what a list has.
pub(super) fn shown(
    payer: &AccountId,
    id: &str,
    preference: &PortalPreference,
    is_listed: bool,
) -> Answer<Value> {
    let Value::Map(mut members) = super::kept(&preference.shown)? else {
        return Err(Error::internal(format!("preference {id} is no object")));
    };
    if is_listed {
        members.retain(|name, _| LISTED.contains(&name.as_str()));
    }
    let identity = &preference.identity;
    for (name, text) in [
        ("AwsAccountId", payer.as_str()),
        ("ProcurementPortalPreferenceArn", &InvoicingResource::PortalPreference.arn(payer, id)),
        ("ProcurementPortalName", &identity.portal),
        ("BuyerDomain", &identity.buyer_domain),
        ("BuyerIdentifier", &identity.buyer_identifier),
        ("SupplierDomain", &identity.supplier_domain),
        ("SupplierIdentifier", &identity.supplier_identifier),
    ] {
        members.insert(name.to_owned(), text.into());
    }
    for (name, feature) in [
        ("EinvoiceDeliveryPreferenceStatus", &preference.delivery),
        ("PurchaseOrderRetrievalPreferenceStatus", &preference.retrieval),
    ] {
        if let Some(feature) = feature {
            members.insert(name.to_owned(), feature.status().name().into());
            members.insert(format!("{name}Reason"), feature.reason.as_str().into());
        }
    }
    let version = i64::try_from(preference.version).unwrap_or(i64::MAX);
    for (name, number) in [
        ("Version", version),
        ("CreateDate", preference.created_at_s),
        ("LastUpdateDate", preference.changed_at_s),
    ] {
        members.insert(name.to_owned(), number.into());
    }
    Ok(Value::Map(members))
}
