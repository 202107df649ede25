//! `billing`: AWS's operations of billing views, one function each.
//!
//! Source: the service model of AWS Billing, version 2023-09-07, of which the operations of views are served; docs/billing-views.md.

mod changes;
mod shapes;

use crate::call::{Call, field, json};
use back_office::clock::Clock;
use back_office::custom_views::{BillingView, KnownViews};
use back_office::error::{Answer, Error};
use billing::account::AccountId;
use billing::period::BillingPeriod;
use shapes::{
    ActiveTimeRange, Health, ListBillingViews, ListSources, OfArn, OfResource, ResourceArn, ResourceTag,
    ResourceTags, SourceViews, View, ViewElement, ViewList, seconds,
};

/// The name of the service in signatures.
pub const SERVICE: &str = "billing";

/// How many entries a page holds at most.
const PAGE: usize = 100;

/// Performs an operation.
pub(crate) async fn perform(call: &Call<'_>, operation: &str) -> Answer<Vec<u8>> {
    match operation {
        "ListBillingViews" => list(call).await,
        "GetBillingView" => get(call).await,
        "CreateBillingView" => changes::create(call).await,
        "UpdateBillingView" => changes::update(call).await,
        "DeleteBillingView" => changes::delete(call).await,
        "AssociateSourceViews" => changes::associate(call, true).await,
        "DisassociateSourceViews" => changes::associate(call, false).await,
        "ListSourceViewsForBillingView" => list_sources(call).await,
        "GetResourcePolicy" => get_policy(call).await,
        "ListTagsForResource" => list_tags(call).await,
        "TagResource" => changes::tag(call).await,
        "UntagResource" => changes::untag(call).await,
        other => Err(Error::internal(format!("{other} is in the model and not served"))),
    }
}

/// `ListBillingViews`
async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: ListBillingViews = call.read()?;
    let period = input.active_time_range.as_ref().map(month).transpose()?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let payer = &call.caller.payer;
    let known = call.desk.known_views(payer).await?;
    let views = known.seen(call.caller, period).into_iter();
    let wanted = views.filter(|view| view.position > page.after && input.takes(payer, view));
    let entries = wanted.map(|view| (view.position.clone(), element(payer, view)));
    let (billing_views, next_token) = call.cut(&page, entries)?;
    json(&ViewList { billing_views, next_token })
}

/// The month that a time range is in.
fn month(range: &ActiveTimeRange) -> Answer<BillingPeriod> {
    const NAME: &str = "activeTimeRange";
    let (from, to) = (seconds(&range.active_after_inclusive), seconds(&range.active_before_inclusive));
    let (Some(from), Some(to)) = (from, to) else {
        return Err(field(NAME, "an instant is beyond the calendar; give instants of one calendar month"));
    };
    if to < from {
        return Err(field(
            NAME,
            "it ends before it begins; exchange activeAfterInclusive and activeBeforeInclusive",
        ));
    }
    let (first, last) = (Clock::period_of(from), Clock::period_of(to));
    match first == last {
        true => Ok(first),
        false => Err(field(
            NAME,
            &format!("it reaches from {first} into {last}; give a range within one calendar month"),
        )),
    }
}

impl ListBillingViews {
    /// Whether all filters that are given take a view; one takes it by any of its values.
    fn takes(&self, payer: &AccountId, view: &BillingView) -> bool {
        let is_of = |of: Option<&String>, account: Option<&AccountId>| {
            of.is_none_or(|of| account.is_some_and(|account| account.as_str() == of))
        };
        // Whose view another one is made of: a derived view is made of none.
        let source = (view.sources > 0).then_some(payer);
        let begins = |search: &shapes::StringSearch| view.name.starts_with(&search.search_value);
        (self.arns.is_empty() || self.arns.contains(&view.of.arn(payer)))
            && (self.billing_view_types.is_empty()
                || self.billing_view_types.iter().any(|kind| kind == view.kind.name()))
            && (self.names.is_empty() || self.names.iter().any(begins))
            && is_of(self.owner_account_id.as_ref(), Some(payer))
            && is_of(self.source_account_id.as_ref(), source)
    }
}

/// `GetBillingView`
async fn get(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfArn = call.read()?;
    let payer = &call.caller.payer;
    let known = call.desk.known_views(payer).await?;
    let name = known.named(call.caller, &input.arn)?;
    let view = known.view(call.caller, name).ok_or_else(|| Error::internal(input.arn.clone()))?;
    let (derived, sources) = (view.derived, view.sources);
    let (filter, created_at, updated_at) = (view.filter.clone(), view.created_at_s, view.updated_at_s);
    json(&View {
        billing_view: ViewElement {
            data_filter_expression: filter,
            created_at,
            updated_at,
            derived_view_count: Some(derived),
            source_view_count: Some(sources),
            ..element(payer, view)
        },
    })
}

/// A view as lists have it.
fn element(payer: &AccountId, view: BillingView) -> ViewElement {
    let health = Health {
        status_code: if view.unhealthy.is_empty() { "HEALTHY" } else { "UNHEALTHY" },
        status_reasons: view.unhealthy.iter().map(|reason| reason.name()).collect(),
    };
    ViewElement {
        arn: view.of.arn(payer),
        name: view.name,
        description: view.description,
        billing_view_type: view.kind.name(),
        owner_account_id: payer.to_string(),
        source_account_id: (view.sources > 0).then(|| payer.to_string()),
        data_filter_expression: None,
        created_at: None,
        updated_at: None,
        derived_view_count: None,
        source_view_count: None,
        health_status: health,
    }
}

/// `ListSourceViewsForBillingView`
async fn list_sources(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: ListSources = call.read()?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let known = call.desk.known_views(&call.caller.payer).await?;
    let name = known.named(call.caller, &input.arn)?;
    let sources = known.sources(&name).into_iter().filter(|arn| *arn > page.after);
    let (source_views, next_token) = call.cut(&page, sources.map(|arn| (arn.clone(), arn)))?;
    json(&SourceViews { source_views, next_token })
}

/// `GetResourcePolicy`: views are seen by whoever sees all that they are made of, and shared by no policy, so that there is none.
async fn get_policy(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    seen(call, &call.desk.known_views(&call.caller.payer).await?, &input.resource_arn)?;
    json(&ResourceArn { resource_arn: input.resource_arn })
}

fn seen(call: &Call<'_>, known: &KnownViews, arn: &str) -> Answer<()> {
    known.named(call.caller, arn).map(drop)
}

/// `ListTagsForResource`
async fn list_tags(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfResource = call.read()?;
    let tags = call.desk.view_tags(call.caller, &input.resource_arn).await?;
    let resource_tags =
        tags.into_iter().map(|(key, value)| ResourceTag { key, value: Some(value) }).collect();
    json(&ResourceTags { resource_tags })
}
