//! Tags of the four kinds of resources.

use super::shapes::tags::{OfResource, Tags};
use crate::call::{Call, json};
use back_office::error::Answer;

/// `ListTagsForResource`
pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let configuration = call.desk.current(&call.caller.payer).await?;
    let tags = configuration.tags_of(&input.resource_arn, call.current())?.clone();
    json(&Tags { tags })
}

/// `TagResource`
pub(super) async fn put(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let done = call.change(&input.resource_arn, |edit| edit.tag_resource(&input.resource_arn, &input.tags));
    json(&done.await?)
}

/// `UntagResource`
pub(super) async fn remove(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let done =
        call.change(&input.resource_arn, |edit| edit.untag_resource(&input.resource_arn, &input.tag_keys));
    json(&done.await?)
}
