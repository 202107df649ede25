//! The payer's organization, and the rules by which billing groups follow it.

use super::OfPeriod;
use crate::call::{Call, field, json, period};
use back_office::desk::WriteRequest;
use back_office::error::{Answer, Error};
use back_office::organization::{Flagged, RESOURCE};
use billing::account::AccountId;
use billing::group_rule::{GroupRule, NamePattern, Selector, TagSelector, UnitName};
use serde::{Deserialize, Serialize};

/// Performs one of these operations.
pub(super) async fn perform(call: &Call<'_>, operation: &str) -> Answer<Vec<u8>> {
    match operation {
        "ApplyOrganization" => apply(call, false).await,
        "PlanOrganization" => apply(call, true).await,
        "PutBillingGroupRule" => put_rule(call, false).await,
        "PlanBillingGroupRule" => put_rule(call, true).await,
        "DeleteBillingGroupRule" => delete_rule(call).await,
        "ListBillingGroupRules" => list_rules(call).await,
        "GetOrganizationSync" => sync(call).await,
        "UpdateOrganizationSync" => update_sync(call).await,
        other => Err(Error::internal(format!("{other} is in the model and not served"))),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    content: String,
    file_name: Option<String>,
}

/// `ApplyOrganization`, and with `dry` `PlanOrganization`
async fn apply(call: &Call<'_>, dry: bool) -> Answer<Vec<u8>> {
    let input: Told = call.read()?;
    let name = input.file_name.as_deref().unwrap_or("organization.json");
    let applied = call.desk.apply_organization(&call.write(RESOURCE), (name, &input.content), dry).await?;
    json(&applied)
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SelectorShape {
    #[serde(skip_serializing_if = "Option::is_none")]
    organizational_unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag_key: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tag_values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_pattern: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RuleOf {
    billing_group_arn: String,
    selectors: Vec<SelectorShape>,
    #[serde(default)]
    except_account_ids: Vec<String>,
    billing_period: Option<String>,
}

impl SelectorShape {
    fn selector(self) -> Answer<Selector> {
        let unit = self.organizational_unit.map(|text| {
            let message = format!(
                "`{text}` has an empty part; write a path as Root/Customers/Harbor, or an id as ou-…"
            );
            UnitName::parse(&text).ok_or_else(|| field("OrganizationalUnit", &message))
        });
        let name = self.name_pattern.map(|text| {
            let message = "an empty pattern fits no name; leave it out, or write `*` for any";
            NamePattern::parse(&text).ok_or_else(|| field("NamePattern", message))
        });
        if self.tag_key.is_none() && !self.tag_values.is_empty() {
            return Err(field("TagValues", "values of a tag need its key: give TagKey"));
        }
        let values = self.tag_values.into_iter().collect();
        let tag = self.tag_key.map(|key| TagSelector { key, values });
        Ok(Selector { unit: unit.transpose()?, tag, name: name.transpose()? })
    }

    fn of(selector: &Selector) -> Self {
        let tag = selector.tag.as_ref();
        Self {
            organizational_unit: selector.unit.as_ref().map(ToString::to_string),
            tag_key: tag.map(|tag| tag.key.clone()),
            tag_values: tag.map(|tag| tag.values.iter().cloned().collect()).unwrap_or_default(),
            name_pattern: selector.name.as_ref().map(|name| name.as_str().to_owned()),
        }
    }
}

/// `PutBillingGroupRule`, and with `dry` `PlanBillingGroupRule`
async fn put_rule(call: &Call<'_>, dry: bool) -> Answer<Vec<u8>> {
    let RuleOf { billing_group_arn, selectors, except_account_ids, billing_period } = call.read()?;
    let account = |id: &String| AccountId::parse(id).ok_or_else(|| Error::internal(id.clone()));
    let rule = GroupRule {
        selectors: selectors.into_iter().map(SelectorShape::selector).collect::<Answer<_>>()?,
        except: except_account_ids.iter().map(account).collect::<Answer<_>>()?,
    };
    let (group, request) = call.rule_write(&billing_group_arn, billing_period.as_deref()).await?;
    json(&call.desk.put_group_rule(&request, (&group, Some(&rule)), dry).await?)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfGroup {
    billing_group_arn: String,
    billing_period: Option<String>,
}

/// `DeleteBillingGroupRule`
async fn delete_rule(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfGroup = call.read()?;
    let (group, request) = call.rule_write(&input.billing_group_arn, input.billing_period.as_deref()).await?;
    json(&call.desk.put_group_rule(&request, (&group, None), false).await?)
}

impl Call<'_> {
    /// A write of the rule of a group, which the operator names by ARN, id or name, from the period on that the input or the request names;
    /// with the group's id.
    async fn rule_write<'a>(
        &'a self,
        group: &'a str,
        from: Option<&str>,
    ) -> Answer<(String, WriteRequest<'a>)> {
        let from = from.map(period).transpose()?.or(self.period);
        let current = self.desk.current(&self.caller.payer).await?;
        let id = self.caller.billing_group(&current, group, Some(from.unwrap_or_else(|| self.current())));
        Ok((id.map_err(Error::from)?.to_string(), WriteRequest { period: from, ..self.write(group) }))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Rule {
    billing_group_arn: String,
    billing_group_name: String,
    selectors: Vec<SelectorShape>,
    except_account_ids: Vec<String>,
    account_ids: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Rules {
    rules: Vec<Rule>,
    flags: Vec<Flagged>,
}

/// `ListBillingGroupRules`
async fn list_rules(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: OfPeriod = call.read()?;
    let payer = &call.caller.payer;
    let period = call.period_or_current(input.billing_period.as_deref())?;
    let (listed, flags) = call.desk.group_rules(payer, period).await?;
    let ids = |accounts: &mut dyn Iterator<Item = &AccountId>| accounts.map(ToString::to_string).collect();
    let rules = listed.iter().map(|of| Rule {
        billing_group_arn: of.group.arn(payer),
        billing_group_name: of.name.clone(),
        selectors: of.rule.selectors.iter().map(SelectorShape::of).collect(),
        except_account_ids: ids(&mut of.rule.except.iter()),
        account_ids: ids(&mut of.accounts.iter()),
    });
    json(&Rules { rules: rules.collect(), flags })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Sync {
    every_hours: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_attempt_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_read_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// `GetOrganizationSync`
async fn sync(call: &Call<'_>) -> Answer<Vec<u8>> {
    let of = call.desk.organization_sync(&call.caller.payer).await?;
    let seconds = |at_ms: Option<i64>| at_ms.map(|at| at / 1_000);
    json(&Sync {
        every_hours: of.every_hours,
        last_attempt_time: seconds(of.attempted_at_ms),
        last_read_time: seconds(of.read_at_ms),
        problem: of.problem,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NewSync {
    every_hours: u32,
}

/// `UpdateOrganizationSync`
async fn update_sync(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: NewSync = call.read()?;
    call.desk.set_organization_sync(&call.write(RESOURCE), input.every_hours).await?;
    sync(call).await
}
