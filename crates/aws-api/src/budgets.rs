//! `budgets`: the operations of AWS Budgets, one function each, a file per noun.
//!
//! Source: the service model of AWS Budgets, version 2016-10-20. What is served of it, and what is decided where AWS is silent, is in docs/budgets.md.

mod describing;
pub(crate) mod errors;
mod notifications;
mod planning;
mod shapes;
mod tags;

use crate::call::Call;
use back_office::error::{Answer, Declined, Error};
use serde::{Deserialize, Serialize};

/// The name of the service in signatures.
pub const SERVICE: &str = "budgets";

/// Performs an operation.
pub(crate) async fn perform(call: &Call<'_>, operation: &str) -> Answer<Vec<u8>> {
    own_account(call)?;
    match operation {
        "CreateBudget" => planning::create(call).await,
        "UpdateBudget" => planning::update(call).await,
        "DeleteBudget" => planning::delete(call).await,
        "DescribeBudget" => describing::one(call).await,
        "DescribeBudgets" => describing::all(call).await,
        "DescribeBudgetPerformanceHistory" => describing::history(call).await,
        "CreateNotification" => notifications::create(call).await,
        "UpdateNotification" => notifications::update(call).await,
        "DeleteNotification" => notifications::delete(call).await,
        "CreateSubscriber" => notifications::create_subscriber(call).await,
        "UpdateSubscriber" => notifications::update_subscriber(call).await,
        "DeleteSubscriber" => notifications::delete_subscriber(call).await,
        "DescribeNotificationsForBudget" => notifications::of_budget(call).await,
        "DescribeBudgetNotificationsForAccount" => notifications::of_account(call).await,
        "DescribeSubscribersForNotification" => notifications::subscribers(call).await,
        "ListTagsForResource" => tags::list(call).await,
        "TagResource" => tags::put(call).await,
        "UntagResource" => tags::remove(call).await,
        other => Err(Error::internal(format!("{other} is in the model and not served"))),
    }
}

/// A request names the account whose budgets it is about: the one that `sts:GetCallerIdentity` tells. Whatever another one has is denied.
fn own_account(call: &Call<'_>) -> Answer<()> {
    let named = call.input.get("AccountId").and_then(|account| account.as_str());
    match named.is_none_or(|account| account == call.caller.payer.as_str()) {
        true => Ok(()),
        false => Err(Error::Denied),
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Declined::invalid(message).into()
}

/// A budget by its name.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfBudget {
    budget_name: String,
    #[serde(default)]
    show_filter_expression: bool,
    #[serde(default)]
    time_period: Option<shapes::TimePeriod>,
    #[serde(default)]
    max_results: Option<u32>,
    #[serde(default)]
    next_token: Option<String>,
}

/// The page that a request asks for, in the words of this service.
fn page(call: &Call<'_>, max: Option<u32>, token: Option<&str>, most: usize) -> Answer<crate::call::Page> {
    call.page(max, token, most).map_err(|error| match error {
        Error::Refused(refusal) => invalid(format!("NextToken: {refusal}")),
        other => other,
    })
}

#[derive(Serialize)]
struct Empty {}
