//! What changes custom views.

use super::shapes::{
    ArnOut, CreateBillingView, Created, DeleteBillingView, Empty, OfResource, ResourceTag, SourcesOf,
    UpdateBillingView, Updated,
};
use crate::call::{Call, json};
use back_office::custom_views::{NewView, ViewChange};
use back_office::error::Answer;

/// `CreateBillingView`
pub(super) async fn create(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: CreateBillingView = call.read()?;
    let new = NewView {
        name: input.name,
        description: input.description,
        sources: input.source_views,
        filter: input.data_filter_expression.map(|of| of.filter()).transpose()?.flatten(),
        tags: tags(input.resource_tags),
    };
    let (arn, created_at) = call.desk.create_view(&call.write(""), &new).await?;
    json(&Created { arn, created_at })
}

/// `UpdateBillingView`; an empty expression takes the filter away.
pub(super) async fn update(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: UpdateBillingView = call.read()?;
    let change = ViewChange {
        name: input.name,
        description: input.description,
        filter: input.data_filter_expression.map(|of| of.filter()).transpose()?,
    };
    let (arn, updated_at) = call.desk.update_view(&call.write(&input.arn), &input.arn, &change).await?;
    json(&Updated { arn, updated_at })
}

/// `DeleteBillingView`
pub(super) async fn delete(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: DeleteBillingView = call.read()?;
    let force = input.force.unwrap_or(false);
    let arn = call.desk.delete_view(&call.write(&input.arn), &input.arn, force).await?;
    json(&ArnOut { arn })
}

/// `AssociateSourceViews` and `DisassociateSourceViews`
pub(super) async fn associate(call: &Call<'_>, join: bool) -> Answer<Vec<u8>> {
    let input: SourcesOf = call.read()?;
    let (arn, sources) = (&input.arn, &input.source_views);
    let write = call.write(arn);
    let (arn, _) = match join {
        true => call.desk.associate_sources(&write, arn, sources).await?,
        false => call.desk.disassociate_sources(&write, arn, sources).await?,
    };
    json(&ArnOut { arn })
}

/// `TagResource`
pub(super) async fn tag(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let arn = &input.resource_arn;
    call.desk.change_view_tags(&call.write(arn), arn, &tags(input.resource_tags), &[]).await?;
    json(&Empty {})
}

/// `UntagResource`
pub(super) async fn untag(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let arn = &input.resource_arn;
    call.desk.change_view_tags(&call.write(arn), arn, &[], &input.resource_tag_keys).await?;
    json(&Empty {})
}

fn tags(tags: Vec<ResourceTag>) -> Vec<(String, String)> {
    tags.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default())).collect()
}
