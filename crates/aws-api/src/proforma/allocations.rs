//! What the values of a cost category come to once its split charges are dealt out.

use crate::call::{Call, field, json, period};
use crate::cost_explorer::expression::metric;
use back_office::cost_categories::AllocationQuestion;
use back_office::error::Answer;
use query::facts::Metric;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    cost_category: String,
    billing_period: String,
    last_billing_period: Option<String>,
    metric: Option<String>,
    billing_view_arn: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_category_arn: Option<String>,
    metric: &'static str,
    allocations: Vec<OfValue>,
    splits: Vec<Split>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OfValue {
    billing_period: String,
    value: String,
    cost: String,
    split_out: String,
    split_in: String,
    total: String,
    currency: String,
    estimated: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Split {
    billing_period: String,
    source: String,
    target: String,
    amount: String,
    currency: String,
}

/// `GetCostCategoryAllocation`
pub(super) async fn get(call: &Call<'_>) -> Answer<Vec<u8>> {
    let input: Asked = call.read()?;
    let first = period(&input.billing_period)?;
    let last = input.last_billing_period.as_deref().map(period).transpose()?.unwrap_or(first);
    let metric = match input.metric.as_deref() {
        None => Metric::UnblendedCost,
        Some(name) => metric(name).ok_or_else(|| {
            field(
                "Metric",
                &format!("`{name}` is not one; ask for UnblendedCost, NetUnblendedCost or AmortizedCost"),
            )
        })?,
    };
    let question = AllocationQuestion {
        category: input.cost_category,
        billing_view: input.billing_view_arn,
        months: (first, last),
        metric,
    };
    let told = call.desk.cost_category_allocation(call.caller, &question).await?;
    let (mut allocations, mut splits) = (Vec::new(), Vec::new());
    for month in told.months {
        let billing_period = month.month.to_string();
        allocations.extend(month.values.into_iter().map(|of| OfValue {
            billing_period: billing_period.clone(),
            value: of.value,
            cost: of.before.to_string(),
            split_out: of.split_out.to_string(),
            split_in: of.split_in.to_string(),
            total: of.after.to_string(),
            currency: month.currency.clone(),
            estimated: month.is_estimated,
        }));
        splits.extend(month.dealt.into_iter().map(|of| Split {
            billing_period: billing_period.clone(),
            source: of.source,
            target: of.target,
            amount: of.amount.to_string(),
            currency: month.currency.clone(),
        }));
    }
    json(&Told { name: told.name, cost_category_arn: told.arn, metric: metric.name(), allocations, splits })
}
