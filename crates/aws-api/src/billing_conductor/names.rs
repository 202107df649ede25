//! Names on the wire: accounts, ARNs, and numbers as the API writes them.

use super::shapes::ArnOut;
use crate::call::{Call, json};
use aws_wire::json::Number;
use back_office::error::Answer;
use billing::account::AccountId;
use billing::configuration::{Edit, PlanOf, Refusal, Resource, ResourceName, ResourceType, Table, arn};
use std::collections::BTreeSet;
use std::fmt::Display;

/// An account that the model has let through.
pub(super) fn account(text: &str) -> Answer<AccountId> {
    AccountId::parse(text).ok_or_else(|| crate::call::field("AccountId", "an account id has twelve digits"))
}

/// Accounts.
pub(super) fn accounts(texts: &[String]) -> Answer<Vec<AccountId>> {
    texts.iter().map(|text| account(text)).collect()
}

/// The ARN of a plan; those that AWS manages are of the account `aws`.
pub(super) fn plan_arn(payer: &AccountId, plan: &PlanOf) -> String {
    let managed = |name| arn("aws", ResourceType::PricingPlan, name);
    match plan {
        PlanOf::Basic => managed(billing::book::BASIC_PRICING_PLAN),
        PlanOf::Passthrough => managed(billing::book::PASSTHROUGH_PLAN),
        PlanOf::Own(id) => id.arn(payer),
    }
}

/// An ARN in the form that is written here: that of China names the same resource.
pub(super) fn normal_arn(text: &str) -> String {
    text.replacen("arn:aws-cn:", "arn:aws:", 1)
}

/// The id that an ARN or a bare id names.
fn id_of(text: &str) -> String {
    ResourceName::parse(text).map_or_else(|| text.to_owned(), |name| name.id)
}

/// The ids that ARNs name.
pub(super) fn ids_of(arns: &[String]) -> BTreeSet<String> {
    arns.iter().map(|arn| id_of(arn)).collect()
}

/// Makes a change whose answer is the ARN of what it has made or changed.
pub(super) async fn changed(
    call: &Call<'_>,
    resource: &str,
    operation: impl Fn(&mut Edit<'_>) -> Result<String, Refusal> + Sync,
) -> Answer<Vec<u8>> {
    json(&call.change(resource, |edit| Ok(ArnOut { arn: operation(edit)? })).await?)
}

/// The resources of a table after a number, in the order of creation. Where ids are asked for, those alone are looked at: a table may have
/// tens of thousands.
pub(super) fn listed<'a, I: Ord + Clone, S: Clone + PartialEq>(
    table: &'a Table<I, S>,
    after: u64,
    ids: Option<&BTreeSet<String>>,
    parse: fn(&str) -> Option<I>,
) -> Box<dyn Iterator<Item = (&'a I, &'a Resource<S>)> + 'a> {
    let Some(ids) = ids else { return Box::new(table.after(after)) };
    let numbers = ids.iter().filter_map(|id| Some(table.get(&parse(id)?)?.number));
    let numbers: BTreeSet<u64> = numbers.filter(|number| *number > after).collect();
    Box::new(numbers.into_iter().filter_map(|number| table.after(number.checked_sub(1)?).next()))
}

/// An exact decimal as a JSON number.
pub(super) fn number(decimal: &impl Display) -> Answer<Number> {
    decimal.to_string().parse().map_err(back_office::error::Error::internal)
}
