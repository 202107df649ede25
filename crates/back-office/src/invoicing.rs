//! What the operations of `invoicing` share: the names of their resources, and tags.
//!
//! Source: the service model of AWS Invoicing, version 2024-12-01.

use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error};
use billing::account::AccountId;
use billing::arn::Arn;
use billing::invoice_unit::TAGS_MAX;
use std::collections::BTreeMap;
use store::{InvoicingKind, Write};

pub use crate::invoicing_refusal::{InvoicingReason, InvoicingRefusal};

/// A kind of resource, as ARNs have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvoicingResource {
    /// An invoice unit.
    InvoiceUnit,
    /// A preference of a procurement portal.
    PortalPreference,
}

impl InvoicingResource {
    const ALL: [Self; 2] = [Self::InvoiceUnit, Self::PortalPreference];

    /// The kind in ARNs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvoiceUnit => "invoice-unit",
            Self::PortalPreference => "procurement-portal-preference",
        }
    }

    /// The ARN of a resource of a payer.
    #[must_use]
    pub fn arn(self, payer: &AccountId, id: &str) -> String {
        format!("arn:aws:invoicing::{payer}:{}/{id}", self.name())
    }

    /// The id in an ARN of this kind and payer; `None` where it is none.
    #[must_use]
    pub fn id<'a>(self, payer: &AccountId, arn: &'a str) -> Option<&'a str> {
        let id = Arn::resource(arn, "invoicing", payer)?.strip_prefix(self.name())?.strip_prefix('/')?;
        (!id.is_empty()).then_some(id)
    }

    /// The id in an ARN of this kind and payer.
    ///
    /// # Errors
    /// [`InvoicingRefusal::NotFound`]: what is another payer's is not there.
    pub(crate) fn id_of<'a>(self, payer: &AccountId, arn: &'a str) -> Result<&'a str, InvoicingRefusal> {
        self.id(payer, arn).ok_or_else(|| InvoicingRefusal::not_found(self.name(), arn))
    }
}

/// Tags that a resource is to have from now on, beside those that it has.
///
/// # Errors
/// [`InvoicingRefusal`] for a reserved or repeated key, or more than [`TAGS_MAX`].
pub(crate) fn tagged(
    mut tags: BTreeMap<String, String>,
    new: &[(String, String)],
) -> Result<BTreeMap<String, String>, InvoicingRefusal> {
    let mut given = BTreeMap::new();
    for (key, value) in new {
        if key.to_ascii_lowercase().starts_with("aws:") {
            let message = format!("tag key `{key}` begins with `aws:`, which is reserved");
            return Err(InvoicingRefusal::field("ResourceTags", message));
        }
        if given.insert(key.clone(), value.clone()).is_some() {
            let message = format!("tag key `{key}` is given twice");
            return Err(InvoicingRefusal::field("ResourceTags", message));
        }
    }
    tags.extend(given);
    match tags.len() > TAGS_MAX {
        true => {
            Err(InvoicingRefusal::Quota(format!("a resource has at most {TAGS_MAX} tags; remove some first")))
        }
        false => Ok(tags),
    }
}

impl BackOffice {
    /// The tags of an invoice unit or a portal preference, by key.
    ///
    /// # Errors
    /// [`InvoicingRefusal::NotFound`].
    pub async fn invoicing_tags(&self, payer: &AccountId, arn: &str) -> Answer<BTreeMap<String, String>> {
        let (kind, id) = resource(payer, arn)?;
        let store = &self.0.store;
        let is_there = match kind {
            InvoicingResource::InvoiceUnit => {
                store.invoice_unit(payer, id, i64::MAX).await.map_err(Error::internal)?.is_some()
            }
            InvoicingResource::PortalPreference => {
                let found = store.invoicing_document(payer, InvoicingKind::PortalPreference, id).await;
                found.map_err(Error::internal)?.is_some()
            }
        };
        if !is_there {
            return Err(InvoicingRefusal::not_found("resource", arn).into());
        }
        store.invoicing_tags(payer, &name(kind, id)).await.map_err(Error::internal)
    }

    /// Gives a resource tags, and takes others away.
    ///
    /// # Errors
    /// [`InvoicingRefusal`] for a resource that is not there, reserved keys, or too many.
    pub async fn change_invoicing_tags(
        &self,
        request: &WriteRequest<'_>,
        arn: &str,
        put: &[(String, String)],
        removed: &[String],
    ) -> Answer<()> {
        let payer = &request.caller.payer;
        let (kind, id) = resource(payer, arn)?;
        self.once(request, |mut write, _| async move {
            if !is_there(&mut write, kind, id).await? {
                return Err(Error::from(InvoicingRefusal::not_found("resource", arn)).into());
            }
            let resource = name(kind, id);
            let mut tags = tagged(write.invoicing_tags(&resource).await?, put).map_err(Error::from)?;
            tags.retain(|key, _| !removed.contains(key));
            write.put_invoicing_tags(&resource, &tags).await?;
            Ok((write, ()))
        })
        .await
    }
}

/// Whether a resource is there, as of a write.
async fn is_there(write: &mut Write, kind: InvoicingResource, id: &str) -> Result<bool, store::StoreError> {
    match kind {
        InvoicingResource::InvoiceUnit => {
            let units = write.invoice_units().await?;
            Ok(units.iter().any(|row| row.unit.id == id && !row.is_deleted))
        }
        InvoicingResource::PortalPreference => {
            let rows = write.invoicing_documents(InvoicingKind::PortalPreference).await?;
            Ok(rows.iter().any(|row| row.id == id && !row.is_deleted))
        }
    }
}

/// What a tagged resource is called beside its tags.
pub(crate) fn name(kind: InvoicingResource, id: &str) -> String {
    format!("{}/{id}", kind.name())
}

/// The resource that an ARN names, of whichever kind.
fn resource<'a>(payer: &AccountId, arn: &'a str) -> Result<(InvoicingResource, &'a str), InvoicingRefusal> {
    let found = InvoicingResource::ALL.into_iter().find_map(|kind| Some((kind, kind.id(payer, arn)?)));
    found.ok_or_else(|| InvoicingRefusal::not_found("resource", arn))
}
