//! Pricing plans and the rules in them.

use super::names::{id_of, normal_arn};
use super::shapes::{
    ArnOut, ArnsFilter, CreatePricingPlan, Listing, OfArn, PricingPlanElement, PricingPlans, RulesOfPlan,
    RulesOfPlanIn, RulesOfPlanOut, UpdatePricingPlan, UpdatedPricingPlan,
};
use crate::call::{Call, Position, json};
use back_office::error::{Answer, Error};
use billing::book::{BASIC_PRICING_PLAN, PASSTHROUGH_PLAN};
use billing::configuration::{
    Configuration, NewPlan, PlanChange, PricingPlanId, Refusal, ResourceName, ResourceType, ValidationReason,
    arn,
};
use billing::period::BillingPeriod;
use std::collections::BTreeSet;

const PAGE: usize = 100;

/// `CreatePricingPlan`
pub(super) async fn create(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: CreatePricingPlan = call.read()?;
    let new = NewPlan {
        name: input.name,
        description: input.description,
        rules: input.pricing_rule_arns,
        tags: input.tags,
    };
    let payer = &call.caller.payer;
    let made = call.change("", |edit| {
        let id = edit.create_pricing_plan(new.clone())?;
        Ok(ArnOut { arn: id.arn(payer) })
    });
    json(&made.await?)
}

/// `UpdatePricingPlan`
pub(super) async fn update(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: UpdatePricingPlan = call.read()?;
    let change = PlanChange { name: input.name, description: input.description };
    let made = call.change(&input.arn, |edit| {
        edit.update_pricing_plan(&input.arn, change.clone()).map(|id| id.to_string())
    });
    let id = made.await?;
    let (configuration, _) = call.desk.indexed(&call.caller.payer, call.write_period()).await?;
    let plan = PricingPlanId::parse(&id).and_then(|id| {
        let (resource, settings) = configuration.plans.at(&id, call.write_period())?;
        Some(UpdatedPricingPlan {
            arn: id.arn(&configuration.payer),
            name: settings.name.clone(),
            description: settings.description.clone(),
            size: settings.rules.len() as u64,
            last_modified_time: resource.modified_at,
        })
    });
    json(&plan.ok_or_else(|| Error::internal(id))?)
}

/// `DeletePricingPlan`
pub(super) async fn delete(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfArn = call.read()?;
    let payer = &call.caller.payer;
    let done =
        call.change(&input.arn, |edit| Ok(ArnOut { arn: edit.delete_pricing_plan(&input.arn)?.arn(payer) }));
    json(&done.await?)
}

/// `AssociatePricingRules` and `DisassociatePricingRules`
pub(super) async fn associate(call: &Call<'_>, join: bool) -> Answer<Vec<u8>> {
    let input: RulesOfPlan = call.read()?;
    let payer = &call.caller.payer;
    let rules = &input.pricing_rule_arns;
    let done = call.change(&input.arn, |edit| {
        let id = match join {
            true => edit.associate_pricing_rules(&input.arn, rules)?,
            false => edit.disassociate_pricing_rules(&input.arn, rules)?,
        };
        Ok(ArnOut { arn: id.arn(payer) })
    });
    json(&done.await?)
}

/// `ListPricingPlans`. Plans that AWS manages are listed where they are asked for by ARN.
pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Listing<ArnsFilter> = call.read()?;
    let period = call.period_or_current(input.billing_period.as_deref())?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let arns = input.filters.and_then(|filter| filter.arns);
    let wanted: Option<BTreeSet<String>> =
        arns.as_ref().map(|arns| arns.iter().map(|arn| id_of(arn)).collect());
    let (configuration, _) = call.desk.indexed(&call.caller.payer, period).await?;
    let payer = configuration.payer.clone();
    let own = configuration.plans.after(page.after_number()).filter_map(|(id, resource)| {
        let settings = resource.versions.at(period)?;
        if wanted.as_ref().is_some_and(|wanted| !wanted.contains(id.as_str())) {
            return None;
        }
        let element = PricingPlanElement {
            name: settings.name.clone(),
            arn: id.arn(&payer),
            description: settings.description.clone(),
            size: settings.rules.len() as u64,
            creation_time: resource.created_at,
            last_modified_time: resource.modified_at,
        };
        Some((Position(resource.number), element))
    });
    let managed = managed(&wanted.clone().unwrap_or_default(), page.after.is_empty());
    let (pricing_plans, next_token) = call.cut(&page, managed.into_iter().chain(own))?;
    json(&PricingPlans { billing_period: period.to_string(), pricing_plans, next_token })
}

/// The plans that AWS manages, of those that are asked for; they are on the first page.
fn managed(wanted: &BTreeSet<String>, is_first: bool) -> Vec<(Position, PricingPlanElement)> {
    let element = |name: &str, description: &str| PricingPlanElement {
        name: name.to_owned(),
        arn: arn("aws", ResourceType::PricingPlan, name),
        description: Some(description.to_owned()),
        size: 0,
        creation_time: 0,
        last_modified_time: 0,
    };
    let all = [
        element(BASIC_PRICING_PLAN, "Public prices; managed by AWS"),
        element(PASSTHROUGH_PLAN, "What the level above is invoiced; managed by AWS"),
    ];
    let asked = |plan: &PricingPlanElement| is_first && wanted.contains(&plan.name);
    all.into_iter().filter(asked).map(|plan| (Position(0), plan)).collect()
}

/// `ListPricingRulesAssociatedToPricingPlan`
pub(super) async fn list_rules(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: RulesOfPlanIn = call.read()?;
    let period = call.period_or_current(input.billing_period.as_deref())?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let (configuration, _) = call.desk.indexed(&call.caller.payer, period).await?;
    let (plan_arn, rules) = rules_of(&configuration, period, &input.pricing_plan_arn)?;
    let entries = rules
        .iter()
        .filter(|rule| rule.as_str() > page.after.as_str())
        .map(|rule| (rule.to_string(), rule.arn(&configuration.payer)));
    let (pricing_rule_arns, next_token) = call.cut(&page, entries)?;
    let billing_period = period.to_string();
    json(&RulesOfPlanOut { billing_period, pricing_plan_arn: plan_arn, pricing_rule_arns, next_token })
}

/// The rules of a plan; one that AWS manages has none.
fn rules_of(
    configuration: &Configuration,
    period: BillingPeriod,
    text: &str,
) -> Answer<(String, BTreeSet<billing::configuration::PricingRuleId>)> {
    let id = id_of(text);
    if [BASIC_PRICING_PLAN, PASSTHROUGH_PLAN].contains(&id.as_str()) || is_managed(text) {
        return Ok((normal_arn(text), BTreeSet::new()));
    }
    let absent =
        || Error::Refused(Refusal::NotFound { kind: ResourceType::PricingPlan, id: text.to_owned() });
    let name = ResourceName::parse(text).ok_or_else(absent)?;
    if name.owner.is_some_and(|(owner, _)| owner != configuration.payer.as_str()) {
        let message = format!("`{text}` is a pricing plan of another payer");
        return Err(Error::invalid(ValidationReason::MismatchedPricingplanArn, message));
    }
    let id = PricingPlanId::parse(&name.id).ok_or_else(absent)?;
    let (_, settings) = configuration.plans.at(&id, period).ok_or_else(absent)?;
    Ok((id.arn(&configuration.payer), settings.rules.clone()))
}

fn is_managed(text: &str) -> bool {
    text.contains("::aws:pricingplan/")
}
