//! Pricing plans and the rules in them.

use super::names::{changed, ids_of, listed, plan_arn};
use super::shapes::plans::{
    CreatePricingPlan, PricingPlanElement, PricingPlans, RulesOfPlan, RulesOfPlanIn, RulesOfPlanOut,
    UpdatePricingPlan, UpdatedPricingPlan,
};
use super::shapes::{ArnsFilter, Listing, OfArn};
use crate::call::{Call, Position, json};
use back_office::error::{Answer, Error};
use billing::book::{BASIC_PRICING_PLAN, PASSTHROUGH_PLAN};
use billing::configuration::{
    Edit, NewPlan, PlanChange, PlanOf, PricingPlanId, ResourceType, arn, plan_named,
};
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
    changed(call, "", |edit| Ok(edit.create_pricing_plan(new.clone())?.arn(payer))).await
}

/// `UpdatePricingPlan`
pub(super) async fn update(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: UpdatePricingPlan = call.read()?;
    let change = PlanChange { name: input.name, description: input.description };
    let made = call.change(&input.arn, |edit| {
        edit.update_pricing_plan(&input.arn, change.clone()).map(|id| id.to_string())
    });
    let id = made.await?;
    let configuration = call.desk.current(&call.caller.payer).await?;
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
    changed(call, &input.arn, |edit| Ok(edit.delete_pricing_plan(&input.arn)?.arn(payer))).await
}

/// `AssociatePricingRules` and `DisassociatePricingRules`
pub(super) async fn associate(call: &Call<'_>, join: bool) -> Answer<Vec<u8>> {
    let input: RulesOfPlan = call.read()?;
    let payer = &call.caller.payer;
    let rules = &input.pricing_rule_arns;
    let change = |edit: &mut Edit<'_>| match join {
        true => edit.associate_pricing_rules(&input.arn, rules),
        false => edit.disassociate_pricing_rules(&input.arn, rules),
    };
    changed(call, &input.arn, |edit| Ok(change(edit)?.arn(payer))).await
}

/// `ListPricingPlans`. Plans that AWS manages are listed where they are asked for by ARN.
pub(super) async fn list(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Listing<ArnsFilter> = call.read()?;
    let period = call.period_or_current(input.billing_period.as_deref())?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let arns = input.filters.and_then(|filter| filter.arns);
    let wanted = arns.map(|arns| ids_of(&arns));
    let configuration = call.desk.current(&call.caller.payer).await?;
    let plans = listed(&configuration.plans, page.after_number(), wanted.as_ref(), PricingPlanId::parse);
    let own = plans.filter_map(|(id, resource)| {
        let settings = resource.versions.at(period)?;
        let element = PricingPlanElement {
            name: settings.name.clone(),
            arn: id.arn(&configuration.payer),
            description: settings.description.clone(),
            size: settings.rules.len() as u64,
            creation_time: resource.created_at,
            last_modified_time: resource.modified_at,
        };
        Some((Position(resource.number), element))
    });
    let managed = match (&wanted, page.after.is_empty()) {
        (Some(wanted), true) => managed(wanted),
        _ => Vec::new(),
    };
    let (pricing_plans, next_token) = call.cut(&page, managed.into_iter().chain(own))?;
    json(&PricingPlans { billing_period: period.to_string(), pricing_plans, next_token })
}

/// The plans that AWS manages, of those that are asked for.
fn managed(wanted: &BTreeSet<String>) -> Vec<(Position, PricingPlanElement)> {
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
    let asked = |plan: &PricingPlanElement| wanted.contains(&plan.name);
    all.into_iter().filter(asked).map(|plan| (Position(0), plan)).collect()
}

/// `ListPricingRulesAssociatedToPricingPlan`
pub(super) async fn list_rules(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: RulesOfPlanIn = call.read()?;
    let period = call.period_or_current(input.billing_period.as_deref())?;
    let page = call.page(input.max_results, input.next_token.as_deref(), PAGE)?;
    let configuration = call.desk.current(&call.caller.payer).await?;
    let plan = plan_named(&configuration, &input.pricing_plan_arn, period)?;
    let own = match &plan {
        PlanOf::Own(id) => configuration.plans.at(id, period),
        // Those that AWS manages have no rules.
        PlanOf::Basic | PlanOf::Passthrough => None,
    };
    let entries = own
        .iter()
        .flat_map(|(_, settings)| &settings.rules)
        .filter(|rule| rule.as_str() > page.after.as_str())
        .map(|rule| (rule.to_string(), rule.arn(&configuration.payer)));
    let (pricing_rule_arns, next_token) = call.cut(&page, entries)?;
    let billing_period = period.to_string();
    let pricing_plan_arn = plan_arn(&configuration.payer, &plan);
    json(&RulesOfPlanOut { billing_period, pricing_plan_arn, pricing_rule_arns, next_token })
}
