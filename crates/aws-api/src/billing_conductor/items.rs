//! Custom line items.

use super::groups::{may_see, sees_account};
use super::names::{changed, ids_of, listed, number};
use super::shapes::Listing;
use super::shapes::items::{
    AssociatedElement, AssociatedIn, AssociatedResources, BatchAssociated, BatchDisassociated, ChargeDetails,
    CreateCustomLineItem, CustomLineItemElement, CustomLineItemVersions, CustomLineItems,
    CustomLineItemsFilter, DeleteCustomLineItem, FlatCharge, ItemRange, ItemVersion, LineItemFilter,
    PercentageCharge, Presentation, ResourceError, ResourceResult, ResourcesOfItem, UpdateCustomLineItem,
    UpdatedCustomLineItem, VersionsIn,
};
use crate::call::{Call, Position, json};
use back_office::authorization::Scope;
use back_office::error::{Answer, Error};
use billing::account::AccountId;
use billing::configuration::{
    Associated, AssociationSizes, ChargeSettings, Configuration, CustomLineItemId, FilterText, ItemChange,
    ItemSettings, NewItem, NewPercentage, PeriodRange, Refusal, Resource, ResourceType, ValidationReason,
    associated_resources, item_named, item_versions,
};
use billing::custom_line_item::{Filter, Kind, PRODUCT};
use billing::period::BillingPeriod;
use serde::{Deserialize, Serialize};

const PAGE: usize = 100;
/// How many characters of a service code AWS's product codes have room for.
const PRODUCT_CODE_MAX: usize = 29;

/// `CreateCustomLineItem`
pub(super) async fn create(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: CreateCustomLineItem = call.read()?;
    let details = input.charge_details;
    let new = NewItem {
        name: input.name,
        description: input.description,
        billing_group: input.billing_group_arn,
        account: input.account_id,
        range: input.billing_period_range.as_ref().map(range).transpose()?,
        kind: if details.r#type.as_deref() == Some("CREDIT") { Kind::Credit } else { Kind::Fee },
        flat: details.flat.map(|flat| flat.charge_value.as_str().to_owned()),
        percentage: details.percentage.map(|percentage| NewPercentage {
            value: percentage.percentage_value.as_str().to_owned(),
            of: percentage.associated_values,
        }),
        filters: filters(details.line_item_filters.unwrap_or_default()),
        itemized: input.computation_rule.map(|rule| rule == "ITEMIZED"),
        presentation_service: input.presentation_details.map(|presentation| presentation.service),
        tags: input.tags,
    };
    let payer = &call.caller.payer;
    changed(call, "", |edit| Ok(edit.create_custom_line_item(new.clone())?.arn(payer))).await
}

/// `UpdateCustomLineItem`
pub(super) async fn update(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: UpdateCustomLineItem = call.read()?;
    let (flat, percentage, line_item_filters) = match input.charge_details {
        None => (None, None, None),
        Some(details) => (
            details.flat.map(|flat| flat.charge_value.as_str().to_owned()),
            details.percentage.map(|percentage| percentage.percentage_value.as_str().to_owned()),
            details.line_item_filters,
        ),
    };
    let range = input.billing_period_range.as_ref().map(range).transpose()?;
    let change = ItemChange {
        name: input.name,
        description: input.description,
        flat,
        percentage,
        filters: line_item_filters.map(filters),
        range,
    };
    let made = call.change(&input.arn, |edit| {
        edit.update_custom_line_item(&input.arn, change.clone()).map(|id| id.to_string())
    });
    let text = made.await?;
    let period = range.map_or_else(|| call.write_period(), |range| range.start);
    let (configuration, index) = call.desk.indexed(&call.caller.payer, period).await?;
    let id = CustomLineItemId::parse(&text).ok_or_else(|| Error::internal(text.clone()))?;
    let (resource, settings) = configuration.items.at(&id, period).ok_or_else(|| Error::internal(text))?;
    json(&UpdatedCustomLineItem {
        arn: id.arn(&configuration.payer),
        billing_group_arn: settings.billing_group.arn(&configuration.payer),
        name: settings.name.clone(),
        description: settings.description.clone(),
        charge_details: details(settings)?,
        last_modified_time: resource.modified_at,
        association_size: index.association_size(&id, settings),
    })
}

/// `DeleteCustomLineItem`
pub(super) async fn delete(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: DeleteCustomLineItem = call.read()?;
    let range = input.billing_period_range.as_ref().map(range).transpose()?;
    let payer = &call.caller.payer;
    changed(call, &input.arn, |edit| Ok(edit.delete_custom_line_item(&input.arn, range)?.arn(payer))).await
}

/// `ListCustomLineItems`
pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Listing<CustomLineItemsFilter> = call.read()?;
    let period = call.period_or_current(input.billing_period.as_deref())?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let filter = input.filters.unwrap_or_default();
    let (configuration, index) = call.desk.indexed(&call.caller.payer, period).await?;
    let (arns, groups) = (filter.arns.as_deref().map(ids_of), filter.billing_groups.as_deref().map(ids_of));
    let items = listed(&configuration.items, page.after_number(), arns.as_ref(), CustomLineItemId::parse);
    let matching = items.filter_map(|(id, resource)| {
        let settings = resource.versions.at(period)?;
        let carrier = configuration.carrier(settings, period);
        let fits = groups.as_ref().is_none_or(|ids| ids.contains(settings.billing_group.as_str()))
            && filter.names.as_ref().is_none_or(|names| names.contains(&settings.name))
            && filter.account_ids.as_ref().is_none_or(|accounts| {
                carrier.is_some_and(|carrier| accounts.iter().any(|account| account == carrier.as_str()))
            });
        let is_visible = sees(&call.caller.scope, settings, carrier);
        (fits && is_visible).then_some((Position(resource.number), (id, resource, settings)))
    });
    let (cut, next_token) = call.cut(&page, matching)?;
    let elements = cut.into_iter().map(|(id, resource, settings)| {
        let size = index.association_size(id, settings);
        element(&configuration, period, (id, resource, settings), size, &call.caller.scope)
    });
    let custom_line_items = elements.collect::<Answer<_>>()?;
    json(&CustomLineItems { custom_line_items, next_token })
}

/// `ListCustomLineItemVersions`
pub(super) async fn list_versions(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: VersionsIn = call.read()?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let range = input.filters.and_then(|filters| filters.billing_period_range).unwrap_or_default();
    let edge = |text: Option<&String>| text.map(|text| crate::call::period(text)).transpose();
    let (start, end) = (edge(range.start_billing_period.as_ref())?, edge(range.end_billing_period.as_ref())?);
    if let (Some(start), Some(end)) = (start, end)
        && end <= start
    {
        let message = format!("the range ends at {end}, which is not after its start {start}");
        return Err(Error::invalid(ValidationReason::IllegalBillingPeriodRange, message));
    }
    let configuration = call.desk.current(&call.caller.payer).await?;
    let id = item_id(call, &configuration, &input.arn, Missing::Invalid)?;
    let resource = configuration.items.get(&id).ok_or_else(|| Error::internal(id.clone()))?;
    let spans = item_versions(&configuration, &id, start, end).filter(|span| {
        let carrier = configuration.carrier(&span.value, span.from);
        sees(&call.caller.scope, &span.value, carrier) && span.from.to_string().as_str() > page.after.as_str()
    });
    let (cut, next_token) = call.cut(&page, spans.map(|span| (span.from.to_string(), span)))?;
    let elements = cut.into_iter().map(|span| {
        let size = AssociationSizes::new(&configuration, span.from).of(&id, &span.value) as u64;
        let mut element =
            element(&configuration, span.from, (&id, resource, &span.value), size, &call.caller.scope)?;
        element.last_modified_time = span.recorded_at;
        element.version = Some(ItemVersion {
            start_billing_period: span.from.to_string(),
            end_billing_period: span.to.map(|to| to.to_string()),
            start_time: span.recorded_at,
        });
        Ok(element)
    });
    let custom_line_item_versions = elements.collect::<Answer<_>>()?;
    json(&CustomLineItemVersions { custom_line_item_versions, next_token })
}

/// What a batch came to, as it is kept under the client's token.
#[derive(Serialize, Deserialize)]
struct Batch {
    done: Vec<ResourceResult>,
    failed: Vec<ResourceResult>,
}

/// `BatchAssociateResourcesToCustomLineItem` and `BatchDisassociateResourcesFromCustomLineItem`
pub(super) async fn associate(call: &Call<'_>, join: bool) -> Answer<Vec<u8>> {
    let input: ResourcesOfItem = call.read()?;
    let range = input.billing_period_range.as_ref().map(range).transpose()?;
    let (target, resources) = (&input.target_arn, &input.resource_arns);
    let made = call.change(target, |edit| {
        let associated = match join {
            true => edit.associate_to_custom_line_item(target, resources, range)?,
            false => edit.disassociate_from_custom_line_item(target, resources, range)?,
        };
        Ok(batch(associated))
    });
    let Batch { done, failed } = made.await?;
    match join {
        true => json(&BatchAssociated {
            successfully_associated_resources: done,
            failed_associated_resources: failed,
        }),
        false => json(&BatchDisassociated {
            successfully_disassociated_resources: done,
            failed_disassociated_resources: failed,
        }),
    }
}

fn batch(associated: Associated) -> Batch {
    let mut batch = Batch { done: Vec::new(), failed: Vec::new() };
    for (arn, outcome) in associated.resources {
        match outcome {
            Ok(()) => batch.done.push(ResourceResult { arn, error: None }),
            Err(failure) => {
                let error =
                    ResourceError { message: failure.message, reason: failure.reason.name().to_owned() };
                batch.failed.push(ResourceResult { arn, error: Some(error) });
            }
        }
    }
    batch
}

/// `ListResourcesAssociatedToCustomLineItem`
pub(super) async fn list_associated(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: AssociatedIn = call.read()?;
    let period = call.period_or_current(input.billing_period.as_deref())?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let wanted = input.filters.and_then(|filter| filter.relationship);
    let configuration = call.desk.current(&call.caller.payer).await?;
    let id = item_id(call, &configuration, &input.arn, Missing::NotFound)?;
    let resources = associated_resources(&configuration, &id, period).ok_or_else(|| {
        Error::Refused(Refusal::NotFound { kind: ResourceType::CustomLineItem, id: input.arn.clone() })
    })?;
    let begin: usize = page.after.parse().unwrap_or_default();
    let entries = resources
        .into_iter()
        .filter(|resource| wanted.as_ref().is_none_or(|wanted| wanted == resource.relationship.name()))
        .enumerate()
        .skip(begin)
        .map(|(at, resource)| {
            let element = AssociatedElement {
                arn: resource.arn,
                relationship: resource.relationship.name(),
                end_billing_period: resource.end.map(|end| end.to_string()),
            };
            ((at + 1).to_string(), element)
        });
    let (associated_resources, next_token) = call.cut(&page, entries)?;
    json(&AssociatedResources { arn: id.arn(&configuration.payer), associated_resources, next_token })
}

/// How an item that is not there is answered: not every operation of AWS knows `ResourceNotFoundException`.
enum Missing {
    NotFound,
    Invalid,
}

/// An item that the caller names and may see in some period.
fn item_id(
    call: &Call<'_>,
    configuration: &Configuration,
    text: &str,
    missing: Missing,
) -> Answer<CustomLineItemId> {
    let absent = || match missing {
        Missing::NotFound => {
            Error::Refused(Refusal::NotFound { kind: ResourceType::CustomLineItem, id: text.to_owned() })
        }
        Missing::Invalid => {
            let message = format!("there is no custom line item `{text}`");
            Error::invalid(ValidationReason::MissingCustomlineitem, message)
        }
    };
    let id = item_named(configuration, text, None).map_err(|refusal| match refusal {
        Refusal::NotFound { .. } => absent(),
        // That another payer has it is nothing that a customer is told.
        _ if call.caller.scope != Scope::Payer => absent(),
        refusal => refusal.into(),
    })?;
    let resource = configuration.items.get(&id).ok_or_else(absent)?;
    let is_visible = resource
        .versions
        .spans()
        .iter()
        .any(|span| sees(&call.caller.scope, &span.value, configuration.carrier(&span.value, span.from)));
    is_visible.then_some(id).ok_or_else(absent)
}

/// Whether a scope sees an item: its group's, and of a customer that is narrowed to accounts those that an account of its carries.
fn sees(scope: &Scope, item: &ItemSettings, carrier: Option<&AccountId>) -> bool {
    match scope {
        Scope::Groups { accounts: Some(_), .. } => {
            carrier.is_some_and(|carrier| sees_account(scope, carrier, Some(&item.billing_group)))
        }
        _ => may_see(scope, &item.billing_group),
    }
}

fn element<'a>(
    configuration: &'a Configuration,
    period: BillingPeriod,
    (id, resource, settings): (&CustomLineItemId, &Resource<ItemSettings>, &'a ItemSettings),
    association_size: u64,
    scope: &Scope,
) -> Answer<CustomLineItemElement<'a>> {
    let mut charge_details = details(settings)?;
    let mut association_size = association_size;
    if *scope != Scope::Payer {
        // What a percentage leaves out of its base tells how the base is made.
        charge_details.line_item_filters = None;
        association_size = 0;
    }
    let service = settings.presentation_service.as_ref();
    let product = service.map_or(PRODUCT, String::as_str);
    let end = product.char_indices().nth(PRODUCT_CODE_MAX).map_or(product.len(), |(end, _)| end);
    Ok(CustomLineItemElement {
        arn: id.arn(&configuration.payer),
        name: &settings.name,
        charge_details,
        currency_code: "USD",
        description: &settings.description,
        product_code: &product[..end],
        billing_group_arn: settings.billing_group.arn(&configuration.payer),
        creation_time: resource.created_at,
        last_modified_time: resource.modified_at,
        association_size,
        account_id: configuration.carrier(settings, period).map(AccountId::as_str),
        computation_rule: if settings.itemized == Some(true) { "ITEMIZED" } else { "CONSOLIDATED" },
        presentation_details: service.map(|service| Presentation { service: service.clone() }),
        version: None,
    })
}

fn details(settings: &ItemSettings) -> Answer<ChargeDetails> {
    let kind = match settings.kind {
        Kind::Fee => "FEE",
        Kind::Credit => "CREDIT",
    };
    let mut details = ChargeDetails {
        flat: None,
        percentage: None,
        r#type: Some(kind.to_owned()),
        line_item_filters: None,
    };
    match &settings.charge {
        ChargeSettings::Flat(value) => details.flat = Some(FlatCharge { charge_value: number(value)? }),
        ChargeSettings::Percentage { percentage, filter, .. } => {
            let percentage_value = number(percentage)?;
            details.percentage = Some(PercentageCharge { percentage_value, associated_values: None });
            details.line_item_filters = filter.as_ref().map(|filter| vec![filter_shape(filter)]);
        }
    }
    Ok(details)
}

fn filter_shape(filter: &Filter) -> LineItemFilter {
    let of = |attribute: &str, option: &str| LineItemFilter {
        attribute: attribute.to_owned(),
        match_option: option.to_owned(),
        values: None,
        attribute_values: None,
    };
    match filter {
        Filter::WithoutSavingsPlanNegation => LineItemFilter {
            values: Some(vec!["SAVINGS_PLAN_NEGATION".to_owned()]),
            ..of("LINE_ITEM_TYPE", "NOT_EQUAL")
        },
        Filter::OnlyService(service) => {
            LineItemFilter { attribute_values: Some(vec![service.clone()]), ..of("SERVICE", "EQUAL") }
        }
        Filter::WithoutService(service) => {
            LineItemFilter { attribute_values: Some(vec![service.clone()]), ..of("SERVICE", "NOT_EQUAL") }
        }
    }
}

fn filters(shapes: Vec<LineItemFilter>) -> Vec<FilterText> {
    let filter = |shape: LineItemFilter| FilterText {
        attribute: shape.attribute,
        match_option: shape.match_option,
        values: shape.values.unwrap_or_default(),
        attribute_values: shape.attribute_values.unwrap_or_default(),
    };
    shapes.into_iter().map(filter).collect()
}

fn range(shape: &ItemRange) -> Answer<PeriodRange> {
    let end = shape.exclusive_end_billing_period.as_deref().map(crate::call::period).transpose()?;
    Ok(PeriodRange { start: crate::call::period(&shape.inclusive_start_billing_period)?, end })
}
