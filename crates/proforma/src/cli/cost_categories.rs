//! The commands of cost categories.

use super::desk::DeskArguments;
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Cost categories are defined through AWS's own operations (`aws ce create-cost-category-definition`): docs/cost-categories.md.

Examples:
  proforma cost-category allocation Teams --period 2026-10 --data ./desk
  proforma cost-category allocation Teams --period 2026-07 --to 2026-09 --metric AmortizedCost --output csv --data ./desk";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CostCategoryArguments {
    #[command(subcommand)]
    pub command: CostCategoryCommand,
}

#[derive(Debug, Subcommand)]
pub enum CostCategoryCommand {
    /// Print what the values of a cost category cost, and what they come to once split charges are dealt out.
    Allocation(Box<AllocationArguments>),
}

#[derive(Debug, Args)]
pub struct AllocationArguments {
    #[command(flatten)]
    pub desk: DeskArguments,
    /// The cost category, by its name or its ARN.
    #[arg(value_name = "COST_CATEGORY")]
    pub cost_category: String,
    /// The month, or the first of several.
    #[arg(long, value_name = "YYYY-MM")]
    pub period: String,
    /// The last month; by default the first one.
    #[arg(long, value_name = "YYYY-MM")]
    pub to: Option<String>,
    /// What is dealt out: UnblendedCost by default.
    #[arg(long, value_name = "METRIC")]
    pub metric: Option<String>,
    /// The billing view, by ARN; by default your own.
    #[arg(long, value_name = "ARN")]
    pub billing_view: Option<String>,
}
