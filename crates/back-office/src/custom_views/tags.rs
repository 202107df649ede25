//! Tags of custom views, which are a part of them.

use super::{custom_id, living, not_found};
use crate::authorization::Caller;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Declined, Error};
use billing::billing_view::{TAGS_MAX, ViewName};
use std::collections::BTreeMap;
use store::BillingViewRow;

/// Tags that a resource is to have from now on, beside those that it has.
///
/// # Errors
/// [`Declined`] for a reserved or repeated key, or more than [`TAGS_MAX`].
pub fn new_tags(
    mut tags: BTreeMap<String, String>,
    new: &[(String, String)],
) -> Answer<BTreeMap<String, String>> {
    let mut given = BTreeMap::new();
    for (key, value) in new {
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid(format!(
                "tag key `{key}` begins with `aws:`, which is reserved; take another key"
            )));
        }
        if given.insert(key.clone(), value.clone()).is_some() {
            return Err(invalid(format!("tag key `{key}` is given twice; leave one out")));
        }
    }
    tags.extend(given);
    match tags.len() > TAGS_MAX {
        true => Err(invalid(format!("a resource has at most {TAGS_MAX} tags; remove some first"))),
        false => Ok(tags),
    }
}

fn invalid(message: String) -> Error {
    Declined::Invalid { message: message.clone(), fields: vec![("resourceTags".to_owned(), message)] }.into()
}

impl BackOffice {
    /// The tags of a view, by key; a derived one has none.
    ///
    /// # Errors
    /// [`Declined::NotFound`].
    pub async fn view_tags(&self, caller: &Caller, arn: &str) -> Answer<BTreeMap<String, String>> {
        let known = self.known_views(&caller.payer).await?;
        let name = known.named(caller, arn)?;
        let ViewName::Custom(id) = &name else { return Ok(BTreeMap::new()) };
        Ok(known.rows.get(id).map(|row| row.tags.clone()).unwrap_or_default())
    }

    /// Gives a custom view tags, and takes others away.
    ///
    /// # Errors
    /// [`Declined`] for a view that is not there or is derived, reserved keys, or too many.
    pub async fn change_view_tags(
        &self,
        request: &WriteRequest<'_>,
        arn: &str,
        put: &[(String, String)],
        removed: &[String],
    ) -> Answer<()> {
        let now = request.caller.now;
        let id = custom_id(&request.caller.payer, arn)?;
        let id = id.as_str();
        self.once(request, |mut write, _| async move {
            let row = living(write.billing_views().await?).remove(id).ok_or_else(|| not_found(arn))?;
            let mut tags = new_tags(row.tags.clone(), put)?;
            tags.retain(|key, _| !removed.contains(key));
            let version = row.version + 1;
            if tags != row.tags {
                write.put_billing_view(BillingViewRow { version, recorded_at_s: now, tags, ..row }).await?;
            }
            Ok((write, ()))
        })
        .await
    }
}
