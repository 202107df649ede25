//! Preferences of procurement portals: kept, validated and given their states as AWS's API has them. Nothing is sent to a portal, and nothing is
//! fetched from one: a preference says so in the reason of its status, until somebody gives another reason.

use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error};
use crate::invoicing::{InvoicingReason, InvoicingRefusal, InvoicingResource, name, tagged};
use crate::principals::OTHER_MASTER_KEY;
use crate::transaction::Attempt;
use crate::vault::{SealedSecret, new_resource_id};
use billing::account::AccountId;
use billing::procurement_portal::{Connection, PortalStatus};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::{InvoicingDocument, InvoicingKind, Sealed, Write, portal_secret_name};
use zeroize::Zeroizing;

const KIND: InvoicingResource = InvoicingResource::PortalPreference;
/// How many preferences a payer has at most.
pub const PREFERENCES_MAX: usize = 100;
/// How long a validation code may be given back.
pub const CODE_SECONDS: i64 = 86_400;
/// How often a wrong code may be given before another one is to be sent.
pub const CODE_FAILURES_MAX: u32 = 5;
/// What the status of a preference says of itself.
pub const NOTHING_IS_SENT: &str = "kept by Proforma, which exchanges no documents with the portal";

/// Which portal a preference is for, and who is connected by it: for good.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PortalIdentity {
    /// `SAP_BUSINESS_NETWORK` or `COUPA`.
    pub portal: String,
    /// What kind of identifier the buyer has.
    pub buyer_domain: String,
    /// The buyer in the portal.
    pub buyer_identifier: String,
    /// What kind of identifier the supplier has.
    pub supplier_domain: String,
    /// The supplier in the portal.
    pub supplier_identifier: String,
}

/// What of a preference may be changed.
#[derive(Debug, Clone, Default)]
pub struct PortalSettings {
    /// All of it but secrets, as JSON in the members of the API's shape.
    pub shown: String,
    /// Where e-invoices would be delivered.
    pub endpoint: Option<String>,
    /// Whether e-invoices are to be delivered.
    pub delivers_invoices: bool,
    /// Whether purchase orders are to be fetched.
    pub retrieves_orders: bool,
    /// Whether there is a test environment.
    pub has_test_environment: bool,
    /// The invoice units whose invoices it is for.
    pub invoice_units: Vec<String>,
    /// The shared secrets that are given, of the portal and of its test environment; without one the kept one stays.
    pub secrets: Secrets,
}

/// Shared secrets. They are sealed, and never shown again.
#[derive(Clone, Default)]
pub struct Secrets {
    /// Of the portal.
    pub production: Option<Zeroizing<String>>,
    /// Of its test environment.
    pub test: Option<Zeroizing<String>>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// The state of a feature, and why it is so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureStatus {
    status: String,
    /// Why.
    pub reason: String,
}

impl FeatureStatus {
    /// The state.
    #[must_use]
    pub fn status(&self) -> PortalStatus {
        PortalStatus::parse(&self.status).unwrap_or(PortalStatus::PendingVerification)
    }

    fn new(status: PortalStatus) -> Self {
        Self { status: status.name().to_owned(), reason: NOTHING_IS_SENT.to_owned() }
    }
}

/// A preference as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortalPreference {
    /// Which portal it is for.
    pub identity: PortalIdentity,
    /// What it says, but for secrets: JSON in the members of the API's shape.
    pub shown: String,
    endpoint: Option<String>,
    has_test_environment: bool,
    is_verified: bool,
    /// How far its e-invoices are; absent where none are to be delivered.
    pub delivery: Option<FeatureStatus>,
    /// How far its purchase orders are; absent where none are to be fetched.
    pub retrieval: Option<FeatureStatus>,
    /// Until when the validation code may be given back, and how often a wrong one was; absent where none was sent.
    code: Option<(i64, u32)>,
    /// From 1 on; each change has the next.
    pub version: u64,
    /// When it was made, in seconds since 1970-01-01T00:00:00Z.
    pub created_at_s: i64,
    /// When it was changed last.
    pub changed_at_s: i64,
}

/// Another state that a feature is to have.
#[derive(Debug, Clone)]
pub struct StatusChange {
    /// The state; without one only the reason is another.
    pub status: Option<PortalStatus>,
    /// Why.
    pub reason: Option<String>,
}

/// What came of a validation code that was given back.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Given {
    Right,
    Wrong,
}

impl BackOffice {
    /// Makes a preference; its ARN.
    ///
    /// # Errors
    /// [`InvoicingRefusal`]: there is one for the same portal, buyer and supplier, there are too many, or it names an invoice unit that is not there.
    pub async fn create_portal_preference(
        &self,
        request: &WriteRequest<'_>,
        identity: PortalIdentity,
        settings: PortalSettings,
        tags: &[(String, String)],
    ) -> Answer<String> {
        let (payer, now) = (&request.caller.payer, request.caller.now);
        let (identity, settings) = (&identity, &settings);
        self.once(request, |mut write, _| async move {
            let tags = tagged(BTreeMap::new(), tags).map_err(Error::from)?;
            units_are_there(&mut write, payer, &settings.invoice_units).await?;
            let rows = write.invoicing_documents(InvoicingKind::PortalPreference).await?;
            stands_alone(payer, &rows, identity)?;
            let id = loop {
                let id = new_resource_id().map_err(Error::internal)?;
                if rows.iter().all(|row| row.id != id) {
                    break id;
                }
            };
            let first = PortalPreference {
                identity: identity.clone(),
                shown: String::new(),
                endpoint: settings.endpoint.clone(),
                has_test_environment: false,
                is_verified: false,
                delivery: None,
                retrieval: None,
                code: None,
                version: 0,
                created_at_s: now,
                changed_at_s: now,
            };
            let preference = first.with(settings, now);
            write = self.keep(write, &id, &preference, 1, now).await?;
            write = self.keep_secrets(write, &id, &settings.secrets).await?;
            if !tags.is_empty() {
                write.put_invoicing_tags(&name(KIND, &id), &tags).await?;
            }
            Ok((write, KIND.arn(payer, &id)))
        })
        .await
    }

    /// Puts other settings in place of all that a preference has; its ARN. With another endpoint it is to be verified again.
    ///
    /// # Errors
    /// [`InvoicingRefusal`] where there is no such preference, or it names an invoice unit that is not there.
    pub async fn put_portal_preference(
        &self,
        request: &WriteRequest<'_>,
        arn: &str,
        settings: PortalSettings,
    ) -> Answer<String> {
        let (payer, now, settings) = (&request.caller.payer, request.caller.now, &settings);
        let id = KIND.id_of(payer, arn)?;
        self.once(request, |mut write, _| async move {
            units_are_there(&mut write, payer, &settings.invoice_units).await?;
            let (row, preference) = found(&mut write, id, arn).await?;
            let next = preference.with(settings, now);
            write = self.keep(write, id, &next, row.version + 1, now).await?;
            write = self.keep_secrets(write, id, &settings.secrets).await?;
            Ok((write, KIND.arn(payer, id)))
        })
        .await
    }

    /// Gives the features of a preference other states; its ARN.
    ///
    /// # Errors
    /// [`InvoicingRefusal`] where there is no such preference, a feature is not enabled, or the state does not follow.
    pub async fn update_portal_status(
        &self,
        request: &WriteRequest<'_>,
        arn: &str,
        delivery: Option<StatusChange>,
        retrieval: Option<StatusChange>,
    ) -> Answer<String> {
        let (payer, now) = (&request.caller.payer, request.caller.now);
        let id = KIND.id_of(payer, arn)?;
        let (delivery, retrieval) = (&delivery, &retrieval);
        self.once(request, |mut write, _| async move {
            let (row, mut next) = found(&mut write, id, arn).await?;
            let of =
                Connection { is_verified: next.is_verified, has_test_environment: next.has_test_environment };
            for (feature, change, field) in [
                (&mut next.delivery, delivery, "EinvoiceDeliveryPreferenceStatus"),
                (&mut next.retrieval, retrieval, "PurchaseOrderRetrievalPreferenceStatus"),
            ] {
                let Some(change) = change else { continue };
                change.apply(feature, of, field, arn).map_err(Error::from)?;
            }
            next.version += 1;
            next.changed_at_s = now;
            write = self.keep(write, id, &next, row.version + 1, now).await?;
            Ok((write, KIND.arn(payer, id)))
        })
        .await
    }

    /// Deletes a preference with its secrets; its ARN.
    ///
    /// # Errors
    /// [`InvoicingRefusal::NotFound`].
    pub async fn delete_portal_preference(&self, request: &WriteRequest<'_>, arn: &str) -> Answer<String> {
        let (payer, now) = (&request.caller.payer, request.caller.now);
        let id = KIND.id_of(payer, arn)?;
        self.once(request, |mut write, _| async move {
            let (row, _) = found(&mut write, id, arn).await?;
            let last =
                InvoicingDocument { version: row.version + 1, recorded_at_s: now, is_deleted: true, ..row };
            write.put_invoicing_documents(InvoicingKind::PortalPreference, vec![last]).await?;
            for secret in [id.to_owned(), test_id(id), code_id(id)] {
                write.remove_portal_secret(&secret).await?;
            }
            Ok((write, KIND.arn(payer, id)))
        })
        .await
    }

    /// The preferences of a payer, each with its id, by id.
    ///
    /// # Errors
    /// [`Error::Internal`].
    pub async fn portal_preferences(&self, payer: &AccountId) -> Answer<Vec<(String, PortalPreference)>> {
        let rows = self.0.store.invoicing_documents(payer, InvoicingKind::PortalPreference).await;
        let mut found = Vec::new();
        for row in rows.map_err(Error::internal)? {
            found.push((row.id.clone(), preference(&row)?));
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(found)
    }

    /// A preference.
    ///
    /// # Errors
    /// [`InvoicingRefusal::NotFound`].
    pub async fn portal_preference(&self, payer: &AccountId, arn: &str) -> Answer<PortalPreference> {
        let id = KIND.id_of(payer, arn)?;
        let row = self.0.store.invoicing_document(payer, InvoicingKind::PortalPreference, id).await;
        let row = row.map_err(Error::internal)?;
        preference(&row.ok_or_else(|| InvoicingRefusal::not_found(KIND.name(), arn))?)
    }

    /// Makes a validation code, in place of any before; the ARN. The code goes to nobody by itself: the operator reads it with
    /// [`portal_code`](Self::portal_code), and hands it to whoever looks after the portal.
    ///
    /// # Errors
    /// [`InvoicingRefusal::NotFound`].
    pub async fn send_portal_validation(&self, request: &WriteRequest<'_>, arn: &str) -> Answer<String> {
        let (payer, now) = (&request.caller.payer, request.caller.now);
        let id = KIND.id_of(payer, arn)?;
        self.once(request, |mut write, _| async move {
            let (row, preference) = found(&mut write, id, arn).await?;
            let next = PortalPreference { code: Some((now.saturating_add(CODE_SECONDS), 0)), ..preference };
            write = self.keep(write, id, &next, row.version + 1, now).await?;
            let code = new_resource_id().map_err(Error::internal)?;
            write = self.keep_secret(write, &code_id(id), &code).await?;
            Ok((write, KIND.arn(payer, id)))
        })
        .await
    }

    /// The validation code of a preference, and until when it may be given back, in seconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`InvoicingRefusal`] where there is no such preference, or no code was sent.
    pub async fn portal_code(&self, payer: &AccountId, arn: &str) -> Answer<(String, i64)> {
        let id = KIND.id_of(payer, arn)?;
        let preference = self.portal_preference(payer, arn).await?;
        let sealed = self.0.store.portal_secret(payer, &code_id(id)).await.map_err(Error::internal)?;
        match (preference.code, sealed) {
            (Some((until, _)), Some(sealed)) => {
                Ok((self.opened_portal_secret(payer, &code_id(id), sealed)?, until))
            }
            _ => Err(no_code()),
        }
    }

    /// Takes a validation code back; the ARN. With the right one, every feature that waits for it is validated.
    ///
    /// # Errors
    /// [`InvoicingRefusal`] where there is no such preference, no code was sent, or it is another one, or too late.
    pub async fn verify_portal_validation(
        &self,
        request: &WriteRequest<'_>,
        arn: &str,
        code: &str,
    ) -> Answer<String> {
        let (payer, now) = (&request.caller.payer, request.caller.now);
        let id = KIND.id_of(payer, arn)?;
        let given = self.once(request, |mut write, _| async move {
            let (row, preference) = found(&mut write, id, arn).await?;
            let sealed = write.portal_secret(&code_id(id)).await?;
            let (Some((until, failures)), Some(sealed)) = (preference.code, sealed) else {
                return Err(no_code().into());
            };
            if now >= until || failures >= CODE_FAILURES_MAX {
                let message = "the code has expired, or was wrong too often; send another one";
                return Err(Error::from(InvoicingRefusal::of(
                    InvoicingReason::InvalidInput,
                    "Code",
                    message,
                ))
                .into());
            }
            let is_right = self.opened_portal_secret(payer, &code_id(id), sealed)? == code;
            let next = match is_right {
                true => preference.verified(now),
                false => PortalPreference { code: Some((until, failures + 1)), ..preference },
            };
            write = self.keep(write, id, &next, row.version + 1, now).await?;
            if is_right {
                write.remove_portal_secret(&code_id(id)).await?;
            }
            Ok((write, if is_right { Given::Right } else { Given::Wrong }))
        });
        match given.await? {
            Given::Right => Ok(KIND.arn(payer, id)),
            // That it was wrong is kept, and counted.
            Given::Wrong => {
                let message = "this is not the code that was sent";
                Err(InvoicingRefusal::of(InvoicingReason::InvalidInput, "Code", message).into())
            }
        }
    }

    async fn keep(
        &self,
        mut write: Write,
        id: &str,
        preference: &PortalPreference,
        version: u64,
        now: i64,
    ) -> Result<Write, Attempt> {
        let body = serde_json::to_string(preference).map_err(Error::internal)?;
        let row =
            InvoicingDocument { id: id.to_owned(), version, recorded_at_s: now, is_deleted: false, body };
        write.put_invoicing_documents(InvoicingKind::PortalPreference, vec![row]).await?;
        Ok(write)
    }

    /// Keeps the secrets that are given.
    async fn keep_secrets(&self, mut write: Write, id: &str, secrets: &Secrets) -> Result<Write, Attempt> {
        for (id, secret) in [(id.to_owned(), &secrets.production), (test_id(id), &secrets.test)] {
            if let Some(secret) = secret {
                write = self.keep_secret(write, &id, secret).await?;
            }
        }
        Ok(write)
    }

    /// Seals a secret and keeps it. Nobody seals one while another process puts another master key in place.
    async fn keep_secret(&self, mut write: Write, id: &str, secret: &str) -> Result<Write, Attempt> {
        if !self.is_master_of(write.master_key_check().await?) {
            return Err(Error::internal(OTHER_MASTER_KEY).into());
        }
        let sealed = self.sealed_portal_secret(write.payer(), id, secret)?;
        write.put_portal_secret(id, &sealed).await?;
        Ok(write)
    }

    fn sealed_portal_secret(&self, payer: &AccountId, id: &str, secret: &str) -> Answer<Sealed> {
        let name = portal_secret_name(payer.as_str(), id);
        let sealed = self.0.master.seal(&name, secret.as_bytes()).map_err(Error::internal)?;
        Ok(Sealed { nonce: sealed.nonce, ciphertext: sealed.ciphertext })
    }

    fn opened_portal_secret(&self, payer: &AccountId, id: &str, sealed: Sealed) -> Answer<String> {
        let name = portal_secret_name(payer.as_str(), id);
        let sealed = SealedSecret { nonce: sealed.nonce, ciphertext: sealed.ciphertext };
        let opened = self.0.master.open(&name, &sealed).map_err(Error::internal)?;
        String::from_utf8(opened.to_vec()).map_err(Error::internal)
    }
}

impl PortalPreference {
    /// The preference with other settings. A feature that is new, or whose endpoint is another one, waits for a validation.
    fn with(self, settings: &PortalSettings, now: i64) -> Self {
        let is_same_place = settings.endpoint == self.endpoint;
        let is_verified = self.is_verified && is_same_place;
        let first = match is_verified {
            true => PortalStatus::Validated,
            false => PortalStatus::PendingVerification,
        };
        let feature = |is_on: bool, had: Option<FeatureStatus>| {
            is_on.then(|| had.filter(|_| is_same_place).unwrap_or_else(|| FeatureStatus::new(first)))
        };
        Self {
            shown: settings.shown.clone(),
            endpoint: settings.endpoint.clone(),
            has_test_environment: settings.has_test_environment,
            is_verified,
            delivery: feature(settings.delivers_invoices, self.delivery),
            retrieval: feature(settings.retrieves_orders, self.retrieval),
            code: self.code.filter(|_| is_same_place),
            version: self.version + 1,
            changed_at_s: now,
            ..self
        }
    }

    /// The preference once its code was given back.
    fn verified(self, now: i64) -> Self {
        let validated = |feature: Option<FeatureStatus>| {
            feature.map(|of| match of.status() {
                PortalStatus::PendingVerification => FeatureStatus::new(PortalStatus::Validated),
                _ => of,
            })
        };
        Self {
            is_verified: true,
            delivery: validated(self.delivery),
            retrieval: validated(self.retrieval),
            code: None,
            version: self.version + 1,
            changed_at_s: now,
            ..self
        }
    }
}

impl StatusChange {
    fn apply(
        &self,
        feature: &mut Option<FeatureStatus>,
        of: Connection,
        field: &str,
        arn: &str,
    ) -> Result<(), InvoicingRefusal> {
        let Some(feature) = feature else {
            return Err(InvoicingRefusal::field(field, "the feature is not enabled in the preference"));
        };
        if let Some(next) = self.status {
            feature.status().may_become(next, of).map_err(|message| InvoicingRefusal::Conflict {
                kind: KIND.name(),
                id: arn.to_owned(),
                message,
            })?;
            *feature = FeatureStatus::new(next);
        }
        if let Some(reason) = &self.reason {
            feature.reason.clone_from(reason);
        }
        Ok(())
    }
}

/// Where the secret of the test environment is.
fn test_id(id: &str) -> String {
    format!("{id}:test")
}

/// Where the validation code is.
fn code_id(id: &str) -> String {
    format!("{id}:code")
}

fn no_code() -> Error {
    let message = "no validation was sent; send one first";
    InvoicingRefusal::of(InvoicingReason::InvalidInput, "", message).into()
}

fn preference(row: &InvoicingDocument) -> Answer<PortalPreference> {
    serde_json::from_str(&row.body).map_err(Error::internal)
}

/// A preference that is there, as of a write.
async fn found(
    write: &mut Write,
    id: &str,
    arn: &str,
) -> Result<(InvoicingDocument, PortalPreference), Attempt> {
    let rows = write.invoicing_documents(InvoicingKind::PortalPreference).await?;
    let row = rows.into_iter().find(|row| row.id == id && !row.is_deleted);
    let row = row.ok_or_else(|| Error::from(InvoicingRefusal::not_found(KIND.name(), arn)))?;
    let preference = preference(&row)?;
    Ok((row, preference))
}

/// Whether there is room for one more, and none for the same portal, buyer and supplier.
fn stands_alone(
    payer: &AccountId,
    rows: &[InvoicingDocument],
    identity: &PortalIdentity,
) -> Result<(), Error> {
    let living: Vec<_> = rows.iter().filter(|row| !row.is_deleted).collect();
    for row in &living {
        if preference(row)?.identity == *identity {
            let message = format!(
                "there is a preference for buyer `{}` and supplier `{}` of {}; change that one",
                identity.buyer_identifier, identity.supplier_identifier, identity.portal
            );
            let id = KIND.arn(payer, &row.id);
            return Err(InvoicingRefusal::Conflict { kind: KIND.name(), id, message }.into());
        }
    }
    match living.len() >= PREFERENCES_MAX {
        true => Err(InvoicingRefusal::Quota(format!(
            "the payer has {PREFERENCES_MAX} procurement portal preferences, the most that are allowed; delete one first"
        ))
        .into()),
        false => Ok(()),
    }
}

/// Whether all units that a preference names are there.
async fn units_are_there(write: &mut Write, payer: &AccountId, arns: &[String]) -> Result<(), Attempt> {
    if arns.is_empty() {
        return Ok(());
    }
    let rows = write.invoice_units().await?;
    let known: BTreeSet<&str> =
        rows.iter().filter(|row| !row.is_deleted).map(|row| row.unit.id.as_str()).collect();
    let missing = arns
        .iter()
        .find(|arn| InvoicingResource::InvoiceUnit.id(payer, arn).is_none_or(|id| !known.contains(id)));
    match missing {
        None => Ok(()),
        Some(arn) => Err(Error::from(InvoicingRefusal::field(
            "Selector.InvoiceUnitArns",
            format!("there is no invoice unit `{arn}`"),
        ))
        .into()),
    }
}
