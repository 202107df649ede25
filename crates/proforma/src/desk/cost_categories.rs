//! The commands of cost categories: `proforma cost-category`.

use super::command::ask;
use crate::cli::cost_categories::{CostCategoryArguments, CostCategoryCommand};
use crate::failure::Failure;
use serde_json::json;

/// `proforma cost-category`
pub fn cost_category(arguments: &CostCategoryArguments) -> Result<(), Failure> {
    match &arguments.command {
        CostCategoryCommand::Allocation(of) => {
            let mut input = json!({ "CostCategory": of.cost_category, "BillingPeriod": of.period });
            for (member, value) in
                [("LastBillingPeriod", &of.to), ("Metric", &of.metric), ("BillingViewArn", &of.billing_view)]
            {
                if let Some(value) = value {
                    input[member] = json!(value);
                }
            }
            ask(&of.desk, "GetCostCategoryAllocation", &input)
        }
    }
}
