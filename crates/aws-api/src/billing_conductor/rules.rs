//! Pricing rules.

use super::names::{changed, ids_of, listed, number};
use super::shapes::rules::{
    CreatePricingRule, CustomTier, FreeTier, PlansOfRule, PlansOfRuleOut, PricingRuleElement, PricingRules,
    Tiering as TieringShape, UpdatePricingRule,
};
use super::shapes::{ArnsFilter, Listing, OfArn};
use crate::call::{Call, Position, json};
use back_office::error::{Answer, Error};
use back_office::index::PeriodIndex;
use billing::account::AccountId;
use billing::configuration::{
    NewRule, PricingRuleId, Resource, RuleChange, RuleSettings, RuleType, ScopeName, TierText, Tiering,
    plans_with_rule, rule_named,
};
use billing::pricing::{Pricing, Scope};

const PAGE: usize = 100;

/// `CreatePricingRule`
pub(super) async fn create(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: CreatePricingRule = call.read()?;
    let new = NewRule {
        name: input.name,
        description: input.description,
        scope: scope(&input.scope)?,
        kind: kind(&input.r#type)?,
        modifier_percentage: input.modifier_percentage.map(|number| number.as_str().to_owned()),
        service: input.service,
        billing_entity: input.billing_entity,
        usage_type: input.usage_type,
        operation: input.operation,
        tiering: input.tiering.map(tiering),
        tags: input.tags,
    };
    let payer = &call.caller.payer;
    changed(call, "", |edit| Ok(edit.create_pricing_rule(new.clone())?.arn(payer))).await
}

/// `UpdatePricingRule`
pub(super) async fn update(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: UpdatePricingRule = call.read()?;
    let change = RuleChange {
        name: input.name,
        description: input.description,
        kind: input.r#type.as_deref().map(kind).transpose()?,
        modifier_percentage: input.modifier_percentage.map(|number| number.as_str().to_owned()),
        tiering: input.tiering.map(tiering),
    };
    let made = call.change(&input.arn, |edit| {
        edit.update_pricing_rule(&input.arn, change.clone()).map(|id| id.to_string())
    });
    let text = made.await?;
    let (configuration, index) = call.desk.indexed(&call.caller.payer, call.write_period()).await?;
    let id = PricingRuleId::parse(&text).ok_or_else(|| Error::internal(text.clone()))?;
    let (resource, settings) =
        configuration.rules.at(&id, call.write_period()).ok_or_else(|| Error::internal(text))?;
    let mut element = element(&configuration.payer, &index, &id, resource, settings)?;
    element.creation_time = None;
    json(&element)
}

/// `DeletePricingRule`
pub(super) async fn delete(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfArn = call.read()?;
    let payer = &call.caller.payer;
    changed(call, &input.arn, |edit| Ok(edit.delete_pricing_rule(&input.arn)?.arn(payer))).await
}

/// `ListPricingRules`
pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Listing<ArnsFilter> = call.read()?;
    let period = call.period_or_current(input.billing_period.as_deref())?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let arns = input.filters.and_then(|filter| filter.arns);
    let wanted = arns.map(|arns| ids_of(&arns));
    let (configuration, index) = call.desk.indexed(&call.caller.payer, period).await?;
    let rules = listed(&configuration.rules, page.after_number(), wanted.as_ref(), PricingRuleId::parse);
    let matching = rules.filter_map(|(id, resource)| {
        let settings = resource.versions.at(period)?;
        Some((Position(resource.number), (id, resource, settings)))
    });
    let (cut, next_token) = call.cut(&page, matching)?;
    let elements = cut
        .into_iter()
        .map(|(id, resource, settings)| element(&configuration.payer, &index, id, resource, settings));
    let pricing_rules = elements.collect::<Answer<_>>()?;
    json(&PricingRules { billing_period: period.to_string(), pricing_rules, next_token })
}

/// `ListPricingPlansAssociatedWithPricingRule`
pub(super) async fn list_plans(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: PlansOfRule = call.read()?;
    let period = call.period_or_current(input.billing_period.as_deref())?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let configuration = call.desk.current(&call.caller.payer).await?;
    let rule = rule_named(&configuration, &input.pricing_rule_arn, period)?;
    let number = |id| configuration.plans.get(id).map_or(0, |resource| resource.number);
    let entries = plans_with_rule(&configuration, &rule, period)
        .map(|id| (number(id), id))
        .filter(|(number, _)| *number > page.after_number())
        .map(|(number, id)| (Position(number), id.arn(&configuration.payer)));
    let (pricing_plan_arns, next_token) = call.cut(&page, entries)?;
    let pricing_rule_arn = rule.arn(&configuration.payer);
    json(&PlansOfRuleOut {
        billing_period: period.to_string(),
        pricing_rule_arn,
        pricing_plan_arns,
        next_token,
    })
}

fn element<'a>(
    payer: &AccountId,
    index: &PeriodIndex,
    id: &PricingRuleId,
    resource: &Resource<RuleSettings>,
    settings: &'a RuleSettings,
) -> Answer<PricingRuleElement<'a>> {
    let (service, usage_type, operation, billing_entity) = match &settings.scope {
        Scope::Global => (None, None, None, None),
        Scope::Service(service) => (Some(service), None, None, None),
        Scope::Sku { service, usage_type, operation } => {
            (Some(service), Some(usage_type), operation.as_ref(), None)
        }
        Scope::BillingEntity(entity) => (None, None, None, Some(entity)),
    };
    let (r#type, modifier_percentage, tiering) = match &settings.pricing {
        Pricing::Markup(percentage) => ("MARKUP", Some(number(percentage)?), None),
        Pricing::Discount(percentage) => ("DISCOUNT", Some(number(percentage)?), None),
        Pricing::FreeTier { activated } => {
            let free_tier = Some(FreeTier { activated: *activated });
            ("TIERING", None, Some(TieringShape { free_tier, custom_tiers: None }))
        }
        Pricing::CustomTiers(tiers) => {
            let tier = |tier: &billing::tiers::Tier| {
                Ok(CustomTier {
                    begin_range_inclusive: Some(number(&tier.begin)?),
                    end_range_exclusive: tier.end.as_ref().map(number).transpose()?,
                    rate_value: number(&tier.rate)?,
                })
            };
            let custom_tiers = tiers.tiers().all().iter().map(tier).collect::<Answer<_>>()?;
            ("TIERING", None, Some(TieringShape { free_tier: None, custom_tiers: Some(custom_tiers) }))
        }
    };
    Ok(PricingRuleElement {
        name: &settings.name,
        arn: id.arn(payer),
        description: settings.description.as_deref(),
        scope: settings.scope.name(),
        r#type,
        modifier_percentage,
        service: service.map(String::as_str),
        associated_pricing_plan_count: index.plans_of_rule(id),
        creation_time: Some(resource.created_at),
        last_modified_time: resource.modified_at,
        billing_entity: billing_entity.map(String::as_str),
        tiering,
        usage_type: usage_type.map(String::as_str),
        operation: operation.map(String::as_str),
    })
}

fn scope(text: &str) -> Answer<ScopeName> {
    match text {
        "GLOBAL" => Ok(ScopeName::Global),
        "SERVICE" => Ok(ScopeName::Service),
        "BILLING_ENTITY" => Ok(ScopeName::BillingEntity),
        "SKU" => Ok(ScopeName::Sku),
        other => Err(Error::internal(other.to_owned())),
    }
}

fn kind(text: &str) -> Answer<RuleType> {
    match text {
        "MARKUP" => Ok(RuleType::Markup),
        "DISCOUNT" => Ok(RuleType::Discount),
        "TIERING" => Ok(RuleType::Tiering),
        other => Err(Error::internal(other.to_owned())),
    }
}

fn tiering(shape: TieringShape) -> Tiering {
    let text = |number: aws_wire::json::Number| number.as_str().to_owned();
    let tier = |tier: CustomTier| TierText {
        begin: tier.begin_range_inclusive.map(text),
        end: tier.end_range_exclusive.map(text),
        rate: text(tier.rate_value),
    };
    Tiering {
        free_tier: shape.free_tier.map(|free_tier| free_tier.activated),
        custom_tiers: shape.custom_tiers.map(|tiers| tiers.into_iter().map(tier).collect()),
    }
}
