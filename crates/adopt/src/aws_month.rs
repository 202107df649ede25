//! `proforma-aws-month`: reads what AWS says of a month, Cost Explorer and the Billing Conductor's cost reports, and prints it for `proforma doctor aws`.
//!
//! `proforma doctor aws` starts it and compares, so that it carries no SDK of AWS. It only reads at AWS.

mod month;

use adopt::connection::Connection;
use adopt::say;
use anyhow::Context;
use billing::period::BillingPeriod;
use clap::Parser;
use std::io::Write;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Credentials, profile and endpoint are found as by every AWS tool. Nothing is changed at AWS. Each request to Cost Explorer costs USD 0.01.
The caller needs ce:GetCostAndUsage, billingconductor:ListBillingGroups, billingconductor:ListBillingGroupCostReports and
billingconductor:GetBillingGroupCostReport on the payer account.

Example:
  proforma-aws-month --period 2026-10 --profile payer > month.json";

/// Read what AWS says of a month, and print it as JSON.
#[derive(Debug, Parser)]
#[command(name = "proforma-aws-month", version, after_help = EXAMPLES)]
struct Arguments {
    /// The billing period.
    #[arg(long, value_name = "YYYY-MM")]
    period: String,
    /// Ask only where the credentials are of this account; asking who they are of costs nothing.
    #[arg(long, value_name = "ACCOUNT_ID")]
    payer: Option<String>,
    /// The AWS profile to read with; by default as AWS_PROFILE and the environment say.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Another place that answers AWS's API.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
}

fn main() -> ExitCode {
    match read(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn read(arguments: &Arguments) -> anyhow::Result<()> {
    let period = BillingPeriod::parse(&arguments.period).context("--period")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let month = runtime.block_on(async {
        let connection =
            Connection::of_profile(arguments.endpoint.clone(), arguments.profile.as_deref()).await?;
        month::read(&connection.patient(), period, arguments.payer.as_deref()).await
    })?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{month}").and_then(|()| out.flush()).context("standard output is closed")
}
