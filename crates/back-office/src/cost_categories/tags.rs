//! Tags of cost categories, which are a part of them.

use super::{id_in, last_of, not_found};
use crate::authorization::Caller;
use crate::cost_explorer::CostExplorerRefusal;
use crate::custom_views::new_tags;
use crate::desk::{BackOffice, WriteRequest};
use crate::error::{Answer, Error};
use std::collections::BTreeMap;
use store::CostCategoryRow;

/// How many tags a cost category has at most.
const TAGS_MAX: usize = 50;

/// Tags that a cost category is to have, beside those that it has.
pub(super) fn with(
    tags: BTreeMap<String, String>,
    new: &[(String, String)],
) -> Answer<BTreeMap<String, String>> {
    let trimmed: Vec<_> =
        new.iter().map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect();
    let is_letter = |of: char| of.is_alphanumeric() || of.is_whitespace() || "_.:/=+-@".contains(of);
    let texts = trimmed.iter().flat_map(|(key, value)| [key, value]);
    if let Some(text) = texts.into_iter().find(|text| !text.chars().all(is_letter)) {
        let message = format!(
            "ResourceTags: `{text}` has a character that no tag may have; use letters, digits, spaces and _ . : / = + - @"
        );
        return Err(CostExplorerRefusal::Invalid(message).into());
    }
    let all = new_tags(tags, &trimmed).map_err(|error| match error {
        Error::Declined(declined) => CostExplorerRefusal::Invalid(declined.message()).into(),
        error => error,
    })?;
    if all.len() > TAGS_MAX {
        let message = format!(
            "the cost category would have {} tags, at most {TAGS_MAX} are allowed; remove some first",
            all.len()
        );
        return Err(CostExplorerRefusal::TooManyTags(message).into());
    }
    Ok(all)
}

impl BackOffice {
    /// The tags of a cost category, by key.
    ///
    /// # Errors
    /// [`CostExplorerRefusal::NotFound`].
    pub async fn cost_category_tags(&self, caller: &Caller, arn: &str) -> Answer<BTreeMap<String, String>> {
        let known = self.cost_categories(&caller.payer).await?;
        let found = known.get(id_in(&caller.payer, arn)?).filter(|of| !of.is_deleted());
        found.map(|of| of.tags.clone()).ok_or_else(|| not_found(arn))
    }

    /// Gives a cost category tags, and takes others away. What it says holds as before.
    ///
    /// # Errors
    /// [`CostExplorerRefusal::NotFound`], [`CostExplorerRefusal::Invalid`] for reserved keys, [`CostExplorerRefusal::TooManyTags`].
    pub async fn change_cost_category_tags(
        &self,
        request: &WriteRequest<'_>,
        arn: &str,
        added: &[(String, String)],
        removed: &[String],
    ) -> Answer<()> {
        let now = request.caller.now;
        let id = id_in(&request.caller.payer, arn)?;
        self.once(request, |mut write, _| async move {
            let last = last_of(&write.cost_categories().await?, id, arn)?;
            let mut tags = with(last.tags.clone(), added)?;
            tags.retain(|key, _| !removed.contains(key));
            if tags != last.tags {
                let version = last.version + 1;
                write
                    .put_cost_category(CostCategoryRow { version, recorded_at_s: now, tags, ..last })
                    .await?;
            }
            Ok((write, ()))
        })
        .await
    }
}
